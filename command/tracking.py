"""Where units are, as the rest of the service asks for it: the telemetry lane tied to the roster and the areas."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from command.board import Board
from command.clock import Clock, parse_rfc3339
from command.dispatch import Fix
from command.district import District
from command.events import Event
from command.store.tracks import SqlTracks
from command.telemetry.history import POOR, TrackArchive, TrackWriter, unpack
from command.telemetry.records import OFFLINE_S
from command.telemetry.state import Positions
from command.telemetry.tick import Ticker
from gis.geofence import Geofence

log = structlog.get_logger("tracking")

WORLD: Final = (-180.0, -85.0, 180.0, 85.0)
MARGIN_DEG: Final = 0.05
COMPACT_EVERY_S: Final = 600.0
UNKNOWN_SPEED: Final = 255


class FixTable(Mapping[int, Fix]):
    """The newest fix of each on-duty unit, looked up when asked; ages as of one moment."""

    def __init__(self, positions: Positions, now: float) -> None:
        self._positions = positions
        self._now = now

    def __getitem__(self, unit: int) -> Fix:
        found = self._positions.fix(unit)
        if found is None:
            raise KeyError(unit)
        age_s = max(0.0, self._now - found.fix_at)
        return Fix(found.lon, found.lat, age_s, found.suspect)

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions.unit[self._positions.live()].tolist())

    def __len__(self) -> int:
        return len(self._positions.live())


class Tracking:
    """Positions, their tick to the maps, and their history.

    Args:
        board: The roster: who is on duty, who is busy.
        district: The areas that moved units are placed in.
        tracks: Where history goes.
        folder: Where compacted history lives.
        clock: Time of ticks and ages.
        keep_s: How long compacted tracks are kept.
    """

    def __init__(
        self,
        board: Board,
        district: District,
        tracks: SqlTracks,
        folder: Path,
        clock: Clock,
        keep_s: float,
    ) -> None:
        self._clock = clock
        self.tracks = tracks
        self._keep_s = keep_s
        self.positions = Positions(max(1024, 2 * len(board.responders)))
        self._areas = district.areas
        self._fence_rows = len(self.positions.unit)
        self._fence = Geofence(self._areas, self._fence_rows)
        bounds = district.bounds
        extent = WORLD
        if bounds is not None:
            west, south, east, north = bounds
            extent = (west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG)
        self.writer = TrackWriter(tracks)
        self.archive = TrackArchive(tracks, folder)
        self.ticker = Ticker(
            self.positions,
            extent,
            history=self.writer,
            locate=self._locate,
            rev=int(self.now() * 1_000),
        )
        for person in board.responders.values():
            self._follow(person.unit, person.on_duty, person.busy, person.shift_since)
        self._recall()

    def _recall(self) -> None:
        """Put units back where the last process saw them; their age says how long ago that was."""
        now = self.now()
        for _, blob in self.tracks.read_ticks(now - OFFLINE_S, math.inf):
            points = unpack(blob)
            points = points[(points["flags"] & POOR) == 0]
            self.positions.report_many(
                points["unit"],
                points["lon"] / 1e7,
                points["lat"] / 1e7,
                points["at_ms"] / 1e3,
                now,
                speed_kmh=np.where(points["speed"] == UNKNOWN_SPEED, np.nan, points["speed"]),
                heading_deg=points["heading"] * (360 / 256),
            )
        self.positions.settle()  # not through the tick: these points are in the history already

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now().timestamp()

    def fixes(self) -> FixTable:
        """Return the newest fix of each on-duty unit."""
        return FixTable(self.positions, self.now())

    def apply(self, event: Event) -> None:
        """Follow duty and jobs: off duty ends tracking at once."""
        for row in event.changes.get("responders", {}).values():
            if row is not None:
                self._follow(
                    row["unit"], row["on_duty"], row["assignment_id"] is not None, row["shift_since"]
                )

    def take_district(self, district: District) -> None:
        """Place units in another district's grids from the next tick on."""
        if district.areas is not self._areas:
            self._areas = district.areas
            self._fence = Geofence(self._areas, self._fence_rows)

    def _follow(self, unit: int, on_duty: bool, busy: bool, since: str | None) -> None:
        # Trackers tell whole seconds: a fix of the second in which the shift began belongs to it.
        start = None if since is None else math.floor(parse_rfc3339(since).timestamp())
        self.positions.set_on_duty(unit, on_duty, start)
        self.positions.set_busy(unit, busy)

    def _locate(
        self, rows: NDArray[np.intp], lon: NDArray[np.floating[Any]], lat: NDArray[np.floating[Any]]
    ) -> NDArray[np.int32]:
        if self._fence_rows < len(self.positions.unit):
            self._fence_rows = len(self.positions.unit)
            self._fence = Geofence(self._areas, self._fence_rows)
        return self._fence.update(rows, lon, lat)

    async def run(self) -> None:
        """Compact old track blobs now and then until cancelled; the ticks are the feed hub's."""
        while True:
            await asyncio.sleep(COMPACT_EVERY_S)
            await asyncio.to_thread(self._compact)

    def _compact(self) -> None:
        try:
            written = self.archive.compact(self.now())
            dropped = self.archive.forget(self.now() - self._keep_s)
            log.info("tracks compacted", written=written, dropped=dropped)
        except Exception:
            log.exception("tracks not compacted")

    def flush(self) -> None:
        """Hand what is held to the store; called once more at shutdown."""
        self.writer.flush(self.now())
