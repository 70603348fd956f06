"""Trips follow the roads at the roads' own pace."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command.demo.simulator.roads import Roads, Trip, metres, shifted
from gis.roads import PROFILES, RoadGraph

STEP = 0.01
WEST, SOUTH = 106.9, 37.2
NODES = {n: (WEST + STEP * ((n - 1) % 3), SOUTH + STEP * ((n - 1) // 3)) for n in range(1, 10)}


def write_town(path: Path) -> Path:
    """Nine crossings, a kilometre apart; the middle street is fast, the others slow."""
    nodes = "".join(f'<node id="{n}" version="1" lon="{x}" lat="{y}"/>' for n, (x, y) in NODES.items())
    ways = ""
    for number, (members, kind) in enumerate(
        [
            ((1, 2, 3), "residential"),
            ((4, 5, 6), "primary"),
            ((7, 8, 9), "residential"),
            ((1, 4, 7), "residential"),
            ((2, 5, 8), "residential"),
            ((3, 6, 9), "residential"),
        ],
        start=1,
    ):
        refs = "".join(f'<nd ref="{n}"/>' for n in members)
        tags = f'<tag k="highway" v="{kind}"/><tag k="name" v="{number} 街"/>'
        ways += f'<way id="{number}" version="1">{refs}{tags}</way>'
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{nodes}{ways}</osm>', "utf-8")
    return path


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Roads:
    folder = tmp_path_factory.mktemp("town")
    source = write_town(folder / "town.osm")
    for name in ("car", "foot"):
        RoadGraph.from_pbf(source, PROFILES[name]).save(folder / f"roads-{name}.npz")
    return Roads(folder)


def off_road_m(roads: Roads, lon: float, lat: float) -> float:
    graph = roads.graph("car")
    assert graph is not None
    snap = graph.snap_one(lon, lat)
    assert snap is not None
    return snap[2]


inside = st.floats(0.0, 2 * STEP)


@settings(max_examples=40, deadline=None)
@given(inside, inside, inside, inside)
def test_a_trip_keeps_to_the_roads_and_never_turns_back_in_time(
    roads: Roads, x0: float, y0: float, x1: float, y1: float
) -> None:
    start, end = (WEST + x0, SOUTH + y0), (WEST + x1, SOUTH + y1)
    trip = roads.trip("car", start, end)
    assert trip is not None
    assert trip.by_road
    first, last = off_road_m(roads, *start), off_road_m(roads, *end)
    along, seconds = -1.0, 0.0
    while seconds <= trip.duration_s + 1:
        here = trip.at(seconds)
        # Only the way from the door to the road and from the road to the place may be off it.
        walked = trip.metres_at(seconds)
        if first + 3 < walked < trip.distance_m - last - 3:
            assert off_road_m(roads, here.lon, here.lat) < 2.0
        assert trip.metres_at(seconds) >= along
        along = trip.metres_at(seconds)
        assert 0 <= here.speed_kmh < 62
        seconds += 2.0
    assert metres(trip.at(0).place, start) < 2.5
    assert metres(trip.at(trip.duration_s).place, end) < 2.5


def test_speeds_are_those_of_the_roads(roads: Roads) -> None:
    trip = roads.trip("car", NODES[1], NODES[6])
    assert trip is not None
    speeds = {round(trip.at(s).speed_kmh / 5) * 5 for s in range(5, int(trip.duration_s) - 5)}
    assert 25 in speeds  # residential
    assert 60 in speeds  # primary
    on_foot = roads.trip("foot", NODES[1], NODES[2])
    assert on_foot is not None
    assert on_foot.at(60).speed_kmh == pytest.approx(5.0, abs=0.2)
    slower = roads.trip("foot", NODES[1], NODES[2], pace=1.25)
    assert slower is not None
    assert slower.duration_s == pytest.approx(1.25 * on_foot.duration_s)


def test_heading_is_clockwise_from_north(roads: Roads) -> None:
    east = roads.trip("car", NODES[4], NODES[6])
    north = roads.trip("car", NODES[1], NODES[7])
    assert east is not None
    assert north is not None
    assert east.at(30).heading_deg == pytest.approx(90, abs=1)
    assert north.at(30).heading_deg == pytest.approx(0, abs=1) or north.at(30).heading_deg > 359


def test_too_far_is_not_planned_and_no_road_is_crossed_straight(roads: Roads, tmp_path: Path) -> None:
    assert roads.trip("car", NODES[1], NODES[9], limit_s=20.0) is None
    assert roads.trip("motorcycle", NODES[1], NODES[9]) is None
    assert roads.surely("motorcycle", NODES[1], NODES[9]).by_road  # pushed along the footways
    across = Roads(tmp_path).surely("foot", NODES[1], NODES[2])
    assert not across.by_road
    assert across.at(0.0).place == NODES[1]
    assert metres(across.at(across.duration_s).place, NODES[2]) < 0.01


def test_a_trip_to_where_one_stands_ends_there(roads: Roads) -> None:
    trip = roads.trip("car", NODES[5], NODES[5])
    assert trip is not None
    assert metres(trip.at(trip.duration_s).place, NODES[5]) < 1.0


def test_strolls_lead_to_roads_within_reach(roads: Roads) -> None:
    found = roads.near("car", NODES[5], (500.0, 1500.0), 10, random.Random(1))
    assert found
    assert all(500 <= metres(place, NODES[5]) <= 1500 for place in found)
    assert roads.near("motorcycle", NODES[5], (0, 9e9), 3, random.Random(1)) == []


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_a_shift_by_metres_is_as_long_as_it_says(east: float, north: float) -> None:
    there = shifted((106.9, 37.2), east, north)
    assert metres((106.9, 37.2), there) == pytest.approx((east**2 + north**2) ** 0.5, abs=0.5)


def test_a_trip_without_length_stands_still() -> None:
    trip = Trip([(1.0, 2.0), (1.0, 2.0)], [(0.0, 0.0), (1.0, 0.0)], by_road=False)
    assert trip.at(0.5).place == (1.0, 2.0)
