"""Fields of areas that are no plain text: numbers, days, words from a list. What cannot be read is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.area_files import COLUMNS
from gis.intake.table import Sheet
from gis.tables import split_list

GRID_KINDS: Final = {
    "general": "general",
    "综合": "general",
    "综合网格": "general",
    "dedicated": "dedicated",
    "专属": "dedicated",
    "专属网格": "dedicated",
    "专门网格": "dedicated",
}
_DAY: Final = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:日|[T ].*)?")
_WORDS: Final = {
    "households": "户数",
    "posts": "岗位数",
    "valid_from": "有效期起",
    "valid_to": "有效期止",
}


def day(text: str) -> str:
    """A day as it is kept. Raises ValueError.

    >>> day("2025年7月1日"), day("20250701"), day("2025/7/1 00:00:00")
    ('2025-07-01', '2025-07-01', '2025-07-01')
    """
    parts = _DAY.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    return date(*map(int, parts.groups())).isoformat()


def count(text: str) -> int:
    """A whole number that is not negative. Raises ValueError."""
    number = float(text)
    if number < 0 or number != int(number) or number > 1e9:
        raise ValueError(text)
    return int(number)


_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "households": count,
    "posts": count,
    "valid_from": day,
    "valid_to": day,
    "kind": lambda text: GRID_KINDS.get(text.lower(), "general"),
    "workers": lambda text: "、".join(split_list(text)),
}


def check_values(sheet: Sheet) -> None:
    """Read what is not plain text, put it into the form it is kept in, and report what cannot be read."""
    for name, read in _READ.items():
        texts = sheet.fields.get(name)
        if texts is None:
            continue
        known: dict[str, str] = {"": ""}
        for text in set(texts.tolist()) - {""}:
            try:
                known[text] = str(read(text))
            except ValueError:
                known[text] = ""
                word = _WORDS.get(name, name)
                sheet.issues.add_rows(
                    np.flatnonzero(texts == text),
                    "warning",
                    "bad_value",
                    f"{word} {text[:40]!r} 无法识别，将留空",
                    f"{name} {text[:40]!r} cannot be read and would be left empty",
                )
        sheet.fields[name] = np.array([known[text] for text in texts.tolist()], dtype=object)
    start, end = sheet.text("valid_from"), sheet.text("valid_to")
    sheet.issues.add_rows(
        np.flatnonzero((start != "") & (end != "") & (end < start)),
        "error",
        "bad_value",
        "有效期止早于有效期起",
        "it ends before it begins",
    )


def area_columns(sheet: Sheet, rows: NDArray[np.int64], crs: str) -> dict[str, NDArray[Any]]:
    """The columns of the district's own file for some rows."""
    assert sheet.tiers is not None
    columns: dict[str, NDArray[Any]] = {}
    for name, kind in COLUMNS.items():
        if name == "tier":
            columns[name] = sheet.tiers.tier[rows]
        elif name == "label":
            columns[name] = sheet.tiers.label[rows]
        elif name == "extra":
            columns[name] = np.full(len(rows), None) if sheet.extra is None else sheet.extra[rows]
        elif name == "source_crs":
            columns[name] = np.full(len(rows), crs, dtype=object)
        elif kind is int or kind == int | None:
            empty = 1.0 if kind is int else np.nan
            texts = sheet.text(name)[rows].tolist()
            numbers = np.array([float(text) if text else empty for text in texts], dtype=np.float64)
            columns[name] = numbers.astype(np.int32) if kind is int else numbers
        else:
            texts_ = sheet.text(name)[rows].copy()
            if name == "kind":
                texts_[texts_ == ""] = "general"
            texts_[texts_ == ""] = None
            columns[name] = texts_
    return columns
