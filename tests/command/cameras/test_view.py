from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.cameras import Camera, bearing_deg, looks_at
from command.incidents import distance_m

LON, LAT = 116.8, 33.9


def off(bearing: float, metres: float) -> tuple[float, float]:
    """Return the point so far away in this direction."""
    north = metres * math.cos(math.radians(bearing)) / 111_195.0
    east = metres * math.sin(math.radians(bearing)) / 111_195.0 / math.cos(math.radians(LAT))
    return LON + east, LAT + north


def sees(bearing: float, metres: float, **more: Any) -> bool:
    camera = Camera(id="c", name="x", lon=LON, lat=LAT, **more)
    lon, lat = off(bearing, metres)
    return looks_at(camera, lon, lat, distance_m(LON, LAT, lon, lat))


@given(st.floats(0, 359.99), st.floats(1, 1000))
def test_a_bearing_is_the_way_one_went(bearing: float, metres: float) -> None:
    found = bearing_deg(LON, LAT, *off(bearing, metres))
    assert abs((found - bearing + 180) % 360 - 180) < 0.1


@pytest.mark.parametrize(
    ("azimuth", "fov", "bearing", "seen"),
    [
        (90, 60, 90, True),
        (90, 60, 119, True),
        (90, 60, 121, False),
        (350, 60, 10, True),  # across north
        (350, 60, 25, False),
        (90, None, 110, True),
        (90, None, 130, False),
        (None, 60, 90, False),  # nobody said where it looks
        (None, 360, 200, True),
        (90, 360, 270, True),
    ],
)
def test_a_place_is_in_view(azimuth: float | None, fov: float | None, bearing: float, *, seen: bool) -> None:
    assert sees(bearing, 100, azimuth=azimuth, fov=fov) is seen


def test_what_is_too_far_is_not() -> None:
    assert sees(90, 149, azimuth=90, fov=60)
    assert not sees(90, 151, azimuth=90, fov=60)
    assert sees(90, 400, azimuth=90, fov=60, range_m=500)
    assert not sees(90, 60, azimuth=90, fov=60, range_m=50)
    assert sees(270, 0.2, azimuth=90, fov=60)  # under its feet


@given(st.floats(0, 359), st.floats(1, 359), st.floats(0, 359), st.floats(1.5, 149))
def test_turning_everything_turns_the_answer_with_it(
    azimuth: float, fov: float, bearing: float, metres: float
) -> None:
    edge = abs(abs((bearing - azimuth + 180) % 360 - 180) - fov / 2)
    if edge > 0.2:
        turned = ((azimuth + 77) % 360, (bearing + 77) % 360)
        assert sees(bearing, metres, azimuth=azimuth, fov=fov) is sees(
            turned[1], metres, azimuth=turned[0], fov=fov
        )
