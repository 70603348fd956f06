"""Which grid is each moving unit in, many times a second.

Almost every position report falls in the grid of the report before it, so each unit remembers its grid and a
report is first held against that one: a few comparisons with a box known to lie inside the grid, then the
outline itself, and only for the rest a search among all grids. The answer is always that of
`AreaIndex.locate_many`; the memory makes it fast, never different.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.areas import AreaIndex, Shape

_LEARNT_AT_ONCE = 256
"""Grids learnt in one call; a milliseconds' work each, and the answers are right without it."""
_OVERLAP_DEG2 = 1e-14  # about a square centimetre: thinner overlaps are rounding


class Geofence:
    """The last known grid of each unit row.

    Not safe for use from two threads at once.

    Args:
        index: The areas; build a new Geofence when they change.
        capacity: Number of unit rows.

    >>> from gis.areas import Area
    >>> index = AreaIndex([Area("1", "一格", 4, None, "网格", shapely.box(117.0, 34.0, 117.1, 34.1))])
    >>> fence = Geofence(index, capacity=4)
    >>> fence.update([2, 3], [117.05, 118.0], [34.05, 34.05]).tolist()
    [0, -1]
    """

    def __init__(self, index: AreaIndex, capacity: int) -> None:
        self._index = index
        self._cell = np.full(capacity, -1, dtype=np.int32)
        self._outlines = index.grid_geometries
        # Learnt of a grid when a unit is first seen in it: a district of a hundred thousand is ready at once.
        self._learnt = np.zeros(len(index.grids), dtype=np.bool_)
        self._cacheable = np.zeros(len(index.grids), dtype=np.bool_)
        # One row more than grids: row -1, "no grid", holds an empty box that nothing is inside of.
        self._boxes = np.full((len(index.grids) + 1, 4), np.nan)

    def update(self, rows: ArrayLike, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]:
        """Take new positions and return the grid of each.

        Args:
            rows: (n,) unit rows below the capacity; if a row occurs twice its last report is remembered.
            lon: (n,) degrees, EPSG:4326.
            lat: (n,) degrees.

        Returns:
            (n,) int32 index into `AreaIndex.grids`, -1 outside.

        Raises:
            IndexError: A row is not below the capacity.
        """
        row = np.asarray(rows, dtype=np.intp)
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        grid = self._cell[row]
        box = self._boxes[grid]
        hit = (x > box[:, 0]) & (y > box[:, 1]) & (x < box[:, 2]) & (y < box[:, 3])
        rest = np.flatnonzero(~hit)
        if rest.size:
            grid[rest] = self._settle(grid[rest], x[rest], y[rest])
            self._cell[row] = grid
        return grid

    def _settle(
        self, last: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        """The grid of points outside their inner box: the remembered outline first, then all of them."""
        grid = last.copy()
        known = np.flatnonzero(last >= 0)
        known = known[self._cacheable[last[known]]]
        # contains_xy leaves out the border, where a smaller code may own the point.
        inside = shapely.contains_xy(self._outlines[last[known]], x[known], y[known])
        lost = np.ones(len(last), dtype=np.bool_)
        lost[known[inside]] = False
        grid[lost] = self._index.locate_many(x[lost], y[lost])
        self._learn(np.unique(grid[lost]))
        return grid

    def _learn(self, grids: NDArray[np.int32]) -> None:
        fresh = grids[grids >= 0]
        fresh = fresh[~self._learnt[fresh]][:_LEARNT_AT_ONCE]
        if not fresh.size:
            return
        self._learnt[fresh] = True
        self._cacheable[fresh] = ~_overlapping(self._index, fresh)
        for number in fresh[self._cacheable[fresh]].tolist():
            self._boxes[number] = _inner_box(self._index.grids[number].geometry)

    def forget(self, rows: ArrayLike) -> None:
        """Drop the memory of units that went off duty; a row may then serve another unit."""
        self._cell[np.asarray(rows, dtype=np.intp)] = -1

    @property
    def cells(self) -> NDArray[np.int32]:
        """(capacity,) int32, the last grid of each row, -1 unknown or outside; a copy."""
        return self._cell.copy()


def _inner_box(outline: Shape) -> NDArray[np.float64]:
    """A box inside the outline: the square in its largest inscribed circle; nothing when that fails."""
    west, south, east, north = outline.bounds
    spoke = shapely.maximum_inscribed_circle(outline, tolerance=min(east - west, north - south) / 20.0)
    x, y = spoke.coords[0]
    half = spoke.length * 0.7071
    box = np.array([x - half, y - half, x + half, y + half])
    if not shapely.contains_properly(outline, shapely.box(*box.tolist())):
        return np.full(4, np.nan)
    return box


def _overlapping(index: AreaIndex, grids: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of the grids share ground with another one: "still inside" does not settle who owns a point."""
    outlines = index.grid_geometries
    doubtful = np.zeros(len(grids), dtype=np.bool_)
    at, other = index.grid_tree.query(outlines[grids], predicate="intersects")
    pairs = grids[at] != other
    at, other = at[pairs], other[pairs]
    # Most neighbours only touch; the costly intersection is for the few that do not.
    real = ~shapely.touches(outlines[grids[at]], outlines[other])
    at, other = at[real], other[real]
    ground = shapely.area(shapely.intersection(outlines[grids[at]], outlines[other])) > _OVERLAP_DEG2
    doubtful[at[ground]] = True
    return doubtful
