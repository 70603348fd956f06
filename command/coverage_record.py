"""Writes down once an hour how the district is covered, so that a leader can compare today with yesterday.

An hour in which the service was down has no row; nothing is filled in afterwards.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from command.clock import Clock, rfc3339
from command.coverage import MINUTES, Coverage, Moment
from command.errors import YipingError
from command.store.coverage_hours import CoverageHours, hour_figures, pack
from gis.areas import GRID
from gis.nearest import ROAD

log = structlog.get_logger("coverage")

ROUND_S: Final = 20.0
SETTLE_S: Final = 60.0
"""After a start phones need this long to report again; before, everybody would count as missing."""


def hour_of(at: datetime) -> str:
    """Return the beginning of the hour a moment lies in.

    >>> hour_of(datetime(2026, 11, 22, 3, 59, 7, tzinfo=UTC))
    '2026-11-22T03:00:00.000Z'
    """
    return rfc3339(at.astimezone(UTC).replace(minute=0, second=0, microsecond=0))


class CoverageRecord:
    """The hourly writer.

    Args:
        coverage: Measures the present.
        hours: Where it goes.
        clock: Time.
        kinds: Returns the kinds of responders that count, those sent by default.
        keep_days: How long hours are kept.
    """

    def __init__(
        self,
        coverage: Coverage,
        hours: CoverageHours,
        clock: Clock,
        kinds: Callable[[], frozenset[str]],
        keep_days: int,
    ) -> None:
        self._coverage = coverage
        self.hours = hours
        self._clock = clock
        self._kinds = kinds
        self._keep = timedelta(days=keep_days)
        self._written: str | None = None

    async def run(self) -> None:
        """Look whether an hour is to be written, until cancelled. A failed one is tried again."""
        await asyncio.sleep(SETTLE_S)
        while True:
            try:
                await self.look()
            except YipingError as error:
                log.warning("hour of coverage not kept", reason=error.detail)
            except Exception:
                log.exception("hour of coverage not kept")
            await asyncio.sleep(ROUND_S)

    async def look(self) -> bool:
        """Write the present hour unless it is written already; returns whether it was written now."""
        hour = hour_of(self._clock.now())
        if hour == self._written:
            return False
        if await self.hours.has(hour):
            self._written = hour
            return False
        moment = await self._coverage.moment(self._kinds())
        if not moment.areas.grids:
            return False
        await self._write(hour, moment)
        self._written = hour
        await self.hours.purge(rfc3339(self._clock.now() - self._keep))
        return True

    async def _write(self, hour: str, moment: Moment) -> None:
        at, by_road, people = rfc3339(moment.at), moment.method == ROAD, len(moment.people)
        index = moment.areas
        figures = await asyncio.to_thread(moment.figures, MINUTES[1])
        above = [
            (code, hour_figures(one, at, by_road=by_road, people=people))
            for code, one in figures.items()
            if index.area(code).tier != GRID
        ]
        grids = [figures[grid.code] for grid in index.grids]
        packed = await asyncio.to_thread(pack, grids, by_road=by_road, people=people)
        await self.hours.keep(hour, at, above, packed)
