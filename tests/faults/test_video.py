"""Video when things break: a process killed, the service stopped or killed, and nowhere a password."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from streams.errors import StreamError
from streams.gb28181.simulated import SimulatedDevice
from streams.synthetic.farm import Farm, FarmCamera
from tests.command.api.video_stage import Screen
from tests.faults.serving import Served, ending_all, free_port, start
from tests.fixtures import PASSWORD, district_of
from tests.streams.theatre import BACK_S, decoded, quiet
from tests.streams.waiting import until

pytestmark = pytest.mark.slow

ROLES = ("operator", "dispatcher", "supervisor", "leader", "dept", "police", "worker", "admin")
SETTINGS = {
    "YIPING_CAMERAS__ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    "YIPING_VIDEO__WORKERS": "1",
    "YIPING_VIDEO__LINGER_S": "1",
    "YIPING_VIDEO__OPENS_PER_HOST_PER_S": "50",
    "YIPING_LOG__LEVEL": "debug",
}


def descendants(pid: int) -> set[int]:
    """The processes below one, as long as it lives."""
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= {int(child), *descendants(int(child))}
    return found


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass
class Front:
    """A service in its own process, and clients of it."""

    served: Served
    farm: Farm
    data: Path
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=list)
    """Every body that anybody was sent."""

    async def as_(self, username: str) -> httpx2.AsyncClient:
        """Somebody's client, signed in."""
        if username not in self.clients:
            client = httpx2.AsyncClient(base_url=f"{self.served.url}/api/v1", timeout=60)
            body = {"username": username, "password": PASSWORD}
            answer = await client.post("/session", json=body)
            assert answer.status_code == 200, answer.text
            self.clients[username] = client
        return self.clients[username]

    async def ask(self, username: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """Ask for something below ``/api/v1``."""
        answer = await (await self.as_(username)).request(method, path, **more)
        self.said.append(answer.content + str(answer.headers).encode())
        return answer

    async def give(self, camera_id: str, path: str, **changes: Any) -> None:
        """Let a registered camera show what one of the farm does."""
        source = self.farm.source(path)
        body = {
            "protocol": "rtsp",
            "host": source.host,
            "port": source.port,
            "path": source.path,
            "username": source.username,
            "password": source.password,
        }
        answer = await self.ask("admin", "PUT", f"/cameras/{camera_id}", json={"source": body | changes})
        assert answer.status_code == 200, answer.text
        for _ in range(600):
            looked = await self.ask("dispatcher", "POST", f"/cameras/{camera_id}/check")
            if looked.status_code == 200:
                return
            await quiet(0.1)  # the processes are being started, and told
        raise AssertionError(looked.text)

    @asynccontextmanager
    async def socket(self, username: str, path: str) -> AsyncIterator[Any]:
        """Open a WebSocket as somebody."""
        cookies = (await self.as_(username)).cookies.items()
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
        address = f"{self.served.url.replace('http', 'ws', 1)}/api/v1{path}"
        async with connect(address, additional_headers=headers, max_size=None, proxy=None) as connection:
            yield connection

    @asynccontextmanager
    async def screen(self, username: str, camera_id: str) -> AsyncIterator[Screen]:
        """Open a tile."""
        async with self.socket(username, f"/cameras/{camera_id}/live?h265=1") as connection:
            screen = Screen()
            following = asyncio.create_task(screen.follow(connection, talks=False))
            try:
                yield screen
            finally:
                await connection.close()
                await following

    def workers(self, role: str = "") -> set[int]:
        """The video processes of a role."""
        below = descendants(self.served.process.pid)
        return {pid for pid in below if f"streams.worker --role {role}" in command_of(pid)}

    async def figure(self, name: str) -> float:
        """A figure of /metrics; nan without it."""
        async with httpx2.AsyncClient(timeout=60) as client:
            text = (await client.get(f"{self.served.url}/metrics")).text
        self.said.append(text.encode())
        found = re.search(rf"^yiping_video_{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else float("nan")

    async def close(self) -> None:
        """Hang up."""
        for client in self.clients.values():
            await client.aclose()
        self.clients.clear()


@asynccontextmanager
async def front(data: Path, farm: Farm, **settings: str) -> AsyncIterator[Front]:
    """Serve a data folder; whatever happens, nothing runs on after the block."""
    shutil.rmtree(district_of(data), ignore_errors=True)  # reading it takes seconds; nothing here needs it
    with ending_all():
        served = await asyncio.to_thread(start, data, **(SETTINGS | settings))
        opened = Front(served, farm, data)
        try:
            yield opened
        finally:
            await opened.close()
            left = descendants(served.process.pid)
            await asyncio.to_thread(served.stop)
            await none_left(left)


async def none_left(pids: set[int]) -> None:
    """Wait until none of these processes is there."""
    await until(lambda: not [pid for pid in pids if "streams" in command_of(pid)], BACK_S)


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    """Two cameras whose password is a canary."""
    cameras = [FarmCamera(path="cam/1"), FarmCamera(path="cam/2")]
    async with Farm(cameras, password=CANARY, light=1.0) as opened:
        yield opened


CANARY = "canary-7f3a9e-of-the-camera"
WRONG = "canary-0b51c2-that-is-wrong"
OF_DEVICE = "canary-44d8e1-of-the-device"
DEVICE = "34060400001180000001"
SERVER = "34020000002000000001"


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_a_dead_process_is_replaced_and_the_same_socket_goes_on(
    data_folder: Path, farm: Farm, blow: signal.Signals
) -> None:
    async with front(data_folder, farm) as service:
        await service.give("c1", "cam/1")
        async with service.screen("dispatcher", "c1") as screen:
            await screen.plays()
            (worker,) = service.workers("media")
            before = service.workers()
            os.kill(worker, blow)
            await until(lambda: "lost" in screen.states, BACK_S)
            await screen.plays(10)
            assert screen.code is None
            assert decoded(screen.file())[1] >= 10
            assert service.workers("media") != {worker}
            assert service.workers() - service.workers("media") == before - {worker}
            ready = await (await service.as_("leader")).get(f"{service.served.url}/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ready")
            assert await service.figure('restarts{process="media-0"}') >= 1
            assert await service.figure('up{process="media-0"}') == 1
            assert await service.figure("viewers") == 1
        # The one that looks at pictures is replaced as well, and asked again.
        (looker,) = service.workers("health")
        os.kill(looker, signal.SIGKILL)
        await until(lambda: service.workers("health") not in ({looker}, set()), BACK_S)
        for _ in range(100):
            looked = await service.ask("dispatcher", "POST", "/cameras/c1/check")
            if looked.status_code == 200:
                break
            assert looked.status_code in (503, 404), looked.text  # being started, being told
            await quiet(0.2)
        assert looked.json()["status"] == "live"
        for name in ("channels", "cached_bytes", "opens_delayed", 'streams{process="media-0"}'):
            assert await service.figure(name) >= 0, name
        assert await service.figure('opens{process="media-0"}') >= 1


async def test_a_stop_leaves_no_process_and_tells_the_viewers(data_folder: Path, farm: Farm) -> None:
    async with front(data_folder, farm) as service:
        await service.give("c1", "cam/1")
        await service.give("c2", "cam/2")
        async with service.screen("dispatcher", "c1") as one, service.screen("leader", "c2") as two:
            await one.plays()
            await two.plays()
            clip = await service.ask("dispatcher", "POST", "/clips", json={"camera_ids": ["c1"]})
            assert clip.status_code == 201, clip.text
            below = descendants(service.served.process.pid)
            assert len(service.workers()) >= 2
            assert await asyncio.to_thread(service.served.stop) in (0, -signal.SIGTERM)
            for screen in (one, two):
                assert (await screen.over())[0] in (1012, 1001)
        await none_left(below)
        assert farm.sessions() == 0
        log = log_of(service)
        assert "Traceback" not in log
        assert '"level": "error"' not in log


def log_of(service: Front) -> str:
    """What a service has said on its standard error."""
    return Path("/tmp", f"yiping-test-{service.served.port}.log").read_text("utf-8")


async def test_after_a_power_cut_it_is_known_who_watched_and_what_was_lost(
    data_folder: Path, farm: Farm
) -> None:
    async with front(data_folder, farm) as service:
        await service.give("c1", "cam/1")
        async with service.screen("dispatcher", "c1") as screen:
            await screen.plays()
            body = {"camera_ids": ["c1"], "before_s": 5, "after_s": 300}
            (begun,) = (await service.ask("dispatcher", "POST", "/clips", json=body)).json()["items"]
            part = data_folder / "video" / "clips" / begun["id"] / "clip.mp4.part"
            await until(lambda: part.exists(), BACK_S)
            below = descendants(service.served.process.pid)
            service.served.kill()
            await screen.over()
        await none_left(below)  # they notice by themselves that nobody is there any more
        await until(lambda: farm.sessions() == 0, BACK_S)
    async with front(data_folder, farm) as service:

        async def clip() -> dict[str, Any]:
            found: dict[str, Any] = (await service.ask("leader", "GET", f"/clips/{begun['id']}")).json()
            return found

        while (await clip())["state"] == "recording":
            await quiet(0.1)
        assert ((await clip())["state"], (await clip())["reason"]) == ("failed", "interrupted")
        played = await service.ask("leader", "GET", f"/clips/{begun['id']}/video.mp4")
        assert played.status_code == 404
        rows = (await service.ask("leader", "GET", "/viewings", params={"camera_id": "c1"})).json()["items"]
        assert [(row["kind"], row["cut"]) for row in rows] == [("live", True)]
        assert rows[0]["ended_at"]
        async with service.screen("dispatcher", "c1") as screen:  # its source was kept, password and all
            await screen.plays()


async def test_a_password_is_nowhere(data_folder: Path, farm: Farm) -> None:
    """Every answer to every role, every frame, every log line, every process and every byte on the disk."""
    sip = free_port()
    gb = {"YIPING_VIDEO__GB__ENABLED": "true", "YIPING_VIDEO__GB__PORT": str(sip)}
    async with front(data_folder, farm, **gb) as service:
        ids = await seed(service)
        async with (
            listening(service),
            service.screen("dispatcher", "c1") as screen,
            service.screen("leader", "c2") as refused,
        ):
            await screen.plays(20)
            await refused.says("refused")
            assert refused.reason == "unauthorized"
            await stir(service, sip)
            paths = await readable(service)
            assert len(paths) > 40
            for username in ROLES:
                for path in paths:
                    await service.ask(username, "GET", filled(path, ids))
            processes = {service.served.process.pid, *descendants(service.served.process.pid)}
            assert len(processes) >= 4
            seen = [
                file.read_bytes()
                for pid in processes
                for file in (Path(f"/proc/{pid}/cmdline"), Path(f"/proc/{pid}/environ"))
                if file.exists()
            ]
            frames = [str(screen.messages).encode(), *screen.pieces, str(refused.messages).encode()]
        log = log_of(service).encode()
        assert b"reader" in log or b"media" in log
        said = service.said
        assert any(
            b'"viewer"' in body for body in said
        )  # the account is told where it may be; the password never
        check_nowhere({"answers": said, "frames": frames, "processes": seen, "log": [log]})
        check_files(service.data)
    check_files(data_folder)  # also after the last page was written


SECRETS = tuple(secret.encode() for secret in (CANARY, WRONG, OF_DEVICE))


def check_nowhere(places: dict[str, list[bytes]]) -> None:
    """Fail where a secret shows."""
    for name, texts in places.items():
        assert texts, name
        for text in texts:
            assert not [secret for secret in SECRETS if secret in text], (name, text[:200])


def check_files(folder: Path) -> None:
    """Fail where a secret is on the disk other than sealed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(b"cam/1" in path.read_bytes() for path in files)  # what is not sealed is found
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in SECRETS if secret in content], path


async def seed(service: Front) -> dict[str, str]:
    """Enter secrets wherever one can be entered; returns ids for the routes."""
    await service.give("c1", "cam/1")
    await service.give("c2", "cam/2", password=WRONG)
    device = {"name": "水利平台", "password": OF_DEVICE}
    assert (await service.ask("admin", "PUT", f"/gb/devices/{DEVICE}", json=device)).status_code == 200
    report = {"title": "x", "category": "other", "lon": 116.8151, "lat": 33.9052}
    incident = (await service.ask("operator", "POST", "/incidents", json=report)).json()
    body = {"camera_ids": ["c1"], "incident_id": incident["id"], "before_s": 0, "after_s": 4}
    (clip,) = (await service.ask("dispatcher", "POST", "/clips", json=body)).json()["items"]
    return {
        "camera_id": "c1",
        "incident_id": incident["id"],
        "clip_id": clip["id"],
        "device_id": DEVICE,
        "responder_id": "w1",
    }


async def stir(service: Front, sip: int) -> None:
    """Let everything fail that fails with a password in hand."""
    for camera in ("c1", "c2"):
        await service.ask("dispatcher", "POST", f"/cameras/{camera}/check")
        await service.ask("dispatcher", "GET", f"/cameras/{camera}/snapshot.jpg")
        await service.ask("dispatcher", "POST", f"/cameras/{camera}/ptz", json={"action": "stop"})
    source = service.farm.source("cam/1")
    for changes in (
        {"password": WRONG},
        {"password": CANARY},
        {"port": 1},
        {"host": "192.0.2.7"},
        {"path": "none"},
    ):
        tried = {"protocol": "rtsp", "host": source.host, "port": source.port, "path": "cam/1"}
        tried |= {"username": "viewer", "password": WRONG} | changes
        await service.ask("admin", "POST", "/cameras/probe", json={"source": tried})
    asked = {"host": source.host, "port": free_port(), "username": "viewer", "password": CANARY}
    await service.ask("admin", "POST", "/onvif/probe", json=asked)
    service.farm.set_fault("cam/1", "byte_flips")
    service.farm.cut("cam/1")
    for password in (WRONG, OF_DEVICE):
        device = SimulatedDevice(DEVICE, password, ("127.0.0.1", sip), SERVER)
        with contextlib.suppress(StreamError):
            await device.start()
        await device.stop()
    service.farm.set_fault("cam/1", None)
    os.kill(next(iter(service.workers("media"))), signal.SIGKILL)
    await until(lambda: service.workers("media"), BACK_S)


async def readable(service: Front) -> list[str]:
    """Every path that can be read, below ``/api/v1``."""
    document = (await service.ask("admin", "GET", f"{service.served.url}/openapi.json")).json()
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    return [path.removeprefix("/api/v1") for path in paths if path.startswith("/api/v1")]


def filled(path: str, ids: dict[str, str]) -> str:
    """A path with ids in it."""
    path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none"), path)
    return f"{path}?start=2026-11-22T01:00:00Z&end=2026-11-22T02:00:00Z&lon=116.8&lat=33.9&q=x"


@asynccontextmanager
async def listening(service: Front) -> AsyncIterator[None]:
    """Hear the feed as everybody."""

    async def listen(username: str) -> None:
        async with service.socket(username, "/feed") as connection:
            await connection.send('{"type":"hello","protocol":1}')
            with contextlib.suppress(ConnectionClosed):  # an administrator hears nothing of cases
                while True:
                    message = await connection.recv()
                    service.said.append(message if isinstance(message, bytes) else message.encode())

    for username in ROLES:
        await service.as_(username)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(listen(username)) for username in ROLES]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
