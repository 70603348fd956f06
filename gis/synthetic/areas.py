"""The four tiers as records: codes, names, parents, polygons, police beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment

from gis.synthetic.blocks import Faces, group
from gis.synthetic.names import Names
from gis.synthetic.plane import Floats
from gis.synthetic.settlements import Settlements, Town, deal
from gis.synthetic.spec import DistrictSpec, TownshipSpec


@dataclass(slots=True)
class Grid:
    """A base grid (tier 4). ``urban`` grids lie in a town; ``hamlet`` is the rural one's index or -1."""

    code: str
    name: str
    unit: int
    shape: shapely.Polygon
    households: int
    urban: bool
    hamlet: int
    chief: str = ""
    workers: tuple[str, ...] = ()
    beat: str = ""


@dataclass(slots=True)
class Unit:
    """A village or community (tier 3)."""

    code: str
    name: str
    township: int
    urban: bool
    grids: list[int]
    chief: str = ""

    @property
    def short(self) -> str:
        """The name without 社区 or 村."""
        return self.name.removesuffix("社区").removesuffix("村")


@dataclass(slots=True)
class Beat:
    """A police beat: some neighbouring units of one station."""

    code: str
    name: str
    station: str
    units: list[int]


@dataclass(frozen=True, slots=True)
class Division:
    """All areas of the district; ``township_codes`` are in the order of the description."""

    township_codes: list[str]
    units: list[Unit]
    grids: list[Grid]
    beats: list[Beat]


@dataclass(frozen=True, slots=True)
class TownPlan:
    """Which unit (by township and seat index) and which running grid number each face of a town has."""

    unit_of_grid: list[tuple[int, int]]
    grid_of_face: list[int]


def plan_town(
    spec: DistrictSpec, town: Town, faces: Faces, bridge: Floats, rng: np.random.Generator
) -> TownPlan:
    """Group a town's faces into the grids of its communities, tier by tier."""
    everything = list(range(len(faces.shapes)))
    weights = [spec.townships[i].seat_grids for i in town.townships]
    parts = group(faces, everything, len(weights), rng) if len(weights) > 1 else [everything]
    parts = _match_sizes(parts, weights)
    unit_of_grid: list[tuple[int, int]] = []
    grid_of_face = [0] * len(faces.shapes)
    for i, members in zip(town.townships, parts, strict=True):
        township = spec.townships[i]
        quarters = group(faces, members, len(township.seats), rng) if len(township.seats) > 1 else [members]
        counts = _match_counts(faces, quarters, deal(township.seat_grids, len(quarters), rng))
        seat_of = _hints(faces, quarters, township, bridge)
        for quarter, count, seat in zip(quarters, counts, seat_of, strict=True):
            for blocks in group(faces, quarter, count, rng) if count > 1 else [quarter]:
                for face in blocks:
                    grid_of_face[face] = len(unit_of_grid)
                unit_of_grid.append((i, seat))
    return TownPlan(unit_of_grid, grid_of_face)


def _match_sizes(parts: list[list[int]], weights: list[int]) -> list[list[int]]:
    """Order parts so that the township with the most grids gets the part with the most blocks."""
    ranked = sorted(parts, key=len, reverse=True)
    order = np.argsort([-w for w in weights], kind="stable")
    result: list[list[int]] = [[] for _ in weights]
    for part, place in zip(ranked, order, strict=True):
        result[int(place)] = part
    return result


def _match_counts(faces: Faces, quarters: list[list[int]], counts: list[int]) -> list[int]:
    blocks = sum(len(q) for q in quarters)
    if blocks < sum(counts):
        raise ValueError(f"{blocks} blocks cannot make {sum(counts)} grids")
    area = [sum(faces.shapes[k].area for k in q) for q in quarters]
    result = [0] * len(quarters)
    for place, count in zip(np.argsort(area), sorted(counts), strict=True):
        result[int(place)] = count
    for k, quarter in enumerate(quarters):
        while result[k] > len(quarter):
            roomy = max(range(len(quarters)), key=lambda j: len(quarters[j]) - result[j])
            result[k] -= 1
            result[roomy] += 1
    return result


def _hints(faces: Faces, quarters: list[list[int]], township: TownshipSpec, bridge: Floats) -> list[int]:
    """Give names that speak of a direction, the bridge or the bank to the quarters they fit."""
    at = np.array([np.mean([faces.shapes[k].centroid.coords[0] for k in q], axis=0) for q in quarters])
    span = np.ptp(at, axis=0).max() + 1.0
    rel = (at - at.mean(axis=0)) / span
    cost = np.full((len(quarters), len(township.seats)), 0.5)
    for seat, name in enumerate(township.seats):
        for mark, axis, sign in (("东", 0, -1), ("西", 0, 1), ("南", 1, 1), ("北", 1, -1)):
            if mark in name:
                cost[:, seat] = sign * rel[:, axis] * 2
        if "桥" in name:
            cost[:, seat] = np.hypot(*(at - bridge).T) / span * 2
        elif any(mark in name for mark in "河滨渡江"):
            cost[:, seat] = np.hypot(*(at - bridge).T) / span
    seats = linear_sum_assignment(cost)[1]
    return [int(s) for s in seats]


def divide(
    spec: DistrictSpec,
    settled: Settlements,
    rural: list[shapely.Polygon],
    urban: list[shapely.Polygon],
    plans: list[TownPlan],
    names: Names,
    rng: np.random.Generator,
) -> Division:
    """Number and name all areas."""
    county = spec.code[:6]
    township_codes, counters = [], {"street": 0, "town": 99, "township": 199, "zone": 399}
    for township in spec.townships:
        counters[township.kind] += 1
        township_codes.append(f"{county}{counters[township.kind]:03d}000")
    units: list[Unit] = []
    seat_unit: dict[tuple[int, int], int] = {}
    for i, township in enumerate(spec.townships):
        for seat, name in enumerate(township.seats):
            seat_unit[(i, seat)] = len(units)
            base = 1 if name.endswith("社区") else 200
            units.append(Unit(f"{township_codes[i][:9]}{base + seat:03d}", name, i, True, []))
    village_unit: dict[int, int] = {}
    count: dict[int, int] = {}
    for v, village in enumerate(settled.villages):
        count[village.township] = count.get(village.township, 0) + 1
        village_unit[v] = len(units)
        code = f"{township_codes[village.township][:9]}{209 + count[village.township]:03d}"
        units.append(Unit(code, village.name, village.township, False, []))
    loose: list[tuple[int, shapely.Polygon, bool, int]] = []
    keys = [key for plan in plans for key in plan.unit_of_grid]
    loose += [(seat_unit[key], shape, True, -1) for key, shape in zip(keys, urban, strict=True)]
    loose += [
        (village_unit[h.village], shape, False, k)
        for k, (h, shape) in enumerate(zip(settled.hamlets, rural, strict=True))
    ]
    grids: list[Grid] = []
    for index, unit in enumerate(units):
        mine = [item for item in loose if item[0] == index]
        middle = np.array([item[1].centroid.coords[0] for item in mine])
        wide = np.ptp(middle[:, 0]) / 3 + 1.0 if len(mine) else 1.0
        # Numbered from west to east and, side by side, from north to south.
        for k in sorted(range(len(mine)), key=lambda k: (middle[k, 0] // wide, -middle[k, 1])):
            _, shape, is_urban, hamlet = mine[k]
            number = len(unit.grids) + 1
            households = int(rng.integers(290, 520)) if is_urban else int(rng.integers(70, 310))
            unit.grids.append(len(grids))
            name = f"{unit.name} {number:02d} 格"
            grids.append(Grid(f"{unit.code}{number:03d}", name, index, shape, households, is_urban, hamlet))
    return Division(township_codes, units, grids, _beats(spec, township_codes, units, grids))


def _beats(spec: DistrictSpec, codes: list[str], units: list[Unit], grids: list[Grid]) -> list[Beat]:
    beats = []
    for i, township in enumerate(spec.townships):
        mine = [u for u, unit in enumerate(units) if unit.township == i]
        at = {u: np.mean([grids[g].shape.centroid.coords[0] for g in units[u].grids], axis=0) for u in mine}
        base = township_base(township)
        count = max(1, round(len(mine) / 2.7))
        middle = np.mean(list(at.values()), axis=0)
        mine.sort(key=lambda u: float(np.arctan2(*(at[u] - middle)[::-1])))
        for k in range(count):
            part = mine[len(mine) * k // count : len(mine) * (k + 1) // count]
            beat = Beat(f"{codes[i][:9]}J{k + 1:02d}", f"{base}警格 {k + 1}", f"{base}派出所", part)
            beats.append(beat)
            for u in part:
                for g in units[u].grids:
                    grids[g].beat = beat.code
    return beats


def township_base(township: TownshipSpec) -> str:
    """Return a township's name without its kind: 汀口 of 汀口镇."""
    for suffix in ("经开区", "街道", "镇", "乡"):
        if township.name.endswith(suffix):
            return township.name.removesuffix(suffix)
    return township.name
