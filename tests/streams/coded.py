"""Small coded pictures and sound for the tests, made once per process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from streams.media import AudioTrack, VideoCodec, VideoTrack
from streams.nal import split_annex_b

FPS = 25
STEP = 90_000 // FPS

_QUIET = {"libx264": "", "libx265": "log-level=none:pools=1:frame-threads=1"}


@dataclass(frozen=True)
class Coded:
    """A coded stream: access units in decoding order and their times of presentation, in 1/90,000 s."""

    codec: VideoCodec
    width: int
    height: int
    units: tuple[tuple[bytes, ...], ...]
    times: tuple[int, ...]


@cache
def coded(
    codec: VideoCodec = "h264",
    *,
    count: int = 50,
    gop: int = 25,
    bframes: int = 0,
    width: int = 160,
    height: int = 96,
    profile: str | None = None,
    more: str = "",
    noise: int = 0,
) -> Coded:
    """Encode moving stripes; every key frame repeats the parameter sets."""
    name = {"h264": "libx264", "h265": "libx265"}[codec]
    parts = [
        f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={bframes}:repeat-headers=1",
        _QUIET[name],
        more,
    ]
    options = {"preset": "ultrafast", f"{name[3:]}-params": ":".join(filter(None, parts))}
    if profile is not None:
        options["profile"] = profile
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.framerate = Fraction(FPS)
    context.options = options
    chance = np.random.default_rng(1)
    packets = []
    for number in range(count):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, (number * 3) % width :: 16] = 255
        picture[: height // 4, : 8 + number * 2] = (200, 40, 90)
        if noise:
            picture = picture // 2 + chance.integers(0, noise, picture.shape, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return Coded(
        codec,
        width,
        height,
        tuple(tuple(split_annex_b(bytes(packet))) for packet in packets),
        tuple((packet.pts or 0) * STEP for packet in packets),
    )


@cache
def aac(rate: int = 16_000, channels: int = 1, count: int = 40) -> tuple[AudioTrack, tuple[bytes, ...]]:
    """Encode a tone as AAC-LC."""
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.format = rate, "fltp"
    context.layout = "mono" if channels == 1 else "stereo"
    context.open()
    frames: list[bytes] = []
    for number in range(count):
        at = np.arange(number * 1024, (number + 1) * 1024) / rate
        tone = np.repeat(np.sin(2 * np.pi * 440 * at).astype(np.float32)[None] * 0.5, channels, axis=0)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(tone), format="fltp", layout=context.layout.name
        )
        frame.sample_rate = rate
        frames += [bytes(packet) for packet in context.encode(frame)]
    config = bytes(context.extradata or b"")
    return AudioTrack(codec="aac", rate=rate, channels=channels, config=config[:2]), tuple(frames)


@dataclass
class Gathered:
    """A sink that keeps everything."""

    tracks: list[VideoTrack] = field(default_factory=list)
    sounds: list[AudioTrack] = field(default_factory=list)
    pictures: list[tuple[tuple[bytes, ...], int, bool]] = field(default_factory=list)
    heard: list[tuple[bytes, int]] = field(default_factory=list)

    def video(self, track: VideoTrack) -> None:
        self.tracks.append(track)

    def audio(self, track: AudioTrack) -> None:
        self.sounds.append(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self.pictures.append((tuple(nals), timestamp, key))

    def sound(self, data: bytes, timestamp: int) -> None:
        self.heard.append((data, timestamp))
