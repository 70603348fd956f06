"""Files with passwords in them, sealed for as long as they lie on the disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from command.store.secret_box import SecretBox
from gis.apart.messages import refuse

SUFFIX: Final = ".sealed"
MOST_BYTES: Final = 128 << 20
"""A file is sealed in one piece, in memory; fifty thousand cameras are a tenth of this."""


class SealedFiles:
    """The files of one import, each under its own name with `SUFFIX`.

    Args:
        box: Seals them.
        owner: Whose they are: in another's folder they do not open.
    """

    def __init__(self, box: SecretBox, owner: str) -> None:
        self._box = box
        self._owner = owner

    def take(self, path: Path) -> None:
        """Seal a file in the place of the plain one; one that was sealed before stays.

        Raises:
            Refused: It is too large.
        """
        if not path.exists() and sealed_path(path).exists():
            return
        if path.stat().st_size > MOST_BYTES:
            path.unlink()
            most = MOST_BYTES >> 20
            raise refuse("too_large", f"摄像头清单超过 {most} MB", f"is larger than {most} MiB")
        self.write(path, path.read_bytes())
        path.unlink()

    def write(self, path: Path, content: bytes) -> None:
        """Keep something as a file, whole or not at all; it is nowhere in plain."""
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(self._box.seal_bytes(content, f"{self._owner}/{path.name}"))
        os.replace(part, sealed_path(path))

    def read(self, path: Path) -> bytes:
        """Return what was kept under this name.

        Raises:
            Sealed: The key is another by now.
            FileNotFoundError: Nothing was.
        """
        return self._box.open_bytes(sealed_path(path).read_bytes(), f"{self._owner}/{path.name}")

    @contextmanager
    def opened(self, path: Path) -> Iterator[Path]:
        """Give a path under which a file can be read in plain, from memory, until the end of the block.

        Raises:
            Sealed: The key is another by now.
        """
        descriptor = os.memfd_create(path.name)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as stream:
                stream.write(self.read(path))
            yield Path(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)


def sealed_path(path: Path) -> Path:
    """Where a file is kept once it is sealed."""
    return path.with_name(path.name + SUFFIX)
