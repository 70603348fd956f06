"""Points and boxes in query strings, read once and refused with the field's name."""

import math
from typing import Annotated

from fastapi import Query

from command.errors import Malformed

BBox = Annotated[
    str | None,
    Query(description="west,south,east,north in degrees, WGS-84", examples=["106.8,37.1,107.0,37.3"]),
]
Lon = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False, description="degrees, WGS-84")]
Lat = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False, description="degrees, WGS-84")]


def parse_bbox(text: str | None) -> tuple[float, float, float, float] | None:
    """Read a box.

    Raises:
        Malformed: Not four finite numbers in order.
    """
    if text is None or not text.strip():
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise Malformed("bbox", "four numbers: west,south,east,north") from None
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or south > north:
        raise Malformed("bbox", "west ≤ east and south ≤ north, all finite")
    return west, south, east, north
