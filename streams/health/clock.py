"""Time as the sweep sees it, so that five minutes can pass in a moment."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """See to it that it does not."""


class Clock(Protocol):
    """What the sweep knows of time."""

    def now_s(self) -> float:
        """Return monotonic seconds."""

    def utc(self) -> datetime:
        """Return the wall clock, aware."""

    def after(self, seconds: float, do: Callable[[], object]) -> Timer:
        """Do something later."""


class SystemClock:
    """The computer's."""

    def now_s(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def utc(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    def after(self, seconds: float, do: Callable[[], object]) -> Timer:
        """See `Clock`."""
        return asyncio.get_running_loop().call_later(seconds, do)
