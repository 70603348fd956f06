"""Where points lie, thousands at a time: the area of each tier and the police beat.

`AreaIndex.locate` says it for one point by a search among outlines. Here the ground is cut once into small
cells. A border crosses few of them; the others are filled out from one another into stretches that no border
divides, and each stretch is looked up once. A point in such a cell takes its stretch's answer, and only a point in
a cell with a border is held against the outlines. The answer is always that of `AreaIndex.locate`; the cells make
it fast, never different.

**Ties.** An outline holds its border. Where several areas of one tier hold a point – on a shared border, in an
overlap – it belongs to the one with the smallest code, and so for beats. `AreaIndex.locate`,
`AreaIndex.locate_many`, `gis.geofence` and this module all keep to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from gis.division import Area, Beat, Location

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]

NONE: Final = -1
_CELLS_A_SIDE_MOST: Final = 2_048
"""Sixteen megabytes of cells; finer ones make the first answer wait longer than they save later."""
_CELLS_A_SIDE_LEAST: Final = 64
_CELLS_PER_OUTLINE: Final = 48
"""Cells along one side of an outline of middling size: one point in twelve then meets a border."""
_AT_ONCE: Final = 4_000_000
"""Cells marked in one step while borders are drawn; bounds the memory that a jagged outline takes."""
_MARGIN: Final = 1e-6
"""Of a cell. So near to a border a cell counts as crossed, so that no rounding decides where a point lies."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where each of n points lies.

    Attributes:
        tiers: The k tiers there are, ascending.
        areas: (n, k) int32, number of the area in `Locator.areas`, -1 where there is none of that tier.
        beat: (n,) int32, number in `Locator.beats`, -1 without one.
    """

    tiers: tuple[int, ...]
    areas: Numbers
    beat: Numbers


class Locator:
    """Areas and beats made ready to be asked about many points.

    Making one takes a quarter of a second for 1,600 grids. Immutable; safe to use from several threads.

    Args:
        areas: Ordered by code, each code once.
        beats: Ordered by code.

    >>> village = Area("3401", "桥头村", 3, None, "村", shapely.box(117.0, 34.0, 117.2, 34.1))
    >>> west = Area("340101", "桥头村第一网格", 4, "3401", "网格", shapely.box(117.0, 34.0, 117.1, 34.1))
    >>> found = Locator([village, west]).locate([117.05, 117.15, 118.0], [34.05, 34.05, 34.05])
    >>> found.tiers, found.areas.tolist()
    ((3, 4), [[0, 1], [0, -1], [-1, -1]])
    """

    def __init__(self, areas: Sequence[Area], beats: Sequence[Beat] = ()) -> None:
        self.areas = tuple(areas)
        self.beats = tuple(beats)
        self.tiers = tuple(sorted({area.tier for area in areas}))
        shapes = [area.geometry for area in areas] + [beat.geometry for beat in beats]
        self._shapes = np.empty(len(shapes), dtype=object)
        self._shapes[:] = shapes
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        column = {tier: n for n, tier in enumerate(self.tiers)}
        self._column = np.array(
            [column[area.tier] for area in areas] + [len(column)] * len(beats), dtype=np.intp
        )
        self._above = _ancestors(self.areas, column)
        self._cells = _Cells(self._shapes) if shapes else None
        self._answers = np.full((1, len(column) + 1), NONE, dtype=np.int32)
        if self._cells is not None:
            self._answers = np.concatenate([self._answers, self._search(*self._cells.spots)])

    def locate(self, lon: ArrayLike, lat: ArrayLike) -> Located:
        """Where points lie.

        Args:
            lon: (n,) degrees, EPSG:4326.
            lat: (n,) degrees.

        Returns:
            As `AreaIndex.locate` says it of each; nothing for a coordinate that is not a number.
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        if self._cells is None:
            answer = np.full((len(x), 1), NONE, dtype=np.int32)
        else:
            stretch = self._cells.stretch(x, y)
            answer = self._answers[stretch]
            crossed = np.flatnonzero(stretch < 0)
            answer[crossed] = self._search(x[crossed], y[crossed])
        return Located(self.tiers, answer[:, :-1], answer[:, -1])

    def location(self, found: Located, number: int) -> Location:
        """One row of an answer, in codes."""
        row = zip(found.tiers, found.areas[number].tolist(), strict=True)
        beat = int(found.beat[number])
        return Location(
            {tier: self.areas[area].code for tier, area in row if area != NONE},
            None if beat == NONE else self.beats[beat].code,
        )

    def _search(self, x: Floats, y: Floats) -> Numbers:
        """(n, k + 1) answers by the outlines themselves."""
        answer = np.full((len(x), len(self.tiers) + 1), np.iinfo(np.int32).max, dtype=np.int32)
        point, shape = self._tree.query(shapely.points(x, y))
        # Outlines are prepared, points are not: asking the outlines is what costs the least.
        order = np.argsort(shape, kind="stable")
        point, shape = point[order], shape[order]
        inside = shapely.intersects_xy(self._shapes[shape], x[point], y[point])
        point, shape = point[inside], shape[inside]
        np.minimum.at(answer, (point, self._column[shape]), shape.astype(np.int32))
        answer[answer == np.iinfo(np.int32).max] = NONE
        answer[:, -1] -= np.where(answer[:, -1] == NONE, 0, len(self.areas)).astype(np.int32)
        own = answer.copy()
        for column in reversed(range(len(self.tiers))):
            here = np.flatnonzero(own[:, column] != NONE)
            above = self._above[own[here, column]]
            known = answer[here, :-1]
            answer[here, :-1] = np.where(known == NONE, above, known)
        return answer


def _ancestors(areas: Sequence[Area], column: dict[int, int]) -> Numbers:
    """(m, k) number of each area's nearest ancestor of each tier, -1 without one."""
    number = {area.code: n for n, area in enumerate(areas)}
    above = np.full((len(areas), len(column)), NONE, dtype=np.int32)
    for n, area in enumerate(areas):
        parent = number.get(area.parent) if area.parent is not None else None
        while parent is not None:
            at = column[areas[parent].tier]
            if above[n, at] == NONE:
                above[n, at] = parent
            code = areas[parent].parent
            parent = number.get(code) if code is not None else None
    return above


class _Cells:
    """The ground in cells: -1 where a border crosses, else the number of the stretch from 1; 0 is outside.

    Args:
        shapes: At least one polygon or multipolygon, degrees.
    """

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        wide, high = max(east - west, 1e-9), max(north - south, 1e-9)
        boxes = shapely.bounds(shapes)
        sides = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
        cell = max(float(np.median(sides)) / _CELLS_PER_OUTLINE, max(wide, high) / _CELLS_A_SIDE_MOST)
        cell = min(cell, max(wide, high) / _CELLS_A_SIDE_LEAST)
        # A rim of one cell all around: what is beyond it lies in nothing.
        self._west, self._south, self._cell = west - cell, south - cell, cell
        self._columns, self._rows = int(wide / cell) + 3, int(high / cell) + 3
        crossed = self._crossed(shapes)
        stretches, count = ndimage.label(~crossed)
        self._number = np.where(crossed, NONE, stretches).astype(np.int32).ravel()
        # One cell of each stretch stands for all of it.
        _, first = np.unique(self._number, return_index=True)
        first = first[-count:] if count else first[:0]
        self.spots: tuple[Floats, Floats] = (
            self._west + (first % self._columns + 0.5) * cell,
            self._south + (first // self._columns + 0.5) * cell,
        )

    def stretch(self, x: Floats, y: Floats) -> Numbers:
        """The stretch of each point, -1 where the outlines must be asked, 0 outside everything."""
        column = (x - self._west) / self._cell
        row = (y - self._south) / self._cell
        # Comparisons with what is not a number are false.
        known = (column >= 0) & (column < self._columns) & (row >= 0) & (row < self._rows)
        at = np.where(known, row, 0).astype(np.intp) * self._columns
        at += np.where(known, column, 0).astype(np.intp)
        return np.where(known, self._number[at], np.int32(0))

    def _crossed(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Every cell that some border touches or almost touches."""
        lines = shapely.get_rings(shapely.get_parts(shapes))
        points, ring = shapely.get_coordinates(lines, return_index=True)
        x = (points[:, 0] - self._west) / self._cell
        y = (points[:, 1] - self._south) / self._cell
        start = np.flatnonzero(ring[1:] == ring[:-1])
        crossed = np.zeros((self._rows, self._columns), dtype=np.bool_)
        up = y[start] <= y[start + 1]
        low, high = np.where(up, start, start + 1), np.where(up, start + 1, start)
        # A border that two areas share is drawn twice; finding that out would cost more.
        ends = np.stack([x[low], y[low], x[high], y[high]])
        first = np.floor(ends[1] - _MARGIN).astype(np.intp)
        rows = np.floor(ends[3] + _MARGIN).astype(np.intp) - first + 1
        cells = np.abs(ends[2] - ends[0]) + 2 * rows
        part = np.floor(np.cumsum(cells) / _AT_ONCE).astype(np.intp)
        for cut in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(part)) + 1):
            self._draw(crossed, ends[:, cut], first[cut], rows[cut])
        return crossed

    def _draw(
        self,
        crossed: NDArray[np.bool_],
        ends: Floats,
        first: NDArray[np.intp],
        rows: NDArray[np.intp],
    ) -> None:
        """Mark the cells of straight pieces, given as (x, y) of the lower and of the upper end, in cells."""
        each = np.repeat(np.arange(len(rows)), rows)
        row = first[each] + _counting(rows)
        x0, y0, x1, y1 = ends[:, each]
        # The part of the piece within the row, and a little more.
        rise = np.where(y1 > y0, y1 - y0, 1.0)
        from_ = np.clip((row - _MARGIN - y0) / rise, 0.0, 1.0)
        to = np.where(y1 > y0, np.clip((row + 1 + _MARGIN - y0) / rise, 0.0, 1.0), 1.0)
        a, b = x0 + from_ * (x1 - x0), x0 + to * (x1 - x0)
        left = np.floor(np.minimum(a, b) - _MARGIN).astype(np.intp)
        columns = np.floor(np.maximum(a, b) + _MARGIN).astype(np.intp) - left + 1
        each = np.repeat(np.arange(len(columns)), columns)
        crossed[row[each], left[each] + _counting(columns)] = True


def _counting(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """0 … n - 1 for each n, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
