"""Stretches of road out of reach, as outlines for a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from gis.coverage.samples import Samples
from gis.crs import by_columns
from gis.outlines import Shape, geojson_geometry

CELL_M = 30.0
"""Side of the squares an outline is put together from."""
CELLS = 1_500_000
"""Squares of the whole district; a larger one gets larger squares."""
BUFFER_M = 60.0
"""How far an outline stands off its road; roads nearer than twice this to each other share one."""
LEAST_M = 100.0
"""Shorter gaps are not drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """One connected piece of road out of reach.

    Attributes:
        outline: Polygon or MultiPolygon, lon/lat degrees, EPSG:4326.
        road_m: Length of its road in metres; square metres of ground in a district without roads.
        grids: Indices of the grids it lies in, ascending.
    """

    outline: Shape
    road_m: float
    grids: tuple[int, ...]

    def feature(self, codes: tuple[str, ...]) -> dict[str, Any]:
        """A GeoJSON Feature; `codes` are those of all grids."""
        return {
            "type": "Feature",
            "geometry": geojson_geometry(self.outline),
            "properties": {"road_m": round(self.road_m), "grids": [codes[n] for n in self.grids]},
        }


def gaps(samples: Samples, missed: NDArray[np.bool_], *, least_m: float = LEAST_M) -> list[Gap]:
    """Outline the samples that are missed.

    Args:
        samples: All of a district.
        missed: (n,) which of them are out of reach.
        least_m: Gaps with less road than this are left out.

    Returns:
        Connected pieces, the longest road first; empty when nothing is missed. The outlines keep about
        `BUFFER_M` from their roads, to within a square of `CELL_M`.
    """
    chosen = np.flatnonzero(missed)
    if not chosen.size:
        return []
    x, y = samples.x[chosen], samples.y[chosen]
    west, south = float(x.min()) - 2 * BUFFER_M, float(y.min()) - 2 * BUFFER_M
    wide, high = float(x.max()) + 2 * BUFFER_M - west, float(y.max()) + 2 * BUFFER_M - south
    cell = max(CELL_M, float(np.sqrt(wide * high / CELLS)))
    column, row = ((x - west) / cell).astype(np.int64), ((y - south) / cell).astype(np.int64)
    mask = np.zeros((int(high / cell) + 1, int(wide / cell) + 1), dtype=np.bool_)
    mask[row, column] = True
    reach = max(1, round(BUFFER_M / cell))
    up, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    mask = ndimage.binary_dilation(mask, structure=up**2 + across**2 <= reach**2)
    piece, pieces = ndimage.label(mask)
    of_sample = piece[row, column] - 1
    road_m = np.bincount(of_sample, weights=samples.weight[chosen], minlength=pieces)
    lasting = road_m >= least_m
    rings = _outlines(np.where(np.append(False, lasting)[piece], piece, 0), west, south, cell)
    pairs = np.unique(of_sample.astype(np.int64) * samples.grids + samples.grid[chosen])
    start = np.searchsorted(pairs, np.arange(pieces + 1) * samples.grids)
    degrees = shapely.transform(list(rings.values()), by_columns(samples.frame.to_lonlat))
    lonlat = dict(zip(rings, degrees, strict=True))
    order = sorted(np.flatnonzero(lasting).tolist(), key=lambda n: (-road_m[n], n))
    return [
        Gap(lonlat[n + 1], float(road_m[n]), tuple((pairs[start[n] : start[n + 1]] % samples.grids).tolist()))
        for n in order
    ]


def _outlines(piece: NDArray[np.int32], west: float, south: float, cell: float) -> dict[int, Shape]:
    """Outline of each piece by its number, metres.

    The borders of the squares are followed with the piece on the left, and the outline runs through the middles of
    the borders: corners are cut, the result is valid as it stands, and the cost is that of its length.

    Args:
        piece: (rows, columns) number of the piece of each square, 0 for none; rows run north.
        west: Metres east of the first column's border.
        south: Metres north of the first row's border.
        cell: Side of a square, metres.
    """
    held = np.pad(piece, 1)
    wide = held.shape[1] + 1
    rows, columns, headings = [], [], []
    for number, (up, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
        row, column = np.nonzero((held > 0) & (np.roll(held, (-up, -right), (0, 1)) == 0))
        rows.append(row)
        columns.append(column)
        headings.append(np.full(len(row), number))
    row, column, heading = np.concatenate(rows), np.concatenate(columns), np.concatenate(headings)
    # East along the bottom, north along the right side, west along the top, south along the left side.
    first = np.array([0, 1, wide + 1, wide])[heading] + row * wide + column
    last = np.array([1, wide + 1, wide, 0])[heading] + row * wide + column
    leaving = np.full((4, (held.shape[0] + 1) * wide), -1, dtype=np.int32)
    leaving[heading, first] = np.arange(len(row))
    follow = leaving[(heading - 1) % 4, last]
    for turn in (0, 1):  # left, around its own square, goes before straight on, and that before right
        choice = leaving[(heading + turn) % 4, last]
        follow = np.where(choice >= 0, choice, follow)
    before = np.empty_like(follow)
    before[follow] = np.arange(len(row))
    x = column + np.array([0.5, 1.0, 0.5, 0.0])[heading]
    y = row + np.array([0.0, 0.5, 1.0, 0.5])[heading]
    straight = (x[follow] - x == x - x[before]) & (y[follow] - y == y - y[before])
    order, ring = _cycles(follow)
    kept = ~straight[order]
    order, ring = order[kept], ring[kept]
    corners = np.column_stack([west + (x[order] - 1.0) * cell, south + (y[order] - 1.0) * cell])
    rings = np.atleast_1d(np.asarray(shapely.linearrings(corners, indices=ring), dtype=object))
    piece_of = held[row, column][order[np.searchsorted(ring, np.arange(len(rings)))]]
    shells_first = np.lexsort((~shapely.is_ccw(rings), piece_of))
    numbers, place = np.unique(piece_of[shells_first], return_inverse=True)
    found = np.atleast_1d(np.asarray(shapely.polygons(rings[shells_first], indices=place), dtype=object))
    return dict(zip(numbers.tolist(), found.tolist(), strict=True))


def _cycles(follow: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The cycles of a permutation: its elements in their order, and the number of the cycle of each.

    >>> order, cycle = _cycles(np.array([2, 1, 0], dtype=np.int32))
    >>> order.tolist(), cycle.tolist()
    ([0, 2, 1], [0, 0, 1])
    """
    after, seen = follow.tolist(), bytearray(len(follow))
    order: list[int] = []
    lengths = []
    for begin in range(len(after)):
        if seen[begin]:
            continue
        at, before = begin, len(order)
        while not seen[at]:
            seen[at] = 1
            order.append(at)
            at = after[at]
        lengths.append(len(order) - before)
    return np.array(order, dtype=np.intp), np.repeat(np.arange(len(lengths)), lengths)
