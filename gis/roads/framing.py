"""Whether a PBF file is whole: its blocks follow one another to the very end.

The reading library takes some cuts for the end of the file and says nothing, so we look ourselves. It costs a seek
for each block.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

MAX_HEADER_BYTES: Final = 64 << 10
MAX_BLOB_BYTES: Final = 32 << 20


def why_broken(path: Path | str) -> str | None:
    """What is wrong with the blocks of a PBF file, or None; a file cut between two blocks looks whole.

    Raises:
        OSError: It cannot be read.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, 2)
        at, blocks = 0, 0
        while at < size:
            file.seek(at)
            data_bytes = _data_bytes(file)
            if data_bytes is None:
                return f"block {blocks + 1} at byte {at} is cut off or no block"
            at = file.tell() + data_bytes
            if at > size:
                return f"block {blocks + 1} lacks its last {at - size} bytes"
            blocks += 1
    return None if blocks > 1 else "it holds a header and nothing else"


def _data_bytes(file: BinaryIO) -> int | None:
    """Read a block's header and return how many bytes of data follow it; None when it is no header."""
    length = int.from_bytes(raw := file.read(4), "big")
    if len(raw) < 4 or not 0 < length <= MAX_HEADER_BYTES:
        return None
    header = file.read(length)
    if len(header) < length:
        return None
    at, found = 0, None
    while at < length:
        key = header[at]
        number = _varint(header, at + 1)
        if number is None:
            return None
        value, at = number
        if key == 0x18:  # field 3, a number: the size of the data
            found = value
        elif key in (0x0A, 0x12):  # fields 1 and 2, bytes: the kind of block, an index
            at += value
        else:
            return None
    return found if found is not None and found <= MAX_BLOB_BYTES and at == length else None


def _varint(data: bytes, at: int) -> tuple[int, int] | None:
    """A number of seven bits a byte, and where the next thing begins."""
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7
    return None
