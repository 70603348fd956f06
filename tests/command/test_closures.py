"""Road closures: what is decided, what the clock does, and that nothing is ever sent through one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from command import closures
from command.clock import rfc3339
from command.closures import MOST_LIVE, Closure, Survey, Wish
from command.district import Approaches, District
from command.errors import IllegalTransition, Malformed, NotFound, StaleVersion
from command.events import SYSTEM, Event
from command.geography.atlas import Atlas
from command.geography.traffic import Traffic
from gis.closing import closed_lines, closed_roads, ground_of
from gis.roads.closures import Blockage
from tests.command.office import Office
from tests.command.world import COLLEAGUE, DISPATCHER, START, World
from tests.fixtures import CELL, COUNTY, G1, G2, G3, SOUTH, WEST, middle

STREET = ((116.8030, 33.9075), (116.8070, 33.9075))
"""Across the street that runs from the middle of G1 to the north."""
FOUND = Survey("东河社区", ("纵1路",), 556.6, (G1,))


def wish(**more: Any) -> Wish:
    return Wish(**{"reason": "路面塌陷", "kind": "line", "coordinates": STREET, **more})


def draw(world: World, key: str = "x1", **more: Any) -> Closure:
    world.take(lambda p, c: closures.decide_draw(p, key, wish(**more), FOUND, c))
    return world.board.closures[key]


def change(world: World, expected_version: int | None = None, **more: Any) -> Closure:
    world.take(
        lambda p, c: closures.decide_change(
            p, "x1", wish(**more), FOUND, c, expected_version=expected_version
        ),
        COLLEAGUE,
    )
    return world.board.closures["x1"]


def look(world: World, after_s: float) -> list[str]:
    world.clock.advance(after_s)
    due = closures.any_due(world.board.closures.values(), world.clock.now())
    events = [event.type for event in world.take(closures.decide_due, SYSTEM)]
    assert due == bool(events)
    return events


@pytest.fixture
def world() -> World:
    return World()


def test_a_closure_drawn_for_now_is_in_force_until_somebody_ends_it(world: World) -> None:
    drawn = draw(world, reason="  路面\n塌陷 ")
    assert (drawn.state, drawn.reason, drawn.starts_at, drawn.started_at) == (
        "in_force",
        "路面 塌陷",
        rfc3339(START),
        rfc3339(START),
    )
    assert (drawn.drawn_by_name, drawn.roads, drawn.areas) == ("调度席 沈知行", ("纵1路",), (G1,))
    assert drawn.profiles == ("car", "motorcycle"), "people on foot get through"
    assert look(world, 86_400) == []
    world.take(lambda p, c: closures.decide_end(p, "x1", c, reason=" 抢修完成 "), COLLEAGUE)
    ended = world.board.closures["x1"]
    assert (ended.state, ended.ended_by, ended.ended_by_name, ended.end_reason, ended.version) == (
        "ended",
        COLLEAGUE.id,
        COLLEAGUE.name,
        "抢修完成",
        2,
    )
    with pytest.raises(IllegalTransition):
        world.take(lambda p, c: closures.decide_end(p, "x1", c))
    with pytest.raises(IllegalTransition):
        change(world)
    with pytest.raises(NotFound):
        world.take(lambda p, c: closures.decide_end(p, "x9", c))


def test_the_clock_begins_and_ends_what_was_planned(world: World) -> None:
    starts = START + timedelta(minutes=10)
    drawn = draw(world, starts_at=starts, ends_at=starts + timedelta(minutes=30))
    assert (drawn.state, drawn.started_at) == ("planned", None)
    assert look(world, 599) == []
    assert look(world, 1) == ["closure.started"]
    assert world.board.closures["x1"].started_at == rfc3339(starts)
    assert look(world, 1799) == []
    assert look(world, 1) == ["closure.ended"]
    assert world.board.closures["x1"].ended_by == "system"
    assert look(world, 1) == []


def test_what_was_missed_as_a_whole_ends_without_having_begun(world: World) -> None:
    draw(world, starts_at=START + timedelta(minutes=1), ends_at=START + timedelta(minutes=2))
    assert look(world, 3600) == ["closure.ended"]
    assert world.board.closures["x1"].started_at is None


def test_a_change_names_the_version_it_was_decided_on(world: World) -> None:
    draw(world)
    assert change(world, 1, direction="along").version == 2
    with pytest.raises(StaleVersion):
        change(world, 1, direction="against")
    count = len(world.events)
    change(world, direction="along")
    assert len(world.events) == count, "the same again says nothing"
    until = START + timedelta(hours=2)
    assert change(world, ends_at=until).ends_at == rfc3339(until)
    with pytest.raises(Malformed) as caught:
        change(world, starts_at=START + timedelta(hours=1))
    assert caught.value.field == "starts_at", "it has begun already"


def test_a_plan_brought_forward_is_in_force(world: World) -> None:
    draw(world, starts_at=START + timedelta(hours=1))
    world.clock.advance(60)
    begun = change(world, starts_at=world.clock.now())
    assert (begun.state, begun.started_at) == ("in_force", rfc3339(world.clock.now()))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"reason": " \n "}, "reason"),
        ({"reason": "长" * 201}, "reason"),
        ({"coordinates": STREET[:1]}, "coordinates"),
        ({"coordinates": (STREET[0], STREET[0])}, "coordinates"),
        ({"coordinates": ((116.8, float("nan")), STREET[0])}, "coordinates"),
        ({"coordinates": STREET * 251}, "coordinates"),
        ({"kind": "polygon", "direction": "both"}, "coordinates"),
        ({"kind": "point", "coordinates": STREET[:1], "direction": "along"}, "direction"),
        ({"profiles": ()}, "profiles"),
        ({"profiles": ("tram",)}, "profiles"),
        ({"starts_at": START - timedelta(days=2)}, "starts_at"),
        ({"starts_at": START + timedelta(days=400)}, "starts_at"),
        ({"ends_at": START}, "ends_at"),
        ({"starts_at": START - timedelta(hours=2), "ends_at": START - timedelta(hours=1)}, "ends_at"),
        ({"ends_at": START + timedelta(days=800)}, "ends_at"),
    ],
)
def test_a_wish_that_makes_no_sense_names_its_field(world: World, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        draw(world, **more)
    assert caught.value.field == field
    assert world.board.closures == {}


def test_a_centre_keeps_so_many_at_a_time(world: World) -> None:
    made = draw(world)
    world.board.closures.update({f"y{n}": made for n in range(MOST_LIVE - 1)})
    with pytest.raises(Malformed):
        draw(world, "x2")


async def test_the_watch_turns_closures_and_sends_new_arrival_times(
    office: Office, district: District
) -> None:
    incident = await office.report(G1)
    office.place("w2", *middle(G2))
    (job,) = await office.dispatch(incident, "w2")
    await office.say(job, "sign", "en_route")
    await office.look()
    (before,) = [eta for eta in office.etas if eta.assignment_id == job]
    survey = await office.do.closures.survey(wish())
    assert (survey.roads, survey.areas, survey.outside) == (("纵1路",), (G1,), False)
    assert survey.length_m == pytest.approx(556, abs=3)
    starts = office.clock.now() + timedelta(seconds=5)
    planned = wish(starts_at=starts, ends_at=starts + timedelta(seconds=60))
    await office.do.closures.draw(DISPATCHER, planned, survey)
    assert await office.look(4) == []
    assert await office.look(1) == ["closure.started"]
    assert await office.look(60) == ["closure.ended"]
    office.etas.clear()
    assert await office.look(1) == []
    assert office.etas == [], "nothing moved and no road changed"
    # The trimming of the board takes ended closures along.
    assert await office.look(90_000) == ["board.trimmed"]
    assert office.board.closures == {}
    assert before.eta_s is not None


async def test_a_closed_road_changes_the_arrival_time_of_who_is_on_the_way(
    office: Office, district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = Atlas(district)
    for holder in (office.do, office.proposals, office.proposals.approaches):
        monkeypatch.setattr(holder, "_district", lambda: atlas.district)
    traffic = Traffic(office.board.closures, atlas)
    publish = office.events.append

    def tell(event: Event) -> None:
        publish(event)
        traffic.apply(event)

    monkeypatch.setattr(office.desk, "_publish", tell)
    running = asyncio.create_task(traffic.run())
    incident = await office.report(G1)
    office.place("w2", *middle(G2))
    (job,) = await office.dispatch(incident, "w2")
    await office.say(job, "sign", "en_route")
    await office.look()
    free = office.etas[-1].eta_s
    drawn = await office.do.closures.draw(DISPATCHER, wish(), FOUND)
    await traffic.settled()
    assert atlas.district is not district
    await office.look()
    closed = office.etas[-1].eta_s
    await office.do.closures.end(DISPATCHER, drawn.answer["id"])
    await traffic.settled()
    await office.look()
    assert free is not None
    assert closed is not None
    assert closed > free + 30
    assert office.etas[-1].eta_s == free
    # An import in between keeps the roads closed.
    drawn = await office.do.closures.draw(DISPATCHER, wish(), FOUND)
    await traffic.settled()
    atlas.replace(district)
    await traffic.settled()
    assert len(atlas.district.closures) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_what_a_drawing_closes_is_named_measured_and_placed(district: District) -> None:
    graph = district.roads.graphs["car"]
    box = ((116.799, 33.899), (116.816, 33.899), (116.816, 33.906), (116.799, 33.906))
    area = Blockage("polygon", box, buffer_m=0.0)
    found = closed_roads(graph, area)
    assert found.names[:2] == ("横0路", "横1路")
    assert found.length_m == pytest.approx(graph.arrays.length_m[found.edges].sum())
    codes, outside = ground_of(district.areas, area)
    assert codes == (G1, G3)
    assert outside, "a strip lies west and south of the county"
    assert ground_of(district.areas, Blockage("point", (middle(G1),))) == ((G1,), False)
    assert ground_of(district.areas, Blockage("point", ((110.0, 30.0),))) == ((), True)
    along = Blockage("line", ((116.8049, 33.905), (116.81, 33.905)), "along")
    against = Blockage("line", ((116.8049, 33.905), (116.81, 33.905)), "against")
    (east,), (west,) = closed_lines(graph, along), closed_lines(graph, against)
    assert east == west[::-1]
    assert east[0][0] < east[-1][0]
    border = Blockage("line", ((WEST + CELL, SOUTH + 0.001), (WEST + CELL, SOUTH + 0.009)))
    assert not ground_of(district.areas, border)[1]


def test_too_many_grids_are_told_as_what_is_above_them(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis.closing.MOST_CODES", 3)
    everywhere = Blockage(
        "polygon", ((116.8001, 33.9001), (116.8399, 33.9001), (116.8399, 33.9199), (116.8001, 33.9199))
    )
    codes, outside = ground_of(district.areas, everywhere)
    assert codes == ("340604001", "340604010", "340604011")
    assert not outside
    monkeypatch.setattr("gis.closing.MOST_CODES", 2)
    assert ground_of(district.areas, everywhere)[0] == (COUNTY,)


INSIDE = st.tuples(st.floats(116.802, 116.838), st.floats(33.902, 33.918))


@given(
    drawn=st.lists(
        st.one_of(
            st.tuples(st.just("line"), st.lists(INSIDE, min_size=2, max_size=4, unique=True)),
            st.tuples(st.just("point"), st.lists(INSIDE, min_size=1, max_size=1)),
        ),
        min_size=1,
        max_size=4,
    ),
    start=INSIDE,
    goal=INSIDE,
)
def test_nobody_is_ever_sent_through_a_closed_road(
    district: District, drawn: list[tuple[Any, Any]], start: tuple[float, float], goal: tuple[float, float]
) -> None:
    blockages = [Blockage(kind, tuple(points)) for kind, points in drawn]
    now = district.with_closures(blockages)
    graph = district.roads.graphs["car"]
    closed = shapely.MultiLineString([line for one in blockages for line in closed_lines(graph, one)])
    approaches = Approaches(now, *goal)
    route = approaches.route("car", *start)
    (travel,) = approaches.travel(["car"], [start[0]], [start[1]])
    if route is None:
        assert travel.eta_s is None or travel.method == "straight_line"
        return
    assert travel.eta_s == pytest.approx(route.duration_s, abs=0.5)
    if len(route.coordinates) > 1:
        way = shapely.LineString(route.coordinates)
        assert shapely.intersection(way, shapely.buffer(closed, 1e-9)).length < 2e-6


def test_one_closure_after_the_other_closes_the_same_as_both_at_once(district: District) -> None:
    first = Blockage("line", ((116.803, 33.9075), (116.807, 33.9075)))
    second = Blockage("point", ((116.8125, 33.91),), profiles=frozenset({"car"}))
    step = district.with_closures([first]).with_closures([first, second])
    once = district.with_closures([first, second])
    for name, graph in district.roads.graphs.items():
        heads = [d.nearest.graphs[name].arrays.lane_head for d in (step, once)]
        assert (heads[0] == heads[1]).all()
        assert (heads[0] != graph.arrays.lane_head).sum() == (4 if name == "car" else 2)
    assert once.with_closures([]).nearest is district.roads
    assert district.nearest is district.roads, "the district itself stays as it is"
