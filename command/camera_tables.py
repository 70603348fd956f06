"""Lists of cameras as offices keep them: CSV, XLSX and GeoJSON, told apart by their content, columns in any words.

Every row keeps the number it has in its file. Nothing is trusted: a workbook is unpacked only as far as a limit, no
formula is evaluated, no name in a file is opened.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import python_calamine

from gis.errors import BadFile
from gis.intake.fields import ADDRESSES, CAMERA_FIELDS
from gis.tables import decode_text

MOST_ROWS: Final = 50_000
MOST_COLUMNS: Final = 200
HEADER_WITHIN: Final = 10
MOST_UNPACKED_BYTES: Final = 64 << 20
MOST_PARTS: Final = 2_000
_BLOCK: Final = 1 << 20

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    name: others for name, others in CAMERA_FIELDS.items() if name not in ("lonlat", "wkt")
}
"""Canonical column → the other names it goes by, compared without case, spaces, dashes, underscores and units."""


_NETWORK_ADDRESS: Final = re.compile(r"[!-~]{2,}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number after the header (from 1, empty rows counted) and its cells by canonical column."""

    number: int
    cells: Mapping[str, str]
    lossy: frozenset[str] = frozenset()
    """Columns whose cell was a number with more digits than a spreadsheet keeps."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, and which of its columns were understood as what."""

    rows: Sequence[Row]
    columns: Mapping[str, str]
    """Header as written → canonical name; those not understood are left out."""


def read_table(content: bytes, name: str, encoding: str | None = None) -> Table:
    """Read a file.

    Args:
        content: All of it.
        name: What to call it in errors; says nothing about what it is.
        encoding: Of text; None guesses UTF-8, then GB 18030.

    Raises:
        BadFile: It is none of the three kinds, broken, too large when unpacked, or has no header.
    """
    if content.startswith(b"PK"):
        return _from_grid(_workbook(content, name), name)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile(name, "file", "旧版 Excel（.xls），请另存为 .xlsx 或 CSV")
    try:
        text = decode_text(content, encoding)
    except (UnicodeDecodeError, LookupError):
        raise BadFile(name, "file", "不是 UTF-8 或 GB 18030 文本") from None
    if "\0" in text:
        raise BadFile(name, "file", "不是文本文件")
    if text.lstrip().startswith("{"):
        return _geojson(text, name)
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        grid = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise BadFile(name, "file", str(error)) from None
    return _from_grid(grid, name)


def guess(headers: Iterable[str]) -> dict[str, str]:
    """Return which header means which column; the first that fits takes it, exact names before the others.

    >>> guess(["名称", "国标编号", "经度（°）", "备注"])
    {'名称': 'name', '国标编号': 'gb_id', '经度（°）': 'lon'}
    """
    names = [header for header in headers if header.strip()]
    meant = {name: _EXACT[_key(name)] for name in names if _key(name) in _EXACT}
    taken = set(meant.values())
    for name in names:
        other = _OTHERS.get(_key(name))
        if name not in meant and other is not None and other not in taken:
            meant[name] = other
            taken.add(other)
    return {name: meant[name] for name in names if name in meant}


def _key(name: str) -> str:
    return re.sub(r"[\s_\-*]+|[(（\[].*$", "", name.strip().lower())


_EXACT: Final = {_key(name): name for name in COLUMNS}
_OTHERS: Final = {_key(other): name for name, others in COLUMNS.items() for other in others}


def _from_grid(grid: Sequence[Sequence[Any]], name: str) -> Table:
    start = _header_at(grid)
    if start is None:
        raise BadFile(name, "header", "文件是空的")
    if len(grid) - start - 1 > MOST_ROWS:
        raise BadFile(name, "file", f"超过 {MOST_ROWS:,} 行，请分开导入")
    header = [_text(cell) for cell in grid[start]][:MOST_COLUMNS]
    columns = guess(header)
    if "host" not in columns.values():
        for n, written in enumerate(header):
            if _key(written) in ADDRESSES and _all_network_addresses(grid[start + 1 :], n):
                columns[written] = "host"
                break
    place = {canonical: header.index(written) for written, canonical in columns.items()}
    rows = []
    for number, cells in enumerate(grid[start + 1 :], start=1):
        if not any(_text(cell) for cell in cells):
            continue
        found = {c: cells[n] if n < len(cells) else "" for c, n in place.items()}
        lossy = frozenset(c for c, cell in found.items() if isinstance(cell, float) and abs(cell) >= 2**53)
        rows.append(Row(number, {c: _text(cell) for c, cell in found.items()}, lossy))
    return Table(rows, columns)


def _header_at(grid: Sequence[Sequence[Any]]) -> int | None:
    """Return the place of the header: offices like to put a title above it."""
    filled = [n for n, cells in enumerate(grid) if any(_text(cell) for cell in cells)][:HEADER_WITHIN]
    likely = (n for n in filled if len(guess(_text(cell) for cell in grid[n])) >= 2)
    return next(likely, filled[0] if filled else None)


def _all_network_addresses(grid: Sequence[Sequence[Any]], column: int) -> bool:
    cells = [_text(row[column]) for row in grid if column < len(row)]
    said = [cell for cell in cells if cell]
    return bool(said) and all(_NETWORK_ADDRESS.fullmatch(cell) for cell in said)


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _workbook(content: bytes, name: str) -> Sequence[Sequence[Any]]:
    _check_unpacked(content, name)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = next((book.get_sheet_by_name(n) for n in book.sheet_names), None)
        if sheet is None:
            raise BadFile(name, "file", "没有工作表")
        if sheet.total_height > MOST_ROWS + 1_000 or sheet.total_width > MOST_COLUMNS * 10:
            raise BadFile(name, "file", f"超过 {MOST_ROWS:,} 行，请分开导入")
        return sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise BadFile(name, "file", f"不是可读的 Excel 工作簿（{type(error).__name__}）") from None
    except BaseException as error:
        # What a bug in the reader, written in Rust, becomes; it is no `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise BadFile(name, "file", "工作簿已损坏") from None


def _check_unpacked(content: bytes, name: str) -> None:
    """Unpack a workbook without keeping it: sizes that an archive states of itself prove nothing."""
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise BadFile(name, "file", "工作簿的部件太多")
            for part in parts:
                with archive.open(part) as stream:
                    while block := stream.read(_BLOCK):
                        total += len(block)
                        if total > MOST_UNPACKED_BYTES:
                            raise BadFile(name, "file", "工作簿解压后太大")
    except BadFile:
        raise
    except Exception as error:  # each way to pack has errors of its own
        raise BadFile(name, "file", f"不是可读的 Excel 工作簿（{type(error).__name__}）") from None


def _geojson(text: str, name: str) -> Table:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFile(name, "file", "不是有效的 JSON") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise BadFile(name, "file", "不是 GeoJSON FeatureCollection")
    if len(features) > MOST_ROWS:
        raise BadFile(name, "file", f"超过 {MOST_ROWS:,} 个要素，请分开导入")
    properties = [_mapping(_mapping(feature).get("properties")) for feature in features]
    headers = list(dict.fromkeys(str(key) for row in properties for key in row))[:MOST_COLUMNS]
    # The place is the geometry's, whatever the properties say.
    columns = {k: c for k, c in guess(headers).items() if c not in ("lon", "lat")}
    rows = []
    for number, (feature, values) in enumerate(zip(features, properties, strict=True), start=1):
        cells = {canonical: _property(values.get(written)) for written, canonical in columns.items()}
        place = _point(_mapping(feature).get("geometry"))
        cells["lon"], cells["lat"] = place if place is not None else ("", "")
        rows.append(Row(number, cells))
    return Table(rows, columns)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _property(value: object) -> str:
    if isinstance(value, list):
        return "、".join(_text(item) for item in value)
    return "" if isinstance(value, dict) else _text(value)


def _point(geometry: object) -> tuple[str, str] | None:
    shape = _mapping(geometry)
    coordinates = shape.get("coordinates")
    if shape.get("type") != "Point" or not isinstance(coordinates, list) or len(coordinates) < 2:
        return None
    return _text(coordinates[0]), _text(coordinates[1])
