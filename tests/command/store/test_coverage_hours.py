"""What is kept of an hour comes back, for areas and for single grids."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.store.coverage_hours import CoverageHours, hour_figures, pack, unpack
from command.store.database import Database
from command.store.migrate import upgrade
from gis.coverage.rollup import Figures

AT = "2026-11-22T03:01:07.000Z"
SHARE = st.none() | st.floats(0, 1)


def figures(code: str, **more: object) -> Figures:
    fields: dict[str, object] = {
        "grids": 1,
        "staffed": 1,
        "on_duty": 0,
        "road_m": 800.0,
        "reach": {180: 0.25, 300: 0.5, 600: 1.0},
        "reached": {180: 0, 300: 1, 600: 1},
        "measured": 1,
        "unreached": 0.0,
        "median_s": 300.0,
        "p90_s": None,
        "area_m2": 1e6,
        "seen": 0.0123,
        "watched": 1,
    }
    return Figures(code=code, **{**fields, **more})  # type: ignore[arg-type]


@given(st.lists(st.tuples(SHARE, SHARE, st.booleans(), st.none() | st.integers(0, 1800)), max_size=9))
def test_packed_grids_come_back(rows: list[tuple[float | None, float | None, bool, int | None]]) -> None:
    grids = [
        figures(
            f"g{n}", reach=dict.fromkeys((180, 300, 600), reach), seen=seen, staffed=int(held), median_s=s
        )
        for n, (reach, seen, held, s) in enumerate(rows)
    ]
    packed = pack(grids, by_road=True, people=7)
    for grid in grids:
        found = unpack(packed, grid.code, AT)
        assert found is not None
        assert (found.staffed, found.median_s, found.people, found.by_road) == (
            grid.staffed,
            grid.median_s,
            7,
            True,
        )
        for was, now in ((grid.reach[300], found.reach[1]), (grid.seen, found.seen)):
            assert now == (None if was is None else pytest.approx(was, abs=5.1e-5))
    assert unpack(packed, "elsewhere", AT) is None


def test_damage_is_named() -> None:
    packed = pack([figures("g1")], by_road=True, people=1)
    for broken in (packed[:-4], b"", b"no row"):
        with pytest.raises(ValueError, match="not a row"):
            unpack(broken, "g1", AT)


async def test_an_hour_is_kept_whole_replaced_and_forgotten(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    upgrade(database)
    hours = CoverageHours(database)
    assert await hours.since() is None
    for n in range(3):
        hour, one = f"2026-11-22T0{n}:00:00.000Z", figures("C", grids=8, staffed=n)
        kept = hour_figures(one, AT, by_road=True, people=n)
        for _ in range(2):
            await hours.keep(hour, AT, [("C", kept)], pack([figures("g1")], by_road=True, people=n))
        assert await hours.has(hour)
    assert await hours.since() == "2026-11-22T00:00:00.000Z"
    found = await hours.of_area("C", "2026-11-22T01:00:00.000Z", "2026-11-22T02:00:00.000Z")
    assert [(hour[11:13], one.staffed, one.reach) for hour, one in found] == [
        ("01", 1, (0.25, 0.5, 1.0)),
        ("02", 2, (0.25, 0.5, 1.0)),
    ]
    grid = await hours.of_grid("g1", "2026-11-22T00:00:00.000Z", "2026-11-22T09:00:00.000Z")
    assert [one.people for _, one in grid] == [0, 1, 2]
    assert await hours.purge("2026-11-22T02:00:00.000Z") == 2
    assert await hours.since() == "2026-11-22T02:00:00.000Z"
    assert len(await hours.of_area("C", "2026", "2027")) == 1
    database.close()
