"""Incidents: report, read, and every command of the lifecycle."""

import asyncio
import base64
import contextlib
import hashlib
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from command import incidents
from command.accounts.access import COMMANDS, Principal
from command.accounts.visibility import significant
from command.api.geo_query import BBox, parse_bbox
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf
from command.assignments import Assignment
from command.clock import rfc3339
from command.desk import Key
from command.errors import Forbidden, Malformed, NotFound, TooLarge, YipingError
from command.incidents import Attachment, Incident
from command.store import schema
from command.store.photos import keep_photo

router = APIRouter(tags=["incidents"])

Reporter = Annotated[Principal, Depends(require("incident.report"))]
Viewer = Annotated[Principal, Depends(require("view.map"))]
Noter = Annotated[Principal, Depends(require("incident.note"))]
Unmasker = Annotated[Principal, Depends(require("contact.unmask"))]


PHOTO_SIGNATURES: Final = {
    b"\xff\xd8\xff": ("image/jpeg", ".jpg"),
    b"\x89PNG\r\n\x1a\n": ("image/png", ".png"),
    b"RIFF": ("image/webp", ".webp"),
}


class ReportBody(BaseModel):
    """A new incident."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=80)
    category: str
    level: str = "none"
    source: str = "console"
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    description: str = Field(default="", max_length=2_000)
    address: str | None = Field(default=None, max_length=200)
    reporter_contact: str | None = Field(default=None, max_length=64)
    occurred_at: str | None = None
    exercise: bool = False


class CommandBody(BaseModel):
    """The words a command brings; which ones it needs is the lifecycle's business."""

    model_config = ConfigDict(extra="forbid")

    expected_version: int | None = Field(default=None, ge=1)
    responder_ids: list[str] | None = Field(default=None, max_length=50)
    override_reason: str | None = Field(default=None, max_length=500)
    category: str | None = None
    level: str | None = None
    title: str | None = None
    address: str | None = None
    lead_department: str | None = None
    reason: str | None = None
    note: str | None = None
    text: str | None = None
    into: str | None = None
    incident_id: str | None = None
    until: str | None = None
    disposition: str | None = None
    score: int | None = None
    comment: str | None = None
    resolved: bool | None = None
    grade: str | None = None

    def words(self) -> dict[str, str]:
        """Return what was said, as texts."""
        said = self.model_dump(exclude={"expected_version", "responder_ids"}, exclude_none=True)
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in said.items()
        }


class PurposeBody(BaseModel):
    """Why a contact is read."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    purpose: str = Field(min_length=2, max_length=200)


@router.post("/incidents", status_code=201)
async def report_incident(body: ReportBody, me: Reporter, s: ServicesOf, key: KeyOf) -> Json:
    """Report an incident; it is located to its grid, beat and owner at once."""
    outcome = await s.operations.report(
        me.actor,
        title=body.title,
        category=body.category,
        level=body.level,
        source=body.source,
        lon=body.lon,
        lat=body.lat,
        description=body.description,
        address=body.address,
        contact=body.reporter_contact,
        occurred_at=body.occurred_at,
        exercise=body.exercise,
        key=key,
    )
    return outcome.answer


@router.get("/incidents")
async def list_incidents(
    me: Viewer,
    s: ServicesOf,
    state: Annotated[list[str] | None, Query()] = None,
    area: str | None = None,
    bbox: BBox = None,
    q: Annotated[str | None, Query(max_length=100)] = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Json:
    """List incidents, newest report first, live and past; a page at a time."""
    table = schema.incidents
    query = sa.select(table.c.entity, table.c.reported_at, table.c.id)
    if state:
        query = query.where(table.c.state.in_([part for item in state for part in item.split(",")]))
    if area:
        query = query.where(table.c.grid.startswith(significant(area), autoescape=True))
    if (box := parse_bbox(bbox)) is not None:
        west, south, east, north = box
        query = query.where(table.c.lon.between(west, east), table.c.lat.between(south, north))
    if q:
        query = query.where(table.c.title.contains(q, autoescape=True) | (table.c.code == q))
    if cursor:
        at, key = _cursor(cursor)
        query = query.where((table.c.reported_at < at) | ((table.c.reported_at == at) & (table.c.id < key)))
    query = query.order_by(table.c.reported_at.desc(), table.c.id.desc())
    items: list[Any] = []
    last: tuple[str, str] | None = None
    more = False

    def read(connection: sa.Connection) -> None:
        nonlocal last, more
        for row in connection.execution_options(yield_per=200).execute(query):
            entity = msgspec.json.decode(row.entity)
            if not s.sees(me, "incidents", entity):
                continue
            if len(items) == limit:
                more = True
                break
            items.append(entity)
            last = (row.reported_at, row.id)

    await s.database.read(read)
    token = base64.urlsafe_b64encode("|".join(last).encode()).decode() if more and last else None
    return {"items": items, "next": token}


def _cursor(text: str) -> tuple[str, str]:
    try:
        at, key = base64.urlsafe_b64decode(text.encode()).decode().split("|")
    except ValueError:
        raise Malformed("cursor", "not a cursor of this list") from None
    return at, key


async def find_incident(s: Services, me: Principal, incident_id: str) -> dict[str, Any]:
    """Return an incident from the board or, when it has left it, from the tables; 404 if it may not be seen."""
    live = s.board.incidents.get(incident_id)
    entity: dict[str, Any] | None = None if live is None else msgspec.to_builtins(live)
    if entity is None:
        query = sa.select(schema.incidents.c.entity).where(schema.incidents.c.id == incident_id)
        stored = await s.database.read(lambda connection: connection.execute(query).scalar())
        entity = None if stored is None else msgspec.json.decode(stored)
    if entity is None or not s.sees(me, "incidents", entity):
        raise NotFound("incident", incident_id)
    return entity


async def _recall(s: Services, me: Principal, incident_id: str) -> None:
    """Bring an incident that left the board back to it, if the asker may see it."""
    if incident_id in s.board.incidents:
        return
    entity = await find_incident(s, me, incident_id)
    table = schema.assignments
    query = sa.select(table.c.entity).where(table.c.incident_id == incident_id)
    rows = await s.database.read(lambda connection: connection.execute(query).scalars().all())
    jobs = [msgspec.json.decode(row, type=Assignment) for row in rows]
    await s.operations.recall(msgspec.convert(entity, Incident), jobs)


@router.get("/incidents/{incident_id}")
async def read_incident(incident_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Read one incident."""
    return await find_incident(s, me, incident_id)


@router.get("/incidents/{incident_id}/timeline")
async def read_timeline(incident_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Read what happened, in order: who did what when, with the words they gave."""
    await find_incident(s, me, incident_id)
    events = await s.log.timeline(incident_id)
    items = [
        {
            "seq": event.seq,
            "at": event.at,
            "type": event.type,
            "actor": event.data.get("actor"),
            "note": event.data.get("note") or event.data.get("text") or event.data.get("reason"),
            "data": {k: v for k, v in event.data.items() if k not in ("actor", "changes")},
        }
        for event in events
    ]
    return {"items": items, "next": None}


@router.post("/incidents/{incident_id}/contact")
async def unmask_contact(incident_id: str, body: PurposeBody, me: Unmasker, s: ServicesOf) -> Json:
    """Read the reporter's real contact. The purpose is recorded, whether or not there is a contact."""
    s.demand(me, "contact.unmask", "incidents", incident_id)
    await s.audit.record(me.user_id, "contact.unmasked", f"incident:{incident_id}", purpose=body.purpose)
    query = sa.select(schema.contacts.c.contact).where(schema.contacts.c.incident_id == incident_id)
    contact = await s.database.read(lambda connection: connection.execute(query).scalar())
    if contact is None:
        raise NotFound("contact", incident_id, "No contact was given, or it has been purged.")
    return {"contact": contact}


@router.post("/incidents/{incident_id}/photos", status_code=201)
async def add_photo(
    incident_id: str, request: Request, me: Noter, s: ServicesOf, file: Annotated[UploadFile, File()]
) -> Json:
    """Add a photo (JPEG, PNG or WebP, at most 8 MB). Its content decides what it is, not its name."""
    s.demand(me, "incident.note", "incidents", incident_id)
    limit = s.settings.security.max_upload_bytes
    content = await file.read(limit + 1)
    if len(content) > limit:
        raise TooLarge(limit)
    content_type, ending = _sniff(content)
    attachment = Attachment(
        id=uuid4().hex,
        name=(Path(file.filename or "photo").name[:80]) or "photo",
        content_type=content_type,
        size=len(content),
    )
    digest = hashlib.sha256(content).hexdigest()
    given = request.headers.get("idempotency-key")
    # The form around the picture differs from try to try; the picture does not.
    key = Key() if given is None else Key(given[:200], f"{request.url.path} {digest}")
    path = s.settings.data_dir / "photos" / f"{attachment.id}{ending}"
    row = {
        "id": attachment.id,
        "incident_id": incident_id,
        "content_type": content_type,
        "size": len(content),
        "sha256": digest,
        "at": rfc3339(s.clock.now()),
    }
    await asyncio.to_thread(keep_photo, path, content)
    try:
        await s.database.write(lambda connection: connection.execute(sa.insert(schema.attachments), [row]))
        outcome = await s.operations.attach(me.actor, incident_id, attachment, key)
    except YipingError:
        await _drop_photo(s, path, attachment.id)
        raise
    if outcome.replayed:
        await _drop_photo(s, path, attachment.id)
    return outcome.answer


async def _drop_photo(s: Services, path: Path, photo_id: str) -> None:
    """Remove a photo that no incident names."""
    await asyncio.to_thread(path.unlink, missing_ok=True)
    statement = sa.delete(schema.attachments).where(schema.attachments.c.id == photo_id)
    with contextlib.suppress(YipingError):
        await s.database.write(lambda connection: connection.execute(statement))


def _sniff(content: bytes) -> tuple[str, str]:
    for signature, kind in PHOTO_SIGNATURES.items():
        if content.startswith(signature) and (signature != b"RIFF" or content[8:12] == b"WEBP"):
            return kind
    raise Malformed("file", "not a JPEG, PNG or WebP picture")


@router.get("/incidents/{incident_id}/photos/{photo_id}")
async def read_photo(incident_id: str, photo_id: str, me: Viewer, s: ServicesOf) -> Response:
    """Read a photo."""
    entity = await find_incident(s, me, incident_id)
    for attachment in entity["attachments"]:
        if attachment["id"] == photo_id:
            ending = next(e for kind, e in PHOTO_SIGNATURES.values() if kind == attachment["content_type"])
            path = s.settings.data_dir / "photos" / f"{photo_id}{ending}"
            if path.exists():
                return FileResponse(path, media_type=attachment["content_type"])
    raise NotFound("photo", photo_id)


@router.post("/incidents/{incident_id}/{command}")
async def command_incident(
    incident_id: str, command: str, me: Viewer, s: ServicesOf, key: KeyOf, body: CommandBody | None = None
) -> Json:
    """Carry out a command of the lifecycle: claim, accept, dispatch, close, cancel, note and so on."""
    if command not in incidents.LIFECYCLE or command not in COMMANDS:
        raise NotFound("command", command)
    body = body or CommandBody()
    await _recall(s, me, incident_id)
    s.demand(me, COMMANDS[command], "incidents", incident_id)
    if command == "dispatch":
        if not body.responder_ids:
            raise Malformed("responder_ids", "name at least one responder")
        for responder_id in body.responder_ids:
            person = s.board.responders.get(responder_id)
            if person is None or not s.sees(me, "responders", person):
                raise NotFound("responder", responder_id)
        outcome = await s.operations.dispatch(
            me.actor,
            incident_id,
            body.responder_ids,
            override_reason=body.override_reason,
            expected_version=body.expected_version,
            key=key,
        )
        return outcome.answer
    words = body.words()
    if command == "merge" and words.get("into"):
        target = s.board.incidents.get(words["into"])
        if target is None or not s.sees(me, "incidents", target):
            raise NotFound("incident", words["into"])
    if command == "supervise" and me.role not in ("leader", "supervisor"):
        raise Forbidden
    outcome = await s.operations.move(
        me.actor, incident_id, command, words, expected_version=body.expected_version, key=key
    )
    return outcome.answer
