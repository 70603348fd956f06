"""The land around the county, drawn coarsely: relief, brooks, roads and villages that continue the county's.

Nothing here belongs to the division: no grids, no people, no buildings. It is what a wide screen shows left
and right of the county, and where its roads and its river come from and go to.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.geometry.base import BaseGeometry

from gis.synthetic.lattice import Chain, Lattice, Traces
from gis.synthetic.names import Names
from gis.synthetic.network import Pieces, ends_of
from gis.synthetic.osm import Extract, Tags
from gis.synthetic.plane import Flags, Floats, Frame, blob, noise, spline
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.terrain import Terrain

COARSER = 4
"""The lattice beyond has cells this many times wider than the county's; landcover has half as wide ones."""

_CLASSES = ("primary", "secondary", "tertiary", "unclassified")
_FAR, _LOOP = 900, 910


@dataclass(frozen=True, slots=True)
class Beyond:
    """The coarse ground of everything drawn, in local metres.

    Attributes:
        relief: Raster of heights; within the county's frame those of the county itself.
        away: Raster, metres to the county's frame, 0 within it.
        brooks: Streams outside the county's frame.
    """

    frame: Frame
    relief: Floats
    away: Floats
    brooks: list[shapely.LineString]


@dataclass(frozen=True, slots=True)
class Outside:
    """Villages around the county: (name, place, outline of the lived-in land) in metres."""

    villages: list[tuple[str, Floats, shapely.Polygon]]


def extend(terrain: Terrain, spec: DistrictSpec, rng: np.random.Generator) -> Beyond:
    """Continue the ground of the county over everything drawn."""
    scale = min(spec.width_km, spec.height_km) * 1000
    frame = _frame(terrain, COARSER / 2)
    gx, gy = frame.centres()
    inner = terrain.frame
    out_x, out_y = np.abs(gx) + inner.x0, np.abs(gy) + inner.y0
    away = np.hypot(np.clip(out_x, 0, None), np.clip(out_y, 0, None))
    # Mirrored at its border the county's relief goes on without a step; farther out other hills take over.
    mirrored = np.column_stack([
        (np.sign(gx) * (np.abs(gx) - 2 * np.clip(out_x, 0, None))).ravel(),
        (np.sign(gy) * (np.abs(gy) - 2 * np.clip(out_y, 0, None))).ravel(),
    ])  # fmt: skip
    near = inner.sample(terrain.elevation, mirrored).reshape(frame.shape)
    course = np.ones(frame.shape, dtype=bool)
    line = shapely.segmentize(terrain.course.intersection(terrain.drawn), frame.cell / 2)
    course.ravel()[frame.cells(shapely.get_coordinates(line))] = False
    valley = 1 - np.exp(-((distance_transform_edt(course) * frame.cell / (0.16 * scale)) ** 1.3))
    hills = noise(rng, frame, 0.5 * scale) + 0.7 * noise(rng, frame, 0.22 * scale)
    far = (float(terrain.elevation.mean()) + 0.95 * float(terrain.elevation.std()) * hills) * valley
    share = np.exp(-((away / (0.1 * scale)) ** 2))
    relief = share * near + (1 - share) * far
    return Beyond(frame, relief, away, _brooks(terrain, spec, relief, frame, rng, scale))


def _frame(terrain: Terrain, coarser: float) -> Frame:
    west, south, east, north = terrain.drawn.bounds
    cell = terrain.frame.cell * coarser
    return Frame(west, south, cell, int((north - south) / cell) + 2, int((east - west) / cell) + 2)


def _brooks(
    terrain: Terrain, spec: DistrictSpec, relief: Floats, finer: Frame, rng: np.random.Generator, scale: float
) -> list[shapely.LineString]:
    """Let streams run from the county's rim outwards, to the river's tails or out of the picture."""
    frame = _frame(terrain, COARSER)
    gx, gy = frame.centres()
    cells = np.column_stack([gx.ravel(), gy.ravel()])
    height = finer.sample(relief, cells).reshape(frame.shape)
    rough = np.exp(0.5 * noise(rng, frame, frame.cell * 6))
    cost = (0.25 + np.clip((height - height.min()) / height.std(), 0, None) ** 1.6) * rough
    closed = _within(terrain.bounds.buffer(0.5 * frame.cell), frame)
    cost[closed] = np.inf
    tails = terrain.course.intersection(terrain.drawn).difference(terrain.bounds.buffer(frame.cell))
    mouths = frame.cells(shapely.get_coordinates(shapely.segmentize(tails, frame.cell / 2))).tolist()
    edge = np.flatnonzero(_rim(frame))
    mouths += rng.choice(edge, 9, replace=False).tolist()
    mouths = [m for m in mouths if np.isfinite(cost.ravel()[m])]
    found = Lattice(frame).spread(cost, mouths)
    traces, springs = Traces(frame), list[Floats]()
    for cell in rng.permutation(np.flatnonzero(np.isfinite(found.cost))).tolist():
        at = cells[cell]
        clear = all(np.hypot(*(at - s)) > 0.24 * scale for s in springs)
        if clear and len(way := found.way(cell)) > 0.09 * scale / frame.cell:
            springs.append(at)
            traces.add(way, 0)
        if len(springs) == spec.streams:
            break
    chains = traces.chains(2)
    fine = [np.array(spline(c.points, frame.cell / 3)) for c in chains if len(c.points) > 2]
    return [shapely.LineString(shapely.LineString(f).simplify(0.04 * frame.cell).coords) for f in fine]


def _within(area: BaseGeometry, frame: Frame) -> Flags:
    shapely.prepare(area)
    return np.asarray(shapely.contains_xy(area, *frame.centres()), dtype=np.bool_)


def _rim(frame: Frame) -> Flags:
    rim = np.zeros(frame.shape, dtype=np.bool_)
    rim[[0, -1], :] = True
    rim[:, [0, -1]] = True
    return rim.ravel()


@dataclass(frozen=True, slots=True)
class _Exit:
    at: Floats
    cell: int
    rank: int
    tags: Tags


def settle_and_pave(
    extract: Extract,
    terrain: Terrain,
    beyond: Beyond,
    pieces: Pieces,
    names: Names,
    scale: float,
    rng: np.random.Generator,
) -> Outside:
    """Continue every road that leaves the county's frame and put villages along them.

    Every road drawn here begins at a node of the county's network, crosses no river and has two directions,
    so that the network stays connected. The villages' names come last from ``names``.
    """
    frame = _frame(terrain, COARSER)
    gx, gy = frame.centres()
    cells = np.column_stack([gx.ravel(), gy.ravel()])
    height = beyond.frame.sample(beyond.relief, cells).reshape(frame.shape)
    dy, dx = np.gradient(height, frame.cell)
    ground = (1 + 28 * np.hypot(dx, dy)) * np.exp(
        0.45 * noise(rng, frame, frame.cell * 4) + 0.5 * noise(rng, frame, frame.cell * 9)
    )
    ground[_within(shapely.buffer(terrain.flood, 0.8 * frame.cell), frame)] = np.inf
    ground[_within(terrain.bounds.buffer(0.3 * frame.cell), frame)] = np.inf
    exits = _exits(pieces, terrain, frame)
    lattice, traces = Lattice(frame), Traces(frame)
    gates = [e.cell for e in exits]

    def cost(start: int = -1) -> Floats:
        made = ground.copy()
        made.ravel()[traces.used()] *= 0.35
        made.ravel()[gates] = np.inf
        if start >= 0:
            made.ravel()[start] = 1.0
        return made

    rim = np.flatnonzero(_rim(frame) & np.isfinite(ground.ravel()))
    for leave in exits:
        found = lattice.spread(cost(leave.cell), [leave.cell])
        open_rim = rim[np.isfinite(found.cost[rim])]
        if len(open_rim) == 0:
            continue
        way: Floats = np.asarray(leave.at / np.hypot(*leave.at) + rng.normal(0, 0.22, 2))
        ahead = cells[open_rim] - leave.at
        straight: Floats = np.asarray(ahead @ way / (np.hypot(*ahead.T) + 1.0))
        traces.add(found.way(int(open_rim[np.argmax(straight)])), leave.rank)
    sites = _sites(beyond, terrain, frame, ground, scale, rng)
    if (used := np.setdiff1d(traces.used(), gates)).size:
        found = lattice.spread(cost(), used.tolist())
        for cell in sites:
            traces.add(found.way(cell), _FAR)
        found = lattice.spread(cost(), sites)
        for _, u, v in lattice.neighbours(cost(), found):
            if rng.random() < 0.35:
                traces.add([*found.way(u)[::-1], *found.way(v)], _LOOP)
    _pave(extract, traces.chains(3), exits, frame, terrain)
    villages = []
    for cell in sites:
        size = float(rng.uniform(0.006, 0.017)) * scale
        ring = blob(rng, cells[cell], size, stretch=rng.uniform(1.0, 1.9), angle=rng.uniform(0, np.pi))
        villages.append((names.place("村"), cells[cell], shapely.Polygon(ring[::8]).buffer(0)))
    return Outside(villages)


def _exits(pieces: Pieces, terrain: Terrain, frame: Frame) -> list[_Exit]:
    """Return the ends of roads at the border of the county's frame, the greatest roads first."""
    nodes, ends = ends_of(pieces.lines)
    degree = np.bincount(ends.ravel(), minlength=len(nodes))
    border: Floats = np.asarray(shapely.distance(shapely.points(nodes), terrain.bounds.exterior))
    found: list[tuple[int, tuple[float, ...], Tags]] = []
    for line, owner, (a, b) in zip(pieces.lines, pieces.owner, np.asarray(ends).tolist(), strict=True):
        road = pieces.roads[owner]
        for node, at in ((a, line.coords[0]), (b, line.coords[-1])):
            if degree[node] <= 2 and border[node] < 1.5 * terrain.frame.cell and road.highway in _CLASSES:
                tags = {"highway": road.highway}
                if road.ref:
                    tags |= {"ref": road.ref, "name": road.name}
                found.append((_CLASSES.index(road.highway), at, tags))
    exits: dict[int, _Exit] = {}
    for grade, at, tags in sorted(found, key=lambda f: (f[0], f[1])):
        cell = int(frame.cells(np.array(at)[None])[0])
        # Two roads that end in one cell would meet on the very border: the lesser one stays a dead end.
        exits.setdefault(cell, _Exit(np.array(at), cell, 100 * grade + len(exits), tags))
    return list(exits.values())


def _sites(
    beyond: Beyond, terrain: Terrain, frame: Frame, ground: Floats, scale: float, rng: np.random.Generator
) -> list[int]:
    """Choose dry low spots for villages, well apart from each other and from the county's frame."""
    away = beyond.frame.sample(beyond.away, np.column_stack([g.ravel() for g in frame.centres()]))
    options = np.flatnonzero(np.isfinite(ground.ravel()) & (away > 0.05 * scale) & ~_rim(frame))
    options = rng.permutation(options)[:1500]
    points = frame.points(options)
    low = beyond.frame.sample(beyond.relief, points) / float(beyond.relief.std())
    order = np.argsort(low + rng.gumbel(0, 0.5, len(low)))
    chosen: list[int] = []
    for k in order.tolist():
        if all(np.hypot(*(points[k] - points[c])) > 0.17 * scale for c in chosen):
            chosen.append(k)
        if len(chosen) == 28:
            break
    return [int(k) for k in options[chosen]]


def _pave(extract: Extract, chains: list[Chain], exits: list[_Exit], frame: Frame, terrain: Terrain) -> None:
    """Write the roads that hang together with the county's; a chain that touched the river is left out."""
    gate = {tuple(frame.points(np.array([e.cell]))[0].tolist()): tuple(e.at.tolist()) for e in exits}
    tags_of = {e.rank: e.tags for e in exits}
    shapely.prepare(terrain.flood)
    lines: list[tuple[shapely.LineString, Tags]] = []
    for chain in chains:
        points = chain.points.copy()
        for end in (0, -1):
            at = gate.get(tuple(points[end].tolist()))
            if at is not None:
                points[end] = at
        fine = spline(points, 0.4 * frame.cell) if len(points) > 2 else points
        line = shapely.LineString(fine).simplify(0.03 * frame.cell)
        line = shapely.LineString(np.vstack([points[:1], np.array(line.coords)[1:-1], points[-1:]]))
        if not terrain.flood.intersects(line):
            tags = tags_of.get(chain.rank)
            lines.append((line, tags or {"highway": "unclassified"}))
    at_end: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for k, (line, _) in enumerate(lines):
        for tip in (line.coords[0], line.coords[-1]):
            at_end[tip].append(k)
    reached: set[int] = set()
    todo = [k for at in gate.values() for k in at_end.get(at, [])]
    while todo:
        k = todo.pop()
        if k not in reached:
            reached.add(k)
            line = lines[k][0]
            todo += [o for tip in (line.coords[0], line.coords[-1]) for o in at_end[tip]]
    for k in sorted(reached):
        line, tags = lines[k]
        extract.line(line.coords, tags)


def nearer_is_finer(field: Floats, detail: Floats, beyond: Beyond, scale: float) -> Floats:
    """Return a raster over ``beyond.frame``, smoothed; ``detail`` is added within the county's frame only."""
    share = np.clip(beyond.away / (0.08 * scale), 0, 1)
    near = gaussian_filter(field, 0.8) + detail
    return np.asarray((1 - share) * near + share * gaussian_filter(field, 2.6))


def within(beyond: Beyond) -> Flags:
    """Return the raster cells of ``beyond.frame`` that lie within the county's frame."""
    return np.asarray(beyond.away == 0, dtype=np.bool_)
