"""From one key frame to a picture, and from a picture to JPEG.

Nothing is decoded from anywhere but a key frame: a decoder that starts in the middle of a group of pictures draws
on grey, and grey looks like a fault.
"""

from typing import Final

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from streams.errors import BadMedia
from streams.media import VideoCodec, VideoTrack

Image = NDArray[np.uint8]
"""Rows × columns × blue, green, red."""

_DECODERS: Final[dict[VideoCodec, str]] = {"h264": "h264", "h265": "hevc"}
_START_CODE: Final = b"\0\0\0\1"
# A parameter set can claim 16,384 × 16,384 pixels in a few bytes; no camera here has more than 8K.
_MOST_PIXELS: Final = 7680 * 4320
THUMBNAIL_PX: Final = 320
PICTURE_PX: Final = 1280


def decode(track: VideoTrack, nals: tuple[bytes, ...]) -> Image:
    """Decode one access unit.

    Args:
        track: What the decoder must know first.
        nals: A key frame's units without start codes.

    Raises:
        BadMedia: There is no whole picture in it.
    """
    context = av.CodecContext.create(_DECODERS[track.codec], "r")
    if not isinstance(context, VideoCodecContext):
        raise BadMedia(f"{track.codec} is no picture coding")
    context.thread_count = 1
    context.options = {"max_pixels": str(_MOST_PIXELS), "err_detect": "explode"}
    data = b"".join(_START_CODE + nal for nal in (*track.parameter_sets, *nals))
    try:
        frames = context.decode(av.Packet(data)) or context.decode(None)
    except (av.FFmpegError, MemoryError, ValueError) as error:
        raise BadMedia(f"the picture cannot be decoded: {error}") from None
    if not frames:
        raise BadMedia("no picture in the access unit")
    return _image(frames[0])


def _image(frame: VideoFrame) -> Image:
    if not frame.key_frame:
        raise BadMedia("not a key frame")
    if frame.is_corrupt:
        raise BadMedia("the picture is damaged")
    try:
        image = frame.to_ndarray(format="bgr24")
    except (av.FFmpegError, ValueError) as error:
        raise BadMedia(f"the picture cannot be converted: {error}") from None
    return np.asarray(image, np.uint8)


def shrink(image: Image, width: int) -> Image:
    """Return the picture at most `width` pixels wide, its shape kept."""
    rows, columns = image.shape[:2]
    if columns <= width:
        return image
    size = (width, max(1, round(rows * width / columns)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encode_jpeg(image: Image, quality: int = 80) -> bytes:
    """Return the picture as JPEG."""
    done, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise BadMedia("the picture cannot be encoded")
    return data.tobytes()
