"""Clips from the wish to the file: what is kept, who may play it, and what stops it."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest
import pytest_asyncio
import structlog

from command.clock import rfc3339
from command.video_settings import ClipSettings
from streams.synthetic.farm import FarmCamera
from tests.command.api.registry import delete
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import Stage, open_stage
from tests.streams.theatre import BACK_S, decoded, quiet

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LONGEST_S = 600


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A service with three cameras and room for a few seconds of clips."""
    cameras = {
        "c1": FarmCamera(path="cam/1"),
        "c2": FarmCamera(path="cam/2", profile="h265"),
        "c3": FarmCamera(path="cam/3"),
    }
    clips = ClipSettings(most_gb=0.05, longest_s=LONGEST_S)
    folder = tmp_path_factory.mktemp("clips")
    async with open_stage(prepared, district, folder, cameras, clips=clips) as opened:
        yield opened


async def keep(
    stage: Stage, *cameras: str, username: str = "dispatcher", **more: Any
) -> list[dict[str, Any]]:
    """Begin clips of a few seconds."""
    body = {"camera_ids": list(cameras), "before_s": 10, "after_s": 1.5, **more}
    answer = await stage.centre.post(username, "/clips", body)
    assert answer.status_code == 201, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@asynccontextmanager
async def watched(stage: Stage, *cameras: str) -> AsyncIterator[None]:
    """Have cameras open, so that a short clip finds pictures however busy the machine is."""
    async with AsyncExitStack() as stack:
        for camera in cameras:
            screen = await stack.enter_async_context(stage.screen("dispatcher", camera))
            await screen.plays(2)
        yield


async def done(stage: Stage, clip_id: str) -> dict[str, Any]:
    """Wait until a clip is ready or has failed."""
    for _ in range(round(2 * BACK_S / 0.1)):
        clip: dict[str, Any] = (await stage.centre.get("dispatcher", f"/clips/{clip_id}")).json()
        if clip["state"] != "recording":
            return clip
        await quiet(0.1)
    raise AssertionError(clip)


def folder_of(stage: Stage, clip_id: str) -> Path:
    """Where a clip's files are."""
    return stage.services.video_desk.clips.folder_of(clip_id)


async def test_from_the_wish_to_the_timeline(stage: Stage) -> None:
    incident = await stage.centre.report()
    async with stage.screen("dispatcher", "c1") as screen:
        await screen.plays(30)
        (begun,) = await keep(stage, "c1", incident_id=incident["id"], note="肇事逃逸")
        assert (begun["state"], begun["files"], begun["size"]) == ("recording", [], 0)
        assert (begun["camera_name"], begun["created_by_name"]) == ("渡口街北", "调度席 沈知行")
        early = await stage.centre.get("dispatcher", f"/clips/{begun['id']}/video.mp4")
        error(early, 404, "not_found")
        clip = await done(stage, begun["id"])
    assert (clip["state"], clip["reason"], clip["note"]) == ("ready", None, "肇事逃逸")
    assert clip["duration_s"] > 3  # what was before the wish, and what came after it
    assert clip["started_at"] < clip["ended_at"]
    (file,) = clip["files"]

    path = f"/clips/{clip['id']}"
    video = await stage.centre.get("dispatcher", f"{path}/video.mp4")
    assert video.status_code == 200
    assert video.headers["content-type"] == "video/mp4"
    assert video.headers["cache-control"] == "private, no-store"
    assert len(video.content) == file["size"] == clip["size"]
    assert hashlib.sha256(video.content).hexdigest() == file["sha256"]
    (manifest,) = (await stage.centre.get("dispatcher", f"{path}/manifest")).json()["items"]
    assert decoded(video.content) == ("h264", manifest["frames"])
    assert (manifest["camera"], manifest["sha256"]) == ("c1", file["sha256"])
    assert (manifest["width"], manifest["height"], manifest["gaps"]) == (640, 360, [])
    with av.open(io.BytesIO(video.content)) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(clip["duration_s"], abs=0.5)

    # On the incident's timeline once, when it was there.
    (kept,) = stage.events("incident.clip_kept")
    assert (kept.data["clip_id"], kept.data["camera_id"]) == (clip["id"], "c1")
    assert (kept.data["start"], kept.data["end"]) == (clip["started_at"], clip["ended_at"])
    timeline = (await stage.centre.get("dispatcher", f"/incidents/{incident['id']}/timeline")).json()["items"]
    assert [entry["type"] for entry in timeline].count("incident.clip_kept") == 1
    listed = (await stage.centre.get("leader", "/clips", incident_id=incident["id"])).json()["items"]
    assert listed == [clip]
    audit = (await stage.centre.get("leader", "/audit")).json()["items"]
    assert next(entry["data"] for entry in audit if entry["action"] == "clip.begun") == {
        "camera": "c1",
        "incident": incident["id"],
    }

    # A player asks for a file in pieces: ranges are answered, and it is one viewing.
    client = await stage.centre.as_("supervisor")
    address = f"/api/v1{path}/video.mp4"
    piece = await client.get(address, headers={"range": "bytes=0-99"})
    assert (piece.status_code, piece.content) == (206, video.content[:100])
    assert piece.headers["content-range"] == f"bytes 0-99/{file['size']}"
    tail = await client.get(address, headers={"range": "bytes=-50"})
    assert (tail.status_code, tail.content) == (206, video.content[-50:])
    beyond = await client.get(address, headers={"range": f"bytes={file['size']}-"})
    assert beyond.status_code == 416
    error(await client.get(address, params={"part": 2}), 404, "not_found")
    rows = [row for row in await stage.viewings(incident_id=incident["id"]) if row["kind"] == "clip"]
    # Of the same moment: nothing says which was first.
    assert sorted(row["user_name"] for row in rows) == ["值班长 方以宁", "调度席 沈知行"]
    stage.centre.clock.advance(601)
    assert (await client.get(address, headers={"range": "bytes=0-99"})).status_code == 206
    rows = [row for row in await stage.viewings(incident_id=incident["id"]) if row["kind"] == "clip"]
    assert len(rows) == 3
    assert all(row["ended_at"] for row in rows)


async def test_several_cameras_at_once_and_pages_of_them(stage: Stage) -> None:
    async with watched(stage, "c2", "c3"):
        begun = await keep(stage, "c2", "c3", "c2", before_s=0)  # the same one twice is one clip
        assert [clip["camera_id"] for clip in begun] == ["c2", "c3"]
        clips = [await done(stage, clip["id"]) for clip in begun]
    assert [clip["state"] for clip in clips] == ["ready", "ready"]
    assert clips[0]["incident_id"] is None
    assert clips[0]["files"][0]["width"] == 640
    video = await stage.centre.get("leader", f"/clips/{clips[0]['id']}/video.mp4")
    assert decoded(video.content)[0] == "hevc"  # as it came, nothing encoded anew
    first = (await stage.centre.get("dispatcher", "/clips", limit=1)).json()
    rest = (await stage.centre.get("dispatcher", "/clips", limit=500, cursor=first["next"])).json()
    every = [clip["id"] for clip in first["items"] + rest["items"]]
    assert len(every) == len(set(every))
    assert {clip["id"] for clip in begun} < set(every)
    error(await stage.centre.get("dispatcher", "/clips", cursor="x"), 422, "malformed")
    only = (await stage.centre.get("dispatcher", "/clips", camera_id="c3")).json()["items"]
    assert {clip["camera_id"] for clip in only} == {"c3"}


async def test_what_one_may_not_see_is_not_there(stage: Stage) -> None:
    async with watched(stage, "c3"):
        (begun,) = await keep(stage, "c3", before_s=0)
        clip = await done(stage, begun["id"])
    paths = (f"/clips/{clip['id']}", f"/clips/{clip['id']}/video.mp4", f"/clips/{clip['id']}/manifest")
    for path in paths:
        for username in ("town", "police"):  # another township's
            error(await stage.centre.get(username, path), 404, "not_found")
        for username in ("operator", "dept", "worker", "admin"):  # without the right to look back
            error(await stage.centre.get(username, path), 403, "forbidden")
        assert (await stage.centre.get("police2", path)).status_code == 200
    for path in ("/clips/none", "/clips/none/video.mp4", "/clips/none/manifest"):
        error(await stage.centre.get("dispatcher", path), 404, "not_found")
    error(await stage.centre.get("dispatcher", "/clips/..%2f..%2fyiping.db/video.mp4"), 404, "not_found")
    assert (await stage.centre.get("town", "/clips", camera_id="c3")).json()["items"] == []
    hidden = await stage.centre.post("town", "/clips", {"camera_ids": ["c1", "c3"]})
    error(hidden, 404, "not_found")
    assert (await stage.centre.get("town", "/clips", camera_id="c1", limit=1)).json()["items"] == (
        (await stage.centre.get("dispatcher", "/clips", camera_id="c1", limit=1)).json()["items"]
    )
    error(await stage.centre.post("operator", "/clips", {"camera_ids": ["c1"]}), 403, "forbidden")
    error(await stage.centre.post("dispatcher", "/clips", {"camera_ids": ["none"]}), 404, "not_found")
    theirs = await stage.centre.report(grid="340604011001002")
    of_another = {"camera_ids": ["c1"], "incident_id": theirs["id"]}
    error(await stage.centre.post("town", "/clips", of_another), 404, "not_found")
    unknown = {"camera_ids": ["c1"], "incident_id": "none"}
    error(await stage.centre.post("dispatcher", "/clips", unknown), 404, "not_found")


async def test_what_is_too_long_or_too_much_is_refused(stage: Stage) -> None:
    count = len((await stage.centre.get("dispatcher", "/clips", limit=500)).json()["items"])

    async def refused(status: int, code: str, **body: Any) -> dict[str, Any]:
        return error(
            await stage.centre.post("dispatcher", "/clips", {"camera_ids": ["c1"], **body}), status, code
        )

    assert (await refused(422, "malformed", before_s=30, after_s=LONGEST_S))["field"] == "after_s"
    assert (await refused(422, "malformed", before_s=-1))["field"] == "before_s"
    assert (await refused(422, "malformed", camera_ids=[]))["field"] == "camera_ids"
    assert (await refused(422, "malformed", camera_ids=["c1"] * 17))["field"] == "camera_ids"
    assert (await refused(422, "malformed", note="a\x07"))["field"] == "note"
    # Four megabits a second of the fifty megabytes that are left for all of them.
    await refused(507, "storage_full", before_s=0, after_s=200)
    assert len((await stage.centre.get("dispatcher", "/clips", limit=500)).json()["items"]) == count


async def test_clips_under_way_count_for_what_may_be_taken(stage: Stage) -> None:
    """Nothing is there yet of a clip that was begun just now; its room is taken all the same."""
    body = {"camera_ids": ["c1", "c2", "c3"], "before_s": 0, "after_s": 50}
    answer = await stage.centre.post("dispatcher", "/clips", body)
    error(answer, 507, "storage_full")
    listed = (await stage.centre.get("dispatcher", "/clips")).json()["items"]
    assert [clip for clip in listed if clip["state"] == "recording"] == []  # none of them had begun
    (long,) = await keep(stage, "c1", before_s=0, after_s=70)
    error(await stage.centre.post("dispatcher", "/clips", body | {"camera_ids": ["c2"]}), 507, "storage_full")
    await stage.centre.post("admin", "/cameras/c1/enabled", {"enabled": False})
    os.kill(stage.services.video._staff.place("c1").pid or 0, signal.SIGKILL)
    assert (await done(stage, long["id"]))["reason"] == "worker_lost"
    await stage.centre.post("admin", "/cameras/c1/enabled", {"enabled": True})
    await stage.ready()
    async with watched(stage, "c2"):
        (short,) = await keep(stage, "c2", before_s=0)
        assert (await done(stage, short["id"]))["state"] == "ready"


async def test_one_that_cannot_begin_does_not_hide_those_that_do(stage: Stage) -> None:
    made = await stage.centre.post("admin", "/cameras", {"name": "未接入", "lon": 116.8151, "lat": 33.9052})
    camera = made.json()["id"]
    async with watched(stage, "c1"):
        one, other = await keep(stage, "c1", camera, before_s=0)
        assert (one["state"], other["state"], other["reason"]) == ("recording", "failed", "no_such_camera")
        assert not folder_of(stage, other["id"]).exists()
        assert (await done(stage, one["id"]))["state"] == "ready"
    alone = await stage.centre.post("dispatcher", "/clips", {"camera_ids": [camera], "after_s": 1})
    error(alone, 404, "no_such_camera")


async def test_a_camera_without_a_picture_gives_no_clip(stage: Stage) -> None:
    stage.fault("c3", "down")
    incident = await stage.centre.report()
    (begun,) = await keep(stage, "c3", before_s=0, incident_id=incident["id"])
    clip = await done(stage, begun["id"])
    assert clip["state"] == "failed"
    assert clip["reason"] in ("unreachable", "ended", "stalled")
    assert (clip["files"], clip["size"]) == ([], 0)
    assert not folder_of(stage, clip["id"]).exists()
    error(await stage.centre.get("dispatcher", f"/clips/{clip['id']}/video.mp4"), 404, "not_found")
    stage.fault("c3", None)
    timeline = (await stage.centre.get("dispatcher", f"/incidents/{incident['id']}/timeline")).json()["items"]
    assert "incident.clip_kept" not in [entry["type"] for entry in timeline]


async def test_a_camera_cut_in_between_leaves_a_named_gap(stage: Stage) -> None:
    async with stage.screen("dispatcher", "c3") as screen:
        await screen.plays(15)
        (begun,) = await keep(stage, "c3", after_s=7)
        stage.fault("c3", "down")
        await screen.says("lost")
        await quiet(1.5)
        stage.fault("c3", None)
        await screen.plays(15)
        clip = await done(stage, begun["id"])
    assert clip["state"] == "ready"
    (manifest,) = (await stage.centre.get("dispatcher", f"/clips/{clip['id']}/manifest")).json()["items"]
    assert manifest["gaps"]
    video = await stage.centre.get("dispatcher", f"/clips/{clip['id']}/video.mp4")
    assert decoded(video.content) == ("h264", manifest["frames"])


async def test_a_camera_that_is_removed_keeps_its_clips_for_the_desk(stage: Stage) -> None:
    camera = await stage.add("cam/1", name="拆除点位")
    (begun,) = await keep(stage, camera, before_s=0, after_s=60)
    async with stage.screen("dispatcher", camera) as screen:
        await screen.plays(20)
    assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200
    clip = await done(stage, begun["id"])  # what there was of it is completed
    assert (clip["state"], clip["camera_name"]) == ("ready", camera)
    assert (await stage.centre.get("leader", f"/clips/{clip['id']}/video.mp4")).status_code == 200
    error(await stage.centre.get("town", f"/clips/{clip['id']}"), 404, "not_found")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Put a file system of a few kilobytes in a folder's place."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_fails_the_clip_and_leaves_nothing(stage: Stage) -> None:
    async with stage.screen("dispatcher", "c1") as screen:
        await screen.plays(20)
        with structlog.testing.capture_logs() as logs, small_disk(folder_of(stage, "x").parent):
            (begun,) = await keep(stage, "c1")
            clip = await done(stage, begun["id"])
            assert (clip["state"], clip["reason"], clip["files"]) == ("failed", "disk_full", [])
            assert not folder_of(stage, clip["id"]).exists()
        assert [entry["reason"] for entry in logs if entry["event"] == "clip failed"] == ["disk_full"]
        await screen.plays()  # whoever watches notices nothing
        (begun,) = await keep(stage, "c1", before_s=0)
        clip = await done(stage, begun["id"])
        assert (clip["state"], clip["reason"]) == ("ready", None)


async def test_old_clips_go_with_their_files(stage: Stage) -> None:
    """Last: everything so far is old by then."""
    desk = stage.services.video_desk
    files = sorted(path for path in folder_of(stage, "x").parent.rglob("*") if path.is_file())
    assert files
    now = stage.centre.clock.now()
    assert await desk.purge(rfc3339(now)) == 0
    taken = await desk.clips.taken_bytes()
    assert taken == sum(path.stat().st_size for path in files if path.suffix == ".mp4")
    oldest = rfc3339(now + timedelta(seconds=1))
    assert await desk.clips.purge(oldest) > 0
    assert [path for path in files if path.exists()] == []
    assert (await stage.centre.get("dispatcher", "/clips")).json()["items"] == []
    assert await desk.clips.taken_bytes() == 0
