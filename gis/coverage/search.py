"""The nearest and the second nearest source of every place, by one search each.

All sources start at once, so five hundred of them cost what one costs. The second search walks only inside the
cells that the first one drew and starts where roads cross from one cell into the next: what comes in there belongs
to another source, and inside a cell nothing else can be second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.roads.graph import RoadGraph
from gis.roads.snap import Snaps, walk_s

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
NOBODY = -1


class TwoNearest:
    """The two nearest distinct sources of n places.

    Attributes:
        first_s: (n,) float64 seconds from the nearest source, infinite without one.
        first: (n,) int32 number of that source, -1 without one.
        second_s: (n,) seconds from the nearest of all others.
        second: (n,) its number.
    """

    __slots__ = ("first", "first_s", "second", "second_s")

    def __init__(self, n: int) -> None:
        self.first_s = np.full(n, np.inf)
        self.second_s = np.full(n, np.inf)
        self.first = np.full(n, NOBODY, dtype=np.int32)
        self.second = np.full(n, NOBODY, dtype=np.int32)

    def offer(self, at: NDArray[np.intp], seconds: Floats, source: Ints) -> None:
        """Take candidates in; of equal times the one offered first stays.

        Args:
            at: (k,) places, repeats allowed.
            seconds: (k,) travel times; infinite ones are ignored.
            source: (k,) who gets there in that time.

        >>> best = TwoNearest(1)
        >>> best.offer(np.array([0, 0, 0]), np.array([9.0, 4.0, 5.0]), np.array([1, 1, 2], dtype=np.int32))
        >>> best.first_s[0], best.first[0], best.second_s[0], best.second[0]
        (np.float64(4.0), np.int32(1), np.float64(5.0), np.int32(2))
        """
        real = np.flatnonzero(np.isfinite(seconds))
        at, seconds, source = at[real], seconds[real], source[real]
        order = np.lexsort((seconds, at))
        at, seconds, source = at[order], seconds[order], source[order]
        start = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]])) if len(at) else np.zeros(0, int)
        nth = np.arange(len(at)) - np.repeat(start, np.diff(np.append(start, len(at))))
        for turn in range(int(nth.max()) + 1 if len(nth) else 0):
            now = np.flatnonzero(nth == turn)
            self._offer_once(at[now], seconds[now], source[now])

    def offer_all(self, seconds: Floats, source: Ints) -> None:
        """Take one candidate for every place in; (n,) each, as `offer` without the sorting."""
        same, ahead = self.first == source, seconds < self.first_s
        overtakes = ahead & ~same
        second_s = np.where(overtakes, self.first_s, self.second_s)
        second = np.where(overtakes, self.first, self.second)
        follows = ~ahead & ~same & (seconds < second_s)
        self.second_s = np.where(follows, seconds, second_s)
        self.second = np.where(follows, source, second)
        self.first_s = np.where(ahead, seconds, self.first_s)
        self.first = np.where(ahead, source, self.first)

    def _offer_once(self, at: NDArray[np.intp], seconds: Floats, source: Ints) -> None:
        first_s, first, second_s = self.first_s[at], self.first[at], self.second_s[at]
        same = first == source
        ahead = seconds < first_s
        overtakes = np.flatnonzero(ahead & ~same)
        self.second_s[at[overtakes]] = first_s[overtakes]
        self.second[at[overtakes]] = first[overtakes]
        self.first_s[at[ahead]], self.first[at[ahead]] = seconds[ahead], source[ahead]
        follows = ~ahead & ~same & (seconds < second_s)
        self.second_s[at[follows]], self.second[at[follows]] = seconds[follows], source[follows]


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """Where sources enter the graph: (k,) source, vertex and seconds from the source to the vertex."""

    source: Ints
    vertex: Ints
    seconds: Floats


class ForwardMatrix:
    """A road graph along the traffic, the fastest of parallel lanes only."""

    __slots__ = (
        "_entry_at",
        "_entry_s",
        "_entry_tail",
        "_rows",
        "graph",
        "head",
        "seconds",
        "tail",
        "vertices",
    )

    def __init__(self, graph: RoadGraph) -> None:
        arrays = graph.arrays
        tail = np.repeat(np.arange(arrays.vertices, dtype=np.int32), np.diff(arrays.out_start))
        lane = arrays.out_lane
        head, seconds = arrays.out_head, arrays.out_s + arrays.lane_s[lane]
        order = np.lexsort((seconds, head, tail))
        by_lane = np.argsort(lane, kind="stable")
        self._entry_tail = tail[by_lane]
        self._entry_at, self._entry_s = lane[by_lane].astype(np.intp), arrays.out_s[by_lane]
        self._take(graph, (tail[order], head[order].astype(np.int32), seconds[order], lane[order]))

    def on(self, view: RoadGraph) -> ForwardMatrix:
        """The matrix of a view of the same graph with more roads closed; nothing is sorted anew."""
        other = object.__new__(ForwardMatrix)
        open_ = view.arrays.lane_head < view.arrays.vertices
        entered, kept = open_[self._entry_at], open_[self._rows[3]]
        other._entry_at, other._entry_tail = self._entry_at[entered], self._entry_tail[entered]
        other._entry_s = self._entry_s[entered]
        tail, head, seconds, lane = self._rows
        other._take(view, (tail[kept], head[kept], seconds[kept], lane[kept]))
        return other

    def _take(self, graph: RoadGraph, rows: tuple[Ints, Ints, Floats, Ints]) -> None:
        """Use arcs sorted by tail, head and time: (tail, head, seconds, lane)."""
        self.graph, self.vertices, self._rows = graph, graph.arrays.vertices, rows
        tails, heads, seconds, _ = rows
        fastest = np.ones(len(tails), dtype=np.bool_)
        fastest[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
        self.tail, self.head, self.seconds = tails[fastest], heads[fastest], seconds[fastest]

    def seeds(self, snaps: Snaps) -> Seeds:
        """Where units on their roads come to the next junctions; those near no road have none."""
        arrays = self.graph.arrays
        unit = np.flatnonzero(snaps.edge >= 0).astype(np.int32)
        edge, fraction, walk = snaps.edge[unit], snaps.fraction[unit], walk_s(snaps.offset_m[unit])
        lanes = np.concatenate([2 * edge, 2 * edge + 1])
        rest = np.concatenate([1.0 - fraction, fraction])
        vertex = arrays.lane_head[lanes]
        seconds = np.maximum(rest * arrays.lane_s[lanes], 1e-9) + np.tile(walk, 2)
        open_ = vertex < self.vertices
        return Seeds(np.tile(unit, 2)[open_], vertex[open_].astype(np.int32), seconds[open_])

    def search(
        self, seeds: Seeds, sources: int, *, arcs: NDArray[np.bool_] | None = None, limit_s: float = np.inf
    ) -> tuple[Floats, Ints]:
        """Time every vertex from its nearest source, all sources at once.

        Args:
            seeds: Where they start.
            sources: How many there are.
            arcs: (arcs,) which may be used; None for all.
            limit_s: Where to stop.

        Returns:
            (vertices,) seconds, infinite out of reach, and (vertices,) number of the source, -1 out of reach.
        """
        n, size = self.vertices, self.vertices + sources
        if not len(seeds.source):
            return np.full(n, np.inf), np.full(n, NOBODY, dtype=np.int32)
        order = np.lexsort((seeds.seconds, seeds.vertex, seeds.source))
        source, vertex = seeds.source[order], seeds.vertex[order]
        once = np.concatenate([[True], (source[1:] != source[:-1]) | (vertex[1:] != vertex[:-1])])
        kept = slice(None) if arcs is None else arcs
        tails = np.concatenate([self.tail[kept], source[once] + np.int32(n)])
        heads = np.concatenate([self.head[kept], vertex[once]])
        data = np.concatenate([self.seconds[kept], seeds.seconds[order][once]])
        start = np.searchsorted(tails, np.arange(size + 1)).astype(np.int32)
        matrix = csr_array((data, heads, start), shape=(size, size))
        seconds, _, found = dijkstra(
            matrix,
            indices=np.arange(n, size),
            min_only=True,
            return_predecessors=True,
            limit=limit_s,
        )
        nearest = np.where(np.isfinite(seconds), found - n, NOBODY).astype(np.int32)
        return seconds[:n], nearest[:n]

    def two_nearest(self, seeds: Seeds, sources: int, first_s: Floats, first: Ints) -> TwoNearest:
        """Add the second nearest source of every vertex to what `search` found."""
        arc_s = first_s[self.tail] + self.seconds
        cell = first[self.tail]
        crossing = np.flatnonzero((cell != first[self.head]) & np.isfinite(arc_s))
        behind = np.flatnonzero(first[seeds.vertex] != seeds.source)
        entering = Seeds(
            np.concatenate([cell[crossing], seeds.source[behind]]),
            np.concatenate([self.head[crossing], seeds.vertex[behind]]),
            np.concatenate([arc_s[crossing], seeds.seconds[behind]]),
        )
        found = TwoNearest(self.vertices)
        found.first_s, found.first = first_s, first
        inside = (cell == first[self.head]) & (cell != NOBODY)
        found.second_s, found.second = self.search(entering, sources, arcs=inside)
        return found

    def lane_entry_s(self, vertex_s: Floats) -> Floats:
        """(lanes,) seconds until a lane may be entered, infinite for one that may not be travelled."""
        entry = np.full(len(self.graph.arrays.lane_s), np.inf)
        np.minimum.at(entry, self._entry_at, vertex_s[self._entry_tail] + self._entry_s)
        return entry

    def lane_entries(self, vertices: TwoNearest) -> TwoNearest:
        """The two nearest sources at the beginning of every lane."""
        found = TwoNearest(len(self.graph.arrays.lane_s))
        tail, wait_s = self._entry_tail, self._entry_s
        found.offer(self._entry_at, vertices.first_s[tail] + wait_s, vertices.first[tail])
        found.offer(self._entry_at, vertices.second_s[tail] + wait_s, vertices.second[tail])
        return found
