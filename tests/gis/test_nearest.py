from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.crs import distance_m
from gis.errors import NoRoads
from gis.nearest import CROW_M_S, START_S, NearestByRoad
from gis.roads import PROFILES, RoadGraph
from gis.roads.profiles import TurnCosts
from gis.roads.read import RoadFacts, RoadWay

SIDE = 5


def lattice(profile: str = "car", *, turns: TurnCosts | None = TurnCosts()) -> RoadGraph:  # noqa: B008
    """Streets every 500 m or so, eastbound ones faster, one of them one-way."""
    spots = {(i, j): (117.0 + 0.005 * i, 34.0 + 0.005 * j) for i in range(SIDE) for j in range(SIDE)}
    node = {spot: n for n, spot in enumerate(spots)}
    lines = [[(i, j) for i in range(SIDE)] for j in range(SIDE)]
    lines += [[(i, j) for j in range(SIDE)] for i in range(SIDE)]
    ways = [
        RoadWay(
            id=number,
            nodes=tuple(node[spot] for spot in line),
            lon=tuple(spots[spot][0] for spot in line),
            lat=tuple(spots[spot][1] for spot in line),
            forward_kmh=60.0 if number < SIDE else 30.0,
            backward_kmh=0.0 if number == 2 else 30.0,
            duration_s=None,
            name=f"{number}街",
            road_class="residential",
        )
        for number, line in enumerate(lines)
    ]
    traveller = replace(PROFILES[profile], turns=turns)
    return RoadGraph.from_facts(RoadFacts(ways, frozenset(), [], Counter()), traveller)


GRAPH = lattice()
EASY = lattice(turns=None)
inside = st.tuples(st.floats(117.0, 117.02), st.floats(34.0, 34.02))


def test_without_roads_the_estimate_is_marked() -> None:
    ranked = NearestByRoad(None).rank(117.0, 34.0, [117.01, 117.0, float("nan")], [34.0, 34.0, 34.0])
    metres = float(distance_m(117.0, 34.0, 117.01, 34.0))
    assert ranked.seconds[:2] == pytest.approx([START_S + metres / CROW_M_S, START_S])
    assert np.isnan(ranked.seconds[2])
    assert ranked.method.tolist() == ["straight_line"] * 3
    assert ranked.order.tolist() == [1, 0, 2]
    assert ranked.best(5) == [1, 0]
    assert ranked.route_from(0) is None


def test_road_and_straight_line_side_by_side() -> None:
    nearest = NearestByRoad(GRAPH)
    ranked = nearest.rank(117.01, 34.01, [117.0, 117.2], [34.0, 34.0])
    assert ranked.method.tolist() == ["road", "straight_line"]
    assert ranked.distance_m[0] == pytest.approx(float(distance_m(117.01, 34.01, 117.0, 34.0)))
    route = ranked.route_from(0)
    assert route is not None
    assert route.duration_s == pytest.approx(ranked.seconds[0])
    far = nearest.rank(117.01, 34.01, [117.0], [34.0], limit_s=10.0)
    assert np.isnan(far.seconds[0])
    assert far.method.tolist() == ["road"]
    # A target away from every road: nothing can be timed by road.
    away = nearest.rank(118.0, 34.0, [117.0], [34.0])
    assert away.method.tolist() == ["straight_line"]
    assert nearest.approach(118.0, 34.0).method == "straight_line"
    assert nearest.approach(117.0, 34.0).method == "road"


def test_nobody() -> None:
    for nearest in (NearestByRoad(None), NearestByRoad(GRAPH)):
        ranked = nearest.rank(117.01, 34.01, [], [])
        assert ranked.seconds.shape == ranked.method.shape == (0,)
        assert ranked.best(5) == []


def test_equal_times_rank_by_index() -> None:
    ranked = NearestByRoad(GRAPH).rank(117.01, 34.01, [117.0, 117.005, 117.0], [34.0, 34.01, 34.0])
    assert ranked.order.tolist() == [1, 0, 2]


@given(target=inside, units=st.lists(inside, min_size=1, max_size=8))
def test_reused_field_says_the_same_as_one_search_a_unit(
    target: tuple[float, float], units: list[tuple[float, float]]
) -> None:
    nearest = NearestByRoad(GRAPH)
    approach = nearest.approach(*target)
    lon, lat = np.array(units).T
    together = approach.rank(lon, lat)
    alone = [nearest.rank(*target, [x], [y]).seconds[0] for x, y in units]
    assert together.seconds == pytest.approx(alone, abs=1e-6)
    assert together.order.tolist() == sorted(range(len(units)), key=lambda i: (together.seconds[i], i))
    for (x, y), seconds in zip(units, together.seconds, strict=True):
        assert approach.seconds_at(x, y) == (pytest.approx(seconds, abs=1e-6), "road")
        route = approach.route_from(x, y)
        assert route is not None
        assert route.duration_s == pytest.approx(seconds, abs=1e-6)
        assert sum(step.distance_m for step in route.steps) == pytest.approx(route.distance_m, abs=1e-6)


@given(a=inside, b=inside, c=inside)
def test_triangle_inequality(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> None:
    # Asked of points on the road: the walk to and from it would be counted twice on the way by b. Whoever stops
    # at b may turn round there for nothing, so turns must cost nothing.
    on_road = []
    for point in (a, b, c):
        snap = EASY.snap_one(*point)
        assert snap is not None
        spot = EASY.lines[snap[0]].interpolate(snap[1], normalized=True)
        on_road.append(tuple(float(v) for v in EASY.frame.to_lonlat(spot.x, spot.y)))
    to_c = EASY.field_to(*on_road[2])
    through = EASY.field_to(*on_road[1]).seconds_at(*on_road[0]) + to_c.seconds_at(*on_road[1])
    assert to_c.seconds_at(*on_road[0]) <= through + 1e-3


def test_profiles_for_each_candidate() -> None:
    nearest = NearestByRoad({"car": GRAPH, "foot": lattice("foot")})
    lon, lat = [117.0, 117.0], [34.0, 34.0]
    mixed = nearest.rank(117.01, 34.01, lon, lat, profile=["foot", "car"])
    cars = nearest.rank(117.01, 34.01, lon, lat)
    feet = nearest.rank(117.01, 34.01, lon, lat, profile="foot")
    assert mixed.seconds.tolist() == [feet.seconds[0], cars.seconds[1]]
    assert mixed.route_from(0) is not None
    with pytest.raises(NoRoads, match="boat"):
        nearest.rank(117.0, 34.0, lon, lat, profile="boat")
    assert NearestByRoad(None).rank(117.0, 34.0, lon, lat, profile="car").method[0] == "straight_line"


def test_position_reports_away_from_roads() -> None:
    seconds, method = NearestByRoad(GRAPH).approach(117.01, 34.01).seconds_at(117.2, 34.0)
    assert method == "straight_line"
    assert seconds > START_S
    unreached = NearestByRoad(GRAPH).approach(117.01, 34.01, limit_s=1.0).seconds_at(117.0, 34.0)
    assert np.isnan(unreached[0])
    assert unreached[1] == "road"
