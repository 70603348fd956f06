"""How many sessions are opened at one host per second, whoever of our processes opens them.

A recorder with sixty-four cameras behind it stumbles when a wall asks for all of them at once. Workers ask here,
in the one process they all talk to, and wait as long as they are told.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Opens"]

_MOST_HOSTS: Final = 4096


class Opens:
    """A turn for everybody who wants to open a session at a host.

    Args:
        per_s: Sessions per second; as many may start at once after a quiet time.
        clock: Monotonic seconds.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 1.0 / per_s
        self._ahead_s = (max(1, math.ceil(per_s)) - 1) * self._interval_s
        self._clock = clock
        self._due_s: dict[str, float] = {}
        self.delayed = 0
        """Turns that had to be waited for."""

    def wait_s(self, host: str) -> float:
        """Give out the next turn at a host; return the seconds until it comes."""
        now_s = self._clock()
        if len(self._due_s) >= _MOST_HOSTS:
            self._due_s = {name: due_s for name, due_s in self._due_s.items() if due_s > now_s}
        due_s = max(self._due_s.get(host, now_s), now_s)
        self._due_s[host] = due_s + self._interval_s
        wait_s = max(0.0, due_s - self._ahead_s - now_s)
        self.delayed += wait_s > 0
        return wait_s
