"""The one writer: order, groups, idempotency, callers that go away, stores that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from command import desk as desks
from command.board import Board, Picture
from command.cameras import Camera
from command.clock import ManualClock
from command.desk import Command, Desk, Outcome
from command.errors import IdempotencyReuse, Malformed, StorageFull, Unavailable
from command.events import Actor, Context, Event, Fact
from command.store.log import Commit, Contact, MemoryLog
from tests.command.world import DISPATCHER, OPERATOR, START


class GatedLog(MemoryLog):
    """A log whose appends wait until they are let through, and are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.commits: list[Commit] = []
        self.waiting = asyncio.Event()

    async def append(self, commit: Commit) -> None:
        self.waiting.set()
        await self.gate.wait()
        await super().append(commit)
        self.commits.append(commit)


async def gathered(desk: Desk, count: int) -> None:
    """Wait until so many commands are in the inbox."""
    while desk.waiting < count:  # noqa: ASYNC110  the desk has no event for it, and needs none
        await asyncio.sleep(0)


class Room:
    """A desk with its log and what it published."""

    def __init__(self) -> None:
        self.log = GatedLog()
        self.board = Board("memory")
        self.published: list[Event] = []
        self.clock = ManualClock(START)
        self.desk = Desk(self.board, self.log, self.clock, self.publish)
        self.task = asyncio.create_task(self.desk.run())

    def publish(self, event: Event) -> None:
        assert event in self.log.events, "nothing is shown before it is durable"
        assert self.board.seq == event.seq, "nothing is shown before it is applied"
        self.published.append(event)

    async def hold(self) -> asyncio.Task[Outcome]:
        """Let one command hang in the store, so that what follows gathers in the next group."""
        self.log.waiting.clear()
        self.log.gate.clear()
        task = asyncio.create_task(self.desk.submit(put("c-first")))
        await self.log.waiting.wait()
        return task

    async def gather(self, *commands: Command) -> list[Any]:
        """Have these commands decided in one group."""
        first = await self.hold()
        tasks = [asyncio.create_task(self.desk.submit(command)) for command in commands]
        await gathered(self.desk, len(commands))
        self.log.gate.set()
        await first
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    opened = Room()
    yield opened
    opened.log.gate.set()
    opened.task.cancel()
    await asyncio.gather(opened.task, return_exceptions=True)


def camera(key: str, name: str = "渡口街北") -> Camera:
    return Camera(id=key, name=name, lon=116.8, lat=33.9)


def put(camera_id: str, actor: Actor = OPERATOR, **more: Any) -> Command:
    """Register a camera; the simplest thing that can be wanted."""

    def decide(_picture: Picture, _context: Context) -> Sequence[Fact]:
        return [Fact("camera.registered", (("cameras", camera_id, camera(camera_id)),))]

    return Command(actor, decide, answer_of(camera_id), **more)


def answer_of(key: str) -> Callable[[Picture], dict[str, Any]]:
    return lambda picture: {"id": picture.cameras[key].id, "name": picture.cameras[key].name}


def bad(error: Exception) -> Command:
    def decide(_picture: Picture, _context: Context) -> Sequence[Fact]:
        raise error

    return Command(OPERATOR, decide)


async def test_a_command_is_committed_applied_published_and_answered(room: Room) -> None:
    outcome = await room.desk.submit(put("c1"))
    assert outcome == Outcome({"id": "c1", "name": "渡口街北", "seq": 1}, 1)
    assert room.board.cameras["c1"] == camera("c1")
    assert [event.seq for event in room.published] == [1]
    assert room.published[0].data["actor"] == {"id": OPERATOR.id, "name": OPERATOR.name}
    assert room.published[0].at == "2026-11-22T03:00:00.000Z"


async def test_nothing_is_shown_before_it_is_durable(room: Room) -> None:
    task = await room.hold()
    assert room.board.cameras == {}
    assert room.published == []
    assert not task.done()
    room.log.gate.set()
    await task
    assert "c-first" in room.board.cameras


async def test_what_waits_goes_together_and_in_order(room: Room) -> None:
    outcomes = await room.gather(*(put(f"c{n}") for n in range(20)))
    assert [outcome.seq for outcome in outcomes] == list(range(2, 22))
    assert [len(commit.events) for commit in room.log.commits] == [1, 20]
    assert [event.seq for event in room.published] == list(range(1, 22))
    assert (room.desk.committed, room.desk.groups) == (21, 2)


async def test_a_group_has_a_limit(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "GROUP", 4)
    await room.gather(*(put(f"c{n}") for n in range(10)))
    assert [len(commit.events) for commit in room.log.commits] == [1, 4, 4, 2]


async def test_each_decision_sees_the_ones_before_it_in_its_group(room: Room) -> None:
    seen: list[set[str]] = []

    def look(picture: Picture, _context: Context) -> Sequence[Fact]:
        seen.append(set(picture.cameras))
        return []

    await room.gather(put("c1"), Command(OPERATOR, look), put("c2"), Command(OPERATOR, look))
    assert seen == [{"c-first", "c1"}, {"c-first", "c1", "c2"}]


@pytest.mark.parametrize("error", [Malformed("title", "x"), RuntimeError("a slip"), KeyError("x")])
async def test_one_bad_command_does_not_take_the_group_with_it(room: Room, error: Exception) -> None:
    good, refused, better = await room.gather(put("c1"), bad(error), put("c2"))
    assert refused is error
    assert (good.seq, better.seq) == (2, 3)
    assert set(room.board.cameras) == {"c-first", "c1", "c2"}


async def test_an_answer_that_cannot_be_given_leaves_nothing_behind(room: Room) -> None:
    """The facts of a command that fails late must not be seen by the next one of its group."""

    def decide(_picture: Picture, _context: Context) -> Sequence[Fact]:
        return [Fact("camera.registered", (("cameras", "c-ghost", camera("c-ghost")),))]

    seen: list[set[str]] = []

    def look(picture: Picture, _context: Context) -> Sequence[Fact]:
        seen.append(set(picture.cameras))
        return []

    late = Command(OPERATOR, decide, lambda picture: {"x": picture.cameras["nothing"]})
    refused, _, good = await room.gather(late, Command(OPERATOR, look), put("c1"))
    assert isinstance(refused, KeyError)
    assert seen == [{"c-first"}]
    assert good.seq == 2
    assert set(room.board.cameras) == {"c-first", "c1"}


async def test_a_command_that_changes_nothing_writes_nothing(room: Room) -> None:
    await room.desk.submit(put("c1"))
    outcome = await room.desk.submit(Command(OPERATOR, lambda _p, _c: [], answer_of("c1")))
    assert outcome.seq == 1
    assert len(room.log.commits) == 1


class TestIdempotency:
    async def test_a_replay_is_answered_the_same_and_has_no_effect(self, room: Room) -> None:
        first = await room.desk.submit(put("c1", key="k", fingerprint="f"))
        again = await room.desk.submit(put("c2", key="k", fingerprint="f"))
        assert again.answer == first.answer
        assert (again.seq, first.replayed, again.replayed) == (first.seq, False, True)
        assert set(room.board.cameras) == {"c1"}

    async def test_the_same_key_for_something_else_is_refused(self, room: Room) -> None:
        await room.desk.submit(put("c1", key="k", fingerprint="f"))
        with pytest.raises(IdempotencyReuse):
            await room.desk.submit(put("c2", key="k", fingerprint="other"))
        assert set(room.board.cameras) == {"c1"}

    async def test_another_persons_key_is_another_key(self, room: Room) -> None:
        await room.desk.submit(put("c1", key="k", fingerprint="f"))
        await room.desk.submit(put("c2", key="k", fingerprint="f", actor=DISPATCHER))
        assert set(room.board.cameras) == {"c1", "c2"}

    async def test_the_same_key_twice_at_once(self, room: Room) -> None:
        same = [put(f"c{n}", key="k", fingerprint="f") for n in range(5)]
        outcomes = await room.gather(*same, put("c9", key="k", fingerprint="other"))
        assert isinstance(outcomes.pop(), IdempotencyReuse)
        assert {outcome.answer["id"] for outcome in outcomes} == {"c0"}
        assert sorted(outcome.replayed for outcome in outcomes) == [False, True, True, True, True]
        assert set(room.board.cameras) == {"c-first", "c0"}

    async def test_a_replay_that_meets_its_first_try_on_the_way_to_the_disk(self, room: Room) -> None:
        room.log.gate.clear()
        first = asyncio.create_task(room.desk.submit(put("c1", key="k", fingerprint="f")))
        await room.log.waiting.wait()
        again = asyncio.create_task(room.desk.submit(put("c2", key="k", fingerprint="f")))
        await gathered(room.desk, 1)
        room.log.gate.set()
        assert (await again).answer == (await first).answer
        assert set(room.board.cameras) == {"c1"}

    async def test_a_new_process_remembers_through_the_store(self, room: Room) -> None:
        first = await room.desk.submit(put("c1", key="k", fingerprint="f"))
        after = Desk(room.board, room.log, room.clock, room.publish)
        again = await after.submit(put("c2", key="k", fingerprint="f"))
        assert (again.answer, again.replayed) == (first.answer, True)
        with pytest.raises(IdempotencyReuse):
            await after.submit(put("c2", key="k", fingerprint="other"))

    async def test_an_old_answer_leaves_memory_but_not_the_store(
        self, room: Room, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desks, "REMEMBERED", 2)
        for n in range(4):
            await room.desk.submit(put(f"c{n}", key=f"k{n}", fingerprint="f"))
        again = await room.desk.submit(put("c9", key="k0", fingerprint="f"))
        assert again.answer["id"] == "c0"

    async def test_what_was_refused_may_be_tried_again_with_the_same_key(self, room: Room) -> None:
        refused = bad(Malformed("x", "x"))
        with pytest.raises(Malformed):
            await room.desk.submit(Command(OPERATOR, refused.decide, key="k", fingerprint="f"))
        outcome = await room.desk.submit(put("c1", key="k", fingerprint="f"))
        assert not outcome.replayed

    async def test_a_command_without_effect_is_remembered_too(self, room: Room) -> None:
        nothing = Command(OPERATOR, lambda _p, _c: [], lambda _p: {"n": 1}, key="k", fingerprint="f")
        await room.desk.submit(nothing)
        assert (await room.desk.submit(nothing)).replayed


class TestFailures:
    async def test_a_full_disk_applies_nothing_and_recovers_by_itself(self, room: Room) -> None:
        room.log.failure = StorageFull()
        for _ in range(2):
            with pytest.raises(StorageFull):
                await room.desk.submit(put("c1", key="k", fingerprint="f"))
        assert room.board.cameras == {}
        assert room.published == []
        assert room.desk.failure == StorageFull().detail
        room.log.failure = None
        outcome = await room.desk.submit(put("c1", key="k", fingerprint="f"))
        assert (outcome.seq, outcome.replayed) == (1, False)
        assert room.desk.failure is None

    async def test_what_the_store_says_unforeseen_is_unavailable(self, room: Room) -> None:
        room.log.failure = OSError("the cable")
        with pytest.raises(Unavailable):
            await room.desk.submit(put("c1"))
        room.log.failure = None
        await room.desk.submit(put("c1"))

    async def test_a_group_fails_together(self, room: Room) -> None:
        first = await room.hold()
        tasks = [asyncio.create_task(room.desk.submit(put(f"c{n}"))) for n in range(3)]
        tasks.append(asyncio.create_task(room.desk.submit(bad(Malformed("x", "x")))))
        await gathered(room.desk, 4)
        room.log.failure = StorageFull()
        room.log.gate.set()
        results = await asyncio.gather(first, *tasks, return_exceptions=True)
        kinds = [type(result) for result in results]
        assert kinds == [StorageFull] * 4 + [Malformed]
        assert room.board.seq == 0

    async def test_a_full_inbox_says_so(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(desks, "INBOX", 3)
        small = Desk(room.board, room.log, room.clock, room.publish)
        tasks = [asyncio.create_task(small.submit(put(f"c{n}"))) for n in range(3)]
        await gathered(small, 3)
        with pytest.raises(Unavailable):
            await small.submit(put("c9"))
        serving = asyncio.create_task(small.run())
        await asyncio.gather(*tasks)
        serving.cancel()

    async def test_a_caller_that_went_away_changes_nothing(self, room: Room) -> None:
        task = await room.hold()
        waiting = asyncio.create_task(room.desk.submit(put("c1", key="k", fingerprint="f")))
        await gathered(room.desk, 1)
        for one in (task, waiting):
            one.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one
        room.log.gate.set()
        again = await room.desk.submit(put("c2", key="k", fingerprint="f"))
        assert again.replayed
        assert set(room.board.cameras) == {"c-first", "c1"}

    async def test_a_refused_command_whose_caller_went_away_is_silent(self, room: Room) -> None:
        await room.hold()
        waiting = asyncio.create_task(room.desk.submit(bad(Malformed("x", "x"))))
        await gathered(room.desk, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        room.log.gate.set()
        assert (await room.desk.submit(put("c1"))).seq == 2

    async def test_stopping_finishes_what_was_taken(self, room: Room) -> None:
        first = await room.hold()
        waiting = [asyncio.create_task(room.desk.submit(put(f"c{n}"))) for n in range(3)]
        await gathered(room.desk, 3)
        room.task.cancel()
        await asyncio.sleep(0)
        room.log.gate.set()
        outcomes = await asyncio.gather(first, *waiting)
        assert [outcome.seq for outcome in outcomes] == [1, 2, 3, 4]
        assert len(room.log.events) == 4


async def test_contacts_go_into_the_same_commit(room: Room) -> None:
    contact = Contact("i1", "13812340472", "2026-12-22T03:00:00.000Z")
    await room.desk.submit(put("c1", apart=lambda _context: [contact]))
    assert room.log.contacts == {"i1": contact}
    failing = Command(OPERATOR, bad(Malformed("x", "x")).decide, apart=lambda _context: [contact])
    with pytest.raises(Malformed):
        await room.desk.submit(failing)


async def test_a_wall_clock_that_jumps_back_does_not_change_the_order(room: Room) -> None:
    await room.desk.submit(put("c1"))
    room.clock.set_wall(START.replace(hour=1))
    await room.desk.submit(put("c2"))
    assert [event.seq for event in room.published] == [1, 2]
    assert [event.at for event in room.published] == ["2026-11-22T03:00:00.000Z", "2026-11-22T01:00:00.000Z"]
