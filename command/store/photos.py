"""Photos as files in the data folder: whole and on disk before anybody hears of them, or not there at all."""

import errno
import os
from pathlib import Path
from typing import Final

from command.errors import StorageFull, Unavailable

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def keep_photo(path: Path, content: bytes) -> None:
    """Write a file durably; its folder is made if need be.

    Raises:
        StorageFull: The disk is full; nothing is left of it.
        Unavailable: The disk failed; nothing is left of it.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in FULL:
            raise StorageFull from None
        raise Unavailable(f"The photo could not be stored: {error.strerror}") from error
