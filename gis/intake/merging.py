"""What stays of what is in force when a file is merged: everything it does not name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake.inforce import InForce
from gis.intake.rows import Shapes, as_text

KEYS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "places": (("code",), ("name", "address")),
    "checkpoints": (("code",), ("name",)),
    "departments": (("code",),),
    "rules": (("category", "grids", "division", "department"),),
}
"""What makes a row of a table the same as before: the first of these that it has."""


def areas(
    columns: Mapping[str, NDArray[Any]], shapes: Shapes, force: InForce
) -> tuple[dict[str, NDArray[Any]], Shapes]:
    """Add the areas in force whose codes are not among the new ones."""
    if force.table is None:
        return dict(columns), shapes
    keep = np.flatnonzero(~np.isin(force.codes.astype(str), columns["code"].astype(str)))
    merged = {}
    for name, column in columns.items():
        if name not in force.table.column_names:
            old = np.full(
                len(keep), None if column.dtype == object else (1 if column.dtype == np.int32 else np.nan)
            )
        elif column.dtype == object:
            texts = as_text(force.table.column(name))[keep]
            old = np.where(texts == "", np.array(None, dtype=object), texts)
        else:
            old = np.asarray(force.table.column(name).to_numpy(), dtype=np.float64)[keep]
        merged[name] = np.concatenate((column, old.astype(column.dtype)))
    return merged, np.concatenate((shapes, force.shapes[keep]))


def features(current: bytes | None, codes: Sequence[str]) -> tuple[list[dict[str, Any]], Shapes]:
    """Properties and shapes of the features in force whose codes are not among the new ones."""
    if current is None:
        return [], np.zeros(0, dtype=object)
    document = json.loads(current)
    kept = [one for one in document["features"] if str(one["properties"].get("code")) not in set(codes)]
    shapes = np.empty(len(kept), dtype=object)
    shapes[:] = [shapely.geometry.shape(one["geometry"]) for one in kept]
    return [one["properties"] for one in kept], shapes


def rows(
    kind: str, current: bytes | None, columns: Mapping[str, Sequence[object]]
) -> dict[str, list[object]]:
    """Columns with the rows in force added that the new ones do not stand for."""
    merged = {name: list(values) for name, values in columns.items()}
    keys = KEYS.get(kind)
    if keys is None or current is None:
        return merged
    new = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    said = {_key(row, keys) for row in new}
    table = csv.DictReader(io.StringIO(current.decode("utf-8-sig"), newline=""))
    old = [row for row in table if _key(row, keys) not in said]
    names = [name for name in (old[0] if old else ()) if name not in merged and name != "row"]
    for name in names:
        merged[name] = [""] * len(new)
    for name, column in merged.items():
        column.extend(row.get(name) or "" for row in old)
    return merged


def _key(row: Mapping[str, Any], keys: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    for names in keys:
        values = tuple(str(row.get(name) or "") for name in names)
        if any(values):
            return (names[0], *values)
    return ()
