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
from streams.onvif.messages import OnvifQuestion

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


class OnvifBody(BaseModel):
    """A device to ask: you say which; nothing is searched for on the network."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=80, ge=1, le=65_535)
    username: str | None = Field(default=None, max_length=64)
    password: str | None = Field(default=None, max_length=128, repr=False)


@router.post("/onvif/probe")
async def ask_onvif(body: OnvifBody, me: Manager, s: ServicesOf) -> Json:
    """Ask a device what it is and how it offers its pictures."""
    await s.video_desk.ensure_started()
    question = OnvifQuestion(
        host=body.host.strip(), port=body.port, username=body.username, password=body.password
    )
    device = await s.video.ask_onvif(question)
    await s.audit.record(me.user_id, "onvif.probed", f"host:{question.host}:{question.port}")
    answer: Json = msgspec.to_builtins(device)
    return answer
