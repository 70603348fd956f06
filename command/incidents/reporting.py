"""Taking a report in: masked, compared with its neighbours, given its limits."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from command.clock import parse_rfc3339
from command.errors import Malformed
from command.events import Context, Fact
from command.incidents.model import OPEN, Incident, Place, distance_m
from command.policy import Policy, Stages, check_moment, due_at

if TYPE_CHECKING:
    from command.board import Picture

SUSPECT_LIMIT: Final = 3


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it comes in, located, not yet an incident.

    ``contact_masked`` is never the real number; ``lead_department`` is what the responsibility list says.
    """

    title: str
    category: str
    level: str
    source: str
    lon: float
    lat: float
    place: Place
    lead_department: str | None = None
    description: str = ""
    contact_masked: str | None = None
    occurred_at: str | None = None
    exercise: bool = False
    suspect_radius_m: float = 150.0
    suspect_window_s: float = 1_800.0


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
        lead_department=report.lead_department,
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
