"""Points on the roads of a district, each standing for the few metres of road about it.

Made once for a road graph and its grids. Every measure of coverage is then a sum over these points, so a share is
a share of road length and not of junctions, which stand close in a town and far apart outside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.areas import AreaIndex
from gis.crs import LocalMetric, by_columns
from gis.roads.graph import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

STEP_M = 20.0
"""Road for which one point stands; a car passes it in under two seconds."""
LATTICE_POINTS = 200_000
"""Points over a district without roads, however large it is."""
LATTICE_STEP_M = 50.0
SAME_ROAD_M = 30.0
"""A road of another means of travel this near is the same road."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Points that stand for stretches of road, or of ground where no roads are known.

    Attributes:
        x: (n,) float64 metres east in `frame`.
        y: (n,) float64 metres north.
        weight: (n,) float64 metres of road for which the point stands; square metres of ground without roads.
        grid: (n,) int32 index into the `grids` of the areas; points outside every grid are left out.
        grids: Number of grids.
        frame: The metric frame of `x` and `y`.
        edge: (n,) int32 edge of the road graph, -1 without roads.
        fraction: (n,) float64 share of the edge's length, nan without roads.
        by_road: False where the points are a lattice over the ground.
    """

    x: Floats
    y: Floats
    weight: Floats
    grid: Ints
    grids: int
    frame: LocalMetric
    edge: Ints
    fraction: Floats
    by_road: bool

    def __len__(self) -> int:
        return len(self.x)


def road_samples(graph: RoadGraph, areas: AreaIndex, *, step_m: float = STEP_M) -> Samples:
    """Put points on every road that takes part in routing, ferries left out.

    Args:
        graph: The roads.
        areas: Whose grids the points belong to; on a shared border to the smaller code.
        step_m: The longest stretch for which one point stands, metres.

    Returns:
        Points in the order of the edges; none when no road lies in a grid.
    """
    arrays = graph.arrays
    count = np.maximum(1, np.ceil(arrays.length_m / step_m)).astype(np.int64)
    count[~arrays.snappable | arrays.ferry] = 0
    edge = np.repeat(np.arange(len(count), dtype=np.int32), count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    fraction = (nth + 0.5) / count[edge]
    points = shapely.line_interpolate_point(graph.lines[edge], fraction, normalized=True)
    x, y = shapely.get_x(points), shapely.get_y(points)
    lon, lat = graph.frame.to_lonlat(x, y)
    grid = areas.locate_many(lon, lat)
    inside = np.flatnonzero(grid >= 0)
    edge, fraction = edge[inside], fraction[inside]
    return Samples(
        x=x[inside],
        y=y[inside],
        weight=(arrays.length_m / np.maximum(count, 1))[edge],
        grid=grid[inside],
        grids=len(areas.grids),
        frame=graph.frame,
        edge=edge,
        fraction=fraction,
        by_road=True,
    )


def ground_samples(areas: AreaIndex, *, step_m: float = LATTICE_STEP_M) -> Samples:
    """Put a lattice of points over all grids, for a district without roads.

    Args:
        areas: Whose grids.
        step_m: Least distance of the points, metres; larger districts get a wider lattice.

    Returns:
        Points from south to north. A grid that falls between the points gets one at its label point.

    >>> from gis.areas import Area
    >>> areas = AreaIndex([Area("1", "一格", 4, None, "网格", shapely.box(117.0, 34.0, 117.01, 34.01))])
    >>> len(ground_samples(areas, step_m=500.0))
    4
    """
    bounds = areas.bounds or (0.0, 0.0, 0.0, 0.0)
    frame = LocalMetric((bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0)
    if not areas.grids:
        none = np.zeros(0)
        return Samples(none, none, none, none.astype(np.int32), 0, frame, none.astype(np.int32), none, False)
    flat = shapely.transform(areas.grid_geometries, by_columns(frame.to_xy))
    west, south, east, north = shapely.total_bounds(flat).tolist()
    step_m = max(step_m, float(np.sqrt((east - west) * (north - south) / LATTICE_POINTS)))
    across, up = np.arange(west + step_m / 2, east, step_m), np.arange(south + step_m / 2, north, step_m)
    x, y = (part.ravel() for part in np.meshgrid(across, up))
    grid = areas.locate_many(*frame.to_lonlat(x, y))
    kept = np.flatnonzero(grid >= 0)
    x, y, grid = x[kept], y[kept], grid[kept]
    missed = np.setdiff1d(np.arange(len(areas.grids)), grid)
    if missed.size:
        spots = np.array([areas.label_point(areas.grids[n].code) for n in missed.tolist()])
        px, py = frame.to_xy(spots[:, 0], spots[:, 1])
        x, y, grid = np.append(x, px), np.append(y, py), np.append(grid, missed).astype(np.int32)
    share = shapely.area(flat) / np.bincount(grid, minlength=len(flat))
    nothing = np.full(len(x), -1, dtype=np.int32)
    return Samples(x, y, share[grid], grid, len(flat), frame, nothing, np.full(len(x), np.nan), False)


def on_graph(samples: Samples, graph: RoadGraph) -> tuple[Ints, Floats]:
    """Find the same stretches of road in the graph of another means of travel.

    Returns:
        (edge, fraction) of each point as in `Samples`; edge -1 where that means of travel has no road.
    """
    snaps = graph.snap(*samples.frame.to_lonlat(samples.x, samples.y), max_offset_m=SAME_ROAD_M)
    return snaps.edge, snaps.fraction
