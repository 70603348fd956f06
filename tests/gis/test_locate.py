from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.areas import Area, AreaIndex, Beat
from gis.division import Location
from gis.geofence import Geofence
from gis.locate import Locator


def square(code: str, tier: int, parent: str | None, west: float, south: float, size: float) -> Area:
    return Area(code, code, tier, parent, "", shapely.box(west, south, west + size, south + size))


@st.composite
def divisions(draw: st.DrawFn) -> AreaIndex:
    """Squares of four tiers and beats on a lattice: holes, overlaps, orphans, codes in no order of place."""
    cells = draw(
        st.lists(
            st.tuples(
                st.integers(1, 4), st.integers(0, 4), st.integers(0, 4), st.sampled_from([0.25, 1, 1, 2, 3])
            ),
            min_size=0,
            max_size=14,
        )
    )
    numbers = draw(st.permutations(range(len(cells))))
    codes = [f"{number:02}" for number in numbers]
    areas = []
    for code, (tier, x, y, size) in zip(codes, cells, strict=True):
        above = [other for other, cell in zip(codes, cells, strict=True) if cell[0] < tier]
        parent = draw(st.sampled_from([None, "absent", *above]))
        areas.append(square(code, tier, parent, x, y, size))
    beats = [
        Beat(f"B{n}", "", "", shapely.box(x, y, x + 2, y + 1.5))
        for n, (x, y) in enumerate(
            draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3))
        )
    ]
    return AreaIndex(areas, beats)


quarter = st.integers(-4, 28).map(lambda n: n / 4)
anywhere = st.one_of(quarter, st.floats(-1.0, 7.0))


def brute(index: AreaIndex, x: float, y: float) -> Location:
    """What the rule says, by looking at everything."""
    spot = shapely.Point(x, y)
    found: dict[int, str] = {}
    for area in sorted(index.areas, key=lambda area: area.code):
        if area.geometry.intersects(spot):
            found.setdefault(area.tier, area.code)
    for tier in sorted(found, reverse=True):
        for above in index.ancestors(found[tier]):
            found.setdefault(above.tier, above.code)
    beats = [beat.code for beat in index.beats if beat.geometry.intersects(spot)]
    return Location(dict(sorted(found.items())), min(beats, default=None))


@given(index=divisions(), points=st.lists(st.tuples(anywhere, anywhere), min_size=1, max_size=40))
def test_one_many_and_remembered_agree_with_the_rule(
    index: AreaIndex, points: list[tuple[float, float]]
) -> None:
    lon, lat = np.array(points).T
    found = index.locator.locate(lon, lat)
    rule = [brute(index, x, y) for x, y in points]
    assert [index.locator.location(found, n) for n in range(len(points))] == rule
    assert [index.locate(x, y) for x, y in points] == rule
    # The moving units know the grid alone.
    grids = [None if n < 0 else index.grids[n].code for n in index.locate_many(lon, lat).tolist()]
    assert grids == [one.areas.get(4) for one in rule]
    fence = Geofence(index, len(points))
    for _ in range(2):
        cells = fence.update(np.arange(len(points)), lon, lat).tolist()
        assert [None if n < 0 else index.grids[n].code for n in cells] == grids


def irregular() -> AreaIndex:
    """Bent borders that fit no lattice, with a hole and a lake that belongs to nobody."""
    rng = np.random.default_rng(3)
    frame = shapely.box(117.0, 34.0, 117.4, 34.3)
    sites = shapely.multipoints(rng.uniform((117.0, 34.0), (117.4, 34.3), (60, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=frame))
    lake = shapely.Point(117.2, 34.15).buffer(0.04)
    cells = shapely.difference(shapely.intersection(cells, frame), lake)
    areas = [Area("C", "", 1, None, "", frame)]
    areas += [Area(f"G{n:02}", "", 4, "C", "", cell) for n, cell in enumerate(cells) if not cell.is_empty]
    return AreaIndex(areas, [Beat("B", "", "", shapely.box(117.0, 34.0, 117.2, 34.3) - lake)])


def test_irregular_borders_and_the_points_on_them() -> None:
    index = irregular()
    rng = np.random.default_rng(4)
    vertices = shapely.get_coordinates([area.geometry for area in index.areas])
    near = vertices + rng.normal(0.0, 1e-9, vertices.shape)
    spread = rng.uniform((116.99, 33.99), (117.41, 34.31), (3_000, 2))
    points = np.concatenate([vertices, near, spread])
    found = index.locator.locate(points[:, 0], points[:, 1])
    for number, (x, y) in enumerate(points.tolist()):
        assert index.locator.location(found, number) == index.locate(x, y), (x, y)


def test_most_points_are_answered_without_asking_an_outline() -> None:
    locator = irregular().locator
    asked = 0
    search = locator._search

    def counted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(x)
        return search(x, y)

    locator._search = counted  # type: ignore[method-assign]
    rng = np.random.default_rng(5)
    locator.locate(rng.uniform(117.0, 117.4, 10_000), rng.uniform(34.0, 34.3, 10_000))
    assert 0 < asked < 2_000


def test_nonsense_and_nothing() -> None:
    index = irregular()
    odd = [float("nan"), float("inf"), -float("inf"), 117.1, 1e300]
    found = index.locator.locate(odd, [34.1, 34.1, 34.1, float("nan"), 34.1])
    assert (found.areas == -1).all()
    assert (found.beat == -1).all()
    assert index.locator.locate([], []).areas.shape == (0, 2)
    empty = Locator(())
    assert empty.locate([117.0], [34.0]).areas.shape == (1, 0)
    assert empty.location(empty.locate([117.0], [34.0]), 0) == Location({}, None)


@pytest.mark.parametrize("size", [1e-9, 1e-6, 40.0])
def test_an_area_of_any_size(size: float) -> None:
    locator = Locator([square("A", 4, None, 117.0, 34.0, size)])
    inside = locator.locate([117.0 + size / 2, 117.0, 117.0 + 2 * size], [34.0 + size / 2, 34.0, 34.0])
    assert inside.areas[:, 0].tolist() == [0, 0, -1]
