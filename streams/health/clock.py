"""Time as the sweep sees it, so that five minutes can pass in a moment."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the sweep knows of time."""

    def now_s(self) -> float:
        """Return monotonic seconds."""

    def utc(self) -> datetime:
        """Return the wall clock, aware."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The computer's."""

    def now_s(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def utc(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)
