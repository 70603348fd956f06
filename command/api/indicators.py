"""Indicators of an area over a day, a week or a month, beside the period before; and what leaders follow up."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from command import indicators, summary
from command.accounts.access import Principal
from command.api.coverage import Viewer, visible
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.assignments import Assignment
from command.clock import rfc3339
from command.coverage_record import hour_of
from command.incidents import Incident
from command.indicators import LONGEST_DUE, Period, Rate
from command.setting_sections import TargetSettings
from command.store import schema
from command.telemetry.records import OFFLINE_S
from gis.areas import GRID, Area

router = APIRouter(tags=["indicators"])
Supervisor = Annotated[Principal, Depends(require("incident.supervise"))]

FOLLOWED_UP: tuple[str, ...] = ("incident.supervised", "incident.escalated")
MOST = 200


def cases_since(connection: sa.Connection, start: datetime) -> tuple[list[Incident], list[Assignment]]:
    """Read what was reported since a moment, and the jobs sent out since then."""
    table, jobs = schema.incidents, schema.assignments
    moment = rfc3339(start)
    rows = connection.execute(sa.select(table.c.entity).where(table.c.reported_at >= moment)).scalars()
    found = [msgspec.json.decode(row, type=Incident) for row in rows]
    sent = connection.execute(sa.select(jobs.c.entity).where(jobs.c.dispatched_at >= moment)).scalars()
    return found, [msgspec.json.decode(row, type=Assignment) for row in sent]


def in_area(area: Area | None) -> Callable[[Incident], bool]:
    """Return the test whether an incident lies in an area; the county and None hold what lies in no grid too."""
    if area is None or area.tier == 1:
        return lambda _incident: True
    code = area.code
    return lambda incident: code in (incident.grid, incident.village, incident.township)


def level_below(area: Area | None) -> Callable[[Incident], str | None]:
    """Return the function to the area one tier below that an incident lies in."""
    names = {None: "township", 1: "township", 2: "village", 3: "grid", 4: "grid"}
    name = names[None if area is None else area.tier]
    return lambda incident: getattr(incident, name)


@router.get("/indicators")
async def read_indicators(
    me: Viewer,
    s: ServicesOf,
    period: Annotated[Period, Query(description="The running one, up to now.")] = "month",
    area: Annotated[
        str | None, Query(max_length=40, description="Omitted: the uppermost one may see.")
    ] = None,
) -> Json:
    """Return the indicators of an area, each as n of d beside the same of the period before."""
    chosen = visible(s, me, s.district.areas, area)
    top = chosen[0] if chosen else None
    now = s.clock.now()
    span, before = indicators.spans(period, now, ZoneInfo(s.settings.district.timezone))
    cases, jobs = await s.database.read(
        lambda connection: cases_since(connection, before.start - LONGEST_DUE)
    )
    first = sa.select(sa.func.min(schema.incidents.c.reported_at))
    oldest = await s.database.read(lambda connection: connection.execute(first).scalar())
    inside = in_area(top)
    mine = [i for i in indicators.counted(cases) if inside(i) and s.sees(me, "incidents", i)]
    below = {one.code: one.name for one in chosen if top is not None and one.parent == top.code}
    targets = targets_of(s.settings.targets)
    head = await asyncio.to_thread(
        _handling, mine, jobs, span, before, period, below, level_below(top), targets
    )
    return {
        "server_time": rfc3339(now),
        "area": None if top is None else top.code,
        "period": period,
        "from": rfc3339(span.start),
        "before": {"from": rfc3339(before.start), "to": rfc3339(before.end)},
        "since": oldest,
        **head,
        "present": await _present(s, me, top, before.end),
    }


def targets_of(targets: TargetSettings) -> dict[str, float]:
    """Return the shares that the centre has set itself, by code of the indicator; those it has not are left out."""
    found = {
        "staffing_rate": targets.staffing_share,
        "online_rate": targets.people_online_share,
        "completion_rate": targets.completion_share,
        "on_time_rate": targets.on_time_share,
        "satisfaction": targets.satisfaction_share,
        "camera_online": targets.camera_online_share,
        "camera_intact": targets.camera_intact_share,
    }
    return {code: share for code, share in found.items() if share}


def _handling(
    cases: Sequence[Incident],
    jobs: Sequence[Assignment],
    span: indicators.Span,
    before: indicators.Span,
    period: Period,
    areas: dict[str, str],
    area_of: Callable[[Incident], str | None],
    targets: Mapping[str, float],
) -> Json:
    ways, earlier = indicators.took(cases, jobs, span), indicators.took(cases, jobs, before)
    now_rates, old_rates = indicators.rates(cases, span), indicators.rates(cases, before)
    return {
        "reported": {
            "n": sum(span.holds(i.reported_at) for i in cases),
            "before": sum(before.holds(i.reported_at) for i in cases),
        },
        "items": [
            {
                "code": code,
                **rate.wire(),
                "before": old_rates[code].wire(),
                "target": targets.get(code),
            }
            for code, rate in now_rates.items()
        ],
        "response": indicators.response(ways, earlier),
        "below": indicators.below(cases, ways, span, areas, area_of),
        "trend": indicators.trend(cases, span, period),
    }


async def _present(s: Services, me: Principal, top: Area | None, earlier: datetime) -> list[Json]:
    """Return the indicators that are a state of now: staffing, who is online, cameras."""
    index = s.district.areas
    grids = frozenset(index.subtree_grids(top.code)) if top is not None else frozenset[str]()
    staffed = s.proposals.staffed() & grids
    villages = {a.parent for g in grids if (a := index.area(g)).parent is not None}
    active = {index.area(g).parent for g in staffed}
    fixes = s.telemetry.fixes()
    people = [
        p
        for p in s.board.responders.values()
        if p.on_duty and (top is None or top.tier == 1 or grids.intersection(p.grids))
    ]
    online = sum(p.unit in fixes and fixes[p.unit].age_s <= OFFLINE_S for p in people)
    cameras = [
        c
        for c in s.board.cameras.values()
        if (top is None or top.tier == 1 or c.grid in grids) and s.sees(me, "cameras", c)
    ]
    counts: dict[str, Any] = summary.cameras_of(cameras)
    rows: list[tuple[str, Json]] = [
        ("staffing_rate", Rate(len(staffed), len(grids)).wire()),
        ("grid_coverage", Rate(len(active & villages), len(villages)).wire()),
        ("online_rate", Rate(online, len(people)).wire()),
        ("camera_online", counts["camera_online"]),
        ("camera_intact", counts["camera_intact"]),
    ]
    before: dict[str, Json] = {}
    if top is not None:
        hours = s.coverage_record.hours
        hour = hour_of(earlier)
        read = hours.of_grid if top.tier == GRID else hours.of_area
        for _, then in await read(top.code, hour, hour):
            before["staffing_rate"] = Rate(then.staffed, then.grids).wire()
    targets = targets_of(s.settings.targets)
    return [
        {"code": code, **rate, "before": before.get(code), "target": targets.get(code)} for code, rate in rows
    ]


@router.get("/supervision")
async def read_supervision(
    me: Supervisor,
    s: ServicesOf,
    days: Annotated[int, Query(ge=1, le=366, description="Reported within so many days.")] = 30,
    area: Annotated[str | None, Query(max_length=40)] = None,
) -> Json:
    """Return the incidents under supervision or escalated: what was said, by whom and when, and how it stands.

    Those still open come first, the highest grade before the others, then the newest.
    """
    chosen = visible(s, me, s.district.areas, area)
    inside = in_area(chosen[0] if chosen else None)
    now = s.clock.now()
    start = rfc3339(datetime.fromtimestamp(now.timestamp() - days * 86_400.0, tz=now.tzinfo))
    table = schema.incidents

    def read(connection: sa.Connection) -> list[Incident]:
        rows = connection.execute(sa.select(table.c.entity).where(table.c.reported_at >= start)).scalars()
        found = (msgspec.json.decode(row, type=Incident) for row in rows)
        return [i for i in found if i.supervision is not None or i.escalation_tier is not None]

    cases = [i for i in await s.database.read(read) if inside(i) and s.sees(me, "incidents", i)]
    grades = ("red", "yellow", "normal", None)
    cases.sort(key=lambda i: i.updated_at or i.reported_at, reverse=True)
    cases.sort(key=lambda i: (i.state in summary.DONE, grades.index(i.supervision)))
    cases = cases[:MOST]
    said = await _said(s, [i.id for i in cases])
    items: list[Json] = [
        {
            "id": i.id,
            "code": i.code,
            "title": i.title,
            "level": i.level,
            "state": i.state,
            "address": i.address,
            "township": i.township,
            "village": i.village,
            "grid": i.grid,
            "supervision": i.supervision,
            "escalation_tier": i.escalation_tier,
            "due_at": i.due.handle,
            "overdue": summary.overdue(i, now),
            "closed_at": i.closed_at,
            "rework": i.rework,
            "said": said.get(i.id, []),
            "updated_at": i.updated_at,
            "updated_by": i.updated_by,
        }
        for i in cases
    ]
    return {"items": items, "next": None}


async def _said(s: Services, ids: Sequence[str]) -> dict[str, list[Json]]:
    """Return what was said of each incident, oldest first."""
    events, link = schema.events, schema.incident_events
    query = (
        sa.select(link.c.incident_id, events.c.at, events.c.type, events.c.data)
        .join(events, events.c.seq == link.c.seq)
        .where(link.c.incident_id.in_(ids), events.c.type.in_(FOLLOWED_UP))
        .order_by(events.c.seq)
    )
    rows = await s.database.read(lambda connection: connection.execute(query).all())
    found: dict[str, list[Json]] = {}
    for row in rows:
        data = msgspec.json.decode(row.data)
        line: Json = {
            "at": row.at,
            "what": row.type.partition(".")[2],
            "by": data["actor"]["name"],
            "text": data.get("text") or data.get("reason"),
            "grade": data.get("grade"),
        }
        found.setdefault(row.incident_id, []).append(line)
    return found
