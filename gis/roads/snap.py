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

    __slots__ = ("_edges", "_frame", "_lines", "_tree")

    def __init__(self, frame: LocalMetric, lines: NDArray[np.object_], snappable: NDArray[np.bool_]) -> None:
        self._frame = frame
        self._edges = np.flatnonzero(snappable).astype(np.int32)
        self._lines = lines[self._edges]
        self._tree = shapely.STRtree(self._lines)

    def snap(self, lon: ArrayLike, lat: ArrayLike, max_offset_m: float) -> Snaps:
        """See `RoadGraph.snap`."""
        x_deg, y_deg = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        edge = np.full(len(x_deg), -1, dtype=np.int32)
        fraction = np.full(len(x_deg), np.nan)
        offset = np.full(len(x_deg), np.nan)
        known = np.flatnonzero((np.abs(x_deg) <= 180.0) & (np.abs(y_deg) < 90.0))
        if not known.size:
            return Snaps(edge, fraction, offset)
        points = np.asarray(shapely.points(*self._frame.to_xy(x_deg[known], y_deg[known])))
        (who, line), metres = self._tree.query_nearest(
            points, max_distance=max_offset_m, return_distance=True, all_matches=True
        )
        # Of equally near edges the smallest number: sorted by point, then edge, the first of each point.
        order = np.lexsort((line, who))
        who, line, metres = who[order], line[order], metres[order]
        first = np.concatenate([[True], who[1:] != who[:-1]]) if len(who) else np.zeros(0, np.bool_)
        who, line, metres = who[first], line[first], metres[first]
        at = known[who]
        edge[at] = self._edges[line]
        fraction[at] = shapely.line_locate_point(self._lines[line], points[who], normalized=True)
        offset[at] = metres
        return Snaps(edge, fraction, offset)

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
        line = int(lines.min())
        fraction = shapely.line_locate_point(self._lines[line], point, normalized=True)
        return int(self._edges[line]), float(fraction), float(metres[0])
