"""Events: the facts the service remembers, and the one form in which they are stored, sent and replayed.

An event says what happened (``type``) and carries the **whole new value of every entity it touched**
(``data["changes"][kind][id]``; ``None`` where the entity left the board). Values are absolute, so applying an
event twice changes nothing, a client that never saw an entity learns all of it, and the reducer is the same
dozen lines in Python (`command.board`) and JavaScript (`static/src/board.js`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

KINDS: Final = (
    "incidents",
    "assignments",
    "responders",
    "cameras",
    "messages",
    "tours",
    "layouts",
    "alarms",
    "geography",
    "closures",
)
"""The kinds of entity on the board, in the order in which a change applies them."""

EVENT_TYPES: Final[Mapping[str, str]] = {
    "incident.reported": "somebody told the centre; located and time-limited",
    "incident.accepted": "the centre took it on: category, level and grid are settled",
    "incident.rejected": "not for the centre, with the reason",
    "incident.self_closed": "a grid worker dealt with it on the spot",
    "incident.merged": "the same thing as another incident, which goes on",
    "incident.claimed": "a desk works on it",
    "incident.unclaimed": "the desk let go of it",
    "incident.acknowledged": "its alarm was heard and silenced",
    "incident.updated": "facts were corrected",
    "incident.dispatched": "units were sent",
    "incident.handling": "the first unit signed",
    "incident.returned": "every unit gave it back; it waits for a dispatcher again",
    "incident.suspended": "挂账 until a date",
    "incident.resumed": "taken up again after 挂账",
    "incident.handled": "all units report it done; it waits for a check",
    "incident.closed": "checked and closed; all units are free",
    "incident.rework": "the check failed; handling goes on",
    "incident.cancelled": "作废, with the reason",
    "incident.reopened": "handling goes on after it had been closed",
    "incident.evaluated": "the reporter's score",
    "incident.revisited": "定期回访",
    "incident.archived": "nothing more will happen to it",
    "incident.noted": "a remark for the timeline",
    "incident.escalated": "提级 to the tier above",
    "incident.supervised": "督办 by a leader or supervisor",
    "incident.attached": "a photo was added",
    "incident.clip_kept": "pictures of a camera were kept as evidence",
    "assignment.delivered": "the job is on the unit's phone",
    "assignment.signed": "签收: the unit takes it",
    "assignment.declined": "退单 with the reason",
    "assignment.timed_out": "no answer within the limit",
    "assignment.en_route": "the unit is on its way",
    "assignment.arrival_proposed": "the unit came within the arrival radius",
    "assignment.arrival_refused": "the unit or the desk said: not there yet",
    "assignment.on_scene": "到场",
    "assignment.finished": "the unit reports its part done",
    "assignment.recalled": "the desk called the unit back",
    "assignment.reassigned": "the desk gave the job to another unit",
    "responder.registered": "a person or unit entered the roster",
    "responder.updated": "roster facts changed",
    "responder.removed": "an import that brought them in was taken back",
    "responder.shift_started": "on duty",
    "responder.shift_ended": "off duty; position sharing stops",
    "camera.registered": "a camera entered the registry",
    "camera.updated": "registry facts changed",
    "camera.removed": "a camera left the registry, and the tours and layouts that showed it",
    "camera.switched": "switched off by hand, or on again",
    "camera.health_changed": "the checks found it otherwise than before",
    "camera.false_alarm": "somebody says that nothing is wrong with its picture",
    "tour.saved": "a tour of cameras was kept or changed",
    "tour.removed": "a tour was forgotten",
    "layout.saved": "a wall of tiles was kept or changed",
    "layout.removed": "a wall of tiles was forgotten",
    "alarm.raised": "a camera or its device alarms, for the first time or again",
    "alarm.accepted": "an alarm became an incident",
    "alarm.dismissed": "an alarm is nothing for the centre",
    "geography.changed": "other areas, beats, roads or places are in force",
    "closure.drawn": "roads are closed, at once or from a moment on",
    "closure.changed": "what is closed, why or how long changed",
    "closure.started": "a planned closure came into force",
    "closure.ended": "the roads are open again, or what was planned was called off",
    "message.sent": "a message to responders, or from one to the centre",
    "message.delivered": "it reached the phone",
    "message.read": "it was opened",
    "board.recalled": "a finished incident came back to the live board, because something is to be done with it",
    "board.trimmed": "entities long finished left the live board; the tables keep them",
}
"""Every event type and what it says. A test holds the documentation and the code to this table."""


class Event(msgspec.Struct, frozen=True):
    """One sequenced fact.

    Attributes:
        seq: Position in the log, from 1, without gaps.
        at: When it was decided, RFC 3339 UTC.
        type: A key of `EVENT_TYPES`.
        data: JSON-able. ``changes`` maps kind → id → whole entity or None; ``actor`` says who; further keys
            are facts of this type for the timeline.
    """

    seq: int
    at: str
    type: str
    data: dict[str, Any]

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """Kind → id → the entity as JSON-able dict, or None where it left the board."""
        changes: dict[str, dict[str, Any]] = self.data["changes"]
        return changes


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wants something. ``id`` is the user's id, or ``"system"``."""

    id: str
    name: str
    role: str = "system"
    responder_id: str | None = None


SYSTEM: Final = Actor("system", "系统")


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may know besides the board."""

    actor: Actor
    now: datetime
    at: str
    """`now` in the wire's form, so that every entity of one decision carries the same stamp."""


Change = tuple[str, str, "msgspec.Struct | None"]
"""(kind, id, new value)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that a decision wants, before the desk gives it its place in the log."""

    type: str
    changes: tuple[Change, ...]
    facts: Mapping[str, object] = field(default_factory=dict)

    def data(self, actor: Actor) -> dict[str, Any]:
        """Return the JSON-able ``data`` of the event."""
        changes: dict[str, dict[str, Any]] = {}
        for kind, key, entity in self.changes:
            changes.setdefault(kind, {})[key] = None if entity is None else msgspec.to_builtins(entity)
        return {**self.facts, "actor": {"id": actor.id, "name": actor.name}, "changes": changes}
