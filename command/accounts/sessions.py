"""Sessions of people and walls: opaque tokens, known here by their hash, answered from memory.

Expiry and the clock: while the service runs, age and idleness are counted by the monotonic clock, so setting
the wall clock ends nobody's session and lengthens none. They are written down every few minutes; after a
restart the time the service was down is guessed from the wall clock, less two hours of doubt (a clock may be
wrong by that much just after a power cut) and never below zero. A session can therefore outlive its limit
only by time during which nothing could be done with it. See ``docs/adr/0007-sessions-and-access.md``.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from command.accounts.access import Principal
from command.accounts.audit import AuditLog
from command.accounts.records import SessionRecord
from command.accounts.repository import AccountRepository
from command.clock import Clock, parse_rfc3339, rfc3339
from command.errors import YipingError
from command.setting_sections import SecuritySettings

CLOCK_DOUBT_S: Final = 7200.0
"""How wrong the wall clock may be at a start without costing anybody the session."""

SWEEP_S: Final = 1.0
PERSIST_S: Final = 120.0
TOKEN_BYTES: Final = 32
_MAX_TOKEN_LENGTH: Final = 128

PrincipalOf = Callable[[str, str], Principal | None]
"""(session kind, subject) → who it is now, or None if the account or token no longer works."""


@dataclass(slots=True)
class Session:
    """A live session.

    Attributes:
        principal: Who it is.
        born_s: Monotonic reading at which it began; before the process's own start after a restart.
        used_s: Monotonic reading of the last use.
    """

    id: str
    kind: Literal["user", "kiosk"]
    subject: str
    principal: Principal
    created_at: str
    token_hash: str
    born_s: float
    used_s: float


class Sessions:
    """All live sessions; `load` before the first request, `run` as long as the service runs.

    Args:
        repository: Where they survive a restart.
        audit: Where beginnings and ends are recorded.
        clock: Time.
        settings: Limits.
    """

    def __init__(
        self, repository: AccountRepository, audit: AuditLog, clock: Clock, settings: SecuritySettings
    ) -> None:
        self._repository = repository
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._by_hash: dict[str, Session] = {}
        self._by_id: dict[str, Session] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._watchers: dict[str, set[Callable[[], None]]] = {}
        self._unforgotten: set[str] = set()
        """Over, but still in the store: the sweep deletes them, and tries again after a full disk."""

    def __len__(self) -> int:
        return len(self._by_id)

    async def load(self, principal_of: PrincipalOf) -> None:
        """Take over the sessions of the previous process; those whose account is gone end."""
        now = self._clock.now()
        now_s = self._clock.monotonic()
        gone: list[str] = []
        for record in await self._repository.sessions():
            principal = principal_of(record.kind, record.subject)
            if principal is None:
                gone.append(record.id)
                continue
            down_s = max(0.0, (now - parse_rfc3339(record.seen_at)).total_seconds() - CLOCK_DOUBT_S)
            self._put(
                Session(
                    record.id,
                    record.kind,
                    record.subject,
                    principal,
                    record.created_at,
                    record.token_hash,
                    born_s=now_s - record.age_s - down_s,
                    used_s=now_s - record.idle_s - down_s,
                )
            )
        if gone:
            await self._repository.end_sessions(gone, None)

    async def open(
        self, principal: Principal, kind: Literal["user", "kiosk"], subject: str, address: str
    ) -> tuple[str, Session]:
        """Begin a session.

        Args:
            principal: Who it is.
            kind: A person's or a wall's.
            subject: The user's id, or the kiosk token's.
            address: Where from, for the record.

        Returns:
            The token for the cookie, which is kept nowhere, and the session.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now_s = self._clock.monotonic()
        at = rfc3339(self._clock.now())
        session = Session(
            secrets.token_hex(8),
            kind,
            subject,
            principal,
            at,
            token_digest(token),
            born_s=now_s,
            used_s=now_s,
        )
        draft = self._audit.draft(
            principal.user_id,
            "session.opened",
            f"session:{session.id}",
            data={"address": address, "kind": kind},
        )
        await self._repository.add_session(self._record(session), draft)
        self._put(session)
        await self._end_surplus(kind, subject)
        return token, session

    def resolve(self, token: str | None) -> Session | None:
        """Return the live session of a cookie's token and count this as a use; reads memory alone."""
        if not token or len(token) > _MAX_TOKEN_LENGTH:
            return None
        session = self._by_hash.get(token_digest(token))
        if session is None:
            return None
        if self._is_over(session):
            self._drop(session)
            self._unforgotten.add(session.id)
            return None
        session.used_s = self._clock.monotonic()
        return session

    def alive(self, session_id: str) -> bool:
        """Say whether the session still holds, without counting a use."""
        session = self._by_id.get(session_id)
        return session is not None and not self._is_over(session)

    async def close(self, session_id: str, actor: str, reason: str = "signed out") -> None:
        """End one session now, and its sockets with it; an unknown one is passed over."""
        await self._close([session_id], actor, reason)

    async def close_of(self, kind: str, subject: str, actor: str, reason: str) -> int:
        """End every session of an account or of a kiosk token; returns how many there were."""
        ids = [one.id for one in self._by_id.values() if (one.kind, one.subject) == (kind, subject)]
        await self._close(ids, actor, reason)
        return len(ids)

    def on_revoked(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener(session_id)`` whenever a session ends, however; returns how to stop that.

        Listeners run on the event loop, at once, and must neither block nor raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def watch(self, session_id: str, ended: Callable[[], None]) -> Callable[[], None]:
        """Call ``ended()`` once when this session ends; at once if it is over. Returns how to stop that."""
        if session_id not in self._by_id:
            ended()
            return lambda: None
        self._watchers.setdefault(session_id, set()).add(ended)
        return lambda: self._watchers.get(session_id, set()).discard(ended)

    async def sweep(self) -> int:
        """End the sessions whose time is over; returns how many."""
        over = [session for session in self._by_id.values() if self._is_over(session)]
        for session in over:
            self._drop(session)
            self._unforgotten.add(session.id)
        if self._unforgotten:
            ids = sorted(self._unforgotten)
            draft = self._audit.draft("system", "session.expired", data={"sessions": ids})
            await self._repository.end_sessions(ids, draft)
            self._unforgotten.difference_update(ids)
        return len(over)

    async def persist(self) -> None:
        """Write down how much of each session is used up."""
        await self._repository.touch_sessions([self._record(session) for session in self._by_id.values()])

    async def run(self) -> None:
        """Sweep and persist until cancelled; a full disk delays both and ends neither."""
        persisted_s = self._clock.monotonic()
        try:
            while True:
                await asyncio.sleep(SWEEP_S)
                try:
                    await self.sweep()
                    if self._clock.monotonic() - persisted_s >= PERSIST_S:
                        await self.persist()
                        persisted_s = self._clock.monotonic()
                except YipingError:
                    continue  # The store raised its own alarm; expired sessions are refused all the same.
        finally:
            await asyncio.shield(self._persist_last())

    def limits(self, kind: str) -> Mapping[str, float | None]:
        """Return the idle and absolute limits of a kind of session, in seconds; a wall has no idle limit."""
        hours = self._settings
        if kind == "kiosk":
            return {"idle_s": None, "absolute_s": hours.kiosk_absolute_hours * 3600}
        return {"idle_s": hours.session_idle_hours * 3600, "absolute_s": hours.session_absolute_hours * 3600}

    async def _persist_last(self) -> None:
        try:
            await self.sweep()
            await self.persist()
        except YipingError:
            return

    async def _close(self, ids: Iterable[str], actor: str, reason: str) -> None:
        held = [self._by_id[one] for one in ids if one in self._by_id]
        # Out of memory first: from here on the token is worth nothing, whatever the disk says.
        for session in held:
            self._drop(session)
        if held:
            draft = self._audit.draft(
                actor, "session.closed", data={"sessions": [one.id for one in held], "reason": reason}
            )
            self._unforgotten.update(one.id for one in held)
            await self._repository.end_sessions([one.id for one in held], draft)
            self._unforgotten.difference_update(one.id for one in held)

    async def _end_surplus(self, kind: str, subject: str) -> None:
        mine = sorted(
            (one for one in self._by_id.values() if (one.kind, one.subject) == (kind, subject)),
            key=lambda one: one.used_s,
        )
        surplus = [one.id for one in mine[: max(0, len(mine) - self._settings.max_sessions_per_user)]]
        await self._close(surplus, "system", "too many sessions of one account")

    def _put(self, session: Session) -> None:
        self._by_hash[session.token_hash] = session
        self._by_id[session.id] = session

    def _drop(self, session: Session) -> None:
        self._by_hash.pop(session.token_hash, None)
        if self._by_id.pop(session.id, None) is None:
            return
        for listener in tuple(self._listeners):
            listener(session.id)
        for ended in self._watchers.pop(session.id, set()):
            ended()

    def _is_over(self, session: Session) -> bool:
        now_s = self._clock.monotonic()
        limits = self.limits(session.kind)
        idle_s, absolute_s = limits["idle_s"], limits["absolute_s"]
        if idle_s is not None and now_s - session.used_s > idle_s:
            return True
        return absolute_s is not None and now_s - session.born_s > absolute_s

    def _record(self, session: Session) -> SessionRecord:
        now_s = self._clock.monotonic()
        return SessionRecord(
            session.id,
            session.token_hash,
            session.kind,
            session.subject,
            session.created_at,
            seen_at=rfc3339(self._clock.now()),
            age_s=now_s - session.born_s,
            idle_s=now_s - session.used_s,
        )


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token, hex. A 256-bit random token needs neither salt nor slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
