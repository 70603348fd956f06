"""A small town written as OpenStreetMap XML, read through the same door as a real extract."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gis.crs import distance_m
from gis.errors import BadFile, NoRoads
from gis.roads import PROFILES, RoadGraph, Step
from gis.roads.profiles import parse_speed_kmh
from gis.roads.read import read_roads
from gis.roads.snap import FREE_OFFSET_M, WALK_M_S

STEP = 0.01  # degrees between crossings, about a kilometre

# Ten nodes:   7 - 8 - 9      11   an island road 11-12
#              |   |   |      |
#              4 - 5 - 6     12
#              |   |   |
#              1 - 2 - 3
NODES = {n: (117.0 + STEP * ((n - 1) % 3), 34.0 + STEP * ((n - 1) // 3)) for n in range(1, 10)}
NODES |= {11: (117.05, 34.02), 12: (117.05, 34.01), 13: (117.03, 34.01)}


def way(number: int, nodes: list[int], **tags: str) -> str:
    refs = "".join(f'<nd ref="{n}"/>' for n in nodes)
    listed = "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())
    return f'<way id="{number}" version="1">{refs}{listed}</way>'


def restriction(number: int, first: int, via: str, last: int, **tags: str) -> str:
    listed = "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())
    return (
        f'<relation id="{number}" version="1"><member type="way" ref="{first}" role="from"/>{via}'
        f'<member type="way" ref="{last}" role="to"/><tag k="type" v="restriction"/>{listed}</relation>'
    )


def via(node: int) -> str:
    return f'<member type="node" ref="{node}" role="via"/>'


def write_osm(path: Path, ways: list[str], relations: list[str] = [], barrier: str = "") -> Path:  # noqa: B006
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{lon}" lat="{lat}">{barrier if n == 5 else ""}</node>'
        for n, (lon, lat) in NODES.items()
    )
    body = nodes + "".join(ways) + "".join(relations)
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{body}</osm>', encoding="utf-8"
    )
    return path


SOUTH = way(1, [1, 2, 3], highway="residential", name="南街")
MIDDLE = way(2, [4, 5, 6], highway="primary", name="Main", name__zh="中山路", maxspeed="50")
NORTH = way(3, [7, 8, 9], highway="residential", oneway="yes", name="北街")
WEST = way(4, [1, 4, 7], highway="residential", name="西街")
CENTRE = way(5, [2, 5, 8], highway="service")
EAST = way(6, [3, 6, 9], highway="residential", name="东街")
ISLAND = way(7, [11, 12], highway="residential")
TOWN = [SOUTH, MIDDLE, NORTH, WEST, CENTRE, EAST, ISLAND]


def town(tmp_path: Path, profile: str = "car", **more: object) -> RoadGraph:
    path = write_osm(tmp_path / "town.osm", TOWN, **more)  # type: ignore[arg-type]
    return RoadGraph.from_pbf(path, PROFILES[profile])


def metres(*nodes: int) -> float:
    lon, lat = np.array([NODES[n] for n in nodes]).T
    return float(distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())


def kmh_s(length_m: float, kmh: float) -> float:
    return length_m / (kmh / 3.6)


def test_counts_and_snapping(tmp_path: Path) -> None:
    graph = town(tmp_path)
    assert (graph.junctions, graph.edges, graph.profile) == (11, 13, "car")
    assert graph.length_km == pytest.approx(
        (metres(1, 2, 3) * 3 + metres(1, 4, 7) * 3 + metres(11, 12)) / 1000, rel=0.01
    )
    assert graph.bounds == pytest.approx((117.0, 34.0, 117.05, 34.02))
    snaps = graph.snap([117.005, 117.05, float("nan"), 100.0], [34.0001, 34.015, 34.0, 34.0])
    assert len(snaps) == 4
    assert snaps.fraction[0] == pytest.approx(0.5)
    assert snaps.offset_m[0] == pytest.approx(11.1, abs=0.1)
    # The island has no connection to the town, so nobody is put onto it.
    assert snaps.edge.tolist()[1:] == [-1, -1, -1]
    assert np.isnan(snaps.offset_m[1:]).all()
    assert graph.snap([117.05], [34.015], max_offset_m=5000.0).edge[0] >= 0
    assert len(graph.snap([], [])) == 0
    assert graph.snap([float("nan")], [0.0]).edge.tolist() == [-1]
    assert graph.snap_one(float("nan"), 34.0) is None


def test_times_by_class_limit_and_one_way(tmp_path: Path) -> None:
    graph = town(tmp_path)
    field = graph.field_to(*NODES[6])
    assert field.seconds_at(*NODES[4]) == pytest.approx(kmh_s(metres(4, 5, 6), 40), rel=1e-3)
    north = graph.field_to(*NODES[7])
    # Against the one-way: round through the middle.
    assert north.seconds_at(*NODES[8]) > kmh_s(metres(7, 8), 25) * 1.5
    assert graph.field_to(*NODES[9]).seconds_at(*NODES[7]) == pytest.approx(
        min(kmh_s(metres(7, 8, 9), 25), kmh_s(metres(7, 4), 25) * 2 + kmh_s(metres(4, 5, 6), 40)), rel=1e-3
    )


def test_along_the_destination_edge(tmp_path: Path) -> None:
    graph = town(tmp_path)
    ahead = graph.field_to(117.008, 34.02)
    assert ahead.seconds_at(117.002, 34.02) == pytest.approx(
        kmh_s(float(distance_m(117.002, 34.02, 117.008, 34.02)), 25), rel=1e-3
    )
    assert ahead.seconds_at(117.008, 34.02) == pytest.approx(0.0, abs=1e-6)
    behind = graph.field_to(117.002, 34.02)
    assert behind.seconds_at(117.008, 34.02) > kmh_s(metres(7, 8), 25)
    route = behind.route(117.008, 34.02)
    assert route is not None
    assert route.distance_m > metres(7, 8)
    spot = behind.route(117.002, 34.02)
    assert spot is not None
    assert (spot.distance_m, spot.coordinates.shape) == (0.0, (2, 2))
    assert [step.maneuver for step in spot.steps] == ["depart", "arrive"]
    short = ahead.route(117.002, 34.02)
    assert short is not None
    assert short.duration_s == pytest.approx(ahead.seconds_at(117.002, 34.02))


def test_walk_to_and_from_the_road(tmp_path: Path) -> None:
    graph = town(tmp_path)
    on_road = graph.field_to(*NODES[6]).seconds_at(117.005, 34.0)
    beside = graph.field_to(*NODES[6]).seconds_at(117.005, 33.998)
    offset = float(distance_m(117.005, 34.0, 117.005, 33.998))
    assert beside - on_road == pytest.approx((offset - FREE_OFFSET_M) / WALK_M_S, rel=1e-3)
    assert np.isnan(graph.field_to(*NODES[6]).seconds_at(117.005, 33.9))
    lost = graph.field_to(118.0, 34.0)
    assert not lost.reachable
    assert np.isnan(lost.seconds_at(117.0, 34.0))
    assert np.isnan(lost.seconds(graph.snap([117.0], [34.0]))).all()
    assert lost.route(117.0, 34.0) is None
    assert lost.is_on_road(117.0, 34.0)


def test_limit(tmp_path: Path) -> None:
    graph = town(tmp_path)
    near = graph.field_to(*NODES[6], limit_s=120.0)
    assert near.seconds_at(*NODES[5]) == pytest.approx(kmh_s(metres(5, 6), 40), rel=1e-3)
    assert np.isnan(near.seconds_at(*NODES[7]))
    snaps, seconds = near.rank_inputs(*np.array([NODES[5], NODES[7]]).T)
    assert np.isnan(seconds).tolist() == [False, True]
    assert (snaps.edge >= 0).all()


def test_no_left_turn_costs_a_detour(tmp_path: Path) -> None:
    free = town(tmp_path).field_to(117.01, 34.012)
    bound = town(tmp_path, relations=[restriction(1, 2, via(5), 5, restriction="no_left_turn")]).field_to(
        117.01, 34.012
    )
    start = (117.001, 34.01)
    assert bound.seconds_at(*start) > free.seconds_at(*start) + 60
    route = bound.route(*start)
    assert route is not None
    assert route.duration_s == bound.seconds_at(*start)
    assert sum(step.duration_s for step in route.steps) == pytest.approx(route.duration_s)


def test_only_straight_on(tmp_path: Path) -> None:
    graph = town(tmp_path, relations=[restriction(1, 2, via(5), 2, restriction="only_straight_on")])
    free = town(tmp_path)
    start, end = (117.001, 34.01), (117.01, 34.001)
    assert graph.field_to(*end).seconds_at(*start) > free.field_to(*end).seconds_at(*start)
    ahead = (117.019, 34.01)
    assert graph.field_to(*ahead).seconds_at(*start) == pytest.approx(
        free.field_to(*ahead).seconds_at(*start)
    )


def test_restrictions_that_do_not_bind(tmp_path: Path) -> None:
    way_via = '<member type="way" ref="5" role="via"/>'
    graph = town(
        tmp_path,
        relations=[
            restriction(1, 2, via(5), 5, restriction="no_left_turn", **{"except": "bus;motorcar"}),
            restriction(2, 2, via(5), 5, restriction__conditional="no_left_turn @ (07:00-09:00)"),
            restriction(3, 2, way_via, 6, restriction="no_u_turn"),
            restriction(4, 99, via(5), 5, restriction="no_left_turn"),
            restriction(5, 2, via(5), 5, restriction__hgv="no_left_turn"),
        ],
    )
    assert graph.skipped == {
        "conditional_restriction": 1,
        "restriction_without_effect": 2,
    }
    start, end = (117.001, 34.01), (117.01, 34.019)
    assert graph.field_to(*end).seconds_at(*start) == pytest.approx(
        town(tmp_path).field_to(*end).seconds_at(*start)
    )
    motorcar = town(tmp_path, relations=[restriction(1, 2, via(5), 5, restriction__motorcar="no_left_turn")])
    assert motorcar.field_to(*end).seconds_at(*start) > graph.field_to(*end).seconds_at(*start)
    on_foot = read_roads(
        write_osm(tmp_path / "f.osm", TOWN, [restriction(1, 2, via(5), 5, restriction="no_left_turn")]),
        PROFILES["foot"],
    )
    assert on_foot.restrictions == []


def test_bollard_stops_cars_and_not_walkers(tmp_path: Path) -> None:
    bollard = '<tag k="barrier" v="bollard"/>'
    start, end = (117.008, 34.01), (117.012, 34.01)
    across_m = float(distance_m(*start, *end))
    car = town(tmp_path, barrier=bollard).field_to(*end).seconds_at(*start)
    assert car > kmh_s(4 * metres(4, 5), 50)
    assert town(tmp_path, "foot", barrier=bollard).field_to(*end).seconds_at(*start) == pytest.approx(
        kmh_s(across_m, 5), rel=1e-3
    )
    rising = town(tmp_path, barrier=bollard + '<tag k="bollard" v="rising"/>')
    assert rising.field_to(*end).seconds_at(*start) == pytest.approx(kmh_s(across_m, 40) + 8, rel=1e-3)
    opened = town(tmp_path, barrier='<tag k="barrier" v="lift_gate"/>')
    assert opened.field_to(*end).seconds_at(*start) == pytest.approx(kmh_s(across_m, 40) + 8, rel=1e-3)
    locked = town(tmp_path, barrier='<tag k="barrier" v="gate"/><tag k="locked" v="yes"/>')
    assert locked.field_to(*end).seconds_at(*start) > 100
    gate = town(tmp_path, barrier='<tag k="barrier" v="gate"/><tag k="access" v="private"/>')
    assert gate.field_to(*end).seconds_at(*start) > 100


def test_ferry_takes_its_stated_time(tmp_path: Path) -> None:
    ferry = way(8, [6, 13, 12], route="ferry", motor_vehicle="yes", duration="00:20", name="轮渡")
    graph = RoadGraph.from_pbf(write_osm(tmp_path / "f.osm", [*TOWN, ferry]))
    field = graph.field_to(*NODES[11])
    aboard_s = 300 + 1200
    assert field.seconds_at(*NODES[6]) == pytest.approx(aboard_s + kmh_s(metres(11, 12), 25), rel=1e-3)
    route = field.route(117.015, 34.01)
    assert route is not None
    assert [step.maneuver for step in route.steps] == ["depart", "ferry", "ashore", "arrive"]
    assert route.steps[1].text() == "460 米后上渡船（轮渡）"
    assert route.steps[2].text() == "2.8 公里后下渡船，沿无名道路行驶"
    assert route.steps[2].text("en") == "In 2.8 km, leave the ferry"
    assert route.steps[2].duration_s == pytest.approx(aboard_s, rel=1e-3)
    assert sum(step.duration_s for step in route.steps) == pytest.approx(route.duration_s)
    back = graph.field_to(*NODES[6]).seconds_at(*NODES[11])
    assert back == pytest.approx(field.seconds_at(*NODES[6]), rel=1e-3)
    often = way(8, [6, 13, 12], route="ferry", motor_vehicle="yes", duration="PT20M", interval="00:30")
    every_half_hour = RoadGraph.from_pbf(write_osm(tmp_path / "i.osm", [*TOWN, often])).field_to(*NODES[11])
    assert every_half_hour.seconds_at(*NODES[6]) - field.seconds_at(*NODES[6]) == pytest.approx(600)
    walkers = way(8, [6, 13, 12], route="ferry", foot="yes")
    assert (
        RoadGraph.from_pbf(write_osm(tmp_path / "g.osm", [*TOWN, walkers])).snap([117.05], [34.015]).edge[0]
        == -1
    )
    feet = RoadGraph.from_pbf(write_osm(tmp_path / "g.osm", [*TOWN, walkers]), PROFILES["foot"])
    assert feet.field_to(*NODES[11]).seconds_at(*NODES[6]) == pytest.approx(
        300 + kmh_s(metres(6, 13, 12), 8) + kmh_s(metres(12, 11), 5), rel=1e-3
    )


def test_route_is_told_in_words(tmp_path: Path) -> None:
    route = town(tmp_path).field_to(117.02, 34.005).route(117.001, 34.01)
    assert route is not None
    assert [step.maneuver for step in route.steps] == ["depart", "right", "arrive"]
    assert [step.text() for step in route.steps] == [
        "向东出发，沿中山路行驶",
        "1.8 公里后右转，进入东街",
        "550 米后到达目的地" if route.steps[2].distance_m < 555 else "560 米后到达目的地",
    ]
    assert route.steps[1].text("en") == "In 1.8 km, turn right onto 东街"
    assert route.coordinates[0] == pytest.approx((117.001, 34.01), abs=1e-6)
    assert route.coordinates[-1] == pytest.approx((117.02, 34.005), abs=1e-6)
    drawn = distance_m(*route.coordinates[:-1].T, *route.coordinates[1:].T).sum()
    assert drawn == pytest.approx(route.distance_m, rel=1e-5)
    assert sum(step.distance_m for step in route.steps) == pytest.approx(route.distance_m)


@pytest.mark.parametrize(
    "maneuver", ["straight", "slight_left", "sharp_right", "uturn", "ferry", "arrive", "depart"]
)
def test_every_maneuver_has_words(maneuver: str) -> None:
    for road in ("", "西街"):
        step = Step(maneuver, road, 95.0, 9.0, 117.0, 34.0, 359.0)
        assert step.text("zh-CN")
        assert step.text("en")
        assert step.text("zh-CN") != step.text("en")


def test_save_and_load(tmp_path: Path) -> None:
    graph = town(tmp_path, relations=[restriction(1, 2, via(5), 5, restriction="no_left_turn")])
    graph.save(tmp_path / "town.npz")
    again = RoadGraph.load(tmp_path / "town.npz")
    assert (again.profile, again.edges, again.junctions) == (graph.profile, graph.edges, graph.junctions)
    assert again.arrays.names == graph.arrays.names
    lon, lat = np.array(list(NODES.values())).T
    assert np.array_equal(
        again.field_to(117.01, 34.019).seconds(again.snap(lon, lat)),
        graph.field_to(117.01, 34.019).seconds(graph.snap(lon, lat)),
        equal_nan=True,
    )
    assert not list(tmp_path.glob("*.part"))


def test_bad_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK nonsense")
    with pytest.raises(BadFile, match="not a road graph"):
        RoadGraph.load(tmp_path / "x.npz")
    with pytest.raises(BadFile):
        RoadGraph.from_pbf(tmp_path / "absent.osm.pbf")
    (tmp_path / "broken.osm.pbf").write_bytes(b"\0\0\0\x0cnonsense")
    with pytest.raises(BadFile):
        RoadGraph.from_pbf(tmp_path / "broken.osm.pbf")
    with pytest.raises(NoRoads):
        RoadGraph.from_pbf(write_osm(tmp_path / "none.osm", [way(1, [1, 2], highway="footway")]))


def test_clipped_ways_and_repeated_nodes(tmp_path: Path) -> None:
    ways = [*TOWN, way(20, [998, 999], highway="residential"), way(21, [3, 3, 6], highway="residential")]
    graph = RoadGraph.from_pbf(write_osm(tmp_path / "c.osm", ways))
    assert graph.skipped == {"way_without_locations": 1}
    assert graph.edges == 14


CAR = PROFILES["car"]


@pytest.mark.parametrize(
    ("tags", "speeds"),
    [
        ({"highway": "primary"}, (60.0, 60.0)),
        ({"highway": "primary", "maxspeed": "30 mph"}, (pytest.approx(38.624, abs=1e-3),) * 2),
        ({"highway": "primary", "maxspeed:forward": "50", "maxspeed": "30"}, (40.0, 24.0)),
        ({"highway": "primary", "maxspeed": "none"}, (60.0, 60.0)),
        ({"highway": "primary", "maxspeed": "0"}, (60.0, 60.0)),
        ({"highway": "motorway", "maxspeed": "150"}, (110.0, 0.0)),
        ({"highway": "motorway", "oneway": "no"}, (90.0, 90.0)),
        ({"highway": "residential", "oneway": "-1"}, (0.0, 25.0)),
        ({"highway": "residential", "oneway": "reversible"}, (0.0, 0.0)),
        ({"highway": "residential", "junction": "roundabout"}, (25.0, 0.0)),
        ({"highway": "residential", "access": "private"}, None),
        ({"highway": "residential", "access": "no", "motor_vehicle": "destination"}, (25.0, 25.0)),
        ({"highway": "residential", "area": "yes"}, None),
        ({"highway": "residential", "impassable": "yes"}, None),
        ({"highway": "track"}, None),
        ({"route": "ferry"}, None),
        ({"route": "ferry", "motorcar": "yes"}, (8.0, 8.0)),
        ({}, None),
    ],
)
def test_car_profile(tags: dict[str, str], speeds: tuple[float, float] | None) -> None:
    assert CAR.speeds_kmh(tags) == speeds


def test_other_profiles() -> None:
    assert PROFILES["foot"].speeds_kmh({"highway": "residential", "oneway": "yes"}) == (5.0, 5.0)
    assert PROFILES["foot"].speeds_kmh({"highway": "steps"}) == (3.0, 3.0)
    assert PROFILES["foot"].speeds_kmh({"highway": "motorway"}) is None
    motorcycle = PROFILES["motorcycle"]
    assert motorcycle.speeds_kmh({"highway": "track"}) == (15.0, 15.0)
    assert motorcycle.speeds_kmh({"highway": "residential", "oneway": "yes", "oneway:motorcycle": "no"}) == (
        25.0,
        25.0,
    )
    assert motorcycle.may_pass({"barrier": "bollard"})
    assert not CAR.may_pass({"barrier": "bollard"})
    assert CAR.may_pass({"barrier": "bollard", "motor_vehicle": "yes"})
    assert parse_speed_kmh(None) is None


def test_where_one_stands_is_no_way_round_a_one_way_street(tmp_path: Path) -> None:
    """One by one or many at once, a spot snaps to the same place but for rounding, and is not behind itself."""
    graph = town(tmp_path)
    rng = np.random.default_rng(4)
    lon = rng.uniform(117.0005, 117.0195, 60)
    lat = 34.02 + rng.uniform(-5e-5, 5e-5, 60)
    for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
        field = graph.field_to(x, y)
        assert field.seconds_at(x, y) == pytest.approx(0.0, abs=1e-4)
        assert field.seconds(graph.snap(x, y))[0] == pytest.approx(0.0, abs=1e-4)
