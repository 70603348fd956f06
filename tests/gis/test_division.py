from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.area_files import load_areas, write_areas
from gis.areas import Area, AreaIndex
from gis.errors import AreaConflict, UnknownArea

VILLAGE = Area("V", "一村", 3, None, "村", shapely.box(0, 0, 2, 1))
BEFORE = Area("G", "老一格", 4, "V", "网格", shapely.box(0, 0, 1, 1), valid_to=date(2025, 6, 30))
AFTER = replace(
    BEFORE, name="新一格", geometry=shapely.box(0, 0, 1.5, 1), valid_from=date(2025, 7, 1), valid_to=None
)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def test_a_day_decides_which_version_counts() -> None:
    index = AreaIndex([AFTER, VILLAGE, BEFORE], on=date(2025, 6, 30))
    assert index.area("G").name == "老一格"
    assert index.locate(1.2, 0.5).areas == {3: "V"}
    later = index.on_day(date(2025, 7, 1))
    assert later.area("G").name == "新一格"
    assert later.locate(1.2, 0.5).areas == {3: "V", 4: "G"}
    assert len(index) == len(later) == 2
    assert index.history("G") == later.history("G") == (BEFORE, AFTER)
    assert [area.name for area in later.every] == ["老一格", "新一格", "一村"]
    with pytest.raises(UnknownArea):
        index.history("X")


def test_what_no_longer_holds_or_not_yet_is_not_there() -> None:
    gone = replace(BEFORE, code="GONE")
    coming = replace(AFTER, code="COMING", valid_from=date(2026, 1, 1))
    index = AreaIndex([VILLAGE, gone, coming], on=date(2025, 9, 1))
    assert [area.code for area in index.areas] == ["V"]
    assert index.history("GONE") == (gone,)
    assert "COMING" not in index
    assert index.next_change(date(2025, 9, 1)) == date(2026, 1, 1)
    assert index.next_change(date(2024, 9, 1)) == date(2025, 7, 1)
    assert index.next_change(date(2026, 1, 1)) is None


def test_two_versions_on_one_day_contradict_each_other() -> None:
    with pytest.raises(AreaConflict, match="'G' is used twice"):
        AreaIndex([BEFORE, replace(AFTER, valid_from=date(2025, 6, 30))], on=date(2020, 1, 1))


def test_without_a_day_every_area_counts() -> None:
    assert [area.code for area in AreaIndex([VILLAGE, BEFORE]).areas] == ["G", "V"]


@given(st.lists(DAYS, min_size=1, max_size=5, unique=True), DAYS)
def test_versions_without_a_gap_hold_on_every_day_once(starts: list[date], day: date) -> None:
    starts.sort()
    versions = [
        replace(
            AFTER,
            name=start.isoformat(),
            valid_from=start,
            valid_to=None if following is None else following - timedelta(days=1),
        )
        for start, following in zip(starts, [*starts[1:], None], strict=True)
    ]
    index = AreaIndex(reversed(versions), on=day)
    expected = [start.isoformat() for start in starts if start <= day][-1:]
    assert [area.name for area in index.areas] == expected
    change = index.next_change(day)
    assert change == next((start for start in starts if start > day), None)
    assert change is None or index.on_day(change).areas != index.areas


def test_every_field_of_every_version_survives_the_file(tmp_path: Path) -> None:
    full = Area(
        code="G2",
        name="园区格",
        tier=4,
        parent="V",
        label="网格",
        geometry=shapely.box(1.5, 0, 2, 1),
        chief="甲",
        workers=("乙", "丙"),
        beat="B",
        households=0,
        kind="dedicated",
        posts=3,
        valid_from=date(2024, 2, 29),
        valid_to=date(2027, 1, 1),
        source_crs="GCJ-02",
        extra='{"户籍人口":"120"}',
    )
    # One that differs from the defaults in every field, so that none can be forgotten.
    plain = Area("P", "", 4, None, "", shapely.box(0, 0, 1, 1))
    assert all(getattr(full, f.name) != getattr(plain, f.name) for f in fields(Area) if f.name != "tier")
    areas = [BEFORE, AFTER, full, VILLAGE]
    write_areas(tmp_path / "areas.gpkg", AreaIndex(areas, on=date(2025, 1, 1)))
    found = load_areas(tmp_path / "areas.gpkg")
    assert [replace(area, geometry=VILLAGE.geometry) for area in found] == [
        replace(area, geometry=VILLAGE.geometry) for area in areas
    ]
    assert all(a.geometry.equals(b.geometry) for a, b in zip(areas, found, strict=True))
