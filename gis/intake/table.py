"""The rows of a file with their fields in the product's words: what is checked, chosen from and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.intake.issues import RANK, Issues
from gis.intake.model import Choices
from gis.intake.picking import among
from gis.intake.rows import Shapes, as_text
from gis.intake.tiers import Tiers


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that has a shape of its own, for the preview: "overlap", "gap" or "hole", WGS-84 degrees."""

    kind: str
    shape: BaseGeometry
    area_m2: float
    zh: str
    en: str


@dataclass(slots=True)
class Sheet:
    """One file's rows.

    Attributes:
        fields: Canonical field → text of each row, "" where empty.
        numbers: Row numbers as the file counts them.
        shapes: WGS-84 geometry of each row or None; None for files without any.
        original: Shapes as they were before a repair changed them, by row.
        tiers: For areas.
        extra: What is kept of columns that mean no field, see `keeping.keep`; None where nothing is.
        issues: What is wrong.
        faults: Those of the issues that have a shape.
    """

    fields: dict[str, NDArray[np.object_]]
    numbers: NDArray[np.int64]
    shapes: Shapes | None
    issues: Issues
    tiers: Tiers | None = None
    extra: NDArray[np.object_] | None = None
    original: dict[int, BaseGeometry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers)

    def text(self, name: str) -> NDArray[np.object_]:
        """Text of a field; empty for one the file does not have."""
        found = self.fields.get(name)
        return found if found is not None else np.full(len(self), "", dtype=object)

    def known(self) -> NDArray[np.int64]:
        """Rows that have a shape."""
        if self.shapes is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero(~shapely.is_missing(self.shapes))

    def kept(self, choices: Choices) -> NDArray[np.int64]:
        """Rows the result takes."""
        worst = self.issues.worst
        if choices.rows == "good":
            keep = worst < RANK["warning"]
        elif choices.rows == "warned" or choices.rows == "all":
            keep = worst < RANK["error"]
        else:
            keep = (worst < RANK["error"]) & among(self.numbers, choices.rows)
        return np.flatnonzero(keep)

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A point of each row, nan without one."""
        if self.shapes is None:
            nothing: NDArray[np.float64] = np.full(len(self), np.nan)
            return nothing, nothing
        middle = shapely.centroid(self.shapes)
        return shapely.get_x(middle), shapely.get_y(middle)


def canonical(columns: Mapping[str, pa.Array], mapping: Mapping[str, str]) -> dict[str, NDArray[np.object_]]:
    """Columns that mean a field, as text under the field's name."""
    return {mapping[name]: as_text(column) for name, column in columns.items() if mapping.get(name)}
