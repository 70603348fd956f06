"""The two days before a demo began: who was on duty and where, hour by hour, and how that covered the district.

Only rosters, positions and outages are made up. What they come to is measured by the service's own code and written
down by its own hourly writer, so that the hours that follow continue it.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from command.board import Board
from command.cameras import Status
from command.clock import ManualClock
from command.core import Core
from command.coverage import Coverage
from command.coverage_record import CoverageRecord
from command.demo.simulator.rates import Past, Span
from command.dispatch import Fix
from command.proposals import Proposals
from command.responders import Responder
from command.store.coverage_hours import CoverageHours
from gis.areas import GRID
from gis.crs import LocalMetric
from gis.locate import NONE

LonLat = tuple[float, float]
_ALWAYS: Final = ("police", "emergency_member")
"""Patrol cars and rescue teams are manned day and night."""
_FIX_AGE_S: Final = 3.0
_LATE_MINUTE: Final = 57
"""Begun so late, a service waits for positions until the hour is over; that hour belongs to the past too."""


def shift_at(past: Past, local: datetime) -> tuple[str, float]:
    """Return which shift a moment lies in, by a name of its own, and the share of the people who have it.

    >>> past = Past(48, ((7, 0.8), (23, 0.5)), 0, 0, 0, (1, 2))
    >>> shift_at(past, datetime(2026, 11, 22, 9)), shift_at(past, datetime(2026, 11, 23, 2))
    (('2026-11-22/7', 0.8), ('2026-11-22/23', 0.5))
    """
    begun = [(hour, share) for hour, share in past.shifts if hour <= local.hour]
    day = local if begun else local - timedelta(days=1)
    hour, share = max(begun or past.shifts)
    return f"{day:%Y-%m-%d}/{hour}", share


class Whereabouts:
    """Where people may be met: on the roads of their grids, or near where they start from.

    Args:
        core: The district and its roads.
        homes: Name → where that person starts from.
        stroll_m: How far from there those without grids go.
    """

    def __init__(self, core: Core, homes: Mapping[str, Sequence[float]], stroll_m: Span) -> None:
        self._stroll_m = stroll_m
        self._by_grid = _road_points(core)
        spots = np.array(list(homes.values()), dtype=np.float64).reshape(-1, 2)
        self._frame = LocalMetric(*(spots.mean(axis=0).tolist() if len(spots) else (0.0, 0.0)))
        x, y = self._frame.to_xy(spots[:, 0], spots[:, 1])
        self._homes = dict(zip(homes, zip(x.tolist(), y.tolist(), strict=True), strict=True))

    def draw(self, person: Responder, rng: random.Random) -> LonLat | None:
        """Return where a person is; None where nothing is known of them."""
        spots = [self._by_grid[code] for code in person.grids if code in self._by_grid]
        if spots:
            lon, lat = rng.choice(rng.choice(spots)).tolist()
            return float(lon), float(lat)
        home = self._homes.get(person.name)
        if home is None:
            return None
        away_m = rng.uniform(*self._stroll_m)
        angle = rng.uniform(0.0, 2 * np.pi)
        x, y = home[0] + away_m * np.cos(angle), home[1] + away_m * np.sin(angle)
        lon, lat = self._frame.to_lonlat([x], [y])
        return float(lon[0]), float(lat[0])


def _road_points(core: Core) -> dict[str, NDArray[np.float64]]:
    """Grid → (n, 2) points on its roads, lon/lat degrees."""
    graph = next(iter(core.district.roads.graphs.values()), None)
    locator = core.district.areas.locator
    if graph is None or GRID not in locator.tiers:
        return {}
    points = np.column_stack([graph.arrays.lon, graph.arrays.lat])
    found = locator.locate(points[:, 0], points[:, 1])
    grid = found.areas[:, found.tiers.index(GRID)]
    order = np.argsort(grid, kind="stable")
    numbers, start = np.unique(grid[order], return_index=True)
    return {
        locator.areas[number].code: points[rows]
        for number, rows in zip(numbers.tolist(), np.split(order, start[1:]), strict=True)
        if number != NONE
    }


class Then:
    """The district at one past hour after the other, in place of the present board and the present positions.

    Args:
        core: Roster and cameras.
        past: What is to be made up.
        whereabouts: Where people are.
        seed: Source of chance.
        hours: The hours, oldest first, in the time of the district.
    """

    def __init__(
        self, core: Core, past: Past, whereabouts: Whereabouts, seed: int, hours: Sequence[datetime]
    ) -> None:
        self.board = Board("past")
        self._people = sorted(core.board.responders.values(), key=lambda person: person.id)
        self._cameras = sorted(core.board.cameras.values(), key=lambda camera: camera.id)
        self._past = past
        self._whereabouts = whereabouts
        self._seed = seed
        self._hours = hours
        self._fixes: dict[int, Fix] = {}
        self._down = self._outages(random.Random(f"{seed}/outages"))

    def fixes(self) -> Mapping[int, Fix]:
        """Return where everybody is who says so."""
        return self._fixes

    def turn(self, number: int) -> None:
        """Go to an hour."""
        local = self._hours[number]
        shift, share = shift_at(self._past, local)
        present = self._roster(random.Random(f"{self._seed}/{shift}"), share)
        rng = random.Random(f"{self._seed}/{local:%Y-%m-%dT%H}")
        self._fixes = {}
        for person in self._people:
            on_duty = person.id in present
            self.board.responders[person.id] = msgspec.structs.replace(person, on_duty=on_duty)
            silent = rng.random() < self._past.silent_share
            if on_duty and not silent and (spot := self._whereabouts.draw(person, rng)) is not None:
                self._fixes[person.unit] = Fix(*spot, _FIX_AGE_S)
        for camera in self._cameras:
            status = Status.OFFLINE if (camera.id, number) in self._down else Status.LIVE
            self.board.cameras[camera.id] = msgspec.structs.replace(camera, status=status)

    def _roster(self, rng: random.Random, share: float) -> frozenset[str]:
        """Return who comes to a shift."""
        order = list(self._people)
        rng.shuffle(order)
        order.sort(key=lambda person: person.kind not in _ALWAYS)
        called = order[: round(len(order) * share)]
        return frozenset(person.id for person in called if rng.random() >= self._past.absent_share)

    def _outages(self, rng: random.Random) -> frozenset[tuple[str, int]]:
        """Return (camera, hour) of what was down."""
        down: set[tuple[str, int]] = set()
        for camera in self._cameras:
            if rng.random() < self._past.camera_outage_share:
                first = rng.randrange(len(self._hours))
                lasts = round(rng.uniform(*self._past.camera_outage_hours))
                down.update((camera.id, first + n) for n in range(lasts))
        return frozenset(down)


async def remember(
    core: Core, past: Past, homes: Mapping[str, Sequence[float]], stroll_m: Span, seed: int
) -> int:
    """Write down the hours before this one; returns how many.

    Args:
        core: A district with its roster and cameras.
        past: What is to be made up.
        homes: Name → where that person starts from, degrees.
        stroll_m: How far from there those without grids go.
        seed: The same seed, district and hour of the clock give the same past.
    """
    zone = ZoneInfo(core.settings.district.timezone)
    now = core.clock.now()
    first = now.replace(minute=1, second=0, microsecond=0) - timedelta(hours=past.hours)
    many = past.hours + (now.minute >= _LATE_MINUTE)
    hours = [(first + timedelta(hours=n)).astimezone(zone) for n in range(many)]
    then = Then(core, past, Whereabouts(core, homes, stroll_m), seed, hours)
    clock = ManualClock(first)
    policy = core.operations.policy
    record = CoverageRecord(
        Coverage(
            then.board,
            then,
            Proposals(then.board, then, lambda: core.district, core.settings),
            lambda: core.district,
            clock,
        ),
        CoverageHours(core.database),
        clock,
        lambda: policy.kinds_for(None),
        core.settings.retention.coverage_days,
    )
    written = 0
    for number in range(many):
        then.turn(number)
        written += await record.look()
        clock.advance(3600.0)
    return written
