"""Areas: grids that follow streets in town and ridges and streams outside, and everything above them.

Every border is drawn once and shared, so the areas of one tier cover their parents exactly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
import shapely.ops
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry

from gis.synthetic.blocks import Faces
from gis.synthetic.plane import Flags, Floats, Frame, Ints, Shapes, line_array, smooth, spline
from gis.synthetic.settlements import Settlements, border_cost
from gis.synthetic.terrain import Terrain

SNAP_M = 0.25
"""Borders are noded on this raster; at that spacing degrees rounded to 1e-7 keep the order of vertices."""


@dataclass(frozen=True, slots=True)
class TownGrids:
    """A town's faces and, for each, the number of the urban grid it belongs to."""

    outline: shapely.Polygon
    faces: Faces
    grid_of: list[int]


def country_labels(terrain: Terrain, settled: Settlements, rng: np.random.Generator) -> Ints:
    """Return a raster of hamlet indices: each cell goes to the hamlet of its village most easily reached."""
    cost = border_cost(terrain, rng)
    zones = settled.regions * 2 + terrain.sides
    cells = [h.cell for h in settled.hamlets]
    found = terrain.lattice.spread(cost, cells, zones=zones)
    owner = np.full(found.source.size + 1, -1, dtype=np.int64)
    owner[cells] = np.arange(len(cells))
    return owner[np.where(found.source < 0, -1, found.source)].reshape(terrain.frame.shape)


def partition(
    terrain: Terrain, settled: Settlements, labels: Ints, towns: list[TownGrids], rng: np.random.Generator
) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    """Cut the county into grids without gaps or overlaps.

    Returns:
        Polygons of the hamlets' grids and of the towns' grids (towns in order, each town's grids in order).
    """
    # Arcs run a little past the lines they end on: noding cuts them there, and the loose tips bound nothing.
    outlines = shapely.union_all([t.outline.buffer(-3) for t in towns])
    rural = terrain.county.buffer(3).difference(outlines)
    banks = [g for g in shapely.ops.split(terrain.bounds.buffer(500), terrain.river).geoms]
    work: list[BaseGeometry] = [terrain.county.exterior, terrain.river.intersection(rural)]
    filled = []
    for side, bank in zip(_sides(terrain, banks), banks, strict=True):
        raster = _fill(labels, terrain.sides == side)
        filled.append((side, bank, raster))
        arcs = _arcs(terrain.frame, raster, rng)
        work += _clip(arcs, bank.buffer(2).intersection(rural))
    for town in towns:
        work += [f.exterior for f in town.faces.shapes] + [r for f in town.faces.shapes for r in f.interiors]
    noded = shapely.union_all(work, grid_size=SNAP_M)
    cells = shapely.get_parts(shapely.polygonize([noded]))
    points = shapely.point_on_surface(cells)
    keep = shapely.contains(terrain.county.buffer(1), points)
    cells, points = cells[keep], points[keep]
    xy = shapely.get_coordinates(points)
    label = np.full(len(cells), -1, dtype=np.int64)
    for _, bank, raster in filled:
        shapely.prepare(bank)
        here = shapely.contains_xy(bank, xy[:, 0], xy[:, 1])
        label[here] = raster.ravel()[terrain.frame.cells(xy[here])]
    hamlets, base = len(settled.hamlets), len(settled.hamlets)
    for town in towns:
        tree = shapely.STRtree(town.faces.shapes)
        which, face = tree.query(points, predicate="intersects")
        label[which] = base + np.array(town.grid_of, dtype=np.int64)[face]
        base += max(town.grid_of) + 1
    label = _tidy(cells, label, hamlets)
    unions = [shapely.coverage_union_all(cells[label == k]) for k in range(base)]
    shapes: list[shapely.Polygon] = unions  # type: ignore[assignment] # a stray part makes it a MultiPolygon
    if any(s.is_empty for s in shapes):
        raise ValueError("a grid came out empty: its hamlet or block is too small for the raster")
    return shapes[:hamlets], shapes[hamlets:]


def _clip(arcs: list[shapely.LineString], area: BaseGeometry) -> list[BaseGeometry]:
    """Return the parts of arcs within an area; arcs wholly inside stay as they are, to the last bit."""
    lines = np.array(arcs)
    shapely.prepare(area)
    inside = shapely.contains_properly(area, lines)
    parts = shapely.intersection(lines[~inside], area)
    return [*lines[inside].tolist(), *(p for p in shapely.get_parts(parts).tolist() if p.length > 0)]


def _sides(terrain: Terrain, banks: list[BaseGeometry]) -> list[int]:
    """Return the value of ``terrain.sides`` on each bank."""
    gx, gy = terrain.frame.centres()
    result = []
    for bank in banks:
        shapely.prepare(bank)
        result.append(int(np.median(terrain.sides[shapely.contains_xy(bank, gx, gy)])))
    return result


def _fill(labels: Ints, here: Flags) -> Ints:
    """Extend the labels of one bank over the whole raster."""
    known = here & (labels >= 0)
    rows, cols = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(labels[rows, cols])


def _arcs(frame: Frame, labels: Ints, rng: np.random.Generator) -> list[shapely.LineString]:
    """Return the borders between labels as smooth arcs that share their ends."""
    lines: list[Floats] = []
    half = frame.cell / 2
    x = frame.x0 + frame.cell * np.arange(frame.cols)
    y = frame.y0 + frame.cell * np.arange(frame.rows)
    r, c = np.nonzero(labels[:, :-1] != labels[:, 1:])
    if len(r):
        lines.append(
            np.stack(
                [np.column_stack([x[c] + half, y[r] - half]), np.column_stack([x[c] + half, y[r] + half])],
                axis=1,
            )
        )
    r, c = np.nonzero(labels[:-1] != labels[1:])
    if len(r):
        lines.append(
            np.stack(
                [np.column_stack([x[c] - half, y[r] + half]), np.column_stack([x[c] + half, y[r] + half])],
                axis=1,
            )
        )
    merged = shapely.get_parts(
        shapely.line_merge(
            shapely.multilinestrings(line_array(np.round(np.concatenate(lines), 3).astype(np.float64)))
        )
    )
    arcs: list[shapely.LineString] = []
    for part in merged.tolist():
        line = smooth(np.array(part.coords), 9)
        if len(line) > 3 and not np.allclose(line[0], line[-1]):
            line = spline(line, 0.4 * frame.cell)
        arcs += [shapely.LineString(c.coords) for c in [shapely.LineString(line).simplify(frame.cell * 0.03)]]
    return arcs


def _tidy(cells: Shapes, label: Ints, rural: int) -> Ints:
    """Give every face that is cut off from the main part of its grid to the neighbour it borders most."""
    sides: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, cell in enumerate(cells.tolist()):
        for ring in (cell.exterior, *cell.interiors):
            c = np.array(ring.coords).tolist()
            for a, b in pairwise(c):
                sides[(*a, *b) if a < b else (*b, *a)].append(index)
    near: list[dict[int, float]] = [defaultdict(float) for _ in range(len(cells))]
    for key, pair in sides.items():
        if len(pair) == 2:
            length = float(np.hypot(key[2] - key[0], key[3] - key[1]))
            near[pair[0]][pair[1]] += length
            near[pair[1]][pair[0]] += length
    area = shapely.area(cells)
    label = label.copy()
    for _ in range(6):
        part = np.full(len(cells), -1)
        sizes: list[float] = []
        for start in range(len(cells)):
            if part[start] >= 0:
                continue
            stack, total = [start], 0.0
            part[start] = len(sizes)
            while stack:
                k = stack.pop()
                total += area[k]
                for other in near[k]:
                    if part[other] < 0 and label[other] == label[k]:
                        part[other] = len(sizes)
                        stack.append(other)
            sizes.append(total)
        best: dict[int, int] = {}
        for k in range(len(cells)):
            if sizes[part[k]] > sizes[best.get(int(label[k]), part[k])] or int(label[k]) not in best:
                best[int(label[k])] = int(part[k])
        strays = [k for k in range(len(cells)) if label[k] < 0 or best[int(label[k])] != part[k]]
        if not strays:
            break
        for k in strays:
            options = {
                o: w for o, w in near[k].items() if label[o] >= 0 and best.get(int(label[o])) == part[o]
            }
            if options:
                label[k] = label[max(options, key=lambda o: options[o])]
    return label
