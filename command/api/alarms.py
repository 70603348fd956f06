"""What cameras and their devices alarm about, and what somebody makes of it."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf, wire
from command.cameras import Alarm
from command.errors import Forbidden, NotFound

router = APIRouter(tags=["alarms"])
Viewer = Annotated[Principal, Depends(require("camera.view"))]
Keeper = Annotated[Principal, Depends(require("video.manage"))]

CATEGORY: Final = "security"
"""What an alarm becomes unless somebody says otherwise, where the centre has such a category."""


class AcceptBody(BaseModel):
    """What the incident is called; what is not said is taken from the alarm."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, min_length=1, max_length=80)
    category: str | None = Field(default=None, max_length=40)
    level: str = "none"


class DismissBody(BaseModel):
    """Why it is nothing."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=500)


@router.get("/alarms")
async def list_alarms(
    me: Viewer,
    s: ServicesOf,
    state: Literal["open", "accepted", "dismissed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Json:
    """List the alarms of the last day, the newest first."""
    seen = [
        alarm
        for alarm in s.board.alarms.values()
        if (state is None or alarm.state == state) and s.sees(me, "alarms", alarm)
    ]
    seen.sort(key=lambda alarm: (alarm.last_at or alarm.at, alarm.id), reverse=True)
    return {"items": [wire(alarm) for alarm in seen[:limit]], "next": None}


@router.post("/alarms/{alarm_id}/accept")
async def accept_alarm(
    alarm_id: str, me: Keeper, s: ServicesOf, key: KeyOf, body: AcceptBody | None = None
) -> Json:
    """Make an incident of an alarm, at its place; answers the incident."""
    alarm = _alarm(s, me, alarm_id)
    if not s.access.allows(me, "incident.report"):
        raise Forbidden
    said = body or AcceptBody()
    category = said.category or (
        CATEGORY if CATEGORY in s.policy.categories else next(iter(s.policy.categories))
    )
    outcome = await s.operations.accept_alarm(
        me.actor,
        alarm_id,
        title=said.title or _title(s, alarm),
        category=category,
        level=said.level,
        key=key,
    )
    return outcome.answer


@router.post("/alarms/{alarm_id}/dismiss")
async def dismiss_alarm(
    alarm_id: str, me: Keeper, s: ServicesOf, key: KeyOf, body: DismissBody | None = None
) -> Json:
    """Say that an alarm is nothing for the centre."""
    _alarm(s, me, alarm_id)
    reason = None if body is None else body.reason
    outcome = await s.operations.cameras.dismiss_alarm(me.actor, alarm_id, reason=reason, key=key)
    return outcome.answer


def _alarm(s: Services, me: Principal, alarm_id: str) -> Alarm:
    alarm = s.board.alarms.get(alarm_id)
    if alarm is None or not s.sees(me, "alarms", alarm):
        raise NotFound("alarm", alarm_id)
    return alarm


def _title(s: Services, alarm: Alarm) -> str:
    """Return where and what, in one line."""
    camera = s.board.cameras.get(alarm.camera_id or "")
    where = camera.name if camera is not None else alarm.device_id or ""
    what = " ".join((alarm.text or alarm.kind).split())
    return " ".join(part for part in (where, what) if part)[:80] or "报警"
