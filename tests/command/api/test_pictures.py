"""Snapshots, thumbnails and verdicts: what is shown, to whom, and what it makes of the board."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from PIL import Image
from websockets.asyncio.client import connect

from command.accounts.access import Role
from command.cameras import Camera
from command.clock import parse_rfc3339
from command.events import SYSTEM
from streams.source import Source
from streams.synthetic.farm import FarmCamera
from tests.command.api.registry import PLACE, delete, put
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import Stage, open_stage
from tests.fixtures import G3
from tests.streams.theatre import BACK_S, quiet
from tests.streams.waiting import until

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A service with three cameras, and a recorder that serves one session at a time."""
    cameras = {name: FarmCamera(path=f"cam/{name}") for name in ("c1", "c2", "c3")}
    recorder = [FarmCamera(path=f"nvr/{number}", recorder="nvr") for number in (1, 2)]
    folder = tmp_path_factory.mktemp("pictures")
    async with open_stage(prepared, district, folder, cameras, recorder, recorder_sessions=1) as opened:
        yield opened


def picture(answer: httpx2.Response) -> tuple[tuple[int, int], datetime]:
    """The size of a JPEG answer, and when it says it was taken."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.format == "JPEG"
        return image.size, parse_rfc3339(answer.headers["x-taken-at"])


def brightness(answer: httpx2.Response) -> float:
    """How bright a JPEG answer is, 0 to 255."""
    with Image.open(io.BytesIO(answer.content)) as image:
        histogram = image.convert("L").histogram()
    return sum(value * count for value, count in enumerate(histogram)) / sum(histogram)


async def check(stage: Stage, camera_id: str, times: int = 1) -> dict[str, Any]:
    """Have a camera looked at; the last report."""
    report: dict[str, Any] = {}
    for _ in range(times):
        answer = await stage.centre.post("operator", f"/cameras/{camera_id}/check")
        while answer.status_code == 404:  # registered just now: not every process knows it yet
            await quiet(0.05)
            answer = await stage.centre.post("operator", f"/cameras/{camera_id}/check")
        assert answer.status_code == 200, answer.text
        report = answer.json()
    return report


async def becomes(stage: Stage, camera_id: str, status: str, fault: str | None) -> None:
    """Wait until the board says how a camera is."""
    board = stage.centre.core.board.cameras
    await until(lambda: (board[camera_id].status, board[camera_id].fault) == (status, fault), BACK_S)


async def test_a_snapshot_is_taken_now_and_written_down(stage: Stage) -> None:
    incident = await stage.centre.report()
    asked = datetime.now(UTC)
    answer = await stage.centre.get("town", "/cameras/c1/snapshot.jpg", incident_id=incident["id"])
    size, taken_at = picture(answer)
    assert size == (640, 360)
    assert abs(taken_at - asked) < timedelta(seconds=BACK_S)
    assert brightness(answer) > 60
    (row,) = await stage.viewings(incident_id=incident["id"])
    assert (row["kind"], row["purpose"], row["camera_id"]) == ("snapshot", "snapshot", "c1")
    assert row["user_name"] == "三桥镇 指挥室"
    assert row["ended_at"] == row["started_at"]
    # One that is watched is not opened a second time.
    async with stage.screen("dispatcher", "c1") as screen:
        await screen.plays()
        served = stage.farm.server.served
        picture(await stage.centre.get("dispatcher", "/cameras/c1/snapshot.jpg"))
        assert stage.farm.server.served == served


async def test_from_the_first_look_to_a_false_alarm(stage: Stage) -> None:
    base = "/cameras/c2"
    nothing = await stage.centre.get("operator", f"{base}/thumbnail.jpg")
    assert (nothing.status_code, nothing.content) == (204, b"")
    error(await stage.centre.get("operator", f"{base}/health/picture.jpg"), 404, "not_found")
    error(await stage.centre.get("operator", f"{base}/health/reference.jpg"), 404, "not_found")
    address = f"ws://127.0.0.1:{stage.port}/api/v1/feed"
    headers = {"cookie": await stage.cookie("dispatcher")}
    async with connect(address, additional_headers=headers, proxy=None) as feed:
        await feed.send('{"type":"hello","protocol":1,"topics":["cameras"]}')

        async def told(type: str) -> Mapping[str, Any]:
            while True:
                frame = msgspec.json.decode(await feed.recv())
                if frame["frame"] == "event" and frame["type"] == type:
                    found: Mapping[str, Any] = frame["data"]["changes"]["cameras"]["c2"]
                    return found

        report = await check(stage, "c2")
        assert (report["status"], report["fault"], report["light"]) == ("live", None, "day")
        assert report["measures"]
        assert (await told("camera.health_changed"))["status"] == "live"
        size, taken_at = picture(await stage.centre.get("operator", f"{base}/thumbnail.jpg"))
        assert size == (320, 180)
        assert abs(taken_at - datetime.now(UTC)) < timedelta(seconds=2 * BACK_S)
        await check(stage, "c2", 2)
        good = await stage.centre.get("operator", f"{base}/health/reference.jpg")
        picture(good)

        stage.fault("c2", "black")
        report = await check(stage, "c2")
        assert (report["status"], report["suspected"]) == ("live", "black")  # one look is not believed
        assert stage.centre.core.board.cameras["c2"].status == "live"
        report = await check(stage, "c2")
        assert (report["status"], report["fault"]) == ("degraded", "black")
        entity = await told("camera.health_changed")
        assert (entity["status"], entity["fault"]) == ("degraded", "black")
        assert entity["fault_since"]

        listed = (await stage.centre.get("dispatcher", "/cameras/faults")).json()["items"]
        (row,) = [row for row in listed if row["camera"]["id"] == "c2"]
        assert (row["fault"], row["has_reference"]) == ("black", report["has_reference"])
        assert row["measures"] == report["measures"]
        assert row["since"] == entity["fault_since"]
        shown = await stage.centre.get("dispatcher", f"{base}/health/picture.jpg")
        assert brightness(shown) < 30 < brightness(good)
        reference = await stage.centre.get("dispatcher", f"{base}/health/reference.jpg")
        assert brightness(reference) > 60
        error(
            await stage.centre.get("dispatcher", f"{base}/health/reference.jpg", light="ir"), 404, "not_found"
        )

        # It comes back, but turned aside, and a person says that this is how it should look.
        stage.fault("c2", "moved")
        assert (await check(stage, "c2", 4))["fault"] == "moved"
        while (await told("camera.health_changed"))["fault"] != "moved":
            pass
        accepted = await stage.centre.post("dispatcher", f"{base}/false_alarm")
        assert accepted.status_code == 200, accepted.text
        assert (accepted.json()["status"], accepted.json()["fault"]) == ("live", None)
        await told("camera.false_alarm")
    assert not [
        row
        for row in (await stage.centre.get("dispatcher", "/cameras/faults")).json()["items"]
        if row["camera"]["id"] == "c2"
    ]
    assert (await check(stage, "c2", 3))["status"] == "live"
    types = [
        event.type for event in stage.centre.core.log.after(0) if "c2" in event.changes.get("cameras", {})
    ]
    assert types.count("camera.false_alarm") == 1
    assert types[-2:] == ["camera.health_changed", "camera.false_alarm"]
    said = stage.events("camera.false_alarm")[-1]
    assert (said.data["actor"]["name"], said.data["fault"]) == ("调度席 沈知行", "moved")
    again = await stage.centre.post("dispatcher", f"{base}/false_alarm")
    error(again, 409, "illegal_transition")
    stage.fault("c2", None)


async def test_a_camera_that_is_down_is_found_and_found_again(stage: Stage) -> None:
    await check(stage, "c3")
    await becomes(stage, "c3", "live", None)
    stage.fault("c3", "down")
    report = await check(stage, "c3", 2)
    assert (report["status"], report["fault"], report["measures"]) == ("offline", "signal_lost", {})
    assert report["reason"] in ("unreachable", "ended", "stalled")
    await becomes(stage, "c3", "offline", "signal_lost")
    answer = await stage.centre.get("dispatcher", "/cameras/c3/snapshot.jpg")
    error(answer, 503, report["reason"])
    assert answer.headers["retry-after"]
    # The last picture there was is still there, and says how old it is.
    picture(await stage.centre.get("dispatcher", "/cameras/c3/thumbnail.jpg"))
    error(await stage.centre.post("dispatcher", "/cameras/c3/false_alarm"), 503, report["reason"])
    assert stage.centre.core.board.cameras["c3"].status == "offline"
    stage.fault("c3", None)
    assert (await check(stage, "c3", 2))["status"] == "live"
    await becomes(stage, "c3", "live", None)


async def test_reasons_are_said_and_secrets_are_not(stage: Stage) -> None:
    password = stage.farm.source("cam/c1").password
    assert password
    texts: list[str] = []

    async def refused(camera: str, status: int, code: str) -> None:
        answer = await stage.centre.get("dispatcher", f"/cameras/{camera}/snapshot.jpg")
        texts.append(error(answer, status, code)["detail"])

    async def registered(name: str, source: Source) -> str:
        camera = Camera(id=name, name=name, **PLACE, grid=G3, ptz=True)
        await stage.centre.core.operations.cameras.register(SYSTEM, [camera], sources={name: source})
        await check(stage, name)
        return name

    other = await stage.add("cam/c1", name="错口令")
    await stage.give(other, "cam/c1", password="not-the-password")
    await stage.known(other)
    while (await check(stage, other))["fault"] != "unauthorized":  # until the processes know the new one
        await quiet(0.05)
    await refused(other, 503, "unauthorized")
    report = await check(stage, other)
    texts.append(str(report))
    assert (report["status"], report["reason"]) == ("offline", "unauthorized")

    outside = Source(protocol="rtsp", host="192.0.2.7", path="x", username="u", password=password)
    await registered("outside", outside)
    await refused("outside", 422, "not_allowed")
    gone = Source(protocol="rtsp", host="127.0.0.1", port=1, path="x", username="u", password=password)
    await registered("gone", gone)
    await refused("gone", 503, "unreachable")
    invited = Source(protocol="gb28181", device_id="3" * 20, channel_id="4" * 20)
    await registered("invited", invited)
    await refused("invited", 422, "unsupported")
    await refused("none", 404, "not_found")

    # A recorder with one session that somebody else has.
    first, second = await stage.add("nvr/1", name="录像机一"), await stage.add("nvr/2", name="录像机二")
    await check(stage, first)
    async with stage.screen("dispatcher", first) as screen:
        await screen.plays()
        report = await check(stage, second)
        assert (report["status"], report["reason"]) == ("unknown", "busy")  # not its fault
        await refused(second, 503, "busy")
    await stage.centre.post("admin", f"/cameras/{first}/enabled", {"enabled": False})
    await until(lambda: not stage.services.video._staff.cameras[first].enabled, BACK_S)
    await until(lambda: stage.sessions(first) == 0, BACK_S)

    # What moves, and what does not.
    still = await stage.centre.post("dispatcher", "/cameras/c1/ptz", {"action": "move", "pan": 1})
    assert error(still, 422, "malformed")["field"] == "camera_id"
    deaf = await stage.centre.post("dispatcher", "/cameras/gone/ptz", {"action": "move", "pan": 1})
    texts.append(error(deaf, 422, "unsupported")["detail"])
    texts.append(
        error(await stage.centre.get("dispatcher", "/cameras/gone/presets"), 422, "unsupported")["detail"]
    )
    unsaid = await stage.centre.post("dispatcher", "/cameras/gone/ptz", {"action": "preset"})
    assert error(unsaid, 422, "malformed")["field"] == "preset"
    for body, field in (
        ({"action": "move", "pan": 2}, "pan"),
        ({"action": "jump"}, "action"),
        ({}, "action"),
    ):
        bad = await stage.centre.post("dispatcher", "/cameras/gone/ptz", body)
        assert error(bad, 422, "malformed")["field"] == field
    error(await stage.centre.post("operator", "/cameras/gone/ptz", {"action": "stop"}), 403, "forbidden")
    for start, end in (
        ("2026-11-22T03:00:00Z", "2026-11-22T02:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-11-22T02:00:00Z"),
    ):
        asked = await stage.centre.get("dispatcher", "/cameras/c1/records", start=start, end=end)
        assert error(asked, 422, "malformed")["field"] == "end"
    asked = await stage.centre.get(
        "dispatcher", "/cameras/c1/records", start="2026-11-22T01:00:00Z", end="2026-11-22T02:00:00Z"
    )
    texts.append(error(asked, 422, "unsupported")["detail"])
    assert not [text for text in texts if password in text or "not-the-password" in text]
    for camera in (other, first, second, "outside", "gone", "invited"):
        assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200


async def test_a_camera_switched_off_is_not_looked_at(stage: Stage) -> None:
    camera = await stage.add("cam/c1", name="停用点位")
    switch = await stage.centre.post("admin", f"/cameras/{camera}/enabled", {"enabled": False})
    assert switch.json()["status"] == "disabled"
    async with stage.screen("dispatcher", camera) as screen:
        await screen.says("refused")
        assert screen.reason == "disabled"
    while (await stage.centre.post("dispatcher", f"/cameras/{camera}/check")).status_code != 404:
        await quiet(0.05)  # until the processes know
    answer = await stage.centre.get("dispatcher", f"/cameras/{camera}/snapshot.jpg")
    assert error(answer, 404, "no_such_camera")
    assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200


async def test_keeping_the_registry_is_no_leave_to_look(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A centre may make a role that enters every camera and watches only those of its own bureau."""
    access = stage.centre.core.parts.access
    scopes = {**access.roles["dept"].scopes, "camera.manage": "all", "video.manage": "own"}
    role = Role(id="dept", name="部门", scopes=scopes)
    monkeypatch.setitem(access.roles, "dept", role)  # type: ignore[arg-type]
    assert (await stage.centre.get("dept", "/cameras/c1")).status_code == 200
    for path in ("snapshot.jpg", "thumbnail.jpg", "health/picture.jpg", "health/reference.jpg"):
        error(await stage.centre.get("dept", f"/cameras/c1/{path}"), 403, "forbidden")
    for command in ("check", "false_alarm"):
        error(await stage.centre.post("dept", f"/cameras/c1/{command}"), 403, "forbidden")
    assert await stage.refused("dept", "c1") == (4004, "no such camera")
    picture(await stage.centre.get("dept", "/cameras/c2/snapshot.jpg"))
    changed = await put(stage.centre, "dept", "/cameras/c1", {"name": "渡口街北"})
    assert changed.status_code == 200
