"""The whole generator, step by step: ground, settlements, roads, blocks, areas, people, cameras, files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely

from gis.synthetic import (
    blocks,
    cameras,
    grids,
    lanes,
    network,
    people,
    places,
    routes,
    settlements,
    streets,
    terrain,
    ways,
)
from gis.synthetic.areas import Division, TownPlan, divide, plan_town
from gis.synthetic.beyond import extend, settle_and_pave
from gis.synthetic.landcover import paint
from gis.synthetic.names import Names
from gis.synthetic.osm import Extract
from gis.synthetic.places import Place
from gis.synthetic.plane import Floats, Projection
from gis.synthetic.spec import DistrictFiles, DistrictSpec
from gis.synthetic.write import write_files


@dataclass(frozen=True, slots=True)
class District:
    """A finished district in memory, in local metres; `write_files` puts it on disk."""

    spec: DistrictSpec
    seed: int
    terrain: terrain.Terrain
    settled: settlements.Settlements
    pieces: network.Pieces
    division: Division
    responders: list[people.Responder]
    cameras: list[cameras.Camera]
    places: list[Place]
    junctions: list[Place]
    extract: Extract
    projection: Projection


def generate(
    spec: DistrictSpec, seed: int, out: Path, *, progress: Callable[[str], None] | None = None
) -> DistrictFiles:
    """Invent a district and write its files.

    Args:
        spec: What the district contains, see `load_spec`.
        seed: The same seed gives the same district, another seed another one.
        out: Folder for the files; made when missing, files of the same names are replaced.
        progress: Told in a few words what is being done.

    Returns:
        The paths of the files written.

    Raises:
        ValueError: The description cannot be met, for instance more grids than a town has blocks.
        OSError: The folder cannot be written.
    """
    tell = progress or (lambda _: None)
    district = invent(spec, seed, tell)
    tell("写出文件")
    out.mkdir(parents=True, exist_ok=True)
    return write_files(district, out)


def invent(spec: DistrictSpec, seed: int, tell: Callable[[str], None]) -> District:
    """Invent a district in memory; see `generate`."""

    def chance(step: int) -> np.random.Generator:
        # One stream per step: a change in one step leaves the others as they were.
        return np.random.default_rng([seed, step])

    scale = min(spec.width_km, spec.height_km) * 1000
    tell("山川水系")
    ground = terrain.build(spec, chance(1))
    wanted = [n for t in spec.townships for n in (*t.seats, *t.village_names)]
    names = Names(chance(2), {*wanted, *(n.removesuffix("村") for n in wanted), spec.river})
    tell("村镇")
    settled = settlements.settle(spec, ground, names, chance(3))
    tell("道路")
    country = routes.plan(ground, settled, chance(4), scale)
    roads = ways.country_roads(spec, settled, country.chains, names)
    for k, town in enumerate(settled.towns):
        majors = [
            np.array(g.coords)
            for c in country.chains
            if c.rank < routes.VILLAGE
            for g in shapely.get_parts(shapely.LineString(c.points).intersection(town.hull)).tolist()
            if g.length > 60
        ]
        laid = streets.lay(town, ground, majors, chance(5 + 100 * k), dense=spec.towns_dense)
        roads += ways.town_roads(town, laid, ground, names, chance(6 + 100 * k), city=k == 0)
    paved = [shapely.LineString(c.points) for c in country.chains if c.rank < routes.TRACK]
    grown = lanes.branch(settled, ground, paved, chance(7))
    roads += [
        network.Road(line, "residential" if len(line) > 7 else "service", loose=True) for _, line in grown
    ]
    roads = [
        replace(r, points=np.array(shapely.LineString(r.points).simplify(1.0).coords)) if r.loose else r
        for r in roads
    ]
    pieces = network.weave(roads, ground.river_area)
    tell("建筑与网格")
    plans, found = _towns(spec, ground, settled, pieces, country.bridges[0], chance(8))
    labels = grids.country_labels(ground, settled, chance(9))
    outlines = [
        grids.TownGrids(town.hull, faces, plan.grid_of_face)
        for town, faces, plan in zip(settled.towns, found, plans, strict=True)
    ]
    rural, urban = grids.partition(ground, settled, labels, outlines, chance(10))
    division = divide(spec, settled, rural, urban, plans, names, chance(11))
    extract = Extract()
    single = ways.one_ways(pieces, max(2, spec.grids // 10), chance(12))
    crossings = ways.emit(extract, spec, pieces, ground, single, chance(13))
    sites, buildings = _buildings(spec, ground, settled, found, chance(14))
    houses = lanes.houses(
        settled.hamlets,
        [*grown, *lanes.ribbons(settled, paved)],
        pieces.lines,
        shapely.union_all([ground.river_area.buffer(15), *(s.buffer(9) for s in ground.streams)]),
        spec.houses_per_hamlet,
        chance(15),
    )
    tell("地点、人员与摄像头")
    book = places.Gazetteer(spec, division, pieces)
    named = places.name_sites(spec, settled, [(t, s) for t, s in sites], book, division, names)
    named += places.landmarks(
        spec,
        ground,
        settled,
        division,
        _name_bridges(spec, settled, crossings, names),
        book,
        names,
        chance(16),
    )
    meets = places.junctions(pieces, book, Names(chance(17)), max(60, spec.cameras))
    homes = people.Homes(division, pieces.lines, chance(18))
    stations = {p.name: p.gate for p in named if p.kind in ("police", "fire_station")}
    staff = people.staff(spec, division, homes, stations, names, chance(19))
    watched = cameras.mount(spec, division, named, meets, homes, Names(chance(20)), chance(21))
    beyond = extend(ground, spec, chance(23))
    outside = settle_and_pave(extract, ground, beyond, pieces, names, scale, chance(24))
    paint(
        extract,
        spec,
        ground,
        beyond,
        outside,
        settled,
        country,
        division,
        [b for b in buildings],
        houses,
        sites,
        named,
        book,
        chance(22),
    )
    projection = Projection(spec.lon, spec.lat)
    return District(
        spec, seed, ground, settled, pieces, division, staff, watched, named, meets, extract, projection
    )


def _towns(
    spec: DistrictSpec,
    ground: terrain.Terrain,
    settled: settlements.Settlements,
    pieces: network.Pieces,
    bridge: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> tuple[list[TownPlan], list[blocks.Faces]]:
    lines = np.array(pieces.lines)
    tree = shapely.STRtree(lines)
    plans, found = [], []
    for town in settled.towns:
        near = sorted(tree.query(town.hull, predicate="intersects").tolist())
        inside = [(pieces.lines[k], pieces.roads[pieces.owner[k]].highway) for k in near]
        faces = blocks.faces(town.hull, inside, ground.river)
        plans.append(plan_town(spec, town, faces, (bridge[0] + bridge[1]) / 2, rng))
        found.append(faces)
    return plans, found


def _buildings(
    spec: DistrictSpec,
    ground: terrain.Terrain,
    settled: settlements.Settlements,
    found: list[blocks.Faces],
    rng: np.random.Generator,
) -> tuple[list[tuple[int, blocks.Site]], list[tuple[shapely.Polygon, str]]]:
    sites, buildings = [], []
    water = shapely.union_all([ground.river_area, *ground.lakes])
    brooks = shapely.STRtree(ground.streams)
    for k, (town, faces) in enumerate(zip(settled.towns, found, strict=True)):
        share = town.grids / 20 if k == 0 else 1.0
        wanted = []
        for i in town.townships:
            wanted += (
                ["government", "police", "school", "market"]
                if spec.townships[i].kind != "zone"
                else ["government", "police"]
            )
        wanted += ["hospital", "kindergarten"]
        if k == 0:
            wanted += ["bus_station", "fire_station", "school", "school", "park"]
            wanted += ["school", "kindergarten", "market"] * int(share > 2) + ["hospital"] * int(share > 2)
        made, placed = blocks.fill(faces, town, water, [w for w in wanted if w != "park"], rng, spacing=1.08)
        wet = brooks.query([shape for shape, _ in made], predicate="dwithin", distance=7.0)[0]
        buildings += [b for i, b in enumerate(made) if i not in set(wet.tolist())]
        sites += [(k, site) for site in placed]
    return sites, buildings


def _name_bridges(
    spec: DistrictSpec,
    settled: settlements.Settlements,
    crossings: list[tuple[str, Floats, str]],
    names: Names,
) -> list[tuple[str, Floats]]:
    """Name the bridges: the greatest after the river, the others after what lies near."""
    order = {"primary": 0, "secondary": 1, "tertiary": 2}
    at = np.array([v.at for v in settled.villages])
    made: list[tuple[str, Floats]] = []
    for _, middle, _ in sorted(crossings, key=lambda c: (order.get(c[2], 9), c[1].tolist())):
        if any(np.hypot(*(middle - other)) < 120 for _, other in made):
            continue
        village = settled.villages[int(np.argmin(np.hypot(*(at - middle).T)))].name
        name = f"{spec.river}大桥" if not made else f"{village.removesuffix('村')}桥"
        made.append((names.unique(name), middle))
    return made
