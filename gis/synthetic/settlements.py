"""Where people live: the towns, the villages and their hamlets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment

from gis.synthetic.names import Names
from gis.synthetic.plane import Floats, Ints, blob, noise
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.terrain import Terrain


@dataclass(frozen=True, slots=True)
class Town:
    """A built-up area with streets; ``hull`` is its outline in metres, ``angle`` its long side (radians)."""

    key: str
    centre: Floats
    radius_m: float
    angle: float
    hull: shapely.Polygon
    townships: tuple[int, ...]
    grids: int


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A cluster of houses, the heart of one rural grid."""

    village: int
    at: Floats
    cell: int


@dataclass(frozen=True, slots=True)
class Village:
    """A village of the countryside with its hamlets; the first hamlet is its centre."""

    name: str
    township: int
    at: Floats
    cell: int
    grids: int


@dataclass(frozen=True, slots=True)
class Settlements:
    """Everything inhabited; ``regions`` is a raster of village indices (-1 outside the county)."""

    towns: list[Town]
    villages: list[Village]
    hamlets: list[Hamlet]
    regions: Ints


def settle(spec: DistrictSpec, terrain: Terrain, names: Names, rng: np.random.Generator) -> Settlements:
    """Place towns, villages and hamlets on the ground."""
    towns = _towns(spec, terrain, rng)
    villages = _villages(spec, terrain, towns, names, rng)
    ground = border_cost(terrain, rng)
    found = terrain.lattice.spread(ground, [v.cell for v in villages], zones=terrain.sides)
    owner = np.full(found.source.size + 1, -1, dtype=np.int64)
    owner[[v.cell for v in villages]] = np.arange(len(villages))
    regions = owner[np.where(found.source < 0, -1, found.source)].reshape(terrain.frame.shape)
    hamlets = _hamlets(terrain, towns, villages, regions, rng)
    return Settlements(towns, villages, hamlets, regions)


def border_cost(terrain: Terrain, rng: np.random.Generator) -> Floats:
    """Return what spreading costs per metre: ridges and streams are dear, so two villages meet there."""
    high = np.clip(terrain.elevation / terrain.elevation.std(), 0, 4)
    near_stream = np.exp(-terrain.stream_distance / (1.5 * terrain.frame.cell))
    rough = np.exp(0.35 * noise(rng, terrain.frame, terrain.frame.cell * 9))
    return np.asarray((1 + 0.9 * high**2 + 3.0 * near_stream) * rough)


def _towns(spec: DistrictSpec, terrain: Terrain, rng: np.random.Generator) -> list[Town]:
    keys = list(dict.fromkeys(t.town for t in spec.townships))
    frame, scale = terrain.frame, min(spec.width_km, spec.height_km) * 1000
    inside = terrain.county.buffer(-0.06 * scale)
    shapely.prepare(inside)
    gx, gy = frame.centres()
    cells = np.column_stack([gx.ravel(), gy.ravel()])[:: max(1, gx.size // 4000)]
    water = shapely.union_all([terrain.river_area, *terrain.lakes])
    towns: list[Town] = []
    for key in keys:
        members = tuple(i for i, t in enumerate(spec.townships) if t.town == key)
        grids = sum(spec.townships[i].seat_grids for i in members)
        radius = (grids * spec.seat_grid_km2 * 1e6 / np.pi) ** 0.5
        if not towns:
            at, ahead = terrain.river_at(0.5 + rng.uniform(-0.03, 0.03))
            aside = np.array([-ahead[1], ahead[0]])
            if np.dot(aside, -at) < 0 or abs(np.dot(aside, at)) < 0.04 * scale:
                aside = aside if aside[0] > 0 else -aside
            centre, angle, stretch = at + aside * radius * 0.5, float(np.arctan2(ahead[1], ahead[0])), 1.18
        else:
            ok = cells[shapely.contains_xy(inside, cells[:, 0], cells[:, 1])]
            dots = shapely.points(ok)
            apart = np.min([np.hypot(*(ok - t.centre).T) - t.radius_m for t in towns], axis=0)
            rim = shapely.distance(dots, terrain.county.exterior)
            low = np.clip(frame.sample(terrain.elevation, ok), 0, None)
            score = np.minimum(np.minimum(apart, 2.2 * rim), 0.36 * scale) - 9 * low * scale / 10_000
            score[shapely.distance(dots, water) < radius * 1.25] = -np.inf
            score += rng.uniform(0, 0.07 * scale, len(score))
            centre, angle, stretch = ok[int(np.argmax(score))], rng.uniform(0, np.pi), 1.3
        ring = blob(rng, centre, radius, stretch=stretch, angle=angle)
        hull = shapely.Polygon(ring).buffer(0)
        towns.append(Town(key, centre, radius, angle, hull, members, grids))
    return towns


def _villages(
    spec: DistrictSpec, terrain: Terrain, towns: list[Town], names: Names, rng: np.random.Generator
) -> list[Village]:
    frame, scale = terrain.frame, min(spec.width_km, spec.height_km) * 1000
    wanted = sum(t.villages for t in spec.townships)
    gx, gy = frame.centres()
    inner = terrain.county.buffer(-0.045 * scale)
    shapely.prepare(inner)
    dry = shapely.contains_xy(inner, gx, gy) & (terrain.wet == 0)
    for town in towns:
        dry &= ~shapely.contains_xy(town.hull.buffer(0.035 * scale), gx, gy)
    for lake in terrain.lakes:
        dry &= ~shapely.contains_xy(lake.buffer(120), gx, gy)
    appeal = -0.9 * terrain.elevation / terrain.elevation.std() - 25 * terrain.slope
    appeal += 0.8 * np.exp(-terrain.stream_distance / (0.04 * scale)) + 0.5 * noise(rng, frame, 0.08 * scale)
    candidates = np.flatnonzero(dry.ravel())
    candidates = rng.permutation(candidates)[: 60 * wanted]
    score = appeal.ravel()[candidates] + rng.gumbel(0, 0.55, len(candidates))
    order = candidates[np.argsort(-score)]
    points = frame.points(order)
    gap = 0.95 * (terrain.county.area / (wanted + 2)) ** 0.5
    chosen: list[int] = []
    while len(chosen) < wanted:
        chosen, open_spots = [], np.ones(len(points), dtype=bool)
        while open_spots.any() and len(chosen) < wanted:
            k = int(np.argmax(open_spots))
            chosen.append(k)
            open_spots &= np.hypot(*(points - points[k]).T) > gap
        gap *= 0.93
    at = points[chosen]
    slots = [i for i, t in enumerate(spec.townships) for _ in range(t.villages)]
    seat = {i: town.centre for town in towns for i in town.townships}
    cost = np.array([[np.hypot(*(p - seat[i])) ** 1.5 for i in slots] for p in at])
    township = [slots[j] for j in linear_sum_assignment(cost)[1]]
    given = {i: list(t.village_names) for i, t in enumerate(spec.townships)}
    villages = []
    counts = {i: deal(t.village_grids, t.villages, rng) for i, t in enumerate(spec.townships) if t.villages}
    # Numbering runs west to east and north to south, as the division codes of a township do.
    for k in sorted(range(wanted), key=lambda k: (township[k], round(at[k][0] / (0.25 * scale)), -at[k][1])):
        i = township[k]
        name = given[i].pop(0) if given[i] else names.place("村")
        villages.append(Village(name, i, at[k], int(order[chosen[k]]), counts[i].pop()))
    return villages


def deal(total: int, parts: int, rng: np.random.Generator) -> list[int]:
    """Split a total into parts of about equal size, none empty."""
    sizes = [total // parts + (k < total % parts) for k in range(parts)]
    for _ in range(parts):
        a, b = rng.integers(0, parts, 2)
        if sizes[a] > max(1, total // parts - 1) and sizes[b] <= total // parts + 1:
            sizes[a] -= 1
            sizes[b] += 1
    return sizes


def _hamlets(
    terrain: Terrain, towns: list[Town], villages: list[Village], regions: Ints, rng: np.random.Generator
) -> list[Hamlet]:
    """Spread each village's hamlets over its land: a few rounds of k-means on habitable cells."""
    frame = terrain.frame
    gx, gy = frame.centres()
    shapely.prepare(terrain.county)
    land = shapely.contains_xy(terrain.county, gx, gy)
    edge = np.asarray(distance_transform_edt(land)) * frame.cell
    free = (edge > 2.5 * frame.cell) & (terrain.wet == 0)
    for town in towns:
        free &= ~shapely.contains_xy(town.hull.buffer(2 * frame.cell), gx, gy)
    for lake in terrain.lakes:
        free &= ~shapely.contains_xy(lake.buffer(60), gx, gy)
    hamlets = []
    weight_all = (np.exp(-0.8 * np.clip(terrain.elevation / terrain.elevation.std(), -1, 4)) + 0.12).ravel()
    label, open_cells = regions.ravel(), free.ravel()
    for index, village in enumerate(villages):
        cells = np.flatnonzero((label == index) & open_cells)
        points, weight = frame.points(cells), weight_all[cells]
        centres = [village.at]
        nearest = np.full(len(cells), np.inf)
        for _ in range(village.grids - 1):
            nearest = np.minimum(nearest, np.hypot(*(points - centres[-1]).T))
            pull = nearest**2 * weight * rng.uniform(0.5, 1, len(cells))
            centres.append(points[int(np.argmax(pull))])
        heart = np.array(centres)
        for _ in range(4):
            mine = np.argmin(np.hypot(*(points[:, None] - heart[None]).transpose(2, 0, 1)), axis=1)
            for k in range(1, len(heart)):
                if (mine == k).any():
                    heart[k] = np.average(points[mine == k], axis=0, weights=weight[mine == k])
        taken = village.at[None]
        for k in range(len(heart)):
            # Hamlets keep apart, or the land of one would be too narrow for a grid.
            gap = np.hypot(*(points[:, None] - taken[None]).transpose(2, 0, 1)).min(axis=1)
            crowd = np.clip(3.2 - gap / frame.cell, 0, None)
            rank = np.hypot(*(points - heart[k]).T) - 0.8 * frame.cell * weight + 1e6 * crowd
            cell = village.cell if k == 0 else int(cells[int(np.argmin(rank))])
            at = frame.points(np.array([cell]))[0]
            taken = np.vstack([taken, at])
            hamlets.append(Hamlet(index, at, cell))
    return hamlets
