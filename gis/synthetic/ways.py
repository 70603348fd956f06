"""Names, classes and junctions of roads: from drawn lines to the ways of the extract."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely
import shapely.ops
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from gis.synthetic.lattice import Chain
from gis.synthetic.names import Names
from gis.synthetic.network import Pieces, Road, ends_of
from gis.synthetic.osm import Extract, Tags
from gis.synthetic.plane import Floats
from gis.synthetic.routes import COUNTY, LANE, LINK, TRACK, VILLAGE
from gis.synthetic.settlements import Settlements, Town
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.streets import Street
from gis.synthetic.terrain import Terrain

_CLASS = {
    0: "primary",
    COUNTY: "secondary",
    VILLAGE: "tertiary",
    LINK: "unclassified",
    LANE: "unclassified",
    TRACK: "track",
}
_SPEED = {
    "primary": 70,
    "secondary": 60,
    "tertiary": 50,
    "unclassified": 40,
    "residential": 30,
    "service": 20,
}


def country_roads(spec: DistrictSpec, settled: Settlements, chains: list[Chain], names: Names) -> list[Road]:
    """Name the country roads; the through road takes a street's name inside the county town."""
    city = settled.towns[0]
    seat = spec.townships[city.townships[0]].seats[0].removesuffix("社区")
    inner = names.unique(f"{seat}街")
    letter, digits = spec.county_ref[0], int(spec.county_ref[1:])
    at = np.array([v.at for v in settled.villages])
    roads = []
    for chain in chains:
        rank = chain.rank // 100 * 100
        kind, line = _CLASS[rank], shapely.LineString(chain.points)
        inside = city.hull.contains(line.interpolate(0.5, normalized=True))
        if rank == 0:
            for part, town in _split(line, city.hull):
                roads.append(
                    Road(part, kind, inner if town else f"{spec.trunk_ref} 省道", spec.trunk_ref, loose=town)
                )
        elif rank == COUNTY:
            ref = f"{letter}{digits + chain.rank - COUNTY:03d}"
            roads.append(Road(chain.points, kind, f"{ref} 县道", ref, loose=inside))
        elif rank in (VILLAGE, LINK) and len(chain.points) > 5:
            a, b = (
                settled.villages[int(np.argmin(np.hypot(*(at - p).T)))].name
                for p in (chain.points[0], chain.points[-1])
            )
            roads.append(
                Road(chain.points, kind, f"{a[0]}{b[0]}路" if a != b else f"{a.removesuffix('村')}路")
            )
        else:
            roads.append(Road(chain.points, kind))
    return roads


def _split(line: shapely.LineString, hull: shapely.Polygon) -> list[tuple[Floats, bool]]:
    parts = []
    for shape, town in ((line.intersection(hull), True), (line.difference(hull), False)):
        parts += [(np.array(g.coords), town) for g in shapely.get_parts(shape).tolist() if g.length > 1]
    return parts


def town_roads(
    town: Town, streets: list[Street], terrain: Terrain, names: Names, rng: np.random.Generator, *, city: bool
) -> list[Road]:
    """Name the streets of a town by their length and place."""
    roads = []
    here = town.centre[0]
    for street in streets:
        line = shapely.LineString(street.points)
        if street.level == 0:
            far = _across(terrain, town, np.array(line.interpolate(0.5, normalized=True).coords[0]))
            side = "西" if far and line.centroid.x < here else "东" if far else ""
            roads.append(
                Road(street.points, "tertiary", f"临河{side}路" if city else f"临水{side}路", loose=True)
            )
        elif street.level == 1 and line.length > 250:
            roads.append(
                Road(
                    street.points, "tertiary", names.street("路" if rng.random() < 0.6 else "街"), loose=True
                )
            )
        elif line.length > 430:
            roads.append(
                Road(
                    street.points,
                    "residential",
                    names.street("街" if rng.random() < 0.6 else "路"),
                    loose=True,
                )
            )
        elif line.length > 170:
            roads.append(Road(street.points, "residential", names.alley(), loose=True))
        else:
            roads.append(Road(street.points, "residential", loose=True))
    return roads


def _across(terrain: Terrain, town: Town, at: Floats) -> bool:
    return bool(shapely.LineString([at, town.centre]).intersects(terrain.river))


def one_ways(pieces: Pieces, wanted: int, rng: np.random.Generator) -> set[int]:
    """Choose roads that may be driven one way only, while every place stays reachable from every other."""
    _, ends = ends_of(pieces.lines)
    options = [
        k
        for k in range(len(pieces.roads))
        if pieces.roads[k].loose and pieces.roads[k].highway == "residential"
    ]
    options = [
        k for k in options if pieces.roads[k].name and shapely.LineString(pieces.roads[k].points).length > 300
    ]
    chosen = {options[int(k)] for k in rng.permutation(len(options))[:wanted]}
    owner = np.array(pieces.owner)
    whole = [shapely.LineString(r.points) for r in pieces.roads]
    forward = np.array([
        whole[o].project(shapely.Point(line.coords[0])) <= whole[o].project(shapely.Point(line.coords[-1]))
        for line, o in zip(pieces.lines, pieces.owner, strict=True)
    ])  # fmt: skip
    while chosen:
        single = np.isin(owner, list(chosen))
        with_it, against = ends[forward | ~single], ends[~forward | ~single][:, ::-1]
        a, b = np.concatenate([with_it, against]).T
        n = int(ends.max()) + 1
        graph = csr_array((np.ones(len(a)), (a, b)), shape=(n, n))
        parts, label = connected_components(graph, connection="strong")
        if parts == 1:
            break
        # A road with ends in two parts is the only way over; with all of those freed the parts grow together.
        chosen -= set(owner[label[ends[:, 0]] != label[ends[:, 1]]].tolist())
    return chosen


def emit(
    extract: Extract,
    spec: DistrictSpec,
    pieces: Pieces,
    terrain: Terrain,
    single: set[int],
    rng: np.random.Generator,
) -> list[tuple[str, Floats, str]]:
    """Write the roads as ways, cut at bridges and restricted junctions.

    Returns:
        The bridges over the main river: road name, middle in metres, and the nearest end's ``highway`` class.
    """
    water = shapely.union_all([terrain.river_area, *terrain.lakes])
    brooks = shapely.union_all([s.buffer(9) for s in terrain.streams]).difference(water)
    shapely.prepare(water)
    shapely.prepare(brooks)
    stops = _restricted(pieces, rng, max(2, spec.grids // 12))
    touching: dict[tuple[float, ...], list[int]] = defaultdict(list)
    bridges: list[tuple[str, Floats, str]] = []
    paths = 0
    for owner, lines in pieces.by_road().items():
        road = pieces.roads[owner]
        kind = road.highway
        if kind == "track":
            paths += 1
            kind = "path" if paths % 3 == 0 else "track"
        tags: Tags = {"highway": kind}
        if road.name:
            tags["name"] = road.name
        if road.ref:
            tags["ref"] = road.ref
        if kind in _SPEED:
            tags["maxspeed"] = str(50 if road.loose and kind == "primary" else _SPEED[kind])
        whole = shapely.LineString(road.points)
        for line in lines:
            coords = line.coords[:]
            if owner in single:
                tags = {**tags, "oneway": "yes"}
                if whole.project(shapely.Point(coords[0])) > whole.project(shapely.Point(coords[-1])):
                    coords = coords[::-1]
            for part, over in _over_water(shapely.LineString(coords), water, brooks):
                extra = {"bridge": "yes", "layer": "1"} if over else {}
                if over == "river" and part.intersects(terrain.river):
                    middle = np.array(part.intersection(terrain.river).centroid.coords[0])
                    bridges.append((road.name, middle, kind))
                for run in _cut_at(part.coords[:], stops):
                    way = extract.line(run, {**tags, **extra})
                    for end in (run[0], run[-1]):
                        if end in stops and way:
                            touching[end].append(way)
    _restrict(extract, touching, pieces)
    return bridges


def _over_water(
    line: shapely.LineString, water: BaseGeometry, brooks: BaseGeometry
) -> list[tuple[shapely.LineString, str]]:
    """Cut a road where it crosses water; returns its parts in order with what they cross."""
    spans: list[tuple[float, float, str]] = []
    for kind, body, margin in (("river", water, 4.0), ("brook", brooks, 2.0)):
        if not body.intersects(line):
            continue
        for part in shapely.get_parts(line.intersection(body)).tolist():
            if part.length < 1:
                continue
            a, b = sorted(line.project(shapely.Point(c)) for c in (part.coords[0], part.coords[-1]))
            if b - a < 260 or kind == "river":
                spans.append((max(0.0, a - margin), min(line.length, b + margin), kind))
    if not spans:
        return [(line, "")]
    spans.sort()
    merged = [spans[0]]
    for a, b, kind in spans[1:]:
        if a <= merged[-1][1] + 5:
            last = merged[-1]
            merged[-1] = (last[0], max(b, last[1]), "river" if "river" in (kind, last[2]) else kind)
        else:
            merged.append((a, b, kind))
    cuts: list[tuple[float, float, str]] = []
    at = 0.0
    for a, b, kind in merged:
        if a - at > 1:
            cuts.append((at, a, ""))
        else:
            a = at
        cuts.append((a, b, kind))
        at = b
    if line.length - at > 1:
        cuts.append((at, line.length, ""))
    else:
        cuts[-1] = (cuts[-1][0], line.length, cuts[-1][2])
    return [(shapely.LineString(shapely.ops.substring(line, a, b).coords), kind) for a, b, kind in cuts]


def _cut_at(coords: list[tuple[float, ...]], stops: set[tuple[float, ...]]) -> list[list[tuple[float, ...]]]:
    runs, run = [], [coords[0]]
    for at in coords[1:]:
        run.append(at)
        if at in stops:
            runs.append(run)
            run = [at]
    if len(run) > 1:
        runs.append(run)
    return runs


def _restricted(pieces: Pieces, rng: np.random.Generator, wanted: int) -> set[tuple[float, ...]]:
    """Choose crossings of main streets where turning left is not allowed."""
    arms: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for line, owner in zip(pieces.lines, pieces.owner, strict=True):
        if pieces.roads[owner].loose:
            for end in (line.coords[0], line.coords[-1]):
                arms[end].append(pieces.roads[owner].highway)
    options = [
        at
        for at, kinds in arms.items()
        if len(kinds) == 4 and {"primary", "secondary", "tertiary"} & set(kinds)
    ]
    return {options[int(k)] for k in rng.permutation(len(options))[:wanted]}


def _restrict(extract: Extract, touching: dict[tuple[float, ...], list[int]], pieces: Pieces) -> None:
    for at, ways in touching.items():
        if len(ways) != 4:
            continue
        via = extract.node(at)
        headings = []
        for way in ways:
            refs = extract.refs(way)
            other = refs[1] if refs[0] == via else refs[-2]
            x, y = extract.place(other)
            headings.append(float(np.arctan2(y - at[1], x - at[0])))
        start = ways[0]
        turns = [(h - headings[0]) % (2 * np.pi) for h in headings]
        # Seen from the arriving arm, the left arm is the last one counter-clockwise before coming back.
        left = max(range(1, 4), key=lambda k: turns[k])
        if extract.oneway(start) or extract.oneway(ways[left]):
            continue
        extract.restriction(start, via, ways[left], "no_left_turn")
