"""Reports in any order, twice, late or absurd lead to one picture of where units are."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command.telemetry.state import FUTURE_CLAMP_S, MAX_AGE_S, Positions, Report, Verdict, code
from command.telemetry.trust import WINDOW

T0 = 1_790_000_000.0
LATE = T0 + 1000


def on_duty(*units: int) -> Positions:
    positions = Positions(1)
    for unit in units:
        positions.set_on_duty(unit, True)
    return positions


def drive(
    positions: Positions, *steps: tuple[float, float] | tuple[float, float, float]
) -> list[tuple[float, bool]]:
    """Report (lon, seconds after T0[, accuracy]) one by one; what the marker says after each."""
    seen = []
    for lon, after, *accuracy in steps:
        report = Report(lon, 27.0, T0 + after, accuracy_m=accuracy[0] if accuracy else 5.0)
        assert positions.report(1, report, T0 + after) is Verdict.ACCEPTED
        positions.settle()
        fix = positions.fix(1)
        assert fix is not None
        seen.append((round(fix.lon, 7), fix.suspect))
    return seen


# Order

fixes = st.builds(
    lambda east, far, after, accuracy, speed: Report(
        105.0 + east * 1e-4 + far, 27.0, T0 + after, speed, math.nan, accuracy, math.nan
    ),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.0]),
    st.integers(0, 25),
    st.sampled_from([5.0, 5.0, math.nan, 20.0, 500.0]),
    st.sampled_from([math.nan, 10.0, 20.0]),
)


@settings(max_examples=300, deadline=None)
@given(
    reports=st.lists(st.tuples(st.sampled_from([1, 1, 1, 2]), fixes), min_size=1, max_size=30),
    seed=st.integers(0, 2**32),
)
def test_every_permutation_and_repetition_ends_the_same(reports: list[tuple[int, Report]], seed: int) -> None:
    rng = random.Random(seed)
    outcomes = set()
    for attempt in range(4):
        positions = on_duty(1, 2)
        order = (
            reports
            if attempt == 0
            else rng.sample(reports, len(reports)) + rng.sample(reports, len(reports) // 2)
        )
        start = 0
        while start < len(order):
            size = rng.choice([1, 2, 7, 100])
            batch = order[start : start + size]
            start += size
            if rng.random() < 0.5:
                for unit, report in batch:
                    positions.report(unit, report, LATE)
            else:
                columns = np.array([report for _, report in batch]).T
                positions.report_many(
                    [unit for unit, _ in batch],
                    columns[0],
                    columns[1],
                    columns[2],
                    LATE,
                    speed_kmh=columns[3],
                    heading_deg=columns[4],
                    accuracy_m=columns[5],
                )
            positions.settle()
        outcomes.add(repr([positions.fix(1), positions.fix(2)]))
    assert len(outcomes) == 1


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(40)))
def test_a_calm_drive_ends_at_its_newest_fix(order: list[int]) -> None:
    positions = on_duty(1)
    for i in order:
        positions.report(1, Report(105.0 + i * 1e-4, 27.0, T0 + i), LATE)
    positions.settle()
    fix = positions.fix(1)
    assert fix is not None
    assert (fix.lon, fix.fix_at, fix.suspect) == (pytest.approx(105.0039), T0 + 39, False)


# Jumps and poor fixes


def test_one_jump_and_back_needs_three_good_fixes() -> None:
    seen = drive(
        on_duty(1), (105.0, 0), (106.0, 1), (105.0001, 2), (105.0002, 3), (105.0003, 4), (105.0004, 5)
    )
    assert seen == [
        (105.0, False),
        (105.0, True),
        (105.0, True),
        (105.0, True),
        (105.0003, False),
        (105.0004, False),
    ]


def test_a_real_move_is_believed_after_three_fixes_there() -> None:
    seen = drive(on_duty(1), (105.0, 0), (106.0, 1), (106.0001, 2), (106.0002, 3), (106.0003, 4))
    assert [suspect for _, suspect in seen] == [False, True, True, True, False]
    assert seen[-1][0] == 106.0003


def test_250_km_an_hour_is_the_limit() -> None:
    degree_m = 111_194.9 * math.cos(math.radians(27.0))
    for speed_kmh, suspect in ((245, False), (255, True)):
        step = speed_kmh / 3.6 * 10 / degree_m
        assert drive(on_duty(1), (105.0, 0), (105.0 + step, 10))[-1][1] is suspect


def test_a_poor_fix_is_not_shown_and_doubts_the_marker() -> None:
    seen = drive(on_duty(1), (105.0, 0), (105.001, 10, 201.0), (105.0, 20), (105.0, 30), (105.0, 40))
    assert [suspect for _, suspect in seen] == [False, True, True, True, False]
    assert {lon for lon, _ in seen} == {105.0}


def test_poor_fixes_for_an_hour_do_not_move_the_marker() -> None:
    steps = [(105.0, 0.0), *((105.01, 10.0 * i, 900.0) for i in range(1, 4 * WINDOW))]
    assert drive(on_duty(1), *steps)[-1] == (105.0, True)  # type: ignore[arg-type]


def test_nothing_but_poor_fixes_is_shown_as_doubtful() -> None:
    positions = on_duty(1)
    assert drive(positions, (105.0, 0, 900.0), (105.01, 10, 800.0))[-1] == (105.01, True)
    assert drive(positions, (105.02, 20))[-1] == (105.02, False)


def test_a_jump_that_slid_to_the_front_of_the_window_is_not_believed() -> None:
    positions = on_duty(1)
    calm = [(105.0 + i * 1e-5, float(i)) for i in range(10)]
    drive(positions, *calm)
    for start in range(10, 34, 4):  # every fourth fix is thrown far away, always to the same place
        seen = drive(positions, (108.0, start), *((105.0, start + i) for i in range(1, 4)))
        assert all(lon < 106 for lon, _ in seen)


# Late ones


def test_late_reports_enter_the_track_and_not_the_marker() -> None:
    positions = on_duty(1)
    drive(positions, (105.0, 100), (105.001, 110))
    positions.report(1, Report(104.9999, 27.0, T0 + 90), T0 + 120)
    settled = positions.settle()
    assert settled.late.tolist() == [True]
    assert settled.reports["at"].tolist() == [T0 + 90]
    assert settled.moved.tolist() == []
    fix = positions.fix(1)
    assert fix is not None
    assert fix.lon == pytest.approx(105.001)


def test_repeated_reports_are_counted_and_left_out_of_the_track() -> None:
    positions = on_duty(1)
    report = Report(105.0, 27.0, T0)
    assert positions.ingest([1, 1], [report, report], T0 + 1) == [Verdict.ACCEPTED] * 2
    positions.report(1, report, T0 + 2)
    settled = positions.settle()
    assert len(settled.reports) == 0
    assert positions.repeated == 2


def test_an_offline_phone_delivers_its_whole_day_at_once() -> None:
    positions = on_duty(1)
    n = 5000
    at = T0 + np.arange(n)
    positions.report_many(np.ones(n, int), 105.0 + np.arange(n) * 1e-5, np.full(n, 27.0), at, T0 + n)
    settled = positions.settle()
    assert len(settled.reports) == n
    fix = positions.fix(1)
    assert fix is not None
    assert (fix.fix_at, fix.suspect) == (T0 + n - 1, False)


# Refusals

REFUSED = [
    (Report(105.0, 27.0, T0, 1), 99, Verdict.UNKNOWN_UNIT),
    (Report(105.0, 27.0, T0), 2, Verdict.OFF_DUTY),
    (Report(180.1, 27.0, T0), 1, Verdict.OUT_OF_RANGE),
    (Report(105.0, -90.1, T0), 1, Verdict.OUT_OF_RANGE),
    (Report(math.nan, 27.0, T0), 1, Verdict.NOT_FINITE),
    (Report(105.0, math.inf, T0), 1, Verdict.NOT_FINITE),
    (Report(105.0, 27.0, math.nan), 1, Verdict.NOT_FINITE),
    (Report(105.0, 27.0, T0 + FUTURE_CLAMP_S + 1), 1, Verdict.FUTURE),
    (Report(105.0, 27.0, T0 - MAX_AGE_S - 1), 1, Verdict.TOO_OLD),
    (Report(105.0, 27.0, T0 - 50), 3, Verdict.OFF_DUTY),
]


@pytest.mark.parametrize(("report", "unit", "verdict"), REFUSED)
def test_refusals_are_the_same_through_both_doors(report: Report, unit: int, verdict: Verdict) -> None:
    for many in (False, True):
        positions = on_duty(1)
        positions.register(2)
        positions.set_on_duty(3, True, since=T0 - 10)
        if many:
            [got] = positions.report_many([unit], [report.lon], [report.lat], [report.fix_at], T0).tolist()
        else:
            got = positions.report(unit, report, T0)
        assert got == verdict
        assert positions.refused == {code(verdict): 1}
        assert len(positions.settle().reports) == 0


def test_a_clock_a_little_fast_counts_as_now() -> None:
    positions = on_duty(1)
    positions.ingest([1], [Report(105.0, 27.0, T0 + 60)], T0)
    fix = positions.fix(1)
    assert fix is not None
    assert fix.fix_at == T0


def test_nonsense_beside_the_place_is_unknown() -> None:
    positions = on_duty(1, 2)
    nonsense = (-5.0, 9999.0, -1.0, 7.0)
    positions.report(1, Report(105.0, 27.0, T0, *nonsense), T0)
    speed, heading, accuracy, battery = nonsense
    positions.report_many(
        [2],
        [105.0],
        [27.0],
        [T0],
        T0,
        speed_kmh=speed,
        heading_deg=heading,
        accuracy_m=accuracy,
        battery=battery,
    )
    positions.settle()
    for unit in (1, 2):
        fix = positions.fix(unit)
        assert fix is not None
        assert (fix.speed_kmh, fix.heading_deg, fix.accuracy_m, fix.battery) == (None,) * 4


# Duty


def test_going_off_duty_erases_where_somebody_is() -> None:
    positions = on_duty(1)
    drive(positions, (105.0, 0))
    positions.report(1, Report(105.1, 27.0, T0 + 5000), T0 + 5000)
    positions.set_on_duty(1, False)
    assert positions.fix(1) is None
    assert positions.gone[positions.register(1)]
    assert len(positions.settle().reports) == 0  # not even what was waiting
    assert positions.fix(1) is None
    row = positions.register(1)
    assert not positions._window["lon"][row].any()
    assert positions.live().tolist() == []


def test_a_new_shift_starts_from_nothing() -> None:
    positions = on_duty(1)
    drive(positions, (105.0, 0))
    positions.set_on_duty(1, False)
    positions.set_on_duty(1, True, since=T0 + 100)
    assert positions.report(1, Report(105.0, 27.0, T0 + 50), T0 + 110) is Verdict.OFF_DUTY
    assert drive(positions, (109.0, 120)) == [(109.0, False)]


# Table


def test_the_table_grows_and_keeps_what_it_knows() -> None:
    positions = Positions(1)
    units = [5, 3, 2**32 - 1, 8, 1, 900]
    for unit in units:
        positions.set_on_duty(unit, True)
        positions.ingest([unit], [Report(105.0, 27.0, T0 + unit % 7)], T0 + 100)
    assert len(positions) == 6
    assert positions.rows([900, 4, 5]).tolist() == [5, -1, 0]
    assert [positions.fix(unit) is not None for unit in units] == [True] * 6
    assert positions.grid.tolist()[:6] == [-1] * 6
    assert positions.live().tolist() == list(range(6))


def test_unit_numbers_fit_the_record() -> None:
    positions = Positions()
    assert positions.rows([1]).tolist() == [-1]
    for unit in (-1, 2**32):
        with pytest.raises(ValueError, match="32 bits"):
            positions.register(unit)
