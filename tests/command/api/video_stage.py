"""The whole service with drawn cameras behind it: real processes, real sockets, what a browser's tile would get."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from command.api.frames import UVICORN_OPTIONS
from command.api.services import Services
from command.district import District
from command.setting_sections import CameraSettings
from command.video_settings import HealthSettings, VideoSettings
from streams.synthetic.farm import Farm, FarmCamera
from tests.command.api.registry import put, register
from tests.fixtures import Centre, Keys, open_centre
from tests.streams.theatre import BACK_S, Tile, children
from tests.streams.waiting import until

NARROW_BYTES = 4096
"""What the kernel takes for a peer at the narrow door."""
HANG_S = 20.0
"""Longer than a worker may be silent in service: here the machine is shared."""


@dataclass
class Screen(Tile):
    """A tile over a real WebSocket."""

    code: int | None = None
    """With which the server closed it."""

    async def follow(self, connection: ClientConnection, *, talks: bool) -> None:
        """Take in what comes until the connection ends."""
        if talks:
            async with asyncio.TaskGroup() as group:
                talking = group.create_task(_talk(connection))
                await self.follow(connection, talks=False)
                talking.cancel()
            return
        with contextlib.suppress(ConnectionClosed):
            while True:
                message = await connection.recv()
                if isinstance(message, str):
                    self.text(message.encode())
                else:
                    self.media(message)
        self.code, self.ended = connection.close_code, connection.close_reason or ""

    def pictures(self) -> int:
        """How many fragments came."""
        return self.order.count("moof")

    async def plays(self, more: int = 4) -> None:
        """Wait until it is live and more pictures have come."""
        seen = self.pictures()
        await until(lambda: self.state == "live" and self.pictures() >= seen + more, BACK_S)

    async def says(self, state: str) -> None:
        """Wait for a state."""
        await until(lambda: self.state == state, BACK_S)

    async def over(self) -> tuple[int | None, str | None]:
        """Wait until the server has closed it; code and reason."""
        await until(lambda: self.ended is not None, BACK_S)
        return self.code, self.ended


@dataclass
class Stage:
    """The service, its cameras, and its doors."""

    farm: Farm
    centre: Centre
    port: int
    narrow_port: int
    cameras: dict[str, str] = field(default_factory=dict)
    """Camera id → path at the farm."""

    @property
    def services(self) -> Services:
        """What the routers reach."""
        app = self.centre.app
        while not hasattr(app, "state"):
            app = app._app
        found: Services = app.state.services
        return found

    async def cookie(self, username: str) -> str:
        """The cookie header of somebody's one session."""
        client = await self.centre.as_(username)
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    def address(self, camera_id: str, kind: str = "live", **query: str) -> str:
        """Where a tile connects to."""
        return f"ws://127.0.0.1:{self.port}/api/v1/cameras/{camera_id}/{kind}?{httpx2.QueryParams(query)}"

    @asynccontextmanager
    async def screen(
        self,
        username: str | None,
        camera_id: str,
        kind: str = "live",
        *,
        cookie: str = "",
        talks: bool = False,
        **query: str,
    ) -> AsyncIterator[Screen]:
        """Open a tile as somebody; ``h265`` is 1 unless said otherwise. ``talks``: it says things all the time."""
        cookie = cookie or ("" if username is None else await self.cookie(username))
        address = self.address(camera_id, kind, **{"h265": "1", **query})
        headers = {"cookie": cookie} if cookie else {}
        async with connect(address, additional_headers=headers, max_size=None, proxy=None) as connection:
            screen = Screen()
            following = asyncio.create_task(screen.follow(connection, talks=talks))
            try:
                yield screen
            finally:
                await connection.close()
                await following

    async def refused(self, username: str | None, camera_id: str, kind: str = "live", **query: str) -> Any:
        """Open a tile that must be closed at once; code and reason."""
        async with self.screen(username, camera_id, kind, **query) as screen:
            found = await screen.over()
            assert screen.pieces == screen.messages == []
            return found

    async def give(self, camera_id: str, path: str, **changes: Any) -> None:
        """Let a registered camera show what one of the farm does; as an administrator would."""
        answer = await put(
            self.centre, "admin", f"/cameras/{camera_id}", {"source": self.source(path) | changes}
        )
        assert answer.status_code == 200, answer.text
        self.cameras[camera_id] = path

    async def add(self, path: str, **more: Any) -> str:
        """Register a camera for one of the farm; returns its id."""
        camera_id = str((await register(self.centre, source=self.source(path), **more))["id"])
        self.cameras[camera_id] = path
        await self.known(camera_id)
        return camera_id

    async def known(self, camera_id: str) -> None:
        """Wait until the video processes know a camera."""
        await until(lambda: camera_id in self.services.video._staff.cameras, BACK_S)

    def source(self, path: str) -> dict[str, Any]:
        """A farm camera's source as the registry is told it."""
        source = self.farm.source(path)
        return {
            "protocol": source.protocol,
            "host": source.host,
            "port": source.port,
            "path": source.path,
            "username": source.username,
            "password": source.password,
            "transport": source.transport,
        }

    def sessions(self, camera_id: str) -> int:
        """Sessions that play at the farm."""
        return self.farm.sessions(self.cameras[camera_id])

    def fault(self, camera_id: str, kind: Any) -> None:
        """Put a camera out of order, or (None) in order."""
        self.farm.set_fault(self.cameras[camera_id], kind)

    def events(self, type: str) -> list[Any]:
        """The events of one type so far."""
        return [event for event in self.centre.core.log.after(0) if event.type == type]

    async def viewings(self, **query: Any) -> list[dict[str, Any]]:
        """Who watched, as the record has it, newest first."""
        answer = await self.centre.get("leader", "/viewings", **query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def ready(self) -> None:
        """Wait until every process runs."""
        supervisor = self.services.video._staff.supervisor
        await until(lambda: all(process.ready for process in supervisor.processes), 2 * BACK_S)


async def _talk(connection: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await connection.send("{}")
            await asyncio.sleep(0.1)


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[tuple[int, int]]:
    """Serve an app whose lifespan runs elsewhere, at two ports: a wide one, and one that buffers nothing."""
    config = uvicorn.Config(app, log_config=None, lifespan="off", **UVICORN_OPTIONS)
    server = uvicorn.Server(config)
    wide = socket.create_server(("127.0.0.1", 0))
    narrow = socket.create_server(("127.0.0.1", 0))
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW_BYTES)  # its connections inherit this
    task = asyncio.create_task(server.serve(sockets=[wide, narrow]))
    await until(lambda: server.started, BACK_S)
    try:
        yield wide.getsockname()[1], narrow.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def open_stage(
    prepared: tuple[Path, Keys],
    district: District,
    folder: Path,
    cameras: Mapping[str, FarmCamera],
    more: Iterable[FarmCamera] = (),
    *,
    recorder_sessions: int = 16,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Serve a copy of the prepared folder with these cameras.

    Args:
        prepared: Folder and tokens.
        district: Loaded.
        folder: Where the copy goes.
        cameras: Id of a registered camera → what it shows.
        more: Cameras of the farm that are not registered yet.
        recorder_sessions: See `Farm`.
        settings: Of `VideoSettings`.
    """
    data = Path(shutil.copytree(prepared[0], folder / "data"))
    options = {
        "workers": 1,
        "linger_s": 0.5,
        "opens_per_host_per_s": 50,
        "health": HealthSettings(interval_s=86_400, per_host_per_s=50),
    }
    video = VideoSettings(**(options | settings))
    allowed = CameraSettings(
        allowed_networks=("127.0.0.0/8",), allowed_protocols=("rtsp", "http-flv", "gb28181")
    )
    before = children()
    async with (
        Farm([*cameras.values(), *more], light=1.0, recorder_sessions=recorder_sessions) as farm,
        open_centre(data, prepared[1], district, cameras=allowed, video=video) as centre,
        serving(centre.app) as (port, narrow_port),
    ):
        stage = Stage(farm, centre, port, narrow_port)
        stage.services.video._staff.supervisor._hang_s = HANG_S
        for camera_id, camera in cameras.items():
            await stage.give(camera_id, camera.path)
        for camera_id in cameras:
            await stage.known(camera_id)
        await stage.ready()
        yield stage
    assert children() == before
