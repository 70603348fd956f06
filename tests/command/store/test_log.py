"""One contract for both logs: the one in memory and the one in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from command.board import Board
from command.cameras.sources import DropSource, PutSource
from command.errors import StorageFull, Unavailable
from command.events import Event
from command.store import schema
from command.store.database import Database
from command.store.log import Commit, Contact, EventLog, MemoryLog, Receipt, SqlLog, touched_incidents
from command.store.migrate import upgrade
from streams.source import Source
from tests.command.world import World

AT = "2026-11-22T03:00:00.000Z"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "test.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "sql"])
def log(request: pytest.FixtureRequest) -> EventLog:
    if request.param == "memory":
        return MemoryLog()
    return SqlLog(request.getfixturevalue("database"))


def day() -> World:
    world = World()
    world.report("i1")
    world.report("i2", lon=116.9)
    (job,) = world.dispatch("i1", "r1")
    world.step(job.id, "sign")
    world.send("r1")
    world.move("i1", "note", text="x")
    world.move("i2", "cancel", reason="误报")
    return world


def receipt(key: str = "k", **more: Any) -> Receipt:
    return Receipt(
        **{"actor": "u1", "key": key, "fingerprint": "f", "seq": 3, "at": AT, "answer": b"{}", **more}
    )


def restored(log: EventLog) -> Board:
    board = log.start()
    for event in log.after(board.seq):
        board.apply(event)
    return board


async def test_what_was_appended_comes_back_in_order(log: EventLog) -> None:
    world = day()
    for first in range(0, len(world.events), 3):
        await log.append(Commit(events=world.events[first : first + 3]))
    assert [event.seq for event in log.after(0)] == [event.seq for event in world.events]
    for stored, event in zip(log.after(0), world.events, strict=True):
        assert msgspec.json.encode(stored) == msgspec.json.encode(event)
    assert [event.seq for event in log.after(world.events[-2].seq)] == [world.events[-1].seq]
    assert list(log.after(world.events[-1].seq)) == []
    board = restored(log)
    assert board.wire() == world.board.wire()
    assert board.seq == world.board.seq


async def test_a_checkpoint_saves_the_replay_and_loses_nothing(log: EventLog) -> None:
    world = World()
    empty = log.start()
    world.board.epoch = empty.epoch
    await log.append(Commit(events=list(world.events)))
    for n in range(4):
        seen = len(world.events)
        world.report(f"i{n}")
        await log.append(Commit(events=world.events[seen:]))
        await log.checkpoint(world.board.seq, AT, world.board.dump())
    world.report("after")
    await log.append(Commit(events=world.events[-1:]))
    started = log.start()
    assert 0 < started.seq < world.board.seq
    assert restored(log).dump() == world.board.dump()


async def test_the_same_checkpoint_twice(log: EventLog) -> None:
    world = World()
    await log.append(Commit(events=list(world.events)))
    for _ in range(2):
        await log.checkpoint(world.board.seq, AT, world.board.dump())
    assert log.start().seq == world.board.seq


async def test_the_epoch_stays(log: EventLog) -> None:
    epoch = log.start().epoch
    assert epoch
    world = World()
    await log.append(Commit(events=list(world.events)))
    await log.checkpoint(world.board.seq, AT, Board(epoch, world.board.seq).dump())
    assert log.start().epoch == log.start().epoch == epoch


async def test_answers_are_found_by_actor_and_key(log: EventLog) -> None:
    await log.append(Commit(receipts=[receipt(), receipt("k2", answer=b'{"n":2}')]))
    assert await log.receipt("u1", "k") == receipt()
    assert await log.receipt("u1", "k2") == receipt("k2", answer=b'{"n":2}')
    assert await log.receipt("u2", "k") is None
    assert await log.receipt("u1", "none") is None


async def test_the_timeline_of_an_incident_has_what_touched_it(log: EventLog) -> None:
    world = day()
    await log.append(Commit(events=world.events))
    assert [event.type for event in await log.timeline("i1")] == [
        "incident.reported",
        "incident.dispatched",
        "assignment.signed",
        "incident.handling",
        "incident.noted",
    ]
    assert [event.type for event in await log.timeline("i2")] == ["incident.reported", "incident.cancelled"]
    assert await log.timeline("i3") == []


async def test_a_number_that_is_taken_is_refused_and_nothing_is_written(log: EventLog) -> None:
    world = day()
    await log.append(Commit(events=world.events[:3]))
    again = Commit(events=world.events[2:4], receipts=[receipt()], apart=[Contact("i9", "138", AT)])
    with pytest.raises(Unavailable):
        await log.append(again)
    assert [event.seq for event in log.after(0)] == [1, 2, 3]
    assert await log.receipt("u1", "k") is None


async def test_a_source_is_kept_replaced_and_dropped_with_its_commit(log: EventLog) -> None:
    def put(host: str, secret: bytes | None = None, *, keep: bool = True) -> PutSource:
        return PutSource("c1", Source(protocol="rtsp", host=host), secret, keep, AT)

    def kept() -> tuple[str, bytes | None] | None:
        if isinstance(log, MemoryLog):
            found = log.sources.get("c1")
            return None if found is None else (found[0].host, found[1])
        assert isinstance(log, SqlLog)
        row = log._database.read_now(lambda c: c.execute(sa.select(schema.camera_sources)).first())
        return None if row is None else (msgspec.json.decode(row.source, type=Source).host, row.secret)

    for step, expected in (
        (put("a", b"1", keep=False), ("a", b"1")),
        (put("a"), ("a", b"1")),
        (put("b"), ("b", None)),
        (put("b", b"2", keep=False), ("b", b"2")),
        (DropSource("c1"), None),
    ):
        await log.append(Commit(apart=[step]))
        assert kept() == expected


async def test_an_empty_commit_is_nothing(log: EventLog) -> None:
    await log.append(Commit())
    assert list(log.after(0)) == []


async def test_memory_fails_when_told_to() -> None:
    log = MemoryLog()
    log.failure = StorageFull()
    with pytest.raises(StorageFull):
        await log.append(Commit(events=World().events))
    log.failure = None
    assert list(log.after(0)) == []


def test_trimming_belongs_to_no_timeline() -> None:
    gone = Event(1, AT, "board.trimmed", {"changes": {"incidents": {"i1": None}}})
    assert touched_incidents(gone) == []
    message = {"m1": {"incident_id": "i7"}, "m2": {"incident_id": None}, "m3": None}
    jobs = {"a1": {"incident_id": "i3"}, "a2": None}
    event = Event(2, AT, "message.sent", {"changes": {"messages": message, "assignments": jobs}})
    assert touched_incidents(event) == ["i3", "i7"]


class TestSql:
    """What only the database has: projections, contacts, pages, other processes."""

    async def test_the_tables_have_each_entity_as_it_is_now(self, database: Database) -> None:
        world = day()
        log = SqlLog(database)
        await log.append(Commit(events=world.events[:5]))
        await log.append(Commit(events=world.events[5:]))
        for table, kind in ((schema.incidents, "incidents"), (schema.assignments, "assignments")):
            rows = database.read_now(lambda c, t=table: c.execute(sa.select(t)).mappings().all())  # type: ignore[misc]
            held = world.board.wire()[kind]
            assert {row["id"] for row in rows} == set(held)
            for row in rows:
                entity = msgspec.json.decode(row["entity"])
                assert entity == msgspec.json.decode(msgspec.json.encode(held[row["id"]]))
                assert row["state"] == entity["state"]

    async def test_what_leaves_the_board_stays_in_the_tables(self, database: Database) -> None:
        world = day()
        changes = {"incidents": {"i2": None}}
        trimmed = Event(world.board.seq + 1, AT, "board.trimmed", {"actor": {}, "changes": changes})
        log = SqlLog(database)
        await log.append(Commit(events=[*world.events, trimmed]))
        board = restored(log)
        assert set(board.incidents) == {"i1"}
        stored = database.read_now(lambda c: set(c.execute(sa.select(schema.incidents.c.id)).scalars()))
        assert stored == {"i1", "i2"}
        assert [event.type for event in await log.timeline("i2")][-1] == "incident.cancelled"

    async def test_contacts_are_kept_apart(self, database: Database) -> None:
        log = SqlLog(database)
        world = day()
        await log.append(Commit(events=world.events, apart=[Contact("i1", "13812340472", AT)]))
        found = database.read_now(lambda c: c.execute(sa.select(schema.contacts)).mappings().all())
        assert [dict(row) for row in found] == [
            {"incident_id": "i1", "contact": "13812340472", "purge_at": AT}
        ]
        events = database.read_now(lambda c: c.execute(sa.select(schema.events.c.data)).scalars().all())
        assert not [data for data in events if b"13812340472" in data]

    async def test_only_two_checkpoints_are_kept(self, database: Database) -> None:
        log = SqlLog(database)
        for seq in (10, 20, 30):
            await log.checkpoint(seq, AT, Board("e", seq).dump())
        kept = database.read_now(lambda c: c.execute(sa.select(schema.boards.c.seq)).scalars().all())
        assert sorted(kept) == [20, 30]
        assert log.start().seq == 20

    async def test_a_long_log_is_read_in_pages(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("command.store.log.PAGE", 3)
        world = day()
        log = SqlLog(database)
        await log.append(Commit(events=world.events))
        assert [event.seq for event in log.after(0)] == [event.seq for event in world.events]

    async def test_everything_is_there_after_a_restart(self, tmp_path: Path) -> None:
        world = day()
        first = Database(tmp_path / "test.db")
        upgrade(first)
        epoch = SqlLog(first).start().epoch
        await SqlLog(first).append(Commit(events=world.events, receipts=[receipt()]))
        first.close()
        second = Database(tmp_path / "test.db")
        before, after = upgrade(second)
        assert before == after
        log = SqlLog(second)
        board = restored(log)
        assert (board.epoch, board.wire()) == (epoch, world.board.wire())
        assert await log.receipt("u1", "k") == receipt()
        second.close()
