import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.health.compare import compare_edges, compare_samples, compare_texture
from streams.health.judge import judge
from streams.health.measures import measure
from streams.picture import shrink
from tests.streams.health.scenes import SCENES, coded

_sizes = st.tuples(st.integers(16, 400), st.integers(16, 400))


@settings(max_examples=40)
@given(size=_sizes, seed=st.integers(0, 2**32 - 1), low=st.integers(0, 255), high=st.integers(0, 255))
def test_any_picture_has_finite_measures_and_a_verdict(
    size: tuple[int, int], seed: int, low: int, high: int
) -> None:
    low, high = min(low, high), max(low, high)
    image = np.random.default_rng(seed).integers(low, high + 1, (*size, 3)).astype(np.uint8)
    m = measure(image)
    assert all(math.isfinite(value) for value in m.numbers().values())
    for share in (m.dark_share, m.bright_share, m.peak_share, m.flat_share):
        assert -1e-9 <= share <= 1 + 1e-9
    assert low - 1 <= m.mean <= high + 1
    judge(m, None, None, {})
    assert measure(image.copy()).numbers() == m.numbers()


@pytest.mark.parametrize("shape", [(8, 8, 3), (100, 100), (100, 100, 4), (0, 0, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        measure(np.zeros(shape, np.uint8))


def test_one_colour_has_no_edges_no_noise_and_one_peak() -> None:
    m = measure(np.full((540, 960, 3), 90, np.uint8))
    assert (m.sigma, m.noise, m.edges, m.entropy) == (0.0, 0.0, 0.0, 0.0)
    assert m.peak_share == pytest.approx(1.0)
    assert m.flat_share == 1.0


@given(sigma=st.floats(2, 40))
@settings(max_examples=15)
def test_noise_is_measured_in_grey_levels(sigma: float) -> None:
    noise = np.random.default_rng(1).normal(128, sigma, (400, 400, 1))
    image = np.clip(np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)
    assert measure(image).noise == pytest.approx(sigma, rel=0.12)


def test_main_and_sub_stream_measure_alike() -> None:
    image = coded(SCENES["street"](1), 95)
    large, small = measure(image), measure(shrink(image, 640))
    for name in ("mean", "sigma", "flat_share", "edges", "chroma"):
        assert getattr(small, name) == pytest.approx(getattr(large, name), rel=0.12, abs=0.05), name


@pytest.mark.parametrize(("right", "down"), [(30, 0), (0, 30), (-48, 12), (18, -24)])
def test_a_shift_is_found_with_its_length(right: int, down: int) -> None:
    image = coded(SCENES["square"](1))
    shift = compare_edges(measure(image).edge_map, measure(np.roll(image, (down, right), (0, 1))).edge_map)
    assert shift.share == pytest.approx(math.hypot(right, down) / image.shape[1], abs=0.006)
    assert shift.best > 0.8 > shift.match


def test_the_same_edges_have_not_moved() -> None:
    edges = measure(coded(SCENES["lane"](1))).edge_map
    shift = compare_edges(edges, edges)
    assert (shift.share, shift.match) == (0.0, pytest.approx(1.0))
    texture = compare_texture(edges, edges)
    assert (texture.lost_share, texture.kept_match) == (0.0, pytest.approx(1.0))


def test_a_clock_shows_in_most_but_not_in_p99() -> None:
    before = np.full((54, 96), 100, np.uint8)
    now = before.copy()
    now[2, 10:30] = 200
    change = compare_samples(before, now)
    assert change.p99 == 0
    assert change.most == 100
