"""The list of clips and their folders: begun, finished, failed, interrupted, purged."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command.clock import ManualClock, rfc3339
from command.errors import StorageFull, Unavailable
from command.store.clips import INTERRUPTED, Clip, Clips
from command.store.database import Database
from command.store.migrate import upgrade
from streams.clips import ClipDone, ClipManifest, write_manifest
from tests.command.world import START

FROM = datetime(2026, 11, 22, 2, 59, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "test.db")
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def clips(database: Database, tmp_path: Path, clock: ManualClock) -> Clips:
    return Clips(database, tmp_path / "video" / "clips", clock)


def wish(clip_id: str, clock: ManualClock, camera_id: str = "c1", incident_id: str | None = "i1") -> Clip:
    return Clip(
        id=clip_id,
        camera_id=camera_id,
        incident_id=incident_id,
        state="recording",
        reason=None,
        note="",
        created_by="u1",
        created_by_name="沈知行",
        created_at=rfc3339(clock.now()),
        started_at=None,
        ended_at=None,
        size=0,
        manifests=(),
    )


def file(path: Path, part: int = 1, content: bytes = b"pictures") -> ClipManifest:
    """Write a complete file with its manifest."""
    path.write_bytes(content)
    manifest = ClipManifest(
        camera="c1",
        file=path.name,
        part=part,
        from_=FROM + timedelta(seconds=10 * part),
        to=FROM + timedelta(seconds=10 * part + 9),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        codec="avc1.64001f",
        width=640,
        height=360,
        frames=100,
        duration_s=9.0,
        gaps=(),
    )
    write_manifest(path, manifest)
    return manifest


async def test_a_clip_is_ready_with_all_its_files(clips: Clips, clock: ManualClock) -> None:
    path = await clips.begin(wish("k1", clock))
    assert path == clips.folder_of("k1") / "clip.mp4"
    assert path.parent.is_dir()
    assert await clips.taken_bytes() == 0
    manifests = (file(path), file(path.with_name("clip-2.mp4"), 2, b"more"))
    done = await clips.finish(ClipDone(clip_id="k1", camera_id="c1", manifests=manifests))
    assert done is not None
    assert (done.state, done.reason, done.size) == ("ready", None, 12)
    assert (done.started_at, done.ended_at) == (rfc3339(manifests[0].from_), rfc3339(manifests[1].to))
    assert done.manifests == manifests
    assert await clips.get("k1") == done
    assert await clips.taken_bytes() == 12
    # Said again, or too late, it changes nothing.
    late = await clips.finish(ClipDone(clip_id="k1", camera_id="c1", manifests=manifests[:1]))
    assert late == done
    assert await clips.finish(ClipDone(clip_id="none", camera_id="c1", reason="ended")) is None


async def test_a_failed_clip_leaves_no_folder(clips: Clips, clock: ManualClock) -> None:
    path = await clips.begin(wish("k1", clock))
    path.with_name("clip.mp4.part").write_bytes(b"x")
    done = await clips.finish(ClipDone(clip_id="k1", camera_id="c1", reason="disk_full", detail="full"))
    assert done is not None
    assert (done.state, done.reason, done.size, done.manifests) == ("failed", "disk_full", 0, ())
    assert not path.parent.exists()


async def test_what_a_dead_process_was_writing_is_settled(clips: Clips, clock: ManualClock) -> None:
    kept = file(await clips.begin(wish("done", clock)))
    await clips.finish(ClipDone(clip_id="done", camera_id="c1", manifests=(kept,)))
    unfinished = await clips.begin(wish("unfinished", clock))
    unfinished.with_name("clip.mp4.part").write_bytes(b"12345")
    await clips.begin(wish("nothing", clock))
    finished = await clips.begin(wish("finished", clock))
    first = file(finished)
    finished.with_name("clip-2.mp4.part").write_bytes(b"12345")
    changed = await clips.begin(wish("changed", clock))
    file(changed)
    changed.write_bytes(b"something else")
    clock.advance(60)
    settled = {clip.id: clip for clip in await clips.interrupt_all()}
    assert set(settled) == {"unfinished", "nothing", "finished", "changed"}
    assert {clip.reason for clip in settled.values()} == {INTERRUPTED}
    assert {key: clip.state for key, clip in settled.items()} == {
        "unfinished": "failed",
        "nothing": "failed",
        "finished": "ready",
        "changed": "failed",
    }
    # A file that was complete is evidence; what was not stays to be looked at, and is counted.
    assert settled["finished"].manifests == (first,)
    assert settled["finished"].ended_at == rfc3339(first.to)
    assert settled["unfinished"].ended_at == "2026-11-22T03:01:00.000Z"
    assert {key: clip.size for key, clip in settled.items()} == {
        "unfinished": 5,
        "nothing": 0,
        "finished": 13,
        "changed": 14,
    }
    assert unfinished.with_name("clip.mp4.part").exists()
    assert await clips.interrupt_all() == []


async def test_pages_and_filters(clips: Clips, clock: ManualClock) -> None:
    for number in range(7):
        if number % 3 == 0:
            clock.advance(1)  # several begin in one moment
        camera = f"c{number % 2}"
        await clips.begin(wish(f"k{number}", clock, camera, "i1" if number < 4 else None))
    every = [clip.id for clip in await clips.list()]
    assert every == ["k6", "k5", "k4", "k3", "k2", "k1", "k0"]
    seen: list[str] = []
    before = None
    while page := await clips.list(before=before, limit=2):
        seen += [clip.id for clip in page]
        before = (page[-1].created_at, page[-1].id)
    assert seen == every
    assert [clip.id for clip in await clips.list(incident_id="i1", camera_id="c1")] == ["k3", "k1"]


async def test_old_ones_go_with_their_files(clips: Clips, clock: ManualClock) -> None:
    old = file(await clips.begin(wish("old", clock)))
    await clips.finish(ClipDone(clip_id="old", camera_id="c1", manifests=(old,)))
    gone = await clips.begin(wish("gone", clock))
    gone.parent.rmdir()  # somebody cleared up by hand
    clock.advance(3600)
    new = file(await clips.begin(wish("new", clock)))
    await clips.finish(ClipDone(clip_id="new", camera_id="c1", manifests=(new,)))
    assert await clips.purge(rfc3339(START - timedelta(seconds=1))) == 0
    assert await clips.purge(rfc3339(clock.now())) == 2
    assert not clips.folder_of("old").exists()
    assert clips.folder_of("new").exists()
    assert [clip.id for clip in await clips.list()] == ["new"]
    assert await clips.taken_bytes() == new.size
    assert await clips.purge(rfc3339(clock.now())) == 0


async def test_a_clip_cannot_be_begun_twice(clips: Clips, clock: ManualClock) -> None:
    await clips.begin(wish("k1", clock))
    with pytest.raises(Unavailable):
        await clips.begin(replace(wish("k1", clock), camera_id="c2"))
    (one,) = await clips.list()
    assert one.camera_id == "c1"
    assert clips.folder_of("k1").is_dir()


async def test_without_room_nothing_is_begun(
    clips: Clips, clock: ManualClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def full(*_: object) -> None:
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", no_room)
        with pytest.raises(StorageFull):
            await clips.begin(wish("k1", clock))
    with monkeypatch.context() as patch:
        patch.setattr(database, "write", full)
        with pytest.raises(StorageFull):
            await clips.begin(wish("k2", clock))
    assert await clips.list() == []
    assert not clips.folder_of("k2").exists()
