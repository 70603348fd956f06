"""Sources and devices in the database: one commit with their events, passwords sealed, changes passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from command.board import Board
from command.camera_operations import CameraOperations
from command.cameras import Camera
from command.clock import ManualClock
from command.desk import Desk
from command.errors import StaleVersion, StorageFull
from command.events import Actor, Event
from command.store import schema
from command.store import sources as module
from command.store.database import Database
from command.store.log import SqlLog
from command.store.migrate import upgrade
from command.store.secret_box import SecretBox
from command.store.sources import Sources
from streams.source import CameraSpec, Source
from tests.command.world import START

CANARY = "canary-5d1f"
ADMIN = Actor("u-ad", "系统管理员", "admin")
HERE = Source(protocol="rtsp", host="10.0.0.5", path="cam", username="admin", password=CANARY)


@dataclass
class Room:
    database: Database
    board: Board
    do: CameraOperations
    sources: Sources
    log: SqlLog


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = Database(tmp_path / "test.db")
    upgrade(database)
    log = SqlLog(database)
    board = log.start()
    box = SecretBox(b"k" * 32)
    sources = Sources(database, box, board)
    desk = Desk(board, log, ManualClock(START), sources.apply)
    serving = asyncio.create_task(desk.run())
    yield Room(database, board, CameraOperations(desk, box), sources, log)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    database.close()


def telltales(folder: Path, what: bytes) -> list[str]:
    """Return the files that hold these bytes."""
    return [path.name for path in folder.iterdir() if what in path.read_bytes()]


def camera(key: str = "c1", **more: Any) -> Camera:
    return Camera(**{"id": key, "name": "渡口街北", "lon": 116.8, "lat": 33.9, **more})


async def register(room: Room, key: str = "c1", source: Source = HERE) -> None:
    await room.do.register(ADMIN, [camera(key)], sources={key: source})


async def test_a_source_comes_back_with_its_password_only_for_those_who_open_it(room: Room) -> None:
    await register(room)
    await room.do.register(ADMIN, [camera("c2")])
    assert room.board.cameras["c1"].source == "rtsp"
    assert room.board.cameras["c2"].source is None
    assert await room.sources.load_sources() == [CameraSpec(id="c1", source=HERE)]
    assert await room.sources.load_source("c1") == HERE
    assert await room.sources.load_source("c2") is None
    kept = await room.sources.kept("c1")
    assert kept is not None
    assert (kept.source.password, kept.has_password, kept.readable) == (None, True, True)
    assert (await room.sources.kept_all())["c1"] == msgspec.structs.replace(HERE, password=None)
    await room.do.switch(ADMIN, "c1", enabled=False)
    assert [spec.enabled for spec in await room.sources.load_sources()] == [False]


async def test_the_password_is_in_no_event_answer_or_page_of_the_database(room: Room, tmp_path: Path) -> None:
    outcome = await room.do.register(ADMIN, [camera()], sources={"c1": HERE})
    edited = await room.do.edit(ADMIN, "c1", {}, source=HERE)
    assert CANARY not in repr((outcome, edited))
    for event in room.log.after(0):
        assert CANARY.encode() not in msgspec.json.encode(event)
    assert telltales(tmp_path, b"10.0.0.5") != []
    assert telltales(tmp_path, CANARY.encode()) == []


async def test_a_password_does_not_follow_a_source_elsewhere(room: Room) -> None:
    await register(room)
    bare = msgspec.structs.replace(HERE, password=None)

    async def after(source: Source | None) -> str | None:
        await room.do.edit(ADMIN, "c1", {}, source=source)
        found = await room.sources.load_source("c1")
        return None if found is None else found.password

    assert await after(msgspec.structs.replace(bare, path="other")) == CANARY
    assert await after(msgspec.structs.replace(bare, host="10.0.0.6")) is None
    assert await after(bare) is None, "coming back does not bring it back"
    assert await after(HERE) == CANARY
    assert await after(msgspec.structs.replace(bare, password="")) is None
    assert await after(None) is None
    assert room.board.cameras["c1"].source is None
    assert await room.sources.kept("c1") is None


async def test_two_who_edit_at_once_cannot_send_it_elsewhere(room: Room) -> None:
    await register(room)
    bare = msgspec.structs.replace(HERE, password=None)
    evil = msgspec.structs.replace(bare, host="10.9.9.9")
    await asyncio.gather(*(room.do.edit(ADMIN, "c1", {}, source=s) for s in (bare, evil, bare, evil)))
    found = await room.sources.load_source("c1")
    assert found is not None
    assert found.password is None


async def test_what_is_refused_changes_no_source(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(room)
    evil = msgspec.structs.replace(HERE, host="10.9.9.9")
    with pytest.raises(StaleVersion):
        await room.do.edit(ADMIN, "c1", {}, source=evil, expected_version=9)

    async def full(*_: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(room.log, "append", full)
    with pytest.raises(StorageFull):
        await room.do.edit(ADMIN, "c1", {}, source=evil)
    with pytest.raises(StorageFull):
        await room.do.remove(ADMIN, "c1")
    assert await room.sources.load_source("c1") == HERE


async def test_a_camera_that_goes_takes_its_source_along(room: Room) -> None:
    await register(room)
    await room.do.remove(ADMIN, "c1")
    rows = room.database.read_now(lambda c: c.execute(sa.select(schema.camera_sources)).all())
    assert rows == []
    assert await room.sources.load_sources() == []


async def test_another_key_opens_nothing_and_says_so(room: Room) -> None:
    await register(room)
    other = Sources(room.database, SecretBox(b"l" * 32), room.board)
    (spec,) = await other.load_sources()
    assert spec.source.password is None
    kept = await other.kept("c1")
    assert kept is not None
    assert (kept.has_password, kept.readable) == (True, False)


async def test_changes_are_gathered_and_passed_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.02)
    taken: list[list[CameraSpec]] = []
    came = asyncio.Event()

    def take(specs: list[CameraSpec]) -> None:
        taken.append(specs)
        came.set()

    async def next_set() -> list[str]:
        await asyncio.wait_for(came.wait(), 10)
        came.clear()
        return sorted(spec.id for spec in taken[-1])

    following = asyncio.create_task(room.sources.follow(take))
    assert await next_set() == []
    for key in ("c1", "c2", "c3"):
        await register(room, key)
    assert await next_set() != []
    while sorted(spec.id for spec in taken[-1]) != ["c1", "c2", "c3"]:
        await next_set()
    seen = len(taken)
    room.sources.apply(Event(99, "", "camera.health_changed", {"changes": {}}))
    await asyncio.sleep(0.1)
    assert len(taken) == seen, "how a camera is does not concern its source"
    await room.do.remove(ADMIN, "c2")
    assert await next_set() == ["c1", "c3"]
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


DEVICE = "34060400001110000001"


async def test_devices_keep_their_passwords_unless_told_otherwise(room: Room) -> None:
    put = room.sources.put_device
    made = await put(DEVICE, "一号录像机", CANARY, "t1")
    assert (made.has_password, CANARY in repr(made)) == (True, False)
    assert (await put(DEVICE, "二号录像机", None, "t2")).has_password
    (device,) = await room.sources.load_devices()
    assert (device.password, device.name) == (CANARY, "二号录像机")
    assert CANARY not in repr(device)
    assert [d.updated_at for d in await room.sources.devices()] == ["t2"]
    assert not (await put(DEVICE, "二号录像机", "", "t3")).has_password
    assert [d.password for d in await room.sources.load_devices()] == [""]
    assert await room.sources.drop_device(DEVICE)
    assert not await room.sources.drop_device(DEVICE)
    assert await room.sources.devices() == []


async def test_a_sealed_password_moved_to_another_row_does_not_open(room: Room) -> None:
    await register(room, "c1")
    await register(room, "c2", msgspec.structs.replace(HERE, password=None))
    table = schema.camera_sources
    secret = room.database.read_now(
        lambda c: c.execute(sa.select(table.c.secret).where(table.c.camera_id == "c1")).scalar_one()
    )
    await room.database.write(
        lambda c: c.execute(sa.update(table).where(table.c.camera_id == "c2").values(secret=secret))
    )
    found = await room.sources.load_source("c2")
    assert found is not None
    assert found.password is None
