"""Named places, junctions with addresses, and the scenes at which the simulator lets things happen."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis.synthetic.areas import Division, township_base
from gis.synthetic.blocks import Site
from gis.synthetic.names import Names
from gis.synthetic.network import Pieces
from gis.synthetic.plane import Floats
from gis.synthetic.settlements import Settlements
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.terrain import Terrain

_DOOR_M = 60.0
_DOOR_EVERY_M = 18.0


@dataclass(frozen=True, slots=True)
class Place:
    """A named point in metres; ``gate`` is the nearest point on a road, ``grid`` -1 outside the county."""

    name: str
    kind: str
    at: Floats
    gate: Floats
    address: str
    grid: int
    heading: float | None = None
    town: int = -1


class Gazetteer:
    """Finds the grid, the nearest road and the address of any point."""

    def __init__(self, spec: DistrictSpec, division: Division, pieces: Pieces) -> None:
        self._spec, self._division, self._pieces = spec, division, pieces
        self._grids = shapely.STRtree([g.shape for g in division.grids])
        self._lines = shapely.STRtree(pieces.lines)
        named = [k for k, o in enumerate(pieces.owner) if pieces.roads[o].name]
        self._named = named
        self._named_tree = shapely.STRtree([pieces.lines[k] for k in named])

    def grid(self, at: Floats) -> int:
        """Return the grid at a point in metres, or -1."""
        found = self._grids.query(shapely.Point(at), predicate="intersects")
        return int(min(found)) if len(found) else -1

    def gate(self, at: Floats) -> Floats:
        """Return the nearest point on any road."""
        line = self._pieces.lines[int(self._lines.nearest(shapely.Point(at)))]
        return np.array(line.interpolate(line.project(shapely.Point(at))).coords[0])

    def address(self, at: Floats, grid: int) -> str:
        """Return township, area and, where a named road is near, the road with a house number."""
        if grid < 0:
            return ""
        unit = self._division.units[self._division.grids[grid].unit]
        head = f"{self._spec.townships[unit.township].name}{unit.name}"
        point = shapely.Point(at)
        k = self._named[int(self._named_tree.nearest(point))]
        line = self._pieces.lines[k]
        if line.distance(point) > 250:
            return head
        road = self._pieces.roads[self._pieces.owner[k]]
        whole = shapely.LineString(road.points)
        number = 1 + 2 * int(whole.project(point) / _DOOR_EVERY_M)
        return f"{head}{road.name}{number}号"

    def door(self, at: Floats) -> dict[str, str]:
        """Return the address tags of a building: odd numbers left of its road, even ones right; none far off."""
        point = shapely.Point(at)
        k = self._named[int(self._named_tree.nearest(point))]
        line = self._pieces.lines[k]
        if line.distance(point) > _DOOR_M:
            return {}
        road = self._pieces.roads[self._pieces.owner[k]]
        if road.name[0].isascii():  # a county road with its number counts no houses
            return {}
        whole = shapely.LineString(road.points)
        along = whole.project(point)
        here, next_ = (np.array(whole.interpolate(along + step).coords[0]) for step in (-1.0, 1.0))
        (dx, dy), (px, py) = next_ - here, at - here
        number = 2 * int(along / _DOOR_EVERY_M) + (1 if dx * py - dy * px > 0 else 2)
        return {"addr:street": road.name, "addr:housenumber": f"{number}"}

    def place(self, name: str, kind: str, at: Floats, town: int = -1) -> Place:
        """Return a place with everything looked up."""
        grid = self.grid(at)
        return Place(name, kind, at, self.gate(at), self.address(at, grid), grid, None, town)


_SITE_NAMES = {
    "school": (
        "第一中学",
        "实验小学",
        "第二中学",
        "第二小学",
        "第三小学",
        "第三中学",
        "第四小学",
        "第五小学",
    ),
    "kindergarten": ("中心幼儿园", "第二幼儿园", "第三幼儿园", "第四幼儿园"),
    "hospital": ("人民医院", "中医院", "妇幼保健院"),
    "market": ("农贸市场", "小商品市场", "建材市场", "粮油市场"),
    "bus_station": ("汽车站", "公交总站"),
    "fire_station": ("消防救援站", "特勤消防站"),
    "park": ("公园", "滨水公园", "文化广场", "体育公园", "街心公园"),
}


def name_sites(
    spec: DistrictSpec,
    settled: Settlements,
    sites: list[tuple[int, Site]],
    book: Gazetteer,
    division: Division,
    names: Names,
) -> list[Place]:
    """Name the public sites of the towns; ``sites`` are pairs of town index and site."""
    used: dict[tuple[int, str], int] = defaultdict(int)
    left: dict[str, list[int]] = {}
    made = []
    for town, site in sites:
        members = settled.towns[town].townships
        number = used[(town, site.kind)]
        used[(town, site.kind)] += 1
        base = township_base(spec.townships[members[0]])
        head = spec.name[:-1] if town == 0 else base
        if site.kind in ("government", "police"):
            if number == 0:
                left[site.kind] = list(members)
            # An office stands on its own township's land where the town has a site there.
            at = np.array(site.main.representative_point().coords[0])
            grid = book.grid(at)
            here = division.units[division.grids[grid].unit].township if grid >= 0 else -1
            mine = left[site.kind].pop(left[site.kind].index(here) if here in left[site.kind] else 0)
            township = spec.townships[mine]
            base = township_base(township)
            tail = {
                "street": "街道办事处",
                "town": "镇人民政府",
                "township": "乡人民政府",
                "zone": "经开区管委会",
            }[township.kind]
            name = base + (tail if site.kind == "government" else "派出所")
        elif town and site.kind == "hospital":
            name = f"{base}卫生院"
        elif town and site.kind == "school":
            name = f"{base}{('中心小学', '中学', '第二小学')[number % 3]}"
        elif site.kind == "fire_station" and town == 0 and number == 0:
            name = "消防救援站"
        else:
            options = _SITE_NAMES[site.kind]
            name = head + options[number % len(options)]
        at = np.array(site.main.representative_point().coords[0])
        made.append(book.place(names.unique(name), site.kind, at, town))
    return made


def junctions(pieces: Pieces, book: Gazetteer, names: Names, wanted: int) -> list[Place]:
    """Return junctions of two differently named roads, those of the greater roads first."""
    weight = {"primary": 4, "secondary": 3, "tertiary": 2, "residential": 1}
    meet: dict[tuple[float, ...], list[tuple[int, float]]] = defaultdict(list)
    for line, owner in zip(pieces.lines, pieces.owner, strict=True):
        c = line.coords
        for end, ahead in ((c[0], c[1]), (c[-1], c[-2])):
            heading = float(np.degrees(np.arctan2(ahead[0] - end[0], ahead[1] - end[1]))) % 360
            meet[end].append((owner, heading))
    found = []
    for at, arms in meet.items():
        roads = {pieces.roads[o].name: pieces.roads[o] for o, _ in arms if pieces.roads[o].name}
        if len(arms) < 3 or len(roads) < 2:
            continue
        ranked = sorted(roads.values(), key=lambda r: (-weight.get(r.highway, 0), r.name))
        found.append(
            (
                -sum(weight.get(r.highway, 0) for r in ranked[:2]),
                at,
                ranked[0].name,
                ranked[1].name,
                arms[0][1],
            )
        )
    found.sort()
    made: list[Place] = []
    for _, at, first, second, heading in found:
        if len(made) == wanted:
            break
        place = book.place(names.unique(f"{first}{second}路口"), "junction", np.array(at))
        if place.grid >= 0:
            made.append(replace(place, heading=heading))
    return made


def landmarks(
    spec: DistrictSpec,
    terrain: Terrain,
    settled: Settlements,
    division: Division,
    bridges: list[tuple[str, Floats]],
    book: Gazetteer,
    names: Names,
    rng: np.random.Generator,
) -> list[Place]:
    """Name what lies outside the towns: villages, hamlets, bridges, water, hills."""
    made = [book.place(name, "bridge", at) for name, at in bridges]
    first: dict[int, int] = {}
    for k, hamlet in enumerate(settled.hamlets):
        centre = first.setdefault(hamlet.village, k) == k
        village = settled.villages[hamlet.village]
        if centre:
            made.append(book.place(village.name, "village", hamlet.at))
        else:
            made.append(book.place(names.place(), "hamlet", hamlet.at))
    for unit in division.units:
        if unit.urban and unit.name.endswith("社区"):
            shape = shapely.union_all([division.grids[g].shape for g in unit.grids])
            made.append(book.place(unit.name, "community", np.array(shape.representative_point().coords[0])))
    for k, lake in enumerate(terrain.lakes):
        at = np.array(lake.representative_point().coords[0])
        made.append(
            book.place(
                names.place("水库") if k == 0 else names.place("塘"), "reservoir" if k == 0 else "pond", at
            )
        )
    frame = terrain.frame
    high = np.argsort(-terrain.elevation.ravel())[: terrain.elevation.size // 3]
    peaks: list[Floats] = []
    least = 0.16 * min(spec.width_km, spec.height_km) * 1000
    inner = terrain.county.buffer(-0.3 * least)
    for cell in high[:: max(1, len(high) // 4000)]:
        at = frame.points(np.array([cell]))[0]
        if all(np.hypot(*(at - p)) > least for p in peaks) and inner.contains(shapely.Point(at)):
            peaks.append(at)
            if len(peaks) == 10:
                break
    made += [book.place(names.hill(), "hill", at) for at in peaks]
    for k in range(6):
        at, ahead = terrain.river_at(0.3 + 0.08 * k)
        aside = np.array([-ahead[1], ahead[0]]) * (spec.river_half_width_m + 20) * rng.choice([-1, 1])
        place = book.place(
            names.unique(f"{spec.river}{'上中下'[k // 2]}段{k + 1}号堤"), "river_bank", at + aside
        )
        if place.grid >= 0:
            made.append(place)
    return made
