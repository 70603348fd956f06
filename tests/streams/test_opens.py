"""Turns at a host."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.opens import Opens
from tests.streams.scripted import Clock


def test_a_burst_and_then_one_after_the_other() -> None:
    clock = Clock()
    opens = Opens(4, clock)
    waits = [opens.wait_s("recorder") for _ in range(8)]
    assert waits == [0, 0, 0, 0, 0.25, 0.5, 0.75, 1.0]
    assert opens.delayed == 4
    assert opens.wait_s("another") == 0
    clock.now_s += 60
    assert [opens.wait_s("recorder") for _ in range(5)] == waits[:5]


def test_less_than_one_a_second() -> None:
    opens = Opens(0.5, Clock())
    assert [opens.wait_s("x") for _ in range(3)] == [0, 2, 4]


def test_hosts_that_were_asked_for_once_are_forgotten() -> None:
    clock = Clock()
    opens = Opens(4, clock)
    for number in range(20_000):
        clock.now_s += 1
        opens.wait_s(f"host {number}")
    assert len(opens._due_s) <= 4096


@given(st.lists(st.floats(0, 2), min_size=1, max_size=80), st.floats(0.2, 20))
def test_never_more_than_twice_as_many_in_any_second(gaps: list[float], per_s: float) -> None:
    clock = Clock()
    opens = Opens(per_s, clock)
    turns = []
    for gap in gaps:
        clock.now_s += gap
        turns.append(clock.now_s + opens.wait_s("x"))
    turns.sort()
    for start in turns:
        assert sum(start <= turn < start + 1 - 1e-9 for turn in turns) <= 2 * max(1, per_s) + 1
