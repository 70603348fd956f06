"""Trying a camera before it is registered. What is tried is what would be kept: structured, and allowed."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.camera_registry import SourceBody, source_of
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.cameras.sources import target_of
from command.errors import Malformed

router = APIRouter(tags=["cameras"])
Manager = Annotated[Principal, Depends(require("camera.manage"))]


class ProbeBody(BaseModel):
    """A source to try; with a camera's id and no password, the one kept for it is used where it points the same."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    source: SourceBody
    camera_id: str | None = Field(default=None, max_length=64)


@router.post("/cameras/probe")
async def probe(body: ProbeBody, me: Manager, s: ServicesOf) -> Json:
    """Try a source now: what comes, or the plain reason why nothing does."""
    source = await source_of(s, body.source)
    if source is None:
        raise Malformed("source", "which source?")
    if source.password is None and body.camera_id is not None:
        kept = await s.sources.load_source(body.camera_id)
        if kept is not None and target_of(kept) == target_of(source):
            source = msgspec.structs.replace(source, password=kept.password)
    await s.video_desk.ensure_started()
    found = await s.video.probe(source)
    await s.audit.record(me.user_id, "camera.probed", f"host:{source.host}", data={"ok": found.ok})
    answer: Json = msgspec.to_builtins(found)
    return answer
