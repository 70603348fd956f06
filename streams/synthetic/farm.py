"""Many drawn cameras behind one RTSP port."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final, Self
from zoneinfo import ZoneInfo

from streams.source import Source
from streams.synthetic.challenge import Challenge
from streams.synthetic.config import FarmCamera
from streams.synthetic.encoder import Encoder
from streams.synthetic.faults import PICTURE_FAULTS, Fault, FaultKind, Schedule
from streams.synthetic.head import Head
from streams.synthetic.profiles import PROFILES
from streams.synthetic.rtsp_server import Outlet, RtspServer
from streams.synthetic.sites import scene_of
from streams.synthetic.studio import Shot, Studio

__all__ = ["Farm", "FarmCamera"]

_TIDY_S: Final = 5.0


class Farm:
    """Drawn cameras that are pulled like real ones.

    ::

        async with Farm(3) as farm:
            reader = RtspReader(farm.source("cam/1"), Admission(["127.0.0.0/8"]))

    Args:
        cameras: The cameras, or how many: ``cam/1`` … ``cam/N``, all alike.
        username: Account all of them have; None lets everybody in.
        password: Its password; by default a random one, see `source`.
        host: Address to listen on.
        port: 0 takes a free one; `port` says which.
        basic: Offer Basic authentication beside Digest.
        seed: Of the faults that come by themselves.
        fault_share: Share of the cameras that are faulty by themselves at any time.
        recorder_sessions: Sessions a recorder serves at once.
        zone: Time zone of their clocks.
        light: Fixes the light, 1 day to 0 night; None follows the clock.
        clock: Seconds since 1970.
        timeout_s: A session from which nothing came for so long is closed.
    """

    def __init__(
        self,
        cameras: int | Iterable[FarmCamera],
        *,
        username: str | None = "viewer",
        password: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        basic: bool = False,
        seed: int = 0,
        fault_share: float = 0.0,
        recorder_sessions: int = 16,
        zone: str = "Asia/Shanghai",
        light: float | None = None,
        clock: Callable[[], float] = time.time,
        timeout_s: float = 60.0,
    ) -> None:
        if isinstance(cameras, int):
            cameras = [FarmCamera(path=f"cam/{number}") for number in range(1, cameras + 1)]
        self.cameras = {camera.path: camera for camera in cameras}
        self.host = host
        self.port = port
        self._username = username
        self._password = password or secrets.token_urlsafe(12)
        self._numbers = {path: number for number, path in enumerate(self.cameras)}
        self._outlets = {
            path: Outlet(
                profile=PROFILES[camera.profile],
                transport="udp" if camera.udp_only else "any",
                recorder=camera.recorder,
                limit=recorder_sessions if camera.recorder else 0,
            )
            for path, camera in self.cameras.items()
        }
        self._clock = clock
        self._schedule = Schedule(seed, fault_share) if fault_share else None
        self._heads = {path: Head(clock) for path, camera in self.cameras.items() if camera.ptz}
        self._set: dict[str, Fault | None] = {}
        self._due: dict[str, tuple[float, Fault | None]] = {}
        self.studio = Studio(ZoneInfo(zone), clock, hour=light)
        challenge = Challenge(username, self._password, basic=basic)
        self.server = RtspServer(self, challenge, clock, timeout_s=timeout_s)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self.port = await self.server.start(self.host, self.port)
        self._task = asyncio.create_task(self._tidy())

    async def stop(self) -> None:
        """Close the port, every session and every encoder."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.server.stop()
        self.studio.tidy(everything=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def source(self, path: str) -> Source:
        """Return how to reach a camera, with its credentials."""
        camera = self.cameras.get(path)
        return Source(
            protocol="rtsp",
            host=self.host,
            port=self.port,
            path=path,
            username=self._username,
            password=self._password if self._username is not None else None,
            transport="udp" if camera is not None and camera.udp_only else "tcp",
        )

    def set_fault(self, path: str, kind: FaultKind | None) -> None:
        """Put a camera out of order, or in order again, whatever the schedule says."""
        self._set[path] = None if kind is None else Fault(kind=kind, since=self._clock())
        self.server.refresh(path)

    def cut(self, path: str) -> None:
        """Close the running sessions of a camera; a new one may begin at once."""
        self.server.cut(path)

    def sessions(self, path: str | None = None) -> int:
        """Return how many sessions play: of one camera, or of all."""
        return self.server.playing(path)

    def head(self, path: str) -> Head | None:
        """Return what turns a camera, if it can be turned."""
        return self._heads.get(path)

    # What the server asks

    def outlet(self, path: str) -> Outlet | None:
        """See `Cameras`."""
        return self._outlets.get(path)

    def fault(self, path: str) -> Fault | None:
        """See `Cameras`."""
        if path in self._set:
            return self._set[path]
        if self._schedule is None or path not in self._numbers:
            return None
        now = self._clock()
        due, fault = self._due.get(path, (0.0, None))
        if now >= due:  # asked for with every picture; looked up once a second
            fault = self._schedule.fault(self._numbers[path], now)
            self._due[path] = (now + 1.0, fault)
        return fault

    def encoder(self, path: str) -> Encoder:
        """See `Cameras`."""
        return self.studio.encoder(self.shot(path))

    def shot(self, path: str) -> Shot:
        """Return what a camera shows at present."""
        camera = self.cameras[path]
        fault = self.fault(path)
        kind = fault.kind if fault is not None and fault.kind in PICTURE_FAULTS else None
        since = fault.since if fault is not None and kind == "frozen" else 0.0
        return Shot(
            scene_of(camera.site), camera.seed, PROFILES[camera.profile], kind, since, self.head(path)
        )

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_S)
            self.studio.tidy()
