"""A camera inside a media worker: pulled once, muxed once, sent to every channel that asks for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from streams.libav.slots import Slots
from streams.link import Link
from streams.media import AudioTrack, KeyFrame, Sink, VideoTrack
from streams.output import Counters, Output
from streams.pull import Pull, Readers
from streams.ring import Budget, Ring
from streams.source import CameraSpec
from streams.variant import H264Variant
from streams.wire import (
    CameraState,
    ChannelState,
    StreamState,
    Variant,
    VideoSettings,
    WatchOrder,
)

__all__ = ["Watched", "Worker"]


class Worker:
    """What all cameras of a media process share.

    Args:
        link: To the web process.
        settings: Bounds and times.
        readers: Who can read a camera.
        permit: Waits until a session may be opened at a host.
        slots: Places for encoding.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        link: Link,
        settings: VideoSettings,
        readers: Readers,
        permit: Callable[[str], Awaitable[None]],
        slots: Slots,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.link = link
        self.settings = settings
        self.readers = readers
        self.permit = permit
        self.slots = slots
        self.clock = clock
        self.budget = Budget(settings.ring_bytes)
        self.counters = Counters()

    def output(self, keep_s: float) -> Output:
        """Return a new output."""
        return Output(self.link, self.budget, keep_s, self.settings.link_buffer_bytes, self.counters)


class Watched:
    """One camera.

    Args:
        spec: The camera.
        worker: What it shares with the others.
        channel: Of a recording, whose states concern this channel alone; None: the camera's present.
        readers: Who reads the recording.
    """

    def __init__(
        self, spec: CameraSpec, worker: Worker, channel: int | None = None, readers: Readers | None = None
    ) -> None:
        self._worker = worker
        self._recording = channel
        self._channels: dict[int, Variant] = {}
        self._output = worker.output(0.0 if channel is not None else worker.settings.ring_s)
        self._variant: H264Variant | None = None
        self._track: VideoTrack | None = None
        self._sound: AudioTrack | None = None
        self._key: tuple[Sequence[bytes], float] | None = None
        self.pull = Pull(
            spec,
            worker.settings,
            readers or worker.readers,
            self._make_sink,
            self._changed,
            worker.permit,
            once=channel is not None,
            clock=worker.clock,
        )

    @property
    def ring(self) -> Ring:
        """The last seconds."""
        return self._output.ring

    @property
    def encoding(self) -> bool:
        """Whether it takes a place of the transcoder pool."""
        return self._variant is not None and self._variant.coder is not None

    def key_frame(self) -> KeyFrame | None:
        """Return the latest key frame of the present session, if there is one."""
        if self._track is None or self._key is None:
            return None
        nals, taken_s = self._key
        return KeyFrame(track=self._track, nals=tuple(nals), taken_at=datetime.fromtimestamp(taken_s, tz=UTC))

    def watch(self, order: WatchOrder) -> None:
        """Send a channel what it asks for."""
        if order.channel in self._channels:
            return
        self._channels[order.channel] = order.variant
        if order.variant == "source":
            self._output.join(order.channel)
        else:
            self._join_h264(order.channel)
        self._tell(order.channel, self.pull.state if order.variant == "source" else self._variant_state)
        self.pull.hold()

    def unwatch(self, channel: int) -> None:
        """Send a channel nothing any more."""
        if self._channels.pop(channel, None) is None:
            return
        self._output.leave(channel)
        if self._variant is not None:
            self._variant.output.leave(channel)
            if "h264" not in self._channels.values():
                self._drop_variant()
        self.pull.release()

    def tick(self, now_s: float) -> None:
        """Do what is due."""
        self.pull.tick(now_s)
        if self._variant is not None:
            self._variant.tick(now_s)

    def forgettable(self, now_s: float) -> bool:
        """Whether nothing is known of it that a new object would not know."""
        return not self._channels and self.pull.forgettable(now_s)

    async def close(self) -> None:
        """End everything."""
        self._drop_variant()
        await self.pull.close()
        self._output.close()

    def video(self, track: VideoTrack) -> None:
        """Hear what the pictures are coded in."""
        self._track = track
        for channel, variant in self._channels.items():
            if variant == "h264":
                self._output.leave(channel)
                self._join_h264(channel)
        if self._variant is not None:
            if track.codec == "h264":  # the camera was set up differently: no need to encode any more
                self._drop_variant()
            else:
                self._variant.begin(track, self._sound)

    def audio(self, track: AudioTrack) -> None:
        """Hear what the sound is coded in."""
        self._sound = track
        if self._variant is not None and self._variant.coder is not None:
            self._variant.coder.audio(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        """See a picture pass."""
        if key:
            self._key = nals, time.time()
        self._worker.counters.pictures += 1
        if self._variant is not None and self._variant.coder is not None:
            self._variant.coder.picture(nals, timestamp, key=key)

    def sound(self, data: bytes, timestamp: int) -> None:
        """Hear sound pass."""
        if self._variant is not None and self._variant.coder is not None:
            self._variant.coder.sound(data, timestamp)

    def _make_sink(self) -> Sink:
        self._gone()
        self._worker.counters.opens += 1
        return _Both(self._output.sink(), self)

    def _gone(self) -> None:
        self._track = self._sound = self._key = None
        self._output.off()
        if self._variant is not None:
            self._variant.off()

    def _join_h264(self, channel: int) -> None:
        """Give a channel H.264, once it is known what the camera sends."""
        if self._track is None:
            return
        if self._track.codec == "h264":
            self._output.join(channel)
            return
        if self._variant is None:
            self._variant = H264Variant(
                self.pull.spec.id,
                self._worker.output(0.0),
                self._worker.slots,
                self._worker.settings.transcode_height_px,
                self._variant_changed,
                self._worker.clock,
            )
            self._variant.begin(self._track, self._sound)
        self._variant.output.join(channel)

    def _drop_variant(self) -> None:
        if self._variant is not None:
            self._variant.off()
            self._variant.output.close()
            self._variant = None

    @property
    def _variant_state(self) -> StreamState:
        """What viewers of the H.264 are told: the camera's state unless encoding is what is wrong."""
        state = self.pull.state
        if self._variant is not None and self._track is not None and state.state == "live":
            return self._variant.state
        return state

    def _changed(self, state: StreamState) -> None:
        if state.state in ("idle", "lost", "refused", "no_capacity"):
            self._gone()
        if state.state == "idle":
            self._output.ring.empty()
        if state.state in ("lost", "refused", "no_capacity"):
            self._worker.counters.failures += 1
        if self._recording is None:
            self._worker.link.note("state", CameraState(camera_id=self.pull.spec.id, state=state))
            self._variant_changed(state)
        else:
            for channel in self._channels:
                self._tell(channel, state)

    def _variant_changed(self, _: StreamState) -> None:
        for channel, variant in self._channels.items():
            if variant == "h264":
                self._tell(channel, self._variant_state)

    def _tell(self, channel: int, state: StreamState) -> None:
        self._worker.link.note("channel", ChannelState(channel=channel, state=state))


class _Both:
    """A camera's own muxer, and the camera looking on."""

    __slots__ = ("_camera", "_muxer")

    def __init__(self, muxer: Sink, camera: Watched) -> None:
        self._muxer = muxer
        self._camera = camera

    def video(self, track: VideoTrack) -> None:
        self._camera.video(track)
        self._muxer.video(track)

    def audio(self, track: AudioTrack) -> None:
        self._camera.audio(track)
        self._muxer.audio(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self._muxer.picture(nals, timestamp, key=key)
        self._camera.picture(nals, timestamp, key=key)

    def sound(self, data: bytes, timestamp: int) -> None:
        self._muxer.sound(data, timestamp)
        self._camera.sound(data, timestamp)
