"""AAC in ADTS frames, as devices put it into program streams."""

from typing import Final

from streams.media import CLOCK_HZ, AudioTrack

RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SAMPLES: Final = 1024
_MOST_BYTES: Final = 16 << 10


class AdtsFramer:
    """Cut a stream of ADTS frames; one that is split over two packets is put together."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes, timestamp: int) -> list[tuple[AudioTrack, bytes, int]]:
        """Return (track, frame without header, time in the track's rate) for each whole frame.

        Args:
            data: What came.
            timestamp: Of its first frame that begins here, in 1/90,000 s, unwrapped.
        """
        data = self._left + data
        found: list[tuple[AudioTrack, bytes, int]] = []
        at = 0
        while at + 7 <= len(data):
            if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
                at = data.find(b"\xff", at + 1)
                if at < 0:
                    at = len(data)
                continue
            length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
            header = 7 if data[at + 1] & 1 else 9
            rate_index = data[at + 2] >> 2 & 15
            channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
            if length <= header or rate_index >= len(RATES) or channels not in (1, 2):
                at += 1
                continue
            if at + length > len(data):
                break
            rate = RATES[rate_index]
            object_type = (data[at + 2] >> 6) + 1
            config = (object_type << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big")
            track = AudioTrack(codec="aac", rate=rate, channels=channels, config=config)
            time = timestamp * rate // CLOCK_HZ + _SAMPLES * len(found)
            found.append((track, data[at + header : at + length], time))
            at += length
        self._left = data[at:][-_MOST_BYTES:]
        return found
