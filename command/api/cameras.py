"""Cameras: which there are, which look at a place, and what is wrong with them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.accounts.visibility import significant
from command.api.geo_query import BBox, Lat, Lon, parse_bbox
from command.api.security import require
from command.api.services import Json, Services, ServicesOf, wire
from command.cameras import Camera, Status, looks_at
from command.clock import rfc3339
from command.errors import NotFound
from command.incidents import distance_m

router = APIRouter(tags=["cameras"])
Viewer = Annotated[Principal, Depends(require("camera.view"))]
Reader = Annotated[Principal, Depends(require("camera.view", "camera.manage"))]
"""Whoever keeps the registry sees what is in it, which is not to watch."""

AILING = frozenset({Status.DEGRADED, Status.STALE, Status.OFFLINE})


def camera_for(s: Services, me: Principal, camera_id: str) -> Camera:
    """Return a camera that exists for the principal.

    Raises:
        NotFound: It does not.
    """
    camera = s.board.cameras.get(camera_id)
    if camera is None or not s.sees(me, "cameras", camera):
        raise NotFound("camera", camera_id)
    return camera


@router.get("/cameras")
async def list_cameras(
    me: Reader,
    s: ServicesOf,
    bbox: BBox = None,
    area: str | None = None,
    status: str | None = None,
    group: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
) -> Json:
    """List cameras by id; several statuses are separated by commas."""
    box = parse_bbox(bbox)
    root = significant(area) if area else None
    statuses = frozenset(status.split(",")) if status else None
    items: list[Json] = []
    for key in sorted(s.board.cameras):
        camera = s.board.cameras[key]
        if cursor is not None and key <= cursor:
            continue
        if box and not (box[0] <= camera.lon <= box[2] and box[1] <= camera.lat <= box[3]):
            continue
        if root and not any((code or "").startswith(root) for code in (camera.grid, camera.area)):
            continue
        if (statuses and camera.status not in statuses) or (group and group not in camera.tour_groups):
            continue
        if (q and q not in camera.name and q != camera.gb_id) or not s.sees(me, "cameras", camera):
            continue
        if len(items) == limit:
            return {"items": items, "next": items[-1]["id"]}
        items.append(wire(camera))
    return {"items": items, "next": None}


@router.get("/cameras/near")
async def near_cameras(
    lon: Lon, lat: Lat, me: Viewer, s: ServicesOf, limit: Annotated[int, Query(ge=1, le=50)] = 4
) -> Json:
    """List the cameras of a place: those that look at it first, then the nearest; distances in metres."""
    ranked = []
    for camera in s.board.cameras.values():
        if camera.enabled and s.sees(me, "cameras", camera):
            metres = distance_m(camera.lon, camera.lat, lon, lat)
            ranked.append((not looks_at(camera, lon, lat, metres), metres, camera.id))
    ranked.sort()
    items = [
        {**wire(s.board.cameras[key]), "distance_m": round(metres, 1), "in_view": not elsewhere}
        for elsewhere, metres, key in ranked[:limit]
    ]
    return {"items": items, "next": None}


@router.get("/cameras/faults")
async def list_faults(me: Reader, s: ServicesOf, limit: Annotated[int, Query(ge=1, le=5_000)] = 500) -> Json:
    """List the cameras with something wrong, the newest trouble first, and what the verdict rests on."""
    ailing = [c for c in s.board.cameras.values() if c.status in AILING and s.sees(me, "cameras", c)]
    ailing.sort(key=lambda c: c.id)
    ailing.sort(key=lambda c: c.fault_since or "", reverse=True)
    return {"items": [_fault(s, camera) for camera in ailing[:limit]], "next": None}


def _fault(s: Services, camera: Camera) -> Json:
    looked = s.operations.cameras.looked.get(camera.id)
    return {
        "camera": wire(camera),
        "fault": camera.fault,
        "since": camera.fault_since,
        "light": None if looked is None else looked.light,
        "measures": {} if looked is None else dict(looked.measures),
        "has_reference": looked is not None and looked.has_reference,
        "checked_at": None if looked is None else rfc3339(looked.at),
    }


@router.get("/cameras/{camera_id}")
async def read_camera(camera_id: str, me: Reader, s: ServicesOf) -> Json:
    """Read one camera."""
    return wire(camera_for(s, me, camera_id))
