"""Roads closed on the map: which lanes a drawing hits, and what the graph says while they are closed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import BadShape
from gis.roads import PROFILES, Blockage, RoadGraph, edges_hit, lanes_hit
from gis.roads.closures import edge_lines_deg, with_closures
from gis.roads.read import RoadFacts, RoadWay, TurnRestriction

STEP = 0.004  # degrees between crossings, some 370 m by 440 m
SIDE = 5


def place(i: float, j: float) -> tuple[float, float]:
    return 117.0 + STEP * i, 34.0 + STEP * j


def way(number: int, at: list[tuple[int, int]], *, back: bool = True) -> RoadWay:
    lon, lat = zip(*(place(i, j) for i, j in at), strict=True)
    return RoadWay(
        id=number,
        nodes=tuple(10 * i + j + 1 for i, j in at),
        lon=lon,
        lat=lat,
        forward_kmh=36.0,
        backward_kmh=36.0 if back else 0.0,
        duration_s=None,
        name=f"{number}路",
        road_class="residential",
    )


def facts(*, restrictions: list[TurnRestriction] = [], oneway: int = -1) -> RoadFacts:  # noqa: B006
    """Five streets to the east (0 to 4) and five to the north (5 to 9)."""
    ways = [way(j, [(i, j) for i in range(SIDE)], back=j != oneway) for j in range(SIDE)]
    ways += [way(SIDE + i, [(i, j) for j in range(SIDE)]) for i in range(SIDE)]
    return RoadFacts(ways, frozenset(), restrictions, Counter())


@pytest.fixture(scope="module")
def town() -> RoadGraph:
    return RoadGraph.from_facts(facts(oneway=4), PROFILES["car"])


def blockage(*at: tuple[float, float], kind: Any = "line", **more: Any) -> Blockage:
    return Blockage(kind, tuple(place(*spot) for spot in at), **more)


def hit(graph: RoadGraph, drawn: Blockage) -> list[tuple[int, list[tuple[float, float]]]]:
    """Street, and its two ends in steps, of each edge that a drawing hits."""
    found = []
    edges = edges_hit(graph, drawn)
    for edge, line in zip(edges.tolist(), edge_lines_deg(graph, edges), strict=True):
        ends = [(round((lon - 117.0) / STEP, 1), round((lat - 34.0) / STEP, 1)) for lon, lat in line]
        found.append((int(graph.arrays.way[edge]), ends))
    return found


def test_along_a_street_the_streets_it_crosses_stay_open(town: RoadGraph) -> None:
    drawn = blockage((0.5, 2.01), (1.0, 1.99), (2.5, 2.0))
    assert [street for street, _ in hit(town, drawn)] == [2, 2, 2]
    assert len(lanes_hit(town, drawn)) == 6
    # A little beyond a crossing is still no closure of the next stretch.
    assert hit(town, blockage((0.0, 2.0), (1.02, 2.0))) == [(2, [(0.0, 2.0), (1.0, 2.0)])]


def test_only_one_direction(town: RoadGraph) -> None:
    east = blockage((0.2, 2.0), (0.8, 2.0), direction="along")
    west = blockage((0.8, 2.0), (0.2, 2.0), direction="along")
    against = blockage((0.2, 2.0), (0.8, 2.0), direction="against")
    (edge,) = edges_hit(town, east).tolist()
    assert lanes_hit(town, east).tolist() == [2 * edge]
    assert lanes_hit(town, west).tolist() == lanes_hit(town, against).tolist() == [2 * edge + 1]
    closed = with_closures(town, [east])
    start, end = place(0.1, 2), place(0.9, 2)
    assert closed.field_to(*end).seconds_at(*start) > town.field_to(*end).seconds_at(*start) + 60
    assert closed.field_to(*start).seconds_at(*end) == town.field_to(*start).seconds_at(*end)
    assert closed.snap_one(*start) == town.snap_one(*start)
    # The one-way street has no traffic against it to close.
    assert lanes_hit(town, blockage((0.8, 4.0), (0.2, 4.0), direction="along")).size == 0


def test_across_a_street(town: RoadGraph) -> None:
    assert hit(town, blockage((1.5, 1.9), (1.5, 2.1))) == [(2, [(1.0, 2.0), (2.0, 2.0)])]
    assert [street for street, _ in hit(town, blockage((1.5, 0.5), (1.6, 2.5)))] == [1, 2]
    # Drawn just short of the street.
    assert hit(town, blockage((1.5, 1.9), (1.5, 1.98)))[0][0] == 2
    assert hit(town, blockage((1.5, 1.5), (1.5, 1.9))) == []
    beside = blockage((0.5, 2.03), (2.5, 2.03)), blockage((0.5, 2.03), (2.5, 2.03), how="across")
    assert [[street for street, _ in hit(town, one)] for one in beside] == [[2, 2, 2], [6, 7]]


def test_a_point_and_an_area(town: RoadGraph) -> None:
    assert hit(town, blockage((2.4, 3.01), kind="point", buffer_m=50.0)) == [(3, [(2.0, 3.0), (3.0, 3.0)])]
    assert hit(town, blockage((2.4, 3.2), kind="point")) == []
    square = blockage((0.9, 0.9), (2.1, 0.9), (2.1, 2.1), (0.9, 2.1), kind="polygon", buffer_m=0.0)
    assert len(hit(town, square)) == 4 * 3
    assert hit(town, blockage((10, 10), (11, 10), (11, 11), kind="polygon")) == []


def test_only_the_profiles_that_are_meant(town: RoadGraph) -> None:
    drawn = blockage((0.2, 2.0), (0.8, 2.0), profiles=frozenset({"motorcycle"}))
    assert lanes_hit(town, drawn).size == 0
    assert with_closures(town, [drawn]) is town


@pytest.mark.parametrize(
    ("kind", "at", "more"),
    [
        ("line", [(0, 0)], {}),
        ("line", [(0, 0), (0, 0)], {}),
        ("polygon", [(0, 0), (1, 1)], {}),
        ("polygon", [(0, 0), (1, 1), (0, 1), (1, 0)], {}),
        ("line", [(0, 0), (float("nan"), 1)], {}),
        ("line", [(0, 0), (1e6, 1)], {}),
        ("line", [(0, 0), (1, 0)], {"buffer_m": -1.0}),
        ("line", [(0, 0), (1, 0)], {"buffer_m": float("nan")}),
        ("line", [(0, 0), (1, 0)], {"direction": "up"}),
        ("circle", [(0, 0), (1, 0)], {}),
        ("line", [(k / 1000, 0) for k in range(2001)], {}),
    ],
)
def test_what_is_no_drawing_is_refused(
    kind: str, at: list[tuple[float, float]], more: dict[str, Any]
) -> None:
    with pytest.raises(BadShape):
        blockage(*at, kind=kind, **more)


def test_routes_snaps_and_views_of_views(town: RoadGraph) -> None:
    first, second = blockage((1.2, 2), (1.8, 2)), blockage((1.5, 0.8), (1.5, 3.2))
    closed = with_closures(town, [first])
    start, end = place(0.9, 2), place(2.1, 2)
    before, after = town.field_to(*end).route(*start), closed.field_to(*end).route(*start)
    assert before is not None
    assert after is not None
    assert before.distance_m * 1.5 < after.distance_m
    assert after.duration_s == closed.field_to(*end).seconds_at(*start)
    # Nobody stands on a closed road: the nearest open one counts, one by one and many at once.
    lon, lat = np.array([place(1.3, 2.02), place(1.3, 2.3), place(1.3, 2.0), (float("nan"), 34.0)]).T
    snaps = closed.snap(lon, lat)
    shut = edges_hit(town, first)
    assert not set(snaps.edge.tolist()) & set(shut.tolist())
    assert set(town.snap(lon, lat).edge.tolist()) >= set(shut.tolist())
    for n in range(3):
        one = closed.snap_one(lon[n], lat[n])
        assert one is not None
        assert one == pytest.approx((snaps.edge[n], snaps.fraction[n], snaps.offset_m[n]))
    small = with_closures(RoadGraph(town.arrays, "car", max_offset_m=60.0), [first])
    assert small.snap_one(*place(1.5, 2.0)) is None
    assert small.snap(*place(1.5, 2.0)).edge.tolist() == [-1]
    both, at_once = with_closures(closed, [second]), with_closures(town, [first, second])
    assert both.field_to(*end).seconds_at(*start) == at_once.field_to(*end).seconds_at(*start)
    assert both.field_to(*end).seconds_at(*start) > after.duration_s
    assert town.field_to(*end).seconds_at(*start) == before.duration_s
    with pytest.raises(IndexError):
        town.closed([2 * town.edges])


def test_what_is_cut_off_is_out_of_reach(town: RoadGraph) -> None:
    ring = blockage((-0.2, -0.2), (0.3, -0.2), (0.3, 0.3), (-0.2, 0.3), kind="polygon", buffer_m=0.0)
    wall = blockage((0.5, -0.5), (0.5, 4.5), how="across")
    closed = with_closures(town, [wall])
    inside, outside = closed.field_to(*place(0, 1.5)), closed.field_to(*place(3, 1.5))
    assert inside.seconds_at(*place(0, 3.5)) > 0
    assert np.isnan(inside.seconds_at(*place(3, 1.5)))
    assert outside.route(*place(0, 1.5)) is None
    nothing = with_closures(town, [blockage((-1, -1), (6, -1), (6, 6), (-1, 6), kind="polygon")])
    assert not nothing.field_to(*place(1, 1)).reachable
    assert np.isnan(nothing.snap(*place(1, 1)).offset_m).all()
    assert len(edges_hit(town, ring)) == 2


turns = st.lists(
    st.builds(
        lambda street, i, j, onto, kind: (street, i, j, onto, kind),
        st.booleans(),
        st.integers(0, SIDE - 1),
        st.integers(0, SIDE - 1),
        st.booleans(),
        st.sampled_from(["no_left_turn", "only_straight_on"]),
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(
    turns=turns, shut=st.lists(st.integers(0, 2 * 2 * SIDE * (SIDE - 1) - 1), max_size=25), spot=st.randoms()
)
def test_the_view_is_the_graph_without_those_lanes(turns: list[Any], shut: list[int], spot: Any) -> None:
    """A search over lanes by hand, on the arrays of the open graph, passing over those that are closed."""
    restrictions = [
        TurnRestriction(j if east else SIDE + i, 10 * i + j + 1, SIDE + i if onto else j, kind)
        for east, i, j, onto, kind in turns
    ]
    graph = RoadGraph.from_facts(facts(restrictions=restrictions), PROFILES["car"])
    closed, a, dead = graph.closed(shut), graph.arrays, set(shut)
    target = place(spot.uniform(0, 4), spot.randint(0, 4))
    field = closed.field_to(*target)
    assert closed.edges == graph.edges
    if not field.reachable:
        return
    best = {v: field.seeds.get(v, np.inf) for v in range(a.vertices)}
    for _ in range(a.vertices):
        changed = False
        for v in range(a.vertices):
            for arc in range(a.out_start[v], a.out_start[v + 1]):
                lane = int(a.out_lane[arc])
                onward_s = a.out_s[arc] + a.lane_s[lane] + best[int(a.out_head[arc])]
                if lane not in dead and onward_s < best[v] - 1e-9:
                    best[v], changed = onward_s, True
        if not changed:
            break
    assert field.vertex_s[:-1] == pytest.approx([best[v] for v in range(a.vertices)])
    assert 2 * field.edge not in dead or 2 * field.edge + 1 not in dead
