"""What our processes say to each other, and the values the rest of the program sees of it.

A camera in a worker, a viewer in the web process and everything between them speak these structs; they travel
over `streams.link` as msgpack. Media does not: it has a header of its own, with these flags.
"""

from typing import Final, Literal

import msgspec

from streams.gb28181.messages import GbConfig
from streams.health.messages import HealthConfig
from streams.source import CameraSpec, Source

CONFIG: Final = 1
"""Flag of a piece of media: the JSON a browser gets before an init segment."""
INIT: Final = 2
"""Flag: an init segment."""
FRAGMENT: Final = 4
"""Flag: a whole fragment."""
KEY: Final = 8
"""Flag of a fragment: a decoder may start here."""

Phase = Literal["idle", "connecting", "live", "late", "lost", "refused", "no_capacity"]
Variant = Literal["source", "h264"]


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera's stream is doing.

    Attributes:
        state: ``idle``: nobody watches; ``late``: no picture for a moment; ``lost``: being tried again;
            ``refused``: not tried again before the camera's source changes; ``no_capacity``: the device or our
            own pool has no room, tried again.
        reason: Code of the error (`streams.errors`), or None.
        detail: A sentence for whoever repairs it, without secrets, or None.
        late_s: Seconds since the last picture, while late.
        retry_s: Seconds until it is tried again, where it is.
    """

    state: Phase
    reason: str | None = None
    detail: str | None = None
    late_s: float | None = None
    retry_s: float | None = None


IDLE: Final = StreamState(state="idle")


class VideoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set about video.

    Attributes:
        workers: Media processes.
        networks: CIDR blocks cameras may be in; none: no camera is opened over the network.
        protocols: Protocols that may be used.
        files: Folder below which ``file`` sources live, or None.
        linger_s: How long a camera is pulled after its last viewer left.
        connect_s: Longest time to open a camera.
        stall_s: Longest time without a picture before it counts as lost.
        late_s: Time without a picture after which a stream is called late.
        backoff_first_s: About how long after the first failure a camera is tried again.
        backoff_most_s: The longest such wait.
        settle_s: Seconds of pictures after which earlier failures are forgotten.
        opens_per_host_per_s: Sessions opened at one host per second; others wait their turn.
        ring_s: Seconds of a watched camera that are kept for clips.
        ring_bytes: Most bytes that all of a worker's cameras keep together.
        transcodes: Most H.265 streams encoded anew at once, over all workers.
        transcode_height_px: Tallest picture encoded anew.
        viewer_buffer_bytes: Bytes waiting for one viewer past which it is skipped to the next key frame.
        viewer_idle_s: A viewer that takes nothing for so long is closed.
        link_buffer_bytes: Bytes waiting for the web process past which a worker skips likewise.
        hang_s: A process not heard of for so long is ended and started again.
        gb: The SIP server for GB/T 28181 devices; None: none runs. Its devices come from `Video.configure_devices`.
        gb_media_ports: First and last port that devices send to; (0, 0): any.
        health: How every camera's picture is looked at in turn; None: none is, and there are no stills. Its
            cameras, folder and admission are ours.
        log_level: Of the processes' own log lines.
    """

    workers: int = 2
    networks: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ("rtsp", "gb28181")
    files: str | None = None
    linger_s: float = 10.0
    connect_s: float = 5.0
    stall_s: float = 5.0
    late_s: float = 1.5
    backoff_first_s: float = 0.5
    backoff_most_s: float = 30.0
    settle_s: float = 10.0
    opens_per_host_per_s: float = 4.0
    ring_s: float = 30.0
    ring_bytes: int = 160 << 20
    transcodes: int = 2
    transcode_height_px: int = 720
    viewer_buffer_bytes: int = 4 << 20
    viewer_idle_s: float = 10.0
    link_buffer_bytes: int = 16 << 20
    hang_s: float = 3.0
    gb: GbConfig | None = None
    gb_media_ports: tuple[int, int] = (0, 0)
    health: HealthConfig | None = None
    log_level: str = "info"


class MediaSetup(msgspec.Struct, frozen=True, kw_only=True):
    """First message to a media worker.

    Attributes:
        name: Of this process.
        settings: As they are in the web process.
        transcodes: This worker's share of the places for encoding.
    """

    name: str
    settings: VideoSettings
    transcodes: int


class CameraChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Cameras that were added or changed, and those that are gone."""

    put: tuple[CameraSpec, ...] = ()
    drop: tuple[str, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a recording at the device, in seconds since 1970."""

    start_s: float
    end_s: float


class WatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Send a camera's media.

    Attributes:
        channel: Number its media carries.
        camera_id: Which camera.
        variant: ``h264``: encoded anew unless the camera sends H.264 itself.
        span: A stretch of the recording instead of the present.
    """

    channel: int
    camera_id: str
    variant: Variant = "source"
    span: Span | None = None


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one channel changed."""

    channel: int
    state: StreamState


class CameraState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a camera's own stream changed."""

    camera_id: str
    state: StreamState


class KeyFrameWish(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a media worker for a camera's latest key frame.

    Attributes:
        camera_id: Which camera.
        open: Open the camera for it when nobody watches; otherwise the answer is None then.
        wait_s: Longest wait for it.
    """

    camera_id: str
    open: bool = False
    wait_s: float = 8.0


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """A place a camera can be sent to by number."""

    preset: int
    name: str


class ProbeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Try a source."""

    source: Source


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a source.

    Attributes:
        ok: A picture came.
        codec: Of the picture.
        width: In pixels.
        height: In pixels.
        audio: Coding of its sound, or None.
        reader: Which of our readers could speak it.
        reason: Code of the error when none came.
        detail: A sentence about it.
    """

    ok: bool
    codec: str | None = None
    width: int = 0
    height: int = 0
    audio: str | None = None
    reader: str | None = None
    reason: str | None = None
    detail: str | None = None


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """What a process says of itself each second.

    Attributes:
        streams: Cameras being pulled.
        live: Of these, with pictures.
        pictures: Pictures since it started.
        bytes: Bytes of media sent since it started.
        skipped: Fragments left out because the web process did not keep up.
        opens: Sessions opened since it started.
        failures: Sessions that ended since it started.
        ring_bytes: Kept for clips.
        transcodes: Streams being encoded anew.
        cpu_s: Processor time since it started.
        rss_bytes: Resident memory.
        open_files: File descriptors.
    """

    streams: int = 0
    live: int = 0
    pictures: int = 0
    bytes: int = 0
    skipped: int = 0
    opens: int = 0
    failures: int = 0
    ring_bytes: int = 0
    transcodes: int = 0
    cpu_s: float = 0.0
    rss_bytes: int = 0
    open_files: int = 0
