"""The rows of one layer as columns: what every reader makes and every check works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.intake.model import Encoding, Layer, Why

Shapes = NDArray[np.object_]
EXACT_TO: Final = 2**53
"""From here on a number kept as a decimal is no longer the one that was meant."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a file ends before its end: the first row that is missing or damaged, and how many are known to be."""

    rows: NDArray[np.int64]
    why: Why


@dataclass(slots=True)
class Rows:
    """One layer.

    Attributes:
        format: As in `Draft`.
        layers: All layers of the file.
        layer: The one that was read.
        columns: Name as the file writes it → values, as text, numbers, dates or lists of text.
        shapes: Shapely geometries in the file's own coordinates, None where a row has none; None for tables.
        numbers: Number of each row, from 1.
        encoding: Of the text.
        declared: Reference system the file states, as PROJ reads it, or None.
        row_offset: See `Draft`.
        unreadable: Rows that have a shape which is none.
        lossy: Columns where a spreadsheet kept fewer digits than were meant → rows.
        undecoded: Rows with text that is not in the encoding.
        cut: Rows lost to truncation.
        notes: Remarks on the file.
    """

    format: str
    layers: tuple[Layer, ...]
    layer: str
    columns: Mapping[str, pa.Array]
    shapes: Shapes | None
    numbers: NDArray[np.int64]
    encoding: Encoding
    declared: str | None = None
    row_offset: int = 0
    unreadable: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    lossy: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    undecoded: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    cut: Cut | None = None
    notes: list[Why] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers)

    def cut_at_end(self, why: Why) -> None:
        """Note that the file ends before its end: what follows the last row is lost."""
        self.cut = Cut(np.zeros(0, np.int64), why)


def as_text(column: pa.Array) -> NDArray[np.object_]:
    """Values of a column as stripped text, "" where there is none; whole decimals lose their ".0".

    >>> as_text(pa.array([340101.0, None, 2.5])).tolist()
    ['340101', '', '2.5']
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = ["、".join(str(part) for part in row or ()) for row in column.to_pylist()]
        return np.array(values, dtype=object)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        return np.full(len(column), "", dtype=object)
    if pa.types.is_floating(kind):
        return _numbers_as_text(column)
    text = column if pa.types.is_string(kind) else pc.cast(column, pa.string())
    filled = pc.fill_null(pc.utf8_trim_whitespace(text), "")
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=object)


def _numbers_as_text(column: pa.Array) -> NDArray[np.object_]:
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    known = np.isfinite(values)
    whole = known & (np.floor(values) == values) & (np.abs(values) < 2**63)
    text = np.full(len(values), "", dtype=object)
    text[whole] = values[whole].astype(np.int64).astype(str).astype(object)
    part = known & ~whole
    text[part] = [repr(value) for value in values[part].tolist()]
    return text


def long_numbers(column: pa.Array) -> NDArray[np.int64]:
    """Rows of a column of decimals whose whole number has more digits than a decimal keeps.

    >>> long_numbers(pa.array([34060400001320000001.0, 340604.0, None])).tolist()
    [0]
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not pa.types.is_floating(column.type):
        return np.zeros(0, np.int64)
    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.flatnonzero(np.abs(values) >= EXACT_TO)


def texts(values: list[str]) -> pa.Array:
    """A column of text."""
    return pa.array(values, type=pa.string())
