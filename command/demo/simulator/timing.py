"""Time as the simulator needs it: a wall clock in seconds and a sleep, so that a test need not wait."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Protocol

from command.clock import Clock, SystemClock, parse_rfc3339, rfc3339
from command.demo.simulator.rates import Span


class Timing(Protocol):
    """Where the simulator gets its time from."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RealTiming:
    """The machine's own time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(max(0.0, seconds))


def draw(rng: random.Random, span: Span) -> float:
    """Return a number drawn evenly between least and most."""
    return rng.uniform(*span)


def moment(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339.

    >>> moment(0.0)
    '1970-01-01T00:00:00.000Z'
    """
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def seconds_of(text: str | None) -> float | None:
    """Return an RFC 3339 moment as seconds since 1970; None for None."""
    return None if text is None else parse_rfc3339(text).timestamp()
