"""Which grid is unstaffed, out of reach, unseen: roster, positions and cameras measured against the roads.

The geometry is `gis.coverage`. This module keeps what it needs between two questions, measures one moment at a time
outside the event loop, and gives the same moment to all who ask within a few seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from command.board import Board
from command.cameras import WATCHABLE, Camera, Status
from command.clock import Clock
from command.dispatch import Fix, eligible
from command.district import District
from command.proposals import LIMITS, Fixes, Proposals
from command.responders import Responder
from gis.areas import AreaIndex
from gis.coverage.camera_sites import camera_choices
from gis.coverage.gaps import gaps
from gis.coverage.reach import Ground, Reach
from gis.coverage.rollup import Figures, GridFacts, Rollup
from gis.coverage.siting import Choices, Post, choices, one_more
from gis.coverage.view import SeenArea, Sight
from gis.nearest import Method

KEPT_S: Final = 5.0
"""How long a measured moment answers; positions are that old anyhow."""
KEPT_MOMENTS: Final = 8
MINUTES: Final = (3, 5, 10)
"""Shares are always told for these."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CameraCount:
    """``undirected``: they work, and nobody entered where they look; ``unchecked``: do they work? Not known yet."""

    total: int
    working: int
    undirected: int
    unchecked: int


@dataclass(slots=True, eq=False)
class Moment:
    """The district as it was covered at one moment.

    Attributes:
        at: When it was measured.
        people: Who was counted, in the order of their numbers in `reach`.
        excluded: Who was not, by reason, those near no road among them.
        seen: What cameras see, shared with the moments after it: newer than the rest where somebody asks late.
    """

    at: datetime
    district: District
    rollup: Rollup
    reach: Reach
    people: Sequence[Responder]
    excluded: Mapping[str, int]
    facts: GridFacts
    cameras: CameraCount
    seen: SeenArea
    _figures: dict[int, dict[str, Figures]] = field(default_factory=dict)

    @property
    def areas(self) -> AreaIndex:
        """The division it was measured for."""
        return self.district.areas

    @property
    def method(self) -> Method:
        """Whether times are by road or estimates by the straight line."""
        return self.reach.ground.method

    def figures(self, minutes: int) -> Mapping[str, Figures]:
        """Return the figures of every area by code; costs some 50 ms in a city, once for each time."""
        if minutes not in self._figures:
            seconds = tuple(sorted({*(60 * m for m in MINUTES), 60 * minutes}))
            self._figures[minutes] = {one.code: one for one in self.rollup.figures(self.facts, seconds)}
        return self._figures[minutes]

    def samples_in(self, grids: frozenset[str]) -> Mask:
        """Return which samples lie in these grids."""
        chosen = np.array([grid.code in grids for grid in self.areas.grids], dtype=np.bool_)
        inside: Mask = chosen[self.reach.ground.samples.grid]
        return inside

    def gaps(self, minutes: int, grids: frozenset[str]) -> dict[str, Any]:
        """Return what is out of reach in these grids as a FeatureCollection, the longest stretch first."""
        return self._collection((self.reach.seconds > 60 * minutes) & self.samples_in(grids))

    def opened(self, unit: int, minutes: int, grids: frozenset[str]) -> dict[str, Any]:
        """Return what falls out of reach in these grids without one responder, as a FeatureCollection."""
        now = self.reach.seconds <= 60 * minutes
        lost = now & (self.reach.seconds_without(unit) > 60 * minutes)
        return self._collection(lost & self.samples_in(grids))

    def _collection(self, missed: Mask) -> dict[str, Any]:
        codes = tuple(grid.code for grid in self.areas.grids)
        found = gaps(self.reach.ground.samples, missed)
        return {"type": "FeatureCollection", "features": [gap.feature(codes) for gap in found]}

    def figures_without(self, unit: int, minutes: int) -> Mapping[str, Figures]:
        """Return the figures of every area as if one responder were not there."""
        facts = GridFacts(
            self.reach.times_without(unit),
            self.facts.staffed,
            self.facts.on_duty,
            self.facts.area_m2,
            self.facts.seen_m2,
            self.facts.cameras,
            self.facts.built,
        )
        seconds = tuple(sorted({*(60 * m for m in MINUTES), 60 * minutes}))
        return {one.code: one for one in self.rollup.figures(facts, seconds)}

    def responder_choices(self, minutes: int, grids: frozenset[str]) -> Choices | None:
        """Return where more responders could stand, None where every road of these grids is within reach."""
        return choices(self.reach, 60.0 * minutes, among=self.samples_in(grids))

    def camera_choices(self, range_m: float, grids: frozenset[str]) -> Choices | None:
        """Return where more cameras could stand, None where every road of these grids is shown."""
        samples = self.reach.ground.samples
        return camera_choices(samples, self.seen, range_m, among=self.samples_in(grids))

    def one_more(self, minutes: int, posts: int, grids: frozenset[str]) -> list[Post]:
        """Return where more responders would bring most road of these grids within reach."""
        return one_more(self.reach, 60.0 * minutes, posts=posts, among=self.samples_in(grids))


@dataclass(slots=True, eq=False)
class _Kept:
    """What is made once for a district."""

    district: District
    ground: Ground
    rollup: Rollup
    seen: SeenArea


class Coverage:
    """Measures how a district is covered.

    Args:
        board: Roster and cameras.
        fixes: Positions.
        proposals: Which grids are staffed.
        district: Returns the district as it is now; after an import everything is made anew.
        clock: Time.
    """

    def __init__(
        self,
        board: Board,
        fixes: Fixes,
        proposals: Proposals,
        district: Callable[[], District],
        clock: Clock,
    ) -> None:
        self._board = board
        self._fixes = fixes
        self._proposals = proposals
        self._district = district
        self._clock = clock
        self._kept: _Kept | None = None
        self._moments: dict[tuple[frozenset[str], bool], tuple[float, Moment]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def moment(self, kinds: frozenset[str] = frozenset(), *, free_only: bool = False) -> Moment:
        """Return the district as it is covered now, at most `KEPT_S` old.

        Args:
            kinds: Count only these kinds of responders; empty for all.
            free_only: Leave out those on a job.
        """
        key = (kinds, free_only)
        async with self._one_at_a_time:
            district, now = self._district(), self._clock.monotonic()
            found = self._moments.get(key)
            if found is not None and now - found[0] < KEPT_S and found[1].district is district:
                return found[1]
            moment = await self._measure(district, kinds, free_only=free_only)
            self._moments.pop(key, None)
            while len(self._moments) >= KEPT_MOMENTS:
                self._moments.pop(next(iter(self._moments)))
            self._moments[key] = (self._clock.monotonic(), moment)
            return moment

    async def _measure(self, district: District, kinds: frozenset[str], *, free_only: bool) -> Moment:
        at = self._clock.now()
        everybody = list(self._board.responders.values())
        fixes = self._fixes.fixes()
        people, excluded = eligible(everybody, fixes, LIMITS, kinds=kinds, include_busy=not free_only)
        people.sort(key=lambda person: person.id)
        where = [fixes[person.unit] for person in people]
        cameras = list(self._board.cameras.values())
        on_duty = frozenset(
            grid for p in everybody if p.kind == "grid_worker" and p.on_duty for grid in p.grids
        )
        staffed = self._proposals.staffed()
        return await asyncio.to_thread(
            self._compute, at, district, people, where, excluded, cameras, staffed, on_duty
        )

    def _compute(
        self,
        at: datetime,
        district: District,
        people: Sequence[Responder],
        where: Sequence[Fix],
        excluded: Counter[str],
        cameras: Sequence[Camera],
        staffed: frozenset[str],
        on_duty: frozenset[str],
    ) -> Moment:
        kept = self._keep(district)
        reach = kept.ground.reach(
            [fix.lon for fix in where], [fix.lat for fix in where], [person.profile for person in people]
        )
        excluded["off_road"] += int(reach.off_road.sum())
        working = {camera.id: sight_of(camera) for camera in cameras if camera.status in WATCHABLE}
        kept.seen.update(working)
        grids = district.areas.grids
        facts = GridFacts(
            times=reach.times,
            staffed=np.array([grid.code in staffed for grid in grids], dtype=np.bool_),
            on_duty=np.array([grid.code in on_duty for grid in grids], dtype=np.bool_),
            area_m2=kept.seen.grid_m2,
            seen_m2=kept.seen.seen_m2.copy(),
            cameras=kept.seen.cameras,
            built=kept.seen.built,
        )
        unchecked = sum(camera.status is Status.UNKNOWN for camera in cameras)
        count = CameraCount(len(cameras), len(working), len(kept.seen.undirected), unchecked)
        return Moment(at, district, kept.rollup, reach, people, +excluded, facts, count, kept.seen)

    def _keep(self, district: District) -> _Kept:
        kept = self._kept
        if kept is None or kept.district.areas is not district.areas:
            areas = district.areas
            seen = SeenArea(areas, {}, district.buildings)
            kept = _Kept(district, Ground(areas, district.roads.graphs), Rollup(areas), seen)
        elif kept.district.roads is not district.roads:
            kept.ground = Ground(district.areas, district.roads.graphs)
        if kept.district.buildings is not district.buildings:
            kept.seen = SeenArea(district.areas, {}, district.buildings)
        # Where only a road was closed or opened, the points on the roads stay where they are.
        if kept.ground.graphs != district.nearest.graphs:
            kept.ground = kept.ground.with_closures(district.nearest.graphs)
        kept.district, self._kept = district, kept
        return kept


def sight_of(camera: Camera) -> Sight:
    """Return where a camera stands and looks."""
    return Sight(
        camera.lon,
        camera.lat,
        camera.azimuth,
        camera.fov,
        camera.range_m,
        camera.height_m,
        camera.tilt,
    )
