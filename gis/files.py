"""Areas, police beats and places in and out of files.

Every row of a file either becomes an object or appears in the list of row errors; nothing vanishes. Geometry
is WGS-84 when it leaves here, whatever the file declared.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Final, get_type_hints

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.areas import Area, AreaIndex, Beat, Shape
from gis.crs import WGS84, lonlat_from, to_wgs84
from gis.division import GridKind, overlap
from gis.errors import BadFile, CrsMismatch
from gis.outlines import geojson_geometry
from gis.sandbox import Layer, read_layer
from gis.tables import PointRow, RowError, canonical_columns, point_rows, read_table, split_list

__all__ = [
    "Place",
    "PointRow",
    "RowError",
    "area_columns",
    "area_of_row",
    "point_rows",
    "read_areas",
    "read_beats",
    "read_places",
    "read_table",
    "read_versions",
    "write_areas",
]

_TIER_WORDS = {
    1: ("county", "district", "县", "区", "县级", "区县", "市"),
    2: ("township", "town", "subdistrict", "乡镇", "镇", "乡", "街道", "镇街", "园区"),
    3: ("village", "community", "村", "社区", "村社", "村居"),
    4: ("grid", "网格", "小组", "组"),
}
_TIER_OF_WORD = {word: tier for tier, words in _TIER_WORDS.items() for word in words}
_TIER_LABEL = {1: "区县", 2: "乡镇", 3: "村社", 4: "网格"}
_GRID_KINDS: Final[dict[str, GridKind]] = {
    "general": "general",
    "综合": "general",
    "综合网格": "general",
    "dedicated": "dedicated",
    "专属": "dedicated",
    "专属网格": "dedicated",
    "专门网格": "dedicated",
}
_DAY: Final = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:日|[T ].*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A named point that people search for.

    Attributes:
        name: Never empty.
        kind: Free text (学校, 医院 …), empty when unknown.
        address: Free text, may be empty.
        lon: Degrees, EPSG:4326.
        lat: Degrees.
    """

    name: str
    kind: str
    address: str
    lon: float
    lat: float


def read_areas(
    path: Path | str, *, crs: str | None = None, encoding: str | None = None
) -> tuple[list[Area], list[RowError]]:
    """Read areas from GeoJSON, GeoPackage or a shapefile.

    Args:
        path: Columns `code, name, tier, parent` and, where there are any, `label, chief, workers, beat,
            households, kind, posts, valid_from, valid_to, source_crs`, or their usual Chinese names. A code may
            stand several times for different days.
        crs: Of the coordinates; needed where the file declares none, or declares WGS-84 though it is GCJ-02.
        encoding: Of a shapefile's text; None guesses.

    Returns:
        Areas in file order, and the rows that were dropped or corrected.

    Raises:
        BadFile: The file is not one of the three kinds, broken, or lacks a column.
        CrsMismatch: The reference system is unknown or missing.
    """
    rows, shapes, errors = _read_shapes(path, crs, encoding, needs=("code", "name", "tier"))
    areas: dict[int, Area] = {}
    seen: dict[str, list[Area]] = {}
    for number, (row, shape) in enumerate(zip(rows, shapes, strict=True), start=1):
        if shape is None:
            continue
        try:
            area = area_of_row(row, shape)
            versions = seen.setdefault(area.code, [])
            if any(overlap(area, other) for other in versions):
                raise ValueError(f"编码 {area.code} 重复")
        except ValueError as error:
            errors.append(RowError(number, str(error)))
        else:
            versions.append(area)
            areas[number] = area
    for number, area in areas.items():
        if area.parent is not None and area.parent not in seen:
            errors.append(RowError(number, f"上级 {area.parent} 不在文件中", dropped=False))
    return list(areas.values()), sorted(errors, key=lambda error: error.row)


def read_versions(path: Path, code: str) -> list[Area]:
    """Read one area's versions from a GeoPackage that `write_areas` wrote, without reading the others.

    Args:
        path: A file of ours: it is read here, not in the worker that reads what others bring.
        code: Of the area.

    Returns:
        Oldest first; empty where the file or the area is not there.

    Raises:
        BadFile: The file is damaged.
    """
    import pyogrio

    if not path.exists():
        return []
    quoted = code.replace("'", "''")
    try:
        meta, _, wkb, columns = pyogrio.raw.read(str(path), where=f"code = '{quoted}'")
        rows = [dict(zip(meta["fields"], values, strict=True)) for values in zip(*columns, strict=True)]
        found = [
            area_of_row({name: None if cell != cell else cell for name, cell in row.items()}, _one(shape))
            for row, shape in zip(rows, shapely.from_wkb(wkb), strict=True)
        ]
    except (ValueError, RuntimeError) as error:  # pyogrio's own errors are RuntimeErrors
        raise BadFile(str(path), "file", str(error)) from error
    return sorted(found, key=lambda area: area.valid_from or date.min)


def _one(shape: Shape) -> Shape:
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def read_beats(
    path: Path | str, *, crs: str | None = None, encoding: str | None = None
) -> tuple[list[Beat], list[RowError]]:
    """Read police beats: columns `code, name` and `station, grids`; otherwise as `read_areas`."""
    rows, shapes, errors = _read_shapes(path, crs, encoding, needs=("code", "name"))
    beats: list[Beat] = []
    seen: set[str] = set()
    for number, (row, shape) in enumerate(zip(rows, shapes, strict=True), start=1):
        if shape is None:
            continue
        try:
            code, name = _text(row, "code"), _text(row, "name")
            _refuse_twice(code, seen)
        except ValueError as error:
            errors.append(RowError(number, str(error)))
        else:
            station = _optional(row, "station") or ""
            beats.append(Beat(code, name, station, shape, split_list(row.get("grids"))))
    return beats, sorted(errors, key=lambda error: error.row)


def read_places(
    path: Path | str, *, crs: str | None = None, encoding: str | None = None
) -> tuple[list[Place], list[RowError]]:
    """Read places from a CSV with `lon, lat`, or from any map file (a shape counts by a point inside it).

    Args:
        path: Columns `name` and `kind, address`, or their usual Chinese names.
        crs: As in `read_areas`.
        encoding: Of CSV or shapefile text; None guesses.

    Returns:
        Places in file order, and the rows that were dropped.

    Raises:
        BadFile: The file cannot be read or names no `name` column.
        CrsMismatch: The reference system is unknown or missing.
    """
    if Path(path).suffix.lower() in (".csv", ".txt"):
        found, errors = point_rows(path, crs=crs, encoding=encoding, needs_position=True)
        numbered = [(row.row, dict[str, Any](row.values), row.lon, row.lat) for row in found]
    else:
        layer = read_layer(path, encoding=encoding)
        rows = _canonical_rows(path, layer, ("name",))
        shapes, errors = _wgs84_shapes(path, layer, crs)
        points = [None if shape is None else shape.representative_point() for shape in shapes]
        numbered = [
            (number, row, point.x, point.y)
            for number, (row, point) in enumerate(zip(rows, points, strict=True), start=1)
            if point is not None
        ]
    places: list[Place] = []
    for number, row, lon, lat in numbered:
        name = _optional(row, "name")
        if name is None or lon is None or lat is None:
            errors.append(RowError(number, "没有名称"))
            continue
        places.append(Place(name, _optional(row, "kind") or "", _optional(row, "address") or "", lon, lat))
    return places, sorted(errors, key=lambda error: error.row)


def write_areas(path: Path | str, areas: AreaIndex | Iterable[Area]) -> None:
    """Write areas, all their versions, to `.gpkg` or `.geojson`, whole or not at all, as `read_areas` reads them.

    Raises:
        BadFile: The name ends in neither.
    """
    target = Path(path)
    given = areas.every if isinstance(areas, AreaIndex) else areas
    chosen = sorted(given, key=lambda area: (area.code, area.valid_from or date.min))
    part = target.with_name(f".part-{target.name}")
    if target.suffix.lower() in (".geojson", ".json"):
        part.write_text(json.dumps(_feature_collection(chosen), ensure_ascii=False), encoding="utf-8")
    elif target.suffix.lower() == ".gpkg":
        _write_gpkg(part, chosen)
    else:
        raise BadFile(str(path), "file", "areas are written as .gpkg or .geojson")
    os.replace(part, target)


def area_columns(areas: Sequence[Area]) -> dict[str, NDArray[Any]]:
    """The attributes of areas as columns of a file, one for each field of `Area` but the geometry.

    Returns:
        By name of the field: whole numbers as int32, or float64 with NaN where they may be missing; lists
        joined by 、; days as text (2025-07-01); everything else text or None.
    """
    columns: dict[str, NDArray[Any]] = {}
    for name, kind in _AREA_FIELDS.items():
        values = [getattr(area, name) for area in areas]
        if kind is int:
            columns[name] = np.array(values, dtype=np.int32)
        elif kind == int | None:
            columns[name] = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        else:
            columns[name] = np.empty(len(values), dtype=object)
            columns[name][:] = [_cell(value) for value in values]
    return columns


_AREA_FIELDS: Final[dict[str, Any]] = {
    field.name: get_type_hints(Area)[field.name] for field in fields(Area) if field.name != "geometry"
}


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        return "、".join(value)
    return value.isoformat() if isinstance(value, date) else value


def _feature_collection(areas: Sequence[Area]) -> dict[str, Any]:
    columns = area_columns(areas)
    rows = [
        {name: None if value != value else value for name, value in zip(columns, values, strict=True)}
        for values in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": area.code,
                "properties": row,
                "geometry": geojson_geometry(area.geometry),
            }
            for area, row in zip(areas, rows, strict=True)
        ],
    }


def _write_gpkg(path: Path, areas: Sequence[Area]) -> None:
    # Imported here because loading the library takes a quarter of a second that no other path needs.
    import pyogrio

    path.unlink(missing_ok=True)
    columns = area_columns(areas)
    multi = [
        MultiPolygon([area.geometry]) if isinstance(area.geometry, Polygon) else area.geometry
        for area in areas
    ]
    pyogrio.raw.write(
        str(path),
        geometry=np.array([shapely.to_wkb(shape) for shape in multi], dtype=object),
        field_data=list(columns.values()),
        fields=list(columns),
        layer="areas",
        driver="GPKG",
        geometry_type="MultiPolygon",
        crs=WGS84,
    )


# -- rows -------------------------------------------------------------------------------------------------


def _read_shapes(
    path: Path | str, crs: str | None, encoding: str | None, needs: Sequence[str]
) -> tuple[list[dict[str, Any]], list[Shape | None], list[RowError]]:
    """Canonical rows and their polygons in WGS-84; a row whose polygon is None is already in the errors."""
    layer = read_layer(path, encoding=encoding)
    rows = _canonical_rows(path, layer, needs)
    found, errors = _wgs84_shapes(path, layer, crs)
    shapes: list[Shape | None] = []
    for number, shape in enumerate(found, start=1):
        polygon = None
        if shape is not None:
            polygon, complaint = _polygon(shape)
            if complaint is not None:
                errors.append(RowError(number, complaint, dropped=polygon is None))
        shapes.append(polygon)
    return rows, shapes, errors


def _canonical_rows(path: Path | str, layer: Layer, needs: Sequence[str]) -> list[dict[str, Any]]:
    if not layer.rows:
        raise BadFile(str(path), "file", "holds no rows")
    names = canonical_columns(layer.rows[0])
    missing = [name for name in needs if name not in names.values()]
    if missing:
        raise BadFile(str(path), "header", f"no column for {', '.join(missing)}")
    return [{names[column]: value for column, value in row.items()} for row in layer.rows]


def _wgs84_shapes(
    path: Path | str, layer: Layer, crs: str | None
) -> tuple[list[BaseGeometry | None], list[RowError]]:
    declared = crs or layer.crs
    if declared is None:
        raise CrsMismatch(f"{path} declares no coordinate reference system; name it (WGS-84, GCJ-02, EPSG:…)")
    lonlat_from(declared, [], [])
    shapes: list[BaseGeometry | None] = []
    errors: list[RowError] = []
    for number, wkb in enumerate(layer.wkb, start=1):
        shape, reason = None, "没有图形"
        if wkb is not None:
            try:
                raw = shapely.from_wkb(wkb)
                if raw.is_empty or not np.isfinite(shapely.get_coordinates(raw)).all():
                    reason = "图形为空或坐标不是数字"
                else:
                    shape = to_wgs84([raw], declared)[0]
            except CrsMismatch:
                reason = "坐标超出范围（经纬度是否颠倒，坐标系是否有误？）"
            except GEOSException as error:
                reason = f"图形无法读取：{error}"
        shapes.append(shape)
        if shape is None:
            errors.append(RowError(number, reason))
    return shapes, errors


def _polygon(shape: BaseGeometry) -> tuple[Shape | None, str | None]:
    """The areal part of a shape, repaired where it crosses itself, and what to say about it."""
    if not isinstance(shape, Polygon | MultiPolygon):
        return None, f"图形是 {shape.geom_type}，需要面"
    if shape.is_valid:
        only = shapely.get_parts(shape)
        return (only[0] if len(only) == 1 else shape), None
    why = shapely.is_valid_reason(shape)
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.area > 0]
    polygons = [p for part in parts for p in shapely.get_parts(part) if isinstance(p, Polygon)]
    if not polygons:
        return None, f"图形没有面积：{why}"
    repaired = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    return repaired, f"图形自相交，已修复：{why}"


def _refuse_twice(code: str, seen: set[str]) -> None:
    if code in seen:
        raise ValueError(f"编码 {code} 重复")
    seen.add(code)


def _optional(row: dict[str, Any], name: str) -> str | None:
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # spreadsheets and shapefiles turn codes into decimals
    text = "" if value is None else str(value).strip()
    return text or None


def _text(row: dict[str, Any], name: str) -> str:
    text = _optional(row, name)
    if text is None:
        raise ValueError({"code": "没有编码", "name": "没有名称", "tier": "没有层级"}[name])
    return text


def area_of_row(row: dict[str, Any], shape: Shape) -> Area:
    """The area of one row whose columns have their canonical names. Raises ValueError, for a person."""
    tier_text = _text(row, "tier")
    tier = int(tier_text) if tier_text.isdigit() else _TIER_OF_WORD.get(tier_text.lower(), 0)
    if tier not in _TIER_LABEL:
        raise ValueError(f"层级 {tier_text!r} 不是 1 至 4")
    label = _optional(row, "label") or (tier_text if not tier_text.isdigit() else _TIER_LABEL[tier])
    posts = _count(row, "posts", "岗位数")
    valid_from, valid_to = _day(row, "valid_from"), _day(row, "valid_to")
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise ValueError(f"有效期止 {valid_to} 早于有效期起 {valid_from}")
    return Area(
        code=_text(row, "code"),
        name=_text(row, "name"),
        tier=tier,
        parent=_optional(row, "parent"),
        label=label,
        geometry=shape,
        chief=_optional(row, "chief"),
        workers=split_list(row.get("workers")),
        beat=_optional(row, "beat"),
        households=_count(row, "households", "户数"),
        # Files often have a column of this name that means something else.
        kind=_GRID_KINDS.get((_optional(row, "kind") or "").lower(), "general"),
        posts=1 if posts is None else posts,
        valid_from=valid_from,
        valid_to=valid_to,
        source_crs=_optional(row, "source_crs"),
    )


def _count(row: dict[str, Any], name: str, word: str) -> int | None:
    text = _optional(row, name)
    if text is not None and not text.isdigit():
        raise ValueError(f"{word} {text!r} 不是数字")
    return None if text is None else int(text)


def _day(row: dict[str, Any], name: str) -> date | None:
    text = _optional(row, name)
    if text is None:
        return None
    parts = _DAY.fullmatch(text)
    with contextlib.suppress(ValueError):
        if parts is not None:
            return date(*map(int, parts.groups()))
    raise ValueError(f"日期 {text!r} 应写作 2025-07-01")
