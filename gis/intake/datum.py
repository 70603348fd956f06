"""Which reference system a file's coordinates are in, judged by what they say, their ranges and what is in force.

Three public datums differ by half a kilometre in China and look the same; only ground that is known already tells
them apart. Where it does not, nobody is told that it does: the answer is then marked ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from scipy.spatial import cKDTree

from gis.crs import BD09, CGCS2000, GCJ02, WGS84, Floats, LocalMetric
from gis.intake.inforce import InForce
from gis.intake.model import Crs, CrsGuess, Why
from gis.intake.placing import GEOGRAPHIC, SWAPPED, lonlat, usual_name
from gis.intake.rows import Shapes

SAMPLE: Final = 4_000
NEAR_M: Final = 15.0
REACH_DEG: Final = 0.05
_MOST_LINES: Final = 3_000
_STEP_M: Final = 20.0
_CHINA: Final = (73.0, 3.0, 136.0, 54.5)
_MERCATOR: Final = "EPSG:3857"
_SURE: Final = 0.95
_ASSUMED: Final = ("geojson", "kml", "csv", "xlsx")
"""Formats whose reference system stands in a standard rather than in the file."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a file's coordinates can be held against.

    Attributes:
        x: First coordinates of a sample, as the file has them.
        y: Second.
        codes: Code → a middle point of the shape, as the file has it; empty without codes.
        force: What is in force.
        at_roads: Whether roads say anything: true of points, which stand beside them, and of borders that follow
            them.
    """

    x: Floats
    y: Floats
    codes: Mapping[str, tuple[float, float]]
    force: InForce
    at_roads: bool = True


def guess(evidence: Evidence, declared: str | None, kind: str, chosen: str | None) -> Crs:
    """Guess the reference system.

    Args:
        evidence: Coordinates and what they are held against.
        declared: What the file says, as PROJ reads it, or None.
        kind: Format of the file.
        chosen: What a person says; used as it is, the guesses still show what the evidence says.

    Raises:
        Refused: `chosen` is unknown.
    """
    told = identify(declared)
    candidates = _candidates(evidence, told)
    if not candidates:
        used = usual_name(chosen) if chosen else told or WGS84
        return Crs(used, declared)
    guesses, decided = _judge(evidence, candidates, told, assumed=kind in _ASSUMED)
    if chosen is not None:
        return Crs(usual_name(chosen), told or declared, guesses)
    return Crs(guesses[0].crs, told or declared, guesses, ambiguous=not decided)


def identify(declared: str | None) -> str | None:
    """A declared reference system by its number where it has one.

    >>> identify("EPSG:4490"), identify(None)
    ('EPSG:4490', None)
    """
    if not declared:
        return None
    short = declared.upper().replace("_", "").replace("-", "")
    if "GCJ02" in short or "火星" in declared:
        return GCJ02
    if "BD09" in short or "百度" in declared:
        return BD09
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except CRSError:
        return None
    number = crs.to_epsg(min_confidence=60)
    if number is not None:
        return f"EPSG:{number}"
    if crs.is_geographic and "2000" in crs.name:
        return CGCS2000
    if crs.is_geographic and "84" in crs.name:
        return WGS84
    return crs.to_wkt()


# -- what it could be -------------------------------------------------------------------------------------


def _candidates(evidence: Evidence, told: str | None) -> list[str]:
    x, y = evidence.x, evidence.y
    if not len(x):
        return []
    if np.mean((np.abs(x) <= 180.0) & (np.abs(y) <= 180.0)) > 0.9:
        return _degrees(x, y, told, bounded=evidence.force.bounds is not None)
    if told is not None and told not in GEOGRAPHIC:
        return [told, told + SWAPPED]
    return _metres(x, y)


def _degrees(x: Floats, y: Floats, told: str | None, *, bounded: bool) -> list[str]:
    base = CGCS2000 if told == CGCS2000 else WGS84
    if told is not None and told not in GEOGRAPHIC and _geographic(told):
        return [told, told + SWAPPED]
    straight, swapped = _in_china(x, y), _in_china(y, x)
    names = []
    if straight > 0.5 or swapped > 0.5:
        names = [base, GCJ02, BD09]
    orders = []
    if straight >= swapped or straight > 0.5:
        orders.append("")
    if swapped > straight or (bounded and np.mean(np.abs(x) <= 90.0) > 0.9 and straight < 0.5):
        orders.append(SWAPPED)
    if not names:
        return [base + order for order in orders or [""]]
    return [name + order for order in orders for name in names]


def _geographic(crs: str) -> bool:
    try:
        return bool(pyproj.CRS.from_user_input(crs).is_geographic)
    except CRSError:
        return False


def _in_china(lon: Floats, lat: Floats) -> float:
    west, south, east, north = _CHINA
    return float(np.mean((lon > west) & (lon < east) & (lat > south) & (lat < north)))


def _metres(x: Floats, y: Floats) -> list[str]:
    """Projections of CGCS2000 in use: three and six degrees wide, with the zone before the easting or without."""
    found = []
    for order, (east, north) in (
        ("", (float(np.median(x)), float(np.median(y)))),
        (SWAPPED, (float(np.median(y)), float(np.median(x)))),
    ):
        if not 300_000.0 < north < 6_100_000.0 and not 0 < north < 7_200_000.0:
            continue
        zone, within = int(east // 1e6), east % 1e6
        if 120_000.0 < within < 880_000.0 and north < 6_100_000.0:
            if 25 <= zone <= 45:
                found.append(f"EPSG:{4513 + zone - 25}{order}")
            if 13 <= zone <= 23:
                found.append(f"EPSG:{4491 + zone - 13}{order}")
            if zone == 0:
                found += [f"EPSG:{4534 + n}{order}" for n in range(21)]
        if 8_100_000.0 < east < 15_200_000.0:
            found.append(_MERCATOR + order)
    return found


# -- what speaks for it -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tested:
    """One candidate, how much of the sample fits, and by what."""

    crs: str
    lon: Floats
    lat: Floats
    inside: float
    codes_m: float | None = None
    borders: float | None = None
    roads: float | None = None


def _judge(
    evidence: Evidence, candidates: Sequence[str], told: str | None, *, assumed: bool
) -> tuple[tuple[CrsGuess, ...], bool]:
    tested = [_test(evidence, crs) for crs in candidates]
    near = [one for one in tested if one.inside > 0.0]
    bounded = evidence.force.bounds is not None
    if bounded and near and len(near) < len(tested):
        others = tuple(
            CrsGuess(one.crs, 0.0, Why("落在辖区之外", "lies outside the district"))
            for one in tested
            if one not in near
        )
        guesses, decided = _among(evidence, near, told, assumed=assumed)
        return guesses + others[:5], decided
    guesses, decided = _among(evidence, tested, told, assumed=assumed)
    if bounded and not near:
        far = Why("落在辖区之外，请核对", "lies outside the district; please check")
        guesses = tuple(CrsGuess(one.crs, min(one.score, 0.3), far) for one in guesses)
        decided = False
    return guesses[:8], decided


def _test(evidence: Evidence, crs: str) -> _Tested:
    lon, lat = lonlat(crs, evidence.x, evidence.y)
    inside = 1.0
    if evidence.force.bounds is not None:
        west, south, east, north = evidence.force.bounds
        near = (
            (lon > west - REACH_DEG)
            & (lon < east + REACH_DEG)
            & (lat > south - REACH_DEG)
            & (lat < north + REACH_DEG)
        )
        inside = float(np.mean(near))
    else:
        inside = float(np.mean(np.isfinite(lon)))
    return _Tested(crs, lon, lat, inside)


def _among(
    evidence: Evidence, tested: list[_Tested], told: str | None, *, assumed: bool
) -> tuple[tuple[CrsGuess, ...], bool]:
    """Judge candidates that all land where the file could be."""
    if len(tested) == 1:
        return (_only(tested[0], told, bounded=evidence.force.bounds is not None),), True
    for judge in (_by_codes, _by_borders, _by_roads):
        found = judge(evidence, tested)
        if found is not None:
            best = found[0].crs
            against = (
                told is not None
                and not assumed
                and told in GEOGRAPHIC
                and best.removesuffix(SWAPPED) not in (told, _twin(told))
            )
            return found, not against
    return _by_word(tested, told, assumed=assumed)


def _only(one: _Tested, told: str | None, *, bounded: bool) -> CrsGuess:
    if told == one.crs:
        return CrsGuess(one.crs, _SURE, Why("文件自带坐标系", "the file says so"))
    if one.crs.endswith(SWAPPED):
        return CrsGuess(
            one.crs,
            0.9,
            Why("数值范围表明经纬度（或横纵坐标）颠倒", "the ranges say that the axes are swapped"),
        )
    where = Why("数值范围只符合它", "only this fits the ranges")
    if bounded:
        where = Why("只有它落在辖区内", "only this lands in the district")
    return CrsGuess(one.crs, 0.9, where)


def _twin(crs: str) -> str:
    """WGS-84 and CGCS2000 differ by centimetres."""
    return {WGS84: CGCS2000, CGCS2000: WGS84}.get(crs, crs)


def _by_codes(evidence: Evidence, tested: list[_Tested]) -> tuple[CrsGuess, ...] | None:
    """Areas that are in force under the same code lie in the same place."""
    force = evidence.force
    common = [code for code in evidence.codes if code in force.row_of][:SAMPLE]
    if len(common) < 3:
        return None
    theirs = middle_of(force.shapes[[force.row_of[code] for code in common]])
    ours = np.array([evidence.codes[code] for code in common])
    frame = LocalMetric(*theirs.mean(axis=0).tolist())
    x, y = frame.to_xy(theirs[:, 0], theirs[:, 1])
    for one in tested:
        lon, lat = lonlat(one.crs, ours[:, 0], ours[:, 1])
        known = np.isfinite(lon)
        if not known.any():
            one.codes_m = np.inf
            continue
        ex, ey = frame.to_xy(lon[known], lat[known])
        one.codes_m = float(np.median(np.hypot(ex - x[known], ey - y[known])))
    ranked = sorted(tested, key=lambda one: one.codes_m if one.codes_m is not None else np.inf)
    best, second = ranked[0].codes_m or 0.0, ranked[1].codes_m or 0.0
    if best > 200.0 or second < max(3.0 * best, 100.0):
        return None
    return tuple(
        CrsGuess(
            one.crs,
            0.99 if one is ranked[0] else 0.0,
            Why(
                f"{len(common)} 个同编码区划的中心相差 {one.codes_m:,.0f} 米",
                f"the middles of {len(common)} areas with the same codes are {one.codes_m:,.0f} m apart",
            ),
        )
        for one in ranked
    )


def middle_of(shapes: Shapes) -> Floats:
    """(n, 2) the middle of each shape's bounds; nan for one that is missing or empty."""
    bounds = shapely.bounds(shapes)
    return np.asarray((bounds[:, :2] + bounds[:, 2:]) / 2.0)


def _by_borders(evidence: Evidence, tested: list[_Tested]) -> tuple[CrsGuess, ...] | None:
    """Corners of new borders lie on borders in force, where the two meet."""
    force = evidence.force
    if not len(force.shapes):
        return None
    order = np.argsort(force.tier, kind="stable")[:_MOST_LINES]
    lines = shapely.boundary(force.shapes[order])
    points = _along(lines)
    for one in tested:
        one.borders = _share_near(one, points)
    return _ranked(tested, [one.borders or 0.0 for one in tested], "现行边界", "borders in force")


def _by_roads(evidence: Evidence, tested: list[_Tested]) -> tuple[CrsGuess, ...] | None:
    """Cameras stand beside roads, and borders run along them."""
    force = evidence.force
    if not len(force.road_points) or not evidence.at_roads:
        return None
    for one in tested:
        one.roads = _share_near(one, force.road_points)
    return _ranked(tested, [one.roads or 0.0 for one in tested], "道路", "roads")


def _along(lines: NDArray[np.object_]) -> Floats:
    west, south, east, north = shapely.total_bounds(lines).tolist()
    frame = LocalMetric((west + east) / 2.0, (south + north) / 2.0)
    _, north = frame.to_lonlat(0.0, _STEP_M)
    step = float(north) - frame.lat
    return np.asarray(shapely.get_coordinates(shapely.segmentize(lines, abs(step) or 1e-4)))


def _share_near(one: _Tested, points: Floats) -> float:
    """Share of the sample that lies on something."""
    known = np.isfinite(one.lon)
    if not known.any():
        return 0.0
    frame = LocalMetric(float(np.median(one.lon[known])), float(np.median(one.lat[known])))
    x, y = frame.to_xy(one.lon[known], one.lat[known])
    px, py = frame.to_xy(points[:, 0], points[:, 1])
    distance, _ = cKDTree(np.column_stack((px, py))).query(
        np.column_stack((x, y)), distance_upper_bound=NEAR_M
    )
    return float(np.mean(np.isfinite(distance)))


def _ranked(tested: list[_Tested], share: list[float], zh: str, en: str) -> tuple[CrsGuess, ...] | None:
    """Rank by the share that fits, or None where it does not single one out."""
    order = sorted(range(len(tested)), key=lambda n: -share[n])
    best, second = share[order[0]], share[order[1]]
    count = len(tested[0].lon)
    hits, next_hits = best * count, second * count
    # Beyond what chance makes of the second: three deviations and twice as many.
    if hits < max(8.0, 2.0 * next_hits, next_hits + 3.0 * np.sqrt(next_hits + 1.0)) or best < 0.04:
        return None
    total = sum(share) + 0.02
    return tuple(
        CrsGuess(
            tested[n].crs,
            round(min(0.99, share[n] / total), 3),
            Why(
                f"{share[n]:.0%} 的点落在{zh}上（{NEAR_M:.0f} 米内）",
                f"{share[n]:.0%} of the points lie on {en} (within {NEAR_M:.0f} m)",
            ),
        )
        for n in order
    )


def _by_word(tested: list[_Tested], told: str | None, *, assumed: bool) -> tuple[tuple[CrsGuess, ...], bool]:
    """What the file says, and how far that goes where nothing confirms it."""
    first = tested[0].crs
    if told == CGCS2000 and not assumed:
        rest = tuple(CrsGuess(one.crs, 0.04, _UNCONFIRMED) for one in tested[1:])
        return (
            CrsGuess(
                first,
                0.9,
                Why("文件声明 CGCS2000，测绘成果通常可信", "the file says CGCS2000, as surveys do"),
            ),
            *rest,
        ), True
    if told is not None and told not in (WGS84, *((CGCS2000,) if assumed else ())):
        known = [one for one in tested if one.crs == told]
        if known:
            rest = tuple(CrsGuess(one.crs, 0.05, _UNCONFIRMED) for one in tested if one.crs != told)
            return (CrsGuess(told, 0.9, Why("文件自带坐标系", "the file says so")), *rest), True
    weights = {WGS84: 0.5 if assumed else 0.6, CGCS2000: 0.5, GCJ02: 0.4 if assumed else 0.3, BD09: 0.1}
    scored = [(weights.get(one.crs.removesuffix(SWAPPED), 1.0 / len(tested)), one.crs) for one in tested]
    guesses = tuple(
        CrsGuess(crs, score, _UNCONFIRMED) for score, crs in sorted(scored, key=lambda one: -one[0])
    )
    return guesses, False


_UNCONFIRMED: Final = Why("没有可对照的现行边界或道路，无法确认", "nothing in force confirms or rules it out")
