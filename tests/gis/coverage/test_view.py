"""Sectors by their formula, and a share that changes with one camera as if all had been measured anew."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.areas import Area, AreaIndex
from gis.coverage.view import SeenArea, Sight, sectors

AREAS = AreaIndex(
    [
        Area(f"{i}{j}", f"{i}{j}格", 4, None, "网格", shapely.box(*box))
        for i in range(3)
        for j in range(3)
        for box in [(117 + 0.004 * i, 34 + 0.004 * j, 117.004 + 0.004 * i, 34.004 + 0.004 * j)]
    ]
)
sights = st.builds(
    Sight,
    st.floats(116.999, 117.013),
    st.floats(33.999, 34.013),
    st.none() | st.floats(0, 360),
    st.none() | st.sampled_from([30.0, 60.0, 90.0, 180.0, 270.0, 360.0]),
    st.none() | st.floats(10, 300),
    st.none() | st.floats(2, 12),
    st.none() | st.floats(-10, 90),
)


@pytest.mark.parametrize("fov", [1.0, 60.0, 90.0, 179.0, 270.0, 360.0, 400.0])
@pytest.mark.parametrize("near", [0.0, 8.0])
def test_a_sector_has_the_area_of_its_formula(fov: float, near: float) -> None:
    shape = sectors([10.0], [20.0], [300.0], [fov], [near], [150.0])[0]
    assert shapely.is_valid(shape)
    share = min(fov, 360.0) / 360.0
    assert shape.area == pytest.approx(share * math.pi * (150.0**2 - near**2), rel=1e-9)


def test_a_sector_lies_where_the_camera_looks() -> None:
    east = sectors([0.0], [0.0], [90.0], [60.0], [0.0], [100.0])[0]
    assert shapely.contains_xy(east, [50.0, -50.0, 0.0, 80.0], [0.0, 0.0, 50.0, 80.0]).tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert len(sectors([], [], [], [], [], [])) == 0


def test_the_strip_at_its_foot_and_the_ground_it_meets() -> None:
    down = Sight(117.0, 34.0, 0.0, 60.0, 150.0, height_m=6.0, tilt=45.0)
    near, far = down.ground_m()
    half = math.degrees(math.atan(math.tan(math.radians(30)) * 9 / 16))
    assert near == pytest.approx(6.0 / math.tan(math.radians(45 + half)))
    assert far == pytest.approx(6.0 / math.tan(math.radians(45 - half)))
    skyward = Sight(117.0, 34.0, 0.0, 60.0, 150.0, height_m=6.0, tilt=-40.0)
    assert skyward.ground_m() == (150.0, 150.0)
    assert SeenArea(AREAS, {"sky": skyward}).seen_m2.sum() == 0.0
    assert Sight(117.0, 34.0).ground_m() == (0.0, 150.0)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), sights),
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.none() | sights), max_size=5),
)
def test_one_change_equals_measuring_anew(
    before: dict[str, Sight], changes: list[tuple[str, Sight | None]]
) -> None:
    seen, now = SeenArea(AREAS, before), dict(before)
    for key, sight in changes:
        seen.change(key, sight)
        now.pop(key, None)
        if sight is not None:
            now[key] = sight
    anew = SeenArea(AREAS, now)
    np.testing.assert_allclose(seen.seen_m2, anew.seen_m2, atol=1e-4)
    np.testing.assert_array_equal(seen.cameras, anew.cameras)
    assert seen.undirected == anew.undirected
    assert ((seen.share >= 0) & (seen.share <= 1)).all()
    again = SeenArea(AREAS, before)
    again.update(now)
    np.testing.assert_allclose(again.seen_m2, anew.seen_m2, atol=1e-4)
    assert again.update(now) == 0


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), sights), sights)
def test_one_more_camera_never_sees_less(cameras: dict[str, Sight], extra: Sight) -> None:
    few, more = SeenArea(AREAS, cameras), SeenArea(AREAS, {**cameras, "z": extra})
    assert (more.seen_m2 >= few.seen_m2 - 1e-6).all()


def test_unknown_direction_sees_nothing_and_is_named() -> None:
    seen = SeenArea(AREAS, {"b": Sight(117.002, 34.002), "a": Sight(117.002, 34.002, fov=90.0)})
    assert seen.undirected == ("a", "b")
    assert seen.seen_m2.sum() == 0.0
    dome = SeenArea(AREAS, {"d": Sight(117.002, 34.002, None, 360.0, 50.0)})
    assert dome.undirected == ()
    assert dome.seen_m2[0] == pytest.approx(math.pi * 2500, rel=1e-6)
    outline = dome.outline("d")
    assert outline is not None
    assert outline.contains(shapely.Point(117.002, 34.002))
    assert dome.outline("absent") is None
    assert len(SeenArea(AreaIndex([]), {"d": Sight(0.0, 0.0, 0.0)}).share) == 0
