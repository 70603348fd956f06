"""Inside a media process: what goes over the link, how much of it, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from streams.assembler import Assembler
from streams.errors import NoSuchCamera
from streams.libav.slots import Slots
from streams.link import Link, LinkLost
from streams.media_role import MediaRole, place_of
from streams.output import Counters, Output
from streams.ring import Budget
from streams.source import CameraSpec, Source
from streams.watched import Watched, Worker
from streams.wire import (
    CONFIG,
    FRAGMENT,
    INIT,
    KEY,
    CameraChanges,
    KeyFrameWish,
    MediaSetup,
    VideoSettings,
    WatchOrder,
)
from streams.worker import own_figures
from tests.streams.coded import STEP, Coded, Gathered, coded
from tests.streams.scripted import Clock, ScriptedReaders


@dataclass
class Wire:
    """A link whose other end takes as much as the test says."""

    sent: list[tuple[int, int, bytes]] = field(default_factory=list)
    notes: list[tuple[str, Any]] = field(default_factory=list)
    waiting: int = 0

    def media(self, channel: int, flags: int, payload: bytes) -> None:
        self.sent.append((channel, flags, payload))

    def note(self, name: str, argument: object) -> None:
        self.notes.append((name, argument))

    def buffered(self) -> int:
        return self.waiting

    def flags(self, channel: int) -> list[int]:
        return [flags for number, flags, _ in self.sent if number == channel]


def play(sink: Any, video: Coded, start: int = 0, count: int | None = None) -> None:
    """Deliver pictures as a reader does."""
    stop = len(video.units) if count is None else start + count
    assembler = Assembler(video.codec, sink)
    for number in range(start, stop):
        assembler.unit(video.units[number % len(video.units)], number * STEP)


def output(wire: Wire, most_waiting: int = 1 << 20) -> Output:
    return Output(wire, Budget(1 << 24), 30.0, most_waiting, Counters())  # type: ignore[arg-type]


def test_config_init_and_a_key_frame_first_and_the_group_so_far_for_who_comes_later() -> None:
    wire = Wire()
    out = output(wire)
    out.join(1)
    play(out.sink(), coded(count=40, gop=25))
    assert wire.flags(1)[:4] == [CONFIG, INIT, FRAGMENT | KEY, FRAGMENT]
    assert len(wire.flags(1)) == 42
    config = json.loads(wire.sent[0][2])
    assert (config["width"], config["height"], config["audio"]) == (160, 96, None)
    out.join(2)
    assert wire.flags(2) == [CONFIG, INIT, FRAGMENT | KEY, *[FRAGMENT] * 14]
    out.leave(1)
    out.leave(2)
    sent = len(wire.sent)
    play(out.sink(), coded(count=40, gop=25))
    assert len(wire.sent) == sent


def test_a_web_process_that_does_not_keep_up_gets_whole_groups_or_nothing() -> None:
    wire = Wire()
    out = output(wire, most_waiting=1000)
    out.join(1)
    sink = out.sink()
    video = coded(count=100, gop=10)
    assembler = Assembler("h264", sink)
    for number, unit in enumerate(video.units):
        wire.waiting = 2000 if 15 <= number < 42 else 0
        assembler.unit(unit, number * STEP)
    flags = wire.flags(1)[2:]
    assert len(flags) == 15 + 50  # up to the fifteenth, and again from the key frame at fifty
    assert flags[15] == FRAGMENT | KEY
    assert out._counters.skipped == 35
    assert sum(len(group.fragments) for group in out.ring.groups()) == 100  # clips lose nothing


def test_who_still_writes_after_the_end_reaches_nobody() -> None:
    wire = Wire()
    out = output(wire)
    out.join(1)
    old = out.sink()
    play(old, coded(), 0, 5)
    new = out.sink()
    count = len(wire.sent)
    play(old, coded(), 0, 5)
    assert len(wire.sent) == count
    play(new, coded(), 0, 5)
    assert wire.flags(1)[count:][:2] == [CONFIG, INIT]


class Stage:
    """A camera of a media process, with a reader in the test's hands."""

    def __init__(self, **settings: Any) -> None:
        self.wire = Wire()
        self.clock = Clock()
        self.readers = ScriptedReaders()
        self.worker = Worker(
            self.wire,  # type: ignore[arg-type]
            VideoSettings(**settings),
            self.readers,
            self.permit,
            Slots(0),
            self.clock,
        )
        self.camera = Watched(
            CameraSpec(id="a", source=Source(protocol="rtsp", host="10.0.0.1")), self.worker
        )

    async def permit(self, host: str) -> None:
        pass

    async def begin(self, *orders: tuple[int, Any]) -> None:
        for channel, variant in orders:
            self.camera.watch(WatchOrder(channel=channel, camera_id="a", variant=variant))
        await asyncio.sleep(0.01)

    def states(self, channel: int) -> list[str]:
        return [
            change.state.state
            for name, change in self.wire.notes
            if name == "channel" and change.channel == channel
        ]


async def test_both_variants_of_an_h264_camera_are_the_same_bytes() -> None:
    stage = Stage()
    await stage.begin((1, "source"), (2, "h264"))
    play(stage.readers.last.sink, coded(count=10))
    assert stage.wire.flags(1) == stage.wire.flags(2)
    assert stage.states(2)[-1] == "live"
    await stage.begin((3, "h264"))
    assert stage.wire.flags(3)[:3] == [CONFIG, INIT, FRAGMENT | KEY]
    frame = stage.camera.key_frame()
    assert frame is not None
    assert frame.track.codec == "h264"
    await stage.camera.close()


async def test_without_a_place_for_encoding_only_that_variant_has_no_capacity() -> None:
    stage = Stage()
    await stage.begin((1, "source"), (2, "h264"), (3, "h264"))
    play(stage.readers.last.sink, coded("h265", count=10))
    await asyncio.sleep(0.05)
    stage.camera.tick(stage.clock.now_s)
    assert stage.wire.flags(1)[:2] == [CONFIG, INIT]
    assert stage.wire.flags(2) == stage.wire.flags(3) == []
    assert stage.states(2)[-1] == stage.states(3)[-1] == "no_capacity"
    camera_states = [change.state.state for name, change in stage.wire.notes if name == "state"]
    assert camera_states == ["connecting", "live"]
    # The camera is set to H.264 while it runs: nobody is missing anything now.
    stage.readers.last.sink.video(h264_track())
    play(stage.readers.last.sink, coded(count=10))
    assert stage.wire.flags(2)[:3] == [CONFIG, INIT, FRAGMENT | KEY]
    assert stage.wire.flags(3)[:3] == [CONFIG, INIT, FRAGMENT | KEY]
    await stage.camera.close()


def h264_track() -> Any:
    gathered = Gathered()
    play(gathered, coded(count=1))
    return gathered.tracks[0]


async def test_what_is_kept_goes_when_nobody_watches() -> None:
    stage = Stage(linger_s=5.0)
    await stage.begin((1, "source"))
    play(stage.readers.last.sink, coded(count=50))
    assert stage.worker.budget.held > 0
    stage.camera.unwatch(1)
    stage.camera.unwatch(1)
    stage.clock.now_s += 6
    stage.camera.tick(stage.clock.now_s)
    assert stage.worker.budget.held == 0
    assert stage.camera.key_frame() is None
    stage.clock.now_s += 120
    assert stage.camera.forgettable(stage.clock.now_s)
    await stage.camera.close()


async def test_orders_for_cameras_it_does_not_have() -> None:
    role = MediaRole(Link())
    role.watch(WatchOrder(channel=1, camera_id="a"))  # before it was set up, or after it was removed
    role.unwatch(1)
    role.retry("a")
    with pytest.raises(NoSuchCamera):
        await role.key_frame(KeyFrameWish(camera_id="a"))
    await role.setup(MediaSetup(name="media-0", settings=VideoSettings(), transcodes=0))
    role.watch(WatchOrder(channel=1, camera_id="a"))
    role.change(CameraChanges(put=(CameraSpec(id="a", source=Source(protocol="rtsp", host="10.0.0.1")),)))
    assert await role.key_frame(KeyFrameWish(camera_id="a")) is None
    with pytest.raises(LinkLost):  # nobody answers where turns are given out
        await role.key_frame(KeyFrameWish(camera_id="a", open=True, wait_s=0.3))
    role.change(CameraChanges(drop=("a", "b")))
    assert role.beat().streams == 0
    await role.close()


def test_a_camera_belongs_to_the_same_process_in_every_run() -> None:
    assert [place_of(f"c{number}", 4) for number in range(8)] == [3, 1, 3, 1, 2, 0, 2, 0]
    counts = [0] * 4
    for number in range(4000):
        counts[place_of(f"34020000001320{number:06d}", 4)] += 1
    assert min(counts) > 800


def test_a_process_knows_what_it_takes() -> None:
    beat = own_figures()
    assert beat.cpu_s > 0
    assert beat.rss_bytes > 1 << 20
    assert beat.open_files > 2


def test_it_ends_at_once_without_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streams.worker",
                "--role",
                "media",
                "--name",
                "x",
                "--fd",
                str(theirs.fileno()),
            ],
            pass_fds=(theirs.fileno(),),
        )
    ours.close()
    assert child.wait(timeout=20) == 0
