"""Where the video processes meet the registry: GB/T 28181 devices through the whole service, and odd reports."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import structlog

from command.accounts.access import Principal
from command.video import VideoDesk
from command.video import desk as desk_module
from command.video_settings import ClipSettings, GbSettings
from streams.clips import ClipDone
from streams.errors import Unauthorized
from streams.gb28181.messages import DeviceState, GbAlarm, GbCatalog, GbChannel, Motion, Recording
from streams.gb28181.simulated import SimulatedDevice
from streams.gb28181.simulated_media import AccessUnit, Play, SoundPacket, paced
from streams.gb28181.simulated_pages import SimulatedChannel
from streams.health.messages import HealthReport
from streams.synthetic.farm import FarmCamera
from streams.wire import StreamState
from tests.command.api.registry import delete, open_registry, put
from tests.command.api.test_incidents import error
from tests.command.api.video_stage import Stage, open_stage
from tests.fixtures import G5, Centre, middle
from tests.streams.gb28181.coded import coded
from tests.streams.theatre import BACK_S, decoded, quiet
from tests.streams.waiting import until

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Keys

together = pytest.mark.asyncio(loop_scope="module")
DEVICE = "34060400001180000001"
SERVER = "34060400002000000001"
PASSWORD = "canary-of-the-recorder"
DOME, BULLET, PLACELESS, LISTED = (f"3406040000132{number:07d}" for number in (11, 12, 13, 1))
"""The last one is in the registry already, without a source."""
RECORDED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def media(play: Play) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
    """What a channel shows: for ever, or for two seconds of the past."""
    units = coded("h264")
    return paced("h264", itertools.cycle(units) if play.start is None else units)


@dataclass
class Devices:
    """The service that lets devices register, and one device."""

    stage: Stage
    port: int
    device: SimulatedDevice | None = None
    motions: list[tuple[str, Motion]] = field(default_factory=list)
    presets: list[tuple[str, int, str]] = field(default_factory=list)

    def make(self, password: str = PASSWORD) -> SimulatedDevice:
        """A recorder with four channels."""
        lon, lat = middle(G5)
        channels = [
            SimulatedChannel(
                channel_id=DOME, name="十里铺球机", civil_code="340604", lon=lon, lat=lat, ptz_type=1
            ),
            SimulatedChannel(channel_id=BULLET, name="<b>枪机</b>", lon=lon, lat=lat, ptz_type=3),
            SimulatedChannel(channel_id=PLACELESS, name="", civil_code="340604011"),
            SimulatedChannel(channel_id=LISTED, name="另一个名字", lon=lon, lat=lat),
        ]
        hour = timedelta(hours=1)
        return SimulatedDevice(
            DEVICE,
            password,
            ("127.0.0.1", self.port),
            SERVER,
            channels=channels,
            media=media,
            keepalive_s=5,
            recordings={
                DOME: [
                    Recording(
                        start=RECORDED + n * hour, end=RECORDED + (n + 1) * hour, name=f"录像{n}", size=n
                    )
                    for n in range(3)
                ]
            },
            on_motion=lambda channel, motion: self.motions.append((channel, motion)),
            on_preset=lambda *said: self.presets.append(said),
        )

    @property
    def online(self) -> SimulatedDevice:
        """The device, which has registered."""
        assert self.device is not None
        return self.device

    def camera(self, channel: str) -> str:
        """The id of the camera that a channel became."""
        board = self.stage.centre.core.board.cameras
        return next(camera.id for camera in board.values() if camera.gb_id == channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def devices(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Devices]:
    """A service at which devices may register, and a camera that has nothing to do with them."""
    settings = GbSettings(enabled=True, port=0, server_id=SERVER)
    folder = tmp_path_factory.mktemp("gb")
    cameras = {"c3": FarmCamera(path="cam/3")}
    async with open_stage(prepared, district, folder, cameras, gb=settings) as stage:
        await until(lambda: stage.services.video.figures().get("gb_port"), BACK_S)
        opened = Devices(stage, int(stage.services.video.figures()["gb_port"]))
        yield opened
        if opened.device is not None:
            await opened.device.stop(unregister=False)


@pytest.mark.slow
@together
async def test_a_device_registers_and_its_channels_become_cameras(devices: Devices) -> None:
    stage = devices.stage
    stranger = devices.make()
    with pytest.raises(Unauthorized):
        await stranger.start()
    await stranger.stop(unregister=False)
    entered = await put(
        stage.centre, "admin", f"/gb/devices/{DEVICE}", {"name": "水利平台", "password": PASSWORD}
    )
    assert entered.status_code == 200, entered.text
    for _ in range(100):
        devices.device = devices.make()
        try:
            await devices.device.start()
            break
        except Unauthorized:  # the processes hear of it in a moment
            await devices.device.stop(unregister=False)
            await asyncio.sleep(0.1)
    board = stage.centre.core.board.cameras
    await until(lambda: {DOME, BULLET, PLACELESS} <= {camera.gb_id for camera in board.values()}, BACK_S)
    dome, bullet = board[devices.camera(DOME)], board[devices.camera(BULLET)]
    assert (dome.name, dome.grid, dome.source, dome.ptz) == ("十里铺球机", G5, "gb28181", True)
    assert (bullet.name, bullet.ptz) == ("<b>枪机</b>", False)  # a name is text, whatever is in it
    nowhere = board[devices.camera(PLACELESS)]
    assert (nowhere.name, nowhere.area, nowhere.grid) == (PLACELESS, "340604011", None)
    # One from a list keeps its name and place, and has pictures from now on.
    listed = board[devices.camera(LISTED)]
    assert (listed.id, listed.name, listed.source) == ("c1", "渡口街北", "gb28181")

    async def row() -> dict[str, Any]:
        (found,) = (await stage.centre.get("admin", "/gb/devices")).json()["items"]
        assert PASSWORD not in str(found)
        return dict(found)

    while not (await row())["manufacturer"]:
        await quiet(0.1)
    told = await row()
    assert (told["name"], told["online"], told["reason"]) == ("水利平台", True, "registered")
    assert (told["manufacturer"], told["model"]) == ("Simulated", "SIM-1")
    catalog = await stage.centre.post("admin", f"/gb/devices/{DEVICE}/catalog")
    assert catalog.json()["complete"]
    assert len(catalog.json()["items"]) == 4
    count = len(board)
    versions = {camera.id: camera.version for camera in board.values()}
    await devices.online.register()
    again = await stage.centre.post("admin", f"/gb/devices/{DEVICE}/catalog")
    assert again.status_code == 200
    await asyncio.sleep(0.3)
    assert len(board) == count
    assert {camera.id: camera.version for camera in board.values()} == versions  # read again, nothing is new
    gone = await stage.centre.post("admin", "/gb/devices/34060400001180000099/catalog")
    assert gone.status_code in (404, 503)


@pytest.mark.slow
@together
async def test_a_channel_is_watched_by_many_and_let_go(devices: Devices) -> None:
    stage = devices.stage
    for channel, camera in ((DOME, devices.camera(DOME)), (LISTED, "c1")):
        async with stage.screen("dispatcher", camera) as first, stage.screen("leader", camera) as second:
            await first.plays(8)
            await second.plays(8)
            assert len(devices.online.sessions) == 1, channel
            for screen in (first, second):
                assert decoded(screen.file())[0] == "h264"
        await until(lambda: not devices.online.sessions, BACK_S)
    assert await stage.refused("town", devices.camera(DOME)) == (4004, "no such camera")
    snapshot = await stage.centre.get("dispatcher", f"/cameras/{devices.camera(DOME)}/snapshot.jpg")
    assert snapshot.content[:3] == b"\xff\xd8\xff"
    looked = await stage.centre.post("dispatcher", f"/cameras/{devices.camera(DOME)}/check")
    assert looked.json()["measures"], looked.text
    assert looked.json()["reason"] is None
    await until(lambda: not devices.online.sessions, BACK_S)


@pytest.mark.slow
@together
async def test_a_device_that_falls_silent_and_comes_back(devices: Devices) -> None:
    async with devices.stage.screen("dispatcher", devices.camera(BULLET)) as screen:
        await screen.plays()
        devices.online.faults.refuse = 486
        devices.online.faults.mute_after = 0
        await until(lambda: screen.state in ("lost", "no_capacity") and screen.reason, 2 * BACK_S)
        devices.online.faults.refuse = devices.online.faults.mute_after = None
        await screen.plays()
        assert screen.code is None


@pytest.mark.slow
@together
async def test_a_dome_is_turned_and_stops_by_itself(devices: Devices) -> None:
    stage, camera = devices.stage, devices.camera(DOME)

    async def turn(username: str = "dispatcher", **body: Any) -> Any:
        return await stage.centre.post(username, f"/cameras/{camera}/ptz", body)

    assert (await turn(action="move", pan=-0.5, tilt=1, zoom=0)).status_code == 200
    await until(lambda: len(devices.motions) >= 2, BACK_S)
    (channel, moved), (_, stopped) = devices.motions[:2]
    assert channel == DOME
    assert moved.pan == pytest.approx(-0.5, abs=0.01)
    assert (moved.tilt, moved.zoom) == (1, 0)
    assert stopped == Motion()
    assert (await turn(action="save_preset", preset=7)).status_code == 200
    assert (await turn(action="preset", preset=7)).status_code == 200
    assert devices.presets == [(DOME, 7, "save"), (DOME, 7, "call")]
    listed = await stage.centre.get("dispatcher", f"/cameras/{camera}/presets")
    assert listed.json()["items"] == [{"preset": 7, "name": "预置位7"}]
    error(await turn("operator", action="stop"), 403, "forbidden")
    error(await turn("town", action="stop"), 404, "not_found")
    assert len(devices.presets) == 2


@pytest.mark.slow
@together
async def test_an_alarm_becomes_an_incident_where_the_camera_is(devices: Devices) -> None:
    stage, camera = devices.stage, devices.camera(DOME)
    assert await devices.online.alarm(DOME, method=5, description="区域入侵\u202e\x07") == 200
    board = stage.centre.core.board
    await until(lambda: any(alarm.camera_id == camera for alarm in board.alarms.values()), BACK_S)
    (alarm,) = (await stage.centre.get("dispatcher", "/alarms", state="open")).json()["items"]
    assert (alarm["camera_id"], alarm["device_id"], alarm["kind"]) == (camera, DEVICE, "video")
    assert (alarm["lon"], alarm["lat"]) == middle(G5)
    assert await devices.online.alarm(DOME, method=5, description="区域入侵") == 200  # the same again
    accepted = await stage.centre.post("dispatcher", f"/alarms/{alarm['id']}/accept", {"level": "III"})
    assert accepted.status_code == 200, accepted.text
    incident = accepted.json()
    assert (incident["grid"], incident["source"]) == (G5, "alarm")
    assert (incident["lon"], incident["lat"]) == middle(G5)
    assert incident["title"].startswith("十里铺球机")
    assert [a.state for a in board.alarms.values() if a.camera_id == camera] == ["accepted"]
    near = {"lon": incident["lon"], "lat": incident["lat"], "limit": 2}
    nearest = (await stage.centre.get("dispatcher", "/cameras/near", **near)).json()["items"]
    assert camera in [row["id"] for row in nearest]


@pytest.mark.slow
@together
async def test_what_the_device_recorded_is_listed_and_played(devices: Devices) -> None:
    stage, camera = devices.stage, devices.camera(DOME)
    span = {"start": "2026-11-21T08:30:00Z", "end": "2026-11-21T16:30:00+08:00"}
    empty = await stage.centre.get("dispatcher", f"/cameras/{camera}/records", **span)
    assert error(empty, 422, "malformed")["field"] == "end"  # the same instant in two zones
    span["end"] = "2026-11-21T17:30:00+08:00"
    found = await stage.centre.get("dispatcher", f"/cameras/{camera}/records", **span)
    assert [row["name"] for row in found.json()["items"]] == ["录像0", "录像1"]
    assert found.json()["items"][0]["start"] == "2026-11-21T08:00:00.000Z"
    incident = await stage.centre.report()
    async with stage.screen("dispatcher", camera, "playback", incident_id=incident["id"], **span) as screen:
        await until(lambda: screen.pictures() >= 30, BACK_S)
        assert screen.order[:2] == ["config", "ftyp"]
        assert decoded(screen.file())[1] >= 30
        # It is over when the device says so, and is not begun anew.
        await until(lambda: screen.state in ("lost", "refused"), BACK_S)
        assert screen.messages[-1]["retry_s"] is None
        shown = screen.pictures()
        async with stage.screen("dispatcher", camera) as live:
            await live.plays()
        assert screen.pictures() == shown
    (row,) = await stage.viewings(incident_id=incident["id"])
    assert (row["kind"], row["purpose"], row["camera_id"]) == ("playback", "playback", camera)
    await until(lambda: not devices.online.sessions, BACK_S)


@pytest.mark.slow
@together
async def test_a_device_that_is_removed_is_let_in_no_more(devices: Devices) -> None:
    stage, camera = devices.stage, devices.camera(DOME)
    async with stage.screen("dispatcher", camera) as screen:
        await screen.plays()
        removed = await delete(stage.centre, "admin", f"/gb/devices/{DEVICE}")
        assert removed.status_code == 204
        await until(lambda: screen.state == "lost", 2 * BACK_S)
    with pytest.raises(Unauthorized):
        await devices.online.register()
    assert camera in stage.centre.core.board.cameras
    assert (await stage.centre.get("admin", "/gb/devices")).json()["items"] == []
    async with stage.screen("dispatcher", "c3") as other:
        await other.plays()


# Reports without processes: what a desk makes of what should not come.


@asynccontextmanager
async def opened(
    data: Path, prepared: tuple[Path, Keys], district: District, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Centre, VideoDesk]]:
    async with open_registry(data, prepared[1], district, monkeypatch) as centre:
        app = centre.app
        while not hasattr(app, "state"):
            app = app._app
        yield centre, app.state.services.video_desk


async def settled(desk: VideoDesk) -> None:
    """Wait until every report so far has been worked off."""
    done = asyncio.Event()

    async def last() -> None:
        done.set()

    desk._later(last)
    async with asyncio.timeout(BACK_S):
        await done.wait()


def report(camera_id: str, status: Any, fault: Any = None) -> HealthReport:
    return HealthReport(camera_id=camera_id, at=datetime.now(UTC), status=status, fault=fault)


async def test_reports_of_cameras_that_are_gone_change_nothing(
    data_folder: Path,
    prepared: tuple[Path, Keys],
    district: District,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(data_folder, prepared, district, monkeypatch) as (centre, desk):
        seq = centre.core.board.seq
        desk.health(report("none", "degraded", "black"))
        desk.health(report("c1", "unknown"))
        desk.state("none", StreamState(state="live"))
        desk.clip(ClipDone(clip_id="none", camera_id="none", reason="ended"))
        desk.catalog(GbCatalog(device_id=DEVICE, channels=(), removed=(DOME,)))
        folder = GbChannel(channel_id=DOME, name="x", camera=False)
        desk.catalog(GbCatalog(device_id=DEVICE, channels=(folder, GbChannel(channel_id="3406", name="x"))))
        desk.device(DeviceState(device_id=DOME, online=False, reason="bad_password"))
        await settled(desk)
        assert centre.core.board.seq == seq
        assert "none" not in centre.core.operations.cameras.looked
        assert desk.devices == {}
        desk.health(report("c1", "degraded", "black"))
        desk.health(report("c1", "degraded", "black"))  # again before the first is written down
        await settled(desk)
        assert centre.core.board.seq == seq + 1
        # A camera that was switched off meanwhile is not called faulty.
        await centre.post("admin", "/cameras/c2/enabled", {"enabled": False})
        desk.health(report("c2", "offline", "signal_lost"))
        await settled(desk)
        assert centre.core.board.cameras["c2"].status == "disabled"


async def test_what_devices_say_of_their_channels_is_believed_as_far_as_it_makes_sense(
    data_folder: Path,
    prepared: tuple[Path, Keys],
    district: District,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(data_folder, prepared, district, monkeypatch) as (centre, desk):
        board = centre.core.board.cameras

        async def took(*channels: GbChannel) -> None:
            desk.catalog(GbCatalog(device_id=DEVICE, channels=channels))
            await settled(desk)

        odd = [
            GbChannel(channel_id=DOME, name="\u202e\x00\n", lon=0.0, lat=0.0, civil_code="340604010"),
            GbChannel(channel_id=BULLET, name="长" * 300, lon=1e9, lat=float("nan")),
            GbChannel(channel_id=PLACELESS, name=" 海上 ", lon=-30.0, lat=40.0, civil_code="999999"),
        ]
        await took(*odd, odd[0])
        dome, bullet, far = (board[f"c_{number}"] for number in (DOME, BULLET, PLACELESS))
        assert (dome.name, dome.area) == (DOME, "340604010")
        assert (bullet.name, bullet.area) == (BULLET, None)
        west, south, east, north = district.bounds or (0, 0, 0, 0)
        assert west < bullet.lon < east
        assert south < bullet.lat < north
        assert (far.name, far.lon, far.lat, far.area, far.grid) == ("海上", -30.0, 40.0, None, None)

        # What people have said stays, also where they gave it another number.
        corrected = await put(
            centre, "admin", f"/cameras/c_{DOME}", {"name": "村口", "gb_id": "34060400001320009999"}
        )
        assert corrected.status_code == 200, corrected.text
        seq = centre.core.board.seq
        await took(*odd)
        assert centre.core.board.seq == seq
        assert board[f"c_{DOME}"].name == "村口"
        # Another device that claims the same channel does not get it.
        desk.catalog(GbCatalog(device_id=SERVER, channels=(odd[1],)))
        await settled(desk)
        kept = await centre.core.sources.kept(f"c_{BULLET}")
        assert kept is not None
        assert kept.source.device_id == DEVICE
        assert centre.core.board.seq == seq


async def test_alarms_of_unknown_cameras_are_alarms_all_the_same(
    data_folder: Path,
    prepared: tuple[Path, Keys],
    district: District,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(data_folder, prepared, district, monkeypatch) as (centre, desk):
        for channel, method in ((LISTED, 2), (DOME, 99)):
            desk.alarm(
                GbAlarm(
                    device_id=DEVICE,
                    channel_id=channel,
                    priority=1,
                    method=method,
                    kind=0,
                    at=datetime(2026, 11, 22, 2, 59, tzinfo=UTC),
                    description="长" * 500,
                )
            )
        await settled(desk)
        known, unknown = centre.core.board.alarms.values()
        assert (known.camera_id, known.kind, known.lon) == ("c1", "device", 116.8151)
        assert (unknown.camera_id, unknown.device_id, unknown.kind, unknown.lon) == (
            None,
            DEVICE,
            "other",
            None,
        )
        assert len(unknown.text) == 200
        assert unknown.at == "2026-11-22T02:59:00.000Z"


async def test_a_flood_of_reports_is_bounded_and_one_bad_one_ends_nothing(
    data_folder: Path,
    prepared: tuple[Path, Keys],
    district: District,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_module, "WAITING", 3)
    async with opened(data_folder, prepared, district, monkeypatch) as (centre, desk):

        async def bad() -> None:
            raise RuntimeError("a bug")

        with structlog.testing.capture_logs() as logs:
            desk._later(bad)
            await settled(desk)
            for number in range(5):
                desk.health(report(f"c{number % 3 + 1}", "degraded", "black"))
            await asyncio.sleep(0)
            await settled(desk)
        said = [entry["event"] for entry in logs]
        assert said.count("a report could not be written down") == 1
        assert said.count("a report was dropped: too many are waiting") == 2
        assert all(camera.status == "degraded" for camera in centre.core.board.cameras.values())
        ready = await centre.get("leader", "/session")
        assert ready.status_code == 200


async def test_clips_are_purged_by_their_age(
    data_folder: Path,
    prepared: tuple[Path, Keys],
    district: District,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(data_folder, prepared, district, monkeypatch) as (centre, desk):
        me: Principal = centre.core.parts.access.principal(
            user_id="u", username="x", name="x", role="dispatcher"
        )
        camera = centre.core.board.cameras["c1"]
        clip = await desk.keep(me, camera, before_s=1, after_s=1, incident_id=None, note="")
        assert (clip.state, clip.reason) == ("failed", "no_such_camera")  # it has no source
        days = ClipSettings().days
        centre.clock.advance(days * 86_400 - 1)
        assert await desk.purge("") == 0
        centre.clock.advance(2)
        assert await desk.purge("") == 1
        assert await desk.clips.get(clip.id) is None
        assert await desk.room_for(1, before_s=1, after_s=1) == ClipSettings().most_gb * (1 << 30)


def test_a_clip_played_in_pieces_is_one_viewing_until_it_rests(
    data_folder: Path, prepared: tuple[Path, Keys], district: District
) -> None:
    from command.clock import ManualClock
    from command.core import open_core
    from command.server import create_app
    from tests.fixtures import START, settings_for

    clock = ManualClock(START)
    core = open_core(settings_for(data_folder), clock, district)
    app: Any = create_app(core.settings, core=core)
    while not hasattr(app, "state"):
        app = app._app
    desk: VideoDesk = app.state.services.video_desk
    try:
        assert desk.played_anew("u1", "k1")
        clock.advance(599)
        assert not desk.played_anew("u1", "k1")
        assert desk.played_anew("u2", "k1")
        clock.advance(599)
        assert not desk.played_anew("u1", "k1")
        clock.advance(601)
        assert desk.played_anew("u1", "k1")
        for number in range(desk_module.PLAYED + 5):
            desk.played_anew("u3", f"k{number}")
        assert len(desk._played) == desk_module.PLAYED
    finally:
        core.close()
