from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.timeline import MOST_DEPTH, Place, Timeline
from tests.streams.coded import STEP


def placed(times: list[int], depth: int = 0) -> list[Place]:
    timeline = Timeline(depth)
    return [timeline.place(time) for time in times]


def test_without_reordering_both_times_are_the_cameras() -> None:
    times = [10**9 + STEP * number for number in range(20)]
    assert placed(times) == [Place(STEP * number, STEP * number, STEP) for number in range(20)]


def test_with_reordering_decoding_runs_ahead_of_showing() -> None:
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]
    places = placed([STEP * number for number in order], depth=2)
    assert [place.pts // STEP for place in places] == [number + 2 for number in order]
    assert [place.dts // STEP for place in places] == list(range(len(order)))


def test_another_rate_is_learnt() -> None:
    places = placed([9000 * number for number in range(8)])
    assert places[-1].duration == 9000
    assert places[-1].pts - places[-2].pts == 9000
    slow = placed([90_000 * number for number in range(8)])
    assert slow[-1].duration == slow[-1].pts - slow[-2].pts == 90_000


@pytest.mark.parametrize("jump", [3 * 90_000, 36_000 * 90_000, 2**31, -36_000 * 90_000, -70_000])
@pytest.mark.parametrize("depth", [0, 2])
def test_a_clock_that_is_set_leaves_no_gap(jump: int, depth: int) -> None:
    order = [0, 3, 1, 2] if depth else [0, 1, 2, 3]
    times = [STEP * (4 * (n // 4) + order[n % 4]) + (jump if n >= 20 else 0) for n in range(80)]
    timeline = Timeline(depth)
    places = [timeline.place(time) for time in times]
    check_rising(places)
    shown = sorted(place.pts for place in places)
    assert max(b - a for a, b in pairwise(shown)) <= 4 * STEP
    assert min(b - a for a, b in pairwise(shown)) > 0
    assert timeline.needed <= timeline.depth


def test_lost_pictures_leave_the_others_where_they_were() -> None:
    times = [STEP * number for number in range(60) if not 20 <= number < 26]
    places = placed(times)
    assert [place.pts for place in places] == times
    check_rising(places)
    # Decoding has caught up with showing again.
    assert places[-1].dts == places[-1].pts


def test_a_long_gap_is_closed() -> None:
    places = placed([STEP * number + (2 * 90_000 if number > 9 else 0) for number in range(20)])
    assert places[10].pts - places[9].pts == STEP


def test_reordering_that_was_not_announced_is_noticed() -> None:
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7]
    timeline = Timeline()
    places = [timeline.place(STEP * number) for number in order]
    check_rising(places, early=True)
    assert (timeline.depth, timeline.needed) == (0, 2)
    timeline.restart(timeline.needed)
    later = [timeline.place(STEP * (number + 9)) for number in order]
    check_rising(later)
    assert [place.pts - places[0].pts for place in later] == [STEP * (number + 9) for number in order]
    assert (timeline.depth, timeline.needed) == (2, 2)


def test_a_small_step_back_is_followed() -> None:
    timeline = Timeline()
    places = [timeline.place(STEP * number - (5 * STEP if number >= 20 else 0)) for number in range(60)]
    check_rising(places, early=True)
    assert places[-1].pts == places[-1].dts


def test_equal_times_become_different_ones() -> None:
    places = placed([0, 0, 0, STEP, STEP])
    check_rising(places)
    assert len({place.pts for place in places}) == 5


def test_jitter_does_not_add_up() -> None:
    chance = random.Random(3)
    times = [STEP * number + chance.randrange(-1500, 1500) for number in range(2000)]
    places = placed(times)
    check_rising(places)
    assert places[-1].pts - places[0].pts == times[-1] - times[0]


def check_rising(places: list[Place], *, early: bool = False) -> None:
    """What a player needs: decoding times rise by at most twice what it was told, and nothing is shown before."""
    for before, after in pairwise(places):
        assert 0 < after.dts - before.dts <= 2 * before.duration
    assert all(place.dts >= 0 and place.duration > 0 for place in places)
    if not early:
        assert all(place.pts >= place.dts for place in places)


@given(
    st.lists(st.integers(-(2**33), 2**33) | st.integers(-20_000, 20_000) | st.just(STEP), max_size=120),
    st.integers(0, 20),
)
def test_whatever_the_camera_says(steps: list[int], depth: int) -> None:
    timeline = Timeline(depth)
    time, places = 0, []
    for step in steps:
        time += step
        places.append(timeline.place(time))
        assert -(2**31) <= places[-1].pts - places[-1].dts < 2**31
        assert timeline.needed <= MOST_DEPTH
        assert len(timeline._heap) == timeline.depth
    check_rising(places, early=True)


@given(st.integers(0, 4), st.randoms(use_true_random=False), st.integers(1, 200))
def test_any_order_within_the_depth(depth: int, chance: random.Random, count: int) -> None:
    """Groups like an encoder's: a reference, then what is shown before it, at most ``depth`` references ahead."""
    order, base = [0], 1
    while base < count:
        size = chance.randint(1, depth + 1) if depth else 1
        group = list(range(base, base + size))
        order += [group[-1], *group[:-1]]
        base += size
    places = placed([STEP * number for number in order], depth=max(depth, 1) if depth else 0)
    check_rising(places)
    assert [place.pts - places[0].pts for place in places] == [STEP * number for number in order]
