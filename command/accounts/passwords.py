"""Hashing passwords: argon2id, two at a time, off the event loop, and as slow for a name that is unknown.

19 MiB and two passes take about 22 ms here. Two slots keep a wave of sign-ins from taking every core from the
live map: the wave waits, the map does not.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from command.errors import Malformed, Unavailable
from command.setting_sections import SecuritySettings

T = TypeVar("T")

SLOTS: Final = 2
MAX_WAITING: Final = 1000
"""Hashes waiting for a slot: 1000 take about ten seconds, and nobody waits longer than that."""

MAX_LENGTH: Final = 256
"""Characters; a longer password is refused before it costs anything."""

COMMON: Final = frozenset(
    """
    12345678 123456789 1234567890 87654321 11111111 00000000 88888888 66666666 12341234 11223344 147258369
    password password1 passw0rd p@ssw0rd p@ssword iloveyou qwertyui qwerty123 qwertyuiop asdfghjk 1qaz2wsx
    1q2w3e4r 1q2w3e4r5t zaq12wsx abc12345 abcd1234 a1234567 a12345678 aa123456 qq123456 woaini1314 5201314520
    admin123 admin1234 admin888 administrator root1234 letmein1 welcome1 welcome123 changeme changeit default1
    yiping123 yiping888 yipingyiping dispatcher operator supervisor zhihuizhongxin xueliang wanggeyuan
    """.split()
)


def check_policy(password: str, username: str, settings: SecuritySettings) -> None:
    """Refuse a password that would be guessed.

    Raises:
        Malformed: Too short, too long, common, or the account's own name; field ``password``.
    """
    if len(password) < settings.password_min_length:
        raise Malformed("password", f"At least {settings.password_min_length} characters, please.")
    if len(password) > MAX_LENGTH:
        raise Malformed("password", f"At most {MAX_LENGTH} characters, please.")
    folded = password.casefold()
    if folded in COMMON or len(set(folded)) < 4:
        raise Malformed("password", "This password is among the first that anybody would try.")
    if folded == username.casefold():
        raise Malformed("password", "The password must not be the account's name.")


def random_password() -> str:
    """Return a password for a reset: 20 characters in groups, easy to read out, about 98 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    text = "".join(secrets.choice(alphabet) for _ in range(20))
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))


class Passwords:
    """Hashes and checks passwords in a pool of its own.

    Args:
        settings: Cost of a hash.
    """

    def __init__(self, settings: SecuritySettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
            type=Type.ID,
        )
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        """Return the argon2id string of the password.

        Raises:
            Unavailable: Too many wait already.
        """
        return await self._run(self._hasher.hash, password)

    def hash_now(self, password: str) -> str:
        """Return the same in the calling thread, for tools that have no event loop."""
        return self._hasher.hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password is right; None (no such account) costs as much time and is always wrong.

        Raises:
            Unavailable: Too many wait already.
        """
        if len(password) > MAX_LENGTH:
            return False
        right = await self._run(self._check, password_hash or self._nobody, password)
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Say whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let running hashes finish and end the pool."""
        self._pool.shutdown(cancel_futures=True)

    def _check(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people are signing in at once; try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._waiting -= 1
