"""Shapefiles: the shapes by the library, the table and the bounds of both by ourselves.

The library answers a file that is cut short with rows without shapes and says nothing; and it wants to be told the
encoding before anyone has seen the text. A dBASE table is records of fixed width, so it is read here instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gis.apart.messages import refuse
from gis.intake import encodings
from gis.intake.model import Encoding, Why
from gis.intake.rows import Cut

_HEADER: Final = 32
_DELETED: Final = 0x2A
MOST_FIELDS: Final = 512


class Table:
    """A dBASE table.

    Args:
        path: The `.dbf`.
        wanted: Encoding a person named, or None.
        cpg: The `.cpg` beside it, or None.

    Raises:
        Refused: It is no such table.
    """

    def __init__(self, path: Path, wanted: str | None, cpg: Path | None) -> None:
        raw = path.read_bytes()
        if len(raw) < _HEADER + 1:
            raise refuse("broken_file", ".dbf 文件头不完整", "its .dbf ends inside the header", ".dbf")
        self.stated = int.from_bytes(raw[4:8], "little")
        header, width = int.from_bytes(raw[8:10], "little"), int.from_bytes(raw[10:12], "little")
        fields = _fields(raw, header)
        if width < 1 or header > len(raw) or 1 + sum(size for _, _, size in fields) > width:
            raise refuse(
                "broken_file", ".dbf 文件头不对", "its .dbf has a header that contradicts itself", ".dbf"
            )
        whole = min(self.stated, (len(raw) - header) // width)
        grid = np.frombuffer(raw, np.uint8, whole * width, header).reshape(whole, width)
        self.rows = whole
        self.deleted: NDArray[np.bool_] = grid[:, 0] == _DELETED
        cells: list[tuple[bytes, str, NDArray[np.bytes_]]] = []
        at = 1
        for raw_name, kind, size in fields:
            block = np.ascontiguousarray(grid[:, at : at + size])
            cells.append((raw_name, kind, block.view(f"S{size}").reshape(whole)))
            at += size
        told = [raw_name for raw_name, _, _ in cells]
        told += [_ends(cell) for _, kind, column in cells if kind == "C" for cell in column.tolist()]
        declared = cpg.read_bytes()[:40].decode("ascii", "replace").strip() if cpg is not None else None
        self.encoding: Encoding = encodings.choose(b"\n".join(told), wanted, declared or None)
        self._read_in = self.encoding.used.split(">")[0]
        self.undecoded: set[int] = set()
        columns: dict[str, pa.Array] = {}
        for raw_name, kind, column in cells:
            name = self._decode(raw_name) or f"field{len(columns) + 1}"
            while name in columns:
                name += "_"
            columns[name] = self._column(kind, column)
        self.columns: Mapping[str, pa.Array] = columns
        self.cut_short = self.stated - whole

    def _column(self, kind: str, block: NDArray[np.bytes_]) -> pa.Array:
        if kind in "NF":
            text = np.char.strip(block, b" *\0")
            try:
                values = np.where(text == b"", b"nan", text).astype(np.float64)
            except ValueError:
                return pa.array([cell.decode("ascii", "replace") for cell in text.tolist()], type=pa.string())
            # Long codes kept as numbers have more digits than a float: leave them as the text they are.
            if np.any(np.char.str_len(text) > 15):
                return pa.array([cell.decode("ascii", "replace") for cell in text.tolist()], type=pa.string())
            return pa.array(values, from_pandas=True)
        if kind == "C":
            decoded = []
            for row, cell in enumerate(block.tolist()):
                text_of = cell.decode("ascii") if cell.isascii() else self._decode(cell, row)
                decoded.append(text_of)
            return pa.array(decoded, type=pa.string())
        return pa.array(
            [cell.decode("ascii", "replace").strip() for cell in block.tolist()], type=pa.string()
        )

    def _decode(self, cell: bytes, row: int | None = None) -> str:
        cell = _ends(cell)
        try:
            return cell.decode(self._read_in)
        except UnicodeDecodeError as error:
            # The field was too narrow and ends within a character.
            if error.start >= len(cell) - 3:
                return cell[: error.start].decode(self._read_in)
            if row is not None:
                self.undecoded.add(row)
            return cell.decode(self._read_in, "replace")


def _ends(cell: bytes) -> bytes:
    return cell.split(b"\0", 1)[0].strip(b" ")


def _fields(raw: bytes, header: int) -> list[tuple[bytes, str, int]]:
    """(name, kind, width) of each field."""
    fields: list[tuple[bytes, str, int]] = []
    at = _HEADER
    while at + 32 <= min(header, len(raw)) and raw[at] != 0x0D:
        name = raw[at : at + 11].split(b"\0", 1)[0]
        kind, size = chr(raw[at + 11]), raw[at + 16]
        if kind == "C":
            size += raw[at + 17] << 8
        if size == 0 or len(fields) >= MOST_FIELDS:
            raise refuse("broken_file", ".dbf 字段定义不对", "its .dbf has a field without width", ".dbf")
        fields.append((name, kind, size))
        at += 32
    return fields


def bounds_of_records(shp: Path, shx: Path) -> tuple[int, NDArray[np.int64], Why | None]:
    """Look for records that lie beyond the end of a `.shp`.

    Args:
        shp: The shapes.
        shx: Their index; written anew where it is not there.

    Returns:
        How many records the index has, those that are cut off, and a sentence if the file is short.
    """
    size = shp.stat().st_size
    with shp.open("rb") as stream:
        head = stream.read(100)
    stated = int.from_bytes(head[24:28], "big") * 2
    short = None
    if size < 100 or stated > size:
        short = Why(
            f".shp 应有 {stated:,} 字节，只有 {size:,} 字节：文件被截断",
            f"its .shp should have {stated:,} bytes and has {size:,}: it is cut short",
        )
    if not shx.exists():
        _write_index(shp, head, shx)
    raw = shx.read_bytes()[100:]
    index = np.frombuffer(raw[: len(raw) // 8 * 8], dtype=">i4").reshape(-1, 2).astype(np.int64) * 2
    beyond = np.flatnonzero(index[:, 0] + 8 + index[:, 1] > size)
    return len(index), beyond, short


def _write_index(shp: Path, head: bytes, shx: Path) -> None:
    """Follow the records from one to the next; one that is cut off is the last."""
    raw = shp.read_bytes()
    entries = bytearray()
    at = 100
    while at + 8 <= len(raw):
        words = int.from_bytes(raw[at + 4 : at + 8], "big")
        entries += (at // 2).to_bytes(4, "big") + raw[at + 4 : at + 8]
        at += 8 + 2 * words
    length = (100 + len(entries)) // 2
    shx.write_bytes(head[:24] + length.to_bytes(4, "big") + head[28:] + entries)


def cut(count: int, stated: int, beyond: NDArray[np.int64], short: Why | None) -> Cut | None:
    """Put together what is missing: records beyond the end, and rows that only one of the two files has."""
    missing = beyond
    why = short
    if why is None and len(beyond):
        why = Why(
            f".shp 末尾缺 {len(beyond)} 个图形：文件被截断",
            f"{len(beyond)} shapes lie beyond the end of its .shp",
        )
    if stated != count and why is None:
        why = Why(
            f".dbf 有 {stated} 行，.shp 有 {count} 个图形，数目不一致",
            f"its .dbf has {stated} rows and its .shp {count} shapes",
        )
    return None if why is None else Cut(missing, why)
