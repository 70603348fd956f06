"""Live pictures as a browser gets them, and who may."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from command.cameras import Camera
from command.errors import StorageFull
from command.events import SYSTEM
from command.store.viewings import Viewings
from streams.errors import NoSuchCamera
from streams.service import Video
from streams.source import Source
from streams.synthetic.farm import FarmCamera
from tests.command.api.registry import delete, put
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import NARROW_BYTES, Screen, Stage, open_stage
from tests.fixtures import G3, G5, middle
from tests.streams.theatre import BACK_S, decoded, quiet
from tests.streams.waiting import until

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Keys

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A service with three cameras, one of them H.265, and room to encode one anew."""
    cameras = {
        "c1": FarmCamera(path="cam/1"),
        "c2": FarmCamera(path="cam/2", profile="h265"),
        "c3": FarmCamera(path="cam/3"),
    }
    more = [FarmCamera(path="cam/4"), FarmCamera(path="cam/5", profile="h265")]
    folder = tmp_path_factory.mktemp("live")
    async with open_stage(prepared, district, folder, cameras, more, transcodes=1) as opened:
        yield opened


async def test_config_init_and_pictures_and_the_next_viewer_at_once(stage: Stage) -> None:
    async with stage.screen("dispatcher", "c1") as first:
        await first.plays(20)
        assert first.order[:3] == ["config", "ftyp", "moof"]
        config = first.configs[0]
        assert config["codec"].startswith("avc1.")
        assert config["mime"] == f'video/mp4; codecs="{config["codec"]}"'
        assert (config["width"], config["height"], config["audio"]) == (640, 360, None)
        assert "connecting" not in first.states
        async with stage.screen("town", "c1") as second, stage.screen("leader", "c1", h265="0") as third:
            await until(lambda: "state" in second.order, BACK_S)
            assert second.order[:4] == [
                "config",
                "ftyp",
                "moof",
                "state",
            ]  # no waiting for the next key frame
            assert second.state == "live"
            await second.plays(10)
            await third.plays(10)
            assert stage.sessions("c1") == 1
            for screen in (first, second, third):
                coding, pictures = decoded(screen.file())
                assert coding == "h264"
                assert pictures >= 10
    await until(lambda: stage.sessions("c1") == 0, BACK_S)


async def test_sixteen_viewers_cost_one_session(stage: Stage) -> None:
    async def watch() -> Screen:
        async with stage.screen("dispatcher", "c1") as screen:
            await screen.plays(20)
            await together.wait()
            return screen

    together = asyncio.Barrier(17)
    watching = [asyncio.create_task(watch()) for _ in range(16)]
    await together.wait()
    assert stage.sessions("c1") == 1
    assert stage.services.video.figures()["viewers"] >= 16
    screens = await asyncio.gather(*watching)
    pieces = [set(screen.pieces) for screen in screens]
    assert set.intersection(*pieces)
    assert decoded(screens[-1].file())[1] >= 20
    await until(lambda: stage.services.video.figures()["viewers"] == 0, BACK_S)
    rows = await stage.viewings(camera_id="c1", limit=16)
    assert all(row["ended_at"] for row in rows)


async def test_h265_is_encoded_anew_while_there_is_room(stage: Stage) -> None:
    other = await stage.add("cam/5")
    async with stage.screen("dispatcher", "c2") as own, stage.screen("dispatcher", "c2", h265="0") as old:
        await own.plays(2)
        await old.plays(8)
        assert own.configs[0]["codec"].startswith("hvc1.")
        assert old.configs[0]["codec"].startswith("avc1.")
        assert decoded(own.file())[0] == "hevc"
        assert decoded(old.file())[0] == "h264"
        assert stage.sessions("c2") == 1
        async with stage.screen("dispatcher", other, h265="0") as late:
            await late.says("no_capacity")
            assert (late.reason, late.pieces) == ("busy", [])
        async with stage.screen("dispatcher", other) as able:
            await able.plays()
    assert (await delete(stage.centre, "admin", f"/cameras/{other}")).status_code == 200


async def test_a_cut_camera_says_why_and_comes_back_on_the_same_socket(stage: Stage) -> None:
    async with stage.screen("dispatcher", "c3") as screen:
        await screen.plays()
        stage.fault("c3", "down")
        await screen.says("lost")
        assert screen.reason in ("ended", "unreachable", "stalled")
        told = screen.messages[-1]
        assert told["retry_s"] is None or told["retry_s"] > 0
        assert set(told) == {"state", "reason", "detail", "late_s", "retry_s"}
        stage.fault("c3", None)
        await screen.plays()
        assert screen.code is None
        assert len(screen.configs) == 2
        assert decoded(screen.file())[1] >= 4
    assert [row["ended_at"] is None for row in await stage.viewings(camera_id="c3", limit=1)] == [False]


async def test_a_wrong_password_is_refused_once_and_the_right_one_is_taken(stage: Stage) -> None:
    camera = await stage.add("cam/4")
    await stage.give(camera, "cam/4", password="not-the-password")

    def opens() -> float:
        return stage.services.video.figures()['opens{process="media-0"}']

    async with stage.screen("dispatcher", camera) as screen:
        await screen.says("refused")
        assert screen.reason == "unauthorized"
        assert screen.messages[-1]["retry_s"] is None
        await quiet(1.5)  # a beat, so that the figure tells of the try
        tries = opens()
        await quiet(2.5)
        assert opens() == tries
        assert screen.states.count("refused") == 1
        assert "not-the-password" not in str(screen.messages)
        await stage.give(camera, "cam/4")
        await screen.plays()
    assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200


async def test_a_host_outside_the_allowed_networks_is_not_opened(stage: Stage) -> None:
    """Entered before the administrator narrowed what is allowed."""
    elsewhere = Camera(id="elsewhere", name="网外", lon=116.8151, lat=33.9052, grid=G3)
    source = Source(protocol="rtsp", host="192.0.2.7", path="x", username="u", password="p")
    await stage.centre.core.operations.cameras.register(SYSTEM, [elsewhere], sources={"elsewhere": source})
    await stage.known("elsewhere")
    async with stage.screen("dispatcher", "elsewhere") as screen:
        await screen.says("refused")
        assert (screen.reason, screen.pieces) == ("not_allowed", [])
    refused = await put(
        stage.centre, "admin", "/cameras/c1", {"source": stage.source("cam/1") | {"host": "192.0.2.7"}}
    )
    assert error(refused, 422, "malformed")["field"] == "source.host"


async def test_what_one_may_not_see_is_not_there(stage: Stage) -> None:
    """Unknown, elsewhere, without the right: one answer, so that nobody learns which cameras there are."""
    span = {"start": "2026-11-22T02:00:00Z", "end": "2026-11-22T02:01:00Z"}
    before = len(await stage.viewings(limit=1000))
    for kind, query in (("live", {}), ("playback", span)):
        answers = {
            await stage.refused("dispatcher", "none", kind, **query),
            await stage.refused("town", "c3", kind, **query),  # another township's
            await stage.refused("police", "c3", kind, **query),
            await stage.refused("dept", "c1", kind, **query),  # not the bureau's
            await stage.refused("worker", "c1", kind, **query),  # a role that watches nothing
            await stage.refused("admin", "c1", kind, **query),  # keeps the registry, sees no picture
            await stage.refused("admin", "none", kind, **query),
        }
        assert answers == {(4004, "no such camera")}
    # Looking back is another right than looking: this one may only look.
    assert await stage.refused("operator", "c1", "playback", **span) == (4004, "no such camera")
    assert await stage.refused(None, "c1") == (4001, "sign in")
    assert len(await stage.viewings(limit=1000)) == before

    paths = (
        "snapshot.jpg",
        "thumbnail.jpg",
        "health/picture.jpg",
        "health/reference.jpg",
    )
    for path in paths:
        for username, camera in (("town", "c3"), ("police", "c3"), ("dept", "c1"), ("dispatcher", "none")):
            error(await stage.centre.get(username, f"/cameras/{camera}/{path}"), 404, "not_found")
        for username in ("worker", "admin"):
            for camera in ("c1", "none"):
                error(await stage.centre.get(username, f"/cameras/{camera}/{path}"), 403, "forbidden")
    for command in ("check", "false_alarm"):
        for username, camera in (("town", "c3"), ("dispatcher", "none")):
            path = f"/cameras/{camera}/{command}"
            error(await stage.centre.post(username, path), 404, "not_found")
        error(await stage.centre.post("worker", f"/cameras/c1/{command}"), 403, "forbidden")
    error(await stage.centre.get("town", "/cameras/c3/records", **span), 404, "not_found")
    error(await stage.centre.get("operator", "/cameras/c1/records", **span), 403, "forbidden")


async def test_another_sites_page_opens_nothing(stage: Stage) -> None:
    headers = {"cookie": await stage.cookie("dispatcher")}
    for kind in ("live", "playback"):
        address = stage.address("c1", kind, start="2026-11-22T02:00:00Z", end="2026-11-22T02:01:00Z")
        for origin in ("https://elsewhere.example", "null"):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(
                    address,
                    origin=origin,  # type: ignore[arg-type]
                    additional_headers=headers,
                    proxy=None,
                ).__aenter__()


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-11-22T02:00:00", "end": "2026-11-22T02:01:00"},
        {"start": "2026-11-22T02:01:00Z", "end": "2026-11-22T02:00:00Z"},
    ],
    ids=["without a zone", "backwards"],
)
async def test_a_playback_needs_a_stretch_of_time(stage: Stage, query: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with stage.screen("dispatcher", "c1", "playback", **query):
            pass


async def test_what_no_recorder_has_is_said_once(stage: Stage) -> None:
    span = {"start": "2026-11-22T02:00:00Z", "end": "2026-11-22T02:01:00Z"}
    assert await stage.refused("dispatcher", "c1", "playback", **span) == (4004, "unsupported")


async def test_the_end_of_a_session_ends_its_pictures(stage: Stage) -> None:
    body = {"username": "dispatcher2", "password": "eight-grids"}
    async with stage.centre.anonymous() as client:
        assert (await client.post("/api/v1/session", json=body)).status_code == 200
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        async with stage.screen(None, "c1", cookie=cookie) as screen:
            await screen.plays()
            began = time.monotonic()
            assert (await client.delete("/api/v1/session")).status_code == 204
            assert await screen.over() == (4001, "session ended")
            assert time.monotonic() - began < 5
    me = (await stage.centre.get("admin", "/users")).json()["items"]
    key = next(user["id"] for user in me if user["username"] == "dispatcher2")
    async with stage.screen("dispatcher2", "c1") as screen:
        await screen.plays()
        assert (await stage.centre.post("admin", f"/users/{key}/disable")).status_code == 200
        assert await screen.over() == (4001, "session ended")
    assert (await stage.centre.post("admin", f"/users/{key}/enable")).status_code == 200
    stage.centre._clients.pop("dispatcher2")
    await until(lambda: stage.sessions("c1") == 0, BACK_S)


async def test_a_camera_is_switched_off_and_removed_while_it_is_watched(stage: Stage) -> None:
    camera = await stage.add("cam/4")
    async with stage.screen("dispatcher", camera) as screen:
        await screen.plays()
        path = f"/cameras/{camera}/enabled"
        assert (await stage.centre.post("admin", path, {"enabled": False})).status_code == 200
        await screen.says("refused")
        assert screen.reason == "disabled"
        await until(lambda: stage.sessions(camera) == 0, BACK_S)
        assert (await stage.centre.post("admin", path, {"enabled": True})).status_code == 200
        await screen.plays()
        assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200
        assert (await screen.over())[0] == 4004
    await until(lambda: stage.sessions(camera) == 0, BACK_S)
    (row,) = await stage.viewings(camera_id=camera)
    assert row["ended_at"] is not None
    assert row["camera_name"] is None


async def test_a_camera_that_moves_out_of_sight_is_closed_for_those_who_lose_it(stage: Stage) -> None:
    camera = await stage.add("cam/4")
    async with (
        stage.screen("town", camera) as loses,
        stage.screen("police", camera, talks=True) as loses_too,
        stage.screen("dispatcher", camera) as keeps,
    ):
        for screen in (loses, loses_too, keeps):
            await screen.plays()
        lon, lat = middle(G5)  # hung up in the next township
        answer = await put(stage.centre, "admin", f"/cameras/{camera}", {"lon": lon, "lat": lat})
        assert answer.status_code == 200, answer.text
        # Their sessions go on: it is this camera alone that is not there any more.
        assert (await loses.over())[0] == 4004
        assert (await loses_too.over())[0] == 4004
        await keeps.plays()
        assert keeps.code is None
    assert (await stage.centre.get("town", "/session")).status_code == 200
    assert await stage.refused("town", camera) == (4004, "no such camera")
    assert (await delete(stage.centre, "admin", f"/cameras/{camera}")).status_code == 200


async def test_a_viewer_that_never_reads_is_let_go_and_nobody_else_notices(stage: Stage) -> None:
    cookie = await stage.cookie("dispatcher")
    hub = stage.services.video._hub
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW_BYTES)
    narrow.connect(("127.0.0.1", stage.narrow_port))
    reader, writer = await asyncio.open_connection(sock=narrow, limit=1024)
    try:
        async with stage.screen("dispatcher", "c1") as good:
            await good.plays()
            closed = hub.closed_slow
            writer.write(
                b"GET /api/v1/cameras/c1/live?h265=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                b"Sec-WebSocket-Version: 13\r\nCookie: " + cookie.encode() + b"\r\n\r\n"
            )
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            await until(lambda: hub.viewers == 2, BACK_S)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            seen = good.pictures()
            await until(lambda: hub.closed_slow == closed + 1, 2 * BACK_S)
            assert hub.viewers == 1
            assert good.pictures() > seen + 30
            await good.plays()
            assert decoded(good.file())[1] == good.pictures()  # nothing was left out for it
        rows = await stage.viewings(camera_id="c1", limit=2)
        assert all(row["ended_at"] for row in rows)
    finally:
        writer.transport.abort()


async def test_who_watched_what_for_what(stage: Stage) -> None:
    incident = await stage.centre.report()
    stage.centre.clock.advance(1)
    async with stage.screen("supervisor", "c1", purpose="incident", incident_id=incident["id"]) as screen:
        await screen.plays(1)
        (row,) = await stage.viewings(camera_id="c1", limit=1)  # written down before the picture went out
        assert row["ended_at"] is None
        stage.centre.clock.advance(7)
    await until(lambda: stage.services.video.figures()["viewers"] == 0, BACK_S)
    (row,) = await stage.viewings(incident_id=incident["id"])
    assert (row["user_name"], row["role"], row["kind"]) == ("值班长 方以宁", "supervisor", "live")
    assert (row["purpose"], row["camera_name"], row["cut"]) == ("incident", "渡口街北", False)
    assert row["started_at"][:19] < row["ended_at"][:19]
    error(await stage.centre.get("supervisor", "/viewings"), 403, "forbidden")
    audit = (await stage.centre.get("leader", "/audit")).json()["items"]
    assert any(
        entry["action"] == "viewings.read" and entry["data"].get("incident_id") == incident["id"]
        for entry in audit
    )
    with pytest.raises(InvalidStatus, match="403"):  # what a browser's page could not have asked for
        async with stage.screen("dispatcher", "c1", purpose="curiosity"):
            pass


async def test_a_full_disk_takes_no_picture_from_a_dispatcher(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await stage.centre.report()

    async def full(*_: object, **__: object) -> str:
        raise StorageFull

    count = len(await stage.viewings(limit=1000))
    with monkeypatch.context() as patch, structlog.testing.capture_logs() as logs:
        patch.setattr(Viewings, "start", full)
        async with stage.screen("dispatcher", "c1", purpose="incident", incident_id=incident["id"]) as screen:
            await screen.plays()
        answer = await stage.centre.get("dispatcher", "/cameras/c1/snapshot.jpg")
        assert answer.status_code == 200
    said = [entry for entry in logs if entry["event"] == "viewing not recorded"]
    assert [(one["kind"], one["camera"], one["log_level"]) for one in said] == [
        ("live", "c1", "error"),
        ("snapshot", "c1", "error"),
    ]
    assert said[0]["incident"] == incident["id"]
    assert said[0]["user"]
    assert len(await stage.viewings(limit=1000)) == count

    async def full_at_the_end(*_: object) -> None:
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr(Viewings, "end", full_at_the_end)
        async with stage.screen("dispatcher", "c1") as screen:
            await screen.plays(1)
        await until(lambda: stage.services.video.figures()["viewers"] == 0, BACK_S)
    assert len(await stage.viewings(limit=1000)) == count + 1


async def test_a_camera_without_a_source_has_nothing_to_show(stage: Stage) -> None:
    made = await stage.centre.post("admin", "/cameras", {"name": "未接入", "lon": 116.8151, "lat": 33.9052})
    camera = made.json()["id"]
    assert await stage.refused("dispatcher", camera) == (4004, "no_such_camera")
    error(await stage.centre.get("dispatcher", f"/cameras/{camera}/snapshot.jpg"), 404, "no_such_camera")


async def test_a_camera_that_is_not_known_yet_is_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just after a start, or after it was entered: a page must not give it up."""

    def unknown(*_: object, **__: object) -> None:
        raise NoSuchCamera("c1")

    with monkeypatch.context() as patch:
        patch.setattr(Video, "watch", unknown)
        assert await stage.refused("dispatcher", "c1") == (1012, "no_such_camera")
    async with stage.screen("dispatcher", "c1") as screen:
        await screen.plays()
