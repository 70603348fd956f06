"""Key frames made from given pictures."""

from datetime import datetime
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from streams.media import KeyFrame, VideoCodec, VideoTrack
from streams.nal import split_annex_b

_QUIET = {"libx264": "", "libx265": "log-level=none:pools=1:frame-threads=1"}


def key_frame(image: NDArray[np.uint8], taken_at: datetime, codec: VideoCodec = "h264") -> KeyFrame:
    """Encode one picture (blue, green, red) as a camera would send it."""
    name = {"h264": "libx264", "h265": "libx265"}[codec]
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.height, context.width = image.shape[:2]
    context.pix_fmt, context.time_base, context.thread_count = "yuv420p", Fraction(1, 25), 1
    context.options = {"preset": "ultrafast", "crf": "20", f"{name[3:]}-params": _QUIET[name]}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    packets = context.encode(frame.reformat(format="yuv420p")) + context.encode(None)
    units = split_annex_b(b"".join(bytes(packet) for packet in packets))
    sets = tuple(unit for unit in units if _is_parameter_set(unit, codec))
    track = VideoTrack(
        codec=codec,
        width=image.shape[1],
        height=image.shape[0],
        parameter_sets=sets,
        codec_string="avc1.42c01f" if codec == "h264" else "hvc1.1.6.L93.B0",
    )
    nals = tuple(unit for unit in units if not _is_parameter_set(unit, codec))
    return KeyFrame(track=track, nals=nals, taken_at=taken_at)


def _is_parameter_set(unit: bytes, codec: VideoCodec) -> bool:
    return unit[0] & 31 in (7, 8) if codec == "h264" else unit[0] >> 1 & 63 in (32, 33, 34)
