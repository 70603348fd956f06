"""Coordinates on the way out: into the reference systems that map programs ask for, in the order they expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from gis.crs import CGCS2000, GCJ02, WGS84, LonLat, by_columns, gcj02_from_wgs84
from gis.errors import CrsMismatch

Spot = tuple[float, float]
"""A point as (lon, lat), degrees, EPSG:4326."""
Geometry = BaseGeometry | Spot
"""What stands on a map, WGS-84; points as bare numbers, because there are many of them."""
Box = tuple[float, float, float, float]
"""(west, south, east, north) in degrees, EPSG:4326."""

WEB_MERCATOR: Final = "EPSG:3857"
_MERCATOR_M: Final = 20_037_508.35
"""Half of its equator."""
_MERCATOR_LAT: Final = 85.06
"""Beyond it the projection has no use; coordinates stay finite by ending here."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reference system that is written.

    Attributes:
        name: As `target` knows it.
        latitude_first: The authority puts latitude before longitude.
        decimals: Digits after the point that are written: about a centimetre.
    """

    name: str
    latitude_first: bool
    decimals: int


CRS84: Final = Target("CRS84", latitude_first=False, decimals=7)
"""WGS-84, longitude first."""
TARGETS: Final[Mapping[str, Target]] = {
    one.name: one
    for one in (
        CRS84,
        Target(WGS84, latitude_first=True, decimals=7),
        Target(CGCS2000, latitude_first=True, decimals=7),
        Target(WEB_MERCATOR, latitude_first=False, decimals=2),
        Target(GCJ02, latitude_first=False, decimals=7),
    )
}


def target(name: str) -> Target:
    """The reference system of this name. Raises CrsMismatch for one that is not written."""
    try:
        return TARGETS[name]
    except KeyError:
        raise CrsMismatch(f"{name!r} is none of {', '.join(TARGETS)}") from None


def out(to: Target, lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Turn WGS-84 degrees into coordinates of a system, in the order of its axes.

    CGCS2000 counts as WGS-84: they differ by some decimetres, which nobody here measures.

    >>> a, b = out(target("EPSG:3857"), 117.0, 34.0)
    >>> print(f"{a:.2f} {b:.2f}")
    13024380.42 4028802.03
    >>> a, b = out(target("EPSG:4326"), 117.0, 34.0)
    >>> print(a, b)
    34.0 117.0
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if to.name == GCJ02:
        x, y = gcj02_from_wgs84(x, y)
    elif to.name == WEB_MERCATOR:
        moved = _mercator().transform(np.array(x), np.clip(y, -_MERCATOR_LAT, _MERCATOR_LAT))
        x, y = np.asarray(moved[0], dtype=np.float64), np.asarray(moved[1], dtype=np.float64)
    return (y, x) if to.latitude_first else (x, y)


def box_in(of: Target, box: Sequence[float]) -> Box:
    """Turn a box of a system, lower corner first and axes in its order, into degrees.

    Raises:
        CrsMismatch: It is not on the globe.

    >>> box_in(target("EPSG:4326"), (33.0, 116.0, 34.0, 117.0))
    (116.0, 33.0, 117.0, 34.0)
    """
    x0, y0, x1, y1 = (box[1], box[0], box[3], box[2]) if of.latitude_first else box
    if of.name == WEB_MERCATOR:
        if max(abs(x0), abs(x1)) > _MERCATOR_M:  # it would come back on the other side of the globe
            raise CrsMismatch(f"{x0:g} and {x1:g} metres are not both on the globe")
        xs, ys = _mercator().transform(np.array([x0, x1]), np.array([y0, y1]), direction="INVERSE")
        (x0, x1), (y0, y1) = xs.tolist(), ys.tolist()
    elif of.name == GCJ02:
        raise CrsMismatch("a box cannot be given in GCJ-02")
    if not all(np.isfinite([x0, y0, x1, y1])) or max(abs(x0), abs(x1)) > 180 or max(abs(y0), abs(y1)) > 90:
        raise CrsMismatch(f"({', '.join(f'{n:g}' for n in box)}) is not on the globe when read as {of.name}")
    return x0, y0, x1, y1


def geojson(geometry: Geometry, to: Target = CRS84) -> dict[str, Any]:
    """A GeoJSON geometry with the coordinates of a system.

    >>> geojson((117.123456789, 34.0), target("EPSG:4326"))
    {'type': 'Point', 'coordinates': [34.0, 117.1234568]}
    """
    if isinstance(geometry, tuple):
        a, b = geometry if to is CRS84 else map(float, out(to, *geometry))
        return {"type": "Point", "coordinates": [round(a, to.decimals), round(b, to.decimals)]}
    # Outer rings anticlockwise, as GeoJSON wants them.
    whole = shapely.orient_polygons(geometry)
    return dict(shapely.geometry.mapping(projected(whole, to, rounded=True)))


def projected(geometry: BaseGeometry, to: Target, *, rounded: bool = False) -> BaseGeometry:
    """A geometry with the coordinates of a system, in the order of its axes."""

    def move(x: NDArray[np.float64], y: NDArray[np.float64]) -> LonLat:
        a, b = out(to, x, y)
        return (np.round(a, to.decimals), np.round(b, to.decimals)) if rounded else (a, b)

    return shapely.transform(shapely.force_2d(geometry), by_columns(move))


def drawn(kind: Literal["point", "line", "polygon"], points: Sequence[Spot]) -> Geometry:
    """What somebody drew: a point, a line along points, or the area within them.

    >>> drawn("line", [(117.0, 34.0), (117.1, 34.0)])
    <LINESTRING (117 34, 117.1 34)>
    """
    if kind == "point":
        return points[0]
    return shapely.LineString(points) if kind == "line" else shapely.Polygon(points)


def bounds_of(geometry: Geometry | None) -> Box:
    """The box of what stands on a map; not-a-numbers where it stands nowhere."""
    if geometry is None:
        return (np.nan, np.nan, np.nan, np.nan)
    if isinstance(geometry, tuple):
        return (*geometry, *geometry)
    west, south, east, north = geometry.bounds
    return west, south, east, north


def meets(geometry: Geometry | None, boxes: Sequence[Box]) -> bool:
    """Whether a geometry has at least one point in at least one of the boxes, their rims included."""
    if geometry is None:
        return False
    if isinstance(geometry, tuple):
        return any(w <= geometry[0] <= e and s <= geometry[1] <= n for w, s, e, n in boxes)
    return any(shapely.intersects(geometry, shapely.box(*box)) for box in boxes)


@lru_cache(maxsize=1)
def _mercator() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(WGS84, WEB_MERCATOR, always_xy=True)
