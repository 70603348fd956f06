from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.coordinates import read_point
from gis.crs import bd09_from_gcj02, gcj02_from_wgs84


@pytest.mark.parametrize(
    "text",
    [
        "106.91,37.23",
        "106.91，37.23",
        " 106.91   37.23 ",
        "37.23,106.91",
        "N37.23 E106.91",
        "106.91E,37.23N",
        "lat: 37.23, lng: 106.91",
        "经度106.91 纬度37.23",
        "东经106°54′36″ 北纬37°13′48″",
        "北纬37度13分48秒，东经106度54分36秒",
        "37°13.8'N 106°54.6'E",
        "WGS-84 106.91,37.23",
        "106.91,37.23 (CGCS2000)",
    ],
)
def test_ways_to_write_a_point(text: str) -> None:
    point = read_point(text)
    assert point is not None
    assert (point.lon, point.lat) == (106.91, 37.23)


@given(st.floats(80, 130), st.floats(5, 50))
def test_the_datum_is_taken_off(lon: float, lat: float) -> None:
    gcj = gcj02_from_wgs84(lon, lat)
    bd = bd09_from_gcj02(*gcj)
    for (x, y), words in (
        (gcj, ("GCJ-02", "gcj02", "高德", "火星坐标")),
        (bd, ("BD-09", "百度坐标", "bd09ll")),
    ):
        for word in words:
            point = read_point(f"{float(x):.9f},{float(y):.9f} {word}")
            assert point is not None
            assert (point.lon, point.lat) == (pytest.approx(lon, abs=2e-7), pytest.approx(lat, abs=2e-7))


def test_two_bare_numbers_go_by_where_one_is() -> None:
    here = (75.0, 39.0, 77.0, 41.0)
    assert read_point("76.1,40.2", here) == read_point("40.2,76.1", here)
    unknown = read_point("40.2,76.1")
    assert unknown is not None
    assert unknown.lon == 40.2


@pytest.mark.parametrize(
    "text",
    [
        "", "人民路 12", "106.91", "12 34", "340604 001", "1.2.3.4", "200.5,95.5", "106.91,37.23,5", "nan,nan",
        "1e5,3.2", "106.91E 37.23E", "106°70'E 37°13'N", "13812340472", "QS-1122-0001", "N路 3.5",
        "106.91°", "inf,0.0", "9" * 80,
    ],
)  # fmt: skip
def test_what_is_no_point(text: str) -> None:
    assert read_point(text) is None


@given(st.text(max_size=40))
def test_nothing_breaks_it(text: str) -> None:
    point = read_point(text)
    assert point is None or (abs(point.lon) <= 180 and abs(point.lat) <= 90)
