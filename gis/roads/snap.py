"""Points put onto the nearest road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.crs import LocalMetric

# A position or an address stands beside its road, not on it; only what lies beyond that is walked.
FREE_OFFSET_M = 25.0
WALK_M_S = 5.0 / 3.6
MAX_OFFSET_M = 1000.0
# Shares of an edge's length closer than this are the same spot: the two ways to snap round differently.
SAME_SPOT = 1e-9

Floats = NDArray[np.float64]

_CLOSE_M = 50.0
_RINGS_M = (20.0, _CLOSE_M)
_TIE_M = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Snaps:
    """Where points meet the road.

    Attributes:
        edge: (n,) int32 edge number, -1 where no road is near enough.
        fraction: (n,) float64 share of the edge's length from its first vertex, 0 to 1; nan without a road.
        offset_m: (n,) float64 metres from the point to the road; nan without a road.
    """

    edge: NDArray[np.int32]
    fraction: NDArray[np.float64]
    offset_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.edge)


def walk_s(offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds to walk between points and their road."""
    walked: NDArray[np.float64] = np.maximum(offset_m - FREE_OFFSET_M, 0.0) / WALK_M_S
    return walked


class Snapper:
    """Nearest-road search over the edges that take part in routing."""

    __slots__ = (
        "_before_m",
        "_edges",
        "_frame",
        "_length_m",
        "_line_of_segment",
        "_lines",
        "_segment_tree",
        "_segments",
        "_shut",
        "_tree",
    )

    def __init__(self, frame: LocalMetric, lines: NDArray[np.object_], snappable: NDArray[np.bool_]) -> None:
        self._frame = frame
        self._edges = np.flatnonzero(snappable).astype(np.int32)
        self._lines = lines[self._edges]
        self._tree = shapely.STRtree(self._lines)
        xy, owner = shapely.get_coordinates(self._lines, return_index=True)
        real = (owner[1:] == owner[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
        start, end = xy[:-1][real], xy[1:][real]
        step = end - start
        self._segments = np.column_stack([start, step, (step**2).sum(axis=1)])
        self._line_of_segment = owner[:-1][real]
        # How far along its line each segment begins.
        size = np.hypot(step[:, 0], step[:, 1])
        before = np.concatenate([[0.0], np.cumsum(size)])
        line_start = np.searchsorted(self._line_of_segment, np.arange(len(self._lines) + 1))
        self._before_m = before[:-1] - before[line_start[self._line_of_segment]]
        self._length_m = np.diff(before[line_start])
        pieces = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)))
        self._segment_tree = shapely.STRtree(pieces)
        self._shut: NDArray[np.bool_] | None = None

    def without(self, shut: NDArray[np.bool_]) -> Snapper:
        """The same roads less some edges, on the same trees.

        Args:
            shut: (edges,) onto which nobody may be put.
        """
        other = object.__new__(Snapper)
        for name in Snapper.__slots__:
            setattr(other, name, getattr(self, name))
        lines = shut[self._edges]
        other._shut = lines if self._shut is None else lines | self._shut
        return other

    def edges_within(self, shape: shapely.Geometry, metres: float) -> NDArray[np.int32]:
        """Numbers of the edges within so many metres of a shape in the metric frame, in rising order."""
        found: NDArray[np.int32] = self._edges[
            np.sort(self._tree.query(shape, predicate="dwithin", distance=metres))
        ]
        return found

    def snap(self, lon: ArrayLike, lat: ArrayLike, max_offset_m: float) -> Snaps:
        """See `RoadGraph.snap`."""
        x_deg, y_deg = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        edge = np.full(len(x_deg), -1, dtype=np.int32)
        fraction = np.full(len(x_deg), np.nan)
        offset = np.full(len(x_deg), np.nan)
        known = np.flatnonzero((np.abs(x_deg) <= 180.0) & (np.abs(y_deg) < 90.0))
        if not known.size:
            return Snaps(edge, fraction, offset)
        x, y = self._frame.to_xy(x_deg[known], y_deg[known])
        line = np.full(len(x), -1, dtype=np.int64)
        at_share, metres = np.full(len(x), np.nan), np.full(len(x), np.nan)
        left = np.arange(len(x))
        for reach_m in _RINGS_M:
            if not left.size:
                break
            line[left], at_share[left], metres[left] = self._close_lines(x[left], y[left], reach_m)
            left = left[line[left] < 0]
        if left.size:
            points = np.asarray(shapely.points(x[left], y[left]))
            line[left] = self._nearest_lines(points, max_offset_m)
            far, points = left[line[left] >= 0], points[line[left] >= 0]
            metres[far] = shapely.distance(self._lines[line[far]], points)
            at_share[far] = shapely.line_locate_point(self._lines[line[far]], points, normalized=True)
        hit = np.flatnonzero((line >= 0) & (metres <= max_offset_m))
        edge[known[hit]] = self._edges[line[hit]]
        fraction[known[hit]], offset[known[hit]] = at_share[hit], metres[hit]
        return Snaps(edge, fraction, offset)

    def _close_lines(self, x: Floats, y: Floats, reach_m: float) -> tuple[NDArray[np.int64], Floats, Floats]:
        """The nearest line of each point within reach, else -1, with the share of its length and the distance.

        Plain arithmetic on the few segments in a box is many times as fast as a nearest-search in the tree.
        """
        found = np.full(len(x), -1, dtype=np.int64)
        share, offset = np.full(len(x), np.nan), np.full(len(x), np.nan)
        who, segment = self._segment_tree.query(
            shapely.box(x - reach_m, y - reach_m, x + reach_m, y + reach_m)
        )
        if self._shut is not None:
            open_ = ~self._shut[self._line_of_segment[segment]]
            who, segment = who[open_], segment[open_]
        ax, ay, dx, dy, square = self._segments[segment].T
        px, py = x[who] - ax, y[who] - ay
        along = np.clip((px * dx + py * dy) / square, 0.0, 1.0)
        metres = np.hypot(px - along * dx, py - along * dy)
        best = np.full(len(x), np.inf)
        np.minimum.at(best, who, metres)
        # A road beyond the box may be nearer than one that only just reaches into its corner. Ends of roads that
        # meet are equally near but for rounding: there the smallest number counts.
        tied = np.flatnonzero((metres <= best[who] + _TIE_M) & (best[who] <= reach_m))
        tied = tied[np.lexsort((metres[tied], self._line_of_segment[segment[tied]], who[tied]))]
        first = np.ones(len(tied), dtype=np.bool_)
        first[1:] = who[tied[1:]] != who[tied[:-1]]
        taken = tied[first]
        one, piece = who[taken], segment[taken]
        found[one] = self._line_of_segment[piece]
        share[one] = (self._before_m[piece] + along[taken] * np.sqrt(square[taken])) / self._length_m[
            found[one]
        ]
        offset[one] = metres[taken]
        return found, np.minimum(share, 1.0), offset

    def _nearest_lines(self, points: NDArray[np.object_], max_offset_m: float) -> NDArray[np.int64]:
        found = np.full(len(points), -1, dtype=np.int64)
        who, line = self._tree.query_nearest(points, max_distance=max_offset_m, all_matches=True)
        order = np.lexsort((line, who))[::-1]
        found[who[order]] = line[order]  # written last: the smallest number of each point
        if self._shut is not None:
            for row in np.unique(who[self._shut[line]]).tolist():
                found[row] = self._nearest_open(points[row], max_offset_m)
        return found

    def _nearest_open(self, point: shapely.Point, max_offset_m: float) -> int:
        """The nearest line that is not shut, looked for in wider and wider rings; -1 without one."""
        shut = self._shut
        assert shut is not None
        reach_m = min(_CLOSE_M, max_offset_m)
        while True:
            lines = self._tree.query(point, predicate="dwithin", distance=reach_m)
            lines = np.sort(lines[~shut[lines]])
            if lines.size:
                metres = shapely.distance(self._lines[lines], point)
                return int(lines[np.argmax(metres <= metres.min() + _TIE_M)])
            if reach_m >= max_offset_m:
                return -1
            reach_m = min(3.0 * reach_m, max_offset_m)

    def snap_one(self, lon: float, lat: float, max_offset_m: float) -> tuple[int, float, float] | None:
        """(edge, fraction, offset_m) of one point by plain numbers, or None; the same answer as `snap`."""
        if not (abs(lon) <= 180.0 and abs(lat) < 90.0):
            return None
        point = shapely.Point(*self._frame.point_xy(lon, lat))
        lines, metres = self._tree.query_nearest(
            point, max_distance=max_offset_m, return_distance=True, all_matches=True
        )
        if not lines.size:
            return None
        line, offset_m = int(lines.min()), float(metres[0])
        if self._shut is not None and self._shut[lines].any():
            line = self._nearest_open(point, max_offset_m)
            if line < 0:
                return None
            offset_m = float(shapely.distance(self._lines[line], point))
        fraction = shapely.line_locate_point(self._lines[line], point, normalized=True)
        return int(self._edges[line]), float(fraction), offset_m
