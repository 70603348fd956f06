"""Accounts in memory: the fake that tests use, held to `SqlAccounts` by one suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from command.accounts.audit import link
from command.accounts.records import AuditDraft, AuditEntry, SessionRecord, TokenRecord, User
from command.accounts.repository import UsernameTaken


class MemoryAccounts:
    """An `AccountRepository` that forgets everything when it goes."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._sessions: dict[str, SessionRecord] = {}
        self._tokens: dict[str, TokenRecord] = {}
        self._audit: list[AuditEntry] = []

    async def add_user(self, user: User, audit: AuditDraft) -> None:
        """See `AccountRepository.add_user`."""
        if await self.user_named(user.username) is not None:
            raise UsernameTaken(user.username)
        self._append(audit)
        self._users[user.id] = user

    async def change_user(self, user: User, audit: AuditDraft) -> None:
        """See `AccountRepository.change_user`."""
        self._append(audit)
        if user.id in self._users:
            self._users[user.id] = user
            self._end(lambda session: session.kind == "user" and session.subject == user.id)

    async def user(self, user_id: str) -> User | None:
        """See `AccountRepository.user`."""
        return self._users.get(user_id)

    async def user_named(self, username: str) -> User | None:
        """See `AccountRepository.user_named`."""
        key = username.casefold()
        return next((user for user in self._users.values() if user.username.casefold() == key), None)

    async def users(self) -> Sequence[User]:
        """See `AccountRepository.users`."""
        return sorted(self._users.values(), key=lambda user: user.username.casefold())

    async def add_session(self, session: SessionRecord, audit: AuditDraft) -> None:
        """See `AccountRepository.add_session`."""
        self._append(audit)
        self._sessions[session.id] = session

    async def end_sessions(self, session_ids: Iterable[str], audit: AuditDraft | None) -> None:
        """See `AccountRepository.end_sessions`."""
        if audit is not None:
            self._append(audit)
        for session_id in session_ids:
            self._sessions.pop(session_id, None)

    async def touch_sessions(self, sessions: Iterable[SessionRecord]) -> None:
        """See `AccountRepository.touch_sessions`."""
        for session in sessions:
            held = self._sessions.get(session.id)
            if held is not None:
                self._sessions[session.id] = replace(
                    held, seen_at=session.seen_at, age_s=session.age_s, idle_s=session.idle_s
                )

    async def sessions(self) -> Sequence[SessionRecord]:
        """See `AccountRepository.sessions`."""
        return sorted(self._sessions.values(), key=lambda session: (session.created_at, session.id))

    async def add_tokens(self, tokens: Sequence[TokenRecord], audit: AuditDraft) -> None:
        """See `AccountRepository.add_tokens`."""
        self._append(audit)
        self._tokens.update((token.id, token) for token in tokens)

    async def revoke_token(self, token_id: str, at: str, audit: AuditDraft) -> bool:
        """See `AccountRepository.revoke_token`."""
        token = self._tokens.get(token_id)
        if token is None or token.revoked_at is not None:
            return False
        self._append(audit)
        self._tokens[token_id] = replace(token, revoked_at=at)
        self._end(lambda session: session.kind == "kiosk" and session.subject == token_id)
        return True

    async def tokens(self) -> Sequence[TokenRecord]:
        """See `AccountRepository.tokens`."""
        return sorted(self._tokens.values(), key=lambda token: (token.created_at, token.id))

    async def record(self, draft: AuditDraft) -> AuditEntry:
        """See `AccountRepository.record`."""
        return self._append(draft)

    async def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """See `AccountRepository.audit`."""
        found = [entry for entry in reversed(self._audit) if before is None or entry.seq < before]
        return found[:limit]

    async def audit_chain(self, *, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        """See `AccountRepository.audit_chain`."""
        return [entry for entry in self._audit if entry.seq > after][:limit]

    def _append(self, draft: AuditDraft) -> AuditEntry:
        entry = link(draft, self._audit[-1] if self._audit else None)
        self._audit.append(entry)
        return entry

    def _end(self, which: Callable[[SessionRecord], bool]) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if not which(session)}
