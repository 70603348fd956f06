"""Responders: who they are, whether they are on duty, and their shifts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from command.accounts.access import Principal
from command.accounts.visibility import significant
from command.api.geo_query import BBox, parse_bbox
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf, wire
from command.errors import NotFound
from command.responders import Responder

router = APIRouter(tags=["responders"])
Viewer = Annotated[Principal, Depends(require("responders.view"))]
Shifter = Annotated[Principal, Depends(require("responders.shift"))]


class ShiftBody(BaseModel):
    """On or off duty."""

    model_config = ConfigDict(extra="forbid")

    on_duty: bool
    until: str | None = None


def person_row(s: Services, me: Principal, person: Responder) -> Json:
    """Return a responder with the last fix, where the asker may see it."""
    row = wire(person)
    fix = s.telemetry.fixes().get(person.unit)
    if fix is not None and person.on_duty and s.access.sees_position(me, person, s.lookup):
        row |= {
            "lon": round(fix.lon, 7),
            "lat": round(fix.lat, 7),
            "fix_age_s": round(fix.age_s, 1),
            "suspect": fix.suspect,
        }
    return row


@router.get("/responders")
async def list_responders(
    me: Viewer,
    s: ServicesOf,
    on_duty: bool | None = None,
    kind: str | None = None,
    area: str | None = None,
    bbox: BBox = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
) -> Json:
    """List responders by id."""
    box = parse_bbox(bbox)
    items: list[Json] = []
    for key in sorted(s.board.responders):
        person = s.board.responders[key]
        if cursor is not None and key <= cursor:
            continue
        if on_duty is not None and person.on_duty != on_duty:
            continue
        if kind is not None and person.kind not in kind.split(","):
            continue
        if area is not None and not belongs(person, area):
            continue
        if not s.sees(me, "responders", person):
            continue
        row = person_row(s, me, person)
        if box is not None and not _inside(row, box):
            continue
        if len(items) == limit:
            return {"items": items, "next": items[-1]["id"]}
        items.append(row)
    return {"items": items, "next": None}


def belongs(person: Responder, area: str) -> bool:
    """Say whether a responder's grids or own area lie in a division."""
    root = significant(area)
    return any(code.startswith(root) for code in (*person.grids, person.area or ""))


def _inside(row: Json, box: tuple[float, float, float, float]) -> bool:
    lon, lat = row.get("lon"), row.get("lat")
    if not isinstance(lon, float) or not isinstance(lat, float):
        return False
    return box[0] <= lon <= box[2] and box[1] <= lat <= box[3]


@router.get("/responders/{responder_id}")
async def read_responder(responder_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Read one responder."""
    person = s.board.responders.get(responder_id)
    if person is None or not s.sees(me, "responders", person):
        raise NotFound("responder", responder_id)
    return person_row(s, me, person)


@router.post("/responders/{responder_id}/shift")
async def set_shift(responder_id: str, body: ShiftBody, me: Shifter, s: ServicesOf, key: KeyOf) -> Json:
    """Go on or off duty. Off duty ends position sharing at once."""
    s.demand(me, "responders.shift", "responders", responder_id)
    outcome = await s.operations.people.shift(
        me.actor, responder_id, on_duty=body.on_duty, until=body.until, key=key
    )
    return outcome.answer
