"""Points that stand on the map of themselves: places (schools, hazards, …) and checkpoints."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.api.geo_query import BBox, parse_bbox
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from gis.checkpoints import Checkpoint
from gis.files import Place

router = APIRouter(tags=["areas"])
Viewer = Annotated[Principal, Depends(require("view.map"))]

MOST: Final = 2000
"""In one page of a list."""


@router.get("/places")
async def list_places(
    me: Viewer,
    s: ServicesOf,
    bbox: BBox = None,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    cursor: Annotated[int, Query(ge=0)] = 0,
) -> Json:
    """List named places, in the order of their file."""
    frame = parse_bbox(bbox)
    found = [
        place
        for place in s.district.places
        if kind in (None, place.kind) and _inside(place, frame) and _sees(s, me, place)
    ]
    items = [
        {
            "name": place.name,
            "kind": place.kind,
            "address": place.address,
            "lon": place.lon,
            "lat": place.lat,
        }
        for place in found[cursor : cursor + limit]
    ]
    return {"items": items, "next": str(cursor + limit) if len(found) > cursor + limit else None}


@router.get("/checkpoints")
async def list_checkpoints(me: Viewer, s: ServicesOf, bbox: BBox = None) -> Json:
    """List the checkpoints (卡口) with level, ring and whether somebody stands there."""
    frame = parse_bbox(bbox)
    items = [
        {
            "code": point.code,
            "name": point.name,
            "level": point.level,
            "ring": point.ring,
            "station": point.station,
            "staffed": point.staffed,
            "cameras": list(point.cameras),
            "lon": point.lon,
            "lat": point.lat,
        }
        for point in s.district.checkpoints
        if _inside(point, frame) and _sees(s, me, point)
    ]
    return {"items": items, "next": None}


def _inside(point: Place | Checkpoint, frame: tuple[float, float, float, float] | None) -> bool:
    if frame is None:
        return True
    west, south, east, north = frame
    return west <= point.lon <= east and south <= point.lat <= north


def _sees(s: Services, me: Principal, point: Place | Checkpoint) -> bool:
    """Places tell of no case, but an account with a part of the district sees that part of it."""
    if me.area is None:
        return True
    grid, area, _ = s.district.ground_of(point.lon, point.lat)
    return s.access.covers(me, grid or area)
