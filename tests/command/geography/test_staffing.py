"""Posts and people: many grids to one, several in one grid, and what nobody fills."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from command.errors import Malformed, NotFound
from command.geography.staffing import (
    MOST,
    Staffing,
    decide_recode,
    decide_staff,
    figures,
    owners,
    staffed,
    vacancies,
)
from command.responders import Responder
from gis.areas import Area, AreaIndex
from tests.command.world import World, person

VILLAGE = Area("V", "一村", 3, None, "村", box(0, 0, 4, 1))
GRIDS = [Area(f"G{n}", f"{n}格", 4, "V", "网格", box(n, 0, n + 1, 1)) for n in range(4)]
AREAS = AreaIndex([VILLAGE, GRIDS[0], replace(GRIDS[1], posts=2), replace(GRIDS[2], chief="甲"), GRIDS[3]])


def worker(number: int, *grids: str, **more: object) -> Responder:
    return person(f"r{number}", **{"kind": "grid_worker", "grids": grids, **more})


ROSTER = [
    worker(1, "G0", "G1"),
    worker(2, "G1", employment="part_time", on_duty=False),
    worker(3, "G1"),
    person("r4", kind="grid_chief", grids=("G0", "G2", "G3")),
    person("r5", kind="volunteer", grids=("G3",)),
    person("r6", kind="police", beat="B"),
    worker(7, "GONE"),
]


def test_posts_are_filled_by_people_with_several_grids_and_several_in_one() -> None:
    staff = {grid.code: grid for grid in Staffing(AREAS, ROSTER).within("V")}
    assert [p.id for p in staff["G1"].workers] == ["r1", "r2", "r3"]
    assert (staff["G1"].filled, staff["G1"].missing) == (2, 0)
    assert [p.id for p in staff["G0"].chiefs] == ["r4"]
    assert [p.id for p in staff["G3"].stand_ins] == ["r5"]
    assert not staff["G2"].headless  # both by the roster and by the area's own word
    counted = figures(list(staff.values()))
    assert (counted.grids, counted.posts, counted.filled, counted.missing) == (4, 5, 3, 2)
    assert (counted.staffed_grids, counted.full_time_grids, counted.headless_grids) == (2, 2, 1)
    assert (counted.people, counted.shared, counted.on_duty) == (3, 1, 2)


def test_vacancies_say_which_post_and_who_stands_in() -> None:
    found = [(v.grid, v.post, v.missing, [p.id for p in v.stand_ins]) for v in vacancies(AREAS, ROSTER)]
    assert found == [
        ("G1", "grid_chief", 1, []),
        ("G2", "grid_worker", 1, ["r4"]),
        ("G3", "grid_worker", 1, ["r4", "r5"]),
    ]
    nobody = vacancies(AREAS, [])
    assert [(v.grid, v.post, v.missing) for v in nobody] == [
        ("G0", "grid_chief", 1),
        ("G0", "grid_worker", 1),
        ("G1", "grid_chief", 1),
        ("G1", "grid_worker", 2),
        ("G2", "grid_worker", 1),
        ("G3", "grid_chief", 1),
        ("G3", "grid_worker", 1),
    ]


@given(st.lists(st.sets(st.sampled_from(["G0", "G1", "G2", "G3"])), max_size=6))
def test_what_is_filled_and_what_is_missing_make_up_the_posts(holdings: list[set[str]]) -> None:
    roster = [worker(n, *sorted(grids)) for n, grids in enumerate(holdings, start=1)]
    staff = Staffing(AREAS, roster).within()
    counted = figures(staff)
    missing = sum(v.missing for v in vacancies(AREAS, roster) if v.post == "grid_worker")
    assert counted.filled + missing == counted.posts == 5
    assert counted.staffed_grids == len(staffed(roster))
    assert set(owners(roster)) == staffed(roster)


def test_who_looks_after_a_grid() -> None:
    assert owners(ROSTER) == {"G0": "r1", "G1": "r1", "G2": "r4", "G3": "r4", "GONE": "r7"}
    assert staffed(ROSTER) == {"G0", "G1", "GONE"}


class TestDeciding:
    def world(self) -> World:
        world = World(units=())
        from command.responders import decide_register

        world.take(lambda picture, context: decide_register(picture, ROSTER, context))
        return world

    def grids(self, world: World) -> dict[str, tuple[str, ...]]:
        return {key: p.grids for key, p in world.board.responders.items() if p.grids}

    def test_posts_are_filled_and_left(self) -> None:
        world = self.world()
        events = world.take(
            lambda picture, context: decide_staff(
                picture, "G0", {"grid_worker": ["r2", "r3"], "grid_chief": []}, context
            )
        )
        assert {event.type for event in events} == {"responder.updated"}
        grids = self.grids(world)
        assert grids["r1"] == ("G1",)
        assert grids["r2"] == ("G1", "G0")
        assert grids["r4"] == ("G2", "G3")
        assert world.board.responders["r5"].version == 1
        again = world.take(
            lambda picture, context: decide_staff(picture, "G0", {"grid_worker": ["r3", "r2"]}, context)
        )
        assert again == []

    @pytest.mark.parametrize(
        ("wanted", "error", "match"),
        [
            ({"grid_worker": ["r4"]}, Malformed, "grid_chief"),
            ({"grid_chief": ["r1"]}, Malformed, "grid_worker"),
            ({"grid_worker": ["r99"]}, NotFound, "r99"),
            ({"grid_worker": ["r1"] * (MOST + 1)}, Malformed, "at most"),
        ],
    )
    def test_the_wrong_person_is_refused(
        self, wanted: dict[str, list[str]], error: type[Exception], match: str
    ) -> None:
        world = self.world()
        with pytest.raises(error, match=match):
            world.take(lambda picture, context: decide_staff(picture, "G0", wanted, context))  # type: ignore[arg-type]

    def test_people_follow_a_grid_that_goes_under_another_code(self) -> None:
        world = self.world()
        world.take(lambda picture, context: decide_recode(picture, {"G0": "G1", "G3": "G2"}, context))
        grids = self.grids(world)
        assert grids["r1"] == ("G1",)
        assert grids["r4"] == ("G1", "G2")
        assert world.board.responders["r2"].version == 1
