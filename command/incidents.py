"""Incidents: their states, who may move them where, and the decisions that touch nothing but the incident.

The life of an incident is the table `LIFECYCLE`; every command finds its guard and its event there. Decisions
that also concern units (dispatch, close, cancel, merge) are in `command.assignments`.
"""

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command.clock import parse_rfc3339
from command.errors import AlreadyAssigned, IllegalTransition, Malformed, NotFound, StaleVersion
from command.events import Context, Fact
from command.policy import Level, LimitsS, Policy, Source, Stages, check_moment, due_at

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
TERMINAL: Final[frozenset[State]] = frozenset({"rejected", "merged", "cancelled", "archived"})
OPEN: Final[frozenset[State]] = frozenset(
    {"reported", "accepted", "dispatched", "handling", "suspended", "handled"}
)

SUSPECT_LIMIT: Final = 3


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
    attention: Literal["unanswered", "declined", "no_candidate", "ruling"] | None = None
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
    suspended_until: str | None = None
    updated_by: str | None = None
    updated_at: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the lifecycle: from which states a command leads where, and what it is called afterwards."""

    sources: frozenset[State]
    target: State | None
    """None: the state stays."""
    event: str
    needs: tuple[str, ...] = ()
    """Texts the command must bring, not blank."""


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


_BEFORE_CLOSED = OPEN
_LIVE = OPEN | _from("closed", "evaluated", "revisited")

LIFECYCLE: Final[dict[str, Move]] = {
    "claim": Move(_BEFORE_CLOSED, None, "incident.claimed"),
    "unclaim": Move(_BEFORE_CLOSED, None, "incident.unclaimed"),
    "acknowledge": Move(_LIVE, None, "incident.acknowledged"),
    "accept": Move(_from("reported"), "accepted", "incident.accepted"),
    "classify": Move(_BEFORE_CLOSED, None, "incident.updated"),
    "dismiss_suspect": Move(_BEFORE_CLOSED, None, "incident.updated"),
    "reject": Move(_from("reported"), "rejected", "incident.rejected", ("reason",)),
    "self_close": Move(_from("reported"), "handled", "incident.self_closed", ("note",)),
    "merge": Move(_from("reported", "accepted"), "merged", "incident.merged", ("into",)),
    "dispatch": Move(_from("reported", "accepted", "dispatched", "handling"), None, "incident.dispatched"),
    "suspend": Move(_from("handling"), "suspended", "incident.suspended", ("reason", "until")),
    "resume": Move(_from("suspended"), "handling", "incident.resumed"),
    "check_pass": Move(_from("handled"), "closed", "incident.closed"),
    "check_fail": Move(_from("handled"), "handling", "incident.rework", ("reason",)),
    "close": Move(
        _from("accepted", "dispatched", "handling", "handled"), "closed", "incident.closed", ("disposition",)
    ),
    "evaluate": Move(_from("closed"), "evaluated", "incident.evaluated"),
    "revisit": Move(_from("evaluated"), "revisited", "incident.revisited", ("comment",)),
    "reopen": Move(_from("closed", "evaluated", "revisited"), "handling", "incident.reopened", ("reason",)),
    "archive": Move(_from("evaluated", "revisited"), "archived", "incident.archived"),
    "cancel": Move(_BEFORE_CLOSED, "cancelled", "incident.cancelled", ("reason",)),
    "note": Move(_LIVE, None, "incident.noted", ("text",)),
    "escalate": Move(_BEFORE_CLOSED, None, "incident.escalated", ("reason",)),
    "supervise": Move(_BEFORE_CLOSED, None, "incident.supervised", ("text",)),
    "attach": Move(_LIVE, None, "incident.attached"),
}
"""Every command on an incident. ``domain.md`` §3.3 in one table; later lifecycles add rows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident lies in the district: codes by tier, beat, and the responder who owns the grid."""

    grid: str | None = None
    village: str | None = None
    township: str | None = None
    beat: str | None = None
    owner: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it comes in, located, not yet an incident. ``contact_masked`` is never the real number."""

    title: str
    category: str
    level: str
    source: str
    lon: float
    lat: float
    place: Place
    description: str = ""
    contact_masked: str | None = None
    occurred_at: str | None = None
    exercise: bool = False
    suspect_radius_m: float = 150.0
    suspect_window_s: float = 1_800.0


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


def check_move(incident: Incident, command: str, texts: dict[str, str]) -> Move:
    """Return the command's row of `LIFECYCLE`.

    Raises:
        IllegalTransition: The incident's state does not allow it.
        Malformed: A text the row needs is blank.
    """
    move = LIFECYCLE[command]
    if incident.state not in move.sources:
        raise IllegalTransition("incident", incident.id, incident.state, command)
    for name in move.needs:
        if not texts.get(name, "").strip():
            raise Malformed(name, f"{command} needs {name}")
    return move


def mask_contact(contact: str) -> str:
    """Hide the middle of a telephone number or of any other contact.

    >>> mask_contact("13812340472")
    '138****0472'
    >>> mask_contact("县热线 3021")
    '县****1'
    """
    text = contact.strip()
    if len(text) >= 11 and text[-11:].isdigit():
        return f"{text[:3]}****{text[-4:]}"
    return f"{text[:1]}****{text[-1:]}"


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the distance in metres, WGS-84, good to 0.5 % within a district (a check, not a measurement)."""
    x = (lon2 - lon1) * math.cos(math.radians((lat1 + lat2) / 2))
    return math.hypot(x, lat2 - lat1) * 111_195.0


def suspects_of(incidents: Iterable[Incident], report: Report, now: datetime) -> tuple[str, ...]:
    """Return the open incidents that may be the same thing: near, recent and of the same category, nearest first.

    It only suggests. Nothing is ever merged without a person.
    """
    found = []
    window = timedelta(seconds=report.suspect_window_s)
    for other in incidents:
        if other.category != report.category or other.state not in OPEN:
            continue
        if now - parse_rfc3339(other.reported_at) > window:
            continue
        away_m = distance_m(report.lon, report.lat, other.lon, other.lat)
        if away_m <= report.suspect_radius_m:
            found.append((away_m, other.id))
    return tuple(key for _, key in sorted(found)[:SUSPECT_LIMIT])


def decide_report(
    picture: "Picture", incident_id: str, code: str, report: Report, policy: Policy, context: Context
) -> list[Fact]:
    """Take a report in as an incident in state ``reported``.

    Raises:
        Malformed: Title, description, category, level, source or the moment make no sense.
    """
    title = report.title.strip()
    if not title or len(title) > 80:
        raise Malformed("title", "a title has 1 to 80 characters")
    if len(report.description) > 2_000:
        raise Malformed("description", "at most 2,000 characters")
    level = policy.check_level(report.level)
    limits = policy.limits_for(level)
    place = report.place
    incident = Incident(
        id=incident_id,
        code=code,
        trace_code=secrets.token_hex(4).upper(),
        title=title,
        description=report.description.strip(),
        category=policy.check_category(report.category),
        level=level,
        source=policy.check_source(report.source),
        lon=round(report.lon, 7),
        lat=round(report.lat, 7),
        state="reported",
        reported_at=context.at,
        occurred_at=None if report.occurred_at is None else check_moment(report.occurred_at, "occurred_at"),
        address=place.address,
        grid=place.grid,
        village=place.village,
        township=place.township,
        beat=place.beat,
        owner=place.owner,
        reporter_contact=report.contact_masked,
        reported_by=context.actor.id,
        reported_by_name=context.actor.name,
        due=Stages(accept=due_at(context.now, limits.accept), handle=due_at(context.now, limits.handle)),
        limits_s=limits,
        suspects=suspects_of(picture.incidents.values(), report, context.now),
        exercise=report.exercise,
        updated_at=context.at,
        updated_by=context.actor.name,
    )
    return [Fact("incident.reported", (("incidents", incident_id, incident),))]


def decide_claim(incident: Incident, context: Context) -> list[Fact]:
    """Put the acting desk's name on the incident; claiming one's own again changes nothing.

    Raises:
        AlreadyAssigned: Another desk holds it; names that desk.
        IllegalTransition: It is closed or terminal.
    """
    check_move(incident, "claim", {})
    if incident.claimed_by == context.actor.id:
        return []
    if incident.claimed_by is not None:
        raise AlreadyAssigned(
            {"user_id": incident.claimed_by, "by_name": incident.claimed_name, "at": incident.claimed_at},
            f"{incident.claimed_name} has claimed this incident.",
        )
    new = changed(
        incident,
        context,
        claimed_by=context.actor.id,
        claimed_name=context.actor.name,
        claimed_at=context.at,
        acknowledged_at=incident.acknowledged_at or context.at,
        acknowledged_by=incident.acknowledged_by or context.actor.name,
    )
    return [Fact("incident.claimed", (("incidents", new.id, new),))]


def decide_classify(
    incident: Incident,
    command: str,
    policy: Policy,
    context: Context,
    *,
    category: str | None = None,
    level: str | None = None,
    title: str | None = None,
    address: str | None = None,
    lead_department: str | None = None,
) -> list[Fact]:
    """Accept an incident (``accept``) or correct its facts later (``classify``).

    Raises:
        Malformed: Unknown category or level, an empty or over-long text, or an accepted incident outside
            every grid without an address.
        IllegalTransition: As the lifecycle says.
    """
    move = check_move(incident, command, {})
    fields: dict[str, object] = {}
    if category is not None:
        fields["category"] = policy.check_category(category)
    if title is not None:
        if not title.strip() or len(title) > 80:
            raise Malformed("title", "a title has 1 to 80 characters")
        fields["title"] = title.strip()
    if address is not None:
        if len(address) > 200:
            raise Malformed("address", "at most 200 characters")
        fields["address"] = address.strip() or None
    if lead_department is not None:
        if len(lead_department) > 60:
            raise Malformed("lead_department", "at most 60 characters")
        fields["lead_department"] = lead_department.strip() or None
    if level is not None:
        known = policy.check_level(level)
        limits = policy.limits_for(known)
        start = parse_rfc3339(incident.reported_at)
        fields |= {"level": known, "limits_s": limits}
        fields["due"] = msgspec.structs.replace(
            incident.due, accept=due_at(start, limits.accept), handle=due_at(start, limits.handle)
        )
    if move.target is not None:
        if incident.grid is None and not fields.get("address", incident.address):
            raise Malformed("address", "outside every grid, an address says where it is")
        fields |= {"state": move.target, "accepted_at": context.at}
    new = changed(incident, context, **fields)
    return [Fact(move.event, (("incidents", new.id, new),), {"fields": sorted(fields)})]


_STAMPS: Final[dict[str, str]] = {"closed": "closed_at", "handled": "handled_at"}


def decide_move(
    incident: Incident, command: str, context: Context, texts: dict[str, str] | None = None
) -> list[Fact]:
    """Decide any command that only moves the incident itself, as `LIFECYCLE` says.

    ``texts`` are the words the command brings (reason, note, disposition, …); they go into the timeline, and
    onto the incident where it has such a field.

    Raises:
        IllegalTransition: As the lifecycle says.
        Malformed: A needed text is blank or too long, or a number is out of range.
    """
    texts = {name: text.strip() for name, text in (texts or {}).items()}
    move = check_move(incident, command, texts)
    for name, text in texts.items():
        if len(text) > 2_000:
            raise Malformed(name, "at most 2,000 characters")
    fields: dict[str, object] = {}
    if move.target is not None:
        fields["state"] = move.target
        stamp = _STAMPS.get(move.target)
        if stamp is not None:
            fields[stamp] = context.at
    match command:
        case "unclaim":
            fields |= {"claimed_by": None, "claimed_name": None, "claimed_at": None}
        case "acknowledge":
            if incident.acknowledged_at is not None:
                return []
            fields |= {"acknowledged_at": context.at, "acknowledged_by": context.actor.name}
        case "dismiss_suspect":
            fields["suspects"] = tuple(s for s in incident.suspects if s != texts.get("incident_id"))
        case "reject" | "cancel":
            fields["reason"] = texts["reason"]
        case "self_close":
            if incident.level not in ("IV", "none"):
                raise Malformed("level", "only level IV or none may be dealt with on the spot")
            fields |= {"self_handled": True, "disposition": texts["note"]}
        case "suspend":
            fields |= {"suspended_until": check_moment(texts["until"], "until"), "reason": texts["reason"]}
        case "resume":
            fields["suspended_until"] = None
        case "check_pass" | "close":
            fields["disposition"] = texts.get("disposition") or incident.disposition
            fields["attention"] = None
        case "check_fail":
            fields |= {"rework": incident.rework + 1, "handled_at": None}
        case "reopen":
            fields |= {"closed_at": None, "handled_at": None, "reason": texts["reason"]}
        case "evaluate":
            score = texts.get("score", "")
            if score not in ("1", "2", "3", "4", "5"):
                raise Malformed("score", "a score is a whole number from 1 to 5")
            fields["score"] = int(score)
        case "escalate":
            tier = incident.escalation_tier if incident.escalation_tier is not None else 4
            fields["escalation_tier"] = max(1, tier - 1)
        case "supervise":
            grade = texts.get("grade") or "normal"
            if grade not in ("normal", "yellow", "red"):
                raise Malformed("grade", "a supervision is normal, yellow or red")
            if incident.supervision == "red" and grade != "red":
                raise Malformed("grade", "a red supervision does not return to a lower one")
            fields["supervision"] = grade
        case _:
            pass
    new = changed(incident, context, **fields)
    return [Fact(move.event, (("incidents", new.id, new),), dict(texts))]


def decide_attach(incident: Incident, attachment: Attachment, context: Context) -> list[Fact]:
    """Add a photo that has been stored.

    Raises:
        IllegalTransition: The incident is over.
        Malformed: It has 20 photos already.
    """
    move = check_move(incident, "attach", {})
    if len(incident.attachments) >= 20:
        raise Malformed("file", "an incident holds at most 20 photos")
    new = changed(incident, context, attachments=(*incident.attachments, attachment))
    return [Fact(move.event, (("incidents", new.id, new),), {"attachment_id": attachment.id})]
