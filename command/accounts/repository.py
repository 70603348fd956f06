"""Where accounts are kept, as seen by the rest of this package.

Every change takes the audit draft that goes with it and keeps both or neither. `SqlAccounts` and
`MemoryAccounts` answer alike; one suite of tests runs against both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa

from command.accounts.records import AuditDraft, AuditEntry, SessionRecord, TokenRecord, User
from command.errors import Conflict

T = TypeVar("T")


class UsernameTaken(Conflict):
    """Another account has this name already, differing at most in case."""

    code = "username_taken"

    def __init__(self, username: str) -> None:
        super().__init__(f"There is already an account {username!r}.")


class Database(Protocol):
    """What `SqlAccounts` needs of the store: one writer, several readers."""

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run the work in one transaction of the single writer; durable when this returns."""
        ...

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run the work on a read-only connection."""
        ...


class AccountRepository(Protocol):
    """Stored accounts, sessions, tokens and the audit chain."""

    async def add_user(self, user: User, audit: AuditDraft) -> None:
        """Keep a new account.

        Raises:
            UsernameTaken: The name is in use.
        """
        ...

    async def change_user(self, user: User, audit: AuditDraft) -> None:
        """Replace the account with the same id, if there is one, and end its sessions."""
        ...

    async def user(self, user_id: str) -> User | None:
        """Return the account, disabled ones too."""
        ...

    async def user_named(self, username: str) -> User | None:
        """Return the account of that name, whatever its case."""
        ...

    async def users(self) -> Sequence[User]:
        """Return every account, ordered by name."""
        ...

    async def add_session(self, session: SessionRecord, audit: AuditDraft) -> None:
        """Keep a new session."""
        ...

    async def end_sessions(self, session_ids: Iterable[str], audit: AuditDraft | None) -> None:
        """Forget these sessions; unknown ids are passed over."""
        ...

    async def touch_sessions(self, sessions: Iterable[SessionRecord]) -> None:
        """Write `seen_at`, `age_s` and `idle_s` of sessions that still exist."""
        ...

    async def sessions(self) -> Sequence[SessionRecord]:
        """Return every session, oldest first."""
        ...

    async def add_tokens(self, tokens: Sequence[TokenRecord], audit: AuditDraft) -> None:
        """Keep new tokens, all or none."""
        ...

    async def revoke_token(self, token_id: str, at: str, audit: AuditDraft) -> bool:
        """Revoke a token and end the sessions it opened; False (and no record) if it is absent or revoked."""
        ...

    async def tokens(self) -> Sequence[TokenRecord]:
        """Return every token, revoked ones too, oldest first."""
        ...

    async def record(self, draft: AuditDraft) -> AuditEntry:
        """Append to the audit chain."""
        ...

    async def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """Return entries newest first, those with a smaller `seq` than `before` if it is given."""
        ...

    async def audit_chain(self, *, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        """Return entries in chain order with a greater `seq` than `after`."""
        ...
