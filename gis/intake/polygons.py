"""Checks of every shape on its own: is it there, an area, whole, and not twice."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import GeometryCollection
from shapely.geometry.base import BaseGeometry

from gis.intake.issues import RANK, Issue
from gis.intake.model import Choices
from gis.intake.placing import Placed
from gis.intake.rows import Rows
from gis.intake.table import Sheet

MOST_VERTICES: Final = 20_000
_POLYGONS: Final = (int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON))
_COLLECTION: Final = int(shapely.GeometryType.GEOMETRYCOLLECTION)
_NAMES: Final = {
    0: "Point",
    1: "LineString",
    2: "LinearRing",
    4: "MultiPoint",
    5: "MultiLineString",
    7: "GeometryCollection",
}


def check_presence(rows: Rows, placed: Placed, sheet: Sheet, *, needed: bool) -> None:
    """Report rows whose shape is unreadable, not on the globe or, where one is needed, missing."""
    assert rows.shapes is not None
    assert sheet.shapes is not None
    issues = sheet.issues
    lost = rows.cut.rows if rows.cut is not None else np.zeros(0, np.int64)
    if rows.cut is not None:
        issues.add_rows(
            lost,
            "error",
            "truncated_file",
            "文件被截断，这一行不完整",
            "the file is cut short and this row is not whole",
        )
    missing = np.flatnonzero(shapely.is_missing(rows.shapes) | shapely.is_empty(rows.shapes))
    bad = rows.unreadable
    issues.add_rows(bad, "error", "no_geometry", "图形无法读取", "the shape cannot be read")
    if needed:
        bare = np.setdiff1d(missing, np.union1d(bad, lost))
        issues.add_rows(
            bare[issues.worst[bare] < RANK["error"]], "error", "no_geometry", "没有图形", "there is no shape"
        )
    issues.add_rows(placed.not_finite, "error", "not_finite", "坐标不是数字", "a coordinate is not a number")
    issues.add_rows(
        placed.out_of_range,
        "error",
        "out_of_range",
        "坐标超出范围（坐标系有误，或经纬度颠倒？）",
        "a coordinate is not on the globe (wrong reference system, or axes swapped?)",
    )
    sheet.shapes[missing] = None
    sheet.shapes[lost] = None


def check_polygons(sheet: Sheet, choices: Choices) -> int:
    """Report shapes that are no areas, cross themselves, are huge or stand twice; mend crossings where asked.

    Returns:
        How many were mended.
    """
    assert sheet.shapes is not None
    _only_areas(sheet)
    known = sheet.known()
    count = shapely.get_num_coordinates(sheet.shapes[known])
    large = count > MOST_VERTICES
    for row, vertices in zip(known[large].tolist(), count[large].tolist(), strict=True):
        zh, en = f"图形有 {vertices:,} 个顶点", f"the shape has {vertices:,} vertices"
        sheet.issues.add(Issue(row, "note", "too_many_vertices", zh, en))
    mended = _crossings(sheet, known, repair="make_valid" in choices.repair)
    _duplicates(sheet, sheet.known())
    return mended


def _crossings(sheet: Sheet, known: NDArray[np.int64], *, repair: bool) -> int:
    """Report shapes that cross themselves, mended or set aside: no check of neighbours could use them."""
    assert sheet.shapes is not None
    shapes = sheet.shapes
    crossing = known[~shapely.is_valid(shapes[known])]
    if not len(crossing):
        return 0
    reasons = shapely.is_valid_reason(shapes[crossing])
    whole = shapely.make_valid(shapes[crossing], method="structure")
    mended = 0
    for row, reason, after in zip(crossing.tolist(), reasons.tolist(), map(areal, whole), strict=True):
        lon, lat = _place_of(reason)
        what = reason.split("[")[0]
        zh = _REASONS.get(what, f"图形无效（{what}）")
        sheet.original.setdefault(row, shapes[row])
        if after is None:
            shapes[row] = None
            en = f"the shape is no area: {what}"
            sheet.issues.add(Issue(row, "error", "wrong_type", f"{zh}，没有面积", en, lon, lat))
        elif repair:
            shapes[row] = after
            mended += 1
            en = f"{what}: the shape was repaired"
            sheet.issues.add(Issue(row, "note", "self_intersection", f"{zh}，已修复", en, lon, lat))
        else:
            shapes[row] = None
            en = f"{what}: the shape can be repaired"
            sheet.issues.add(Issue(row, "error", "self_intersection", f"{zh}（可修复）", en, lon, lat))
    return mended


_REASONS: Final = {
    "Self-intersection": "图形自相交",
    "Ring Self-intersection": "边界自相接",
    "Hole lies outside shell": "内环在外环之外",
    "Holes are nested": "内环套内环",
    "Nested shells": "部分套部分",
    "Interior is disconnected": "内部不连通",
    "Too few points in geometry component": "顶点太少",
    "Duplicate Rings": "环重复",
}


def _only_areas(sheet: Sheet) -> None:
    assert sheet.shapes is not None
    known = sheet.known()
    kind = shapely.get_type_id(sheet.shapes[known])
    for row, what in zip(
        known[~np.isin(kind, _POLYGONS)].tolist(), kind[~np.isin(kind, _POLYGONS)].tolist(), strict=True
    ):
        part = areal(sheet.shapes[row]) if what == _COLLECTION else None
        name = _NAMES.get(what, str(what))
        if part is None:
            sheet.issues.add(
                Issue(
                    row,
                    "error",
                    "wrong_type",
                    f"图形是 {name}，需要面",
                    f"the shape is a {name}, an area is needed",
                )
            )
            sheet.shapes[row] = None
            continue
        sheet.original.setdefault(row, sheet.shapes[row])
        sheet.shapes[row] = part
        sheet.issues.add(
            Issue(
                row,
                "warning",
                "wrong_type",
                "图形混有点或线，只取其中的面",
                "the shape mixes areas with points or lines; only the areas count",
            )
        )
    known = sheet.known()
    flat = known[shapely.area(sheet.shapes[known]) == 0.0]
    flat = flat[shapely.is_valid(sheet.shapes[flat])]  # a bow-tie's halves cancel each other
    sheet.issues.add_rows(flat, "error", "wrong_type", "图形没有面积", "the shape has no area")
    sheet.shapes[flat] = None


def areal(shape: BaseGeometry) -> BaseGeometry | None:
    """The areas among a shape's parts as one polygon or multipolygon, or None without any."""
    parts = list(shapely.get_parts(shape)) if isinstance(shape, GeometryCollection) else [shape]
    flat = [one for part in parts for one in shapely.get_parts(part).tolist()]
    polygons = [one for one in flat if shapely.get_type_id(one) == _POLYGONS[0] and one.area > 0.0]
    if not polygons:
        return None
    whole: BaseGeometry = polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)
    if not whole.is_valid and shapely.is_valid(polygons).all():
        whole = shapely.union_all(polygons)  # parts that share a side are one
    return whole


def _place_of(reason: str) -> tuple[float | None, float | None]:
    """The point named in brackets at the end of a reason."""
    try:
        lon, lat = (float(word) for word in reason.split("[")[1].rstrip("]").split()[:2])
    except (IndexError, ValueError):
        return None, None
    return lon, lat


def _duplicates(sheet: Sheet, known: NDArray[np.int64]) -> None:
    """Report shapes that an earlier row has already, point for point."""
    assert sheet.shapes is not None
    if not len(known):
        return
    tier = sheet.tiers.tier[known] if sheet.tiers is not None else np.zeros(len(known), np.int32)
    box = shapely.bounds(sheet.shapes[known])
    size = shapely.area(sheet.shapes[known])
    keys = np.column_stack((tier, np.round(box, 7), np.round(size, 12)))
    _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[same.ravel()] != np.arange(len(known)))
    for n in again.tolist():
        one, other = known[n], known[first[same.ravel()[n]]]
        if shapely.equals(sheet.shapes[one], sheet.shapes[other]):
            number = int(sheet.numbers[other])
            sheet.issues.add(
                Issue(
                    int(one),
                    "warning",
                    "duplicate_geometry",
                    f"图形与第 {number} 行相同",
                    f"the shape is that of row {number}",
                )
            )
