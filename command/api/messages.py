"""Messages with receipts, and the log of calls."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.responders import belongs
from command.api.security import require
from command.api.services import Json, KeyOf, ServicesOf
from command.errors import Forbidden, Malformed, NotFound
from command.messages import BODY_LIMIT

router = APIRouter(tags=["messages"])
Sender = Annotated[Principal, Depends(require("message.send"))]


class MessageBody(BaseModel):
    """A message to responders named by id, or to everybody on duty in an area."""

    model_config = ConfigDict(extra="forbid")

    to: list[str] = Field(default_factory=list, max_length=2_000)
    area: str | None = None
    incident_id: str | None = None
    body: str = Field(min_length=1, max_length=BODY_LIMIT)


class ReplyBody(BaseModel):
    """A message from the field to the centre."""

    model_config = ConfigDict(extra="forbid")

    incident_id: str | None = None
    body: str = Field(min_length=1, max_length=BODY_LIMIT)


class CallBody(BaseModel):
    """Whom to call."""

    model_config = ConfigDict(extra="forbid")

    responder_id: str
    incident_id: str | None = None


@router.post("/messages", status_code=201)
async def send_message(body: MessageBody, me: Sender, s: ServicesOf, key: KeyOf) -> Json:
    """Send a message to responders."""
    if me.responder_id is not None:
        raise Forbidden("Field staff write to the centre: POST /messages/reply.")
    to = list(body.to)
    if body.area is not None:
        to += [
            p.id
            for p in s.board.responders.values()
            if p.on_duty and belongs(p, body.area) and p.id not in to
        ]
        if not to:
            raise Malformed("area", "nobody is on duty there")
    for responder_id in to:
        person = s.board.responders.get(responder_id)
        if person is None or not s.sees(me, "responders", person):
            raise NotFound("responder", responder_id)
    if body.incident_id is not None:
        s.demand(me, "view.map", "incidents", body.incident_id)
    outcome = await s.operations.people.send(me.actor, to, body.body, body.incident_id, key)
    return outcome.answer


@router.post("/messages/reply", status_code=201)
async def reply(body: ReplyBody, me: Sender, s: ServicesOf, key: KeyOf) -> Json:
    """Write to the centre, as a responder."""
    if me.responder_id is None:
        raise Forbidden("Only field staff write to the centre this way.")
    if body.incident_id is not None:
        s.demand(me, "view.map", "incidents", body.incident_id)
    outcome = await s.operations.people.send(me.actor, [], body.body, body.incident_id, key)
    return outcome.answer


@router.post("/messages/{message_id}/delivered")
async def mark_delivered(message_id: str, me: Sender, s: ServicesOf, key: KeyOf) -> Json:
    """Say that a message reached this responder's phone."""
    return await _receipt(message_id, me, s, key, read=False)


@router.post("/messages/{message_id}/read")
async def mark_read(message_id: str, me: Sender, s: ServicesOf, key: KeyOf) -> Json:
    """Say that this responder opened a message."""
    return await _receipt(message_id, me, s, key, read=True)


async def _receipt(message_id: str, me: Principal, s: ServicesOf, key: KeyOf, *, read: bool) -> Json:
    found = s.board.messages.get(message_id)
    if found is None or not s.sees(me, "messages", found):
        raise NotFound("message", message_id)
    outcome = await s.operations.people.receipt(me.actor, message_id, read=read, key=key)
    return outcome.answer


@router.post("/calls", status_code=201)
async def log_call(body: CallBody, me: Sender, s: ServicesOf) -> Json:
    """Record that somebody calls a responder, and return the number to dial."""
    person = s.board.responders.get(body.responder_id)
    if person is None or not s.sees(me, "responders", person):
        raise NotFound("responder", body.responder_id)
    await s.audit.record(me.user_id, "call.placed", f"responder:{person.id}", purpose=body.incident_id)
    return {"tel": person.phone, "responder_id": person.id, "name": person.name}
