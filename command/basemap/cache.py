"""Tiles of others on disk, so that the map stays when their server does not. Bounded: the oldest go first.

One folder for each version of a source, one file for each tile; an empty file says that there is none.
"""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import structlog

from command.clock import Clock

log = structlog.get_logger("basemap")

_LEFT: Final = 0.85
"""Of the limit is left after making room: it is not made for every tile."""
Made = Literal["theirs", "ours"]
"""As it was fetched, or laid right."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A tile from the cache.

    Attributes:
        content: The picture; empty: there is none.
        age_s: Since it was fetched.
    """

    content: bytes
    age_s: float


class TileCache:
    """The cache of one data folder. All of it touches the disk: call it in threads.

    Args:
        folder: Made when first needed.
        most_bytes: Never more for long; 0 keeps nothing.
        clock: Time of the files.
    """

    def __init__(self, folder: Path, most_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._most = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def get(self, version: str, made: Made, z: int, x: int, y: int) -> Kept | None:
        """Return a tile, however old; None where it was never fetched."""
        path = self._path(version, made, z, x, y)
        try:
            with path.open("rb") as file:
                content = file.read()
                fetched = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        return Kept(content, max(0.0, self._clock.now().timestamp() - fetched))

    def put(
        self, version: str, made: Made, z: int, x: int, y: int, content: bytes, age_s: float = 0.0
    ) -> None:
        """Keep a tile. A disk that is full or gone keeps nothing, and nobody need know."""
        if not self._most:
            return
        path = self._path(version, made, z, x, y)
        part = path.with_name(f".{path.name}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            at = self._clock.now().timestamp() - age_s
            os.utime(part, (at, at))
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            log.warning("a tile was not kept", reason=error.strerror)
            return
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += len(content)
            if self._bytes > self._most:
                self._make_room()

    def keep_only(self, versions: set[str]) -> None:
        """Forget the tiles of all other versions."""
        if not self._folder.exists():
            return
        for path in self._folder.iterdir():
            if path.name not in versions:
                shutil.rmtree(path, ignore_errors=True)
        with self._lock:
            self._bytes = None

    def _make_room(self) -> None:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._most * _LEFT:
                break
            path.unlink(missing_ok=True)
            total -= size
        self._bytes = total

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                try:
                    stat = path.stat()
                except OSError:
                    continue
                found.append((stat.st_mtime, stat.st_size, path))
        return found

    def _path(self, version: str, made: Made, z: int, x: int, y: int) -> Path:
        return self._folder / version / made / str(z) / str(x) / str(y)
