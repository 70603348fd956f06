"""The day's figures for the wall, from the board and the tables. Numerators and denominators, never bare rates."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from command.cameras import WATCHABLE, Camera, Status
from command.clock import parse_rfc3339
from command.incidents import Incident
from command.responders import Responder

Json = dict[str, object]
EXCLUDED = frozenset({"merged", "cancelled"})
DONE = frozenset({"closed", "evaluated", "revisited", "archived"})


@dataclass(frozen=True, slots=True)
class Township:
    """One township with its grids."""

    code: str
    name: str
    grids: tuple[str, ...]


def today_of(incidents: Iterable[Incident], now: datetime, zone: ZoneInfo) -> Json:
    """Count the incidents reported since local midnight; exercises, merged and cancelled ones do not count."""
    local = now.astimezone(zone)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    chosen = [
        i
        for i in incidents
        if not i.exercise and i.state not in EXCLUDED and parse_rfc3339(i.reported_at) >= start
    ]
    hours = [0] * 24
    for incident in chosen:
        hours[parse_rfc3339(incident.reported_at).astimezone(zone).hour] += 1
    accepted = [i for i in chosen if i.accepted_at is not None]
    due = [i for i in chosen if i.state in DONE and i.due.handle is not None]
    return {
        "reported": len(chosen),
        "accepted": len(accepted),
        "closed": sum(i.state in DONE for i in chosen),
        "closed_of_accepted": {"n": sum(i.state in DONE for i in accepted), "d": len(accepted)},
        "on_time": {
            "n": sum((i.closed_at or "") <= (i.due.handle or "") for i in due),
            "d": len(due),
        },
        "overdue": sum(overdue(i, now) for i in chosen),
        "by_state": dict(Counter(i.state for i in chosen)),
        "hours": hours,
    }


def overdue(incident: Incident, now: datetime) -> bool:
    """Say whether the stage the incident is in has run past its limit; as `runningStage` of the screens."""
    stages = incident.due
    due = {
        "reported": stages.accept,
        "accepted": stages.sign,
        "dispatched": stages.sign,
        "handling": stages.handle if incident.arrived_at else stages.arrive or stages.handle,
    }.get(incident.state)
    return due is not None and parse_rfc3339(due) < now


def villages_of(incidents: Iterable[Incident], names: Mapping[str, str], least: int = 5) -> list[Json]:
    """Rank villages by closed of accepted; only those with at least ``least`` accepted are comparable."""
    accepted: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    for incident in incidents:
        if incident.village is None or incident.accepted_at is None or incident.state in EXCLUDED:
            continue
        accepted[incident.village] += 1
        closed[incident.village] += incident.state in DONE
    rows = [(-closed[code] / count, -count, code) for code, count in accepted.items() if count >= least]
    return [
        {"code": code, "name": names.get(code, code), "n": closed[code], "d": accepted[code]}
        for *_, code in sorted(rows)
    ]


def on_duty_of(people: Iterable[Responder], online_units: frozenset[int]) -> Json:
    """Count by kind: on the roster, on shift, and heard of within the offline limit."""
    kinds: dict[str, dict[str, int]] = {}
    for person in people:
        row = kinds.setdefault(person.kind, {"total": 0, "on": 0, "online": 0})
        row["total"] += 1
        row["on"] += person.on_duty
        row["online"] += person.on_duty and person.unit in online_units
    return {"by_kind": kinds}


def staffing_of(townships: Sequence[Township], staffed: frozenset[str]) -> Json:
    """Count grids with and without a worker, in all and by township."""
    rows: list[Json] = []
    total = held = 0
    for township in townships:
        n = sum(grid in staffed for grid in township.grids)
        rows.append(
            {"code": township.code, "name": township.name, "staffed": n, "grids": len(township.grids)}
        )
        total += len(township.grids)
        held += n
    return {"grids": total, "vacant": total - held, "by_township": rows}


def cameras_of(cameras: Iterable[Camera]) -> Json:
    """Count cameras for the two indicators, each as n of d.

    在线率 is those a picture comes from, of the registered ones that are not switched off by hand; 完好率 those
    that are live without a fault, of all registered ones. ``unknown`` have never been looked at.
    """
    rows = list(cameras)
    states = Counter(camera.status for camera in rows)
    enabled = sum(camera.enabled for camera in rows)
    online = sum(camera.enabled and camera.status in WATCHABLE for camera in rows)
    intact = sum(camera.status is Status.LIVE and camera.fault is None for camera in rows)
    return {
        "online": online,
        "unknown": states[Status.UNKNOWN],
        "total": len(rows),
        "enabled": enabled,
        "camera_online": {"n": online, "d": enabled},
        "camera_intact": {"n": intact, "d": len(rows)},
        "by_status": {status.value: states[status] for status in Status},
        "faults": dict(Counter(camera.fault for camera in rows if camera.fault is not None)),
    }


def response_of(incidents: Iterable[Incident]) -> Json:
    """Median seconds from dispatch to sign and to arrival, by level, beside the limit."""
    sign: dict[str, list[float]] = {}
    arrive: dict[str, list[float]] = {}
    limits: dict[str, Incident] = {}
    for incident in incidents:
        if incident.dispatched_at is None or incident.exercise:
            continue
        start = parse_rfc3339(incident.dispatched_at)
        limits[incident.level] = incident
        for end, bucket in ((incident.signed_at, sign), (incident.arrived_at, arrive)):
            if end is not None:
                took_s = (parse_rfc3339(end) - start).total_seconds()
                bucket.setdefault(incident.level, []).append(took_s)

    def rows(bucket: Mapping[str, list[float]], limit: str) -> Json:
        return {
            level: {
                "median_s": round(median(values), 1),
                "n": len(values),
                "limit_s": getattr(limits[level].limits_s, limit),
            }
            for level, values in sorted(bucket.items())
        }

    return {"sign": rows(sign, "sign"), "arrive": rows(arrive, "arrive")}
