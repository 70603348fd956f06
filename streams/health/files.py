"""Where a camera's pictures lie. Names come from a hash: no camera's id ever reaches a path."""

import hashlib
import os
from pathlib import Path
from typing import Final, Literal

Kind = Literal["thumbnail", "picture", "reference", "memory"]
_SUFFIXES: Final[dict[Kind, str]] = {
    "thumbnail": ".thumb.jpg",
    "picture": ".jpg",
    "reference": ".ref.jpg",
    "memory": ".bin",
}


class PictureFolder:
    """The folder the health process writes and the web process reads.

    Args:
        folder: Made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, camera_id: str, kind: Kind, light: str = "") -> Path:
        """Return where a camera's file of one kind is, whether it exists or not.

        Args:
            camera_id: Any text.
            kind: ``thumbnail`` (320 wide, every check), ``picture`` (up to 1280 wide: every suspicious check, and
                now and then), ``reference`` (what it is compared with in one light) or ``memory`` (ours alone).
            light: Of the reference.
        """
        name = hashlib.sha256(camera_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        infix = f".{light}" if kind == "reference" and light in ("day", "dusk", "night", "ir") else ""
        return self._folder / name[:2] / f"{name}{infix}{_SUFFIXES[kind]}"

    def write(self, path: Path, data: bytes) -> None:
        """Replace a file as a whole: a reader sees the old one or the new one.

        Raises:
            OSError: It cannot be written; the old one stays and nothing is left behind.
        """
        part = path.with_name(f"{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            os.replace(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def read(self, path: Path) -> bytes | None:
        """Return a file's content, or None when there is none."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def forget(self, camera_id: str) -> None:
        """Delete everything kept of a camera."""
        name = self.path(camera_id, "memory").stem
        for path in self.path(camera_id, "memory").parent.glob(f"{name}.*"):
            path.unlink(missing_ok=True)
