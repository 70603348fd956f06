"""Trips along the real roads: where somebody is at any second between leaving and arriving."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.errors import GisError
from gis.roads.graph import RoadGraph
from gis.roads.routes import Route
from gis.roads.snap import FREE_OFFSET_M, WALK_M_S

LonLat = tuple[float, float]

METRES_PER_DEG: Final = 111_195.0
ASIDE_KMH: Final = {"car": 9.0, "motorcycle": 8.0, "foot": 5.0}
"""Off the roads: a car rolls through a yard, a person walks."""
NO_ROAD_KMH: Final = {"car": 30.0, "motorcycle": 25.0, "foot": 4.5}
ON_ROAD_M: Final = 2.0


def metres(a: LonLat, b: LonLat) -> float:
    """Return the distance of two places (lon, lat degrees, WGS-84), good to 0.5 % within a district.

    >>> round(metres((106.9, 37.2), (106.9, 37.201)), 1)
    111.2
    """
    east = (b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, b[1] - a[1]) * METRES_PER_DEG


def shifted(place: LonLat, east_m: float, north_m: float) -> LonLat:
    """Return the place so many metres east and north."""
    lon, lat = place
    return (
        lon + east_m / (METRES_PER_DEG * math.cos(math.radians(lat))),
        lat + north_m / METRES_PER_DEG,
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a traveller is: degrees WGS-84, heading clockwise from north, km/h."""

    lon: float
    lat: float
    heading_deg: float
    speed_kmh: float

    @property
    def place(self) -> LonLat:
        """(lon, lat)."""
        return self.lon, self.lat


class Trip:
    """A line and a timetable.

    Args:
        points: At least two places, lon, lat degrees.
        timetable: (seconds since leaving, metres along the line), rising, from (0, 0) to the end.
        by_road: Whether it follows roads; False for an estimate across country.
    """

    def __init__(
        self, points: Sequence[LonLat], timetable: Sequence[tuple[float, float]], *, by_road: bool
    ) -> None:
        self.points = list(points)
        self.by_road = by_road
        self._along = [0.0]
        for a, b in zip(self.points, self.points[1:], strict=False):
            self._along.append(self._along[-1] + metres(a, b))
        # The road network measures in a projection; the last per mille of difference is stretched away.
        stretch = self._along[-1] / timetable[-1][1] if timetable[-1][1] > 0 else 1.0
        self._seconds = [row[0] for row in timetable]
        self._metres = [row[1] * stretch for row in timetable]

    @property
    def duration_s(self) -> float:
        """Seconds from leaving to arriving."""
        return self._seconds[-1]

    @property
    def distance_m(self) -> float:
        """Length of the line."""
        return self._along[-1]

    def metres_at(self, seconds: float) -> float:
        """Return how far along the line the traveller is."""
        return _interpolate(seconds, self._seconds, self._metres)

    def at(self, seconds: float) -> Moment:
        """Return where the traveller is so long after leaving; before 0 the start, after the end the end."""
        along = self.metres_at(seconds)
        segment = min(max(bisect_right(self._along, along) - 1, 0), len(self.points) - 2)
        a, b = self.points[segment], self.points[segment + 1]
        length = self._along[segment + 1] - self._along[segment]
        share = 0.0 if length <= 0 else min(1.0, (along - self._along[segment]) / length)
        east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
        heading = math.degrees(math.atan2(east, b[1] - a[1])) % 360
        speed = 0.0
        if 0 <= seconds < self.duration_s:
            before, after = max(0.0, seconds - 1.0), min(self.duration_s, seconds + 1.0)
            speed = (self.metres_at(after) - self.metres_at(before)) / (after - before) * 3.6
        return Moment(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), heading, speed)


def _interpolate(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    i = bisect_right(xs, x)
    share = (x - xs[i - 1]) / (xs[i] - xs[i - 1])
    return ys[i - 1] + share * (ys[i] - ys[i - 1])


class Roads:
    """The district's road graphs, loaded when first needed.

    Args:
        folder: With ``roads-car.npz``, ``roads-motorcycle.npz``, ``roads-foot.npz``; any may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._graphs: dict[str, RoadGraph | None] = {}
        self._bends: dict[str, NDArray[np.float64]] = {}

    def graph(self, profile: str) -> RoadGraph | None:
        """Return the graph of a profile, None where there is none."""
        if profile not in self._graphs:
            try:
                self._graphs[profile] = RoadGraph.load(self._folder / f"roads-{profile}.npz")
            except GisError:
                self._graphs[profile] = None
        return self._graphs[profile]

    def near(
        self, profile: str, place: LonLat, span_m: tuple[float, float], count: int, rng: random.Random
    ) -> list[LonLat]:
        """Return some places on roads of the connected network, so far from a place as the crow flies."""
        graph = self.graph(profile)
        if graph is None:
            return []
        if profile not in self._bends:
            arrays = graph.arrays
            good = np.repeat(arrays.snappable, np.diff(arrays.start))
            self._bends[profile] = np.column_stack([arrays.lon[good], arrays.lat[good]])
        bends = self._bends[profile]
        away = np.hypot((bends[:, 0] - place[0]) * math.cos(math.radians(place[1])), bends[:, 1] - place[1])
        found = np.flatnonzero((away * METRES_PER_DEG >= span_m[0]) & (away * METRES_PER_DEG <= span_m[1]))
        chosen = rng.sample(found.tolist(), min(count, len(found)))
        return [(float(bends[i, 0]), float(bends[i, 1])) for i in chosen]

    def trip(
        self, profile: str, start: LonLat, end: LonLat, *, pace: float = 1.0, limit_s: float = math.inf
    ) -> Trip | None:
        """Plan a trip by road.

        Args:
            profile: car, motorcycle or foot.
            start: Where it begins, lon, lat degrees; may lie beside the road.
            end: Where it leads; may lie beside the road.
            pace: Factor on all times; above 1 is slower.
            limit_s: Longer trips are not planned.

        Returns:
            The trip, or None where no road leads there within the limit.
        """
        graph = self.graph(profile)
        if graph is None:
            return None
        route = graph.field_to(*end, limit_s=limit_s).route(*start)
        return None if route is None else _by_road(graph, route, profile, start, end, pace)

    def surely(self, profile: str, start: LonLat, end: LonLat, *, pace: float = 1.0) -> Trip:
        """Plan a trip whatever it takes: by road, on foot, or straight across."""
        for means in dict.fromkeys((profile, "foot")):
            trip = self.trip(means, start, end, pace=pace)
            if trip is not None:
                return trip
        away = metres(start, end)
        seconds = max(1.0, away / NO_ROAD_KMH[profile] * 3.6 * pace)
        return Trip([start, end], [(0.0, 0.0), (seconds, away)], by_road=False)


def _by_road(graph: RoadGraph, route: Route, profile: str, start: LonLat, end: LonLat, pace: float) -> Trip:
    line: list[LonLat] = [(lon, lat) for lon, lat in route.coordinates.tolist()]
    aside_m_s = ASIDE_KMH[profile] / 3.6
    first, last = metres(start, line[0]), metres(line[-1], end)
    points, table = [line[0]], [(0.0, 0.0)]
    if first > ON_ROAD_M:
        points, table = [start, line[0]], [(0.0, 0.0), (first / aside_m_s, first)]
    points += line[1:]
    # The walks at both ends are in the last step's time and not in its distance.
    walked_s = sum(max(_offset_m(graph, place) - FREE_OFFSET_M, 0.0) / WALK_M_S for place in (start, end))
    for number, step in enumerate(route.steps):
        if step.distance_m > 0:
            seconds = step.duration_s - (walked_s if number == len(route.steps) - 1 else 0.0)
            table.append((table[-1][0] + max(0.1, seconds), table[-1][1] + step.distance_m))
    if last > ON_ROAD_M:
        points.append(end)
        table.append((table[-1][0] + last / aside_m_s, table[-1][1] + last))
    if len(points) < 2:
        points.append(points[-1])
    if len(table) < 2:
        table.append((1.0, 0.0))
    return Trip(points, [(pace * seconds, along) for seconds, along in table], by_road=True)


def _offset_m(graph: RoadGraph, place: LonLat) -> float:
    snap = graph.snap_one(*place)
    return 0.0 if snap is None else snap[2]
