"""The soft noise of a street, coded once and sent over and over."""

from functools import lru_cache
from typing import Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

from streams.synthetic.packets import Packetiser, Unit

LOOP_S: Final = 4.096
_CATCH_UP_S: Final = 0.5
RATES: Final = {"aac": 16_000, "pcma": 8_000}
SAMPLES: Final = {"aac": 1024, "pcma": 320}
PAYLOAD_TYPES: Final = {"aac": 97, "pcma": 8}


@lru_cache(maxsize=2)
def street(rate: int) -> NDArray[np.int16]:
    """Return a few seconds of distant traffic that end as they begin."""
    rng = np.random.default_rng(7)
    count = int(LOOP_S * rate)
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    hz = np.fft.rfftfreq(count, 1 / rate)
    spectrum *= 1 / np.maximum(hz, 60) ** 1.1 * (hz > 50)
    noise = np.fft.irfft(spectrum, count)
    # Two cars pass in the loop: louder and quieter again, never quite silent.
    t = np.arange(count) / rate
    swell = 0.45 + 0.4 * np.exp(-(((t - 1.2) / 0.5) ** 2)) + 0.25 * np.exp(-(((t - 2.9) / 0.4) ** 2))
    wave = noise / np.abs(noise).max() * swell * 3500
    return np.asarray(wave, np.int16)


@lru_cache(maxsize=2)
def frames(codec: Literal["aac", "pcma"]) -> tuple[tuple[bytes, ...], bytes]:
    """Return the coded loop, frame by frame, and the decoder's configuration."""
    rate = RATES[codec]
    context = av.CodecContext.create("aac" if codec == "aac" else "pcm_alaw", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate = rate
    context.layout = "mono"
    context.format = "fltp" if codec == "aac" else "s16"
    if codec == "aac":
        context.bit_rate = 24_000
    samples, step = street(rate), SAMPLES[codec]
    found: list[bytes] = []
    for start in range(0, len(samples) - step + 1, step):
        piece = samples[start : start + step].reshape(1, -1)
        if codec == "aac":
            frame = av.AudioFrame.from_ndarray(
                (piece / 32768).astype(np.float32), format="fltp", layout="mono"
            )
        else:
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = start
        found += [bytes(packet) for packet in context.encode(frame)]
    return tuple(found), bytes(context.extradata or b"")


class Sound:
    """The sound track of one encoder.

    Args:
        codec: Coding.
        ssrc: Of the track.
    """

    def __init__(self, codec: Literal["aac", "pcma"], ssrc: int) -> None:
        self._codec = codec
        self._frames, self._config = frames(codec)
        self._step_s = SAMPLES[codec] / RATES[codec]
        self._packetiser = Packetiser(PAYLOAD_TYPES[codec], ssrc)
        self._next = 0

    def until(self, now: float) -> list[Unit]:
        """Return the sound up to a time, in seconds since 1970; long pauses are skipped."""
        last = int(now / self._step_s)
        first = max(self._next, last - int(_CATCH_UP_S / self._step_s))
        self._next = last
        return [self._unit(number) for number in range(first, last)]

    def _unit(self, number: int) -> Unit:
        data = self._frames[number % len(self._frames)]
        # RFC 3640, AAC-hbr: one 16-bit header, 13 bits of size.
        payload = (16).to_bytes(2, "big") + (len(data) << 3).to_bytes(2, "big") + data
        timestamp = number * SAMPLES[self._codec]
        packets = self._packetiser.packets([payload if self._codec == "aac" else data], timestamp)
        return Unit(1, False, (data,), timestamp, number * self._step_s, packets)
