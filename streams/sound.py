"""Keeps a track of sound without gaps beside a track of pictures.

A player stops when one of two tracks has nothing to play, and gives up pictures when sound has a gap. Cameras
lose sound, switch it off, or describe sound they never send. So the track is filled with silence where it falls
behind the pictures, and sound that runs ahead of them is left out. Sound is aligned to the pictures by when it
arrives, since the clocks of the two have nothing in common that a camera could be trusted to say.
"""

from typing import Final

from streams.media import CLOCK_HZ
from streams.mp4_boxes import AAC_FRAME

_APART_S: Final = 0.2
"""By how much sound may lead or trail the pictures before it is put right."""
_MISSING_S: Final = 0.5
"""How long the pictures go on without sound before silence keeps pace with them."""
_MOST_LOST: Final = 48


def silence(channels: int) -> bytes:
    """Return an AAC-LC frame of silence, for any rate.

    One channel element without any scale factor band, and the end mark (ISO/IEC 14496-3, 4.4.2).
    """
    if channels == 1:
        # single channel element, tag 0; gain; one long window, no bands; no pulse, noise shaping or gain control
        bits = "00000000000000000000000000000"
    else:
        # channel pair element, tag 0; common window; no bands; no mid/side; twice gain and no tools
        bits = "001000010000000000000" + 2 * ("00000000000")
    bits += "111"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


class SoundTrack:
    """Collects AAC frames for the next fragment.

    Args:
        rate: Samples per second.
        channels: 1 or 2.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self._silence = silence(channels)
        self._frames: list[bytes] = []
        self._next = 0
        self._heard = False
        self._expected: int | None = None

    def begin(self, pts: int) -> None:
        """Start at the time of a picture, in 1/90,000 s."""
        self._next = pts * self.rate // CLOCK_HZ
        self._frames = []
        self._heard = False
        self._expected = None

    def add(self, frame: bytes, timestamp: int | None, pts: int) -> None:
        """Take a frame.

        Args:
            frame: One AAC frame.
            timestamp: Its time by the camera's clock, in samples; None where that says nothing.
            pts: Time of the latest picture, in 1/90,000 s.
        """
        behind = pts * self.rate // CLOCK_HZ - self._next
        if timestamp is not None and self._expected is not None:
            lost = (timestamp - self._expected + AAC_FRAME // 2) // AAC_FRAME
            if 0 < lost <= min(_MOST_LOST, (behind + _APART_S * self.rate) // AAC_FRAME):
                self._fill(lost)
                behind -= lost * AAC_FRAME
        self._expected = None if timestamp is None else timestamp + AAC_FRAME
        if behind > _APART_S * self.rate or (not self._heard and behind > 0):
            self._fill(behind // AAC_FRAME)
        elif behind < -_APART_S * self.rate - AAC_FRAME:
            return
        self._heard = True
        self._frames.append(frame)
        self._next += AAC_FRAME

    def take(self, pts: int) -> tuple[int, list[bytes]]:
        """Return (time in samples, frames) up to a picture's time, filled up where there was no sound for long."""
        behind = pts * self.rate // CLOCK_HZ - self._next
        if not self._heard or behind > _MISSING_S * self.rate:
            self._fill(behind // AAC_FRAME)
            self._heard = False
            self._expected = None
        frames = self._frames
        self._frames = []
        return self._next - len(frames) * AAC_FRAME, frames

    def _fill(self, count: int) -> None:
        if count > 0:
            self._frames.extend([self._silence] * count)
            self._next += count * AAC_FRAME
