"""Who watched which camera, when and why. Reading it is itself recorded (`command.api.viewings`)."""

from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import sqlalchemy as sa

from command.clock import Clock, rfc3339
from command.ids import new_id
from command.store import schema
from command.store.database import Database

Kind = Literal["live", "playback", "snapshot", "thumbnail", "clip", "export"]
ONCE: Final = frozenset({"snapshot", "thumbnail", "clip", "export"})
"""Kinds that are over as soon as they have begun."""


class Watcher(Protocol):
    """Who watches (`command.accounts.access.Principal`)."""

    @property
    def user_id(self) -> str:
        """The account's id."""

    @property
    def name(self) -> str:
        """As it is shown."""

    @property
    def role(self) -> str:
        """The role held at the time."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """One look at one camera; ``ended_at`` None: it goes on. ``cut``: the service ended before the viewer did."""

    id: str
    user_id: str
    user_name: str
    role: str
    camera_id: str
    kind: Kind
    purpose: str | None
    incident_id: str | None
    started_at: str
    ended_at: str | None
    cut: bool


class Viewings:
    """The record of viewings.

    Args:
        database: Where it is kept.
        clock: Time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def start(
        self,
        user: Watcher,
        camera_id: str,
        kind: Kind,
        *,
        purpose: str | None = None,
        incident_id: str | None = None,
    ) -> str:
        """Record that somebody begins to look, durably, before the first picture; returns the viewing's id."""
        now = rfc3339(self._clock.now())
        row = {
            "id": new_id("v"),
            "user_id": user.user_id,
            "user_name": user.name,
            "role": user.role,
            "camera_id": camera_id,
            "kind": kind,
            "purpose": purpose,
            "incident_id": incident_id,
            "started_at": now,
            "ended_at": now if kind in ONCE else None,
            "cut": False,
        }
        statement = sa.insert(schema.viewings).values(**row)
        await self._database.write(lambda connection: connection.execute(statement))
        return str(row["id"])

    async def end(self, viewing_id: str) -> None:
        """Record that it is over; harmless when it was before."""
        table = schema.viewings
        mine = (table.c.id == viewing_id) & table.c.ended_at.is_(None)
        statement = sa.update(table).where(mine).values(ended_at=rfc3339(self._clock.now()))
        await self._database.write(lambda connection: connection.execute(statement))

    def end_all(self) -> int:
        """Close, at the start, what an earlier process left open; returns how many."""
        table = schema.viewings
        statement = (
            sa.update(table)
            .where(table.c.ended_at.is_(None))
            .values(ended_at=rfc3339(self._clock.now()), cut=True)
        )
        return self._database.write_now(lambda connection: connection.execute(statement).rowcount)

    async def list(
        self,
        *,
        camera_id: str | None = None,
        user_id: str | None = None,
        incident_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
        before: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[Viewing]:
        """Return viewings, newest first.

        Args:
            camera_id: Of this camera.
            user_id: By this account.
            incident_id: For this incident.
            since: Begun at this moment (RFC 3339 UTC) or later.
            until: Begun before this moment.
            before: Start and id of the last one of the page before.
            limit: Most of them.
        """
        table = schema.viewings
        query = sa.select(table).order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)
        for column, wanted in (
            (table.c.camera_id, camera_id),
            (table.c.user_id, user_id),
            (table.c.incident_id, incident_id),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(table.c.started_at >= since)
        if until is not None:
            query = query.where(table.c.started_at < until)
        if before is not None:
            at, key = before
            query = query.where((table.c.started_at < at) | ((table.c.started_at == at) & (table.c.id < key)))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_viewing(row) for row in rows]

    async def purge(self, before: str) -> int:
        """Forget those that began before a moment; returns how many."""
        statement = sa.delete(schema.viewings).where(schema.viewings.c.started_at < before)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _viewing(row: sa.Row[Any]) -> Viewing:
    return Viewing(**row._mapping)
