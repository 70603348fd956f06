"""What an incident is, and the small things said of it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command.errors import NotFound, StaleVersion
from command.events import Context
from command.policy import Level, LimitsS, Source, Stages

if TYPE_CHECKING:
    from command.board import Picture

State = Literal[
    "reported",
    "accepted",
    "rejected",
    "merged",
    "dispatched",
    "handling",
    "suspended",
    "handled",
    "closed",
    "evaluated",
    "revisited",
    "archived",
    "cancelled",
]
Attention = Literal["unanswered", "declined", "no_candidate", "ruling"]
"""Why a card is amber."""
TERMINAL: Final[frozenset[State]] = frozenset({"rejected", "merged", "cancelled", "archived"})
OPEN: Final[frozenset[State]] = frozenset(
    {"reported", "accepted", "dispatched", "handling", "suspended", "handled"}
)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that belongs to an incident. ``size`` in bytes."""

    id: str
    name: str
    content_type: str
    size: int


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident, whole. Field meanings: ``docs/events.md``; states and guards: `LIFECYCLE`."""

    id: str
    code: str
    trace_code: str
    title: str
    category: str
    level: Level
    source: Source
    lon: float
    lat: float
    state: State
    reported_at: str
    description: str = ""
    address: str | None = None
    grid: str | None = None
    village: str | None = None
    township: str | None = None
    beat: str | None = None
    owner: str | None = None
    lead_department: str | None = None
    reporter_contact: str | None = None
    claimed_by: str | None = None
    claimed_name: str | None = None
    claimed_at: str | None = None
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None
    reported_by: str | None = None
    reported_by_name: str | None = None
    occurred_at: str | None = None
    accepted_at: str | None = None
    dispatched_at: str | None = None
    signed_at: str | None = None
    arrived_at: str | None = None
    handled_at: str | None = None
    closed_at: str | None = None
    due: Stages = Stages()
    limits_s: LimitsS = LimitsS()
    suspects: tuple[str, ...] = ()
    parent_id: str | None = None
    attention: Attention | None = None
    returns: int = 0
    assignments: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    exercise: bool = False
    self_handled: bool = False
    rework: int = 0
    supervision: Literal["normal", "yellow", "red"] | None = None
    escalation_tier: int | None = None
    score: int | None = None
    disposition: str | None = None
    reason: str | None = None
    suspended_at: str | None = None
    suspended_until: str | None = None
    updated_by: str | None = None
    updated_at: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident lies in the district: codes by tier, beat, and the responder who owns the grid."""

    grid: str | None = None
    village: str | None = None
    township: str | None = None
    beat: str | None = None
    owner: str | None = None
    address: str | None = None


def incident_of(picture: "Picture", incident_id: str, expected_version: int | None = None) -> Incident:
    """Return the incident.

    Raises:
        NotFound: It is not on the board.
        StaleVersion: It is no longer at ``expected_version``.
    """
    found = picture.incidents.get(incident_id)
    if found is None:
        raise NotFound("incident", incident_id)
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(expected_version, found.version)
    return found


def changed(incident: Incident, context: Context, **fields: object) -> Incident:
    """Return the incident with these fields, its next version, and who changed it when."""
    return msgspec.structs.replace(
        incident,
        version=incident.version + 1,
        updated_at=context.at,
        updated_by=context.actor.name,
        **fields,
    )


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the distance in metres, WGS-84, good to 0.5 % within a district (a check, not a measurement)."""
    x = (lon2 - lon1) * math.cos(math.radians((lat1 + lat2) / 2))
    return math.hypot(x, lat2 - lat1) * 111_195.0
