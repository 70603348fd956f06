"""Places of rows: from the cells of a table, or as a point of whatever shape a map file has."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake.fields import PLACED_BY
from gis.intake.inforce import InForce
from gis.intake.rows import Rows, Shapes
from gis.intake.sheets import numbers_of
from gis.intake.table import Sheet
from gis.tables import split_list

_PAIR: Final = re.compile(r"[\[(（]?\s*([^,，;；\s\[(（]+)\s*[,，;；\s]\s*([^,，;；\s\])）]+)\s*[\])）]?")
_POINT: Final = int(shapely.GeometryType.POINT)
CODES_IN: Final = ("grids", "grid", "area", "division")
"""Fields that name areas in force."""


def shapes_of_table(rows: Rows, sheet: Sheet) -> Shapes | None:
    """Shapes from the cells of a table, in its own coordinates; None where no column says anything of places.

    Reports cells that are no numbers or no shape.
    """
    if not any(name in sheet.fields for name in PLACED_BY):
        return None
    shapes: Shapes = np.full(len(rows), None, dtype=object)
    if "wkt" in sheet.fields:
        text = sheet.text("wkt")
        written = text.copy()
        written[text == ""] = None
        shapes = shapely.from_wkt(written, on_invalid="ignore")
        bad = np.flatnonzero((text != "") & shapely.is_missing(shapes))
        sheet.issues.add_rows(
            bad, "error", "no_geometry", "图形文本无法读取", "the shape's text cannot be read"
        )
    x, y = sheet.text("lon"), sheet.text("lat")
    if "lonlat" in sheet.fields:
        both = [_PAIR.fullmatch(text) for text in sheet.text("lonlat").tolist()]
        open_ = (x == "") & (y == "")
        x = np.where(open_, np.array([m.group(1) if m else "" for m in both], dtype=object), x)
        y = np.where(open_, np.array([m.group(2) if m else "" for m in both], dtype=object), y)
        bad = np.flatnonzero(open_ & (sheet.text("lonlat") != "") & np.array([m is None for m in both]))
        sheet.issues.add_rows(
            bad, "error", "bad_value", "坐标不是“经度,纬度”", "the place is no pair of numbers"
        )
    east, north = numbers_of(x), numbers_of(y)
    said = (x != "") | (y != "")
    fine = np.isfinite(east) & np.isfinite(north)
    bad = np.flatnonzero(said & ~fine)
    texts = [(x[n], y[n]) for n in bad.tolist()]
    sheet.issues.add_rows(
        bad,
        "error",
        "bad_value",
        [f"经纬度不是数字：{a[:20]!r}、{b[:20]!r}" for a, b in texts],
        [f"the place is no pair of numbers: {a[:20]!r}, {b[:20]!r}" for a, b in texts],
    )
    nowhere = np.flatnonzero(fine & (east == 0.0) & (north == 0.0))
    sheet.issues.add_rows(nowhere, "error", "out_of_range", "经纬度为 0", "the place is 0, 0")
    fine[nowhere] = False
    use = np.flatnonzero(fine & shapely.is_missing(shapes))
    shapes[use] = shapely.points(east[use], north[use])
    return shapes


def as_points(shapes: Shapes) -> Shapes:
    """A point of each shape: itself, or one on it."""
    found = shapes.copy()
    other = np.flatnonzero(~shapely.is_missing(found) & (shapely.get_type_id(found) != _POINT))
    found[other] = shapely.point_on_surface(found[other])
    return found


def check_spots(sheet: Sheet) -> None:
    """Report shapes that are no point, where a place in the middle of one would be an invention."""
    assert sheet.shapes is not None
    parts = shapely.get_num_geometries(sheet.shapes)
    kinds = shapely.get_type_id(sheet.shapes)
    single = (kinds == int(shapely.GeometryType.MULTIPOINT)) & (parts == 1)
    sheet.shapes[single] = shapely.get_geometry(sheet.shapes[single], 0)
    other = np.flatnonzero(~shapely.is_missing(sheet.shapes) & (kinds != _POINT) & ~single)
    sheet.issues.add_rows(other, "error", "wrong_type", "图形不是点", "the shape is no point")
    sheet.shapes[other] = shapely.point_on_surface(sheet.shapes[other])


def check_points(sheet: Sheet, force: InForce, *, needed: bool) -> None:
    """Report rows without a place where one is needed, and places in no area in force."""
    assert sheet.shapes is not None
    missing = np.flatnonzero(shapely.is_missing(sheet.shapes) & (sheet.issues.worst < 3))
    if needed:
        sheet.issues.add_rows(missing, "error", "no_geometry", "没有位置", "there is no place")
    known = sheet.known()
    if not len(force.shapes) or not len(known):
        return
    tree = shapely.STRtree(force.shapes)
    inside = np.unique(tree.query(sheet.shapes[known], predicate="intersects")[0])
    outside = np.delete(known, inside)
    sheet.issues.add_rows(
        outside, "note", "unknown_area", "位置不在任何现行区划内", "the place is in no area in force"
    )


def check_codes(sheet: Sheet, force: InForce, kind: str) -> None:
    """Report codes of areas that are not in force."""
    if not len(force.codes):
        return
    for name in CODES_IN:
        texts = sheet.fields.get(name)
        if texts is None:
            continue
        strange: dict[str, list[str]] = {}
        for text in set(texts.tolist()) - {""}:
            unknown = [code for code in split_list(text) if code not in force.row_of]
            if unknown:
                strange[text] = unknown
        rows = [n for n, text in enumerate(texts.tolist()) if text in strange]
        told = [strange[texts[n]] for n in rows]
        # A rule may also name a department's own grids, which are not known here.
        severity = "note" if kind == "rules" and name == "grids" else "warning"
        sheet.issues.add_rows(
            rows,
            "note" if severity == "note" else "warning",
            "unknown_area",
            [f"现行区划中没有：{'、'.join(codes[:5])}" for codes in told],
            [f"not in force: {', '.join(codes[:5])}" for codes in told],
        )


def grids_under(sheet: Sheet, force: InForce) -> NDArray[np.object_]:
    """For shapes that stand for sets of base grids: the codes of the grids whose middle they hold."""
    codes = sheet.text("grids").copy()
    known = sheet.known()
    grids = force.of_tier(4)
    if sheet.shapes is None or not len(known) or not len(grids):
        return codes
    middles = shapely.point_on_surface(force.shapes[grids])
    shape, grid = shapely.STRtree(middles).query(sheet.shapes[known], predicate="intersects")
    held: dict[int, list[str]] = {}
    for n, m in zip(known[shape].tolist(), force.codes[grids[grid]].tolist(), strict=True):
        held.setdefault(n, []).append(m)
    for n, some in held.items():
        if not codes[n]:
            codes[n] = "、".join(sorted(some))
    return codes
