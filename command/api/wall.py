"""The wall's figures, and who is at the desks."""

from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Depends

from command import summary
from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.clock import rfc3339
from command.errors import Forbidden
from command.incidents import Incident
from command.store import schema
from command.summary import Township
from command.telemetry.records import OFFLINE_S

router = APIRouter(tags=["wall"])
Viewer = Annotated[Principal, Depends(require("kpi.view"))]
Mapper = Annotated[Principal, Depends(require("view.map"))]


@router.get("/wall/summary")
async def wall_summary(me: Viewer, s: ServicesOf) -> Json:
    """Return the day's figures; every rate as n and d."""
    now = s.clock.now()
    zone = ZoneInfo(s.settings.district.timezone)
    start = rfc3339(now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0))
    table = schema.incidents
    query = sa.select(table.c.entity).where(table.c.reported_at >= start)
    rows = await s.database.read(lambda connection: connection.execute(query).scalars().all())
    day = [i for i in (msgspec.json.decode(row, type=Incident) for row in rows) if s.sees(me, "incidents", i)]
    index = s.district.areas
    townships = [Township(a.code, a.name, tuple(index.subtree_grids(a.code))) for a in index.of_tier(2)]
    online = frozenset(unit for unit, fix in s.telemetry.fixes().items() if fix.age_s <= OFFLINE_S)
    return {
        "server_time": rfc3339(now),
        "today": summary.today_of(day, now, zone),
        "villages": summary.villages_of(day, {a.code: a.name for a in index.of_tier(3)}),
        "on_duty": summary.on_duty_of(s.board.responders.values(), online),
        "staffing": summary.staffing_of(townships, s.proposals.staffed()),
        "cameras": summary.cameras_of(s.board.cameras.values()),
        "response": summary.response_of(day),
    }


@router.get("/presence")
async def presence(me: Mapper, s: ServicesOf) -> Json:
    """List who has which page open, and what they look at; for those who see the whole map."""
    if s.access.scope(me, "view.map") != "all":
        raise Forbidden
    return {"items": s.presence.rows(), "next": None}
