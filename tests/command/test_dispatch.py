"""The order of candidates: who may go at all, then travel time, with doubt about old fixes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.dispatch import Fix, Limits, Travel, eligible, rank
from command.incidents import Place
from command.responders import Responder
from tests.command.world import person

LIMITS = Limits(stale_s=30, offline_s=300)
PLACE = Place(grid="340604001001001", village="340604001001", township="340604001", beat="B-1")
NEAR = Fix(116.8, 33.9, 5.0)


def by_road(eta_s: float | None, metres: float | None = 100.0) -> Travel:
    return Travel(eta_s, metres, "road")


def order(people: list[Responder], etas: list[float | None], **more: Any) -> list[str]:
    fixes = more.pop("fixes", {p.unit: NEAR for p in people})
    place = more.pop("place", PLACE)
    ranking = rank(people, fixes, [by_road(eta) for eta in etas], place, LIMITS, **more)
    return [candidate.responder.id for candidate in ranking.candidates]


class TestEligible:
    @pytest.mark.parametrize(
        ("change", "fix", "asked", "reason"),
        [
            ({"on_duty": False}, NEAR, {}, "off_duty"),
            ({}, None, {}, "no_fix"),
            ({}, Fix(116.8, 33.9, 301), {}, "offline"),
            ({}, Fix(116.8, 33.9, 1, suspect=True), {}, "suspect_fix"),
            ({"assignment_id": "a1"}, NEAR, {}, "busy"),
            ({}, NEAR, {"skills": frozenset({"swim"})}, "skill"),
        ],
    )
    def test_each_reason_to_be_left_out_is_counted(
        self, change: dict[str, Any], fix: Fix | None, asked: dict[str, Any], reason: str
    ) -> None:
        unit = person("r1", **change)
        fixes = {} if fix is None else {1: fix}
        assert eligible([unit], fixes, LIMITS, **asked) == ([], {reason: 1})

    def test_another_kind_is_not_even_counted(self) -> None:
        assert eligible([person("r1")], {1: NEAR}, LIMITS, kinds=frozenset({"mediator"})) == ([], {})

    def test_at_the_limits_a_unit_still_counts(self) -> None:
        unit = person("r1", skills=("swim", "climb"))
        found, out = eligible(
            [unit],
            {1: Fix(116.8, 33.9, 300)},
            LIMITS,
            skills=frozenset({"swim"}),
            kinds=frozenset({"police"}),
        )
        assert (found, out) == ([unit], {})

    def test_the_busy_may_be_asked_for(self) -> None:
        unit = person("r1", assignment_id="a1")
        assert eligible([unit], {1: NEAR}, LIMITS, include_busy=True)[0] == [unit]


class TestRank:
    def test_the_shortest_way_comes_first(self) -> None:
        assert order([person(f"r{n}") for n in (1, 2, 3)], [300, 100, 200]) == ["r2", "r3", "r1"]

    def test_the_free_come_before_the_busy(self) -> None:
        assert order([person("r1", assignment_id="a1"), person("r2")], [10, 900]) == ["r2", "r1"]

    def test_an_equal_time_goes_to_the_places_own_grid_then_to_the_smaller_id(self) -> None:
        own = person("r9", kind="grid_worker", grids=(PLACE.grid,))
        assert order([person("r2"), own, person("r1")], [100.2, 100.4, 99.8]) == ["r9", "r1", "r2"]

    def test_an_old_fix_costs_half_its_age(self) -> None:
        people = [person("r1"), person("r2")]
        old = {1: Fix(116.8, 33.9, 200), 2: NEAR}
        assert order(people, [100, 190], fixes=old) == ["r2", "r1"]
        assert order(people, [100, 210], fixes=old) == ["r1", "r2"]
        fresh = {1: Fix(116.8, 33.9, 30), 2: NEAR}
        assert order(people, [100, 101], fixes=fresh) == ["r1", "r2"]

    def test_whoever_cannot_get_there_is_counted_out(self) -> None:
        people = [person("r1"), person("r2")]
        fixes = {1: NEAR, 2: NEAR}
        ranking = rank(people, fixes, [by_road(None, None), by_road(50)], PLACE, LIMITS)
        assert [c.responder.id for c in ranking.candidates] == ["r2"]
        assert ranking.excluded == {"unreachable": 1}

    @pytest.mark.parametrize(
        ("fields", "adjacent", "reason"),
        [
            ({"kind": "grid_worker", "grids": ("340604001001001",)}, (), "own_grid"),
            ({"beat": "B-1"}, (), "own_beat"),
            ({"kind": "grid_worker", "grids": ("340604001002001",)}, ("340604001002001",), "adjacent_grid"),
            ({"kind": "grid_worker", "grids": ("340604001001009",)}, (), "same_village"),
        ],
    )
    def test_the_closest_tie_is_named(
        self, fields: dict[str, Any], adjacent: tuple[str, ...], reason: str
    ) -> None:
        unit = person("r1", **fields)
        ranking = rank([unit], {1: NEAR}, [by_road(10)], PLACE, LIMITS, adjacent=frozenset(adjacent))
        assert ranking.candidates[0].reasons == (reason, "free")

    def test_what_makes_it_doubtful_is_named_too(self) -> None:
        unit = person("r1", employment="part_time", assignment_id="a1", skills=("swim",))
        travel = Travel(10, 100, "straight_line")
        ranking = rank(
            [unit], {1: Fix(116.8, 33.9, 31)}, [travel], Place(), LIMITS, skills=frozenset({"swim"})
        )
        assert ranking.candidates[0].reasons == ("busy", "stale_fix", "part_time", "estimate", "skill:swim")
        assert ranking.candidates[0].stale

    def test_nobody_is_nobody(self) -> None:
        assert rank([], {}, [], PLACE, LIMITS).candidates == ()

    @given(
        st.lists(st.tuples(st.floats(0, 5_000), st.floats(0, 300), st.booleans()), min_size=1, max_size=12),
        st.integers(1, 12),
        st.randoms(use_true_random=False),
    )
    def test_the_order_does_not_depend_on_the_order_it_is_asked_in(
        self, units: list[tuple[float, float, bool]], limit: int, random: Any
    ) -> None:
        people = [
            person(f"r{n}", assignment_id="a" if busy else None)
            for n, (_, _, busy) in enumerate(units, start=1)
        ]
        fixes = {p.unit: Fix(116.8, 33.9, age) for p, (_, age, _) in zip(people, units, strict=True)}
        etas: dict[str, float | None] = {p.id: eta for p, (eta, _, _) in zip(people, units, strict=True)}
        expected = order(people, list(etas.values()), fixes=fixes, limit=limit)
        shuffled = list(people)
        random.shuffle(shuffled)
        assert order(shuffled, [etas[p.id] for p in shuffled], fixes=fixes, limit=limit) == expected
        assert len(expected) == min(limit, len(people))
        whole = order(people, list(etas.values()), fixes=fixes, limit=99)
        assert whole[: len(expected)] == expected
        busy = [people[int(key[1:]) - 1].busy for key in whole]
        assert busy == sorted(busy)
