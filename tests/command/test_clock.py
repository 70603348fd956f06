import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.clock import ManualClock, SystemClock, parse_rfc3339, rfc3339

moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_survives_the_wire_to_the_millisecond(at: datetime, offset_min: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(minutes=offset_min)))
    text = rfc3339(elsewhere)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert parse_rfc3339(text) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(moments, moments)
def test_text_orders_like_time(one: datetime, other: datetime) -> None:
    assert (rfc3339(one) < rfc3339(other)) == (
        one.replace(microsecond=one.microsecond // 1000)
        < other.replace(microsecond=other.microsecond // 1000)
    )


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T03:07:42", "yesterday", "20261122", "12:00Z"])
def test_what_is_no_moment_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|isoformat"):
        parse_rfc3339(text)


def test_naive_times_have_no_place() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        rfc3339(naive)
    for make in (lambda: ManualClock(naive), lambda: ManualClock().set_wall(naive)):
        with pytest.raises(ValueError, match="aware"):
            make()


def test_the_manual_clock_moves_when_told() -> None:
    clock = ManualClock()
    start, ticks = clock.now(), clock.monotonic()
    clock.advance(1.5)
    assert clock.now() - start == timedelta(seconds=1.5)
    assert clock.monotonic() - ticks == 1.5
    clock.set_wall(start - timedelta(hours=2))
    assert clock.now() < start
    assert clock.monotonic() - ticks == 1.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_the_system_clock_is_aware_and_does_not_go_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
