"""What cameras show, asked for once: snapshots, thumbnails, what a verdict rests on; and moving a camera."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.cameras import camera_for
from command.api.live import record_viewing
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf
from command.cameras import Camera
from command.clock import rfc3339
from command.errors import Malformed, NotFound
from command.video import pictures_folder
from streams.gb28181.messages import Motion
from streams.health.files import Kind, PictureFolder
from streams.health.messages import HealthReport

router = APIRouter(tags=["pictures"])
Viewer = Annotated[Principal, Depends(require("camera.view"))]
Mover = Annotated[Principal, Depends(require("camera.control"))]
Player = Annotated[Principal, Depends(require("clip.view"))]

LIGHTS: Final = ("day", "dusk", "night", "ir")
LONGEST_SEARCH_S: Final = 31 * 86_400.0


class PtzBody(BaseModel):
    """How to move a camera. Speeds from -1 to 1: right, up and closer are positive."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["move", "stop", "preset", "save_preset"]
    pan: float = Field(default=0, ge=-1, le=1, allow_inf_nan=False)
    tilt: float = Field(default=0, ge=-1, le=1, allow_inf_nan=False)
    zoom: float = Field(default=0, ge=-1, le=1, allow_inf_nan=False)
    preset: int | None = Field(default=None, ge=1, le=255)


@router.get("/cameras/{camera_id}/snapshot.jpg")
async def snapshot(
    camera_id: str,
    me: Viewer,
    s: ServicesOf,
    incident_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Take a picture now; recorded as a viewing."""
    _shown(s, me, camera_id)
    still = await s.video.still(camera_id)
    await record_viewing(s, me, camera_id, "snapshot", purpose="snapshot", incident_id=incident_id)
    return _jpeg(still.jpeg, still.taken_at)


@router.get("/cameras/{camera_id}/thumbnail.jpg")
async def thumbnail(camera_id: str, me: Viewer, s: ServicesOf) -> Response:
    """Read the small picture of the last look at the camera; 204 while there is none."""
    _shown(s, me, camera_id)
    try:
        return await _picture(s, camera_id, "thumbnail")
    except NotFound:
        return Response(status_code=204)  # pages ask for many: a camera nobody saw yet is no failure


@router.get("/cameras/{camera_id}/health/picture.jpg")
async def health_picture(camera_id: str, me: Viewer, s: ServicesOf) -> Response:
    """Read the picture the last verdict rests on."""
    _shown(s, me, camera_id)
    return await _picture(s, camera_id, "picture")


@router.get("/cameras/{camera_id}/health/reference.jpg")
async def health_reference(
    camera_id: str,
    me: Viewer,
    s: ServicesOf,
    light: Annotated[Literal["day", "dusk", "night", "ir"] | None, Query()] = None,
) -> Response:
    """Read what the camera is compared with, in the light of the last look unless another is asked for."""
    _shown(s, me, camera_id)
    looked = s.operations.cameras.looked.get(camera_id)
    wanted = light or (looked.light if looked is not None else None)
    for candidate in (wanted, *LIGHTS) if light is None else (light,):
        if candidate is not None:
            try:
                return await _picture(s, camera_id, "reference", candidate)
            except NotFound:
                continue
    raise NotFound("picture", camera_id)


@router.post("/cameras/{camera_id}/check")
async def check(camera_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Look at the camera's picture now, ahead of its turn."""
    _shown(s, me, camera_id)
    return _report(await s.video.check(camera_id))


@router.post("/cameras/{camera_id}/false_alarm")
async def false_alarm(
    camera_id: str,
    me: Annotated[Principal, Depends(require("video.manage"))],
    s: ServicesOf,
    key: KeyOf,
) -> Json:
    """Say that nothing is wrong: the present picture becomes what the camera is compared with."""
    _shown(s, me, camera_id, "video.manage")
    return (await s.video_desk.false_alarm(me.actor, camera_id, key)).answer


@router.post("/cameras/{camera_id}/ptz")
async def move(camera_id: str, body: PtzBody, me: Mover, s: ServicesOf) -> Json:
    """Move a camera; it stops by itself a second after the last ``move``."""
    camera = _movable(s, me, camera_id)
    if body.action in ("preset", "save_preset"):
        if body.preset is None:
            raise Malformed("preset", "which preset? 1 to 255")
        save = body.action == "save_preset"
        await s.video.preset(camera.id, body.preset, save=save)
        if save:
            await s.audit.record(
                me.user_id, "camera.preset_saved", f"camera:{camera.id}", data={"preset": body.preset}
            )
        return {"ok": True}
    moving = body.action == "move"
    motion = Motion(pan=body.pan, tilt=body.tilt, zoom=body.zoom) if moving else Motion()
    await s.video.move(camera.id, motion)
    return {"ok": True}


@router.get("/cameras/{camera_id}/presets")
async def presets(camera_id: str, me: Mover, s: ServicesOf) -> Json:
    """List the presets a camera has."""
    camera = _movable(s, me, camera_id)
    found = await s.video.presets(camera.id)
    return {"items": [{"preset": one.preset, "name": one.name} for one in found], "next": None}


@router.get("/cameras/{camera_id}/records")
async def records(
    camera_id: str, start: AwareDatetime, end: AwareDatetime, me: Player, s: ServicesOf
) -> Json:
    """List what the camera's device has recorded between two instants."""
    _shown(s, me, camera_id, "clip.view")
    if not 0 < (end - start).total_seconds() <= LONGEST_SEARCH_S:
        raise Malformed("end", "after start, and at most 31 days later")
    found = await s.video.records(camera_id, start.astimezone(UTC), end.astimezone(UTC))
    items = [
        {"start": rfc3339(one.start), "end": rfc3339(one.end), "name": one.name, "size": one.size}
        for one in found
    ]
    return {"items": items, "next": None}


def _shown(s: Services, me: Principal, camera_id: str, permission: str = "camera.view") -> Camera:
    """Return a camera whose pictures the principal may have: to keep it in the registry is not enough."""
    camera = camera_for(s, me, camera_id)
    s.demand(me, permission, "cameras", camera_id)
    return camera


def _movable(s: Services, me: Principal, camera_id: str) -> Camera:
    camera = _shown(s, me, camera_id, "camera.control")
    if not camera.ptz:
        raise Malformed("camera_id", "this camera does not move")
    return camera


def _report(report: HealthReport) -> Json:
    return {
        "status": report.status,
        "fault": report.fault,
        "suspected": report.suspected,
        "since": None if report.since is None else rfc3339(report.since),
        "checked_at": rfc3339(report.at),
        "light": report.light,
        "measures": report.measures,
        "reason": report.reason,
        "has_reference": report.has_reference,
    }


async def _picture(s: Services, camera_id: str, kind: Kind, light: str = "") -> Response:
    path = PictureFolder(pictures_folder(s.settings)).path(camera_id, kind, light)

    def read(path: Path) -> tuple[bytes, datetime]:
        with path.open("rb") as file:
            taken_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return file.read(), taken_at

    try:
        content, taken_at = await asyncio.to_thread(read, path)
    except FileNotFoundError:
        raise NotFound("picture", camera_id) from None
    return _jpeg(content, taken_at)


def _jpeg(content: bytes, taken_at: datetime) -> Response:
    headers = {"x-taken-at": rfc3339(taken_at), "cache-control": "private, no-store"}
    return Response(content, media_type="image/jpeg", headers=headers)
