"""One incident from report to end: what happened, and where the units sent there were while they were on it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
import numpy as np
import sqlalchemy as sa
from fastapi import APIRouter, Depends
from numpy.typing import NDArray

from command.accounts.access import Principal
from command.api.incidents import find_incident
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.assignments import Assignment
from command.clock import parse_rfc3339, rfc3339
from command.responders import Responder
from command.store import schema
from command.telemetry.history import POOR

router = APIRouter(tags=["incidents"])
Supervisor = Annotated[Principal, Depends(require("incident.supervise"))]

MOST_POINTS: Final = 1_500
"""Of one unit; a longer way is told with fewer points, evenly taken."""
AFTER_S: Final = 30.0
"""So much is shown after the last thing that happened."""


@router.get("/incidents/{incident_id}/replay")
async def replay(incident_id: str, me: Supervisor, s: ServicesOf) -> Json:
    """Return the timeline with the tracks of the units from dispatch to the end of their part; it is recorded.

    Positions are kept only of people on duty, and told only to whoever may see theirs.
    """
    incident = await find_incident(s, me, incident_id)
    events = await s.log.timeline(incident_id)
    jobs = await _jobs(s, incident_id)
    now = s.clock.now()
    start = parse_rfc3339(incident["reported_at"])
    moments = [parse_rfc3339(event.at) for event in events]
    over = incident.get("closed_at") is not None or not any(job.ended_at is None for job in jobs)
    last = max([start, *moments]).timestamp() + AFTER_S
    end = datetime.fromtimestamp(min(last, now.timestamp()) if over else now.timestamp(), tz=now.tzinfo)
    units = [unit for job in jobs if (unit := await _unit(s, me, job, start, end)) is not None]
    await s.audit.record(
        me.user_id,
        "track.replayed",
        f"incident:{incident_id}",
        data={"units": [u["responder_id"] for u in units]},
    )
    return {
        "incident": incident,
        "start": rfc3339(start),
        "end": rfc3339(end),
        "over": over,
        "events": [
            {
                "at": event.at,
                "type": event.type,
                "by": (event.data.get("actor") or {}).get("name"),
                "note": event.data.get("note") or event.data.get("text") or event.data.get("reason"),
                "unit": _unit_of(event.changes, s),
            }
            for event in events
        ],
        "units": units,
    }


async def _jobs(s: Services, incident_id: str) -> list[Assignment]:
    table = schema.assignments
    query = (
        sa.select(table.c.entity).where(table.c.incident_id == incident_id).order_by(table.c.dispatched_at)
    )
    rows = await s.database.read(lambda connection: connection.execute(query).scalars().all())
    return [msgspec.json.decode(row, type=Assignment) for row in rows]


def _unit_of(changes: "dict[str, dict[str, Json | None]]", s: Services) -> str | None:
    """Return the name of the unit an event of an assignment is about."""
    for row in changes.get("assignments", {}).values():
        person = s.board.responders.get(str(row["responder_id"])) if row is not None else None
        if person is not None:
            return person.name
    return None


async def _unit(s: Services, me: Principal, job: Assignment, start: datetime, end: datetime) -> Json | None:
    """Return where a unit was while it was on the job; None where the asker may not see it."""
    person = s.board.responders.get(job.responder_id)
    if person is None or not s.access.may(me, "positions.view", "responders", person, s.lookup):
        return None
    first = parse_rfc3339(job.dispatched_at)
    # Whoever reports their part done goes on to other things, also while the case waits for its check.
    last = min([end, *(parse_rfc3339(text) for text in (job.finished_at, job.ended_at) if text is not None)])
    return {
        "responder_id": person.id,
        "name": person.name,
        "kind": person.kind,
        "assignment_id": job.id,
        "state": job.state,
        "from": rfc3339(first),
        "to": rfc3339(last),
        "points": await _points(s, person, first, last, start),
    }


async def _points(
    s: Services, person: Responder, first: datetime, last: datetime, start: datetime
) -> Sequence[Sequence[float]]:
    """Return [seconds since the report, lon, lat], ascending."""
    s.telemetry.writer.flush(s.telemetry.now())
    track = await asyncio.to_thread(
        s.telemetry.archive.track, person.unit, first.timestamp(), last.timestamp()
    )
    track = track[(track["flags"] & POOR) == 0]
    seconds = track["at_ms"] / 1e3 - start.timestamp()
    return [
        [round(t, 1), round(lon, 6), round(lat, 6)]
        for t, lon, lat in zip(
            _thinned(seconds), _thinned(track["lon"] / 1e7), _thinned(track["lat"] / 1e7), strict=True
        )
    ]


def _thinned(values: NDArray[np.float64]) -> list[float]:
    """Return some of the values, the first and the last among them."""
    if len(values) <= MOST_POINTS:
        return [float(value) for value in values]
    chosen = np.linspace(0, len(values) - 1, MOST_POINTS).round().astype(np.intp)
    return [float(value) for value in values[chosen]]
