"""The country roads: through roads, county roads, village roads, farm tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.synthetic.lattice import Chain, Lattice, Traces
from gis.synthetic.plane import Floats, Frame, Ints, noise, resample, spline
from gis.synthetic.settlements import Settlements
from gis.synthetic.terrain import Terrain

TRUNK, COUNTY, VILLAGE, LINK, LANE, TRACK = range(0, 600, 100)
"""Ranks of country roads, the most important first; COUNTY + n is the n-th county road."""


@dataclass(frozen=True, slots=True)
class Country:
    """The country roads before towns are added, and the railway; in metres."""

    chains: list[Chain]
    railway: shapely.LineString
    bridges: list[tuple[Floats, Floats]]


class _Planner:
    """Adds roads one after another; later ones like to follow earlier ones."""

    def __init__(self, terrain: Terrain, ground: Floats, bridges: list[tuple[int, int]]) -> None:
        self.lattice = Lattice(terrain.frame, bridges)
        self.traces = Traces(terrain.frame)
        self.ground = ground

    def cost(self) -> Floats:
        cost = self.ground.copy()
        used = self.traces.used()
        cost.ravel()[used] *= 0.3
        return cost

    def join(self, start: int, goals: list[int], rank: int, limit: float = np.inf) -> None:
        found = self.lattice.spread(self.cost(), [start], limit=limit)
        for goal in goals:
            self.traces.add(found.way(goal), rank)

    def attach(self, cells: list[int], rank: int, zones: Ints | None = None) -> None:
        found = self.lattice.spread(self.cost(), self.traces.used().tolist(), zones=zones)
        for cell in cells:
            self.traces.add(found.way(cell), rank)

    def braid(self, seeds: list[int], rank: int, share: float, rng: np.random.Generator) -> None:
        """Join a share of the neighbouring seeds directly, the nearer ones first."""
        if len(seeds) < 3:
            return
        cost = self.cost()
        found = self.lattice.spread(cost, seeds)
        meetings = self.lattice.neighbours(cost, found)
        for _, u, v in meetings[: int(0.8 * len(meetings))]:
            if rng.random() < share:
                self.traces.add([*found.way(u)[::-1], *found.way(v)], rank)


def plan(terrain: Terrain, settled: Settlements, rng: np.random.Generator, scale: float) -> Country:
    """Lay the roads between all settlements; the river is crossed at a few bridges only."""
    frame = terrain.frame
    rough = np.exp(sum(a * noise(rng, frame, frame.cell * k) for a, k in ((0.35, 5), (0.4, 11), (0.45, 26))))
    ground = (1 + 28 * terrain.slope + 1.2 * np.exp(-terrain.stream_distance / frame.cell)) * rough
    ground[terrain.wet > 0] = np.inf
    gx, gy = frame.centres()
    for lake in terrain.lakes:
        ground[shapely.contains_xy(lake.buffer(frame.cell * 0.8), gx, gy)] = np.inf
    bridges = _bridges(terrain, settled, ground)
    city_bridge = bridges[0]
    planner = _Planner(terrain, ground, bridges)

    city, seats = settled.towns[0], settled.towns[1:]
    centre = _free(frame, ground, city.centre)
    at, ahead = terrain.river_at(0.5)
    aside = np.array([-ahead[1], ahead[0]])
    aside = aside if np.dot(city.centre - at, aside) > 0 else -aside
    reach = 1.5 * np.hypot(frame.x0, frame.y0)
    far_out = [_edge(frame, ground, city.centre, d, reach, rng) for d in (aside, -aside, ahead, -ahead)]
    near, over = (
        city_bridge if _side(terrain, city_bridge[0]) == _side(terrain, centre) else city_bridge[::-1]
    )
    planner.join(centre, [far_out[0]], TRUNK)
    planner.join(centre, [near], TRUNK)
    planner.traces.add([near, over], TRUNK)
    planner.join(over, [far_out[1]], TRUNK)
    planner.join(centre, [far_out[2], far_out[3]], COUNTY)
    for k, town in enumerate(seats, start=1):
        planner.join(centre, [_free(frame, ground, town.centre)], COUNTY + k)
    planner.join(centre, [v.cell for v in settled.villages], VILLAGE)
    for u, v in bridges[1:]:
        # Each bank leads its own road to the bridge; joined first, an end would already count as reached.
        planner.attach([u, v], VILLAGE, terrain.sides)
        planner.traces.add([u, v], VILLAGE)
    seeds = [v.cell for v in settled.villages] + [_free(frame, ground, t.centre) for t in seats]
    planner.braid(seeds, LINK, 0.5, rng)
    planner.attach([h.cell for h in settled.hamlets], LANE)
    planner.braid([h.cell for h in settled.hamlets], LANE, 0.22, rng)
    planner.braid([h.cell for h in settled.hamlets], TRACK, 0.2, rng)
    _outer(planner, terrain, centre, rng)
    _tracks(planner, terrain, rng)
    rounds = 6
    warp = [0.33 * frame.cell * noise(rng, frame, frame.cell * 7) for _ in range(2)]
    chains = []
    for chain in planner.traces.chains(rounds):
        # A short chain is a bridge or lies by one; bending it could move it off its crossing.
        sway = (
            np.column_stack([frame.sample(w, chain.points) for w in warp]) if len(chain.points) > 2 else 0.0
        )
        taper = np.minimum(np.arange(len(chain.points)), np.arange(len(chain.points))[::-1])[:, None]
        bent = chain.points + sway * np.clip(taper / 4, 0, 1)
        fine = spline(bent, 0.4 * frame.cell) if len(bent) > 3 else bent
        chains.append(Chain(chain.rank, np.array(shapely.LineString(fine).simplify(1.2).coords)))
    ends = [(frame.points(np.array([u]))[0], frame.points(np.array([v]))[0]) for u, v in bridges]
    return Country(chains, _railway(terrain, settled, rng, scale), ends)


def _side(terrain: Terrain, cell: int) -> int:
    return int(terrain.sides.ravel()[cell])


def _free(frame: Frame, ground: Floats, at: Floats) -> int:
    """Return the enterable cell nearest to a point."""
    open_cells = np.flatnonzero(np.isfinite(ground.ravel()))
    return int(open_cells[np.argmin(np.hypot(*(frame.points(open_cells) - at).T))])


def _edge(
    frame: Frame, ground: Floats, start: Floats, way: Floats, reach: float, rng: np.random.Generator
) -> int:
    turn = rng.uniform(-0.3, 0.3)
    ahead = np.array(
        [way[0] * np.cos(turn) - way[1] * np.sin(turn), way[0] * np.sin(turn) + way[1] * np.cos(turn)]
    )
    far = start + ahead * reach
    box = np.array([-frame.x0, -frame.y0])
    share = min(
        abs((np.sign(d) * b - s) / d)
        for d, b, s in zip(far - start, box, start, strict=True)
        if abs(d) > 1e-6
    )
    return _free(frame, ground, start + (far - start) * min(1.0, share))


def _bridges(terrain: Terrain, settled: Settlements, ground: Floats) -> list[tuple[int, int]]:
    """Choose the crossings: two in the city, the others every few kilometres."""
    frame, city = terrain.frame, settled.towns[0]
    line = terrain.river
    inside = line.intersection(terrain.county)
    if not isinstance(inside, shapely.LineString):
        inside = max((g for g in shapely.get_parts(inside)), key=lambda g: g.length)
    start, stop = (line.project(shapely.Point(inside.coords[k])) for k in (0, -1))
    middle = line.project(shapely.Point(city.centre))
    spots = [middle, middle + 0.95 * city.radius_m]
    if city.grids > 40:
        spots.append(middle - 0.95 * city.radius_m)
    step = max(3600.0, abs(stop - start) / 9)
    at = middle + 1.2 * city.radius_m + step
    while at < max(start, stop) - 0.2 * step:
        spots.append(at)
        at += step
    at = middle - 1.2 * city.radius_m - step
    while at > min(start, stop) + 0.2 * step:
        spots.append(at)
        at -= step
    pairs = []
    for wanted in spots:
        spot = _straightest(line, wanted)
        p = np.array(line.interpolate(spot).coords[0])
        a, b = (np.array(line.interpolate(spot + d).coords[0]) for d in (-120, 120))
        normal = np.array([-(b - a)[1], (b - a)[0]]) / np.hypot(*(b - a))
        ends = []
        for sign in (1, -1):
            reach = frame.cell
            while True:
                cell = int(frame.cells((p + sign * normal * reach)[None])[0])
                if np.isfinite(ground.ravel()[cell]):
                    break
                reach += frame.cell * 0.4
            ends.append(cell)
        pairs.append((ends[0], ends[1]))
    return pairs


def _straightest(line: shapely.LineString, wanted: float) -> float:
    """Return the place near a wanted one where the river bends least: there a bridge is short and square."""

    def bend(at: float) -> float:
        a, b, c = (np.array(line.interpolate(at + d).coords[0]) for d in (-220, 0, 220))
        u, v = b - a, c - b
        return abs(float(np.arctan2(u[0] * v[1] - u[1] * v[0], np.dot(u, v)))) + abs(at - wanted) / 2500

    return min((wanted + d for d in range(-350, 351, 50)), key=bend)


def _outer(planner: _Planner, terrain: Terrain, centre: int, rng: np.random.Generator) -> None:
    """Lead some roads out of the picture on every side."""
    frame, goals = terrain.frame, []
    for k in range(9):
        t = (k + rng.uniform(0.1, 0.9)) / 9 * 2 * np.pi
        way = np.array([np.cos(t), np.sin(t)])
        goals.append(_edge(frame, planner.ground, np.zeros(2), way, 1.5 * np.hypot(frame.x0, frame.y0), rng))
    planner.join(centre, goals[::2], VILLAGE)
    planner.attach(goals[1::2], LINK)


def _tracks(planner: _Planner, terrain: Terrain, rng: np.random.Generator) -> None:
    """Send dead-end tracks up into the hills."""
    frame = terrain.frame
    high = np.flatnonzero(
        (terrain.elevation.ravel() > np.quantile(terrain.elevation, 0.72))
        & np.isfinite(planner.ground.ravel())
    )
    gx = frame.points(high)
    shapely.prepare(terrain.county)
    high = high[shapely.contains_xy(terrain.county, gx[:, 0], gx[:, 1])]
    goals: list[int] = []
    used = frame.points(planner.traces.used())
    for cell in rng.permutation(high)[:400]:
        p = frame.points(np.array([cell]))[0]
        gap = np.hypot(*(used - p).T).min()
        apart = all(np.hypot(*(p - frame.points(np.array([g]))[0])) > 9 * frame.cell for g in goals)
        if 3 * frame.cell < gap < 15 * frame.cell and apart:
            goals.append(int(cell))
    planner.attach(goals, TRACK)


def _railway(
    terrain: Terrain, settled: Settlements, rng: np.random.Generator, scale: float
) -> shapely.LineString:
    """Draw the railway: wide curves, past the edge of the city, across the whole picture."""
    city = settled.towns[0]
    _, ahead = terrain.river_at(0.5)
    aside = np.array([-ahead[1], ahead[0]])
    reach = 1.4 * np.hypot(terrain.frame.x0, terrain.frame.y0)
    pass_by = city.centre - ahead * city.radius_m * 1.55
    t = np.array([-1.0, -0.62, -0.3, -0.1, 0.1, 0.3, 0.62, 1.0])
    bend = np.array([-0.55, -0.22, -0.03, 0.0, 0.0, -0.02, -0.16, -0.45]) * reach * rng.uniform(0.25, 0.6)
    bend += np.array([1, 0.6, 0.2, 0, 0, 0.2, 0.6, 1]) * rng.normal(0, 0.04 * scale, 8)
    # The outermost points only carry the last curves on, beyond what is drawn.
    t = np.concatenate([[-2.1, -1.5], t, [1.5, 2.1]])
    bend = np.concatenate(
        [bend[0] + reach * np.array([-0.1, -0.12]), bend, bend[-1] + reach * np.array([0.1, 0.3])]
    )
    points = pass_by + t[:, None] * reach * aside + bend[:, None] * ahead
    line = shapely.LineString(resample(spline(points, 80), 110)).simplify(2).intersection(terrain.drawn)
    parts = [g for g in shapely.get_parts(line).tolist() if isinstance(g, shapely.LineString)]
    return max(parts, key=lambda g: g.length)
