from __future__ import annotations

import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.crs import GCJ02
from gis.errors import CrsMismatch
from gis.projecting import CRS84, TARGETS, bounds_of, box_in, geojson, meets, out, projected, target

PROJ = {
    name: pyproj.Transformer.from_crs("OGC:CRS84", "OGC:CRS84" if name == "CRS84" else name)
    for name in ("CRS84", "EPSG:4326", "EPSG:4490", "EPSG:3857")
}
degrees = st.tuples(st.floats(-180, 180), st.floats(-80, 80))


@given(point=degrees, name=st.sampled_from(sorted(PROJ)))
def test_as_proj_has_it_in_the_authoritys_order(point: tuple[float, float], name: str) -> None:
    theirs = PROJ[name].transform(*point)
    ours = out(target(name), *point)
    assert tuple(map(float, ours)) == pytest.approx(theirs, abs=1e-6)


@given(a=degrees, b=degrees, name=st.sampled_from(sorted(PROJ)))
def test_a_box_comes_back(a: tuple[float, float], b: tuple[float, float], name: str) -> None:
    west, east = sorted((a[0], b[0]))
    south, north = sorted((a[1], b[1]))
    to = target(name)
    low, high = out(to, west, south), out(to, east, north)
    assert box_in(to, (*map(float, low), *map(float, high))) == pytest.approx(
        (west, south, east, north), abs=1e-9
    )


def test_geometries_are_rounded_and_turned_the_right_way() -> None:
    square = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
    shown = geojson(square)
    assert shapely.is_ccw(shapely.geometry.shape(shown).exterior)
    assert geojson((117.12345678, 34.0)) == {"type": "Point", "coordinates": [117.1234568, 34.0]}
    swapped = geojson(shapely.LineString([(117, 34), (118, 35)]), target("EPSG:4326"))
    assert swapped["coordinates"] == ((34.0, 117.0), (35.0, 118.0))
    metres = geojson((117.0, 34.0), target("EPSG:3857"))["coordinates"]
    assert metres == [13024380.42, 4028802.03]
    assert projected(shapely.Point(117, 34, 5), CRS84).has_z is False


def test_what_is_not_on_the_globe_is_refused() -> None:
    for name, box in (
        ("EPSG:4326", (0, 91, 1, 200)),
        ("CRS84", (0, 0, 1, 91)),
        ("EPSG:3857", (0, 0, 1e9, 1)),
        ("CRS84", (0, 0, float("nan"), 1)),
        (GCJ02, (0, 0, 1, 1)),
    ):
        with pytest.raises(CrsMismatch):
            box_in(target(name), box)
    with pytest.raises(CrsMismatch, match="EPSG:3857"):
        target("EPSG:1")
    assert set(TARGETS) == {"CRS84", "EPSG:4326", "EPSG:4490", "EPSG:3857", "GCJ-02"}


def test_meeting_a_box_includes_its_rim() -> None:
    square = shapely.box(0, 0, 1, 1)
    for geometry in (square, (1.0, 1.0), shapely.LineString([(-1, 1), (1, 1)])):
        assert meets(geometry, [(5, 5, 6, 6), (1, 1, 2, 2)])
        assert not meets(geometry, [(1.1, 1.1, 2, 2)])
    # The box of a diagonal line meets more than the line does.
    assert not meets(shapely.LineString([(0, 0), (1, 1)]), [(0.8, 0, 1, 0.2)])
    assert not meets(None, [(0, 0, 1, 1)])
    assert bounds_of((1.0, 2.0)) == (1.0, 2.0, 1.0, 2.0)
