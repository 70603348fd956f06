"""Accounts in the service's database, through SQLAlchemy Core."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from command.accounts.audit import link
from command.accounts.records import AuditDraft, AuditEntry, SessionRecord, TokenRecord, User
from command.accounts.repository import Database, UsernameTaken
from command.store.account_tables import audit as audit_table
from command.store.account_tables import device_tokens, sessions, users

_CHUNK = 500
"""Ids in one IN (…): SQLite limits the parameters of a statement."""


def append_audit(connection: sa.Connection, draft: AuditDraft) -> AuditEntry:
    """Append to the chain inside the caller's transaction of the single writer; returns the entry."""
    newest = connection.execute(sa.select(audit_table).order_by(audit_table.c.seq.desc()).limit(1)).first()
    entry = link(draft, None if newest is None else _entry(newest))
    values = asdict(entry)
    values["data"] = json.dumps(entry.data, sort_keys=True, ensure_ascii=True)
    connection.execute(sa.insert(audit_table).values(**values))
    return entry


class SqlAccounts:
    """An `AccountRepository` over the store's tables.

    Args:
        database: The store's database, or anything with its `write` and `read`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(self, user: User, audit: AuditDraft) -> None:
        """See `AccountRepository.add_user`."""

        def work(connection: sa.Connection) -> None:
            key = user.username.casefold()
            taken = sa.select(users.c.id).where(users.c.username_key == key)
            if connection.execute(taken).first() is not None:
                raise UsernameTaken(user.username)
            connection.execute(sa.insert(users).values(**asdict(user), username_key=key))
            append_audit(connection, audit)

        await self._database.write(work)

    async def change_user(self, user: User, audit: AuditDraft) -> None:
        """See `AccountRepository.change_user`."""

        def work(connection: sa.Connection) -> None:
            append_audit(connection, audit)
            values = {**asdict(user), "username_key": user.username.casefold()}
            connection.execute(sa.update(users).where(users.c.id == user.id).values(**values))
            connection.execute(
                sa.delete(sessions).where(sessions.c.kind == "user", sessions.c.subject == user.id)
            )

        await self._database.write(work)

    async def user(self, user_id: str) -> User | None:
        """See `AccountRepository.user`."""
        return await self._one_user(users.c.id == user_id)

    async def user_named(self, username: str) -> User | None:
        """See `AccountRepository.user_named`."""
        return await self._one_user(users.c.username_key == username.casefold())

    async def users(self) -> Sequence[User]:
        """See `AccountRepository.users`."""
        rows = await self._database.read(
            lambda connection: connection.execute(sa.select(users).order_by(users.c.username_key)).all()
        )
        return [_user(row) for row in rows]

    async def add_session(self, session: SessionRecord, audit: AuditDraft) -> None:
        """See `AccountRepository.add_session`."""

        def work(connection: sa.Connection) -> None:
            append_audit(connection, audit)
            connection.execute(sa.insert(sessions).values(**asdict(session)))

        await self._database.write(work)

    async def end_sessions(self, session_ids: Iterable[str], audit: AuditDraft | None) -> None:
        """See `AccountRepository.end_sessions`."""
        ids = list(session_ids)

        def work(connection: sa.Connection) -> None:
            if audit is not None:
                append_audit(connection, audit)
            for start in range(0, len(ids), _CHUNK):
                some = ids[start : start + _CHUNK]
                connection.execute(sa.delete(sessions).where(sessions.c.id.in_(some)))

        await self._database.write(work)

    async def touch_sessions(self, sessions: Iterable[SessionRecord]) -> None:
        """See `AccountRepository.touch_sessions`."""
        rows = [
            {"_id": one.id, "seen_at": one.seen_at, "age_s": one.age_s, "idle_s": one.idle_s}
            for one in sessions
        ]
        if rows:
            await self._database.write(lambda connection: _touch(connection, rows))

    async def sessions(self) -> Sequence[SessionRecord]:
        """See `AccountRepository.sessions`."""
        query = sa.select(sessions).order_by(sessions.c.created_at, sessions.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [SessionRecord(**row._mapping) for row in rows]

    async def add_tokens(self, tokens: Sequence[TokenRecord], audit: AuditDraft) -> None:
        """See `AccountRepository.add_tokens`."""

        def work(connection: sa.Connection) -> None:
            append_audit(connection, audit)
            if tokens:
                connection.execute(sa.insert(device_tokens), [asdict(token) for token in tokens])

        await self._database.write(work)

    async def revoke_token(self, token_id: str, at: str, audit: AuditDraft) -> bool:
        """See `AccountRepository.revoke_token`."""

        def work(connection: sa.Connection) -> bool:
            live = sa.update(device_tokens).where(
                device_tokens.c.id == token_id, device_tokens.c.revoked_at.is_(None)
            )
            if connection.execute(live.values(revoked_at=at)).rowcount == 0:
                return False
            connection.execute(
                sa.delete(sessions).where(sessions.c.kind == "kiosk", sessions.c.subject == token_id)
            )
            append_audit(connection, audit)
            return True

        return await self._database.write(work)

    async def tokens(self) -> Sequence[TokenRecord]:
        """See `AccountRepository.tokens`."""
        query = sa.select(device_tokens).order_by(device_tokens.c.created_at, device_tokens.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [TokenRecord(**row._mapping) for row in rows]

    async def record(self, draft: AuditDraft) -> AuditEntry:
        """See `AccountRepository.record`."""
        return await self._database.write(lambda connection: append_audit(connection, draft))

    async def audit(self, *, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """See `AccountRepository.audit`."""
        query = sa.select(audit_table).order_by(audit_table.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit_table.c.seq < before)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_entry(row) for row in rows]

    async def audit_chain(self, *, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        """See `AccountRepository.audit_chain`."""
        query = (
            sa.select(audit_table).where(audit_table.c.seq > after).order_by(audit_table.c.seq).limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_entry(row) for row in rows]

    async def _one_user(self, which: sa.ColumnElement[bool]) -> User | None:
        query = sa.select(users).where(which)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _user(row)


def _touch(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    values: dict[Any, Any] = {
        column: sa.bindparam(column.name)
        for column in (sessions.c.seen_at, sessions.c.age_s, sessions.c.idle_s)
    }
    connection.execute(sa.update(sessions).where(sessions.c.id == sa.bindparam("_id")).values(values), rows)


def _user(row: sa.Row[Any]) -> User:
    return User(**{name: value for name, value in row._mapping.items() if name != "username_key"})


def _entry(row: sa.Row[Any]) -> AuditEntry:
    values = dict(row._mapping)
    values["data"] = json.loads(values["data"])
    return AuditEntry(**values)
