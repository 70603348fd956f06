"""Cameras as registered points."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.accounts.visibility import significant
from command.api.geo_query import BBox, Lat, Lon, parse_bbox
from command.api.security import require
from command.api.services import Json, KeyOf, ServicesOf, wire
from command.cameras import Camera
from command.errors import NotFound
from command.ids import new_id
from command.incidents import distance_m

router = APIRouter(tags=["cameras"])
Viewer = Annotated[Principal, Depends(require("camera.view"))]
Manager = Annotated[Principal, Depends(require("camera.manage"))]


class CameraBody(BaseModel):
    """A camera to register."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    gb_id: str | None = Field(default=None, pattern=r"^\d{20}$")
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    network: Literal["xueliang", "bureau", "social"] = "xueliang"
    site_type: str | None = Field(default=None, max_length=40)
    azimuth: float | None = Field(default=None, ge=0, lt=360)
    fov: float | None = Field(default=None, gt=0, le=360)


@router.get("/cameras")
async def list_cameras(
    me: Viewer,
    s: ServicesOf,
    bbox: BBox = None,
    area: str | None = None,
    status: str | None = None,
    q: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
) -> Json:
    """List cameras by id."""
    box = parse_bbox(bbox)
    root = significant(area) if area else None
    items: list[Json] = []
    for key in sorted(s.board.cameras):
        camera = s.board.cameras[key]
        if cursor is not None and key <= cursor:
            continue
        if box and not (box[0] <= camera.lon <= box[2] and box[1] <= camera.lat <= box[3]):
            continue
        if (root and not (camera.grid or "").startswith(root)) or (status and camera.status != status):
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
    """List the cameras nearest to a point, with the distance in metres."""
    seen = [camera for camera in s.board.cameras.values() if s.sees(me, "cameras", camera)]
    ranked = sorted((distance_m(lon, lat, c.lon, c.lat), c.id) for c in seen)[:limit]
    items = [{**wire(s.board.cameras[key]), "distance_m": round(metres, 1)} for metres, key in ranked]
    return {"items": items, "next": None}


@router.get("/cameras/{camera_id}")
async def read_camera(camera_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Read one camera."""
    camera = s.board.cameras.get(camera_id)
    if camera is None or not s.sees(me, "cameras", camera):
        raise NotFound("camera", camera_id)
    return wire(camera)


@router.post("/cameras", status_code=201)
async def register_camera(body: CameraBody, me: Manager, s: ServicesOf, key: KeyOf) -> Json:
    """Register a camera as a point on the map."""
    grid = s.district.areas.locate(body.lon, body.lat).areas.get(4)
    camera = Camera(id=new_id("c"), grid=grid, **body.model_dump())
    outcome = await s.operations.cameras.register(me.actor, [camera], key)
    return outcome.answer
