"""Indicators over a period: numerator and denominator, never a bare rate, beside the period before.

Exercises, merged and cancelled incidents count nowhere. A period runs from its beginning to now, and the one before
from its own beginning to the same point: ten days of this month stand beside the first ten of the last.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from command.assignments import Assignment
from command.clock import parse_rfc3339
from command.incidents import Incident
from command.policy import LEVELS
from command.summary import DONE, EXCLUDED

Period = Literal["day", "week", "month"]
Json = dict[str, object]
SATISFIED: Final = 4
"""A score of so much and more is a satisfied reporter."""
STEPS: Final = ("sign", "arrive")
QUANTILES: Final = (0.5, 0.75, 0.9)
LONGEST_DUE: Final = timedelta(days=35)
"""Reported so long before a period, an incident is not looked at: no default limit is half as long."""


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment, included, to another, excluded."""

    start: datetime
    end: datetime

    def holds(self, text: str | None) -> bool:
        """Say whether a moment as it goes over the wire lies in it; None does not."""
        return text is not None and self.start <= parse_rfc3339(text) < self.end


def spans(period: Period, now: datetime, zone: ZoneInfo) -> tuple[Span, Span]:
    """Return the running period and the one before, to the same point.

    >>> from datetime import UTC
    >>> now, before = spans("month", datetime(2026, 3, 31, 4, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    >>> before.start.isoformat(), before.end.isoformat()
    ('2026-02-01T00:00:00+08:00', '2026-03-01T00:00:00+08:00')
    """
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        start, earlier = midnight, midnight - timedelta(days=1)
    elif period == "week":
        start = midnight - timedelta(days=midnight.weekday())
        earlier = start - timedelta(days=7)
    else:
        start = midnight.replace(day=1)
        earlier = (start - timedelta(days=1)).replace(day=1)
    # A month may be shorter than how far the present one has run.
    return Span(start, local), Span(earlier, min(earlier + (local - start), start))


def counted(incidents: Iterable[Incident]) -> list[Incident]:
    """Leave out what counts nowhere."""
    return [i for i in incidents if not i.exercise and i.state not in EXCLUDED]


@dataclass(frozen=True, slots=True)
class Rate:
    """n of d."""

    n: int
    d: int

    def wire(self) -> Json:
        """Return it as it goes over the wire."""
        return {"n": self.n, "d": self.d}


def rates(incidents: Sequence[Incident], span: Span) -> dict[str, Rate]:
    """Return the indicators of handling, by code; what each means stands in ``docs/api.md``."""
    accepted = [i for i in incidents if span.holds(i.accepted_at)]
    due = [i for i in incidents if i.accepted_at is not None and span.holds(i.due.handle)]
    reported = [i for i in incidents if span.holds(i.reported_at)]
    settled = [i for i in reported if i.state != "reported"]
    closed = [i for i in incidents if span.holds(i.closed_at)]
    sent = [i for i in incidents if span.holds(i.dispatched_at)]
    rated = [i for i in closed if i.score is not None]
    return {
        "completion_rate": _rate(accepted, lambda i: i.state in DONE),
        "due_closure_rate": _rate(due, lambda i: i.state in DONE),
        "on_time_rate": _rate(due, on_time),
        "overdue_rate": _rate(due, lambda i: not on_time(i)),
        "rework_rate": _rate(closed, lambda i: i.rework > 0),
        "valid_report_rate": _rate(settled, lambda i: i.state != "rejected"),
        "dispatch_accuracy": _rate(sent, lambda i: i.returns == 0),
        "satisfaction": _rate(rated, lambda i: (i.score or 0) >= SATISFIED),
    }


def _rate(cases: Sequence[Incident], holds: Callable[[Incident], bool]) -> Rate:
    return Rate(sum(map(holds, cases)), len(cases))


def on_time(incident: Incident) -> bool:
    """Say whether it was closed by the moment it was due."""
    return (
        incident.closed_at is not None
        and incident.due.handle is not None
        and parse_rfc3339(incident.closed_at) <= parse_rfc3339(incident.due.handle)
    )


@dataclass(frozen=True, slots=True)
class Took:
    """One incident's way from its first dispatch to the first answer and the first arrival, in seconds."""

    incident: Incident
    sign_s: float | None
    arrive_s: float | None


def took(incidents: Iterable[Incident], jobs: Iterable[Assignment], span: Span) -> list[Took]:
    """Time the incidents first sent out in a period.

    Counted over all assignments of an incident, from the first dispatch: a unit that gave the job back does not set
    the clock to zero.
    """
    of: defaultdict[str, list[Assignment]] = defaultdict(list)
    for job in jobs:
        of[job.incident_id].append(job)
    found = []
    for incident in incidents:
        mine = of.get(incident.id)
        if not mine:
            continue
        sent = min(job.dispatched_at for job in mine)
        if not span.holds(sent):
            continue
        start = parse_rfc3339(sent)
        found.append(
            Took(
                incident,
                _seconds(start, [job.signed_at for job in mine]),
                _seconds(start, [job.on_scene_at for job in mine]),
            )
        )
    return found


def _seconds(start: datetime, moments: Iterable[str | None]) -> float | None:
    known = [moment for moment in moments if moment is not None]
    return (parse_rfc3339(min(known)) - start).total_seconds() if known else None


def response(ways: Sequence[Took], before: Sequence[Took]) -> list[Json]:
    """Return one row for each level and step that has a limit: quantiles beside it, and the median before.

    ``late`` are those that took longer than their own limit, ``waiting`` those not yet there.
    """
    rows: list[Json] = []
    for level in LEVELS:
        mine = [way for way in ways if way.incident.level == level]
        earlier = [way for way in before if way.incident.level == level]
        if not mine and not earlier:
            continue
        for step in STEPS:
            limits = [limit for way in mine or earlier if (limit := _limit(way, step)) is not None]
            if not limits:
                continue
            known = _known(mine, step)
            p50, p75, p90 = quantiles([value for _, value in known])
            rows.append(
                {
                    "level": level,
                    "step": step,
                    "n": len(known),
                    "waiting": len(mine) - len(known),
                    "late": sum(value > (_limit(way, step) or float("inf")) for way, value in known),
                    "p50_s": p50,
                    "p75_s": p75,
                    "p90_s": p90,
                    "limit_s": Counter(limits).most_common(1)[0][0],
                    "before_p50_s": quantiles([value for _, value in _known(earlier, step)])[0],
                    "before_n": len(_known(earlier, step)),
                }
            )
    return rows


def _limit(way: Took, step: str) -> int | None:
    limits = way.incident.limits_s
    return limits.sign if step == "sign" else limits.arrive


def _known(ways: Iterable[Took], step: str) -> list[tuple[Took, float]]:
    found = []
    for way in ways:
        value = way.sign_s if step == "sign" else way.arrive_s
        if value is not None:
            found.append((way, value))
    return found


def quantiles(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Return median, three quarters and nine tenths, to a tenth of a second; None without values.

    >>> quantiles([60.0, 120.0, 180.0])
    (120.0, 150.0, 168.0)
    >>> quantiles([])
    (None, None, None)
    """
    if not values:
        return None, None, None
    p50, p75, p90 = (round(float(value), 1) for value in np.quantile(np.asarray(values), QUANTILES))
    return p50, p75, p90


def below(
    incidents: Sequence[Incident],
    ways: Sequence[Took],
    span: Span,
    areas: Mapping[str, str],
    area_of: Callable[[Incident], str | None],
) -> list[Json]:
    """Return one row for each area: what came in, what was closed, how long it took to be there.

    Args:
        incidents: Counted ones.
        ways: From `took`.
        span: The period.
        areas: Code → name of the areas wanted, in order.
        area_of: Which of them an incident lies in.
    """
    cases: defaultdict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        if (code := area_of(incident)) in areas and code is not None:
            cases[code].append(incident)
    times: defaultdict[str, list[float]] = defaultdict(list)
    for way in ways:
        if (code := area_of(way.incident)) is not None and way.arrive_s is not None:
            times[code].append(way.arrive_s)
    rows: list[Json] = []
    for code, name in areas.items():
        mine = cases[code]
        accepted = [i for i in mine if span.holds(i.accepted_at)]
        due = [i for i in mine if i.accepted_at is not None and span.holds(i.due.handle)]
        p50, _, p90 = quantiles(times[code])
        rows.append(
            {
                "code": code,
                "name": name,
                "reported": sum(span.holds(i.reported_at) for i in mine),
                "completion_rate": _rate(accepted, lambda i: i.state in DONE).wire(),
                "on_time_rate": _rate(due, on_time).wire(),
                "arrivals": len(times[code]),
                "arrive_p50_s": p50,
                "arrive_p90_s": p90,
            }
        )
    return rows


def trend(incidents: Sequence[Incident], span: Span, period: Period) -> list[Json]:
    """Return the period cut into hours (a day) or days, for small curves."""
    step = timedelta(hours=1) if period == "day" else timedelta(days=1)
    parts = -(-(span.end - span.start) // step)
    reported, accepted, done, due, kept = (np.zeros(parts, np.int64) for _ in range(5))

    def part(text: str | None) -> int | None:
        if text is None or not span.holds(text):
            return None
        return (parse_rfc3339(text) - span.start) // step

    for incident in incidents:
        if (n := part(incident.reported_at)) is not None:
            reported[n] += 1
        if (n := part(incident.accepted_at)) is not None:
            accepted[n] += 1
            done[n] += incident.state in DONE
        if incident.accepted_at is not None and (n := part(incident.due.handle)) is not None:
            due[n] += 1
            kept[n] += on_time(incident)
    return [
        {
            "at": (span.start + n * step).isoformat(),
            "reported": int(reported[n]),
            "completion_rate": Rate(int(done[n]), int(accepted[n])).wire(),
            "on_time_rate": Rate(int(kept[n]), int(due[n])).wire(),
        }
        for n in range(parts)
    ]
