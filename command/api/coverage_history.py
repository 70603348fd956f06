"""How an area was covered, hour by hour."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from command.api.coverage import Viewer, visible
from command.api.services import Json, ServicesOf
from command.clock import parse_rfc3339, rfc3339
from command.errors import Malformed
from command.store.coverage_hours import MINUTES, HourFigures
from gis.areas import GRID

router = APIRouter(tags=["coverage"])
LONGEST = timedelta(days=93)
USUAL = timedelta(days=8)
WHEN = "RFC 3339 with offset or Z."


def moment(text: str | None, name: str, otherwise: datetime) -> datetime:
    """Read a moment of a query string.

    Raises:
        Malformed: It is no such moment.
    """
    if text is None:
        return otherwise
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise Malformed(name, "an RFC 3339 time with offset or Z") from None


@router.get("/coverage/history")
async def history(
    me: Viewer,
    s: ServicesOf,
    area: Annotated[
        str | None, Query(max_length=40, description="Omitted: the uppermost one may see.")
    ] = None,
    start: Annotated[str | None, Query(alias="from", max_length=40, description=WHEN)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40, description=WHEN)] = None,
) -> Json:
    """Return an area's figures of each hour that was written, oldest first, and since when there are any."""
    chosen = visible(s, me, s.district.areas, area)
    last = moment(end, "to", s.clock.now())
    first = moment(start, "from", last - USUAL)
    if first > last or last - first > LONGEST:
        raise Malformed("from", f"before `to`, and at most {LONGEST.days} days")
    since = await s.coverage_record.hours.since()
    if not chosen:
        return {"area": None, "since": since, "items": [], "next": None}
    one = chosen[0]
    hours = s.coverage_record.hours
    read = hours.of_grid if one.tier == GRID else hours.of_area
    rows = await read(one.code, rfc3339(first), rfc3339(last))
    return {
        "area": one.code,
        "since": since,
        "items": [_row(hour, figures) for hour, figures in rows],
        "next": None,
    }


def _row(hour: str, figures: HourFigures) -> Json:
    return {
        "hour": hour,
        "at": figures.at,
        "method": "road" if figures.by_road else "straight_line",
        "responders": figures.people,
        "grids": figures.grids,
        "staffed": figures.staffed,
        "on_duty": figures.on_duty,
        "measured": figures.measured,
        "reached": {str(m): n for m, n in zip(MINUTES, figures.reached, strict=True)},
        "reach": {str(m): share for m, share in zip(MINUTES, figures.reach, strict=True)},
        "median_s": figures.median_s,
        "p90_s": figures.p90_s,
        "seen": figures.seen,
        "watched": figures.watched,
    }
