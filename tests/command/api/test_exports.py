"""Copies of clips to give away: whose they are, what they bear, and that nobody else gets them."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio

from command.district import District
from streams.clips import hash_file
from streams.synthetic.farm import FarmCamera
from tests.command.api.test_clips import done, keep, watched
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import Stage, open_stage
from tests.fixtures import Keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("exports")
    async with open_stage(prepared, district, folder, {"c1": FarmCamera(path="cam/1")}) as opened:
        yield opened


async def wish(stage: Stage, role: str, path: str, purpose: str) -> Any:
    """Ask for a copy."""
    client = await stage.centre.as_(role)
    return await client.post(f"/api/v1{path}", json={"purpose": purpose})


async def exported(stage: Stage, role: str, path: str) -> dict[str, Any]:
    """Wait until an export is ready or has failed."""
    for _ in range(1_200):
        found: dict[str, Any] = (await stage.centre.get(role, path)).json()
        if found["state"] != "working":
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_a_copy_bears_its_purpose_and_is_only_for_whoever_asked(stage: Stage) -> None:
    async with watched(stage, "c1"):
        (begun,) = await keep(stage, "c1", before_s=2, after_s=1)
        clip = await done(stage, begun["id"])
    path = f"/clips/{clip['id']}"
    client = await stage.centre.as_("dispatcher")
    asked = {"purpose": "移交交警事故科"}
    headers = {"Idempotency-Key": "once"}
    answer = await client.post(f"/api/v1{path}/export", json=asked, headers=headers)
    assert answer.status_code == 202, answer.text
    again = await client.post(f"/api/v1{path}/export", json=asked, headers=headers)
    assert again.json()["export_id"] == answer.json()["export_id"], "the same wish is not a second copy"
    other = await client.post(f"/api/v1{path}/export", json={"purpose": "另一件事"}, headers=headers)
    error(other, 409, "idempotency_reuse")
    at = f"{path}/exports/{answer.json()['export_id']}"

    made = await exported(stage, "dispatcher", at)
    assert (made["state"], made["share"], made["reason"]) == ("ready", 1.0, None)
    video = await client.get(f"/api/v1{at}/video.mp4")
    assert video.headers["content-disposition"].startswith("attachment")
    file = next(stage.services.video_desk.clips.folder_of(clip["id"]).glob("exports/*.mp4"))
    assert hash_file(file) == (made["sha256"], made["size"])
    assert file.read_bytes() == video.content

    original = await client.get(f"/api/v1{path}/video.mp4")
    with av.open(io.BytesIO(video.content)) as copy, av.open(io.BytesIO(original.content)) as source:
        bears = next(copy.decode(video=0)).to_ndarray(format="gray").astype(int)
        bare = next(source.decode(video=0)).to_ndarray(format="gray").astype(int)
    height = min(bears.shape[0], bare.shape[0])
    assert abs(bears[:height] - bare[:height]).max() > 80, "letters stand in the picture"

    # It bears a name: nobody else gets it, and it is on record with its purpose.
    error(await stage.centre.get("supervisor", at), 404, "not_found")
    error(await stage.centre.get("supervisor", f"{at}/video.mp4"), 404, "not_found")
    (row,) = [row for row in await stage.viewings() if row["kind"] == "export"]
    assert (row["purpose"], row["user_name"]) == ("移交交警事故科", "调度席 沈知行")
    entries = (await stage.centre.get("leader", "/audit")).json()["items"]
    assert [entry["purpose"] for entry in entries if entry["action"] == "clip.exported"] == ["移交交警事故科"]


async def test_what_cannot_be_exported_says_so(stage: Stage) -> None:
    error(await wish(stage, "dispatcher", "/clips/k_none/export", "没有这段"), 404, "not_found")
    async with watched(stage, "c1"):
        (begun,) = await keep(stage, "c1", before_s=0, after_s=1)
        early = await wish(stage, "dispatcher", f"/clips/{begun['id']}/export", "还没写完")
        error(early, 404, "not_found")
        clip = await done(stage, begun["id"])
    path = f"/clips/{clip['id']}"
    error(await wish(stage, "dispatcher", f"{path}/export", "x"), 422, "malformed")
    error(await wish(stage, "worker", f"{path}/export", "无权之人"), 403, "forbidden")
    folder = stage.services.video_desk.clips.folder_of(clip["id"])
    video = folder / clip["manifests"][0]["file"] if "manifests" in clip else folder / "clip.mp4"
    shutil.copyfile(video, video.with_suffix(".bak"))
    video.write_bytes(video.read_bytes()[:-100])
    answer = await wish(stage, "dispatcher", f"{path}/export", "被改过的文件")
    made = await exported(stage, "dispatcher", f"{path}/exports/{answer.json()['export_id']}")
    assert made["state"] == "failed", "a file that is not what its manifest says is not given away"
    assert not list(folder.glob("exports/*.mp4"))
