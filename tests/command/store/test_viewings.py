from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from command.clock import ManualClock
from command.store.database import Database
from command.store.migrate import upgrade
from command.store.viewings import Viewings
from tests.command.world import START


@dataclass(frozen=True)
class Somebody:
    user_id: str
    name: str = "沈知行"
    role: str = "dispatcher"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def viewings(tmp_path: Path, clock: ManualClock) -> Iterator[Viewings]:
    database = Database(tmp_path / "test.db")
    upgrade(database)
    yield Viewings(database, clock)
    database.close()


async def test_a_viewing_has_a_beginning_and_an_end(viewings: Viewings, clock: ManualClock) -> None:
    key = await viewings.start(Somebody("u1"), "c1", "live", purpose="incident", incident_id="i1")
    (one,) = await viewings.list()
    assert (one.id, one.user_name, one.role, one.camera_id) == (key, "沈知行", "dispatcher", "c1")
    assert (one.kind, one.purpose, one.incident_id, one.ended_at) == ("live", "incident", "i1", None)
    clock.advance(30)
    await viewings.end(key)
    clock.advance(30)
    await viewings.end(key)
    await viewings.end("v_unknown")
    (one,) = await viewings.list()
    assert one.ended_at == "2026-11-22T03:00:30.000Z"
    assert not one.cut


async def test_a_snapshot_is_over_at_once(viewings: Viewings) -> None:
    for kind in ("snapshot", "thumbnail", "export"):
        await viewings.start(Somebody("u1"), "c1", kind)  # type: ignore[arg-type]
    assert all(one.ended_at == one.started_at for one in await viewings.list())


async def test_what_a_dead_process_left_open_is_closed_and_marked(
    viewings: Viewings, clock: ManualClock
) -> None:
    await viewings.start(Somebody("u1"), "c1", "live")
    done = await viewings.start(Somebody("u1"), "c1", "live")
    await viewings.end(done)
    clock.advance(60)
    assert viewings.end_all() == 1
    assert viewings.end_all() == 0
    assert sorted(one.cut for one in await viewings.list()) == [False, True]


async def test_they_are_found_by_who_what_why_and_when_a_page_at_a_time(
    viewings: Viewings, clock: ManualClock
) -> None:
    for n in range(10):
        await viewings.start(Somebody(f"u{n % 2}"), f"c{n % 3}", "live", incident_id="i1" if n > 7 else None)
        clock.advance(60)
    assert len(await viewings.list(user_id="u1")) == 5
    assert len(await viewings.list(camera_id="c0")) == 4
    assert len(await viewings.list(incident_id="i1", user_id="u1")) == 1
    window = await viewings.list(since="2026-11-22T03:02:00.000Z", until="2026-11-22T03:05:00.000Z")
    assert [one.started_at[14:16] for one in window] == ["04", "03", "02"]
    everything = await viewings.list()
    paged = []
    before = None
    while page := await viewings.list(before=before, limit=3):
        paged += page
        before = (page[-1].started_at, page[-1].id)
    assert paged == everything
    assert await viewings.purge("2026-11-22T03:04:00.000Z") == 4
    assert len(await viewings.list()) == 6
