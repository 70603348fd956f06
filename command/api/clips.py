"""Pictures kept as evidence: begin, list, play, export. Playing and exporting are recorded as viewings."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from command import exports
from command.accounts.access import Principal
from command.api.cameras import camera_for
from command.api.live import record_viewing
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf
from command.cameras import Camera, checked_text
from command.errors import Malformed, NotFound
from command.store.clips import Clip
from streams.errors import by_code

router = APIRouter(tags=["clips"])
Keeper = Annotated[Principal, Depends(require("clip.create"))]
Player = Annotated[Principal, Depends(require("clip.view"))]
Exporter = Annotated[Principal, Depends(require("clip.export"))]

MOST_AT_ONCE: Final = 16


class ClipBody(BaseModel):
    """What to keep: the last seconds, as far as they are still held, and the next ones."""

    model_config = ConfigDict(extra="forbid")

    camera_ids: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)
    incident_id: str | None = Field(default=None, max_length=64)
    before_s: float = Field(default=30, ge=0, le=600, allow_inf_nan=False)
    after_s: float = Field(default=120, ge=0, le=14_400, allow_inf_nan=False)
    note: str = Field(default="", max_length=200)


class ExportBody(BaseModel):
    """Why a copy is given away; it stands in every picture and in the record."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(min_length=2, max_length=100)
    part: int = Field(default=1, ge=1, le=1_000)


@router.post("/clips", status_code=201)
async def keep_clips(body: ClipBody, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Begin a clip of each camera; all of them are checked before the first begins.

    One that cannot begin is in the answer as failed beside those that did.
    """
    if (known := s.video_desk.answers.known(me.user_id, key)) is not None:
        return known
    wanted = [camera_for(s, me, camera_id) for camera_id in dict.fromkeys(body.camera_ids)]
    for camera in wanted:
        s.demand(me, "clip.create", "cameras", camera.id)
    if body.incident_id is not None:
        incident = s.board.incidents.get(body.incident_id)
        if incident is None or not s.sees(me, "incidents", incident):
            raise NotFound("incident", body.incident_id)
    note = checked_text("note", body.note, 200, least=0)
    await s.video_desk.room_for(len(wanted), before_s=body.before_s, after_s=body.after_s)
    begun = []
    for camera in wanted:
        clip = await s.video_desk.keep(
            me,
            camera,
            before_s=body.before_s,
            after_s=body.after_s,
            incident_id=body.incident_id,
            note=note,
        )
        await s.audit.record(
            me.user_id,
            "clip.begun",
            f"clip:{clip.id}",
            data={"camera": camera.id, "incident": body.incident_id},
        )
        begun.append((clip, camera))
    if all(clip.state == "failed" for clip, _ in begun):
        raise by_code(begun[0][0].reason or "")("no clip could be begun")
    return s.video_desk.answers.keep(
        me.user_id, key, {"items": [_wire(clip, camera) for clip, camera in begun], "next": None}
    )


@router.get("/clips")
async def list_clips(
    me: Player,
    s: ServicesOf,
    incident_id: Annotated[str | None, Query(max_length=64)] = None,
    camera_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=120)] = None,
) -> Json:
    """List clips of cameras one may see, newest first."""
    before = None
    if cursor is not None:
        at, _, key = cursor.partition("~")
        if not at or not key:
            raise Malformed("cursor", "not one of ours")
        before = (at, key)
    found = await s.video_desk.clips.list(
        incident_id=incident_id, camera_id=camera_id, before=before, limit=limit
    )
    items = [_wire(clip, camera) for clip in found if (camera := _camera(s, me, clip)) is not None]
    last = found[-1] if len(found) == limit else None
    return {"items": items, "next": None if last is None else f"{last.created_at}~{last.id}"}


@router.get("/clips/{clip_id}")
async def read_clip(clip_id: str, me: Player, s: ServicesOf) -> Json:
    """Read one clip."""
    clip, camera = await _clip(s, me, clip_id)
    return _wire(clip, camera)


@router.get("/clips/{clip_id}/video.mp4")
async def play_clip(
    clip_id: str, me: Player, s: ServicesOf, part: Annotated[int, Query(ge=1, le=1_000)] = 1
) -> FileResponse:
    """Play a clip's file as it was written; byte ranges are answered."""
    clip, _ = await _clip(s, me, clip_id)
    path = _file(s, clip, part)
    if s.video_desk.played_anew(me.user_id, clip.id):
        await record_viewing(s, me, clip.camera_id, "clip", purpose="clip", incident_id=clip.incident_id)
    return FileResponse(path, media_type="video/mp4", headers={"cache-control": "private, no-store"})


@router.get("/clips/{clip_id}/manifest")
async def read_manifest(clip_id: str, me: Player, s: ServicesOf) -> Json:
    """Read what the clip's files are: times, sizes, hashes, gaps."""
    clip, _ = await _clip(s, me, clip_id)
    return {"items": _manifests(clip), "next": None}


@router.post("/clips/{clip_id}/export", status_code=202)
async def begin_export(clip_id: str, body: ExportBody, me: Exporter, s: ServicesOf, key: KeyOf) -> Json:
    """Begin a copy to give away: name, time and purpose are burned into every picture."""
    if (known := s.video_desk.answers.known(me.user_id, key)) is not None:
        return known
    clip, camera = await _clip(s, me, clip_id)
    if not s.access.may(me, "clip.export", "cameras", camera, s.lookup):
        raise NotFound("clip", clip_id)
    purpose = checked_text("purpose", body.purpose, 100, least=2)
    export = s.exports.begin(me, clip, body.part, purpose, camera.name)
    await record_viewing(s, me, clip.camera_id, "export", purpose=purpose, incident_id=clip.incident_id)
    await s.audit.record(
        me.user_id, "clip.exported", f"clip:{clip.id}", purpose=purpose, data={"export": export.id}
    )
    return s.video_desk.answers.keep(me.user_id, key, exports.wire(export))


@router.get("/clips/{clip_id}/exports/{export_id}")
async def read_export(clip_id: str, export_id: str, me: Exporter, s: ServicesOf) -> Json:
    """Say how far an export is; only whoever began it may ask."""
    await _clip(s, me, clip_id)
    return exports.wire(s.exports.of(me, clip_id, export_id))


@router.get("/clips/{clip_id}/exports/{export_id}/video.mp4")
async def download_export(clip_id: str, export_id: str, me: Exporter, s: ServicesOf) -> FileResponse:
    """Download a finished export."""
    clip, camera = await _clip(s, me, clip_id)
    export = s.exports.of(me, clip_id, export_id)
    if export.state != "ready":
        raise NotFound("export", export_id, f"The export is {export.state}.")
    name = f"{camera.name}-{clip.started_at or clip.created_at}.mp4".replace(":", "")
    return FileResponse(
        export.path, media_type="video/mp4", filename=name, headers={"cache-control": "private, no-store"}
    )


def _camera(s: Services, me: Principal, clip: Clip) -> Camera | None:
    """Return the clip's camera if it exists for somebody; a camera that is gone keeps its clips for the desk."""
    camera = s.board.cameras.get(clip.camera_id)
    if camera is None:
        camera = Camera(id=clip.camera_id, name=clip.camera_id, lon=0, lat=0)
    if not s.sees(me, "cameras", camera):
        return None
    return camera if s.access.may(me, "clip.view", "cameras", camera, s.lookup) else None


async def _clip(s: Services, me: Principal, clip_id: str) -> tuple[Clip, Camera]:
    clip = await s.video_desk.clips.get(clip_id)
    camera = None if clip is None else _camera(s, me, clip)
    if clip is None or camera is None:
        raise NotFound("clip", clip_id)
    return clip, camera


def _file(s: Services, clip: Clip, part: int) -> Path:
    if part > len(clip.manifests):
        raise NotFound("clip", clip.id, "The clip has no such file, or is not ready.")
    return s.video_desk.clips.folder_of(clip.id) / clip.manifests[part - 1].file


def _manifests(clip: Clip) -> list[Json]:
    return [msgspec.to_builtins(manifest) for manifest in clip.manifests]


def _wire(clip: Clip, camera: Camera) -> Json:
    row: Json = {name: getattr(clip, name) for name in Clip.__slots__ if name != "manifests"}
    return {
        **row,
        "camera_name": camera.name,
        "duration_s": sum(manifest.duration_s for manifest in clip.manifests),
        "files": [
            {"part": m.part, "size": m.size, "sha256": m.sha256, "width": m.width, "height": m.height}
            for m in clip.manifests
        ],
    }
