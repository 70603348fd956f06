"""Town streets: two families of lines that follow the river and the through road, as grown towns do.

A cross field gives every point two directions; streets are traced along it at a chosen spacing, main streets
first, then the side streets between them. Dead ends and odd junctions come out by themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np
import shapely
from scipy.spatial import cKDTree

from gis.synthetic.plane import Floats, Frame, blob, noise, resample, smooth
from gis.synthetic.settlements import Town
from gis.synthetic.terrain import Terrain

STEP_M = 18.0


@dataclass(frozen=True, slots=True)
class Street:
    """One traced street in metres; ``level`` 0 is a bank road, 1 a main street, 2 a side street."""

    level: int
    points: Floats


class _Field:
    """The cross field of a town on a small raster, and where streets may run."""

    def __init__(self, town: Town, terrain: Terrain, guides: list[Floats], rng: np.random.Generator) -> None:
        x0, y0, x1, y1 = town.hull.bounds
        cell = 24.0
        frame = Frame(x0, y0, cell, int((y1 - y0) / cell) + 2, int((x1 - x0) / cell) + 2)
        gx, gy = frame.centres()
        at = np.column_stack([gx.ravel(), gy.ravel()])
        fourfold = 0.12 * np.exp(4j * town.angle) * np.ones(len(at))
        lines = [(np.array(terrain.river.coords), 1.0, 0.75), *((g, 0.8, 0.4) for g in guides)]
        for line, weight, reach in lines:
            if len(line) < 3:
                continue
            soft = smooth(resample(line, 30), 30)
            tangent = np.gradient(soft, axis=0)
            distance, index = cKDTree(soft).query(at)
            angle = np.arctan2(tangent[index, 1], tangent[index, 0])
            fourfold = fourfold + weight * np.exp(-distance / (reach * town.radius_m)) * np.exp(4j * angle)
        turn = 0.16 * noise(rng, frame, 1.1 * town.radius_m) + 0.05 * noise(rng, frame, 0.3 * town.radius_m)
        angle = np.angle(fourfold).reshape(frame.shape) / 4 + turn
        water = shapely.union_all([terrain.river_area.buffer(26), *[w.buffer(15) for w in terrain.lakes]])
        open_land = town.hull.difference(water)
        shapely.prepare(open_land)
        self.frame = frame
        self._angle = angle.tolist()
        self._open = shapely.contains_xy(open_land, gx, gy).tolist()

    def angle(self, x: float, y: float) -> float | None:
        """Return one of the four directions at a point, or None where no street may run."""
        f = self.frame
        col, row = round((x - f.x0) / f.cell), round((y - f.y0) / f.cell)
        if not (0 <= row < f.rows and 0 <= col < f.cols) or not self._open[row][col]:
            return None
        return float(self._angle[row][col])


class _Occupancy:
    """Finds whether a parallel street already runs close to a point."""

    def __init__(self, cell: float) -> None:
        self._cell = cell
        self._bins: dict[tuple[int, int], list[tuple[float, float, float, float]]] = {}

    def add(self, points: Floats) -> None:
        steps = np.gradient(points, axis=0)
        steps /= np.hypot(*steps.T)[:, None] + 1e-9
        for (x, y), (dx, dy) in zip(points.tolist(), steps.tolist(), strict=True):
            self._bins.setdefault((int(x // self._cell), int(y // self._cell)), []).append((x, y, dx, dy))

    def near(self, x: float, y: float, dx: float, dy: float, reach: float) -> bool:
        i, j = int(x // self._cell), int(y // self._cell)
        for a in (i - 1, i, i + 1):
            for b in (j - 1, j, j + 1):
                for px, py, ex, ey in self._bins.get((a, b), ()):
                    if abs(dx * ex + dy * ey) > 0.75 and hypot(px - x, py - y) < reach:
                        return True
        return False


def lay(
    town: Town, terrain: Terrain, majors: list[Floats], rng: np.random.Generator, *, dense: bool
) -> list[Street]:
    """Lay the streets of a town.

    Args:
        town: The built-up area.
        terrain: Its ground.
        majors: The country roads that pass through, (n, 2) metres each, already clipped to the town.
        rng: Source of chance.
        dense: Closer side streets, for a city of many grids.

    Returns:
        Streets in the order they were laid; they cross each other freely and are not yet noded.
    """
    field = _Field(town, terrain, majors, rng)
    banks = [Street(0, line) for line in _banks(town, terrain, majors)]
    fixed = [*majors, *(s.points for s in banks)]
    city = town.grids >= 15
    main_gap = 420.0 if city else 300.0
    side_gap = (118.0 if dense else 112.0) if city else 105.0
    main = _trace(field, town, fixed, main_gap, rng, longest=1.0)
    side = _trace(field, town, [*fixed, *main], side_gap, rng, longest=0.55)
    return [*banks, *(Street(1, p) for p in main), *(Street(2, p) for p in side)]


def village(
    centre: Floats,
    radius_m: float,
    angle: float,
    terrain: Terrain,
    roads: list[Floats],
    rng: np.random.Generator,
) -> list[Floats]:
    """Lay the lanes of a village: a small, crooked net around the road it grew on."""
    hull = shapely.Polygon(blob(rng, centre, radius_m, stretch=1.5, angle=angle)).buffer(0)
    town = Town("", centre, radius_m, angle, hull, (), 1)
    field = _Field(town, terrain, roads, rng)
    return _trace(field, town, roads, 58.0, rng, longest=0.6)


def _banks(town: Town, terrain: Terrain, majors: list[Floats]) -> list[Floats]:
    """Return the roads along both banks inside the town, without stretches beside a through road."""
    line = shapely.get_exterior_ring(shapely.simplify(terrain.river_area.buffer(34), 2)).intersection(
        town.hull.buffer(20)
    )
    beside = (
        shapely.union_all([shapely.LineString(m) for m in majors]).buffer(30) if majors else shapely.Point()
    )
    banks = []
    merged = shapely.line_merge(line) if isinstance(line, shapely.MultiLineString) else line
    for part in shapely.get_parts(merged).tolist():
        shared = [g for g in shapely.get_parts(part.intersection(beside)).tolist() if g.length > 110]
        for piece in shapely.get_parts(
            part.difference(shapely.union_all(shared).buffer(1) if shared else shapely.Point())
        ).tolist():
            if piece.length > 0.35 * town.radius_m:
                banks.append(smooth(resample(np.array(piece.coords), 30), 4))
    return banks


def _trace(
    field: _Field,
    town: Town,
    fixed: Iterable[Floats],
    gap: float,
    rng: np.random.Generator,
    *,
    longest: float,
) -> list[Floats]:
    taken = _Occupancy(gap * 1.45)
    seeds: deque[tuple[float, float, float]] = deque()

    def offer(points: Floats) -> None:
        taken.add(points)
        every = max(1, int(gap / STEP_M))
        for k in range(int(rng.integers(0, every)), len(points) - 1, every):
            (x, y), (ex, ey) = points[k], points[k + 1]
            angle = float(np.arctan2(ey - y, ex - x))
            off = gap * rng.uniform(0.85, 1.35)
            for sign in (1, -1):
                seeds.append((x - sign * off * sin(angle), y + sign * off * cos(angle), angle))
            seeds.append((x, y, angle + np.pi / 2))

    for line in fixed:
        offer(resample(line, STEP_M))
    seeds.appendleft((float(town.centre[0]), float(town.centre[1]), town.angle))
    lines = []
    while seeds:
        x, y, angle = seeds.popleft()
        here = field.angle(x, y)
        if here is None:
            continue
        heading = _closest(here, angle)
        if taken.near(x, y, cos(heading), sin(heading), gap * 0.8):
            continue
        reach = town.radius_m * 2.4 * (longest if rng.random() < 0.75 else longest * 0.5)
        ahead = _walk(field, taken, x, y, heading, gap * rng.uniform(0.5, 0.68), reach)
        behind = _walk(field, taken, x, y, heading + np.pi, gap * rng.uniform(0.5, 0.68), reach)
        line = np.array([*behind[::-1], (x, y), *ahead])
        if len(line) * STEP_M > gap * 0.9:
            line = smooth(line, 2)
            lines.append(line)
            offer(line)
    return lines


def _closest(angle: float, wanted: float) -> float:
    """Return the one of four crossing directions nearest to a wanted heading."""
    return angle + round((wanted - angle) / (np.pi / 2)) * np.pi / 2


def _walk(
    field: _Field, taken: _Occupancy, x: float, y: float, heading: float, clear: float, reach: float
) -> list[tuple[float, float]]:
    points = []
    for _ in range(int(reach / STEP_M)):
        x, y = x + STEP_M * cos(heading), y + STEP_M * sin(heading)
        here = field.angle(x, y)
        if here is None:
            points.append((x, y))
            break
        wanted = _closest(here, heading)
        heading += max(-0.2, min(0.2, wanted - heading))
        if taken.near(x, y, cos(heading), sin(heading), clear):
            points.append((x, y))
            break
        points.append((x, y))
    return points
