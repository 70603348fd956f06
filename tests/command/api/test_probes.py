"""Trying cameras before they are registered, and turning them after: by RTSP and ONVIF, through the service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio

from streams.onvif.simulated import SimulatedOnvif, SimulatedProfile
from streams.synthetic.farm import Farm, FarmCamera
from streams.synthetic.head import Head
from tests.command.api.registry import put
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import Stage, open_stage
from tests.faults.serving import free_port
from tests.streams.theatre import BACK_S
from tests.streams.waiting import until

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A service with one camera, and others it has not heard of."""
    more = [
        FarmCamera(path="cam/2", profile="h265"),
        FarmCamera(path="cam/3", udp_only=True),
        FarmCamera(path="cam/4", profile="h264_audio"),
        FarmCamera(path="cam/5"),
    ]
    folder = tmp_path_factory.mktemp("probes")
    async with open_stage(prepared, district, folder, {"c1": FarmCamera(path="cam/1")}, more) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def device(stage: Stage) -> AsyncIterator[SimulatedOnvif]:
    """A device that says what it is and turns; the same account as the cameras have."""
    profiles = [
        SimulatedProfile("main", "主码流", "cam/1", head=Head(time.time)),
        SimulatedProfile("sub", "子码流", "cam/2", codec="H265"),
    ]
    source = stage.farm.source("cam/1")
    served = SimulatedOnvif(
        profiles, rtsp_port=stage.farm.port, username=source.username, password=source.password or ""
    )
    await served.start()
    yield served
    await served.stop()


async def probe(
    stage: Stage, path: str = "cam/1", camera_id: str | None = None, **changes: Any
) -> httpx2.Response:
    """Try a source of the farm with changes."""
    body: dict[str, Any] = {"source": {**stage.source(path), **changes}}
    if camera_id is not None:
        body["camera_id"] = camera_id
    return await stage.centre.post("admin", "/cameras/probe", body)


async def found(
    stage: Stage, path: str = "cam/1", camera_id: str | None = None, **changes: Any
) -> dict[str, Any]:
    """The answer of a try that could be made."""
    answer = await probe(stage, path, camera_id, **changes)
    assert answer.status_code == 200, answer.text
    assert str(stage.farm.source("cam/1").password) not in answer.text
    read: dict[str, Any] = answer.json()
    return read


async def test_what_comes_is_said(stage: Stage) -> None:
    plain = await found(stage)
    assert (plain["ok"], plain["codec"], plain["width"], plain["height"]) == (True, "h264", 640, 360)
    assert (plain["audio"], plain["reason"], plain["detail"]) == (None, None, None)
    newer = await found(stage, "cam/2")
    assert (newer["ok"], newer["codec"]) == (True, "h265")
    assert (await found(stage, "cam/4"))["audio"] == "aac"
    by_udp = await found(stage, "cam/3")
    assert (by_udp["ok"], by_udp["codec"]) == (True, "h264")
    await until(lambda: stage.farm.sessions() == 0, BACK_S)
    audit = (await stage.centre.get("leader", "/audit")).json()["items"]
    tries = [entry for entry in audit if entry["action"] == "camera.probed"]
    assert len(tries) == 4
    assert tries[0]["object"] == "host:127.0.0.1"
    assert tries[0]["data"] == {"ok": True}
    assert not await stage.viewings(limit=1)  # no picture was shown


async def test_why_nothing_comes_is_said(stage: Stage) -> None:
    wrong = await found(stage, password="not-the-password")
    assert (wrong["ok"], wrong["reason"], wrong["codec"]) == (False, "unauthorized", None)
    assert "not-the-password" not in str(wrong)
    assert (await found(stage, password=None))["reason"] == "unauthorized"
    closed = await found(stage, port=free_port())
    assert (closed["ok"], closed["reason"]) == (False, "unreachable")
    absent = await found(stage, path="cam/none")
    assert (absent["ok"], absent["reason"]) == (False, "unreachable")
    stage.farm.set_fault("cam/5", "stall")
    stalled = await found(stage, "cam/5")
    assert (stalled["ok"], stalled["reason"]) == (False, "stalled")
    stage.farm.set_fault("cam/5", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "192.0.2.7"}, "source.host"),
        ({"host": "0.0.0.0"}, "source.host"),
        ({"host": "::ffff:192.0.2.7"}, "source.host"),
        ({"host": "localhost/x@192.0.2.7"}, "source.host"),
        ({"host": ""}, "source.host"),
        (
            {"protocol": "file", "host": "", "username": None, "password": None, "path": "/etc/passwd"},
            "source.protocol",
        ),
        ({"protocol": "hls"}, "source.protocol"),
        ({"protocol": "gopher"}, "source.protocol"),
        ({"path": "a\r\nAuthorization: x"}, "source.path"),
        ({"port": 70_000}, "source.port"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_may_not_be_opened_is_not_tried(stage: Stage, changes: dict[str, Any], field: str) -> None:
    answer = await probe(stage, **changes)
    assert error(answer, 422, "malformed")["field"] == field
    assert str(stage.farm.source("cam/1").password) not in answer.text


async def test_the_kept_password_goes_only_where_it_is_kept_for(stage: Stage) -> None:
    source = stage.farm.source("cam/1")
    assert (await found(stage, camera_id="c1", password=None))["ok"]
    assert (await found(stage, "cam/2", "c1", password=None))["ok"]  # another path at the same device
    assert (await found(stage, camera_id="none", password=None))["reason"] == "unauthorized"
    # Another machine with the same password would let us in, if it were given it.
    async with Farm([FarmCamera(path="cam/1")], password=source.password, light=1.0) as other:
        assert (await found(stage, port=other.port))["ok"]
        assert (await found(stage, camera_id="c1", port=other.port, password=None))[
            "reason"
        ] == "unauthorized"
    assert (await found(stage, camera_id="c1", username="admin", password=None))["reason"] == "unauthorized"


async def test_only_those_who_keep_the_registry_try_sources(stage: Stage, device: SimulatedOnvif) -> None:
    body = {"source": stage.source("cam/1")}
    asked = {"host": "127.0.0.1", "port": device.port}
    for username in ("operator", "dispatcher", "supervisor", "leader", "dept", "police", "worker"):
        error(await stage.centre.post(username, "/cameras/probe", body), 403, "forbidden")
        error(await stage.centre.post(username, "/onvif/probe", asked), 403, "forbidden")


async def test_a_device_says_what_it_is(stage: Stage, device: SimulatedOnvif) -> None:
    source = stage.farm.source("cam/1")
    asked = {
        "host": "127.0.0.1",
        "port": device.port,
        "username": source.username,
        "password": source.password,
    }
    answer = await stage.centre.post("admin", "/onvif/probe", asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["manufacturer"]
    assert told["model"]
    assert told["ptz"]
    main, sub = told["profiles"]
    assert (main["token"], main["codec"], main["path"], main["ptz"]) == ("main", "h264", "cam/1", True)
    assert (sub["token"], sub["codec"], sub["port"], sub["ptz"]) == ("sub", "h265", stage.farm.port, False)
    texts = [answer.text]
    # What it offers can be tried as it is.
    assert (await found(stage, path=main["path"], port=main["port"]))["ok"]

    async def refused(status: int, code: str, **changes: Any) -> None:
        refusal = await stage.centre.post("admin", "/onvif/probe", {**asked, **changes})
        error(refusal, status, code)
        texts.append(refusal.text)

    await refused(503, "unauthorized", password="not-the-password")
    await refused(503, "unreachable", port=free_port())
    await refused(422, "not_allowed", host="192.0.2.7")
    await refused(422, "malformed", port=0)
    await refused(422, "malformed", extra="x")
    texts.append((await stage.centre.get("leader", "/audit")).text)
    assert "onvif.probed" in texts[-1]
    assert not [text for text in texts if str(source.password) in text or "not-the-password" in text]


async def test_a_camera_is_turned_by_onvif(stage: Stage, device: SimulatedOnvif) -> None:
    head = device.profiles["main"].head
    assert isinstance(head, Head)
    source = {**stage.source("cam/1"), "control_port": device.port, "control_profile": "main"}
    changed = await put(stage.centre, "admin", "/cameras/c1", {"ptz": True, "source": source})
    assert changed.status_code == 200, changed.text
    staff = stage.services.video._staff
    await until(lambda: staff.cameras["c1"].source.control_port == device.port, BACK_S)
    before = head.aim()

    async def move(**body: Any) -> httpx2.Response:
        return await stage.centre.post("dispatcher", "/cameras/c1/ptz", body)

    assert (await move(action="move", pan=1, zoom=0.5)).json() == {"ok": True}
    await until(lambda: head.aim().pan > before.pan, BACK_S)
    assert head.aim().zoom > before.zoom
    assert (await move(action="stop")).status_code == 200
    rest = head.aim()
    assert (await move(action="save_preset", preset=9)).status_code == 200
    listed = (await stage.centre.get("dispatcher", "/cameras/c1/presets")).json()["items"]
    assert 9 in [one["preset"] for one in listed]
    assert head.aim() == rest
    await move(action="preset", preset=1)
    await until(lambda: head.aim() != rest, BACK_S)
    await move(action="preset", preset=9)
    await until(lambda: head.aim() == rest, BACK_S)
    audit = (await stage.centre.get("leader", "/audit")).json()["items"]
    (saved,) = [entry for entry in audit if entry["action"] == "camera.preset_saved"]
    assert (saved["object"], saved["data"]) == ("camera:c1", {"preset": 9})
    # One who stops turning without a word does not leave it turning.
    assert (await move(action="move", pan=-1)).status_code == 200
    await until(lambda: head.aim().pan < rest.pan, BACK_S)
    await until(lambda: head.aim() == head.aim(time.time() + 60), BACK_S)
    for username in ("operator", "dept", "worker", "admin"):
        refused = await stage.centre.post(username, "/cameras/c1/ptz", {"action": "stop"})
        error(refused, 403, "forbidden")
    elsewhere = await stage.centre.post("police2", "/cameras/c1/ptz", {"action": "stop"})
    error(elsewhere, 404, "not_found")
