"""What a camera looks at."""

import math
from typing import Final

from command.cameras.model import Camera

RANGE_M: Final = 150.0
"""How far a camera sees that nobody measured."""
FOV_DEG: Final = 60.0
"""How wide a camera sees of which only the direction is known."""


def bearing_deg(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the direction from the first point to the second, degrees clockwise from north.

    >>> round(bearing_deg(116.8, 33.9, 116.81, 33.9))
    90
    """
    east = (lon2 - lon1) * math.cos(math.radians((lat1 + lat2) / 2))
    return math.degrees(math.atan2(east, lat2 - lat1)) % 360.0


def looks_at(camera: Camera, lon: float, lat: float, distance_m: float) -> bool:
    """Say whether a point lies in the camera's sector; False where nobody said where it looks.

    Args:
        camera: Which.
        lon: Degrees, WGS-84.
        lat: Degrees.
        distance_m: From the camera to the point.
    """
    if distance_m > (camera.range_m or RANGE_M):
        return False
    fov = camera.fov or FOV_DEG
    if fov >= 360.0:
        return True
    if camera.azimuth is None:
        return False
    if distance_m < 1.0:
        return True
    off = (bearing_deg(camera.lon, camera.lat, lon, lat) - camera.azimuth + 180.0) % 360.0 - 180.0
    return abs(off) <= fov / 2
