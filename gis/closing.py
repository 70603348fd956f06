"""What a drawn closure means on the ground: which roads, how much of them, and in whose grids it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.areas import AreaIndex
from gis.roads.closures import Blockage, edge_lines_deg, edges_hit, lanes_hit
from gis.roads.graph import RoadGraph

MOST_CODES = 64
"""More grids than this are told as the divisions above them."""
MOST_NAMES = 8
_TRACE_DEG = 1e-6
# A drawing that only touches a border, or runs a decimetre over it, does not lie on the other side.

Line = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class ClosedRoads:
    """What a drawing closes of a road network.

    Attributes:
        edges: Stretches between junctions, by number in the graph it was found on.
        names: The longest closed road first; roads without a name are left out.
        length_m: How much road, each stretch once.
    """

    edges: NDArray[np.int32]
    names: tuple[str, ...]
    length_m: float


def graph_for(graphs: Mapping[str, RoadGraph], blockage: Blockage) -> RoadGraph | None:
    """Return the network on which a closure shows most: a stopped means of travel's own, cars first."""
    wanted = blockage.profiles if blockage.profiles is not None else frozenset(graphs)
    for name in ("car", "motorcycle", "foot"):
        if name in wanted and name in graphs:
            return graphs[name]
    return next((graph for name, graph in graphs.items() if name in wanted), None)


def closed_roads(graph: RoadGraph, blockage: Blockage) -> ClosedRoads:
    """Say what a drawing closes on a graph."""
    edges = edges_hit(graph, blockage)
    lengths = graph.arrays.length_m[edges]
    by_name: dict[str, float] = {}
    for name, metres in zip(graph.arrays.name[edges].tolist(), lengths.tolist(), strict=True):
        by_name[graph.arrays.names[name]] = by_name.get(graph.arrays.names[name], 0.0) + metres
    by_name.pop("", None)
    names = sorted(by_name, key=lambda name: (-by_name[name], name))[:MOST_NAMES]
    return ClosedRoads(edges, tuple(names), float(lengths.sum()))


def closed_lines(graph: RoadGraph, blockage: Blockage) -> list[Line]:
    """Return the closed stretches to be drawn; where one direction is closed, in the direction that is.

    Returns:
        (lon, lat) in degrees, stretch by stretch.
    """
    lanes = lanes_hit(graph, blockage)
    edges = np.unique(lanes >> 1)
    lines = edge_lines_deg(graph, edges)
    if blockage.direction == "both":
        return lines
    against = set((lanes[(lanes & 1) == 1] >> 1).tolist()) - set((lanes[(lanes & 1) == 0] >> 1).tolist())
    return [line[::-1] if edge in against else line for edge, line in zip(edges.tolist(), lines, strict=True)]


def ground_of(areas: AreaIndex, blockage: Blockage) -> tuple[tuple[str, ...], bool]:
    """Return the codes of the grids that a drawing lies in, and whether a part of it lies in none.

    A point belongs to the smallest code at its place. What only touches a grid's border is not in it.

    Returns:
        Codes in order: of the grids, or of the divisions above them where there would be more than `MOST_CODES`.
    """
    if blockage.kind == "point":
        found = areas.locate(*blockage.coordinates[0]).areas.get(4)
        return ((), True) if found is None else ((found,), False)
    if blockage.kind == "line":
        shape: shapely.LineString | shapely.Polygon = shapely.LineString(blockage.coordinates)
        measure = shapely.length
        least = min(_TRACE_DEG, shape.length / 2.0)
    else:
        shape = shapely.Polygon(blockage.coordinates)
        measure = shapely.area
        least = min(_TRACE_DEG**2, shape.area / 2.0)
    near = np.sort(areas.grid_tree.query(shape, predicate="intersects"))
    parts = shapely.intersection(areas.grid_geometries[near], shape)
    inside = near[measure(parts) > least]
    left = shapely.difference(shape, shapely.union_all(areas.grid_geometries[inside]))
    codes = {areas.grids[number].code for number in inside.tolist()}
    return _few(areas, codes), bool(measure(left) > least)


def _few(areas: AreaIndex, codes: set[str]) -> tuple[str, ...]:
    while len(codes) > MOST_CODES:
        above = {(areas.area(code).parent if code in areas else None) or code for code in codes}
        if above == codes:
            break
        codes = above
    return tuple(sorted(codes))
