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

CELL_M = 40.0
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
    piece, pieces = ndimage.label(mask, structure=np.ones((3, 3)))
    of_sample = piece[row, column] - 1
    road_m = np.bincount(of_sample, weights=samples.weight[chosen], minlength=pieces)
    lasting = road_m >= least_m
    rings = _outlines(np.where(np.append(False, lasting)[piece], piece, 0), west, south, cell)
    pairs = np.unique(np.column_stack([of_sample, samples.grid[chosen]]), axis=0)
    start = np.searchsorted(pairs[:, 0], np.arange(pieces + 1))
    degrees = shapely.transform(list(rings.values()), by_columns(samples.frame.to_lonlat))
    lonlat = dict(zip(rings, degrees, strict=True))
    order = sorted(np.flatnonzero(lasting).tolist(), key=lambda n: (-road_m[n], n))
    return [
        Gap(lonlat[n + 1], float(road_m[n]), tuple(pairs[start[n] : start[n + 1], 1].tolist())) for n in order
    ]


def _outlines(piece: NDArray[np.int32], west: float, south: float, cell: float) -> dict[int, Shape]:
    """Outline of each piece by its number, metres: rows of squares joined, corners smoothed."""
    padded = np.pad(piece, ((0, 0), (1, 1)))
    change = padded[:, 1:] != padded[:, :-1]
    row, begin = np.nonzero(change[:, :-1] & (piece > 0))
    _, end = np.nonzero(change[:, 1:] & (piece > 0))
    number = piece[row, begin]
    boxes = shapely.box(
        west + begin * cell, south + row * cell, west + (end + 1) * cell, south + (row + 1) * cell
    )
    order = np.argsort(number, kind="stable")
    numbers, start = np.unique(number[order], return_index=True)
    joined = [shapely.union_all(part) for part in np.split(boxes[order], start[1:])] if len(order) else []
    smooth = shapely.simplify(np.array(joined, dtype=object), cell * 0.75)
    return dict(zip(numbers.tolist(), smooth, strict=True))
