"""The drawn places: alive, steady, and different by day and by night."""

from __future__ import annotations

import itertools
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.synthetic.canvas import HEIGHT, WIDTH
from streams.synthetic.scenes import Scene, daylight
from streams.synthetic.sites import KINDS, SceneKind, scene_of

ZONE = ZoneInfo("Asia/Shanghai")
AT = 1_760_000_000.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_moves_and_can_be_drawn_again(kind: SceneKind) -> None:
    scene = Scene(kind, 3, ZONE, hour=1.0)
    first = scene.view(AT)
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.std() > 18
    assert np.array_equal(first, scene.view(AT))
    assert np.array_equal(first, Scene(kind, 3, ZONE, hour=1.0).view(AT))
    moved = [np.abs(first.astype(int) - scene.view(AT + wait)).max() for wait in (2.0, 5.0, 9.0, 20.0, 40.0)]
    assert max(moved) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_night_is_darker_and_not_black(kind: SceneKind) -> None:
    day, night = (Scene(kind, 2, ZONE, hour=hour).picture(AT)[:HEIGHT] for hour in (1.0, 0.0))
    assert night.mean() < day.mean() * 0.75
    assert night.mean() > 26
    assert night.std() > 8


def test_the_clock_is_written_in_the_local_time() -> None:
    scene = Scene("square", 0, ZONE, hour=1.0)
    plain = scene.view(AT)
    first, second = plain.copy(), plain.copy()
    scene.finish(first, AT)
    scene.finish(second, AT + 1)
    changed = np.abs(first.astype(int) - second).sum(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert rows.max() < 40  # only the clock
    assert columns.max() < 260
    assert np.array_equal(first, scene_with(scene, plain, AT + 0.9))


def scene_with(scene: Scene, plain: np.ndarray, at: float) -> np.ndarray:
    picture = plain.copy()
    scene.finish(picture, at)
    return picture


def test_seeds_give_other_places() -> None:
    views = [Scene("street", seed, ZONE, hour=1.0).view(AT) for seed in range(3)]
    for one, other in itertools.pairwise(views):
        assert np.abs(one.astype(int) - other).mean() > 5


@given(st.floats(0, 2e9))
def test_light_goes_in_steps(at: float) -> None:
    light = daylight(at, ZONE)
    assert 0 <= light <= 1
    assert light * 8 == int(light * 8)


def test_noon_is_light_and_midnight_dark() -> None:
    noon = 1_760_000_000 - 1_760_000_000 % 86_400 + 4 * 3600  # 12:00 in Shanghai
    assert daylight(noon, ZONE) == 1
    assert daylight(noon + 12 * 3600, ZONE) == 0


def test_every_site_type_has_a_scene() -> None:
    assert scene_of("hill") == "lookout"
    assert scene_of("reservoir") == "dam"
    assert scene_of("bridge") == "bridge"
    assert scene_of("no such thing") == "street"
