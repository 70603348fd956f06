"""One camera's life: when it is tried, shown as late or lost, and left alone. No test here waits for real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import (
    Busy,
    Ended,
    NotAllowed,
    Stalled,
    StreamError,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from streams.life import Life
from streams.pull import Pull
from streams.source import CameraSpec, Source
from streams.wire import StreamState, VideoSettings
from tests.streams.scripted import Clock, Collected, ScriptedReaders
from tests.streams.waiting import until

SETTINGS = VideoSettings()
SPEC = CameraSpec(
    id="a", source=Source(protocol="rtsp", host="10.0.0.1", path="1", username="u", password="one")
)


class World:
    """A pull, its clock, and what it told."""

    def __init__(self, readers: ScriptedReaders | None = None, *, once: bool = False) -> None:
        self.clock = Clock()
        self.readers = readers or ScriptedReaders()
        self.states: list[StreamState] = []
        self.permits: list[str] = []
        self.sinks: list[Collected] = []
        self.pull = Pull(
            SPEC,
            SETTINGS,
            self.readers,
            self.sink,
            self.states.append,
            self.permit,
            once=once,
            clock=self.clock,
            draw=lambda: 1.0,
        )

    def sink(self) -> Collected:
        self.sinks.append(Collected())
        return self.sinks[-1]

    async def permit(self, host: str) -> None:
        self.permits.append(host)

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    async def pass_s(self, seconds: float, step_s: float = 0.1) -> None:
        for _ in range(round(seconds / step_s)):
            self.clock.now_s += step_s
            self.pull.tick(self.clock.now_s)
            await self.settle()

    async def pictures(self, seconds: float, every_s: float = 0.5) -> None:
        for number in range(round(seconds / every_s)):
            self.readers.last.sink.picture([b"\x65x"], number, key=True)
            await self.pass_s(every_s, every_s)

    async def fail(self, error: Exception) -> None:
        self.readers.last.fail(error)
        await self.settle()

    @property
    def state(self) -> str:
        return self.pull.state.state

    @property
    def tries(self) -> int:
        return len(self.readers.sessions)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.pull.close()
    assert world.readers.open == 0


async def test_nothing_is_opened_before_somebody_watches(world: World) -> None:
    await world.pass_s(5)
    assert world.tries == 0
    assert world.state == "idle"
    world.pull.hold()
    await world.settle()
    assert world.tries == 1
    assert world.permits == ["10.0.0.1"]
    assert [state.state for state in world.states] == ["connecting"]
    await world.pictures(1)
    assert world.state == "live"


async def test_the_session_lingers_and_ends(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.pictures(1)
    world.pull.release()
    await world.pass_s(SETTINGS.linger_s - 1)
    assert world.readers.open == 1
    world.pull.hold()
    await world.pass_s(5)
    assert world.tries == 1  # whoever comes back finds it running
    world.pull.release()
    await world.pass_s(SETTINGS.linger_s + 0.5)
    assert world.readers.open == 0
    assert world.states[-1].state == "idle"
    assert not world.pull.forgettable(world.clock.now_s)
    world.clock.now_s += 61
    assert world.pull.forgettable(world.clock.now_s)


async def test_a_second_watcher_opens_no_second_session(world: World) -> None:
    for _ in range(16):
        world.pull.hold()
    await world.settle()
    for _ in range(15):
        world.pull.release()
    await world.pass_s(30)
    assert world.tries == 1
    assert world.readers.open == 1


async def test_waits_double_and_stay_short_while_the_trouble_is_young(world: World) -> None:
    world.pull.hold()
    await world.settle()
    waits = []
    for _ in range(14):
        await world.fail(Unreachable("no answer"))
        retry_s = world.pull.state.retry_s
        assert retry_s is not None
        waits.append(retry_s)
        before = world.tries
        await world.pass_s(retry_s - 0.15)
        assert world.tries == before
        await world.pass_s(0.4)
        assert world.tries == before + 1
    assert waits[:5] == [0.5, 1.0, 2.0, 2.0, 2.0]
    assert waits == sorted(waits)
    assert sum(waits[:8]) < 30
    await world.pass_s(120)
    await world.fail(Unreachable("no answer"))
    assert world.pull.state.retry_s == 30.0


async def test_only_ten_seconds_of_pictures_end_the_trouble(world: World) -> None:
    world.pull.hold()
    await world.settle()
    for _ in range(3):
        await world.fail(Unreachable("no answer"))
        await world.pass_s(3)
    await world.pictures(9)
    await world.fail(Ended("closed"))
    assert world.pull.state.retry_s == 4.0
    await world.pass_s(4.5)
    await world.pictures(11)
    await world.fail(Ended("closed"))
    assert world.pull.state.retry_s == 0.5


async def test_a_flapping_camera_is_tried_ever_less_often(world: World) -> None:
    world.pull.hold()
    await world.settle()
    opened = []
    for _ in range(20):
        tries = world.tries
        await world.pictures(5)
        await world.fail(Ended("closed"))
        down = world.pull.state.retry_s
        assert down is not None
        opened.append(down)
        await world.pass_s(down + 0.3)
        assert world.tries == tries + 1
    assert opened[-1] > 10
    assert max(opened) <= 30
    assert world.readers.open == 1


async def test_a_refused_password_is_not_tried_again(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.fail(Unauthorized("the account is refused"))
    assert world.pull.state == StreamState(
        state="refused", reason="unauthorized", detail="the account is refused"
    )
    await world.pass_s(300, 1)
    world.pull.release()
    await world.pass_s(60, 1)
    world.pull.hold()
    await world.pass_s(60, 1)
    assert world.tries == 1
    assert world.state == "refused"
    assert not world.pull.forgettable(world.clock.now_s + 1e6)
    changed = CameraSpec(
        id="a", source=Source(protocol="rtsp", host="10.0.0.1", path="1", username="u", password="two")
    )
    world.pull.respec(changed)
    await world.settle()
    assert world.tries == 2
    await world.pictures(1)
    assert world.state == "live"


async def test_somebody_may_insist(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.fail(Unauthorized("no"))
    world.pull.retry()
    await world.settle()
    assert world.tries == 2
    world.pull.retry()  # it is being tried already
    await world.settle()
    assert world.tries == 2


async def test_what_is_not_allowed_is_never_tried_again(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.fail(NotAllowed("10.0.0.1 is outside the allowed networks"))
    await world.pass_s(120, 1)
    assert world.tries == 1
    assert world.pull.state.reason == "not_allowed"


async def test_a_full_recorder_is_given_more_time(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.fail(Busy("453"))
    assert world.state == "no_capacity"
    assert world.pull.state.retry_s == 2.0
    await world.pass_s(2.5)
    assert world.tries == 2


async def test_what_one_reader_cannot_speak_the_other_gets(world: World) -> None:
    world.readers.fall_back = True
    world.pull.hold()
    await world.settle()
    with structlog.testing.capture_logs():
        await world.fail(Unsupported("UDP only"))
    assert world.tries == 2
    assert world.permits == ["10.0.0.1", "10.0.0.1"]
    assert world.state == "connecting"
    await world.fail(Unsupported("codec JPEG"))
    assert world.state == "lost"
    assert world.pull.state.retry_s == SETTINGS.backoff_most_s


async def test_late_comes_before_lost_and_goes_by_itself(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.pictures(2, every_s=0.1)
    await world.pass_s(1.2)
    assert world.state == "live"
    await world.pass_s(1)
    assert world.state == "late"
    assert world.pull.state.late_s == 2.0
    await world.pass_s(1)
    assert world.pull.state.late_s == 3.0
    await world.pictures(0.2, every_s=0.1)
    assert world.state == "live"
    await world.fail(Stalled("no picture for 5 s"))
    assert world.pull.state.reason == "stalled"


async def test_few_pictures_a_second_are_not_late_by_nature(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.pictures(80, every_s=2.0)
    seen = [state.state for state in world.states]
    await world.pictures(40, every_s=2.0)
    assert [state.state for state in world.states[len(seen) :]].count("late") == 0


async def test_why_it_was_lost_stays_while_it_is_tried_again(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.fail(Unreachable("no answer"))
    await world.pass_s(0.7)
    assert world.state == "connecting"
    assert world.pull.state.reason == "unreachable"


async def test_a_recording_is_played_once() -> None:
    world = World(once=True)
    world.pull.hold()
    await world.settle()
    await world.pictures(2)
    await world.fail(Ended("played to its end"))
    await world.pass_s(60)
    assert world.tries == 1
    assert world.pull.state == StreamState(state="lost", reason="ended", detail="played to its end")
    await world.pull.close()


async def test_a_camera_switched_off_is_not_opened(world: World) -> None:
    world.pull.respec(CameraSpec(id="a", source=SPEC.source, enabled=False))
    world.pull.hold()
    await world.pass_s(60)
    assert world.tries == 0
    assert world.pull.state == StreamState(state="refused", reason="disabled")
    world.pull.respec(SPEC)
    await world.settle()
    assert world.tries == 1


async def test_a_changed_source_waits_for_the_old_session_to_close() -> None:
    world = World(ScriptedReaders(closing_s=0.05))
    world.pull.hold()
    await world.settle()
    await world.pictures(1)
    old = world.readers.last
    world.pull.respec(CameraSpec(id="a", source=Source(protocol="rtsp", host="10.0.0.2")))
    await world.settle()
    assert world.tries == 1
    old.sink.picture([b"\x65late"], 0, key=True)  # what the old reader still delivers goes nowhere
    assert world.state == "connecting"
    await until(lambda: world.tries == 2)
    assert old.closed
    await world.pull.close()


async def test_a_bug_in_a_reader_is_logged_and_tried_again(world: World) -> None:
    world.pull.hold()
    await world.settle()
    with structlog.testing.capture_logs() as logs:
        await world.fail(KeyError("password"))
    assert logs[0]["event"] == "reader failed"
    assert world.pull.state.reason == "bad_media"
    assert world.pull.state.detail == "KeyError"
    await world.pass_s(1)
    assert world.tries == 2


async def test_a_reader_that_hangs_is_ended(world: World) -> None:
    world.pull.hold()
    await world.settle()
    await world.pass_s(62, 1)
    assert world.tries == 2
    assert world.readers.sessions[0].closed


async def test_a_clock_that_jumps_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pull.hold()
    await world.settle()
    await world.pictures(2, every_s=0.1)
    for jump_s in (7200.0, -7200.0):
        monkeypatch.setattr(time, "time", lambda jump_s=jump_s: 1.8e9 + jump_s)
        await world.pictures(2, every_s=0.1)
        assert world.state == "live"
    assert world.tries == 1
    assert [state.state for state in world.states] == ["connecting", "live"]


ERRORS = st.sampled_from(
    [Unreachable("x"), Stalled("x"), Ended("x"), Busy("x"), Unsupported("x"), StreamError("x")]
)


@given(
    steps=st.lists(st.tuples(ERRORS, st.floats(0, 60), st.floats(0, 40)), max_size=40),
    draw=st.floats(0, 0.999),
)
def test_every_wait_is_bounded_and_never_zero(
    steps: list[tuple[StreamError, float, float]], draw: float
) -> None:
    states: list[StreamState] = []
    life = Life(SETTINGS, states.append, lambda: draw)
    now_s = 0.0
    for error, up_s, more_s in steps:
        life.opening(now_s)
        life.picture(now_s)
        life.picture(now_s + up_s)
        now_s += up_s
        wait_s = life.failed(now_s, error)
        assert wait_s is not None
        assert 0.25 <= wait_s <= SETTINGS.backoff_most_s
        if up_s >= SETTINGS.settle_s and not isinstance(error, (Busy, Unsupported)):
            assert wait_s <= SETTINGS.backoff_first_s
        now_s += wait_s + more_s
    assert not life.refused
