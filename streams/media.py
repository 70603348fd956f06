"""What every reader of a camera delivers, whatever protocol it speaks: tracks, pictures and sound.

Readers call a `Sink` synchronously as packets come in; nothing is queued between the socket and the muxer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

VideoCodec = Literal["h264", "h265"]
AudioCodec = Literal["aac", "pcma", "pcmu"]

CLOCK_HZ: int = 90_000
"""Units of every video timestamp, per second."""


class VideoTrack(msgspec.Struct, frozen=True, kw_only=True):
    """What a decoder must know before the first picture.

    Attributes:
        codec: Family of the coding.
        width: Of the shown picture, in pixels, cropping applied.
        height: Of the shown picture, in pixels, cropping applied.
        parameter_sets: NAL units without start codes: SPS, PPS for H.264; VPS, SPS, PPS for H.265.
        codec_string: As in RFC 6381, e.g. ``avc1.64001f``.
        reorder: Pictures by which output order may trail decoding order; 0 without B-frames.
    """

    codec: VideoCodec
    width: int
    height: int
    parameter_sets: tuple[bytes, ...]
    codec_string: str
    reorder: int = 0


class AudioTrack(msgspec.Struct, frozen=True, kw_only=True):
    """What a decoder must know before the first sound.

    Attributes:
        codec: Coding as it comes from the device.
        rate: Samples per second; also the units of the track's timestamps.
        channels: 1 or 2.
        config: AudioSpecificConfig for AAC, empty otherwise.
    """

    codec: AudioCodec
    rate: int
    channels: int
    config: bytes = b""


class KeyFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One picture that needs no other: what a still, a thumbnail and a health check are made from.

    Attributes:
        track: What its decoder must know first.
        nals: The access unit, as `Sink.picture` takes it.
        taken_at: When it came from the device, aware UTC.
    """

    track: VideoTrack
    nals: tuple[bytes, ...]
    taken_at: datetime


class Sink(Protocol):
    """Where a reader puts what it has read. Never blocks, never raises."""

    def video(self, track: VideoTrack) -> None:
        """Take the description of the pictures that follow; comes again when it changes mid-stream."""

    def audio(self, track: AudioTrack) -> None:
        """Take the description of the sound that follows."""

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        """Take one access unit.

        Args:
            nals: Its slices, and SEI where kept, without start codes, parameter sets or delimiters.
            timestamp: Presentation time in 1/90,000 s, unwrapped: it does not jump at 2³².
            key: A decoder may start here.
        """

    def sound(self, data: bytes, timestamp: int) -> None:
        """Take one audio frame (AAC) or packet (G.711); ``timestamp`` in units of the track's rate."""


class Reader(Protocol):
    """One way to get the media of one camera."""

    async def run(self, sink: Sink) -> None:
        """Open the camera and deliver until cancelled; closes everything it opened, also when cancelled.

        Raises:
            StreamError: Why it ended; every other way to end is a bug.
        """
