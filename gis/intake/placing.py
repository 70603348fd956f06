"""From a file's own coordinates to WGS-84, keeping account of those that do not arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.apart.messages import refuse
from gis.crs import BD09, CGCS2000, GCJ02, WGS84, Floats, lonlat_from
from gis.errors import CrsMismatch
from gis.intake.rows import Shapes

SWAPPED: Final = "+swapped"
_PIECE: Final = 1 << 14
GEOGRAPHIC: Final = (WGS84, CGCS2000, GCJ02, BD09)


def usual_name(crs: str) -> str:
    """A reference system as `Choices.crs` writes it.

    Raises:
        Refused: Nobody knows it.

    >>> usual_name("wgs84"), usual_name("gcj02+swapped"), usual_name("epsg:4547")
    ('EPSG:4326', 'GCJ-02+swapped', 'EPSG:4547')
    """
    name, swapped = crs.strip(), ""
    if name.lower().endswith(SWAPPED):
        name, swapped = name[: -len(SWAPPED)].strip(), SWAPPED
    short = name.upper().replace("_", "-")
    names = {
        "WGS84": WGS84,
        "WGS-84": WGS84,
        "OGC:CRS84": WGS84,
        "CGCS2000": CGCS2000,
        "GCJ02": GCJ02,
        "GCJ-02": GCJ02,
        "BD09": BD09,
        "BD-09": BD09,
    }
    name = names.get(short, short if short.startswith("EPSG:") else name)
    try:
        lonlat_from(name, [], [])
    except CrsMismatch:
        raise refuse(
            "bad_crs", f"不认识的坐标系 {crs!r}", f"unknown reference system {crs!r}", "crs"
        ) from None
    return name + swapped


def is_geographic(crs: str) -> bool:
    """Whether coordinates in it are degrees of a datum that needs no projection."""
    return crs.removesuffix(SWAPPED) in GEOGRAPHIC


def lonlat(crs: str, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Degrees in WGS-84; nan where a coordinate is no number or does not land on the globe.

    Args:
        crs: As `usual_name` writes it.
        x: First coordinate as the file has it.
        y: Second.
    """
    base = crs.removesuffix(SWAPPED)
    if crs != base:
        x, y = y, x
    fine = np.isfinite(x) & np.isfinite(y)
    if base in GEOGRAPHIC:
        fine &= (np.abs(x) <= 180.0) & (np.abs(y) <= 90.0)
    lon, lat = np.full(x.shape, np.nan), np.full(y.shape, np.nan)
    if base in (WGS84, CGCS2000):
        lon[fine], lat[fine] = x[fine], y[fine]
        return lon, lat
    try:
        lon[fine], lat[fine] = lonlat_from(base, x[fine], y[fine])
    except CrsMismatch:
        lon[fine], lat[fine] = _one_by_one(base, x[fine], y[fine])
    astray = ~(np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))
    lon[astray] = lat[astray] = np.nan
    return lon, lat


def _one_by_one(crs: str, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Halve until those that fall off the globe stand alone."""
    try:
        return lonlat_from(crs, x, y)
    except CrsMismatch:
        if len(x) == 1:
            return np.array([np.nan]), np.array([np.nan])
    half = len(x) // 2
    parts = _one_by_one(crs, x[:half], y[:half]), _one_by_one(crs, x[half:], y[half:])
    return np.concatenate([parts[0][0], parts[1][0]]), np.concatenate([parts[0][1], parts[1][1]])


@dataclass(frozen=True, slots=True)
class Placed:
    """Shapes in WGS-84 degrees, None where one has a bad coordinate, and which rows those are."""

    shapes: Shapes
    not_finite: NDArray[np.int64]
    out_of_range: NDArray[np.int64]


def place(shapes: Shapes, crs: str) -> Placed:
    """Move shapes to WGS-84.

    Args:
        shapes: In the file's coordinates, None allowed.
        crs: As `usual_name` writes it.
    """
    there = shapes.copy()
    coordinates, row = shapely.get_coordinates(there, return_index=True)
    broken = np.unique(row[~np.isfinite(coordinates).all(axis=1)])
    lon, lat = np.empty(len(coordinates)), np.empty(len(coordinates))
    for at in range(0, len(coordinates), _PIECE):  # in pieces that stay in the processor's cache
        some = coordinates[at : at + _PIECE]
        lon[at : at + _PIECE], lat[at : at + _PIECE] = lonlat(crs, some[:, 0], some[:, 1])
    astray = np.setdiff1d(np.unique(row[np.isnan(lon)]), broken)
    bad = np.union1d(broken, astray)
    if len(bad):
        keep = ~np.isin(row, bad)
        there[bad] = None
        lon, lat = lon[keep], lat[keep]
    if crs not in (WGS84, CGCS2000):
        there = shapely.set_coordinates(there, np.column_stack((lon, lat)))
    return Placed(there, broken, astray)
