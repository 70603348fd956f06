"""The district's own file of areas: written and read column by column, without suspicion and without delay.

Files from outside go through `gis.intake`; what it makes is such a file. Columns are those of `Area`, so a field
that is added there is a column here, and a file from before it simply lacks the column.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path
from typing import Any, Final, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis.areas import Area, AreaIndex
from gis.crs import WGS84
from gis.errors import BadFile
from gis.tables import split_list

LAYER: Final = "areas"
COLUMNS: Final[Mapping[str, Any]] = {
    field.name: get_type_hints(Area)[field.name] for field in fields(Area) if field.name != "geometry"
}
"""Every field of `Area` but the geometry, and its type."""
_DEFAULTS: Final = {field.name: field.default for field in fields(Area)}
_AT_ONCE: Final = 4_000
Shapes = NDArray[np.object_]


def load_areas(path: Path) -> list[Area]:
    """Read areas from a GeoPackage of ours, all their versions, in the order of the file.

    Raises:
        BadFile: It is damaged, or not such a file.
    """
    return _load(path)


def _load(path: Path, where: str | None = None) -> list[Area]:
    # Imported here because loading the library takes a quarter of a second that no other path needs.
    import pyogrio

    try:
        meta, table = pyogrio.raw.read_arrow(str(path), where=where)
        shapes = single(_shapes(table.column(str(meta["geometry_name"] or "geom"))))
        columns = [
            shapes.tolist() if name == "geometry" else _values(table, name)
            for name in Area.__dataclass_fields__
        ]
        if any(not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) for shape in shapes.tolist()):
            raise ValueError("a row has no area")
        return list(map(Area, *columns))
    # What the library raises for a damaged file is a RuntimeError; a GEOSException is a ValueError.
    except (ValueError, RuntimeError, KeyError, TypeError, pa.ArrowException) as error:
        raise BadFile(str(path), "file", str(error)) from error


def load_versions(path: Path, code: str) -> list[Area]:
    """Read one area's versions, oldest first, without reading the others; none where the file is not there.

    Raises:
        BadFile: It is damaged, or not such a file.
    """
    if not path.exists():
        return []
    quoted = code.replace("'", "''")
    return sorted(_load(path, where=f"code = '{quoted}'"), key=lambda area: area.valid_from or date.min)


def write_areas(path: Path, areas: AreaIndex | Iterable[Area]) -> None:
    """Write areas, all their versions, by code, whole or not at all, as `load_areas` reads them."""
    given = areas.every if isinstance(areas, AreaIndex) else areas
    chosen = sorted(given, key=lambda area: (area.code, area.valid_from or date.min))
    shapes = np.empty(len(chosen), dtype=object)
    shapes[:] = [area.geometry for area in chosen]
    columns = {name: column_of(name, [getattr(area, name) for area in chosen]) for name in COLUMNS}
    write_gpkg(path, columns, shapes)


def write_gpkg(path: Path, columns: Mapping[str, NDArray[Any]], shapes: Shapes) -> None:
    """Write a GeoPackage of ours, whole or not at all.

    Args:
        path: To write to.
        columns: As `column_of` makes them.
        shapes: Polygons and multipolygons, WGS-84 degrees.
    """
    import pyogrio

    part = path.with_name(f".part-{path.name}")
    part.unlink(missing_ok=True)
    pyogrio.raw.write(
        str(part),
        geometry=shapely.to_wkb(shapes),
        field_data=list(columns.values()),
        fields=list(columns),
        layer=LAYER,
        driver="GPKG",
        geometry_type="MultiPolygon",
        promote_to_multi=True,
        crs=WGS84,
    )
    os.replace(part, path)


def column_of(name: str, values: Sequence[object]) -> NDArray[Any]:
    """One field's values as a column of the file.

    Args:
        name: Of a field of `Area`.
        values: As `Area` has them.

    Returns:
        Whole numbers as int32, or float64 with nan where they may be missing; lists joined by 、; days as text
        (2025-07-01); everything else text or None.
    """
    kind = COLUMNS[name]
    if kind is int:
        return np.array(values, dtype=np.int32)
    if kind == int | None:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = [_cell(value) for value in values]
    return column


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "、".join(value)
    return value.isoformat() if isinstance(value, date) else value


# -- reading ----------------------------------------------------------------------------------------------


def _objects(column: Any) -> Shapes:
    return np.asarray(column.to_numpy(), dtype=object)


def _shapes(column: Any) -> Shapes:
    """Shapes of a column, a few at a time: no other thread runs while some are made."""
    raw = _objects(column)
    pieces = [shapely.from_wkb(raw[at : at + _AT_ONCE]) for at in range(0, len(raw), _AT_ONCE)]
    return np.concatenate(pieces) if pieces else raw


def single(shapes: Shapes) -> Shapes:
    """Multipolygons of one part as that part; the others as they are."""
    found = shapes.copy()
    one = shapely.get_num_geometries(found) == 1
    found[one] = shapely.get_geometry(found[one], 0)
    return found


def _values(table: Any, name: str) -> list[Any]:
    """A column as `Area` has it; the field's default where the file lacks the column or the cell."""
    kind, default = COLUMNS[name], _DEFAULTS[name]
    if name not in table.column_names:
        if default is MISSING and kind != str | None:
            raise ValueError(f"no column {name}")
        return [None if default is MISSING else default] * table.num_rows
    column = table.column(name)
    if kind is int or kind == int | None:
        values = pc.cast(column, pa.int64()).to_pylist()
        return [default if v is None else v for v in values] if isinstance(default, int) else values
    texts = _objects(pc.cast(column, pa.string())).tolist()
    convert = _CONVERT.get(kind)
    if convert is not None:
        # Few lists and days are different.
        known = {text: convert(text) if text else default for text in set(texts)}
        return [known[text] for text in texts]
    if default is MISSING or default is None:
        return [text or None for text in texts] if kind == str | None else texts
    return [text or default for text in texts]


_CONVERT: Final[Mapping[Any, Callable[[str], object]]] = {
    tuple[str, ...]: split_list,
    date | None: lambda text: date.fromisoformat(str(text)[:10]),
}
