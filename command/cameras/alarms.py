"""What cameras and their devices alarm about, until somebody makes an incident of it or says that it is none.

A device that keeps alarming must not fill the log: the same alarm again only counts, once a minute at most, and
of too many open ones the oldest give way.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command.clock import parse_rfc3339
from command.errors import IllegalTransition, Malformed, NotFound
from command.events import Change, Context, Fact

if TYPE_CHECKING:
    from command.board import Picture

State = Literal["open", "accepted", "dismissed"]
MOST_OPEN: Final = 1_000
REPEAT_S: Final = 60.0
"""The same alarm within this time says nothing new."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. ``lon`` and ``lat`` None where nobody knows the place; field meanings: ``docs/events.md``."""

    id: str
    camera_id: str | None
    device_id: str | None
    kind: str
    at: str
    state: State = "open"
    incident_id: str | None = None
    lon: float | None = None
    lat: float | None = None
    text: str = ""
    count: int = 1
    last_at: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device said. ``at`` is the device's own time, None where it said none."""

    kind: str
    camera_id: str | None = None
    device_id: str | None = None
    at: str | None = None
    lon: float | None = None
    lat: float | None = None
    text: str = ""


def decide_raise(picture: "Picture", alarm_id: str, seen: Seen, context: Context) -> list[Fact]:
    """Take an alarm in; one that is open already is counted instead."""
    camera = picture.cameras.get(seen.camera_id) if seen.camera_id is not None else None
    still_open = [a for a in picture.alarms.values() if a.state == "open"]
    for old in still_open:
        if (old.camera_id, old.device_id, old.kind) != (seen.camera_id, seen.device_id, seen.kind):
            continue
        if context.now - parse_rfc3339(old.last_at or old.at) < timedelta(seconds=REPEAT_S):
            return []
        new = msgspec.structs.replace(
            old, count=old.count + 1, last_at=context.at, version=old.version + 1, text=seen.text or old.text
        )
        return [Fact("alarm.raised", (("alarms", old.id, new),), {"alarm_id": old.id, "again": True})]
    place = (seen.lon, seen.lat)
    if None in place:
        place = (camera.lon, camera.lat) if camera is not None else (None, None)
    alarm = Alarm(
        id=alarm_id,
        camera_id=seen.camera_id,
        device_id=seen.device_id,
        kind=seen.kind,
        at=seen.at or context.at,
        lon=place[0],
        lat=place[1],
        text=seen.text,
        last_at=context.at,
    )
    changes: list[Change] = [("alarms", alarm_id, alarm)]
    if len(still_open) >= MOST_OPEN:
        oldest = min(still_open, key=lambda a: (a.last_at or a.at, a.id))
        changes.append(("alarms", oldest.id, None))
    return [Fact("alarm.raised", tuple(changes), {"alarm_id": alarm_id})]


def alarm_of(picture: "Picture", alarm_id: str, command: str) -> Alarm:
    """Return an open alarm.

    Raises:
        NotFound: No such alarm.
        IllegalTransition: Somebody has decided about it.
    """
    found = picture.alarms.get(alarm_id)
    if found is None:
        raise NotFound("alarm", alarm_id)
    if found.state != "open":
        raise IllegalTransition("alarm", alarm_id, found.state, command)
    return found


def decide_accept(picture: "Picture", alarm_id: str, incident_id: str, context: Context) -> list[Fact]:
    """Make an alarm an incident, which is reported in the same breath.

    Raises:
        NotFound: No such alarm.
        IllegalTransition: Somebody has decided about it.
    """
    old = alarm_of(picture, alarm_id, "accept")
    new = _decided(old, context, state="accepted", incident_id=incident_id)
    facts = {"alarm_id": alarm_id, "incident_id": incident_id, "kind": old.kind, "camera_id": old.camera_id}
    return [Fact("alarm.accepted", (("alarms", alarm_id, new),), facts)]


def decide_dismiss(
    picture: "Picture", alarm_id: str, context: Context, *, reason: str | None = None
) -> list[Fact]:
    """Say that an alarm is nothing for the centre.

    Raises:
        NotFound: No such alarm.
        IllegalTransition: Somebody has decided about it.
        Malformed: The reason is too long.
    """
    old = alarm_of(picture, alarm_id, "dismiss")
    said = (reason or "").strip() or None
    if said is not None and len(said) > 500:
        raise Malformed("reason", "at most 500 characters")
    new = _decided(old, context, state="dismissed", reason=said)
    return [Fact("alarm.dismissed", (("alarms", alarm_id, new),), {"alarm_id": alarm_id, "reason": said})]


def _decided(alarm: Alarm, context: Context, **fields: object) -> Alarm:
    return msgspec.structs.replace(
        alarm,
        decided_by=context.actor.name,
        decided_at=context.at,
        version=alarm.version + 1,
        **fields,
    )
