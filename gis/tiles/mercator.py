"""Where tiles lie: the square Web Mercator scheme with the origin in the north-west."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MOST_ZOOM: Final = 24
BBox = tuple[float, float, float, float]
"""West, south, east and north in degrees."""


def exists(z: int, x: int, y: int) -> bool:
    """Say whether there is such a tile.

    >>> exists(1, 1, 0), exists(1, 2, 0), exists(-1, 0, 0)
    (True, False, False)
    """
    return 0 <= z <= MOST_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z


def world_of(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Place degrees on the square of the world, 0 to 1 from west to east and from north to south.

    >>> x, y = world_of(0.0, 0.0)
    >>> float(x), float(y)
    (0.5, 0.5)
    """
    phi = np.radians(np.clip(np.asarray(lat, np.float64), -85.06, 85.06))
    x = np.asarray(lon, np.float64) / 360.0 + 0.5
    y = 0.5 - np.arcsinh(np.tan(phi)) / (2.0 * np.pi)
    return x, np.asarray(y, np.float64)


def lonlat_of(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return the degrees of places on the square of the world; the reverse of `world_of`."""
    lon = (np.asarray(x, np.float64) - 0.5) * 360.0
    lat = np.degrees(np.arctan(np.sinh((0.5 - np.asarray(y, np.float64)) * 2.0 * np.pi)))
    return lon, lat


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Return the tile that a point lies in.

    >>> tile_at(116.4, 39.9, 10)
    (10, 843, 388)
    """
    x, y = world_of(lon, lat)
    last = (1 << z) - 1
    return z, min(max(int(x * (1 << z)), 0), last), min(max(int(y * (1 << z)), 0), last)


def bounds_of(z: int, x: int, y: int) -> BBox:
    """Return the degrees that a tile covers."""
    side = float(1 << z)
    lon, lat = lonlat_of([x / side, (x + 1) / side], [(y + 1) / side, y / side])
    return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def meets(tile: BBox, bounds: BBox) -> bool:
    """Say whether two boxes have anything in common."""
    return tile[0] < bounds[2] and tile[2] > bounds[0] and tile[1] < bounds[3] and tile[3] > bounds[1]
