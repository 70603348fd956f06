"""The best choice against all choices, its bound, and a process that ends when nobody waits any more."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from gis.coverage.camera_sites import camera_choices
from gis.coverage.exact import grouped, solve, solve_apart
from gis.coverage.reach import Ground
from gis.coverage.siting import Choices, choices, one_more
from gis.coverage.view import SeenArea, Sight
from gis.errors import ToolFailed
from tests.gis.coverage.test_reach import EAST, NORTH, SOUTH, WEST, division, lattice


def made(gains: np.ndarray, weight: np.ndarray) -> Choices:
    places, pieces = gains.shape
    return Choices(
        np.zeros(places),
        np.zeros(places),
        csr_array(gains.astype(np.float64)),
        weight.astype(np.float64),
        np.zeros(pieces, np.int32),
        1,
    )


@st.composite
def problems(draw: st.DrawFn) -> tuple[Choices, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places, pieces = draw(st.integers(1, 7)), draw(st.integers(1, 30))
    gains = rng.random((places, pieces)) < draw(st.floats(0.05, 0.6))
    return made(gains, rng.integers(1, 50, pieces)), draw(st.integers(1, 4))


@settings(deadline=None, max_examples=30)
@given(problems())
def test_no_choice_brings_more(problem: tuple[Choices, int]) -> None:
    found, posts = problem
    cover, weight = grouped(found)
    assert weight.sum() == pytest.approx(found.gain_m(range(len(found.lon))))
    if not len(weight):
        return
    best = solve(cover, weight, posts, 10.0)
    assert best.proven
    assert len(best.chosen) <= posts
    subsets = itertools.combinations(range(len(found.lon)), min(posts, len(found.lon)))
    assert found.gain_m(best.chosen) == pytest.approx(max(map(found.gain_m, subsets)))
    assert best.bound_m == pytest.approx(found.gain_m(best.chosen), rel=1e-5)
    greedy = found.greedy(posts)
    assert (1 - 1 / np.e) * best.bound_m <= found.gain_m(greedy) + 1e-6
    told = found.posts(found.greedy(posts, np.array(best.chosen, dtype=np.intp)))
    assert sum(post.gain_m for post in told) == pytest.approx(found.gain_m(best.chosen))


def trap() -> Choices:
    """The middle of three overlaps both sides: greedy takes it first and is left with halves."""
    gains = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 0]], dtype=np.bool_)
    return made(gains, np.array([10, 10, 10, 10, 10, 10]))


async def test_the_process_answers_as_the_solver_does() -> None:
    found = trap()
    assert found.gain_m(found.greedy(2)) == 50
    best = await solve_apart(found, 2, 10.0)
    assert (sorted(best.chosen), best.bound_m, best.proven) == ([0, 1], pytest.approx(60), True)
    assert [post.gain_m for post in found.posts(found.greedy(2, np.array(best.chosen)))] == [30, 30]


async def test_whoever_waits_no_more_ends_the_process() -> None:
    rng = np.random.default_rng(5)
    hard = made(rng.random((160, 4000)) < 0.03, rng.integers(1, 50, 4000))

    def children() -> set[str]:
        return {
            path.parent.name
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if b"gis.coverage.exact" in path.read_bytes()
        }

    before = children()
    waiting = asyncio.create_task(solve_apart(hard, 20, 60.0))
    while not children() - before:
        await asyncio.sleep(0.02)
        assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not children() - before
    with pytest.raises(ToolFailed):
        await solve_apart(hard, -1, 1.0)


def test_greedy_of_the_choices_is_one_more() -> None:
    reach = Ground(division(), {"car": lattice()}).reach([117.02], [34.02])
    found = choices(reach, 150.0, candidates=40)
    assert found is not None
    assert found.posts(found.greedy(3)) == one_more(reach, 150.0, posts=3, candidates=40)
    assert choices(reach, 1e6) is None
    assert choices(Ground(division(), {}).reach([117.02], [34.02]), 10.0) is None


def test_a_camera_goes_where_nothing_is_shown() -> None:
    areas = division()
    samples = Ground(areas, {"car": lattice()}).samples
    nothing = SeenArea(areas, {})
    found = camera_choices(samples, nothing, 200.0, candidates=50)
    assert found is not None
    (best,) = found.posts(found.greedy(1))
    assert best.gain_m == pytest.approx(800, rel=0.1)  # a crossing: four arms of 200 m
    assert WEST <= best.lon <= EAST
    assert SOUTH <= best.lat <= NORTH
    watched = SeenArea(areas, {"c": Sight(best.lon, best.lat, 0.0, 360.0, 200.0)})
    again = camera_choices(samples, watched, 200.0, candidates=50)
    assert again is not None
    (other,) = again.posts(again.greedy(1))
    assert (other.lon, other.lat) != (best.lon, best.lat)
    everything = {f"{n}": Sight(117.02, 34.02, 0.0, 360.0, 9_000.0) for n in range(2)}
    assert camera_choices(samples, SeenArea(areas, everything), 200.0) is None
