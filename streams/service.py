"""Video as the rest of the program sees it: one object in the web process, everything else behind it.

`Video` starts the processes, tells them which cameras there are, joins viewers to channels and passes orders on.
It knows cameras by their id and source; who may see what is decided before it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from streams.gb28181.messages import DeviceState, GbAlarm, GbChannel, GbDevice, Motion, Recording
from streams.source import CameraSpec, Source
from streams.wire import KeyFrame, Preset, Probe, StreamState, VideoSettings

if TYPE_CHECKING:
    from streams.clips import ClipDone, ClipOrder
    from streams.health.messages import HealthReport, Still

__all__ = ["Video", "VideoEvents", "Viewer", "Watch"]


class Viewer(Protocol):
    """One browser's tile. Nothing here blocks or raises."""

    def text(self, message: bytes) -> None:
        """Take a JSON message: a config or a state."""

    def media(self, payload: bytes) -> None:
        """Take an init segment or whole fragments, as `Video`'s ``encode`` made them; shared with others."""

    def buffered(self) -> int:
        """Return the bytes that were taken and have not left yet."""

    def closed(self, reason: str) -> None:
        """Hear that nothing more will come: ``slow``, ``gone`` (the camera was removed) or ``stopped``."""


class VideoEvents(Protocol):
    """What happens by itself. Called in the loop that `Video.start` ran in; nothing here blocks or raises."""

    def state(self, camera_id: str, state: StreamState) -> None:
        """A watched camera's stream changed."""

    def health(self, report: HealthReport) -> None:
        """A camera's picture was looked at."""

    def alarm(self, alarm: GbAlarm) -> None:
        """A device reports an alarm."""

    def catalog(
        self, device_id: str, channels: Sequence[GbChannel], removed: Sequence[str], complete: bool
    ) -> None:
        """A device's catalogue was read (``complete``) or changed."""

    def device(self, device: DeviceState) -> None:
        """A device came, went, or could not register."""

    def clip(self, done: ClipDone) -> None:
        """A clip is finished, or failed."""


class Watch:
    """One viewer's hold on a camera."""

    def close(self) -> None:
        """Let go; harmless when it was done before. `Viewer.closed` is not called."""
        raise NotImplementedError


class Video:
    """All cameras of one centre.

    Args:
        settings: Bounds and times.
        events: Who hears what happens by itself.
        folder: Where references, pictures, clips and open dialogs are kept.
        encode: Applied once to each piece of media before all its viewers get it, e.g. to frame it.
    """

    def __init__(
        self,
        settings: VideoSettings,
        events: VideoEvents,
        folder: Path,
        encode: Callable[[bytes], bytes] = lambda payload: payload,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Start the processes; returns when they run or are being retried."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End every watch and process; none is left when this returns."""
        raise NotImplementedError

    def configure(self, cameras: Iterable[CameraSpec]) -> None:
        """Take the full set of cameras; only differences disturb anything. Works before `start` too."""
        raise NotImplementedError

    def configure_devices(self, devices: Iterable[GbDevice]) -> None:
        """Take the full set of GB/T 28181 devices that may register."""
        raise NotImplementedError

    def retry(self, camera_id: str) -> None:
        """Try a refused camera again although its source did not change."""
        raise NotImplementedError

    def watch(self, camera_id: str, viewer: Viewer, *, h265: bool) -> Watch:
        """Join a viewer; it gets what is cached before this returns.

        Args:
            camera_id: Which camera; `UnknownCamera` otherwise.
            viewer: Who.
            h265: Whether it can show H.265; otherwise such a camera is encoded anew.
        """
        raise NotImplementedError

    def watch_recording(
        self, camera_id: str, viewer: Viewer, start: datetime, end: datetime, *, h265: bool = True
    ) -> Watch:
        """Play what the camera's device has recorded, from its beginning, for this viewer alone."""
        raise NotImplementedError

    def state(self, camera_id: str) -> StreamState:
        """Return how a camera's stream is doing; idle when nobody watches."""
        raise NotImplementedError

    async def key_frame(self, camera_id: str) -> KeyFrame:
        """Return the latest key frame of a watched camera, else open it for one."""
        raise NotImplementedError

    async def still(self, camera_id: str) -> Still:
        """Return a present picture as JPEG.

        Raises:
            StreamError: Why there is none.
        """
        raise NotImplementedError

    async def move(self, camera_id: str, motion: Motion) -> None:
        """Move a camera; it stops by itself a second after the last call.

        Raises:
            StreamError: It cannot be moved, or did not answer.
        """
        raise NotImplementedError

    async def preset(self, camera_id: str, preset: int, *, save: bool = False) -> None:
        """Send a camera to a preset, or save where it looks now as one."""
        raise NotImplementedError

    async def presets(self, camera_id: str) -> list[Preset]:
        """Return the presets a camera has."""
        raise NotImplementedError

    async def record(self, order: ClipOrder) -> None:
        """Start a clip; `VideoEvents.clip` tells when it is there or why not.

        Raises:
            StreamError: It could not even be started.
        """
        raise NotImplementedError

    async def check(self, camera_id: str) -> HealthReport:
        """Look at a camera's picture now."""
        raise NotImplementedError

    async def accept_reference(self, camera_id: str) -> None:
        """Take the present picture as what the camera should look like: the fault was a false alarm."""
        raise NotImplementedError

    async def probe(self, source: Source) -> Probe:
        """Try a source now."""
        raise NotImplementedError

    async def records(self, camera_id: str, start: datetime, end: datetime) -> list[Recording]:
        """Return what the camera's device has recorded between two instants (aware)."""
        raise NotImplementedError

    async def refresh_catalog(self, device_id: str) -> None:
        """Ask a GB/T 28181 device for its channels; `VideoEvents.catalog` brings them."""
        raise NotImplementedError

    async def devices(self) -> list[DeviceState]:
        """Return the GB/T 28181 devices as they are now."""
        raise NotImplementedError

    def figures(self) -> Mapping[str, float]:
        """Return figures for monitoring, by name (`streams.figures`)."""
        raise NotImplementedError
