"""CSV and XLSX as columns. No formula is evaluated and no name in a file is opened."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import python_calamine
from numpy.typing import NDArray

from gis.apart.messages import refuse
from gis.intake import encodings
from gis.intake.model import Choices, Encoding, Layer, Why
from gis.intake.rows import EXACT_TO, Rows

MOST_ROWS: Final = 500_000
MOST_COLUMNS: Final = 500
MOST_CELLS: Final = 20_000_000
HEADER_WITHIN: Final = 10
Grid = Sequence[Sequence[Any]]


def read_csv(path: Path, name: str, choices: Choices) -> Rows:
    """Read separated text: comma, semicolon, tab or bar; a title above the header is skipped."""
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text, encoding = raw.decode("utf-16", "replace"), Encoding("utf-16", False)
    else:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
        encoding = encodings.choose(raw, choices.encoding)
        text = raw.decode(encoding.used.split(">")[0], "replace")
    if "\0" in text:
        raise refuse("unknown_format", "不是文本文件", "is not a text file")
    first = "\n".join(text.split("\n", HEADER_WITHIN)[:HEADER_WITHIN])
    delimiter = max(",;\t|", key=first.count)
    previous = csv.field_size_limit(16 << 20)  # shapes as text are long
    try:
        grid = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise refuse("broken_file", f"CSV 无法解析（{error}）", f"is no table ({error})") from error
    finally:
        csv.field_size_limit(previous)
    holes = np.array(
        [n for n, cells in enumerate(grid) if any("\ufffd" in cell for cell in cells)], dtype=np.int64
    )
    rows = _rows(grid, "csv", Layer(name, None), (), encoding)
    rows.undecoded = np.flatnonzero(np.isin(rows.numbers + rows.row_offset - 1, holes))
    return rows


def read_xlsx(path: Path, choices: Choices) -> Rows:
    """Read one sheet of a workbook: the chosen one, or the one with the most cells."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        layers = tuple(Layer(sheet.name, max(0, sheet.total_height - 1)) for sheet in sheets)
        if not sheets:
            raise refuse("no_layer", "没有工作表", "has no sheet")
        chosen = max(sheets, key=lambda sheet: sheet.total_height * sheet.total_width)
        if choices.layer is not None:
            named = [sheet for sheet in sheets if sheet.name == choices.layer]
            if not named:
                there = "、".join(layer.name for layer in layers)
                raise refuse(
                    "no_layer",
                    f"没有工作表 {choices.layer}，只有：{there}",
                    f"has no sheet {choices.layer!r}",
                )
            chosen = named[0]
        if chosen.total_height * chosen.total_width > MOST_CELLS or chosen.total_height > MOST_ROWS + 1000:
            raise refuse("too_many_rows", f"工作表超过 {MOST_ROWS:,} 行", f"has more than {MOST_ROWS:,} rows")
        grid = chosen.to_python(skip_empty_area=False)
        name = chosen.name
    except (python_calamine.CalamineError, OSError, ValueError, KeyError) as error:
        what = type(error).__name__
        raise refuse(
            "broken_file", f"不是可读的 Excel 工作簿（{what}）", f"is no readable workbook ({what})"
        ) from error
    except BaseException as error:
        # What a bug in the reader, written in Rust, becomes; it is no `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise refuse("broken_file", "工作簿已损坏", "is a damaged workbook") from error
    return _rows(grid, "xlsx", Layer(name, None), layers, Encoding("utf-8", False))


def _rows(grid: Grid, kind: str, layer: Layer, layers: tuple[Layer, ...], encoding: Encoding) -> Rows:
    start = _header_at(grid)
    if start is None:
        raise refuse("no_rows", "表格是空的", "is an empty table", f"sheet {layer.name}")
    header = [_cell(value) for value in grid[start]][:MOST_COLUMNS]
    width = max((n + 1 for n, name in enumerate(header) if name), default=0)
    names: list[str] = []
    for n, name in enumerate(header[:width]):
        unique = name or f"列{n + 1}"
        while unique in names:
            unique += "_"
        names.append(unique)
    numbers: list[int] = []
    cells: list[list[str]] = [[] for _ in names]
    lossy: dict[str, list[int]] = {}
    ragged = 0
    for number, row in enumerate(grid[start + 1 :], start=1):
        values = [_cell(value) for value in row]
        if not any(values):
            continue
        ragged += any(values[width:])
        for n, name in enumerate(names):
            cells[n].append(values[n] if n < len(values) else "")
            if n < len(row) and isinstance(row[n], float) and abs(row[n]) >= EXACT_TO:
                lossy.setdefault(name, []).append(len(numbers))
        numbers.append(number)
    notes = []
    if ragged:
        notes.append(
            Why(
                f"{ragged} 行的单元格多于表头，多出的未读",
                f"{ragged} rows have more cells than the header; those were left out",
            )
        )
    read = Layer(layer.name, len(numbers))
    return Rows(
        format=kind,
        layers=layers or (read,),
        layer=layer.name,
        columns={name: pa.array(column, type=pa.string()) for name, column in zip(names, cells, strict=True)},
        shapes=None,
        numbers=np.array(numbers, dtype=np.int64),
        encoding=encoding,
        row_offset=start + 1,
        lossy={name: np.array(rows, dtype=np.int64) for name, rows in lossy.items()},
        notes=notes,
    )


def _header_at(grid: Grid) -> int | None:
    """Return the place of the header: offices like to put a title, a unit and a date above it."""
    filled = [n for n, cells in enumerate(grid[: HEADER_WITHIN * 3]) if any(_cell(cell) for cell in cells)][
        :HEADER_WITHIN
    ]
    if not filled:
        return None
    count = {n: sum(bool(_cell(cell)) for cell in grid[n]) for n in filled}
    wide = max(1.0, 0.6 * max(count.values()))
    # The first row about as wide as the table that is more than numbers.
    likely = (n for n in filled if count[n] >= wide and not _all_numbers(grid[n]))
    return next(likely, filled[0])


def _all_numbers(cells: Sequence[Any]) -> bool:
    said = [text for text in map(_cell, cells) if text]
    return bool(said) and all(re.fullmatch(r"[-+\d.eE:/ ]+", text) for text in said)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def numbers_of(texts: NDArray[np.object_]) -> NDArray[np.float64]:
    """Cells as numbers: decimal, or degrees, minutes and seconds; nan where they are neither.

    >>> numbers_of(np.array(["117.5", "117°30′0″", "东经117.5°", "x", ""], dtype=object)).tolist()
    [117.5, 117.5, 117.5, nan, nan]
    """
    found = np.full(len(texts), np.nan)
    for n, text in enumerate(texts.tolist()):
        if not text:
            continue
        try:
            found[n] = float(text)
        except ValueError:
            parts = _DEGREES.fullmatch(text.strip())
            if parts is not None:
                degrees, minutes, seconds = (float(part) if part else 0.0 for part in parts.group(1, 2, 3))
                found[n] = degrees + minutes / 60.0 + seconds / 3600.0
    return found


_DEGREES: Final = re.compile(
    r"[东北EN]?[经纬]?\s*(\d{1,3}(?:\.\d+)?)\s*[°度º]\s*(?:(\d{1,2}(?:\.\d+)?)\s*[′'分’]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:[″\"秒”]|''|′′)?\s*)?[EN]?"
)
