"""Video as the rest of the program sees it: one object in the web process, everything else behind it.

`Video` joins viewers to channels and passes orders on to the processes (`streams.staff`). It knows cameras by
their id and source; who may see what is decided before it is asked.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from streams.channel import Channel, Seat, Viewer
from streams.clips import ClipOrder
from streams.errors import NoSuchCamera, StreamError, Unreachable, Unsupported
from streams.figures import figures
from streams.gb28181.messages import (
    CatalogOrder,
    ChannelOrder,
    DeviceState,
    GbCatalog,
    GbDevice,
    GbPreset,
    Motion,
    MoveOrder,
    PresetOrder,
    Recording,
    RecordsRequest,
)
from streams.health.messages import CheckOrder, HealthReport, ReferenceOrder, Still, StillOrder
from streams.hub import Hub
from streams.media import KeyFrame
from streams.onvif.messages import (
    OnvifDevice,
    OnvifMove,
    OnvifPreset,
    OnvifQuestion,
    OnvifRecall,
    OnvifTarget,
)
from streams.source import CameraSpec, Source
from streams.staff import Staff, VideoEvents
from streams.wire import Preset, Probe, ProbeOrder, Span, StreamState, Variant, VideoSettings

__all__ = ["Video", "VideoEvents", "Viewer", "Watch"]

T = TypeVar("T")
_SWEEP_S: Final = 1.0
_FIGURES_EVERY: Final = 5
_PROBE_S: Final = 25.0
_DEVICE_S: Final = 15.0
_CHECK_S: Final = 30.0
_RECORDS: Any = list[Recording]
_DEVICES: Any = list[DeviceState]
_PRESETS: Any = list[GbPreset]
_ONVIF_PRESETS: Any = list[OnvifPreset]


class Watch:
    """One viewer's hold on a camera.

    Args:
        hub: Where it sits.
        channel: What it watches.
        seat: Its place.
    """

    __slots__ = ("_channel", "_hub", "_seat")

    def __init__(self, hub: Hub, channel: Channel, seat: Seat) -> None:
        self._hub = hub
        self._channel = channel
        self._seat = seat

    @property
    def skips(self) -> int:
        """How often its viewer was skipped to the next key frame."""
        return self._seat.skips

    def close(self) -> None:
        """Let go; harmless when it was done before. `Viewer.closed` is not called."""
        self._hub.leave(self._channel, self._seat)


class Video:
    """All cameras of one centre.

    Args:
        settings: Bounds and times.
        events: Who hears what happens by itself.
        folder: Where pictures, references and open dialogs are kept.
        encode: Applied once to each piece of media before all its viewers get it, e.g. to frame it.
    """

    def __init__(
        self,
        settings: VideoSettings,
        events: VideoEvents,
        folder: Path,
        encode: Callable[[bytes], bytes] = lambda payload: payload,
    ) -> None:
        self._settings = settings
        self._hub = Hub(
            lambda channel: self._staff.watch(channel),
            lambda channel: self._staff.unwatch(channel),
            encode=encode,
            most_waiting=settings.viewer_buffer_bytes,
            most_stuck_s=settings.viewer_idle_s,
        )
        self._staff = Staff(settings, events, self._hub, folder)
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the processes; returns when they run or are being retried."""
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep(), name="sweep viewers")
        await self._staff.start()

    async def stop(self) -> None:
        """End every watch and process; none is left when this returns."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait((self._sweeping,))
        self._hub.close("stopped")
        await self._staff.stop()

    def configure(self, cameras: Iterable[CameraSpec], movable: Iterable[str] = ()) -> None:
        """Take the full set of cameras; only differences disturb anything. Works before `start` too.

        Args:
            cameras: All of them.
            movable: Ids of those that pan and tilt, whose pictures change without a fault.
        """
        self._staff.configure(cameras, movable)

    def configure_devices(self, devices: Iterable[GbDevice]) -> None:
        """Take the full set of GB/T 28181 devices that may register."""
        self._staff.configure_devices(devices)

    def retry(self, camera_id: str) -> None:
        """Try a camera again now, also a refused one, although its source did not change."""
        self._staff.place(camera_id).note("retry", camera_id)

    def watch(self, camera_id: str, viewer: Viewer, *, h265: bool) -> Watch:
        """Join a viewer; it gets what is cached before this returns.

        Args:
            camera_id: Which camera.
            viewer: Who.
            h265: Whether it can show H.265; otherwise such a camera is encoded anew.

        Raises:
            NoSuchCamera: There is none of that id.
        """
        self._spec(camera_id)
        return Watch(self._hub, *self._hub.join(camera_id, viewer, _variant(h265)))

    def watch_recording(
        self, camera_id: str, viewer: Viewer, start: datetime, end: datetime, *, h265: bool = True
    ) -> Watch:
        """Play what the camera's device has recorded (aware times) for this viewer alone.

        Raises:
            NoSuchCamera: There is none of that id.
            Unsupported: Its source keeps no recordings we can play.
        """
        self._gb(camera_id)
        span = Span(start_s=start.timestamp(), end_s=end.timestamp())
        return Watch(self._hub, *self._hub.join(camera_id, viewer, _variant(h265), span))

    def state(self, camera_id: str) -> StreamState:
        """Return how a camera's stream is doing; idle when nobody watches."""
        return self._hub.state(camera_id)

    async def key_frame(self, camera_id: str) -> KeyFrame:
        """Return the latest key frame of a watched camera, else open it for one.

        Raises:
            StreamError: Why there is none.
        """
        self._spec(camera_id)
        found = await self._staff.key_frame(camera_id, open=True)
        if found is None:
            raise Unreachable("no picture")
        return found

    async def still(self, camera_id: str, *, width: int = 0) -> Still:
        """Return a present picture as JPEG.

        Args:
            camera_id: Which camera.
            width: Most pixels across; 0 leaves the size.

        Raises:
            StreamError: Why there is none.
        """
        spec = self._spec(camera_id)
        invited = spec.source.protocol == "gb28181"
        frame = None
        if invited or self._hub.state(camera_id).state in ("live", "late"):
            frame = await self._staff.key_frame(camera_id, open=invited)
        order = StillOrder(camera_id=camera_id, frame=frame, width=width)
        return await self._ask_health("still", order, Still)

    async def move(self, camera_id: str, motion: Motion) -> None:
        """Move a camera; it stops by itself a second after the last call.

        Raises:
            StreamError: It cannot be moved, or did not answer.
        """
        if target := self._onvif(camera_id):
            move = OnvifMove(target=target, pan=motion.pan, tilt=motion.tilt, zoom=motion.zoom)
            await self._staff.onvif.call("move", move, bool, timeout_s=_DEVICE_S)
            return
        device_id, channel_id = self._gb(camera_id)
        order = MoveOrder(device_id=device_id, channel_id=channel_id, motion=motion)
        await self._staff.gb.call("move", order, bool, timeout_s=_DEVICE_S)

    async def preset(self, camera_id: str, preset: int, *, save: bool = False) -> None:
        """Send a camera to a preset, or save where it looks now as one.

        Raises:
            StreamError: It has none, or did not answer.
        """
        if target := self._onvif(camera_id):
            recall = OnvifRecall(target=target, number=preset, save=save)
            await self._staff.onvif.call("preset", recall, bool, timeout_s=_DEVICE_S)
            return
        device_id, channel_id = self._gb(camera_id)
        order = PresetOrder(
            device_id=device_id, channel_id=channel_id, preset=preset, action="save" if save else "call"
        )
        await self._staff.gb.call("preset", order, bool, timeout_s=_DEVICE_S)

    async def presets(self, camera_id: str) -> list[Preset]:
        """Return the presets a camera has.

        Raises:
            StreamError: It has none, or did not answer.
        """
        if target := self._onvif(camera_id):
            stored: list[OnvifPreset] = await self._staff.onvif.call(
                "presets", target, _ONVIF_PRESETS, timeout_s=_DEVICE_S
            )
            return [Preset(preset=one.number, name=one.name) for one in stored]
        device_id, channel_id = self._gb(camera_id)
        order = ChannelOrder(device_id=device_id, channel_id=channel_id)
        found: list[GbPreset] = await self._staff.gb.call("presets", order, _PRESETS, timeout_s=_DEVICE_S)
        return [Preset(preset=one.preset, name=one.name) for one in found]

    async def record(self, order: ClipOrder) -> None:
        """Start a clip; `VideoEvents.clip` tells when it is there or why not.

        Raises:
            StreamError: It could not even be started.
        """
        self._spec(order.camera_id)
        await self._staff.record(order)

    async def check(self, camera_id: str) -> HealthReport:
        """Look at a camera's picture now.

        Raises:
            StreamError: It could not be done; a camera without a picture is a report, not an error.
        """
        self._spec(camera_id)
        return await self._ask_health("check", CheckOrder(camera_id=camera_id), HealthReport)

    async def accept_reference(self, camera_id: str) -> HealthReport:
        """Take the present picture as what the camera should look like: the fault was a false alarm.

        Raises:
            StreamError: There is no picture.
        """
        self._spec(camera_id)
        return await self._ask_health("accept_reference", ReferenceOrder(camera_id=camera_id), HealthReport)

    async def probe(self, source: Source) -> Probe:
        """Try a source now.

        Raises:
            StreamError: It could not be tried; a source that gives no picture is an answer, not an error.
        """
        place = self._staff.place(f"{source.host}/{source.device_id}")
        return await place.call("probe", ProbeOrder(source=source), Probe, timeout_s=_PROBE_S)

    async def records(self, camera_id: str, start: datetime, end: datetime) -> list[Recording]:
        """Return what the camera's device has recorded between two instants (aware).

        Raises:
            StreamError: It keeps none we can see, or did not answer.
        """
        device_id, channel_id = self._gb(camera_id)
        order = RecordsRequest(device_id=device_id, channel_id=channel_id, start=start, end=end)
        found: list[Recording] = await self._staff.gb.call("records", order, _RECORDS, timeout_s=_DEVICE_S)
        return found

    async def refresh_catalog(self, device_id: str) -> GbCatalog:
        """Ask a GB/T 28181 device for its channels; `VideoEvents.catalog` brings them too.

        Raises:
            StreamError: It did not answer.
        """
        order = CatalogOrder(device_id=device_id)
        return await self._staff.gb.call("catalog", order, GbCatalog, timeout_s=2 * _DEVICE_S)

    async def devices(self) -> list[DeviceState]:
        """Return the GB/T 28181 devices as they are now; none while their process is away."""
        try:
            found: list[DeviceState] = await self._staff.gb.call("devices", None, _DEVICES)
        except StreamError:
            return []
        return found

    def figures(self) -> Mapping[str, float]:
        """Return figures for monitoring, by name (`streams.figures`)."""
        staff = self._staff
        return staff.told | figures(staff.supervisor.processes, self._hub, staff.opens)

    def _spec(self, camera_id: str) -> CameraSpec:
        try:
            return self._staff.cameras[camera_id]
        except KeyError:
            raise NoSuchCamera(camera_id) from None

    async def ask_onvif(self, question: OnvifQuestion) -> OnvifDevice:
        """Ask a device what it is and how it offers its pictures.

        Raises:
            StreamError: Why it does not say.
        """
        return await self._staff.onvif.call("probe", question, OnvifDevice, timeout_s=_PROBE_S)

    def _onvif(self, camera_id: str) -> OnvifTarget | None:
        """Return what to move by ONVIF; None for a camera that is moved another way, or not at all."""
        source = self._spec(camera_id).source
        return OnvifTarget(camera_id=camera_id, source=source) if source.control_port else None

    def _gb(self, camera_id: str) -> tuple[str, str]:
        """Return device and channel of a GB/T 28181 camera."""
        source = self._spec(camera_id).source
        if source.protocol != "gb28181" or not source.device_id or not source.channel_id:
            raise Unsupported("only GB/T 28181 cameras can do that")
        return source.device_id, source.channel_id

    async def _ask_health(self, name: str, order: object, answer: type[T]) -> T:
        if self._settings.health is None:
            raise Unsupported("the health of pictures is switched off")
        return await self._staff.health.call(name, order, answer, timeout_s=_CHECK_S)

    async def _sweep(self) -> None:
        for second in itertools.count():
            await asyncio.sleep(_SWEEP_S)
            self._hub.sweep()
            if second % _FIGURES_EVERY == 0:
                self._staff.ask_figures()


def _variant(h265: bool) -> Variant:
    return "source" if h265 else "h264"
