from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis import crs
from gis.errors import CrsMismatch

# Well inside the rectangle in which the public services shift coordinates.
chinese = st.tuples(st.floats(73.0, 135.0), st.floats(4.0, 53.0))
foreign = st.one_of(
    st.tuples(st.floats(-180.0, 71.9), st.floats(-90.0, 90.0)),
    st.tuples(st.floats(73.0, 135.0), st.floats(56.0, 90.0)),
)


def apart_m(a: crs.LonLat, lon: float, lat: float) -> float:
    return float(crs.distance_m(a[0], a[1], lon, lat))


@given(point=chinese)
def test_gcj02_there_and_back_within_a_millimetre(point: tuple[float, float]) -> None:
    there = crs.gcj02_from_wgs84(*point)
    assert 20.0 < apart_m(there, *point) < 900.0
    assert apart_m(crs.wgs84_from_gcj02(*there), *point) < 1e-3


@given(point=chinese)
def test_bd09_there_and_back_within_a_millimetre(point: tuple[float, float]) -> None:
    gcj = crs.gcj02_from_wgs84(*point)
    bd = crs.bd09_from_gcj02(*gcj)
    assert apart_m(crs.gcj02_from_bd09(*bd), float(gcj[0]), float(gcj[1])) < 1e-3
    assert apart_m(crs.wgs84_from_bd09(*bd), *point) < 2e-3


WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271
"""The rectangle in which the public services shift coordinates."""


def test_gcj02_inverse_over_the_whole_rectangle_its_rim_included() -> None:
    lon, lat = np.meshgrid(np.linspace(WEST, EAST, 400), np.linspace(SOUTH, NORTH, 300))
    # The root in the offset has no slope at 105 degrees: the worst place for steps that rely on one.
    fine = 105.0 + np.concatenate([np.linspace(-1e-6, 1e-6, 401), np.logspace(-18, -3, 400)])
    lon = np.concatenate([lon.ravel(), np.tile(fine, 2)])
    lat = np.concatenate([lat.ravel(), np.repeat([20.123, 35.0], fine.size)])
    away = crs.distance_m(lon, lat, *crs.wgs84_from_gcj02(*crs.gcj02_from_wgs84(lon, lat)))
    assert float(away.max()) < 1e-4, (lon[away.argmax()], lat[away.argmax()])
    away = crs.distance_m(lon, lat, *crs.gcj02_from_bd09(*crs.bd09_from_gcj02(lon, lat)))
    assert float(away.max()) < 1e-3


rim = st.one_of(
    st.tuples(st.sampled_from([WEST, EAST]), st.floats(SOUTH, NORTH)),
    st.tuples(st.floats(WEST, EAST), st.sampled_from([SOUTH, NORTH])),
)


@given(point=rim, dx=st.floats(-0.03, 0.03), dy=st.floats(-0.03, 0.03))
def test_about_the_rim_each_point_comes_back_or_is_told_apart(
    point: tuple[float, float], dx: float, dy: float
) -> None:
    lon, lat = point[0] + dx, point[1] + dy
    gcj = crs.gcj02_from_wgs84(lon, lat)
    back = crs.wgs84_from_gcj02(*gcj)
    if WEST <= lon <= EAST and SOUTH <= lat <= NORTH:
        assert apart_m(back, lon, lat) < 1e-3
        return
    assert (float(gcj[0]), float(gcj[1])) == (lon, lat)
    # Not moved; read back as it is, unless a point inside was moved to exactly here.
    if apart_m(back, lon, lat) > 1e-3:
        again = crs.gcj02_from_wgs84(*back)
        assert apart_m(again, lon, lat) < 1e-3
        assert apart_m(back, lon, lat) < 1_500.0


@given(point=foreign)
def test_outside_china_nothing_moves(point: tuple[float, float]) -> None:
    for change in (
        crs.gcj02_from_wgs84,
        crs.wgs84_from_gcj02,
        crs.bd09_from_gcj02,
        crs.gcj02_from_bd09,
        crs.wgs84_from_bd09,
    ):
        lon, lat = change(*point)
        assert (float(lon), float(lat)) == point


def test_published_pairs() -> None:
    # The example that the public converters quote for Tiananmen.
    lon, lat = crs.gcj02_from_wgs84(116.404, 39.915)
    assert (float(lon), float(lat)) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    lon, lat = crs.bd09_from_gcj02(116.404, 39.915)
    assert (float(lon), float(lat)) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


def test_arrays_keep_their_shape() -> None:
    lon, lat = crs.wgs84_from_gcj02(np.full((3, 2), 117.0), 34.0)
    assert lon.shape == lat.shape == (3, 2)
    assert crs.wgs84_from_bd09([], [])[0].shape == (0,)
    assert crs.distance_m([], [], 117.0, 34.0).shape == (0,)


@given(lon=st.floats(116.0, 118.0), lat=st.floats(33.0, 35.0))
def test_local_metric_round_trip(lon: float, lat: float) -> None:
    frame = crs.LocalMetric(117.0, 34.0)
    x, y = frame.to_xy(lon, lat)
    assert frame.point_xy(lon, lat) == pytest.approx((float(x), float(y)), abs=1e-6)
    back = frame.to_lonlat(x, y)
    assert (float(back[0]), float(back[1])) == pytest.approx((lon, lat), abs=1e-9)
    if abs(lon - 117.0) < 0.2:
        assert np.hypot(x, y) == pytest.approx(
            float(crs.distance_m(117.0, 34.0, lon, lat)), rel=1e-5, abs=1e-6
        )


@given(a=chinese, b=chinese)
def test_distance_is_symmetric(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert float(crs.distance_m(*a, *b)) == pytest.approx(float(crs.distance_m(*b, *a)), abs=1e-6)


def test_local_metric_projects_geometries() -> None:
    frame = crs.LocalMetric(117.0, 34.0)
    square = shapely.box(117.0, 34.0, 117.01, 34.01)
    assert frame.project(square).area == pytest.approx(923.85 * 1109.2, rel=1e-3)
    assert frame.unproject(frame.project(square)).equals_exact(square, 1e-9)


@pytest.mark.parametrize("origin", [(500000.0, 3700000.0), (117.0, 90.0), (float("nan"), 34.0)])
def test_local_metric_refuses_what_is_no_lonlat(origin: tuple[float, float]) -> None:
    with pytest.raises(CrsMismatch):
        crs.LocalMetric(*origin)


@pytest.mark.parametrize("name", ["EPSG:4326", "epsg:4490", "WGS84"])
def test_geographic_systems_pass_through(name: str) -> None:
    point = shapely.Point(117.0, 34.0)
    assert crs.to_wgs84([point], name) == [point]


def test_declared_systems_are_converted() -> None:
    gcj = shapely.Point(*(float(v) for v in crs.gcj02_from_wgs84(117.0, 34.0)))
    assert crs.to_wgs84([gcj], "GCJ-02")[0].distance(shapely.Point(117.0, 34.0)) < 1e-8
    bd = shapely.Point(*(float(v) for v in crs.bd09_from_gcj02(gcj.x, gcj.y)))
    assert crs.to_wgs84([bd], "bd09")[0].distance(shapely.Point(117.0, 34.0)) < 1e-8
    zone = crs.to_wgs84([shapely.Point(500000.0, 3763663.0)], "EPSG:4548")[0]
    assert (zone.x, zone.y) == pytest.approx((117.0, 34.0), abs=1e-3)
    assert crs.to_wgs84([], "EPSG:4326") == []


def test_metres_declared_as_degrees_are_refused() -> None:
    with pytest.raises(CrsMismatch, match="not on the globe"):
        crs.to_wgs84([shapely.Point(500000.0, 3763663.0)], "EPSG:4326")
    with pytest.raises(CrsMismatch, match="unknown"):
        crs.lonlat_from("EPSG:nonsense", [0.0], [0.0])
