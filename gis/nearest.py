"""Who is nearest by travel time, with roads or without.

With a road graph one search from the target times every candidate. Where there are no roads – no extract was
imported, the place lies outside it, a candidate does – the time is estimated from the straight line and
marked as such, for the two must never be shown as the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.crs import distance_m
from gis.errors import NoRoads
from gis.roads.field import ReverseField
from gis.roads.graph import RoadGraph
from gis.roads.routes import Route

Floats = NDArray[np.float64]
Method = Literal["road", "straight_line"]
ROAD: Method = "road"
STRAIGHT_LINE: Method = "straight_line"

# Fitted on real towns: getting under way costs about as much as half a kilometre, then 36 km/h.
START_S = 55.0
CROW_M_S = 10.0


def straight_line_s(metres: ArrayLike) -> Floats:
    """Estimated travel time over a straight-line distance; right to within half and double, no better.

    >>> float(straight_line_s(1000.0))
    155.0
    """
    return START_S + np.asarray(metres, dtype=np.float64) / CROW_M_S


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Travel times of n candidates to one target, in the order the candidates were given.

    Attributes:
        seconds: (n,) float64, nan where there is no way by road or no position.
        distance_m: (n,) float64 geodesic straight line; the length by road is the route's.
        method: (n,) "road" or "straight_line".
    """

    seconds: Floats
    distance_m: Floats
    method: NDArray[np.str_]
    _approaches: Sequence[Approach]
    _lon: Floats
    _lat: Floats

    @property
    def order(self) -> NDArray[np.intp]:
        """(n,) candidate indices, nearest first; equal times by index, the unreachable last by distance."""
        beyond = np.where(np.isnan(self.seconds), np.inf, self.seconds)
        apart = np.where(np.isnan(self.seconds), self.distance_m, 0.0)
        order: NDArray[np.intp] = np.lexsort((apart, beyond))
        return order

    def best(self, k: int) -> list[int]:
        """Indices of the k nearest that can get there, nearest first."""
        return [int(i) for i in self.order[:k] if not np.isnan(self.seconds[i])]

    def route_from(self, i: int) -> Route | None:
        """The way of candidate i, or None when it was not timed by road or cannot get there."""
        return self._approaches[i].route_from(float(self._lon[i]), float(self._lat[i]))


class Approach:
    """Everything about getting to one target, kept while it matters.

    Args:
        lon: Of the target, degrees, EPSG:4326.
        lat: Degrees.
        field: Travel times by road, or None without roads.
    """

    __slots__ = ("field", "lat", "lon")

    def __init__(self, lon: float, lat: float, field: ReverseField | None) -> None:
        self.lon = lon
        self.lat = lat
        self.field = field if field is not None and field.reachable else None

    @property
    def method(self) -> Method:
        """How candidates on the road map are timed."""
        return STRAIGHT_LINE if self.field is None else ROAD

    def rank(self, lon: ArrayLike, lat: ArrayLike) -> Ranked:
        """Time n candidates.

        Args:
            lon: (n,) degrees, EPSG:4326; nan for a candidate without position.
            lat: (n,) degrees.

        Returns:
            One entry each. A candidate near no road is estimated by straight line; one that stands on a road
            that does not lead there is nan.
        """
        x, y = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        metres = np.full(x.shape, np.nan)
        known = np.isfinite(x) & np.isfinite(y)
        metres[known] = distance_m(x[known], y[known], self.lon, self.lat)
        seconds = straight_line_s(metres)
        by_road = np.zeros(x.shape, dtype=np.bool_)
        if self.field is not None:
            snaps, road_s = self.field.rank_inputs(x, y)
            by_road = snaps.edge >= 0
            seconds = np.where(by_road, road_s, seconds)
        method = np.where(by_road, ROAD, STRAIGHT_LINE)
        return Ranked(seconds, metres, method, [self] * len(x), x, y)

    def seconds_at(self, lon: float, lat: float) -> tuple[float, Method]:
        """Time one candidate, for a position report: (seconds or nan, method), as `rank` would say."""
        if self.field is not None:
            seconds = self.field.seconds_at(lon, lat)
            if seconds == seconds or self.field.is_on_road(lon, lat):
                return seconds, ROAD
        return float(straight_line_s(distance_m(lon, lat, self.lon, self.lat))), STRAIGHT_LINE

    def route_from(self, lon: float, lat: float) -> Route | None:
        """The way from a point, or None without roads or without a way."""
        return None if self.field is None else self.field.route(lon, lat)


class NearestByRoad:
    """Ranks candidates by travel time to a target.

    Args:
        graph: The road graph, one graph for each means of travel by name, or None without roads.

    >>> ranked = NearestByRoad(None).rank(117.0, 34.0, [117.01, 117.001], [34.0, 34.0])
    >>> ranked.order.tolist(), ranked.seconds.round().tolist(), str(ranked.method[0])
    ([1, 0], [147.0, 64.0], 'straight_line')
    """

    def __init__(self, graph: RoadGraph | Mapping[str, RoadGraph] | None) -> None:
        if graph is None:
            self.graphs: dict[str, RoadGraph] = {}
        elif isinstance(graph, RoadGraph):
            self.graphs = {graph.profile: graph}
        else:
            self.graphs = dict(graph)
        self._default = next(iter(self.graphs), None)

    def approach(
        self, lon: float, lat: float, *, profile: str | None = None, limit_s: float = np.inf
    ) -> Approach:
        """Search once from a target and keep the answer, as an open incident does.

        Args:
            lon: Of the target, degrees, EPSG:4326.
            lat: Degrees.
            profile: Means of travel; None takes the first graph.
            limit_s: Candidates farther than this count as unreachable.

        Raises:
            NoRoads: There are graphs, but none for this profile.
        """
        name = profile or self._default
        if name is None or not self.graphs:
            return Approach(lon, lat, None)
        if name not in self.graphs:
            raise NoRoads(f"no road graph for the profile {name!r}")
        return Approach(lon, lat, self.graphs[name].field_to(lon, lat, limit_s=limit_s))

    def rank(
        self,
        target_lon: float,
        target_lat: float,
        lon: ArrayLike,
        lat: ArrayLike,
        *,
        profile: str | Sequence[str] | None = None,
        limit_s: float = np.inf,
    ) -> Ranked:
        """Time n candidates to a target once.

        Args:
            target_lon: Degrees, EPSG:4326.
            target_lat: Degrees.
            lon: (n,) degrees; nan for a candidate without position.
            lat: (n,) degrees.
            profile: One means of travel for all, or one for each candidate; None takes the first graph.
            limit_s: Candidates farther than this count as unreachable.

        Returns:
            One entry each; see `Ranked.order` for the ranking. No candidates give empty arrays.

        Raises:
            NoRoads: There are graphs, but none for a named profile.
        """
        if profile is None or isinstance(profile, str):
            return self.approach(target_lon, target_lat, profile=profile, limit_s=limit_s).rank(lon, lat)
        approaches = {
            name: self.approach(target_lon, target_lat, profile=name, limit_s=limit_s)
            for name in sorted(set(profile))
        }
        return rank_mixed(approaches, profile, lon, lat)


def rank_mixed(
    approaches: Mapping[str, Approach], profiles: Sequence[str], lon: ArrayLike, lat: ArrayLike
) -> Ranked:
    """Time candidates who travel differently to the same target.

    Args:
        approaches: By means of travel, all of one target.
        profiles: (n,) means of travel of each candidate, keys of `approaches`.
        lon: (n,) degrees.
        lat: (n,) degrees.

    Returns:
        As `Approach.rank`. Its `route_from` follows each candidate's own means of travel.
    """
    x, y = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
    seconds, metres = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    method = np.full(x.shape, STRAIGHT_LINE)
    who = np.asarray(profiles, dtype=np.str_)
    for name, approach in approaches.items():
        at = np.flatnonzero(who == name)
        part = approach.rank(x[at], y[at])
        seconds[at], metres[at], method[at] = part.seconds, part.distance_m, part.method
    return Ranked(seconds, metres, method, [approaches[name] for name in profiles], x, y)
