"""Slowing down those who guess passwords, without ever locking out those who do not.

Wrong tries are counted per account and address, and per address alone (one guess at each of many accounts).
After the free ones each further try must wait, twice as long each time up to a limit. Waiting is the worst
that happens: an attacker elsewhere cannot keep a dispatcher out, as nothing is counted per account alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from command.clock import Clock
from command.errors import TooManyRequests
from command.setting_sections import SecuritySettings

SPRAY_FACTOR: Final = 10
"""An address may be wrong this many times as often over all accounts: a centre may share one address."""

MAX_KEYS: Final = 20_000
"""Counters kept; the one unused longest goes first."""


_Key = tuple[str | None, str]
"""Account (None: any) and address."""


@dataclass(slots=True)
class _Count:
    tries: int
    last_s: float
    free_at_s: float


class LoginThrottle:
    """Counts wrong tries.

    Args:
        settings: Free tries, longest wait, when they are forgotten.
        clock: Only its monotonic side is used: setting the clock forgives nothing.
    """

    def __init__(self, settings: SecuritySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._counts: OrderedDict[_Key, _Count] = OrderedDict()

    def begin(self, username: str, address: str) -> None:
        """Count a try before the password is looked at, so that many at once cannot slip through together.

        Raises:
            TooManyRequests: It comes too early; the try is not counted and the password not looked at.
        """
        now_s = self._clock.monotonic()
        keys = self._keys(username, address)
        wait_s = max(self._wait_s(key, now_s) for key, _ in keys)
        if wait_s > 0:
            raise TooManyRequests(round(wait_s, 1), "Too many wrong passwords; wait before trying again.")
        for key, free in keys:
            count = self._counts.pop(key, None)
            tries = 1 if count is None else count.tries + 1
            over = tries - free
            pause_s = 0.0 if over < 0 else min(2.0 ** min(over, 30), self._settings.login_max_wait_s)
            self._counts[key] = _Count(tries, now_s, now_s + pause_s)
        while len(self._counts) > MAX_KEYS:
            self._counts.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """Forget the account's wrong tries from here, and take this try off the address's own count."""
        (pair, _), (alone, free) = self._keys(username, address)
        self._counts.pop(pair, None)
        count = self._counts.get(alone)
        if count is not None:
            count.tries -= 1
            if count.tries < free:
                count.free_at_s = count.last_s

    def _keys(self, username: str, address: str) -> tuple[tuple[_Key, int], ...]:
        free = self._settings.login_free_tries
        return (((username.casefold(), address), free), ((None, address), free * SPRAY_FACTOR))

    def _wait_s(self, key: _Key, now_s: float) -> float:
        count = self._counts.get(key)
        if count is None:
            return 0.0
        if now_s - count.last_s > self._settings.login_forget_s:
            del self._counts[key]
            return 0.0
        return count.free_at_s - now_s
