"""What turns, lights and restrictions over ways cost, and how roundabouts and U-turns are told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gis.roads import PROFILES, Profile, RoadGraph, Step
from gis.roads.profiles import TurnCosts, parse_duration_s, parse_speed_kmh
from gis.roads.read import NodeWait, RoadFacts, RoadWay, TurnRestriction, read_roads

CAR = PROFILES["car"]
PLAIN = replace(CAR, turns=None)
LON_M, LAT_M = 111_320 * math.cos(math.radians(34.0)), 110_922

# A main road along x, a side road crossing it at node 3, another parallel to it further north.
#            8 ---- 9
#            |      |
#   1 - 2 -- 3 ---- 4 - 5
#            |
#            6
SPOTS = {
    1: (-600, 0),
    2: (-300, 0),
    3: (0, 0),
    4: (300, 0),
    5: (600, 0),
    6: (0, -300),
    7: (8, 0),
    8: (0, 300),
    9: (300, 300),
}


def lonlat(x: float, y: float) -> tuple[float, float]:
    return 117.0 + x / LON_M, 34.0 + y / LAT_M


def road(number: int, *nodes: int, kmh: float = 60.0, back: bool = True, **more: object) -> RoadWay:
    lon, lat = zip(*(lonlat(*SPOTS[n]) for n in nodes), strict=True)
    return RoadWay(number, nodes, lon, lat, kmh, kmh if back else 0.0, None, f"{number}路", "primary", **more)  # type: ignore[arg-type]


MAIN, SIDE, EAST, NORTH = road(1, 1, 2, 3, 4, 5), road(2, 6, 3, 8), road(3, 4, 9), road(4, 8, 9)
TOWN = [MAIN, SIDE, EAST, NORTH]


def graph(
    ways: list[RoadWay] = TOWN,
    *,
    profile: Profile = CAR,
    turns: list[TurnRestriction] = [],  # noqa: B006
    waits: Mapping[int, NodeWait] | None = None,
) -> RoadGraph:
    return RoadGraph.from_facts(RoadFacts(ways, frozenset(), turns, Counter(), waits or {}), profile)


def seconds(town: RoadGraph, start: tuple[float, float], end: tuple[float, float]) -> float:
    return town.field_to(*lonlat(*end)).seconds_at(*lonlat(*start))


def test_a_turn_to_the_left_costs_more_than_one_to_the_right_and_going_straight_nothing() -> None:
    free, dear = graph(profile=PLAIN), graph()
    start = (-150, 0)

    def extra(end: tuple[float, float]) -> float:
        return seconds(dear, start, end) - seconds(free, start, end)

    assert extra((150, 0)) == pytest.approx(0.0, abs=1e-6)
    right, left = extra((0, -150)), extra((0, 150))
    assert left - right == pytest.approx(TurnCosts().gives_way_s, abs=0.1)
    assert 2.0 < right < 6.0
    # A bend in the only road is no turn, and quiet streets have their turns in their speed.
    assert seconds(dear, (0, 200), (300, 200)) == pytest.approx(seconds(free, (0, 200), (300, 200)))
    quiet = [road(way.id, *way.nodes, kmh=20.0) for way in TOWN]
    assert seconds(graph(quiet), start, (0, 150)) == pytest.approx(
        seconds(graph(quiet, profile=PLAIN), start, (0, 150))
    )


def test_only_junctions_where_turns_cost_are_split() -> None:
    plain = graph(profile=PLAIN)
    assert plain.arrays.vertices == plain.junctions == 7
    quiet = [road(way.id, *way.nodes, kmh=20.0) for way in TOWN]
    assert graph(quiet).arrays.vertices == 7
    assert graph().arrays.vertices > 7


def test_nobody_turns_round_at_a_junction_to_save_a_turn() -> None:
    # Eight metres ahead lights stand on the open road: to them, round, and to the right would be quicker.
    ways = [road(1, 1, 2, 3, 7, 4, 5), *TOWN[1:]]
    town = graph(ways, waits={7: NodeWait(0.1)})
    route = town.field_to(*lonlat(0, 150)).route(*lonlat(-150, 0))
    assert route is not None
    assert [step.maneuver for step in route.steps] == ["depart", "left", "arrive"]


def test_lights_make_those_wait_whom_they_face() -> None:
    east, west = ((-500, 0), (-100, 0)), ((-100, 0), (-500, 0))
    for facing, expected in ((0, (9.0, 9.0)), (1, (9.0, 0.0)), (-1, (0.0, 9.0))):
        lit = graph(waits={2: NodeWait(9.0, facing)})
        extra = [seconds(lit, *way) - seconds(graph(), *way) for way in (east, west)]
        assert extra == pytest.approx(expected)
    # Who starts behind the lights does not wait, and who stops before them neither.
    lit = graph(waits={2: NodeWait(9.0)})
    assert seconds(lit, (-250, 0), (-100, 0)) == pytest.approx(seconds(graph(), (-250, 0), (-100, 0)))
    assert seconds(lit, (-500, 0), (-350, 0)) == pytest.approx(seconds(graph(), (-500, 0), (-350, 0)))


def test_a_restriction_over_a_way_binds_only_those_who_came_by_its_first() -> None:
    # From the side road over the main road into the eastern one: forbidden; along the main road it is allowed.
    bound = graph(
        [road(1, 1, 2, 3), road(7, 3, 4), road(8, 4, 5), *TOWN[1:]],
        profile=PLAIN,
        turns=[TurnRestriction(2, 0, 3, "no_left_turn", (7,))],
    )
    free = graph([road(1, 1, 2, 3), road(7, 3, 4), road(8, 4, 5), *TOWN[1:]], profile=PLAIN)
    assert bound.skipped == {}
    side, main, end = (0, -150), (-150, 0), (300, 150)
    assert seconds(bound, side, end) > seconds(free, side, end) + 10
    assert seconds(bound, main, end) == pytest.approx(seconds(free, main, end))
    assert seconds(bound, side, (450, 0)) == pytest.approx(seconds(free, side, (450, 0)))
    route = bound.field_to(*lonlat(*end)).route(*lonlat(*side))
    assert route is not None
    assert route.duration_s == pytest.approx(seconds(bound, side, end))
    assert sum(step.duration_s for step in route.steps) == pytest.approx(route.duration_s)
    only = graph(
        [road(1, 1, 2, 3), road(7, 3, 4), road(8, 4, 5), *TOWN[1:]],
        profile=PLAIN,
        turns=[TurnRestriction(2, 0, 8, "only_straight_on", (7,))],
    )
    assert seconds(only, side, end) == pytest.approx(seconds(bound, side, end))
    nowhere = graph(
        turns=[TurnRestriction(2, 0, 2, "no_left_turn", (4,)), TurnRestriction(9, 3, 2, "no_u_turn")]
    )
    assert nowhere.skipped == {"restriction_without_effect": 2}


def test_a_closed_road_cuts_the_chain_of_a_restriction_too() -> None:
    ways = [road(1, 1, 2, 3), road(7, 3, 4), road(8, 4, 5), *TOWN[1:]]
    town = graph(ways, turns=[TurnRestriction(2, 0, 3, "no_left_turn", (7,))])
    edge = int(np.flatnonzero(town.arrays.way == 7)[0])
    closed = town.closed([2 * edge, 2 * edge + 1])
    other = graph([way for way in ways if way.id != 7])
    for start, end in (((0, -150), (300, 150)), ((-150, 0), (450, 0))):
        # Where the closed road still branches off, going round the corner is a turn.
        assert 0.0 <= seconds(closed, start, end) - seconds(other, start, end) < 8.0


def roundabout() -> RoadGraph:
    """A ring at the middle with roads to the west (30), south (31), east (32) and north (33)."""
    angles = np.radians([180, 270, 0, 90])
    SPOTS.update({20 + k: (30 * math.cos(a), 30 * math.sin(a)) for k, a in enumerate(angles)})
    SPOTS.update({30 + k: (300 * math.cos(a), 300 * math.sin(a)) for k, a in enumerate(angles)})
    ring = road(100, 20, 21, 22, 23, 20, back=False, roundabout=True)
    return graph([ring, *(road(101 + k, 30 + k, 20 + k) for k in range(4))])


@pytest.mark.parametrize(("towards", "exit_"), [(31, 1), (32, 2), (33, 3)])
def test_the_exits_of_a_roundabout_are_counted(towards: int, exit_: int) -> None:
    town = roundabout()
    x, y = SPOTS[towards]
    route = town.field_to(*lonlat(0.9 * x, 0.9 * y)).route(*lonlat(-200, 0))
    assert route is not None
    assert [(step.maneuver, step.exit) for step in route.steps] == [
        ("depart", 0),
        ("roundabout", exit_),
        ("arrive", 0),
    ]
    ordinals = {1: ("第一", "1st"), 2: ("第二", "2nd"), 3: ("第三", "3rd")}
    zh, en = ordinals[exit_]
    name = f"{101 + towards - 30}路"
    assert route.steps[1].text() == f"170 米后进入环岛，从{zh}出口驶出，进入{name}"
    assert route.steps[1].text("en") == f"In 170 m, enter the roundabout and take the {en} exit onto {name}"
    on_ring = town.field_to(*lonlat(0, -30)).route(*lonlat(-200, 0))
    assert on_ring is not None
    assert on_ring.steps[1].text() == "170 米后进入环岛"


def test_turning_round_at_the_end_of_a_road_is_told() -> None:
    # The median keeps the two halves apart until the end of the road, where one turns.
    half = [road(1, 1, 2, back=False), road(2, 2, 3), road(3, 2, 6, back=False), road(4, 6, 1)]
    turns = [TurnRestriction(1, 2, 3, "no_right_turn")]
    town = graph(half, turns=turns)
    route = town.field_to(*lonlat(-100, -200)).route(*lonlat(-450, 0))
    assert route is not None
    told = [step for step in route.steps if step.maneuver == "uturn"]
    assert len(told) == 1
    assert told[0].text() == "300 米后掉头，沿2路行驶"
    assert told[0].text("en") == "In 300 m, make a U-turn on 2路"


def test_steps_say_where_the_water_ends() -> None:
    assert Step("ashore", "北岸路", 900.0, 9.0, 0.0, 0.0, 0.0).text() == "900 米后下渡船，沿北岸路行驶"
    assert Step("uturn", "", 40.0, 9.0, 0.0, 0.0, 0.0).text() == "40 米后掉头"


@pytest.mark.parametrize(
    ("tags", "speeds"),
    [
        ({"highway": "residential", "oneway": "yes", "oneway:motor_vehicle": "no"}, (25.0, 25.0)),
        ({"highway": "residential", "oneway:bicycle": "yes"}, (25.0, 25.0)),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, (25.0, 0.0)),
        ({"highway": "residential", "motor_vehicle:backward": "no"}, (25.0, 0.0)),
        ({"highway": "residential", "access:forward": "no"}, (0.0, 25.0)),
        ({"highway": "residential", "access:forward": "no", "motorcar": "yes"}, (25.0, 25.0)),
        ({"highway": "motorway_link", "oneway": "-1"}, (0.0, 45.0)),
        ({"highway": "primary", "maxspeed": "signals"}, (60.0, 60.0)),
        ({"highway": "primary", "maxspeed": "CN:urban"}, (40.0, 40.0)),
        ({"highway": "primary", "maxspeed": "80;60"}, (48.0, 48.0)),
    ],
)
def test_tags_of_ways(tags: dict[str, str], speeds: tuple[float, float]) -> None:
    assert CAR.speeds_kmh(tags) == pytest.approx(speeds)


def test_waits_by_means_of_travel() -> None:
    lights, gate = {"highway": "traffic_signals"}, {"barrier": "lift_gate"}
    waits = {name: (profile.wait_s(lights), profile.wait_s(gate)) for name, profile in PROFILES.items()}
    assert waits == {"car": (4.0, 8.0), "motorcycle": (3.0, 4.0), "foot": (8.0, 0.0)}
    assert CAR.ferry_boarding_s({"interval": "00:40"}) == 1200.0
    assert CAR.ferry_boarding_s({"interval": "now and then"}) == CAR.boarding_s
    assert parse_duration_s("PT1H5M") == 3900.0
    assert parse_speed_kmh("walk") == 7.0


def test_lights_and_ways_of_restrictions_are_read(tmp_path: Path) -> None:
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{lonlat(*spot)[0]}" lat="{lonlat(*spot)[1]}">'
        + (
            '<tag k="highway" v="traffic_signals"/><tag k="traffic_signals:direction" v="backward"/>'
            if n == 2
            else ""
        )
        + "</node>"
        for n, spot in sorted(SPOTS.items())
    )
    ways = "".join(
        f'<way id="{way.id}" version="1">'
        + "".join(f'<nd ref="{n}"/>' for n in way.nodes)
        + '<tag k="highway" v="primary"/></way>'
        for way in TOWN
    )
    member = '<member type="{}" ref="{}" role="{}"/>'
    over = "".join(member.format("way", ref, role) for ref, role in ((2, "from"), (1, "via"), (3, "to")))
    both = over + member.format("node", 3, "via")
    tags = '<tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/>'
    relations = f'<relation id="1" version="1">{over}{tags}</relation>'
    relations += f'<relation id="2" version="1">{both}{tags}</relation>'
    path = tmp_path / "town.osm"
    path.write_text(f"<?xml version='1.0'?><osm version='0.6'>{nodes}{ways}{relations}</osm>", "utf-8")
    facts = read_roads(path, CAR)
    assert facts.waits == {2: NodeWait(4.0, -1)}
    assert facts.restrictions == [TurnRestriction(2, 0, 3, "no_left_turn", (1,))]
    assert facts.skipped == {"restriction_malformed": 1}
    assert read_roads(path, PROFILES["foot"]).restrictions == []


def test_a_graph_of_the_format_before_is_still_read(tmp_path: Path) -> None:
    town = graph(profile=PLAIN)
    town.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as file:
        kept = {
            name: file[name]
            for name in file.files
            if name not in ("out_head", "out_s", "roundabout", "header")
        }
        header = file["header"].tobytes().replace(b'"format": 2', b'"format": 1')
    np.savez(tmp_path / "old.npz", header=np.frombuffer(header, dtype=np.uint8), **kept)
    old = RoadGraph.load(tmp_path / "old.npz")
    for start, end in pairwise([(-150, 0), (0, 150), (300, 150), (450, 0)]):
        assert seconds(old, start, end) == pytest.approx(seconds(town, start, end))
