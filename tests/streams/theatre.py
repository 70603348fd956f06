"""A whole video service with drawn cameras, for tests: real processes, real sockets, real pictures."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import msgspec

from streams.clips import ClipDone
from streams.gb28181.messages import DeviceState, GbAlarm, GbCatalog
from streams.health.messages import HealthReport
from streams.media_role import place_of
from streams.service import Video
from streams.source import CameraSpec, Source
from streams.synthetic.farm import Farm, FarmCamera
from streams.wire import StreamState, VideoSettings
from tests.streams.waiting import until

BACK_S = 30.0
"""Longer than anything takes here by itself: the machine may be busy."""
LOOPBACK = ("127.0.0.0/8",)


@dataclass
class Told:
    """What happened by itself."""

    states: list[tuple[str, StreamState]] = field(default_factory=list)
    clips: list[ClipDone] = field(default_factory=list)
    reports: list[HealthReport] = field(default_factory=list)
    alarms: list[GbAlarm] = field(default_factory=list)
    catalogs: list[GbCatalog] = field(default_factory=list)
    devices: list[DeviceState] = field(default_factory=list)

    def state(self, camera_id: str, state: StreamState) -> None:
        self.states.append((camera_id, state))

    def health(self, report: HealthReport) -> None:
        self.reports.append(report)

    def alarm(self, alarm: GbAlarm) -> None:
        self.alarms.append(alarm)

    def catalog(self, catalog: GbCatalog) -> None:
        self.catalogs.append(catalog)

    def device(self, device: DeviceState) -> None:
        self.devices.append(device)

    def clip(self, done: ClipDone) -> None:
        self.clips.append(done)

    def of(self, camera_id: str) -> list[str]:
        return [state.state for id, state in self.states if id == camera_id]


@dataclass
class Tile:
    """A viewer; ``takes`` False: its browser has stopped reading."""

    takes: bool = True
    waiting: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    ended: str | None = None

    def text(self, message: bytes) -> None:
        decoded = msgspec.json.decode(message)
        self.messages.append(decoded)
        self.order.append("state" if "state" in decoded else "config")

    def media(self, payload: bytes) -> None:
        self.pieces.append(payload)
        self.order.append(payload[4:8].decode())
        self.times.append(time.monotonic())
        if not self.takes:
            self.waiting += len(payload)

    def buffered(self) -> int:
        return self.waiting

    def closed(self, reason: str) -> None:
        self.ended = reason

    @property
    def states(self) -> list[str]:
        return [message["state"] for message in self.messages if "state" in message]

    @property
    def configs(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if "codec" in message]

    @property
    def state(self) -> str | None:
        return self.states[-1] if self.states else None

    @property
    def reason(self) -> str | None:
        for message in reversed(self.messages):
            if "state" in message:
                found: str | None = message["reason"]
                return found
        return None

    def file(self) -> bytes:
        """The last init segment and all that followed: a valid file."""
        last = max(at for at, piece in enumerate(self.pieces) if piece[4:8] == b"ftyp")
        return b"".join(self.pieces[last:])


def decoded(data: bytes) -> tuple[str, int]:
    """The coding of a file, and how many of its pictures can be decoded."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.name, sum(1 for _ in container.decode(stream))


@dataclass
class Theatre:
    """The service and its cameras: id ``a`` is the farm's ``cam/a``."""

    farm: Farm
    video: Video
    told: Told
    folder: Path

    def sources(self) -> dict[str, Source]:
        return {path.removeprefix("cam/"): self.farm.source(path) for path in self.farm.cameras}

    def pid(self, camera_id: str) -> int:
        pid = self.video._staff.place(camera_id).pid
        assert pid is not None
        return pid

    async def live(self, tile: Tile) -> None:
        await until(lambda: tile.state == "live" and len(tile.pieces) > 3, BACK_S)


def apart(workers: int = 2) -> tuple[str, str]:
    """Two ids of cameras that belong to different processes."""
    first = "a0"
    for number in range(1, 100):
        if place_of(f"a{number}", workers) != place_of(first, workers):
            return first, f"a{number}"
    raise AssertionError


@asynccontextmanager
async def theatre(cameras: Iterable[str | FarmCamera] = ("a",), **settings: Any) -> AsyncIterator[Theatre]:
    """Start a farm and the service that pulls it."""
    recorder_sessions = settings.pop("recorder_sessions", 16)
    changes = settings.pop("sources", {})
    drawn = [FarmCamera(path=f"cam/{one}") if isinstance(one, str) else one for one in cameras]
    with tempfile.TemporaryDirectory() as folder:
        async with Farm(drawn, light=1.0, recorder_sessions=recorder_sessions) as farm:
            told = Told()
            options = {"networks": LOOPBACK, "linger_s": 0.5, "opens_per_host_per_s": 50, "hang_s": 10.0}
            video = Video(VideoSettings(**(options | settings)), told, Path(folder))
            stage = Theatre(farm, video, told, Path(folder))
            sources = stage.sources() | changes
            video.configure(CameraSpec(id=id, source=source) for id, source in sources.items())
            before = children()
            await video.start()
            try:
                yield stage
            finally:
                await video.stop()
            assert children() == before


def children() -> set[int]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in listed.split()}


async def quiet(seconds: float) -> None:
    """Let something not happen."""
    await asyncio.sleep(seconds)
