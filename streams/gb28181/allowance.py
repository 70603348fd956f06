"""How often something may happen, for each of many: a device that repeats itself must not drown the others."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_REMEMBERED: Final = 10_000


class Allowance:
    """Lets a few through at once, and then so many per second.

    Args:
        burst: At once.
        per_s: Afterwards.
        clock: Monotonic seconds.

    Attributes:
        refused: How many were not let through.
    """

    def __init__(self, burst: int, per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.refused = 0
        self._burst = float(burst)
        self._per_s = per_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def may(self, name: str) -> bool:
        """Return whether one more of this name is let through."""
        now = self._clock()
        left, at = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_s)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        if len(self._left) > _MOST_REMEMBERED:
            self._left.popitem(last=False)
        if not allowed:
            self.refused += 1
        return allowed
