"""Fragmented MP4 for Media Source Extensions and for clips: one fragment per picture, as soon as it is there.

All fragments since an init segment, behind it, are a valid file. Nothing is encoded but G.711 sound, which no
browser takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import structlog

from streams.errors import BadMedia
from streams.media import CLOCK_HZ, AudioTrack, VideoTrack
from streams.mp4_boxes import AAC_FRAME, audio_fragment, init_segment, video_head
from streams.sound import SoundTrack
from streams.timeline import Timeline

if TYPE_CHECKING:
    from streams.transcode_audio import AacEncoder

__all__ = ["Config", "Fragment", "Muxer"]

log = structlog.get_logger("streams.fmp4")

_AAC_STRING: Final = "mp4a.40.2"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser must be told before the init segment.

    Attributes:
        codec: Of the picture, as in RFC 6381.
        audio: Of the sound, or None.
        mime: For ``MediaSource.isTypeSupported``.
        width: In pixels.
        height: In pixels.
    """

    codec: str
    audio: str | None
    mime: str
    width: int
    height: int


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """One picture, or the sound that goes before one.

    Attributes:
        data: ``moof`` and ``mdat``.
        key: Whether a player may start here; never for sound.
        track: What it carries.
        pts_90k: Presentation time, in 1/90,000 s.
        dts_90k: Decoding time, in 1/90,000 s; rises within an init segment.
        duration_90k: In 1/90,000 s; the next one's time is what counts.
    """

    data: bytes
    key: bool
    track: Literal["video", "audio"]
    pts_90k: int
    dts_90k: int
    duration_90k: int


class Muxer:
    """A `streams.media.Sink` that makes fragments.

    For each description of the stream ``on_config`` is called, then ``on_init``, then ``on_fragment``, the first
    time with a key frame. Times go on rising over all of them, however the camera's clock jumps.

    Args:
        on_config: Gets what the browser must be told.
        on_init: Gets an init segment.
        on_fragment: Gets a fragment.
    """

    def __init__(
        self,
        on_config: Callable[[Config], None],
        on_init: Callable[[bytes], None],
        on_fragment: Callable[[Fragment], None],
    ) -> None:
        self._on_config = on_config
        self._on_init = on_init
        self._on_fragment = on_fragment
        self._described: VideoTrack | None = None
        self._shown: VideoTrack | None = None
        self._heard: _Sound | None = None
        self._next_heard: _Sound | None = None
        self._timeline: Timeline | None = None
        self._sequence = 0

    def video(self, track: VideoTrack) -> None:
        """See `streams.media.Sink`."""
        self._described = track

    def audio(self, track: AudioTrack) -> None:
        """See `streams.media.Sink`."""
        now = self._next_heard
        if now is not None and now.source == track:
            return
        try:
            self._next_heard = _Sound(track)
        except BadMedia as error:
            log.info("no sound", reason=str(error))

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        """See `streams.media.Sink`."""
        if key:
            self._begin_if_new()
        timeline = self._timeline
        if timeline is None or self._shown is not self._described:
            return
        pts, dts, duration = timeline.place(timestamp)
        heard = self._heard
        if heard is not None:
            self._flush(heard, timeline.latest)
        parts = [b""]
        size = 0
        for nal in nals:
            length = len(nal)
            parts.append(length.to_bytes(4, "big"))
            parts.append(nal)
            size += 4 + length
        self._sequence += 1
        parts[0] = video_head(self._sequence, dts, pts - dts, duration, size, key=key)
        self._on_fragment(Fragment(b"".join(parts), key, "video", pts, dts, duration))

    def sound(self, data: bytes, timestamp: int) -> None:
        """See `streams.media.Sink`."""
        heard, timeline = self._heard, self._timeline
        if heard is None or timeline is None or heard is not self._next_heard:
            return  # sound begins with the first key frame
        heard.add(data, timestamp, timeline.latest)

    def _begin_if_new(self) -> None:
        """Describe what follows, when that is another than before."""
        track, timeline = self._described, self._timeline
        if track is None:
            return
        deeper = timeline is not None and timeline.needed > timeline.depth
        if track is self._shown and self._heard is self._next_heard and not deeper:
            return
        sound = self._next_heard
        try:
            init = init_segment(track, None if sound is None else sound.track)
        except (BadMedia, KeyError) as error:
            log.info("no init segment", reason=str(error))
            return
        if timeline is None:
            self._timeline = Timeline(track.reorder)
        elif (depth := max(track.reorder, timeline.needed)) != timeline.depth:
            timeline.restart(depth)
        self._shown = track
        self._heard = sound
        audio = None if sound is None else _AAC_STRING
        codecs = track.codec_string if audio is None else f"{track.codec_string}, {audio}"
        self._on_config(
            Config(
                codec=track.codec_string,
                audio=audio,
                mime=f'video/mp4; codecs="{codecs}"',
                width=track.width,
                height=track.height,
            )
        )
        self._on_init(init)

    def _flush(self, heard: _Sound, pts: int) -> None:
        """Send the sound up to a picture."""
        time, frames = heard.take(pts)
        if not frames:
            return
        self._sequence += 1
        at = time * CLOCK_HZ // heard.track.rate
        duration = len(frames) * AAC_FRAME * CLOCK_HZ // heard.track.rate
        self._on_fragment(
            Fragment(audio_fragment(self._sequence, time, frames), False, "audio", at, at, duration)
        )


class _Sound:
    """A track of sound, encoded anew where the source is no AAC.

    Args:
        source: What the camera sends.

    Raises:
        BadMedia: It cannot be encoded.
    """

    def __init__(self, source: AudioTrack) -> None:
        self.source = source
        self._encoder: AacEncoder | None = None
        self.track = source
        if source.codec != "aac":
            from streams.transcode_audio import AacEncoder  # loads FFmpeg, which most cameras never need

            self._encoder = AacEncoder(source.codec, source.rate)
            self.track = self._encoder.track
        self._frames = SoundTrack(self.track.rate, self.track.channels)
        self._begun = False

    def add(self, data: bytes, timestamp: int, latest: int) -> None:
        """Take what the camera sent; ``latest`` is the time of the latest picture."""
        if self._encoder is None:
            self._frames.add(data, timestamp, latest)
            return
        for frame in self._encoder.encode(data):
            self._frames.add(frame, None, latest)

    def take(self, latest: int) -> tuple[int, list[bytes]]:
        """Return (time in samples, frames) to send before a picture."""
        if not self._begun:
            self._begun = True
            self._frames.begin(latest)
        return self._frames.take(latest)
