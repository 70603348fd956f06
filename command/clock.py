"""Time as a thing one can pass in: so a test can move it, and nothing else reads the system clock.

Two clocks in one: ``now()`` is the wall clock for what people read (it may jump when somebody sets it),
``monotonic()`` never goes back and is what every deadline and expiry is measured with.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the service gets its time from."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back, whatever happens to the wall clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of ``time.monotonic``."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told, for tests and replays.

    Args:
        start: First wall-clock time; must be aware.
        monotonic_s: First monotonic reading, in seconds.
    """

    def __init__(self, start: datetime | None = None, monotonic_s: float = 1000.0) -> None:
        first = start if start is not None else datetime(2026, 1, 1, tzinfo=UTC)
        if first.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = first.astimezone(UTC)
        self._monotonic_s = monotonic_s

    def now(self) -> datetime:
        """The wall clock as last set or advanced."""
        return self._now

    def monotonic(self) -> float:
        """The monotonic reading as last advanced, in seconds."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks.

        Args:
            seconds: How much; not negative.

        Raises:
            ValueError: If ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError("time does not run backwards; use set_wall() for a wall-clock jump")
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def set_wall(self, now: datetime) -> None:
        """Jump the wall clock alone, as an operator or a bad time server would.

        Args:
            now: The new wall-clock time; must be aware.

        Raises:
            ValueError: If ``now`` is naive.
        """
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = now.astimezone(UTC)


def rfc3339(at: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with exactly three decimals.

    Args:
        at: An aware datetime.

    Returns:
        Text such as "2026-11-22T03:07:42.123Z"; microseconds are cut, not rounded.

    Raises:
        ValueError: If ``at`` is naive.

    >>> rfc3339(datetime(2026, 11, 22, 11, 7, 42, 123999, tzinfo=UTC))
    '2026-11-22T11:07:42.123Z'
    """
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no place on the wire")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 moment; an offset is required.

    Args:
        text: Such as "2026-11-22T03:07:42.123Z" or "2026-11-22T11:07:42+08:00".

    Returns:
        The same moment, aware, in UTC.

    Raises:
        ValueError: If the text is no such moment or has no offset.

    >>> parse_rfc3339("2026-11-22T11:07:42+08:00").isoformat()
    '2026-11-22T03:07:42+00:00'
    """
    if "T" not in text and "t" not in text and " " not in text:
        raise ValueError(f"not a moment: {text!r}")
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a moment needs an offset or Z: {text!r}")
    return at.astimezone(UTC)
