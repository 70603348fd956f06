"""The service as the rest of the program uses it, with real processes and drawn cameras."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import structlog

from streams.clips import ClipOrder, verify
from streams.errors import NoSuchCamera, StreamError, Unsupported
from streams.source import CameraSpec, Source
from streams.synthetic.farm import FarmCamera
from tests.streams.theatre import BACK_S, Tile, apart, decoded, quiet, theatre
from tests.streams.waiting import until

pytestmark = pytest.mark.slow


async def test_watch_from_the_first_picture_to_the_end_of_the_session() -> None:
    async with theatre() as stage:
        assert stage.farm.sessions() == 0
        tile = Tile()
        watch = stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        assert tile.order[:3] == ["config", "ftyp", "moof"]
        assert tile.configs[0]["codec"].startswith("avc1.")
        assert (tile.configs[0]["width"], tile.configs[0]["height"]) == (640, 360)
        assert stage.video.state("a").state == "live"
        assert stage.told.of("a") == ["connecting", "live"]

        later = Tile()
        other = stage.video.watch("a", later, h265=True)
        assert later.order[:4] == ["config", "ftyp", "moof", "state"]  # before `watch` returned
        await until(lambda: len(later.pieces) > 25, BACK_S)
        assert stage.farm.sessions() == 1
        for one in (tile, later):
            codec, pictures = decoded(one.file())
            assert codec == "h264"
            assert pictures >= 25

        watch.close()
        other.close()
        other.close()
        await until(lambda: stage.farm.sessions() == 0, BACK_S)
        await until(lambda: stage.told.of("a")[-1] == "idle", BACK_S)
        assert stage.video.state("a").state == "idle"
        assert tile.ended is None


async def test_sixteen_viewers_share_one_session_and_every_byte() -> None:
    async with theatre() as stage:
        tiles = [Tile() for _ in range(16)]
        slow = Tile(takes=False)
        for tile in (*tiles, slow):
            stage.video.watch("a", tile, h265=False)
        await until(lambda: all(len(tile.pieces) > 40 for tile in tiles), BACK_S)
        assert stage.farm.sessions() == 1
        first = tiles[0]
        assert all(tile.pieces[20] is first.pieces[20] for tile in tiles)
        figures = stage.video.figures()
        assert figures["viewers"] == 17
        assert figures["channels"] == 1


async def test_a_slow_viewer_is_skipped_then_closed_and_nobody_else_notices() -> None:
    async with theatre(viewer_buffer_bytes=60_000, viewer_idle_s=4.0) as stage:
        fast, slow, dead = Tile(), Tile(takes=False), Tile(takes=False)
        for tile in (fast, slow, dead):
            stage.video.watch("a", tile, h265=True)
        await until(lambda: len(slow.pieces) > 3, BACK_S)
        await until(lambda: slow.waiting > 60_000, BACK_S)
        await quiet(1.0)
        count = len(slow.pieces)
        await quiet(1.0)
        assert len(slow.pieces) == count
        slow.takes, slow.waiting = True, 0
        await until(lambda: len(slow.pieces) > count + 3, BACK_S)
        assert decoded(slow.file())[1] == len([p for p in slow.pieces if p[4:8] == b"moof"])
        await until(lambda: dead.ended == "slow", BACK_S)
        assert stage.video.figures()["viewers"] == 2
        gaps = [after - before for before, after in zip(fast.times, fast.times[1:], strict=False)]
        assert sorted(gaps)[len(gaps) // 2] < 0.2


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_dead_or_hung_process_takes_nobody_with_it(blow: signal.Signals) -> None:
    one, two = apart()
    with structlog.testing.capture_logs() as logs:
        async with theatre((one, two), hang_s=2.0) as stage:
            victim, other = Tile(), Tile()
            stage.video.watch(one, victim, h265=True)
            stage.video.watch(two, other, h265=True)
            await stage.live(victim)
            await stage.live(other)
            os.kill(stage.pid(one), blow)
            await until(lambda: victim.state == "lost", BACK_S)
            assert victim.reason == "worker_lost"
            count = len(victim.pieces)
            await until(lambda: victim.state == "live" and len(victim.pieces) > count + 5, BACK_S)
            # Before the pictures there was a new description.
            after = victim.order[victim.order.index("state", victim.order.index("state") + 1) :]
            assert "config" in after
            assert decoded(victim.file())[1] > 3
            assert set(other.states) <= {"live", "late"}  # late: the machine is shared with other tests
            assert stage.told.of(two) == [state for state in stage.told.of(two) if state != "lost"]
            assert stage.video.figures()[f'restarts{{process="{stage.video._staff.place(one).name}"}}'] == 1
    assert [entry["event"] for entry in logs if entry["event"].startswith("process")] == [
        "process lost",
        "process back",
    ]


async def test_a_camera_that_comes_back_is_shown_without_anybody_asking() -> None:
    async with theatre() as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        stage.farm.set_fault("cam/a", "down")
        await until(lambda: tile.state in ("lost", "connecting") and "lost" in tile.states, BACK_S)
        later = Tile()
        stage.video.watch("a", later, h265=True)
        assert later.pieces == []  # no picture that stands still
        count = len(tile.pieces)
        stage.farm.set_fault("cam/a", None)
        await until(lambda: tile.state == "live" and len(tile.pieces) > count + 3, BACK_S)
        await stage.live(later)
        assert len(tile.configs) == 2
        assert decoded(tile.file())[1] >= 3


async def test_a_refused_password_waits_for_another_one() -> None:
    async with theatre() as stage:
        right = stage.farm.source("cam/a")
        wrong = msgspec.structs.replace(right, password="not it")
        stage.video.configure([CameraSpec(id="a", source=wrong)])
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await until(lambda: tile.state == "refused", BACK_S)
        assert tile.reason == "unauthorized"
        later = Tile()
        stage.video.watch("a", later, h265=True)
        assert later.states == ["refused"]
        await quiet(1.5)
        assert stage.told.of("a") == ["connecting", "refused"]
        told = str(tile.messages) + repr(stage.told.states)
        assert "not it" not in told
        stage.video.configure([CameraSpec(id="a", source=right)])
        await stage.live(tile)
        await stage.live(later)


async def test_a_full_recorder_is_said_to_be_full() -> None:
    cameras = [FarmCamera(path=f"cam/{name}", recorder="nvr") for name in "ab"]
    async with theatre(cameras, recorder_sessions=1) as stage:
        first, second = Tile(), Tile()
        watch = stage.video.watch("a", first, h265=True)
        await stage.live(first)
        stage.video.watch("b", second, h265=True)
        await until(lambda: second.state == "no_capacity", BACK_S)
        assert second.messages[-1]["retry_s"] > 0
        assert first.state == "live"
        watch.close()
        await stage.live(second)


async def test_sessions_at_one_host_begin_one_after_the_other() -> None:
    names = [f"c{number}" for number in range(6)]
    async with theatre(names, opens_per_host_per_s=2) as stage:
        tiles = [Tile() for _ in names]
        for name, tile in zip(names, tiles, strict=True):
            stage.video.watch(name, tile, h265=True)
        for tile in tiles:
            await stage.live(tile)
        starts = sorted(tile.times[0] for tile in tiles)
        assert starts[-1] - starts[0] >= 1.0  # two at once, then two a second
        assert stage.video.figures()["opens_delayed"] == 4


async def test_where_the_administrator_allows_nothing_nothing_is_opened() -> None:
    async with theatre(networks=("10.0.0.0/8",)) as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await until(lambda: tile.state == "refused", BACK_S)
        assert tile.reason == "not_allowed"
        probe = await stage.video.probe(stage.farm.source("cam/a"))
        assert (probe.ok, probe.reason) == (False, "not_allowed")


async def test_cameras_come_change_and_go() -> None:
    async with theatre(("a", "b")) as stage:
        with pytest.raises(NoSuchCamera):
            stage.video.watch("c", Tile(), h265=True)
        with pytest.raises(Unsupported):
            stage.video.watch_recording("a", Tile(), datetime.now(UTC), datetime.now(UTC))
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        sources = stage.sources()
        specs = {name: CameraSpec(id=name, source=source) for name, source in sources.items()}
        stage.video.configure(specs.values())
        await quiet(0.3)
        assert stage.told.of("a") == ["connecting", "live"]  # nothing changed, nothing was disturbed
        stage.video.configure([msgspec.structs.replace(specs["a"], enabled=False), specs["b"]])
        await until(lambda: tile.state == "refused", BACK_S)
        assert tile.reason == "disabled"
        await until(lambda: stage.farm.sessions() == 0, BACK_S)
        stage.video.configure(specs.values())
        await until(lambda: tile.state == "live", BACK_S)
        stage.video.configure([specs["b"]])
        assert tile.ended == "gone"
        await until(lambda: stage.farm.sessions() == 0, BACK_S)
        with pytest.raises(NoSuchCamera):
            await stage.video.key_frame("a")


async def test_probes_and_key_frames() -> None:
    cameras = [FarmCamera(path="cam/a"), FarmCamera(path="cam/b", profile="h265")]
    async with theatre(cameras) as stage:
        video, farm = stage.video, stage.farm
        probe = await video.probe(farm.source("cam/b"))
        assert (probe.ok, probe.codec, probe.width, probe.height, probe.reader) == (
            True,
            "h265",
            640,
            360,
            "rtsp",
        )
        probe = await video.probe(msgspec.structs.replace(farm.source("cam/a"), password="wrong"))
        assert (probe.ok, probe.reason) == (False, "unauthorized")
        probe = await video.probe(Source(protocol="rtsp", host="127.0.0.1", port=1, path="x"))
        assert (probe.ok, probe.reason) == (False, "unreachable")
        probe = await video.probe(Source(protocol="rtmp", host="127.0.0.1", path="x"))
        assert (probe.ok, probe.reason) == (False, "not_allowed")

        frame = await video.key_frame("b")  # nobody watches: it is opened for one picture
        assert frame.track.codec == "h265"
        assert abs(frame.taken_at - datetime.now(UTC)) < timedelta(seconds=BACK_S)
        tile = Tile()
        video.watch("a", tile, h265=True)
        await stage.live(tile)
        sessions = farm.sessions("cam/a")
        assert (await video.key_frame("a")).nals
        assert farm.sessions("cam/a") == sessions
        farm.set_fault("cam/b", "unauthorized")
        await until(lambda: farm.sessions("cam/b") == 0, BACK_S)
        with pytest.raises(StreamError):
            await video.key_frame("b")


async def test_what_only_ffmpeg_reads_is_found_out_and_remembered() -> None:
    async with theatre([FarmCamera(path="cam/a", udp_only=True)]) as stage:
        source = msgspec.structs.replace(stage.farm.source("cam/a"), transport="tcp")
        stage.video.configure([CameraSpec(id="a", source=source)])
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        assert "lost" not in tile.states
        assert decoded(tile.file())[1] >= 3


async def test_h265_is_encoded_for_whoever_cannot_play_it_while_there_is_room() -> None:
    cameras = [FarmCamera(path=f"cam/{name}", profile="h265") for name in "ab"]
    async with theatre(cameras, workers=1, transcodes=1) as stage:
        own, encoded, refused = Tile(), Tile(), Tile()
        stage.video.watch("a", own, h265=True)
        watch = stage.video.watch("a", encoded, h265=False)
        await stage.live(own)
        await stage.live(encoded)
        assert own.configs[0]["codec"].startswith("hvc1")
        assert encoded.configs[0]["codec"].startswith("avc1")
        assert decoded(encoded.file())[0] == "h264"
        assert stage.farm.sessions("cam/a") == 1
        stage.video.watch("b", refused, h265=False)
        await until(lambda: refused.state == "no_capacity", BACK_S)
        assert refused.reason == "busy"
        watch.close()
        await stage.live(refused)
        assert own.state == "live"


async def test_a_clip_has_what_was_before_and_what_came_after() -> None:
    async with theatre() as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await until(lambda: len(tile.pieces) > 40, BACK_S)
        path = stage.folder / "clip.mp4"
        order = ClipOrder(clip_id="1", camera_id="a", path=str(path), before_s=30, after_s=2)
        await stage.video.record(order)
        with pytest.raises(StreamError):
            await stage.video.record(msgspec.structs.replace(order, clip_id="2", path="/nonexistent/x.mp4"))
        await until(lambda: stage.told.clips, BACK_S)
        done = stage.told.clips[0]
        assert (done.clip_id, done.reason) == ("1", None)
        manifest = verify(path)
        assert manifest == done.manifests[0]
        assert manifest.duration_s > 4
        assert decoded(path.read_bytes()) == ("h264", manifest.frames)


async def test_a_clip_of_a_camera_nobody_watches_begins_now() -> None:
    async with theatre() as stage:
        path = stage.folder / "clip.mp4"
        await stage.video.record(ClipOrder(clip_id="1", camera_id="a", path=str(path), after_s=4))
        await until(lambda: stage.told.clips, BACK_S)
        assert stage.told.clips[0].reason is None
        assert verify(path).frames > 5
        await until(lambda: stage.farm.sessions() == 0, BACK_S)


async def test_clips_that_cannot_be_are_said_to_have_failed() -> None:
    async with theatre() as stage:
        stage.farm.set_fault("cam/a", "down")
        path = stage.folder / "clip.mp4"
        order = ClipOrder(clip_id="1", camera_id="a", path=str(path), after_s=1)
        await stage.video.record(order)
        await until(lambda: stage.told.clips, BACK_S)
        assert stage.told.clips[0].reason in ("unreachable", "ended", "stalled")
        assert not path.exists()
        stage.farm.set_fault("cam/a", None)
        await stage.video.record(msgspec.structs.replace(order, clip_id="2", after_s=60))
        await until(lambda: stage.video.state("a").state == "live", BACK_S)
        with structlog.testing.capture_logs():
            os.kill(stage.pid("a"), signal.SIGKILL)
            await until(lambda: len(stage.told.clips) == 2, BACK_S)
        assert stage.told.clips[1].reason == "worker_lost"
        assert not path.exists()


def command_lines_and_environments() -> bytes:
    found = b""
    for folder in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found += (folder / name).read_bytes()
            except OSError:
                continue
    return found


async def test_passwords_are_nowhere_to_be_seen(capfd: pytest.CaptureFixture[str]) -> None:
    async with theatre([FarmCamera(path="cam/a"), FarmCamera(path="cam/b", udp_only=True)]) as stage:
        password = stage.farm.source("cam/a").password
        assert password
        tiles = [Tile(), Tile()]
        for name, tile in zip("ab", tiles, strict=True):
            stage.video.watch(name, tile, h265=True)
        for tile in tiles:
            await stage.live(tile)
        shown = await asyncio.to_thread(command_lines_and_environments)
        assert password.encode() not in shown
        stage.farm.set_fault("cam/a", "lying_sdp")
        stage.farm.cut("cam/a")
        await asyncio.sleep(1.0)
        told = repr(stage.told) + str([tile.messages for tile in tiles]) + repr(stage.sources())
    out, err = capfd.readouterr()
    assert password not in out + err + told
