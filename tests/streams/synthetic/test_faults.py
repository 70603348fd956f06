"""Faults that come and go by themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.synthetic.faults import PICTURE_FAULTS, Schedule

NOW = 1_760_000_000.0


@given(st.integers(0, 1000), st.integers(0, 10_000), st.floats(1.7e9, 1.8e9))
def test_the_same_seed_gives_the_same_faults(seed: int, number: int, at: float) -> None:
    fault = Schedule(seed, 0.2).fault(number, at)
    assert fault == Schedule(seed, 0.2).fault(number, at)
    if fault is not None:
        assert fault.since <= at


def test_a_share_of_the_cameras_is_faulty_and_it_changes() -> None:
    schedule = Schedule(7, 0.05)
    found = [{n for n in range(3000) if schedule.fault(n, NOW + hours * 3600)} for hours in range(6)]
    for faulty in found:
        assert 0.03 < len(faulty) / 3000 < 0.075
    assert len(found[0] & found[5]) < len(found[0]) / 2


def test_picture_faults_last_for_several_looks() -> None:
    schedule = Schedule(3, 0.3)
    lasted = []
    for number in range(100):
        seen = [schedule.fault(number, NOW + minute * 60) for minute in range(600)]
        for first in {f for f in seen if f is not None and f.kind in PICTURE_FAULTS and f.since > NOW}:
            lasted.append(sum(f == first for f in seen))
    # The last look may cut one short.
    assert sum(minutes >= 20 for minutes in lasted) / len(lasted) > 0.8


def test_no_share_no_faults() -> None:
    assert not any(Schedule(1, 0.0).fault(n, NOW) for n in range(500))
