"""The people on duty: grid workers and chiefs, police, emergency teams, mediators, volunteers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import shapely

from gis.synthetic.areas import Division, township_base
from gis.synthetic.names import Names
from gis.synthetic.plane import Floats
from gis.synthetic.spec import DistrictSpec


@dataclass(frozen=True, slots=True)
class Responder:
    """One person; ``home`` is a point on a road, in metres; ``profile`` how the person travels."""

    name: str
    kind: str
    phone: str
    grids: tuple[str, ...]
    beat: str
    department: str
    station: str
    skills: tuple[str, ...]
    employment: str
    profile: str
    home: Floats


class Homes:
    """Points on roads, by grid."""

    def __init__(self, division: Division, lines: list[shapely.LineString], rng: np.random.Generator) -> None:
        self._rng = rng
        self._lines = np.array(lines)
        self._length = shapely.length(self._lines)
        middle = shapely.line_interpolate_point(self._lines, 0.5, normalized=True)
        shapes = np.array([g.shape for g in division.grids])
        which, line = (
            shapely.STRtree(middle).query(shapes, predicate="contains").tolist() if len(lines) else ([], [])
        )
        self._of: list[list[int]] = [[] for _ in shapes]
        for grid, k in zip(which, line, strict=True):
            self._of[grid].append(k)
        tree = shapely.STRtree(self._lines)
        for grid, found in enumerate(self._of):
            if not found:
                found.append(int(tree.nearest(shapely.point_on_surface(shapes[grid]))))

    def lines(self, grid: int) -> list[shapely.LineString]:
        """Return the road lines of a grid."""
        return [self._lines[k] for k in self._of[grid]]

    def draw(self, grid: int) -> Floats:
        """Return a point on a road of a grid; longer roads are likelier."""
        options = self._of[grid]
        weight = self._length[options]
        k = options[int(self._rng.choice(len(options), p=weight / weight.sum()))]
        line = self._lines[k]
        share = float(self._rng.uniform(0.1, 0.9))
        return np.array(line.interpolate(share, normalized=True).coords[0])


_POLICE_SKILLS = ("处警", "交通疏导", "现场封控", "调解", "反诈宣传", "急救")
_WORKER_SKILLS = ("入户走访", "调解", "防汛巡查", "护林防火", "方言", "急救", "消防检查", "手语")
_RESCUE_SKILLS = ("抽排水", "破拆", "水上救援", "高空救援", "山林灭火", "急救", "围挡警戒", "发电照明")


def staff(
    spec: DistrictSpec,
    division: Division,
    homes: Homes,
    stations: dict[str, Floats],
    names: Names,
    rng: np.random.Generator,
) -> list[Responder]:
    """Fill the posts of a district.

    Args:
        spec: How many people of each kind there are.
        division: Its areas; chiefs and workers are written into units and grids.
        homes: Points on roads.
        stations: Points on roads beside police stations and the fire station, by name.
        names: Source of people's names.
        rng: Source of chance.

    Returns:
        All responders, grid chiefs first.
    """
    people: list[Responder] = []
    serial = count(int(rng.integers(0, 10**8)), 61_803_399)

    def phone() -> str:
        # 100… is no mobile number range, so that nobody real can be rung up.
        return f"100{next(serial) % 10**8:08d}"

    def skills(pool: tuple[str, ...], n: int) -> tuple[str, ...]:
        return tuple(pool[k] for k in sorted(rng.permutation(len(pool))[:n].tolist()))

    for unit in division.units:
        unit.chief = names.person()
        codes = tuple(division.grids[g].code for g in unit.grids)
        for g in unit.grids:
            division.grids[g].chief = unit.chief
        duty = "党总支书记" if unit.urban else "村支书"
        people.append(
            Responder(unit.chief, "grid_chief", phone(), codes, division.grids[unit.grids[0]].beat,
                      f"{unit.name}（{duty}）", "", ("组织协调", "调解"), "full_time", "motorcycle",
                      homes.draw(unit.grids[0]))
        )  # fmt: skip
    people += _workers(spec, division, homes, names, rng, phone, skills)
    for k in range(spec.police):
        beat = division.beats[k % len(division.beats)]
        name = names.person()
        grids = tuple(division.grids[g].code for u in beat.units for g in division.units[u].grids)
        post = stations.get(beat.station)
        at_home = post is None or rng.random() < 0.55
        spot = (
            homes.draw(int(rng.choice([g for u in beat.units for g in division.units[u].grids])))
            if at_home
            else post
        )
        assert spot is not None
        people.append(
            Responder(name, "police", phone(), grids, beat.code,
                      "县公安局" if "县" in spec.name else "区公安分局", beat.station,
                      skills(_POLICE_SKILLS, 3), "full_time", "car" if k % 4 else "motorcycle", spot)
        )  # fmt: skip
    seats = [next(u for u in division.units if u.township == i) for i in range(len(spec.townships))]
    for kind, wanted, department, pool, profile in (
        ("emergency_member", spec.emergency, "应急救援队", _RESCUE_SKILLS, "car"),
        (
            "mediator",
            spec.mediators,
            "人民调解委员会",
            ("婚姻家庭", "邻里", "土地", "劳动争议", "交通事故"),
            "motorcycle",
        ),
        ("volunteer", spec.volunteers, "志愿服务队", ("急救", "巡河", "护学", "宣传", "搬运"), "foot"),
        ("street_chief", spec.street_chiefs, "街长办", ("市容", "占道", "停车"), "foot"),
    ):
        for k in range(wanted):
            i = k % len(spec.townships)
            unit = (
                seats[i] if kind != "volunteer" else division.units[int(rng.integers(0, len(division.units)))]
            )
            fire = stations.get("消防救援站") if kind == "emergency_member" and i == 0 else None
            spot = fire if fire is not None else homes.draw(int(rng.choice(unit.grids)))
            base = township_base(spec.townships[unit.township])
            title = f"{base}应急分队" if kind == "emergency_member" else f"{base}{department}"
            employment = "full_time" if kind == "emergency_member" else "part_time"
            people.append(
                Responder(
                    names.person(),
                    kind,
                    phone(),
                    (),
                    "",
                    title,
                    "",
                    skills(pool, 2),
                    employment,
                    profile,
                    spot,
                )
            )
    return people


def _workers(
    spec: DistrictSpec,
    division: Division,
    homes: Homes,
    names: Names,
    rng: np.random.Generator,
    phone: Callable[[], str],
    skills: Callable[[tuple[str, ...], int], tuple[str, ...]],
) -> list[Responder]:
    """Give grids their workers: some keep two neighbouring grids, some grids stay vacant."""
    wanted, total = spec.workers, len(division.grids)
    people = []
    double = 0 if wanted >= total or total > 200 else max(1, round((total - wanted) * 0.35))
    covered: set[int] = set()
    order = rng.permutation(total).tolist()
    owners: list[list[int]] = []
    for g in order:
        if len(owners) == double:
            break
        mates = [h for h in division.units[division.grids[g].unit].grids if h != g and h not in covered]
        if g in covered or not mates or len(mates) < 2:
            continue
        mate = min(mates, key=lambda h: division.grids[g].shape.distance(division.grids[h].shape) + 1e-6 * h)
        owners.append([g, mate])
        covered |= {g, mate}
    # Towns are staffed first; what stays vacant lies in the villages, as it does in life.
    rest = [g for g in order if g not in covered]
    rest.sort(key=lambda g: rng.random() + (0.0 if division.grids[g].urban else 0.35))
    owners += [[g] for g in rest[: wanted - len(owners)]]
    while len(owners) < wanted:
        owners.append([int(rng.integers(0, total))])
    for k, mine in enumerate(sorted(owners)):
        name = names.person()
        for g in mine:
            division.grids[g].workers = (*division.grids[g].workers, name)
        grid = division.grids[mine[0]]
        unit = division.units[grid.unit]
        profile = "motorcycle" if not grid.urban or k % 3 else "foot"
        people.append(
            Responder(name, "grid_worker", phone(), tuple(division.grids[g].code for g in mine), grid.beat,
                      unit.name, "", skills(_WORKER_SKILLS, 2), "full_time" if k % 5 else "part_time",
                      profile, homes.draw(mine[0]))
        )  # fmt: skip
    return people
