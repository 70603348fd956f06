"""The roads of a graph as people name them: one entry for each road of a name, with a point that lies on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.roads.graph import RoadGraph

_CELL_M: Final = 1_500.0
"""Stretches of one name in cells of this size that touch are one road: every town has a 人民路 of its own."""


@dataclass(frozen=True, slots=True)
class NamedRoad:
    """A road.

    Attributes:
        name: As on the sign.
        lon: Of the middle stretch's middle, degrees.
        lat: Degrees.
        length_m: Of all its stretches; both lanes of a divided road count.
    """

    name: str
    lon: float
    lat: float
    length_m: float


def named_roads(graphs: Iterable[RoadGraph]) -> list[NamedRoad]:
    """Return the named roads, by name, then from west to east; no ferries.

    Args:
        graphs: Of one district. From a later one only those names are taken that the earlier ones lack.
    """
    found: list[NamedRoad] = []
    for graph in graphs:
        known = {road.name for road in found}
        found += [road for road in _of_graph(graph) if road.name not in known]
    return sorted(found, key=lambda road: (road.name, road.lon, road.lat))


def _of_graph(graph: RoadGraph) -> list[NamedRoad]:
    a = graph.arrays
    edges = np.flatnonzero((a.name != 0) & ~a.ferry)
    if not len(edges):
        return []
    middle = (a.start[edges] + a.start[edges + 1] - 1) // 2
    lon, lat, length = a.lon[middle], a.lat[middle], a.length_m[edges]
    x, y = graph.frame.to_xy(lon, lat)
    column = np.floor(x / _CELL_M).astype(np.int64)
    line = np.floor(y / _CELL_M).astype(np.int64)
    column -= column.min() - 1
    line -= line.min() - 1
    columns, lines = int(column.max()) + 2, int(line.max()) + 2
    keys, part = np.unique((a.name[edges] * lines + line) * columns + column, return_inverse=True)
    first: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    second: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    # Cells of a name touch where the key beside, below or at the corner exists; the frame has an empty border.
    for step in (1, columns - 1, columns, columns + 1):
        beside = np.minimum(np.searchsorted(keys, keys + step), len(keys) - 1)
        here = np.flatnonzero(keys[beside] == keys + step)
        first.append(here)
        second.append(beside[here])
    rows, others = np.concatenate(first), np.concatenate(second)
    links = coo_array((np.ones(len(rows)), (rows, others)), shape=(len(keys), len(keys)))
    count, road_of_cell = connected_components(links, directed=False)
    road = road_of_cell[part]
    total = np.bincount(road, length, count)
    weight = np.maximum(length, 1e-9)
    weights = np.bincount(road, weight, count)
    away = np.hypot(
        x - (np.bincount(road, x * weight, count) / weights)[road],
        y - (np.bincount(road, y * weight, count) / weights)[road],
    )
    order = np.lexsort((edges, away, road))
    best = order[np.searchsorted(road[order], np.arange(count))]
    return [
        NamedRoad(a.names[int(a.name[edges[n]])], float(lon[n]), float(lat[n]), float(metres))
        for n, metres in zip(best.tolist(), total.tolist(), strict=True)
    ]
