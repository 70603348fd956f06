"""G.711, as most cameras send sound, into AAC, as browsers take it."""

from typing import Final, Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from streams.errors import BadMedia
from streams.media import AudioTrack

_FRAME: Final = 1024
_MOST_BYTES: Final = 64 << 10
_BIT_RATE: Final = 24_000
_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)

Floats = np.ndarray[tuple[int], np.dtype[np.float32]]


def _a_law() -> Floats:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(
        exponent > 0, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0), (mantissa << 4) + 8
    )
    return (np.where(code & 0x80, size, -size) / 32768).astype(np.float32)


def _mu_law() -> Floats:
    code = ~np.arange(256) & 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


TABLES: Final = {"pcma": _a_law(), "pcmu": _mu_law()}
"""The sample, from -1 to 1, that each byte stands for."""


class AacEncoder:
    """Encodes one channel of G.711, frame by frame.

    Args:
        codec: ``pcma`` (A-law) or ``pcmu`` (µ-law).
        rate: Samples per second; kept.

    Attributes:
        track: What comes out.

    Raises:
        BadMedia: AAC has no such rate.
    """

    def __init__(self, codec: Literal["pcma", "pcmu"], rate: int) -> None:
        if rate not in _RATES:
            raise BadMedia(f"sound of {rate} Hz")
        self._table = TABLES[codec]
        self._held = np.empty(0, np.float32)
        context = av.CodecContext.create("aac", "w")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = rate
        context.layout = "mono"
        context.format = "fltp"
        context.bit_rate = _BIT_RATE
        context.open()
        self._context = context
        self._rate = rate
        # AAC-LC, the rate's index, one channel
        config = (2 << 11 | _RATES.index(rate) << 7 | 1 << 3).to_bytes(2, "big")
        self.track = AudioTrack(codec="aac", rate=rate, channels=1, config=config)

    def encode(self, data: bytes) -> list[bytes]:
        """Take a packet of G.711 and return the AAC frames that are whole now."""
        samples = self._table[np.frombuffer(data[:_MOST_BYTES], np.uint8)]
        if len(self._held):
            samples = np.concatenate((self._held, samples))
        out: list[bytes] = []
        whole = len(samples) - len(samples) % _FRAME
        for start in range(0, whole, _FRAME):
            frame = av.AudioFrame.from_ndarray(
                samples[None, start : start + _FRAME], format="fltp", layout="mono"
            )
            frame.sample_rate = self._rate
            out.extend(bytes(packet) for packet in self._context.encode(frame))
        self._held = samples[whole:].copy()
        return out
