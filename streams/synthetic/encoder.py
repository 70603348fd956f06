"""Coding what is drawn, once for everybody who looks, and only while somebody does."""

import asyncio
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import lru_cache
from typing import Final, Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from streams.synthetic.packets import Packetiser, Unit, payloads, split_annexb
from streams.synthetic.profiles import Profile
from streams.synthetic.sound import RATES, Sound

CLOCK_HZ: Final = 90_000
_FRESH_S: Final = 1.0
_OPTIONS: Final = {
    "libx264": {"preset": "ultrafast", "crf": "26", "maxrate": "900k", "bufsize": "900k", "forced-idr": "1"},
    "libx265": {"preset": "ultrafast", "tune": "zerolatency", "crf": "29", "forced-idr": "1"},
}
_X264: Final = "keyint=9999:min-keyint=1:scenecut=0:repeat-headers=1:annexb=1:sliced-threads=0:threads=1"
_X265: Final = (
    "keyint=9999:min-keyint=1:scenecut=0:repeat-headers=1:annexb=1:info=0:log-level=none"
    ":pools=none:frame-threads=1"
)

# One thread: several would only take turns, and all scenes would be late rather than the last.
_draughtsman: Final = ThreadPoolExecutor(1, thread_name_prefix="draw")

Planes = NDArray[np.uint8]


class Drawn(Protocol):
    """Something that can be drawn at any time of the day."""

    @property
    def ready(self) -> bool:
        """Whether a picture can be had at once."""

    def prepare(self, at: float) -> None:
        """Do what takes long before the first picture; may run in another thread."""

    def picture(self, at: float) -> Planes:
        """Return the picture (I420 planes) at a time in seconds since 1970; the same time, the same picture."""


class Listener(Protocol):
    """Somebody who is sent a stream."""

    def unit(self, unit: Unit) -> None:
        """Take an access unit or a packet of sound."""


class Coder:
    """One codec context; `encode` gives access units.

    Args:
        profile: How to code.
        size: Width and height.
    """

    def __init__(self, profile: Profile, size: tuple[int, int]) -> None:
        self.profile = profile
        self.size = size
        name = "libx264" if profile.codec == "h264" else "libx265"
        options = dict(_OPTIONS[name])
        if profile.codec == "h265":
            options["x265-params"] = _X265
        elif profile.bframes:
            options["profile"] = "main"
            options["x264-params"] = (
                f"{_X264}:bframes={profile.bframes}:b-adapt=0:cabac=1:rc-lookahead=0:sync-lookahead=0"
            )
        else:
            options["tune"] = "zerolatency"
            options["x264-params"] = _X264
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, CLOCK_HZ)
        context.framerate = Fraction(profile.fps).limit_denominator(100)
        context.thread_count = 1
        context.options = options
        self._context = context

    def encode(self, planes: Planes, pts: int, *, key: bool) -> list[tuple[tuple[bytes, ...], int, bool]]:
        """Code one picture; returns (NAL units, presentation time, key) of what is finished."""
        height = planes.shape[0] * 2 // 3
        if (planes.shape[1], height) != self.size:
            planes = _resized(planes, self.size)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = pts
        frame.time_base = Fraction(1, CLOCK_HZ)
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        return [
            (_relevant(self.profile.codec, bytes(packet)), int(packet.pts or 0), packet.is_keyframe)
            for packet in self._context.encode(frame)
        ]


def _resized(planes: Planes, size: tuple[int, int]) -> Planes:
    bgr = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    smaller = cv2.cvtColor(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2YUV_I420)
    return np.asarray(smaller, np.uint8)


def _relevant(codec: str, data: bytes) -> tuple[bytes, ...]:
    """Split an access unit, leaving out delimiters and the encoder's remarks about itself."""
    units = split_annexb(data)
    if codec == "h264":
        return tuple(unit for unit in units if unit[0] & 31 not in (6, 9))
    return tuple(unit for unit in units if (unit[0] >> 1) & 63 not in (35, 39, 40))


@lru_cache(maxsize=32)
def parameter_sets(profile: Profile, size: tuple[int, int]) -> tuple[bytes, ...]:
    """Return what the encoder puts before its key frames: SPS and PPS, for H.265 the VPS too."""
    coder = Coder(profile, size)
    grey = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
    pts = 0
    while True:
        done = coder.encode(grey, pts, key=pts == 0)
        if done:
            nals = done[0][0]
            break
        pts += 7200
    if profile.codec == "h264":
        return tuple(unit for unit in nals if unit[0] & 31 in (7, 8))
    return tuple(unit for unit in nals if (unit[0] >> 1) & 63 in (32, 33, 34))


class Encoder:
    """A stream of one drawn scene, shared by all sessions that want it.

    It runs while it has listeners. A newcomer begins with a key frame at once: the present group of pictures
    when that has just begun, a new one otherwise; a glance at an idle scene costs one coded picture. A scene
    that nobody has looked at yet is drawn in another thread first.

    Args:
        drawn: What is seen.
        profile: How it is coded.
        clock: Seconds since 1970.
        ssrc: Of the pictures; the sound has the next one.
    """

    def __init__(self, drawn: Drawn, profile: Profile, clock: Callable[[], float], ssrc: int) -> None:
        self.profile = profile
        self.pictures = 0
        """Pictures coded so far."""
        self.idle_since = clock()
        self._drawn = drawn
        self._clock = clock
        self._coder: Coder | None = None
        self._listeners: set[Listener] = set()
        self._gop: list[Unit] = []
        self._key_at = 0.0
        self._last_pts = 0
        self._timer: asyncio.TimerHandle | None = None
        self._drawing: asyncio.Future[None] | None = None
        self._video = Packetiser(96, ssrc, zlib.crc32(repr(profile).encode()))
        self._sound = Sound(profile.audio, ssrc + 1) if profile.audio else None
        # Streams take turns within the interval, else all of them would code at the same moment.
        self._phase = (ssrc * 0.618) % 1.0

    @property
    def sequence(self) -> int:
        """Number of the next RTP packet of the pictures."""
        return self._video.sequence

    @property
    def ssrc(self) -> int:
        """Of the pictures; the sound has the next one."""
        return self._video.ssrc

    @property
    def sound_rate(self) -> int:
        """Units of the sound's timestamps, per second; 0 without sound."""
        return RATES[self.profile.audio] if self.profile.audio else 0

    @property
    def running(self) -> bool:
        """Whether somebody is looking."""
        return bool(self._listeners)

    def join(self, listener: Listener) -> None:
        """Send the stream to a listener from now on, beginning with a key frame."""
        if not self._drawn.ready:
            self._listeners.add(listener)
            self._draw()
            return
        now = self._clock()
        waits = not self.profile.prompt or self.profile.bframes > 0
        if self._gop and (now - self._key_at < _FRESH_S or (waits and self._listeners)):
            for unit in self._gop:
                listener.unit(unit)
            self._listeners.add(listener)
        else:
            self._listeners.add(listener)
            self._begin()
        if self._timer is None:
            self._schedule()

    def leave(self, listener: Listener) -> None:
        """Stop sending to a listener."""
        self._listeners.discard(listener)
        self.idle_since = self._clock()

    def close(self) -> None:
        """Stop, and free what the codec holds."""
        self._listeners.clear()
        self._gop.clear()
        self._coder = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._drawing is not None:
            self._drawing.remove_done_callback(self._drawn_now)
            self._drawing = None

    def _draw(self) -> None:
        if self._drawing is None:
            loop = asyncio.get_running_loop()
            self._drawing = loop.run_in_executor(_draughtsman, self._drawn.prepare, self._clock())
            self._drawing.add_done_callback(self._drawn_now)

    def _drawn_now(self, done: asyncio.Future[None]) -> None:
        self._drawing = None
        if not done.cancelled() and done.exception() is None and self._listeners and self._timer is None:
            self._begin()
            self._schedule()

    def _begin(self) -> None:
        self._tick(key=True)
        while not self._gop:  # pictures that refer to later ones come out late
            self._tick(key=False)

    def _schedule(self) -> None:
        interval = 1 / self.profile.fps
        now = self._clock()
        due = (int(now / interval - self._phase) + 1 + self._phase) * interval
        self._timer = asyncio.get_running_loop().call_later(max(0.001, due - now), self._due)

    def _due(self) -> None:
        self._timer = None
        if not self._listeners:
            return
        self._tick(key=self._clock() - self._key_at >= self.profile.gop_s - 0.01)
        self._schedule()

    def _tick(self, *, key: bool) -> None:
        now = self._clock()
        size = self.profile.size_at(now)
        if self._coder is None or self._coder.size != size:
            self._coder = Coder(self.profile, size)
            key = True
        if key:
            self._key_at = now
        pts = max(int(now * CLOCK_HZ), self._last_pts + 1 + CLOCK_HZ // 100)
        self._last_pts = pts
        self.pictures += 1
        for nals, shown, is_key in self._coder.encode(self._drawn.picture(now), pts, key=key):
            parts = payloads(self.profile.codec, nals, aggregate=self.profile.aggregate)
            unit = Unit(0, is_key, nals, shown, shown / CLOCK_HZ, self._video.packets(parts, shown))
            if is_key:
                self._gop.clear()
            if self._gop or is_key:
                self._gop.append(unit)
            self._offer(unit)
        if self._sound is not None:
            for unit in self._sound.until(now):
                self._offer(unit)

    def _offer(self, unit: Unit) -> None:
        for listener in tuple(self._listeners):
            listener.unit(unit)
