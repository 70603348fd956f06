import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pyogrio.raw
import pytest
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from gis.synthetic import generate, load_spec

CONFIG = Path(__file__).parents[3] / "config" / "districts"
CSV_AND_JSON = ("beats", "cameras", "responders", "places", "district")


@dataclass
class Roads:
    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: list[tuple[list[int], dict[str, str]]] = field(default_factory=list)
    water: list[Any] = field(default_factory=list)
    restrictions: int = 0


NOT_FOR_CARS = {"path", "footway", "track"}


def read_roads(path: Path) -> Roads:
    roads = Roads()
    lines = []
    for item in osmium.FileProcessor(str(path)):
        if item.is_node():
            roads.nodes[item.id] = (item.lon, item.lat)
        elif item.is_way():
            lines.append(([n.ref for n in item.nodes], dict(item.tags)))
        elif item.is_relation() and item.tags.get("type") == "restriction":
            roads.restrictions += 1
    for refs, tags in lines:
        if "highway" in tags:
            roads.ways.append((refs, tags))
        elif tags.get("water") == "river":
            roads.water.append(shapely.Polygon([roads.nodes[r] for r in refs]))
    return roads


def read_areas(path: Path) -> list[dict[str, Any]]:
    meta, _, geometry, columns = pyogrio.raw.read(path, layer="areas")
    shapes = shapely.from_wkb(geometry)
    names = list(meta["fields"])
    return [
        {**{n: c[k] for n, c in zip(names, columns, strict=True)}, "shape": shapes[k]}
        for k in range(len(shapes))
    ]


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def metres(points: np.ndarray[Any, Any], lat: float) -> np.ndarray[Any, Any]:
    """Degrees to metres, good to a few parts in a thousand over a county: enough to compare with 50 m."""
    return np.asarray(points) * np.array([111_320 * np.cos(np.radians(lat)), 110_980])


@pytest.fixture(params=["small", pytest.param("lieshan", marks=pytest.mark.slow)])
def made(request):
    return request.getfixturevalue(request.param)


def test_counts_follow_the_description(made):
    areas = read_areas(made.files.areas)
    tiers = Counter(a["tier"] for a in areas)
    spec = made.spec
    assert tiers == {1: 1, 2: len(spec.townships), 3: spec.units, 4: spec.grids}
    kinds = Counter(r["kind"] for r in read_table(made.files.responders))
    assert kinds["grid_worker"] == spec.workers
    assert kinds["police"] == spec.police
    assert kinds["emergency_member"] == spec.emergency
    assert len(read_table(made.files.cameras)) == spec.cameras
    counts = json.loads(made.files.district.read_text(encoding="utf-8"))["counts"]
    assert counts["grids"] == spec.grids


@pytest.mark.slow
def test_lieshan_has_the_figures_of_its_model(lieshan):
    counts = json.loads(lieshan.files.district.read_text(encoding="utf-8"))["counts"]
    assert (counts["townships"], counts["units"], counts["grids"], counts["urban_grids"]) == (8, 63, 450, 96)
    assert (counts["responders"]["grid_worker"], counts["vacant_grids"], counts["cameras"]) == (356, 94, 892)


def test_wuding_is_described_with_the_figures_of_its_model():
    spec = load_spec(CONFIG / "wuding.toml")
    assert (len(spec.townships), spec.units, spec.grids, spec.cameras) == (11, 136, 1580, 15128)


def test_areas_cover_their_parents_exactly(made):
    areas = read_areas(made.files.areas)
    for tier in (2, 3, 4):
        shapes = [a["shape"] for a in areas if a["tier"] == tier]
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
    by_parent = defaultdict(list)
    for area in areas:
        by_parent[area["parent"]].append(area["shape"])
    for area in areas:
        if area["tier"] < 4:
            union = shapely.coverage_union_all(by_parent[area["code"]])
            assert shapely.symmetric_difference(union, area["shape"]).area < 1e-12
    assert not any(r for p in [areas[0]["shape"]] for g in shapely.get_parts(p) for r in g.interiors)


def test_codes_and_names(made):
    areas = read_areas(made.files.areas)
    assert all(re.fullmatch(r"\d{15}" if a["tier"] == 4 else r"\d{12}", a["code"]) for a in areas)
    assert len({a["code"] for a in areas}) == len(areas)
    assert len({a["name"] for a in areas}) == len(areas)
    assert all(a["code"].startswith(a["parent"]) for a in areas if a["tier"] == 4)
    people = read_table(made.files.responders)
    for key in ("name", "phone"):
        assert len({p[key] for p in people}) == len(people)
    codes = {a["code"] for a in areas if a["tier"] == 4}
    assert all(set(filter(None, p["grids"].split(";"))) <= codes for p in people)


def test_workers_match_the_areas(made):
    grids = {a["code"]: a for a in read_areas(made.files.areas) if a["tier"] == 4}
    held = defaultdict(set)
    for person in read_table(made.files.responders):
        if person["kind"] == "grid_worker":
            for code in person["grids"].split(";"):
                held[code].add(person["name"])
    assert {c: set(filter(None, g["workers"].split(";"))) for c, g in grids.items()} == {
        c: held[c] for c in grids
    }
    assert any(not g["workers"] for g in grids.values())


def test_small_has_workers_with_two_grids(small):
    people = read_table(small.files.responders)
    assert any(p["kind"] == "grid_worker" and ";" in p["grids"] for p in people)


def test_cameras_are_well_formed_and_inside(made):
    cameras = read_table(made.files.cameras)
    assert all(re.fullmatch(r"\d{10}132\d{7}", c["gb_id"]) for c in cameras)
    assert len({c["gb_id"] for c in cameras}) == len({c["name"] for c in cameras}) == len(cameras)
    assert {c["network"] for c in cameras} == {"xueliang", "bureau", "social"}
    areas = read_areas(made.files.areas)
    at = shapely.points([[float(c["lon"]), float(c["lat"])] for c in cameras])
    assert shapely.covers(areas[0]["shape"].buffer(1e-6), at).all()
    grids = {a["code"]: a["shape"] for a in areas if a["tier"] == 4}
    assert all(grids[c["grid"]].distance(p) < 1e-6 for c, p in zip(cameras, at, strict=True))


def test_beats_share_the_grids_among_them(made):
    beats = json.loads(made.files.beats.read_text(encoding="utf-8"))["features"]
    codes = [c for b in beats for c in b["properties"]["grids"].split(";")]
    assert sorted(codes) == sorted(a["code"] for a in read_areas(made.files.areas) if a["tier"] == 4)


def _car_graph(roads):
    index, edges, river = {}, [], shapely.union_all(roads.water)
    shapely.prepare(river)
    for refs, tags in roads.ways:
        if tags["highway"] in NOT_FOR_CARS:
            continue
        for a, b in pairwise(refs):
            edges.append((index.setdefault(a, len(index)), index.setdefault(b, len(index)), tags))
    at = np.array([roads.nodes[k] for k in index])
    return at, edges, river


def test_the_road_network_is_connected_both_ways(made):
    roads = read_roads(made.files.roads)
    at, edges, _ = _car_graph(roads)
    n = len(at)
    a = [e[0] for e in edges] + [e[1] for e in edges if e[2].get("oneway") != "yes"]
    b = [e[1] for e in edges] + [e[0] for e in edges if e[2].get("oneway") != "yes"]
    graph = csr_array((np.ones(len(a)), (a, b)), shape=(n, n))
    _, label = connected_components(graph, connection="strong")
    main = np.bincount(label).argmax()
    assert (label == main).mean() > 0.995
    assert any(e[2].get("oneway") == "yes" for e in edges)
    assert roads.restrictions > 0
    # Every village is on that network.
    reach = at[label == main]
    lat = made.spec.lat
    for place in read_table(made.files.places):
        if place["kind"] == "village":
            spot = np.array([float(place["lon"]), float(place["lat"])])
            assert np.hypot(*metres(reach - spot, lat).T).min() < 250


def test_the_river_is_crossed_on_bridges_only_and_makes_a_difference(made):
    roads = read_roads(made.files.roads)
    at, edges, river = _car_graph(roads)
    spans = shapely.linestrings([[at[a], at[b]] for a, b, _ in edges])
    wet = shapely.intersects(spans, river)
    assert wet.any()
    assert all("bridge" in edges[k][2] for k in np.flatnonzero(wet))
    # Two places face to face on the banks: near as the crow flies, far by road.
    xy = metres(at, made.spec.lat)
    length = [float(np.hypot(*(xy[a] - xy[b]))) for a, b, _ in edges]
    a, b = ([e[k] for e in edges] for k in (0, 1))
    n = len(at)
    graph = csr_array((length, (a, b)), shape=(n, n))
    rng = np.random.default_rng(1)
    worst = 0.0
    for start in rng.permutation(n)[:25]:
        by_road = dijkstra(graph, directed=False, indices=int(start))
        straight = np.hypot(*(xy - xy[start]).T)
        near = (straight > 150) & (straight < 900) & np.isfinite(by_road)
        if near.any():
            worst = max(worst, float((by_road[near] / straight[near]).max()))
    assert worst > 3


def test_land_fills_a_wide_screen_fitted_to_the_county(made):
    district = json.loads(made.files.district.read_text(encoding="utf-8"))
    west, south, east, north = district["bounds"]
    drawn = district["drawn_bounds"]
    wide, high = 0.6 * (east - west), 0.35 * (north - south)
    assert drawn[0] <= west - wide
    assert drawn[2] >= east + wide
    assert drawn[1] <= south - high
    assert drawn[3] >= north + high
    nodes, shown, built = {}, defaultdict(list), []
    for item in osmium.FileProcessor(str(made.files.roads)):
        if item.is_node():
            nodes[item.id] = (item.lon, item.lat)
        elif item.is_way():
            line = [nodes[n.ref] for n in item.nodes]
            if "building" in item.tags:
                built += line
            for key in ("highway", "landuse", "waterway", "railway"):
                if key in item.tags:
                    shown[item.tags[key]] += line
    # Roads, woods and fields reach the outer part of every side; no building stands out there.
    for kinds in (("primary", "secondary", "tertiary", "unclassified"), ("forest", "farmland")):
        x, y = np.array([p for kind in kinds for p in shown[kind]]).T
        assert x.min() < west - 0.8 * wide
        assert x.max() > east + 0.8 * wide
        assert y.min() < south - 0.8 * high
        assert y.max() > north + 0.8 * high
    y = np.array(shown["river"])[:, 1]
    assert y.min() < south - 0.8 * high
    assert y.max() > north + 0.8 * high
    x, y = np.array(built).T
    assert x.min() > west
    assert x.max() < east
    assert y.min() > south
    assert y.max() < north


def test_an_office_stands_in_its_own_township_where_it_can(made):
    places = read_table(made.files.places)
    offices = [p for p in places if p["kind"] in ("government", "police")]
    own = [p for p in offices if p["address"].startswith(p["name"][:2])]
    assert len(own) >= 0.7 * len(offices)


def test_homes_lie_on_roads(made):
    roads = read_roads(made.files.roads)
    lat = made.spec.lat
    lines = [
        shapely.LineString(metres(np.array([roads.nodes[r] for r in refs]), lat)) for refs, _ in roads.ways
    ]
    homes = [[float(p["home_lon"]), float(p["home_lat"])] for p in read_table(made.files.responders)]
    points = shapely.points(metres(np.array(homes), lat))
    _, gap = shapely.STRtree(lines).query_nearest(points, return_distance=True, all_matches=False)
    assert gap.max() < 50


def test_scenes_cover_what_the_simulator_needs(made):
    district = json.loads(made.files.district.read_text(encoding="utf-8"))
    kinds = Counter(s["kind"] for s in district["scenes"])
    assert {"junction", "school", "market", "river_bank", "hill", "village"} <= set(kinds)
    assert all(s["name"] and s["grid"] and s["address"] for s in district["scenes"])
    west, south, east, north = district["bounds"]
    assert all(west <= s["lon"] <= east and south <= s["lat"] <= north for s in district["scenes"])


def test_the_same_seed_gives_the_same_district(small, tmp_path):
    again = generate(small.spec, 7, tmp_path)
    for name in CSV_AND_JSON:
        assert getattr(again, name).read_bytes() == getattr(small.files, name).read_bytes()
    first, second = read_areas(small.files.areas), read_areas(again.areas)
    assert (
        shapely.to_wkb([a["shape"] for a in first]).tolist()
        == shapely.to_wkb([a["shape"] for a in second]).tolist()
    )
    assert read_roads(small.files.roads).nodes == read_roads(again.roads).nodes


@pytest.mark.parametrize("seed", [1, 20, 4242])
def test_other_seeds_work_and_differ(small, tmp_path, seed):
    other = generate(small.spec, seed, tmp_path)
    shapes = [a["shape"] for a in read_areas(other.areas) if a["tier"] == 4]
    assert len(shapes) == small.spec.grids
    assert shapely.coverage_is_valid(shapes)
    assert other.cameras.read_bytes() != small.files.cameras.read_bytes()


def test_progress_is_told(small, tmp_path):
    told = []
    generate(small.spec, 7, tmp_path, progress=told.append)
    assert told[-1] == "写出文件"


def test_a_description_that_cannot_be_met_is_refused(small, tmp_path):
    first = replace(small.spec.townships[0], seat_grids=4000)
    spec = replace(small.spec, townships=(first, *small.spec.townships[1:]), seat_grid_km2=0.0006)
    with pytest.raises(ValueError, match="cannot make"):
        generate(spec, 7, tmp_path)


def test_a_township_with_fewer_grids_than_villages_is_refused(tmp_path):
    text = (
        (CONFIG / "small.toml")
        .read_text(encoding="utf-8")
        .replace("village_grids = 11", "village_grids = 1", 1)
    )
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="fewer grids"):
        load_spec(tmp_path / "bad.toml")
