"""Travel time from anywhere to one place.

N responders to one incident are one search from the incident against the traffic, and then N look-ups. The
field is kept as long as the incident is open, so a new position costs a snap and two additions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.roads.build import RoadArrays
from gis.roads.routes import Route, trace_route
from gis.roads.snap import FREE_OFFSET_M, SAME_SPOT, WALK_M_S, Snaps, walk_s

if TYPE_CHECKING:
    from gis.roads.graph import RoadGraph

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Every way of going on from a vertex along a lane, by the lane's end, then its start, then time."""

    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    seconds: Floats
    lane: NDArray[np.int32]

    def only(self, kept: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.head[kept], self.tail[kept], self.seconds[kept], self.lane[kept])


class SearchMatrix:
    """The graph against the traffic in the row form the search wants, the fastest of parallel lanes only."""

    __slots__ = (
        "_entry_s",
        "_heads",
        "_lane_start",
        "_lane_tail",
        "_rows",
        "_seconds",
        "_start",
        "_vertices",
    )

    def __init__(self, arrays: RoadArrays) -> None:
        tail = np.repeat(np.arange(arrays.vertices, dtype=np.int32), np.diff(arrays.out_start))
        lane = arrays.out_lane
        head, seconds = arrays.out_head, arrays.out_s + arrays.lane_s[lane]
        order = np.lexsort((seconds, tail, head))
        self._vertices = arrays.vertices
        self._rows = _Rows(head[order], tail[order].astype(np.int32), seconds[order], lane[order])
        by_lane = np.argsort(lane, kind="stable")
        self._lane_tail, self._entry_s = tail[by_lane], arrays.out_s[by_lane]
        self._lane_start = np.searchsorted(lane[by_lane], np.arange(len(arrays.lane_head) + 1))
        self._keep_fastest()

    def without(self, shut: NDArray[np.bool_]) -> SearchMatrix:
        """The same matrix less some lanes; nothing is sorted anew, so it takes milliseconds.

        Args:
            shut: (lanes,) which may not be travelled.
        """
        other = object.__new__(SearchMatrix)
        other._vertices = self._vertices
        other._lane_tail, other._lane_start = self._lane_tail, self._lane_start
        other._entry_s = self._entry_s
        other._rows = self._rows.only(~shut[self._rows.lane])
        other._keep_fastest()
        return other

    def _keep_fastest(self) -> None:
        rows = self._rows
        fastest = np.ones(len(rows.head), dtype=np.bool_)
        fastest[1:] = (rows.head[1:] != rows.head[:-1]) | (rows.tail[1:] != rows.tail[:-1])
        self._heads = rows.tail[fastest]
        self._seconds = rows.seconds[fastest]
        counts = np.bincount(rows.head[fastest], minlength=self._vertices)
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def entries(self, lane: int) -> tuple[list[int], list[float]]:
        """Vertices from which a lane may be entered, and the seconds that takes from each."""
        part = slice(int(self._lane_start[lane]), int(self._lane_start[lane + 1]))
        return self._lane_tail[part].tolist(), self._entry_s[part].tolist()

    def search(self, seeds: dict[int, float], limit_s: float) -> Floats:
        """Seconds from every vertex to the target, infinite beyond the limit.

        Args:
            seeds: Vertices next to the target with the seconds from each to it.
            limit_s: Where to stop.
        """
        n = self._vertices
        # The target becomes one more row, so several seeds still make one search.
        indices = np.concatenate([self._heads, np.fromiter(seeds.keys(), np.int32, len(seeds))])
        data = np.concatenate([self._seconds, np.fromiter(seeds.values(), np.float64, len(seeds))])
        start = np.concatenate([self._start, [len(indices)]]).astype(np.int32)
        matrix = csr_array((data, indices, start), shape=(n + 1, n + 1))
        seconds: Floats = dijkstra(matrix, indices=[n], limit=limit_s)[0]
        seconds[n] = np.inf  # from here on the extra place stands for "a lane that may not be travelled"
        return seconds


class ReverseField:
    """Seconds from anywhere to one place.

    Attributes:
        lon: Of the destination, degrees.
        lat: Degrees.
        limit_s: Places farther than this are unreachable.
        reachable: False when no road is near the destination.
        edge: Edge number of the destination, -1 without one.
        fraction: Where on that edge.
        offset_m: From the road to the destination.
        vertex_s: (vertices + 1,) seconds from each vertex to the destination's place on the road.
    """

    __slots__ = (
        "_graph",
        "edge",
        "fraction",
        "lat",
        "limit_s",
        "lon",
        "offset_m",
        "reachable",
        "seeds",
        "vertex_s",
    )

    def __init__(self, graph: RoadGraph, lon: float, lat: float, *, limit_s: float = np.inf) -> None:
        self._graph = graph
        self.lon = lon
        self.lat = lat
        self.limit_s = limit_s
        snap = graph.snap_one(lon, lat)
        self.reachable = snap is not None
        self.edge, self.fraction, self.offset_m = snap if snap is not None else (-1, np.nan, np.nan)
        self.seeds: dict[int, float] = self._seeds() if snap is not None else {}
        self.vertex_s: Floats = (
            graph.matrix.search(self.seeds, limit_s)
            if snap is not None
            else np.full(graph.arrays.vertices + 1, np.inf)
        )

    def _seeds(self) -> dict[int, float]:
        arrays, seeds = self._graph.arrays, dict[int, float]()
        for lane, share in ((2 * self.edge, self.fraction), (2 * self.edge + 1, 1.0 - self.fraction)):
            if arrays.lane_head[lane] == arrays.vertices:
                continue
            seconds = max(share * float(arrays.lane_s[lane]), 1e-9)
            for vertex, entry_s in zip(*self._graph.matrix.entries(lane), strict=True):
                seeds[vertex] = min(entry_s + seconds, seeds.get(vertex, np.inf))
        return seeds

    def seconds(self, snaps: Snaps) -> Floats:
        """Travel time from snapped points.

        Args:
            snaps: Of the same graph.

        Returns:
            (n,) float64 seconds, the walk from the point to its road and from the road to the destination
            included; nan where unreachable or beyond the limit.
        """
        arrays = self._graph.arrays
        edge, fraction = snaps.edge, snaps.fraction
        ahead, back = 2 * edge, 2 * edge + 1
        # Edge -1 reads some other edge here; its fraction is nan, and so is its sum.
        best = np.fmin(
            (1.0 - fraction) * arrays.lane_s[ahead] + self.vertex_s[arrays.lane_head[ahead]],
            fraction * arrays.lane_s[back] + self.vertex_s[arrays.lane_head[back]],
        )
        same = np.flatnonzero(edge == self.edge) if self.reachable else np.zeros(0, np.intp)
        for row in same.tolist():
            best[row] = min(best[row], self._along(float(fraction[row])))
        best = best + walk_s(snaps.offset_m) + self._walk_s()
        best[~(best <= self.limit_s) | ~np.isfinite(best)] = np.nan
        return best

    def seconds_at(self, lon: float, lat: float) -> float:
        """Travel time from one point, as a position report needs it: microseconds instead of arrays.

        Returns:
            Seconds, or nan where unreachable; the same number as `seconds` gives.
        """
        snap = self._graph.snap_one(lon, lat)
        if snap is None or not self.reachable:
            return float("nan")
        edge, fraction, offset_m = snap
        arrays = self._graph.arrays
        ahead, back = 2 * edge, 2 * edge + 1
        best = min(
            (1.0 - fraction) * arrays.lane_s.item(ahead) + self.vertex_s.item(arrays.lane_head.item(ahead)),
            fraction * arrays.lane_s.item(back) + self.vertex_s.item(arrays.lane_head.item(back)),
        )
        if edge == self.edge:
            best = min(best, self._along(fraction))
        best = best + max(offset_m - FREE_OFFSET_M, 0.0) / WALK_M_S + self._walk_s()
        return best if best <= self.limit_s and best < np.inf else float("nan")

    def _along(self, fraction: float) -> float:
        """Seconds straight along the destination's own edge, infinite against a one-way."""
        lane = 2 * self.edge if fraction <= self.fraction else 2 * self.edge + 1
        arrays = self._graph.arrays
        if arrays.lane_head[lane] == arrays.vertices:
            return 0.0 if abs(fraction - self.fraction) <= SAME_SPOT else float("inf")
        return abs(self.fraction - fraction) * float(arrays.lane_s[lane])

    def _walk_s(self) -> float:
        return max(self.offset_m - FREE_OFFSET_M, 0.0) / WALK_M_S if self.reachable else 0.0

    def rank_inputs(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Snaps, Floats]:
        """Snap points and time them in one go: (snaps, seconds)."""
        snaps = self._graph.snap(lon, lat)
        return snaps, self.seconds(snaps)

    def is_on_road(self, lon: float, lat: float) -> bool:
        """Whether a point is near enough to a road to be timed by it."""
        return self._graph.snap_one(lon, lat) is not None

    def route(self, lon: float, lat: float) -> Route | None:
        """The way from a point to the destination, or None where unreachable."""
        return trace_route(self._graph, self, lon, lat)
