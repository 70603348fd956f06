"""Datums and metres.

Everything inside the product is WGS-84 longitude and latitude. Two things happen here and nowhere else:
the public Chinese map datums (GCJ-02, BD-09) are turned into WGS-84 on the way in, and degrees are turned
into metres, always through a projection or a geodesic. A degree is never multiplied by a constant.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from gis.errors import CrsMismatch

Floats = NDArray[np.float64]
LonLat = tuple[Floats, Floats]

WGS84 = "EPSG:4326"
CGCS2000 = "EPSG:4490"
GCJ02 = "GCJ-02"
BD09 = "BD-09"

# The Krasovsky 1940 ellipsoid, on which the GCJ-02 offset is defined.
_AXIS_M = 6378245.0
_ECC2 = 0.00669342162296594323
_BD_ANGLE = np.pi * 3000.0 / 180.0
_INVERSE_STEPS = 4
_SLACK_DEG = 1e-9  # what the steps may leave of a point on the very rim

_GEOD = pyproj.Geod(ellps="WGS84")

LOOKING_UP = threading.Lock()
"""Held while a thread looks something up in PROJ's database."""
# Each thread has a PROJ context of its own, which reads PROJ's database when the thread first uses a transformer. A
# process forked meanwhile (uvloop runs Python there before it becomes another program) destroys that context and
# waits for the database's lock, which nobody is left to release; the event loop waits for the process. So nobody
# forks during a look-up.
os.register_at_fork(
    before=LOOKING_UP.acquire, after_in_parent=LOOKING_UP.release, after_in_child=LOOKING_UP.release
)


def _arrays(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return x, y


def _in_china(lon: Floats, lat: Floats, slack: float = 0.0) -> NDArray[np.bool_]:
    """The rectangle outside which the public services apply no offset.

    The offset carries some points out over its rim, where the same numbers also stand for a point that was not
    moved. What goes back takes them for the moved ones: nothing inside is ever lost, and no part of China lies
    within a kilometre of the rim.
    """
    west_east = (lon >= 72.004 - slack) & (lon <= 137.8347 + slack)
    inside: NDArray[np.bool_] = west_east & (lat >= 0.8293 - slack) & (lat <= 55.8271 + slack)
    return inside


def _gcj_offset(lon: Floats, lat: Floats) -> LonLat:
    """Offset in degrees that GCJ-02 adds at a WGS-84 point."""
    pi = np.pi
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    root = np.sqrt(np.abs(x))
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north_m += (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y / 30.0 * pi)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east_m += (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _ECC2 * np.sin(phi) ** 2
    w = np.sqrt(w2)
    return (
        np.degrees(east_m / (_AXIS_M / w * np.cos(phi))),
        np.degrees(north_m / (_AXIS_M * (1.0 - _ECC2) / (w2 * w))),
    )


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Move WGS-84 points to GCJ-02; identity outside China.

    Args:
        lon: Longitudes, degrees, EPSG:4326, any shape.
        lat: Latitudes, degrees, the same shape or one that broadcasts.

    Returns:
        (lon, lat) in GCJ-02 degrees, the broadcast shape; empty in, empty out.

    >>> lon, lat = gcj02_from_wgs84(116.404, 39.915)
    >>> print(f"{lon:.6f} {lat:.6f}")
    116.410244 39.916404
    """
    x, y = _arrays(lon, lat)
    dx, dy = _gcj_offset(x, y)
    inside = _in_china(x, y)
    return np.where(inside, x + dx, x), np.where(inside, y + dy, y)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Move GCJ-02 points back to WGS-84; identity outside China.

    Four fixed-point steps leave less than ten micrometres; the one step that many programs take leaves up to
    five metres.

    Args:
        lon: Longitudes, GCJ-02 degrees, any shape.
        lat: Latitudes, GCJ-02 degrees.

    Returns:
        (lon, lat) in WGS-84 degrees, the broadcast shape.

    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84(117.1, 33.9))
    >>> print(f"{lon:.9f} {lat:.9f}")
    117.100000000 33.900000000
    """
    gx, gy = _arrays(lon, lat)
    x, y = gx, gy
    for _ in range(_INVERSE_STEPS):
        dx, dy = _gcj_offset(x, y)
        x, y = gx - dx, gy - dy
    inside = _in_china(gx, gy) | _in_china(x, y, _SLACK_DEG)
    return np.where(inside, x, gx), np.where(inside, y, gy)


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Move GCJ-02 points to BD-09; identity outside China.

    >>> lon, lat = bd09_from_gcj02(116.404, 39.915)
    >>> print(f"{lon:.6f} {lat:.6f}")
    116.410369 39.921337
    """
    x, y = _arrays(lon, lat)
    bx, by = _bd_forward(x, y)
    inside = _in_china(x, y)
    return np.where(inside, bx, x), np.where(inside, by, y)


def _bd_forward(x: Floats, y: Floats) -> LonLat:
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD_ANGLE)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD_ANGLE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Move BD-09 points to GCJ-02, to less than a millimetre; identity outside China.

    >>> lon, lat = gcj02_from_bd09(*bd09_from_gcj02(117.1, 33.9))
    >>> print(f"{lon:.8f} {lat:.8f}")
    117.10000000 33.90000000
    """
    bx, by = _arrays(lon, lat)
    x, y = bx - 0.0065, by - 0.006
    for _ in range(_INVERSE_STEPS):
        fx, fy = _bd_forward(x, y)
        x, y = x + (bx - fx), y + (by - fy)
    inside = _in_china(bx, by) | _in_china(x, y, _SLACK_DEG)
    return np.where(inside, x, bx), np.where(inside, y, by)


def wgs84_from_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Move BD-09 points to WGS-84; identity outside China.

    >>> lon, lat = wgs84_from_bd09(*bd09_from_gcj02(*gcj02_from_wgs84(117.1, 33.9)))
    >>> print(f"{lon:.8f} {lat:.8f}")
    117.10000000 33.90000000
    """
    return wgs84_from_gcj02(*gcj02_from_bd09(lon, lat))


def distance_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """Geodesic length on the WGS-84 ellipsoid (Karney's algorithm through PROJ, exact to nanometres).

    Args:
        lon1: Longitudes of the first points, degrees, EPSG:4326.
        lat1: Latitudes of the first points.
        lon2: Longitudes of the second points.
        lat2: Latitudes of the second points; the four broadcast against each other.

    Returns:
        Metres, float64, in the broadcast shape (0-d for four plain numbers).

    >>> print(round(float(distance_m(117.0, 34.0, 117.01, 34.0)), 1))
    923.8
    """
    a, b, c, d = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (lon1, lat1, lon2, lat2)))
    if a.size == 0:
        return np.zeros(a.shape)
    metres = _GEOD.inv(a.ravel(), b.ravel(), c.ravel(), d.ravel())[2]
    return np.asarray(metres, dtype=np.float64).reshape(a.shape)


class LocalMetric:
    """A flat frame in metres about one point: transverse Mercator on the WGS-84 ellipsoid, scale 1.

    Lengths are true to 3 parts in a million 15 km from the centre's meridian and to 1 in 8,000 at 100 km.

    Args:
        lon: Longitude of the origin, degrees.
        lat: Latitude of the origin, degrees.

    Raises:
        CrsMismatch: The origin is not a longitude and latitude.

    >>> frame = LocalMetric(117.0, 34.0)
    >>> x, y = frame.to_xy(117.01, 34.0)
    >>> print(f"{x:.1f} {y:.1f}")
    923.8 0.0
    """

    __slots__ = ("_here", "_made", "lat", "lon")

    def __init__(self, lon: float, lat: float) -> None:
        if not (-180.0 <= lon <= 180.0 and -90.0 < lat < 90.0):
            raise CrsMismatch(f"({lon}, {lat}) is not a longitude and latitude in degrees")
        self.lon = float(lon)
        self.lat = float(lat)
        target = f"+proj=tmerc +lat_0={self.lat!r} +lon_0={self.lon!r} +k=1 +ellps=WGS84 +units=m +no_defs"
        with LOOKING_UP:
            self._made = pyproj.Transformer.from_crs(WGS84, target, always_xy=True)
        self._here = threading.local()

    @property
    def _transformer(self) -> pyproj.Transformer:
        """The transformer, after this thread's look-up."""
        if not hasattr(self._here, "known"):
            with LOOKING_UP:
                self._made.transform(self.lon, self.lat)
            self._here.known = True
        return self._made

    def to_xy(self, lon: ArrayLike, lat: ArrayLike) -> LonLat:
        """Metres east and north of the origin for WGS-84 degrees; any broadcasting shape."""
        x, y = self._transformer.transform(*_writable(lon, lat))
        return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)

    def to_lonlat(self, x: ArrayLike, y: ArrayLike) -> LonLat:
        """WGS-84 degrees for metres east and north of the origin; any broadcasting shape."""
        lon, lat = self._transformer.transform(*_writable(x, y), direction="INVERSE")
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    def point_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Like `to_xy` for one point, without the cost of arrays."""
        x, y = self._transformer.transform(lon, lat)
        return float(x), float(y)

    def project(self, geometry: BaseGeometry) -> BaseGeometry:
        """One geometry in degrees as the same geometry in metres of this frame."""
        return shapely.transform(geometry, by_columns(self.to_xy))

    def unproject(self, geometry: BaseGeometry) -> BaseGeometry:
        """The reverse of `project`."""
        return shapely.transform(geometry, by_columns(self.to_lonlat))


def by_columns(change: Callable[[Floats, Floats], LonLat]) -> Callable[[Floats], Floats]:
    """Make a function of (x, y) columns fit `shapely.transform`, which hands over (n, 2) rows."""

    def rows(coordinates: Floats) -> Floats:
        return np.column_stack(change(coordinates[:, 0], coordinates[:, 1]))

    return rows


def _writable(a: ArrayLike, b: ArrayLike) -> LonLat:
    # PROJ writes into the buffer it is given, so a broadcast view must become an array of its own.
    x, y = _arrays(a, b)
    return np.array(x), np.array(y)


@lru_cache(maxsize=32)
def _to_wgs84_transformer(crs: str) -> pyproj.Transformer:
    try:
        return pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    except CRSError as error:
        raise CrsMismatch(f"unknown coordinate reference system {crs!r}") from error


def lonlat_from(crs: str, x: ArrayLike, y: ArrayLike) -> LonLat:
    """Turn coordinates of a declared reference system into WGS-84 degrees.

    Args:
        crs: "EPSG:4326", "EPSG:4490" (CGCS2000, the same to within decimetres), "GCJ-02", "BD-09" or any
            "EPSG:n" that PROJ knows.
        x: Eastings or longitudes.
        y: Northings or latitudes.

    Returns:
        (lon, lat) in WGS-84 degrees.

    Raises:
        CrsMismatch: The system is unknown, or the result is not on the globe.

    >>> lon, lat = lonlat_from("EPSG:3857", 13024119.76, 4028802.03)
    >>> print(f"{lon:.4f} {lat:.4f}")
    116.9977 34.0000
    """
    name = crs.strip().upper()
    xs, ys = _arrays(x, y)
    if name in (WGS84, CGCS2000, "WGS84", "WGS-84", "CGCS2000", "OGC:CRS84"):
        lon, lat = xs, ys
    elif name in (GCJ02, "GCJ02"):
        lon, lat = wgs84_from_gcj02(xs, ys)
    elif name in (BD09, "BD09"):
        lon, lat = wgs84_from_bd09(xs, ys)
    else:
        # Not upper-cased: a PROJ string or WKT is case-sensitive where an "EPSG:n" is not.
        with LOOKING_UP:
            moved = _to_wgs84_transformer(crs.strip()).transform(np.array(xs), np.array(ys))
        lon, lat = np.asarray(moved[0], dtype=np.float64), np.asarray(moved[1], dtype=np.float64)
    known = ~np.isnan(lon)
    if bool(np.any((np.abs(lon) > 180.0) & known)) or bool(np.any((np.abs(lat) > 90.0) & known)):
        raise CrsMismatch(f"the coordinates are not on the globe when read as {crs}")
    return lon, lat


def to_wgs84(geometries: Sequence[BaseGeometry], crs: str) -> list[BaseGeometry]:
    """Turn geometries of a declared reference system into WGS-84 longitude and latitude.

    Args:
        geometries: Any shapely geometries; z is dropped.
        crs: See `lonlat_from`.

    Returns:
        New geometries in the same order; an empty sequence gives an empty list.

    Raises:
        CrsMismatch: The system is unknown, or a result is not on the globe (projected metres declared as
            degrees end up here).

    >>> to_wgs84([shapely.Point(117, 34)], "EPSG:4490")
    [<POINT (117 34)>]
    """
    if not len(geometries):
        return []
    flat = shapely.force_2d(np.asarray(geometries, dtype=object))
    moved = shapely.transform(flat, by_columns(lambda x, y: lonlat_from(crs, x, y)))
    return list(moved)
