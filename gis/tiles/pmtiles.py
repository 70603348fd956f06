"""Reading a PMTiles archive (version 3): one file with a directory of tiles along a Hilbert curve.

The archive comes from outside: every length and place is checked against the file before it is used, and what is
unpacked has a limit.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gis.errors import BadFile

Content = Literal["vector", "png", "jpeg", "webp"]
_CONTENTS: Final[dict[int, Content]] = {1: "vector", 2: "png", 3: "jpeg", 4: "webp"}
_NONE, _GZIP = 1, 2
_HEADER: Final = struct.Struct("<7sB 11Q ?BBBBB iiii B ii")
_MOST_DIRECTORY: Final = 16 << 20
_MOST_TILE: Final = 4 << 20
_MOST_DEPTH: Final = 4
_LEAVES_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Header:
    """What the archive says of itself.

    Attributes:
        content: What a tile is.
        packed: Whether tiles are gzipped.
        min_zoom: Lowest zoom with tiles.
        max_zoom: Highest zoom with tiles.
        bounds: West, south, east and north in degrees, in the archive's own datum.
    """

    content: Content
    packed: bool
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Directory:
    ids: list[int]
    runs: list[int]
    lengths: list[int]
    places: list[int]


class PmTiles:
    """An open archive; may be read by several threads.

    Args:
        path: The file.

    Raises:
        BadFile: It is none, is cut short, or is packed in a way that cannot be read.

    Attributes:
        header: What it says of itself.
        size: In bytes.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._lock = threading.Lock()
        self._leaves: OrderedDict[int, _Directory] = OrderedDict()
        try:
            self._file: int | None = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise BadFile(self._path, "file", error.strerror or str(error)) from error
        try:
            self._read_header()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; every later tile is refused."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    @property
    def metadata(self) -> dict[str, Any]:
        """The archive's description, `vector_layers` among it; empty where it has none."""
        try:
            found = json.loads(self._unpacked(self._metadata_at, self._metadata_size) or b"{}")
        except ValueError as error:
            raise BadFile(self._path, "metadata", "is no JSON") from error
        return found if isinstance(found, dict) else {}

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers of a vector archive, as far as it says so."""
        rows = self.metadata.get("vector_layers")
        rows = rows if isinstance(rows, list) else []
        names = (row.get("id") for row in rows if isinstance(row, dict))
        return tuple(name for name in names if isinstance(name, str))

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile as it is stored, or None where the archive has none.

        Raises:
            BadFile: The archive is damaged here, or closed.
        """
        wanted = tile_id(z, x, y)
        directory = self._root
        for _ in range(_MOST_DEPTH):
            at = _find(directory.ids, wanted)
            if at < 0:
                return None
            if directory.runs[at] == 0:
                directory = self._leaf(directory.places[at], directory.lengths[at])
                continue
            if wanted >= directory.ids[at] + directory.runs[at]:
                return None
            length = directory.lengths[at]
            if length > _MOST_TILE or directory.places[at] + length > self._tiles_size:
                raise BadFile(self._path, f"tile {z}/{x}/{y}", "lies outside the file")
            return self._bytes(self._tiles_at + directory.places[at], length)
        raise BadFile(self._path, "directory", "is nested too deep")

    def some_tile(self) -> bytes | None:
        """Return the first tile there is, to see whether the archive can be read at all."""
        directory = self._root
        for _ in range(_MOST_DEPTH):
            if not directory.ids:
                return None
            if directory.runs[0]:
                return self._bytes(self._tiles_at + directory.places[0], directory.lengths[0])
            directory = self._leaf(directory.places[0], directory.lengths[0])
        return None

    # -- parts of the file ----------------------------------------------------------------------------------

    def _read_header(self) -> None:
        raw = self._bytes(0, _HEADER.size)
        fields = _HEADER.unpack(raw)
        if fields[0] != b"PMTiles" or fields[1] != 3:
            raise BadFile(self._path, "header", "is not a PMTiles archive of version 3")
        (
            root_at, root_size, self._metadata_at, self._metadata_size,
            self._leaves_at, self._leaves_size, self._tiles_at, self._tiles_size,
        ) = fields[2:10]  # fmt: skip
        _, inner, outer, kind, low, high = fields[13:19]
        west, south, east, north = (value / 1e7 for value in fields[19:23])
        size = self.size = os.fstat(self._open()).st_size
        for part, at, length in (
            ("root directory", root_at, root_size),
            ("metadata", self._metadata_at, self._metadata_size),
            ("directories", self._leaves_at, self._leaves_size),
            ("tiles", self._tiles_at, self._tiles_size),
        ):
            if at + length > size:
                raise BadFile(self._path, part, f"ends {at + length - size} bytes behind the end: cut short")
        if kind not in _CONTENTS:
            raise BadFile(self._path, "header", f"holds tiles of a kind that cannot be shown ({kind})")
        if inner not in (_NONE, _GZIP) or outer not in (0, _NONE, _GZIP):
            raise BadFile(
                self._path, "header", "is packed with something other than gzip; make it anew with gzip"
            )
        if low > high or high > 24:
            raise BadFile(self._path, "header", f"names zooms {low} to {high}")
        self._inner = inner
        self.header = Header(_CONTENTS[kind], outer == _GZIP, low, high, (west, south, east, north))
        self._root = self._directory(root_at, root_size)

    def _leaf(self, at: int, length: int) -> _Directory:
        with self._lock:
            found = self._leaves.get(at)
            if found is not None:
                self._leaves.move_to_end(at)
                return found
        if at + length > self._leaves_size:
            raise BadFile(self._path, "directory", "lies outside the file")
        leaf = self._directory(self._leaves_at + at, length)
        with self._lock:
            self._leaves[at] = leaf
            while len(self._leaves) > _LEAVES_KEPT:
                self._leaves.popitem(last=False)
        return leaf

    def _directory(self, at: int, length: int) -> _Directory:
        try:
            return _read_directory(self._unpacked(at, length))
        except (IndexError, ValueError) as error:
            raise BadFile(self._path, "directory", "is damaged") from error

    def _unpacked(self, at: int, length: int) -> bytes:
        if length > _MOST_DIRECTORY:
            raise BadFile(self._path, "directory", "is too large")
        packed = self._bytes(at, length)
        if self._inner == _NONE or not packed:
            return packed
        return unpack(packed, _MOST_DIRECTORY, self._path)

    def _bytes(self, at: int, length: int) -> bytes:
        with self._lock:
            content = os.pread(self._open(), length, at)
        if len(content) != length:
            raise BadFile(self._path, "file", "is cut short")
        return content

    def _open(self) -> int:
        if self._file is None:
            raise BadFile(self._path, "file", "is closed")
        return self._file


def unpack(packed: bytes, limit: int, name: str) -> bytes:
    """Return the content of a gzipped piece.

    Raises:
        BadFile: It is damaged, or larger than the limit in bytes.
    """
    try:
        reader = zlib.decompressobj(wbits=31)
        content = reader.decompress(packed, limit)
    except zlib.error as error:
        raise BadFile(name, "gzip", "is damaged") from error
    if not reader.eof:
        raise BadFile(name, "gzip", "is cut short" if not reader.unconsumed_tail else "is too large")
    return content


def tile_id(z: int, x: int, y: int) -> int:
    """Return a tile's number: all lower zooms first, then along the Hilbert curve.

    >>> tile_id(0, 0, 0), tile_id(1, 0, 0), tile_id(1, 1, 0), tile_id(12, 3423, 1763)
    (0, 1, 4, 19078479)
    """
    number = ((1 << (2 * z)) - 1) // 3
    side = (1 << z) >> 1
    while side > 0:
        right, down = int(x & side > 0), int(y & side > 0)
        number += side * side * ((3 * right) ^ down)
        if down == 0:
            if right == 1:
                x, y = side - 1 - (x & (side - 1)), side - 1 - (y & (side - 1))
            x, y = y, x
        side >>= 1
    return number


def _find(ids: list[int], wanted: int) -> int:
    """Return where the last id not above the wanted one stands; -1 where all are."""
    low, high = 0, len(ids)
    while low < high:
        middle = (low + high) // 2
        if ids[middle] <= wanted:
            low = middle + 1
        else:
            high = middle
    return low - 1


def _read_directory(content: bytes) -> _Directory:
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without an end")

    count = number()
    if count > len(content):
        raise ValueError("more entries than bytes")
    ids: list[int] = []
    last = 0
    for _ in range(count):
        last += number()
        ids.append(last)
    runs = [number() for _ in range(count)]
    lengths = [number() for _ in range(count)]
    places: list[int] = []
    for index in range(count):
        value = number()
        if value == 0 and index == 0:
            raise ValueError("the first entry lies behind nothing")
        places.append(places[-1] + lengths[index - 1] if value == 0 else value - 1)
    return _Directory(ids, runs, lengths, places)
