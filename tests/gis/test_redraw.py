from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
import shapely

from gis.areas import Area, AreaIndex, Beat
from gis.errors import EditRefused
from gis.redraw import Attributes, Named, Redrawn, next_code, recoded, redraw
from gis.topology import Merge, Move, Reparent, Split, Step

TODAY = date(2026, 11, 22)
D = date(2026, 12, 1)


def area(
    code: str, tier: int, parent: str | None, w: float, s: float, e: float, n: float, **more: object
) -> Area:
    return Area(code, f"{code}号", tier, parent, "网格", shapely.box(w, s, e, n), **more)  # type: ignore[arg-type]


def index(on: date = TODAY) -> AreaIndex:
    """A county of two villages with two grids each, and a beat over the western one."""
    areas = [
        area("1", 1, None, 117.0, 34.0, 117.4, 34.1),
        area("11", 3, "1", 117.0, 34.0, 117.2, 34.1),
        area("12", 3, "1", 117.2, 34.0, 117.4, 34.1),
        area(
            "11001",
            4,
            "11",
            117.0,
            34.0,
            117.1,
            34.1,
            households=100,
            posts=2,
            chief="甲",
            workers=("乙",),
            beat="11",
        ),
        area("11002", 4, "11", 117.1, 34.0, 117.2, 34.1, households=50),
        area("12001", 4, "12", 117.2, 34.0, 117.3, 34.1),
        area("12002", 4, "12", 117.3, 34.0, 117.4, 34.1),
    ]
    beats = [Beat("11", "一警格", "所", shapely.box(117.0, 34.0, 117.2, 34.1), ("11001", "11002"))]
    return AreaIndex(areas, beats, on=on)


def run(*steps: Step | Attributes, valid_from: date | None = None, base: AreaIndex | None = None) -> Redrawn:
    return redraw(base or index(), steps, today=TODAY, valid_from=valid_from)


def changed(redrawn: Redrawn) -> dict[str, tuple[str, ...]]:
    return {change.code: change.fields for change in redrawn.changes}


def test_beats_move_along_with_the_borders_they_share() -> None:
    redrawn = run(Move((117.2, 34.1), (117.21, 34.12)))
    assert changed(redrawn) == {
        "1": ("geometry",),
        "11": ("geometry",),
        "11002": ("geometry",),
        "12": ("geometry",),
        "12001": ("geometry",),
    }
    assert redrawn.moved_beats == ("11",)
    village = next(a for a in redrawn.areas if a.code == "11")
    assert redrawn.beats[0].geometry.equals(village.geometry)
    assert len(redrawn.areas) == 7


def test_without_a_day_what_is_there_is_corrected() -> None:
    redrawn = run(Attributes("11001", {"name": "东街一格", "posts": 3, "kind": "dedicated"}))
    assert changed(redrawn) == {"11001": ("name", "kind", "posts")}
    assert [a.name for a in redrawn.areas if a.code == "11001"] == ["东街一格"]
    assert run(Attributes("11001", {"name": "11001号"})).changes == ()


def test_from_a_day_on_the_old_version_stays_and_ends_the_day_before() -> None:
    redrawn = run(Move((117.1, 34.1), (117.12, 34.1)), valid_from=TODAY)
    after = AreaIndex(redrawn.areas, on=TODAY)
    before = after.on_day(date(2026, 11, 21))
    assert [a.valid_from for a in after.history("11001")] == [None, TODAY]
    assert after.locate(117.11, 34.09).areas[4] == "11001"
    assert before.locate(117.11, 34.09).areas[4] == "11002"
    assert set(changed(redrawn)) == {"1", "11", "11001", "11002"}
    # The village and the county only gained the corner of the grids: that is no other version of them.
    assert [change.code for change in redrawn.changes if change.same_ground] == ["1", "11"]
    assert len(after.history("11")) == len(after.history("1")) == 1


def test_a_second_edit_on_the_same_day_replaces_the_first() -> None:
    once = AreaIndex(run(Attributes("11001", {"name": "甲"}), valid_from=TODAY).areas, on=TODAY)
    twice = run(Attributes("11001", {"name": "乙"}), valid_from=TODAY, base=once)
    versions = AreaIndex(twice.areas, on=TODAY).history("11001")
    assert [(a.name, a.valid_from, a.valid_to) for a in versions] == [
        ("11001号", None, date(2026, 11, 21)),
        ("乙", TODAY, None),
    ]


def test_a_day_to_come_leaves_today_as_it_is() -> None:
    redrawn = run(Merge("11001", "11002"), valid_from=D)
    after = AreaIndex(redrawn.areas, redrawn.beats, on=TODAY)
    assert after.area("11001").geometry.equals(index().area("11001").geometry)
    assert "11002" in after
    then = after.on_day(D)
    assert "11002" not in then
    assert then.area("11001").geometry.area == pytest.approx(0.02)
    assert redrawn.codes == {"11002": ("11002", "11001")}
    assert redrawn.beats == index().beats
    # What is planned can be planned upon.
    again = run(Attributes("11001", {"name": "合并格"}), valid_from=date(2026, 12, 5), base=after)
    assert [a.name for a in AreaIndex(again.areas, on=D).history("11001")] == ["11001号", "11001号", "合并格"]


def test_merging_adds_up_what_can_be_added() -> None:
    redrawn = run(Merge("11001", "11002"))
    kept = next(a for a in redrawn.areas if a.code == "11001")
    assert (kept.households, kept.posts, kept.chief, kept.workers) == (150, 3, "甲", ("乙",))
    assert redrawn.codes == {"11002": ("11001",)}
    assert redrawn.beats[0].grids == ("11001",)
    assert {a.code for a in redrawn.areas} == {"1", "11", "12", "11001", "12001", "12002"}


def test_a_split_part_starts_without_people_and_keeps_its_beat() -> None:
    line = ((117.05, 33.9), (117.05, 34.2))
    redrawn = run(Named("11001", line, "11003", "西街格"), Attributes("11003", {"posts": 2}))
    new = next(a for a in redrawn.areas if a.code == "11003")
    assert (new.name, new.parent, new.beat, new.chief, new.workers, new.households, new.posts) == (
        "西街格", "11", "11", None, (), None, 2,
    )  # fmt: skip
    assert new.extra is None
    assert redrawn.codes == {"11001": ("11001", "11003")}
    assert redrawn.beats[0].grids == ("11001", "11003", "11002")
    # Split and merged again: as if nothing had been split.
    back = run(Split("11001", line, "11003"), Merge("11001", "11003"))
    assert back.codes == {"11001": ("11001",), "11003": ("11001",)}
    assert back.beats[0].grids == ("11001", "11002")


def test_a_grid_goes_to_another_village_with_its_ground() -> None:
    redrawn = run(Reparent("11002", "12"))
    assert changed(redrawn) == {"11": ("geometry",), "11002": ("parent",), "12": ("geometry",)}
    assert redrawn.beats[0].grids == ("11001", "11002")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([Attributes("X", {"name": "?"})], "unknown"),
        ([Attributes("11001", {"code": "?"})], "unknown_field"),
        ([Attributes("11001", {"valid_from": D, "valid_to": TODAY})], "bad_period"),
        ([Merge("11001", "12001")], "other_parent"),
        ([Merge("11001", "11002"), Attributes("11002", {"name": "?"})], "unknown"),
        ([Move((117.1, 34.05), (117.3, 34.05))], "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(steps: Sequence[Step | Attributes], reason: str) -> None:
    with pytest.raises(EditRefused) as caught:
        run(*steps)
    assert caught.value.reason == reason


def test_periods_of_two_versions_may_not_overlap() -> None:
    base = index()
    planned = replace(base.area("11001"), valid_from=D)
    ended = replace(base.area("11001"), valid_to=date(2026, 11, 30))
    both = AreaIndex([*(a for a in base.areas if a.code != "11001"), ended, planned], on=TODAY)
    with pytest.raises(EditRefused, match="used twice"):
        run(Attributes("11001", {"valid_to": D}), base=both)


def test_the_next_number_among_sisters() -> None:
    base = index()
    assert next_code(base, "11001") == "11003"
    assert next_code(base, "11001", ["11003", "11009"]) == "11010"
    assert next_code(base, "1") == "1-2"
    full = AreaIndex([area("11999", 4, None, 0, 0, 1, 1)])
    assert next_code(full, "11999") == "11999-2"
    assert recoded(["a"], {}) == ("a",)
