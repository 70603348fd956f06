"""The processes at work for `Video`: what each must know, what each may ask, and what it tells.

Messages between two of them pass through here: a media process asks the GB/T 28181 process for an invitation, the
health process asks a media process for a key frame of a camera that is watched anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import structlog

from streams.channel import Channel
from streams.clips import ClipDone, ClipOrder
from streams.errors import NoSuchCamera, StreamError, Unsupported
from streams.gb28181.messages import (
    DeviceState,
    DialogEnded,
    GbAlarm,
    GbCatalog,
    GbDevice,
    Release,
)
from streams.health.messages import HealthReport, KeyFrameOrder
from streams.hub import Hub
from streams.link import Link, LinkLost
from streams.media import KeyFrame
from streams.media_role import place_of
from streams.onvif.messages import OnvifConfig
from streams.opens import Opens
from streams.source import CameraSpec
from streams.supervisor import Process, Supervisor
from streams.wire import (
    IDLE,
    CameraChanges,
    CameraState,
    ChannelState,
    KeyFrameWish,
    MediaSetup,
    StreamState,
    VideoSettings,
    WatchOrder,
)

__all__ = ["Staff", "VideoEvents"]

log = structlog.get_logger("streams.staff")

_INVITE_S: Final = 20.0
_SETTLE_S: Final = 0.2
_KEY_FRAME: Any = KeyFrame | None


class VideoEvents(Protocol):
    """What happens by itself. Called in the loop that `Video.start` ran in; nothing here blocks or raises."""

    def state(self, camera_id: str, state: StreamState) -> None:
        """A watched camera's stream changed."""

    def health(self, report: HealthReport) -> None:
        """A camera's picture was looked at."""

    def alarm(self, alarm: GbAlarm) -> None:
        """A device reports an alarm."""

    def catalog(self, catalog: GbCatalog) -> None:
        """A device's catalogue was read (``complete``) or changed."""

    def device(self, device: DeviceState) -> None:
        """A device came, went, or could not register."""

    def clip(self, done: ClipDone) -> None:
        """A clip is finished, or failed."""


class Staff:
    """All processes.

    Args:
        settings: Bounds and times.
        events: Who hears what happens by itself.
        hub: Takes the media.
        folder: Where they keep what they keep.
    """

    def __init__(self, settings: VideoSettings, events: VideoEvents, hub: Hub, folder: Path) -> None:
        self._settings = settings
        self._events = events
        self._hub = hub
        self._folder = folder
        self._clips: dict[str, tuple[ClipOrder, Process]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._health_due: asyncio.TimerHandle | None = None
        self._devices: tuple[GbDevice, ...] = ()
        self._movable: tuple[str, ...] = ()
        self.cameras: dict[str, CameraSpec] = {}
        self.opens = Opens(settings.opens_per_host_per_s)
        self.media_processes = tuple(Process("media", index) for index in range(settings.workers))
        self.told: dict[str, float] = {}
        """Figures of the processes that speak GB/T 28181 and look at pictures, as last asked for."""
        self.gb = Process("gb", 0)
        self.health = Process("health", 0)
        self.onvif = Process("onvif", 0)
        processes = [*self.media_processes, self.onvif]
        if settings.gb is not None:
            processes.append(self.gb)
        if settings.health is not None:
            processes.append(self.health)
        self.supervisor = Supervisor(processes, self, hang_s=settings.hang_s, log_level=settings.log_level)

    async def start(self) -> None:
        """Start them."""
        await self.supervisor.start()

    async def stop(self) -> None:
        """End them; clips that were being written are reported as failed."""
        if self._health_due is not None:
            self._health_due.cancel()
        await self.supervisor.stop()
        for process in self.media_processes:
            self._fail_clips(process)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def place(self, camera_id: str) -> Process:
        """Return the media process a camera belongs to."""
        return self.media_processes[place_of(camera_id, len(self.media_processes))]

    def configure(self, cameras: Iterable[CameraSpec], movable: Iterable[str]) -> None:
        """Take the full set of cameras and pass on what is different."""
        wanted = {spec.id: spec for spec in cameras}
        gone = [camera_id for camera_id in self.cameras if camera_id not in wanted]
        put: dict[Process, list[CameraSpec]] = {}
        drop: dict[Process, list[str]] = {}
        for spec in wanted.values():
            if self.cameras.get(spec.id) != spec:
                put.setdefault(self.place(spec.id), []).append(spec)
        for camera_id in gone:
            drop.setdefault(self.place(camera_id), []).append(camera_id)
        moves = tuple(movable)
        changed = bool(put or drop) or moves != self._movable
        self.cameras, self._movable = wanted, moves
        for process in self.media_processes:
            if process in put or process in drop:
                process.note(
                    "cameras",
                    CameraChanges(put=tuple(put.get(process, ())), drop=tuple(drop.get(process, ()))),
                )
        for camera_id in gone:
            self._hub.drop(camera_id, "gone")
        if changed:
            self._brief_health_soon()

    def configure_devices(self, devices: Iterable[GbDevice]) -> None:
        """Take the full set of GB/T 28181 devices."""
        self._devices = tuple(devices)
        if self.gb.ready and self.gb.link is not None:
            self._later(self._brief_gb(self.gb.link))

    def watch(self, channel: Channel) -> None:
        """Ask for a channel's media."""
        self.place(channel.camera_id).note("watch", _order(channel))

    def unwatch(self, channel: Channel) -> None:
        """Ask for it no more."""
        self.place(channel.camera_id).note("unwatch", channel.number)

    async def key_frame(self, camera_id: str, *, open: bool) -> KeyFrame | None:
        """Return the latest key frame of a camera, from the process that has it.

        Args:
            camera_id: Which camera.
            open: Open it when nobody watches; otherwise None is returned then.
        """
        wish = KeyFrameWish(camera_id=camera_id, open=open)
        found: KeyFrame | None = await self.place(camera_id).call(
            "key_frame", wish, _KEY_FRAME, timeout_s=wish.wait_s + 2
        )
        return found

    def ask_figures(self) -> None:
        """Ask the processes that have figures of their own for them; `told` has them soon."""
        for process in (self.gb, self.health):
            if process.ready:
                self._later(self._take_figures(process))

    async def _take_figures(self, process: Process) -> None:
        prefix = f"{process.role}_"
        for name, value in (await process.call("figures", None, dict[str, float])).items():
            self.told[name if name.startswith(prefix) else prefix + name] = value

    async def record(self, order: ClipOrder) -> None:
        """Begin a clip."""
        process = self.place(order.camera_id)
        self._clips[order.clip_id] = order, process
        try:
            await process.call("record", order, bool)
        except StreamError:
            self._clips.pop(order.clip_id, None)
            raise

    # What `Supervisor` needs of its owner.

    def serve(self, process: Process, link: Link) -> None:
        """Serve what a process may call, by its role."""
        if process.role == "media":
            link.serve("state", CameraState, self._camera_changed)
            link.serve("channel", ChannelState, self._channel_changed)
            link.serve("open_turn", str, self.opens.wait_s)
            link.serve("invite", msgspec.Raw, lambda raw: self._ask_gb("invite", raw))
            link.serve("bye", msgspec.Raw, lambda raw: self._ask_gb("bye", raw))
            link.serve("clip", ClipDone, self._clip_done)
        elif process.role == "gb":
            link.serve("device", DeviceState, self._events.device)
            link.serve("catalog", GbCatalog, self._events.catalog)
            link.serve("alarm", GbAlarm, self._events.alarm)
            link.serve("ended", DialogEnded, self._dialog_ended)
        elif process.role == "health":
            link.serve("key_frame", KeyFrameOrder, self._key_frame_for_health)
            link.serve("report", HealthReport, self._reported)

    async def brief(self, process: Process, link: Link) -> None:
        """Tell a process what it must know before it is of use."""
        if process.role == "gb":
            await self._brief_gb(link)
        elif process.role == "health":
            await self._brief_health(link)
        elif process.role == "onvif":
            await link.call("configure", OnvifConfig(networks=self._settings.networks), bool)
        else:
            count = len(self.media_processes)
            most = self._settings.transcodes
            share = most // count + (process.index < most % count)
            setup = MediaSetup(name=process.name, settings=self._settings, transcodes=share)
            await link.call("setup", setup, bool)
            # From here to the end nothing is awaited, so nothing can change in between.
            mine = tuple(spec for spec in self.cameras.values() if self.place(spec.id) is process)
            link.note("cameras", CameraChanges(put=mine))
            for channel in self._hub:
                if self.place(channel.camera_id) is process:
                    link.note("watch", _order(channel))

    def media(self, process: Process, channel: int, flags: int, payload: bytes) -> None:
        """Pass media to whoever watches."""
        del process
        self._hub.take(channel, flags, payload)

    def lost(self, process: Process) -> None:
        """Tell everybody who watched through a process that it is gone."""
        if process.role != "media":
            return
        state = StreamState(state="lost", reason=LinkLost.code, retry_s=1.0)
        watched = set()
        for channel in self._hub:
            if self.place(channel.camera_id) is process:
                watched.add(channel.camera_id)
                self._hub.channel_changed(channel.number, state)
        for camera_id in self._hub.active():
            if self.place(camera_id) is process:
                new = state if camera_id in watched else IDLE
                self._camera_changed(CameraState(camera_id=camera_id, state=new))
        self._fail_clips(process)
        if self.gb.ready:
            self._later(self._release(process.name))

    # What the processes ask and tell.

    def _camera_changed(self, change: CameraState) -> None:
        if change.camera_id in self.cameras:
            self._hub.camera_changed(change.camera_id, change.state)
            self._events.state(change.camera_id, change.state)

    def _channel_changed(self, change: ChannelState) -> None:
        self._hub.channel_changed(change.channel, change.state)

    def _reported(self, report: HealthReport) -> None:
        if report.camera_id in self.cameras:
            self._events.health(report)

    def _clip_done(self, done: ClipDone) -> None:
        if self._clips.pop(done.clip_id, None) is not None:
            self._events.clip(done)

    def _fail_clips(self, process: Process) -> None:
        for clip_id, (order, writer) in tuple(self._clips.items()):
            if writer is process:
                self._clip_done(
                    ClipDone(
                        clip_id=clip_id,
                        camera_id=order.camera_id,
                        reason=LinkLost.code,
                        detail="the process that wrote it ended",
                    )
                )

    def _dialog_ended(self, ended: DialogEnded) -> None:
        for process in self.media_processes:
            process.note("ended", ended)

    async def _ask_gb(self, name: str, raw: msgspec.Raw) -> msgspec.Raw:
        if self._settings.gb is None:
            raise Unsupported("GB/T 28181 is switched off")
        return await self.gb.call(name, raw, msgspec.Raw, timeout_s=_INVITE_S)

    async def _release(self, name: str) -> None:
        await self.gb.call("release", Release(owner=name), int)

    async def _key_frame_for_health(self, order: KeyFrameOrder) -> KeyFrame | None:
        spec = self.cameras.get(order.camera_id)
        if spec is None:
            raise NoSuchCamera(order.camera_id)
        # The health process can open everything but a channel that must be invited.
        invited = spec.source.protocol == "gb28181"
        if not invited and self._hub.state(spec.id).state not in ("live", "late"):
            return None
        return await self.key_frame(spec.id, open=invited)

    async def _brief_gb(self, link: Link) -> None:
        config = self._settings.gb
        assert config is not None
        folder = config.folder or str(self._folder / "gb28181")
        await link.call(
            "configure", msgspec.structs.replace(config, devices=self._devices, folder=folder), bool
        )

    async def _brief_health(self, link: Link) -> None:
        config, settings = self._settings.health, self._settings
        assert config is not None
        config = msgspec.structs.replace(
            config,
            cameras=tuple(self.cameras.values()),
            movable=self._movable,
            folder=config.folder or str(self._folder / "pictures"),
            networks=settings.networks,
            protocols=settings.protocols,
            files=settings.files,
        )
        await link.call("configure", config, Any)

    def _brief_health_soon(self) -> None:
        # An import changes the registry a thousand times in a second: one message is enough.
        if self.health.ready and self._health_due is None:
            self._health_due = asyncio.get_running_loop().call_later(_SETTLE_S, self._brief_health_now)

    def _brief_health_now(self) -> None:
        self._health_due = None
        if self.health.ready and self.health.link is not None:
            self._later(self._brief_health(self.health.link))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a process was not told", reason=str(error))


def _order(channel: Channel) -> WatchOrder:
    return WatchOrder(
        channel=channel.number, camera_id=channel.camera_id, variant=channel.variant, span=channel.span
    )
