"""The farm's cameras as channels of GB/T 28181 devices: live and recorded pictures, motion, alarms."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from streams.errors import StreamError
from streams.gb28181.messages import Motion, Recording
from streams.gb28181.simulated import SimulatedDevice
from streams.gb28181.simulated_media import AccessUnit, Play, SoundPacket
from streams.gb28181.simulated_pages import SimulatedChannel
from streams.synthetic.config import GbPlatform, GbRecorder
from streams.synthetic.encoder import CLOCK_HZ, Coder
from streams.synthetic.farm import Farm
from streams.synthetic.packets import Unit

log = structlog.get_logger("streams.synthetic.recorders")

_HELD_UNITS: Final = 200
_RETRY_S: Final = 2.0
_RETRY_MOST_S: Final = 30.0
_RECORDED_H: Final = 48
# AlarmMethod 5 is the camera's own analysis; AlarmType 2 motion, 6 intrusion, per GB/T 28181.
_ALARMS: Final = ((2, "运动目标检测"), (6, "区域入侵"), (1, "视频丢失"))


class _Follower:
    """Holds what an encoder sends until a coroutine takes it; one that is too slow loses whole groups."""

    def __init__(self) -> None:
        self.units: deque[Unit] = deque()
        self.came = asyncio.Event()
        self._skips = False

    def unit(self, unit: Unit) -> None:
        """See `Listener`."""
        if len(self.units) >= _HELD_UNITS:
            self._skips = True
        if self._skips and unit.track == 0 and unit.key:
            self.units.clear()
            self._skips = False
        if not self._skips:
            self.units.append(unit)
            self.came.set()


class Recorders:
    """All GB/T 28181 devices of a farm.

    Args:
        farm: Whose cameras they are.
        platform: Where they register.
        recorders: The devices.
        alarms_per_hour: Alarms they report, all together.
        seed: Of chance.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        farm: Farm,
        platform: GbPlatform,
        recorders: Sequence[GbRecorder],
        *,
        alarms_per_hour: float = 0.0,
        seed: int = 0,
        clock: Callable[[], float],
    ) -> None:
        self._farm = farm
        self._clock = clock
        self._alarms_per_hour = alarms_per_hour
        self._chance = random.Random(seed)
        self._paths = {channel.channel_id: channel.path for each in recorders for channel in each.channels}
        self.devices = [self._device(each, platform, number) for number, each in enumerate(recorders)]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to register; a platform that is not there yet is tried again."""
        self._tasks = [asyncio.create_task(self._keep_registered(device)) for device in self.devices]
        if self._alarms_per_hour:
            self._tasks.append(asyncio.create_task(self._report_alarms()))

    async def stop(self) -> None:
        """Unregister and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices:
            try:
                async with asyncio.timeout(1.0):
                    await device.stop()
            except (TimeoutError, StreamError):
                await device.stop(unregister=False)

    def _device(self, recorder: GbRecorder, platform: GbPlatform, number: int) -> SimulatedDevice:
        channels = [
            SimulatedChannel(
                channel_id=channel.channel_id,
                name=channel.name,
                parent_id=recorder.device_id,
                civil_code=channel.channel_id[:6],
                lon=channel.lon,
                lat=channel.lat,
                ptz_type=1 if self._farm.head(channel.path) is not None else 3,
            )
            for channel in recorder.channels
        ]
        return SimulatedDevice(
            recorder.device_id,
            recorder.password,
            (platform.host, platform.port),
            platform.server_id,
            channels=channels,
            media=self._media,
            transport=recorder.transport,
            recordings={channel.channel_id: self._recorded() for channel in recorder.channels},
            on_motion=self._moved,
            on_preset=self._preset,
            seed=number,
        )

    async def _keep_registered(self, device: SimulatedDevice) -> None:
        wait_s = _RETRY_S
        while True:
            try:
                await device.start()
                return
            except StreamError as error:
                log.debug("not registered", device=device.device_id, reason=str(error))
                await device.stop(unregister=False)
            await asyncio.sleep(wait_s)
            wait_s = min(_RETRY_MOST_S, wait_s * 1.5)

    async def _report_alarms(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(self._alarms_per_hour / 3600))
            device = self._chance.choice(self.devices)
            if device.channels:
                channel = self._chance.choice(list(device.channels.values()))
                kind, text = self._chance.choice(_ALARMS)
                try:
                    await device.alarm(
                        channel.channel_id,
                        kind=kind,
                        description=text,
                        priority=self._chance.choice((2, 3, 4)),
                        lon=channel.lon,
                        lat=channel.lat,
                    )
                except StreamError as error:
                    log.debug("alarm not taken", reason=str(error))

    # What the channels show

    def _media(self, play: Play) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
        path = self._paths[play.channel_id]
        if play.start is None:
            return self._live(path)
        return self._playback(path, play.start, play.end or play.start + timedelta(hours=1))

    async def _live(self, path: str) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
        follower = _Follower()
        encoder = self._farm.encoder(path)
        encoder.join(follower)
        try:
            while True:
                while follower.units:
                    unit = follower.units.popleft()
                    if unit.track == 0:
                        codec = encoder.profile.codec
                        yield AccessUnit(codec, unit.nals, unit.timestamp, unit.key)
                    elif encoder.profile.audio == "pcma":
                        yield SoundPacket("pcma", unit.nals[0], unit.timestamp * CLOCK_HZ // 8000)
                follower.came.clear()
                try:
                    async with asyncio.timeout(1.0):
                        await follower.came.wait()
                except TimeoutError:
                    pass
                now = self._farm.encoder(path)
                if now is not encoder:  # the camera's fault came or went
                    encoder.leave(follower)
                    encoder = now
                    encoder.join(follower)
        finally:
            encoder.leave(follower)

    async def _playback(
        self, path: str, start: datetime, end: datetime
    ) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
        """Draw the past: the clock in the picture says when it was."""
        shot = self._farm.shot(path)
        scene = self._farm.studio.scene(shot.kind, shot.seed)
        profile = shot.profile
        await asyncio.to_thread(scene.prepare, start.timestamp())
        coder = Coder(profile, profile.size_at(0))
        begun, first, number = self._clock(), start.timestamp(), 0
        while first + number / profile.fps < end.timestamp():
            await asyncio.sleep(max(0.0, begun + number / profile.fps - self._clock()))
            pts = round(number * CLOCK_HZ / profile.fps)
            key = number % round(profile.fps * profile.gop_s) == 0
            for nals, shown, is_key in coder.encode(
                scene.picture(first + number / profile.fps), pts, key=key
            ):
                yield AccessUnit(profile.codec, nals, shown, is_key)
            number += 1

    def _recorded(self) -> list[Recording]:
        """Say that the last two days are recorded, hour by hour, with a gap now and then."""
        hour = datetime.fromtimestamp(self._clock(), UTC).replace(minute=0, second=0, microsecond=0)
        found = []
        for back in range(_RECORDED_H, -1, -1):
            if back and self._chance.random() < 0.06:
                continue
            begin = hour - timedelta(hours=back)
            found.append(
                Recording(
                    start=begin,
                    end=begin + timedelta(hours=1),
                    name=f"{begin:%Y%m%d%H}",
                    file_path=f"/record/{begin:%Y%m%d%H}.ps",
                    size=self._chance.randint(70_000_000, 110_000_000),
                )
            )
        return found

    # What the platform orders

    def _moved(self, channel_id: str, motion: Motion) -> None:
        head = self._farm.head(self._paths.get(channel_id, ""))
        if head is not None:
            head.move(motion.pan, motion.tilt, motion.zoom)

    def _preset(self, channel_id: str, number: int, action: str) -> None:
        head = self._farm.head(self._paths.get(channel_id, ""))
        if head is None:
            return
        if action == "save":
            head.store(number)
        elif action == "call":
            head.goto(number)
        elif action == "remove":
            head.forget(number)
