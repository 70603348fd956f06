"""The event log: appended in groups, replayed at start-up, and the projections written with it.

Everything one group of commands did (events, idempotency answers, projections, and what is kept apart from the
log: contacts and the sources of cameras) is one transaction, so after a crash either all of a command is there or
nothing of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from command.board import Board
from command.cameras.sources import DropSource, PutSource, secret_after
from command.errors import Unavailable
from command.events import Event
from command.store import schema
from command.store.database import Database
from streams.source import Source

CHECKPOINTS: Final = 2
"""How many checkpoints are kept. Start-up goes from the oldest of them, so that the events after it are at
hand for clients of the previous process that resume."""
PAGE: Final = 5_000
"""Most events read at once when replaying."""
CHUNK: Final = 500
"""Ids in one IN (…)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was answered to an idempotency key. ``fingerprint`` tells a repeat from another request."""

    actor: str
    key: str
    fingerprint: str
    seq: int
    at: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Contact:
    """A reporter's real contact, kept apart from the log until ``purge_at``."""

    incident_id: str
    contact: str
    purge_at: str


Apart = Contact | PutSource | DropSource
"""What a command keeps apart from the log, in the same transaction."""


@dataclass(slots=True)
class Commit:
    """What one group commit writes."""

    events: list[Event] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)


class EventLog(Protocol):
    """Where events live. One contract suite runs against `MemoryLog` and `SqlLog`."""

    async def append(self, commit: Commit) -> None:
        """Write all of it, durably, or nothing.

        Raises:
            StorageFull: The disk is full.
            Unavailable: The store does not answer, or a sequence number is taken already.
        """
        ...

    async def receipt(self, actor: str, key: str) -> Receipt | None:
        """Return what was answered to this actor's key."""
        ...

    async def timeline(self, incident_id: str) -> list[Event]:
        """Return the events of an incident in order."""
        ...

    async def checkpoint(self, seq: int, at: str, board: bytes) -> None:
        """Keep the board as it was after event ``seq``, so that start-up replays only what follows."""
        ...

    def start(self) -> Board:
        """Return the board to start from: the oldest checkpoint kept, or an empty one with a new epoch."""
        ...

    def last(self) -> int:
        """Return the number of the last event, 0 without any."""
        ...

    def after(self, seq: int) -> Iterator[Event]:
        """Yield the events after ``seq`` in order."""
        ...


class SqlLog:
    """The log in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, commit: Commit) -> None:
        """See `EventLog.append`."""
        try:
            await self._database.write(lambda connection: write_commit(connection, commit))
        except sa.exc.IntegrityError as error:
            raise Unavailable("The log has gone on without this process.") from error

    async def receipt(self, actor: str, key: str) -> Receipt | None:
        """See `EventLog.receipt`."""
        table = schema.commands
        query = sa.select(table).where(table.c.actor == actor, table.c.key == key)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else Receipt(**row)

    async def timeline(self, incident_id: str) -> list[Event]:
        """See `EventLog.timeline`."""
        events, link = schema.events, schema.incident_events
        query = (
            sa.select(events)
            .join(link, link.c.seq == events.c.seq)
            .where(link.c.incident_id == incident_id)
            .order_by(events.c.seq)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_event(row) for row in rows]

    async def checkpoint(self, seq: int, at: str, board: bytes) -> None:
        """See `EventLog.checkpoint`; the oldest are dropped."""
        table = schema.boards

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(table).where(table.c.seq == seq))
            connection.execute(sa.insert(table).values(seq=seq, at=at, board=board))
            keep = sa.select(table.c.seq).order_by(table.c.seq.desc()).limit(CHECKPOINTS)
            connection.execute(sa.delete(table).where(table.c.seq.not_in(keep)))

        await self._database.write(work)

    def start(self) -> Board:
        """See `EventLog.start`."""
        return self._database.write_now(_start)

    def last(self) -> int:
        """See `EventLog.last`."""
        query = sa.select(sa.func.coalesce(sa.func.max(schema.events.c.seq), 0))
        return int(self._database.read_now(lambda connection: connection.execute(query).scalar_one()))

    def after(self, seq: int) -> Iterator[Event]:
        """See `EventLog.after`; a page at a time, so that a long log needs no memory."""
        table = schema.events
        while True:
            query = sa.select(table).where(table.c.seq > seq).order_by(table.c.seq).limit(PAGE)
            rows = self._database.read_now(partial(_rows, query))
            yield from map(_event, rows)
            if len(rows) < PAGE:
                return
            seq = rows[-1].seq


def _rows(query: sa.Select[Any], connection: sa.Connection) -> Sequence[sa.Row[Any]]:
    return connection.execute(query).all()


def _start(connection: sa.Connection) -> Board:
    stored = connection.execute(
        sa.select(schema.boards.c.board).order_by(schema.boards.c.seq).limit(1)
    ).scalar()
    epoch = connection.execute(sa.select(schema.meta.c.value).where(schema.meta.c.key == "epoch")).scalar()
    if epoch is None:
        epoch = uuid4().hex
        connection.execute(sa.insert(schema.meta).values(key="epoch", value=epoch))
    board = Board(epoch) if stored is None else Board.load(stored)
    board.epoch = epoch
    return board


def _event(row: Any) -> Event:
    return Event(row.seq, row.at, row.type, msgspec.json.decode(row.data))


def write_commit(connection: sa.Connection, commit: Commit) -> None:
    """Write events, answers, what is kept apart, and the projections, in the caller's transaction."""
    encode = msgspec.json.encode
    if commit.events:
        connection.execute(
            sa.insert(schema.events),
            [{"seq": e.seq, "at": e.at, "type": e.type, "data": encode(e.data)} for e in commit.events],
        )
        _project(connection, commit.events)
    if commit.receipts:
        connection.execute(
            sa.insert(schema.commands),
            [
                {
                    "actor": r.actor,
                    "key": r.key,
                    "fingerprint": r.fingerprint,
                    "seq": r.seq,
                    "at": r.at,
                    "answer": r.answer,
                }
                for r in commit.receipts
            ],
        )
    for row in commit.apart:
        if isinstance(row, Contact):
            connection.execute(
                sa.insert(schema.contacts).values(
                    incident_id=row.incident_id, contact=row.contact, purge_at=row.purge_at
                )
            )
    _keep_sources(connection, [row for row in commit.apart if not isinstance(row, Contact)])


def _keep_sources(connection: sa.Connection, rows: Sequence[PutSource | DropSource]) -> None:
    """Keep and forget sources in order; whether a password stays is seen from the source before.

    Read and written in one transaction of the only writer: nothing can point a source elsewhere in between.
    """
    table = schema.camera_sources
    ids = list(dict.fromkeys(row.camera_id for row in rows))
    before: dict[str, tuple[Source, bytes | None]] = {}
    for some in _chunks(ids):
        for old in connection.execute(sa.select(table).where(table.c.camera_id.in_(some))):
            before[old.camera_id] = (msgspec.json.decode(old.source, type=Source), old.secret)
    after: dict[str, dict[str, Any]] = {}
    for row in rows:
        if isinstance(row, DropSource):
            before.pop(row.camera_id, None)
            after.pop(row.camera_id, None)
            continue
        secret = secret_after(row, *before.get(row.camera_id, (None, None)))
        before[row.camera_id] = (row.source, secret)
        after[row.camera_id] = {
            "camera_id": row.camera_id,
            "source": msgspec.json.encode(row.source),
            "secret": secret,
            "updated_at": row.at,
        }
    for some in _chunks(ids):
        connection.execute(sa.delete(table).where(table.c.camera_id.in_(some)))
    if after:
        connection.execute(sa.insert(table), list(after.values()))


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield them a few hundred at a time: SQLite limits the parameters of a statement."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _project(connection: sa.Connection, events: Sequence[Event]) -> None:
    """Bring the projections up to the last value of each entity in these events."""
    incidents: dict[str, dict[str, Any]] = {}
    assignments: dict[str, dict[str, Any]] = {}
    links: list[dict[str, Any]] = []
    for event in events:
        touched = touched_incidents(event)
        links += [{"incident_id": key, "seq": event.seq} for key in touched]
        incidents |= {k: v for k, v in event.changes.get("incidents", {}).items() if v is not None}
        assignments |= {k: v for k, v in event.changes.get("assignments", {}).items() if v is not None}
    if links:
        connection.execute(sa.insert(schema.incident_events), links)
    _upsert(connection, schema.incidents, incidents.values())
    _upsert(connection, schema.assignments, assignments.values())


def touched_incidents(event: Event) -> list[str]:
    """Return the ids of the incidents whose timeline an event belongs to, sorted."""
    if event.type == "board.trimmed":
        return []
    keys = set(event.changes.get("incidents", {}))
    keys |= {a["incident_id"] for a in event.changes.get("assignments", {}).values() if a is not None}
    for kind in ("messages", "alarms"):
        rows = event.changes.get(kind, {}).values()
        keys |= {row["incident_id"] for row in rows if row and row.get("incident_id")}
    return sorted(keys)


def _upsert(connection: sa.Connection, table: sa.Table, entities: Iterable[dict[str, Any]]) -> None:
    names = [column.name for column in table.columns if column.name != "entity"]
    rows = [{**{n: e[n] for n in names}, "entity": msgspec.json.encode(e)} for e in entities]
    if not rows:
        return
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(table)
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: statement.excluded[name] for name in [*names, "entity"] if name != "id"},
    )
    connection.execute(statement, rows)


class MemoryLog:
    """A log that keeps everything in memory: the fake for tests, and the twin in the contract suite."""

    def __init__(self, epoch: str = "memory") -> None:
        self.epoch = epoch
        self.events: list[Event] = []
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.contacts: dict[str, Contact] = {}
        self.sources: dict[str, tuple[Source, bytes | None]] = {}
        self.stored: tuple[int, bytes] | None = None
        self.failure: Exception | None = None
        """Raised by the next appends while set, as a full disk would."""

    async def append(self, commit: Commit) -> None:
        """See `EventLog.append`."""
        if self.failure is not None:
            raise self.failure
        if commit.events and self.events and commit.events[0].seq <= self.events[-1].seq:
            raise Unavailable("The log has gone on without this process.")
        self.events += commit.events
        self.receipts |= {(r.actor, r.key): r for r in commit.receipts}
        for row in commit.apart:
            if isinstance(row, Contact):
                self.contacts[row.incident_id] = row
            elif isinstance(row, PutSource):
                old = self.sources.get(row.camera_id, (None, None))
                self.sources[row.camera_id] = (row.source, secret_after(row, *old))
            else:
                self.sources.pop(row.camera_id, None)

    async def receipt(self, actor: str, key: str) -> Receipt | None:
        """See `EventLog.receipt`."""
        return self.receipts.get((actor, key))

    async def timeline(self, incident_id: str) -> list[Event]:
        """See `EventLog.timeline`."""
        return [event for event in self.events if incident_id in touched_incidents(event)]

    async def checkpoint(self, seq: int, at: str, board: bytes) -> None:
        """See `EventLog.checkpoint`."""
        self.stored = (seq, board)

    def start(self) -> Board:
        """See `EventLog.start`."""
        return Board(self.epoch) if self.stored is None else Board.load(self.stored[1])

    def last(self) -> int:
        """See `EventLog.last`."""
        return self.events[-1].seq if self.events else 0

    def after(self, seq: int) -> Iterator[Event]:
        """See `EventLog.after`."""
        return (event for event in self.events if event.seq > seq)
