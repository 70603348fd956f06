"""One FFmpeg child: opens one source, or encodes one stream anew, until standard input closes."""

from __future__ import annotations

import math
import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import av
import av.error
import av.logging
import msgspec
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streams.errors import BadMedia, StreamError, Unauthorized, Unreachable, Unsupported
from streams.libav import pipe
from streams.libav.fetch import opener
from streams.libav.peers import foreign_peers
from streams.media import CLOCK_HZ, AudioTrack, VideoCodec
from streams.source import Source

GOP_S: Final = 2.0
"""Seconds between the key frames of what is encoded here."""
PACE_SLACK_S: Final = 3.0
"""A file or playlist further behind than this starts its clock anew."""
_AHEAD_S: Final = 0.3
_CONTAINERS: Final = "mov,mp4,m4a,3gp,matroska,webm,mpegts,mpeg,flv,avi,h264,hevc"
_PROTOCOLS: Final = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "http-flv": "http,https,tcp,tls",
    "hls": "http,https,tcp,tls",
    "file": "file",
}
_CLOCK: Final = Fraction(1, CLOCK_HZ)


class Output:
    """Frames to the worker; a worker that is gone ends the process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def put(self, kind: int, body: bytes) -> None:
        """Write one frame at once."""
        try:
            self._file.write(pipe.frame(kind, body))
            self._file.flush()
        except OSError:
            os._exit(0)


def main() -> int:
    """Read the order, carry it out."""
    av.logging.set_level(av.logging.PANIC)  # FFmpeg's own lines name addresses with credentials
    source, out = sys.stdin.buffer, Output(sys.stdout.buffer)
    body = read_frame(source)
    if body is None:
        return 0
    order = msgspec.msgpack.decode(body[1], type=pipe.Open | pipe.Transcode)
    try:
        if isinstance(order, pipe.Open):
            threading.Thread(target=_watch, args=(source,), daemon=True).start()
            deliver(order, out)
        else:
            encode(order, source, out)
    except StreamError as error:
        out.put(pipe.FAILED, msgspec.msgpack.encode((error.code, str(error))))
    except av.error.HTTPUnauthorizedError:
        out.put(
            pipe.FAILED, msgspec.msgpack.encode((Unauthorized.code, "the device refused the credentials"))
        )
    except (av.error.FFmpegError, OSError) as error:
        # The text of the exception names the address it was for; the reason alone does not.
        out.put(
            pipe.FAILED, msgspec.msgpack.encode((Unreachable.code, error.strerror or type(error).__name__))
        )
    except Exception as error:  # whatever a hostile stream makes of us, the worker hears that it was us
        out.put(pipe.FAILED, msgspec.msgpack.encode((BadMedia.code, type(error).__name__)))
    return 0


def read_frame(source: BinaryIO) -> tuple[int, bytes] | None:
    """Return the next frame's kind and body, or None at the end."""
    head = source.read(pipe.HEADER.size)
    if len(head) < pipe.HEADER.size:
        return None
    length, kind = pipe.HEADER.unpack(head)
    if not 1 <= length <= pipe.MOST_BYTES:
        return None
    body = source.read(length - 1)
    return (kind, body) if len(body) == length - 1 else None


def _watch(source: BinaryIO) -> None:
    while source.read(65_536):
        pass
    os._exit(0)


def _url(source: Source, address: str, file: str) -> str:
    """Return the address as FFmpeg wants it. It stays inside this process."""
    if source.protocol == "file":
        return file
    login = ""
    if source.username is not None and source.protocol not in ("http-flv", "hls"):
        login = f"{quote(source.username, safe='')}:{quote(source.password or '', safe='')}@"
    scheme: str = source.protocol
    if source.protocol in ("http-flv", "hls"):
        scheme = "https" if source.effective_port == 443 else "http"
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{login}{host}:{source.effective_port}/{source.path}"


def _open(order: pipe.Open) -> InputContainer:
    source = order.source
    options = {"protocol_whitelist": _PROTOCOLS[source.protocol]}
    keywords: dict[str, object] = {}
    if source.protocol in ("rtsp", "rtsps"):
        options |= {"rtsp_transport": source.transport if source.protocol == "rtsp" else "tcp"}
        options |= {"probesize": "262144", "analyzeduration": "1000000", "reorder_queue_size": "64"}
    elif source.protocol == "file":
        options |= {"format_whitelist": _CONTAINERS}
    elif source.protocol in ("http-flv", "hls"):
        options |= {"http_persistent": "0", "http_multiple": "0"} if source.protocol == "hls" else {}
        keywords["io_open"] = opener(source, order.address, order.timeout_s)
        if source.protocol == "http-flv":
            keywords["format"] = "flv"
    url = _url(source, order.address, order.file)
    return av.open(url, options=options, timeout=(order.timeout_s, order.timeout_s), **keywords)  # type: ignore[call-overload,no-any-return]


def deliver(order: pipe.Open, out: Output) -> None:
    """Open the source and write what it sends until it ends.

    Raises:
        StreamError: It cannot be used.
    """
    clock = Pace() if order.source.protocol in ("file", "hls") else None
    shift = 0
    while True:
        last = _once(order, out, clock, shift)
        if order.source.protocol != "file":
            return
        shift = last + CLOCK_HZ // 25


def _once(order: pipe.Open, out: Output, clock: Pace | None, shift: int) -> int:
    """Play the source once; returns the last timestamp written."""
    with _open(order) as container:
        if not container.streams.video:
            raise Unsupported("the source has no video")
        video = container.streams.video[0]
        audio = next((s for s in container.streams.audio if s.codec_context.name in _AUDIO), None)
        name = video.codec_context.name
        codec: VideoCodec | None = {"h264": "h264", "hevc": "h265"}.get(name)  # type: ignore[assignment]
        if codec is None and name not in ("mjpeg", "mpeg4", "mpeg2video", "vp8", "vp9", "av1", "mpeg1video"):
            raise Unsupported(f"video coding {name}")
        passing = None
        if codec is not None:
            kind = "h264_mp4toannexb" if codec == "h264" else "hevc_mp4toannexb"
            passing = BitStreamFilterContext(kind, video)
        encoder = None
        if codec is None:
            encoder = Encoder(order.height_px)
            out.put(pipe.ENCODES, b"")
        sound = Sound(audio, out) if audio is not None else None
        last, looked_at = shift, 0.0
        for packet in container.demux(*([video, audio] if audio is not None else [video])):
            if time.monotonic() - looked_at > 5:
                looked_at = time.monotonic()
                if order.address and foreign_peers(order.address):
                    raise Unreachable("the device sent us to another host")
            if not packet.size:
                continue
            if clock is not None and packet.dts is not None and packet.time_base is not None:
                clock.wait(float(packet.dts * packet.time_base) + shift / CLOCK_HZ)
            if packet.stream is video:
                for unit in _units(packet, passing, encoder, video):
                    stamp = unit[1] + shift
                    last = max(last, stamp)
                    out.put(pipe.UNIT, pipe.pack_unit(codec or "h264", unit[0], stamp))
            elif sound is not None:
                sound.put(packet, shift)
        return last


def _units(
    packet: Packet[Any], passing: BitStreamFilterContext | None, encoder: Encoder | None, video: VideoStream
) -> Iterator[tuple[list[bytes], int]]:
    if encoder is not None:
        for image in packet.decode():
            assert isinstance(image, VideoFrame)
            yield from encoder.put(image, _stamp(image.pts, image.time_base))
        return
    assert passing is not None
    for plain in passing.filter(packet):
        when = plain.pts if plain.pts is not None else plain.dts
        nals = pipe.split_annexb(bytes(plain))
        if nals:
            yield nals, _stamp(when, plain.time_base or video.time_base)


def _stamp(value: int | None, base: Fraction | None) -> int:
    if value is None or base is None:
        return int(time.monotonic() * CLOCK_HZ)
    return int(value * base * CLOCK_HZ)


class Pace:
    """Lets stored pictures out at the speed they were taken."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def wait(self, at_s: float) -> None:
        """Return when ``at_s`` of the media's time has come."""
        now = time.monotonic()
        if self._offset is None or abs(now - self._offset - at_s) > PACE_SLACK_S:
            self._offset = now - at_s
        time.sleep(max(0.0, self._offset + at_s - now - _AHEAD_S))


_AUDIO: Final = {"aac": "aac", "pcm_alaw": "pcma", "pcm_mulaw": "pcmu"}


class Sound:
    """Passes on AAC and G.711; other codings are left out."""

    def __init__(self, stream: av.AudioStream, out: Output) -> None:
        self._out = out
        context = stream.codec_context
        self._rate = context.rate or 8000
        codec = _AUDIO[context.name]
        config = bytes(context.extradata or b"")
        self._adts = codec == "aac" and not config
        track = AudioTrack(codec=codec, rate=self._rate, channels=context.channels or 1, config=config)  # type: ignore[arg-type]
        self._track: AudioTrack | None = track
        if not self._adts:
            self._tell()

    def _tell(self) -> None:
        if self._track is not None:
            self._out.put(pipe.AUDIO, msgspec.msgpack.encode(self._track))
            self._track = None

    def put(self, packet: Packet[Any], shift: int) -> None:
        """Write one packet."""
        data = bytes(packet)
        if self._adts:
            if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF0 != 0xF0:
                return
            if self._track is not None:
                config = adts_config(data)
                self._track = msgspec.structs.replace(self._track, config=config)
            data = data[7 if data[1] & 1 else 9 :]
        self._tell()
        when = packet.pts if packet.pts is not None else packet.dts
        stamp = _stamp(when, packet.time_base) + shift
        self._out.put(pipe.SOUND, pipe.STAMP.pack(stamp * self._rate // CLOCK_HZ) + data)


def adts_config(data: bytes) -> bytes:
    """Return the AudioSpecificConfig that an ADTS header implies.

    >>> adts_config(bytes.fromhex("fff15080000000")).hex()
    '1210'
    """
    profile = (data[2] >> 6) + 1
    rate = (data[2] >> 2) & 15
    channels = ((data[2] & 1) << 2) | (data[3] >> 6)
    return struct.pack(">H", profile << 11 | rate << 7 | channels << 3)


class Encoder:
    """Pictures in, H.264 access units out, at most ``height_px`` tall."""

    def __init__(self, height_px: int) -> None:
        self._height_px = height_px
        self._context: VideoCodecContext | None = None
        self._key_at = -math.inf

    def put(self, image: VideoFrame, stamp: int) -> Iterator[tuple[list[bytes], int]]:
        """Yield the NAL units, parameter sets included, and timestamp of what is ready."""
        scale = min(1.0, self._height_px / image.height)
        width, height = (int(image.width * scale) & ~1) or 2, (int(image.height * scale) & ~1) or 2
        context = self._context
        if context is None or (context.width, context.height) != (width, height):
            context = self._context = _h264(width, height)
            self._key_at = -math.inf
        small = image.reformat(width=width, height=height, format="yuv420p")
        small.pts, small.time_base = stamp, _CLOCK
        due = not 0 <= stamp - self._key_at < GOP_S * CLOCK_HZ
        small.pict_type = av.video.frame.PictureType.I if due else av.video.frame.PictureType.NONE
        if due:
            self._key_at = stamp
        for packet in context.encode(small):
            yield pipe.split_annexb(bytes(packet)), packet.pts if packet.pts is not None else stamp


def _h264(width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = _CLOCK
    context.framerate = Fraction(25)
    context.thread_count = 1
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": "26",
        "forced-idr": "1",
        "x264-params": "keyint=infinite:scenecut=0:repeat-headers=1",
    }
    return context


def encode(order: pipe.Transcode, source: BinaryIO, out: Output) -> None:
    """Decode what comes on standard input and write it as H.264 until it ends."""
    decoder = av.CodecContext.create("hevc" if order.codec == "h265" else "h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    encoder = Encoder(order.height_px)
    while (got := read_frame(source)) is not None:
        if got[0] != pipe.UNIT:
            continue
        _, nals, stamp = pipe.unpack_unit(got[1])
        packet = Packet(b"".join(b"\0\0\0\1" + nal for nal in nals))
        packet.pts, packet.time_base = stamp, _CLOCK
        try:
            images = decoder.decode(packet)
        except av.error.FFmpegError:
            continue  # a damaged picture; the next key frame mends it
        for image in images:
            for unit, when in encoder.put(image, image.pts if image.pts is not None else stamp):
                out.put(pipe.UNIT, pipe.pack_unit("h264", unit, when))


if __name__ == "__main__":
    sys.exit(main())
