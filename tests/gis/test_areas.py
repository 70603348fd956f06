from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.areas import Area, AreaIndex, Beat
from gis.crs import distance_m
from gis.errors import AreaConflict, UnknownArea
from gis.geofence import Geofence


def square(code: str, tier: int, parent: str | None, west: float, south: float, size: float) -> Area:
    return Area(code, f"第{code}", tier, parent, "网格", shapely.box(west, south, west + size, south + size))


def county() -> AreaIndex:
    """A county with a township of two villages; the first village has four grids, the second none."""
    areas = [
        square("C", 1, None, 117.0, 34.0, 0.4),
        square("T", 2, "C", 117.0, 34.0, 0.4),
        Area("V1", "一村", 3, "T", "村", shapely.box(117.0, 34.0, 117.2, 34.2), "甲", ("乙",), "B", 120),
        Area("V2", "二村", 3, "T", "村", shapely.box(117.2, 34.0, 117.4, 34.2)),
        *(
            square(f"G{i}{j}", 4, "V1", 117.0 + 0.1 * i, 34.0 + 0.1 * j, 0.1)
            for i in range(2)
            for j in range(2)
        ),
    ]
    beats = [
        Beat("B", "一警格", "桥头派出所", shapely.box(117.0, 34.0, 117.2, 34.1), ("G00",)),
        Beat("A", "二警格", "桥头派出所", shapely.box(117.1, 34.0, 117.4, 34.1)),
    ]
    return AreaIndex(areas, beats)


def test_tree() -> None:
    index = county()
    assert [a.code for a in index.ancestors("G00")] == ["V1", "T", "C"]
    assert [a.code for a in index.children("T")] == ["V1", "V2"]
    assert index.children("G00") == ()
    assert [a.code for a in index.of_tier(3)] == ["V1", "V2"]
    assert index.of_tier(9) == ()
    assert index.subtree_grids("C") == ("G00", "G01", "G10", "G11")
    assert index.subtree_grids("G01") == ("G01",)
    assert index.subtree_grids("V2") == ()
    assert index.grid_number["G10"] == 2
    assert len(index) == 8
    assert "V1" in index
    assert index.beat("A").name == "二警格"


@pytest.mark.parametrize("call", ["area", "beat", "children", "ancestors", "adjacent", "area_km2", "geojson"])
def test_unknown_codes_raise(call: str) -> None:
    with pytest.raises(UnknownArea, match="X"):
        getattr(county(), call)("X")


def test_conflicts_raise() -> None:
    with pytest.raises(AreaConflict, match="'G' is used twice"):
        AreaIndex([square("G", 4, None, 0, 0, 1), square("G", 4, None, 1, 0, 1)])
    with pytest.raises(AreaConflict, match="own ancestor"):
        AreaIndex([square("A", 3, "B", 0, 0, 1), square("B", 2, "A", 0, 0, 1)])
    assert AreaIndex([square("A", 3, "absent", 0, 0, 1)]).ancestors("A") == ()


def test_locate() -> None:
    index = county()
    inside = index.locate(117.05, 34.05)
    assert inside.areas == {1: "C", 2: "T", 3: "V1", 4: "G00"}
    assert inside.beat == "B"
    assert index.locate(117.3, 34.1).areas == {1: "C", 2: "T", 3: "V2"}
    assert index.locate(117.3, 34.3).areas == {1: "C", 2: "T"}
    assert index.locate(118.0, 34.0) == index.locate(0.0, 0.0)
    assert index.locate(118.0, 34.0).areas == {}
    assert index.locate(118.0, 34.0).beat is None


def test_shared_borders_belong_to_the_smallest_code() -> None:
    index = county()
    assert index.locate(117.1, 34.1).areas[4] == "G00"
    assert index.locate(117.2, 34.05).areas[3] == "V1"
    assert index.locate(117.15, 34.05).beat == "A"
    assert index.locate_many([117.1], [34.1]).tolist() == [0]


def test_a_tier_without_its_own_outline_is_filled_from_below() -> None:
    village = square("V", 3, None, 118.0, 34.0, 0.1)
    grid = square("G", 4, "V", 117.0, 34.0, 0.1)
    assert AreaIndex([village, grid]).locate(117.05, 34.05).areas == {3: "V", 4: "G"}


def test_within_and_measures() -> None:
    index = county()
    assert index.within("V1", [117.1, 117.2, 117.3], [34.1, 34.1, 34.1]).tolist() == [True, True, False]
    west_east = float(distance_m(117.0, 34.05, 117.1, 34.05)) / 1000
    south_north = float(distance_m(117.05, 34.0, 117.05, 34.1)) / 1000
    assert index.area_km2("G00") == pytest.approx(west_east * south_north, rel=1e-4)
    assert index.bounds == pytest.approx((117.0, 34.0, 117.4, 34.4))
    assert AreaIndex([]).bounds is None


def test_adjacent_means_a_common_border_not_a_corner() -> None:
    index = county()
    assert index.adjacent("G00") == ("G01", "G10")
    assert index.adjacent("V1") == ("V2",)
    # Drawn apart by a hand's breadth, still neighbours.
    near = AreaIndex([square("A", 4, None, 117.0, 34.0, 0.1), square("B", 4, None, 117.1000005, 34.0, 0.1)])
    assert near.adjacent("A") == ("B",)


def test_label_point_lies_inside_a_crescent() -> None:
    crescent = shapely.Point(117.0, 34.0).buffer(0.1) - shapely.Point(117.05, 34.0).buffer(0.1)
    index = AreaIndex([Area("A", "月湖", 4, None, "网格", crescent)])
    assert crescent.contains(shapely.Point(index.label_point("A")))
    assert index.label_point("A") == index.label_point("A")


def test_geojson() -> None:
    index = county()
    feature = index.geojson("V1")
    assert feature["id"] == "V1"
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["workers"] == ["乙"]
    assert feature["properties"]["households"] == 120
    codes = lambda **query: [f["id"] for f in index.feature_collection(**query)["features"]]  # noqa: E731
    assert codes(tier=3) == ["V1", "V2"]
    assert codes(parent="T") == ["V1", "V2"]
    assert codes(parent="C", tier=4) == ["G00", "G01", "G10", "G11"]
    assert codes(tier=4, bbox=(117.15, 34.15, 117.3, 34.3)) == ["G11"]
    assert codes(tier=4, bbox=(0, 0, 1, 1)) == []
    assert len(codes()) == 8


def test_simplified_outlines_keep_shared_borders() -> None:
    wavy = [(117.1 + 1e-5 * (k % 2), 34.0 + 0.001 * k) for k in range(101)]
    west = shapely.Polygon([(117.0, 34.0), *wavy, (117.0, 34.1)])
    east = shapely.Polygon([(117.2, 34.0), *wavy, (117.2, 34.1)])
    index = AreaIndex([Area("E", "东", 4, None, "网格", east), Area("W", "西", 4, None, "网格", west)])
    both = index.feature_collection(simplify_m=20)["features"]
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in both]
    assert all(len(shape.exterior.coords) < 20 for shape in shapes)
    assert shapes[0].intersection(shapes[1]).area < 1e-9
    assert len(index.geojson("E", simplify_m=20)["geometry"]["coordinates"][0]) < 20
    overlapping = AreaIndex(
        [*index.areas, Area("X", "叠", 4, None, "网格", shapely.box(117.05, 34, 117.15, 34.05))]
    )
    assert len(overlapping.feature_collection(simplify_m=20)["features"]) == 3


@st.composite
def grids(draw: st.DrawFn) -> AreaIndex:
    """Squares on a lattice, some missing, some lying over others, codes in no order of place."""
    cells = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=14))
    sizes = draw(st.lists(st.sampled_from([1, 1, 1, 2]), min_size=len(cells), max_size=len(cells)))
    codes = draw(st.permutations(range(len(cells))))
    return AreaIndex(
        [
            square(f"{code:02}", 4, None, float(x), float(y), float(size))
            for code, (x, y), size in zip(codes, cells, sizes, strict=True)
        ]
    )


quarter = st.integers(-4, 28).map(lambda n: n / 4)


@settings(deadline=None)
@given(
    index=grids(),
    walks=st.lists(st.lists(st.tuples(quarter, quarter), min_size=6, max_size=6), min_size=1, max_size=8),
)
def test_locating_agrees_with_looking_at_every_grid(
    index: AreaIndex, walks: list[list[tuple[float, float]]]
) -> None:
    fence = Geofence(index, capacity=8)
    rows = np.arange(6)
    for walk in walks:
        lon, lat = np.array(walk).T
        naive = [
            next((n for n, g in enumerate(index.grids) if g.geometry.intersects(shapely.Point(p))), -1)
            for p in walk
        ]
        assert index.locate_many(lon, lat).tolist() == naive
        assert fence.update(rows, lon, lat).tolist() == naive
        assert fence.cells[:6].tolist() == naive
        single = [index.locate(x, y).areas.get(4) for x, y in walk]
        assert single == [index.grids[n].code if n >= 0 else None for n in naive]


def test_geofence_rows_and_nonsense() -> None:
    fence = Geofence(county(), capacity=3)
    assert fence.update([0, 2], [117.05, float("nan")], [34.05, 34.05]).tolist() == [0, -1]
    assert fence.update([], [], []).tolist() == []
    assert fence.cells.tolist() == [0, -1, -1]
    fence.forget([0])
    assert fence.cells.tolist() == [-1, -1, -1]
    with pytest.raises(IndexError):
        fence.update([3], [117.0], [34.0])


def test_geofence_without_grids() -> None:
    assert Geofence(AreaIndex([]), 2).update([0, 1], [117.0, 1.0], [34.0, 1.0]).tolist() == [-1, -1]


def test_geofence_sliver_without_room_for_a_box() -> None:
    sliver = shapely.Polygon([(117.0, 34.0), (117.1, 34.1), (117.1, 34.1000001)])
    fence = Geofence(AreaIndex([Area("S", "细条", 4, None, "网格", sliver)]), 1)
    spot = sliver.representative_point()
    for _ in range(2):
        assert fence.update([0], [spot.x], [spot.y]).tolist() == [0]
