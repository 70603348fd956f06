"""Small real streams, coded once per run."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np

from streams.media import AudioTrack, VideoCodec, VideoTrack
from streams.nal import split_annex_b

Unit = tuple[tuple[bytes, ...], bool]


@lru_cache
def coded(
    codec: VideoCodec, pictures: int = 50, gop: int = 10, size: tuple[int, int] = (320, 176)
) -> tuple[Unit, ...]:
    """Access units (NAL units, key) of a picture that moves."""
    name = "libx264" if codec == "h264" else "libx265"
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, 25)
    context.framerate = Fraction(25)
    context.thread_count = 1
    if codec == "h264":
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1:annexb=1",
        }
    else:
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x265-params": (
                f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1:annexb=1:log-level=none:"
                "pools=none:frame-threads=1"
            ),
        }
    across, down = np.meshgrid(np.arange(size[0]), np.arange(size[1] * 3 // 2))
    scene = ((across // 2 + down // 3) % 200 + (across * down % 23)).astype(np.uint8)
    units: list[Unit] = []
    for number in range(pictures):
        frame = av.VideoFrame.from_ndarray(np.roll(scene, number * 2, 1), format="yuv420p")
        frame.pts = number
        units += [
            (tuple(split_annex_b(bytes(packet))), packet.is_keyframe) for packet in context.encode(frame)
        ]
    units += [(tuple(split_annex_b(bytes(packet))), packet.is_keyframe) for packet in context.encode(None)]
    return tuple(units)


class Seen:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.tracks: list[VideoTrack] = []
        self.sounds: list[AudioTrack] = []
        self.pictures: list[tuple[tuple[bytes, ...], int, bool]] = []
        self.heard: list[tuple[bytes, int]] = []

    def video(self, track: VideoTrack) -> None:
        self.tracks.append(track)

    def audio(self, track: AudioTrack) -> None:
        self.sounds.append(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self.pictures.append((tuple(nals), timestamp, key))

    def sound(self, data: bytes, timestamp: int) -> None:
        self.heard.append((data, timestamp))
