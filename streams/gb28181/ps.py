"""MPEG program stream in RTP payloads, taken apart as it comes.

Devices differ in what they mark: the end of a picture is the RTP marker where that tells the truth, or else the
next picture's time. Damage is skipped up to the next pack; nothing that can be sent makes this fail, and what is
kept is bounded.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from streams.errors import Unsupported
from streams.gb28181.adts import AdtsFramer
from streams.media import CLOCK_HZ, AudioTrack, VideoCodec
from streams.nal import split_annex_b

_PACK: Final = b"\x00\x00\x01\xba"
_START: Final = re.compile(rb"\x00\x00\x01[\xb9-\xff]")  # an elementary stream has none of these codes
_VIDEO_TYPES: Final[dict[int, VideoCodec]] = {0x1B: "h264", 0x24: "h265"}
_AAC, _PCMA, _PCMU = 0x0F, 0x90, 0x91
_MOST_UNIT_BYTES: Final = 8 << 20
_MOST_UNNAMED_UNITS: Final = 50
_JUMP: Final = 10 * CLOCK_HZ
_USUAL_STEP: Final = CLOCK_HZ // 25


class Taker(Protocol):
    """Who takes what a program stream holds."""

    def unit(self, codec: VideoCodec, nals: Sequence[bytes], timestamp: int) -> None:
        """Take one access unit: NAL units without start codes, time in 1/90,000 s, unwrapped."""

    def audio(self, track: AudioTrack) -> None:
        """Take the description of the sound that follows."""

    def sound(self, data: bytes, timestamp: int) -> None:
        """Take sound; time in units of the track's rate."""


class Timeline:
    """Times that wrap, made to run on; a device that starts its clock anew does not make them jump.

    Args:
        bits: After how many they wrap.
    """

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last = 0
        self._offset = 0
        self._begun = False

    def at(self, raw: int) -> int:
        """Return the time that a raw value means."""
        if not self._begun:
            self._begun = True
            self._last = raw
            return raw
        half = self._size >> 1
        time = self._last + (raw + self._offset - self._last + half) % self._size - half
        if abs(time - self._last) > _JUMP:
            wanted = self._last + _USUAL_STEP
            self._offset += wanted - time
            time = wanted
        self._last = time
        return time


class Demuxer:
    """Take one stream apart.

    Args:
        taker: Gets what is found, synchronously.
    """

    def __init__(self, taker: Taker) -> None:
        self.damaged = 0
        self._taker = taker
        self._buffer = bytearray()
        self._need = 4
        self._synced = False
        self._endless = False
        self._after_video = False
        self._declared: VideoCodec | None = None
        self._proven: VideoCodec | None = None
        self._foreign_type: int | None = None
        self._unnamed = 0
        self._audio_type = 0
        self._audio: AudioTrack | None = None
        self._adts = AdtsFramer()
        self._parts: list[bytes] = []
        self._size = 0
        self._pts: int | None = None
        self._rtp = 0
        self._unit_rtp = 0
        self._emitted: tuple[int | None, int] | None = None
        self._trust_marker = True
        self._trust_pts = True
        self._pts_times = Timeline(33)
        self._sound_times = Timeline(33)
        self._rtp_times = Timeline(32)

    def feed(self, payload: bytes, timestamp: int, *, marker: bool) -> None:
        """Take the payload of the next RTP packet.

        Args:
            payload: Program stream bytes.
            timestamp: Of the packet, as it came.
            marker: Whether the packet says that it ends a picture.

        Raises:
            Unsupported: The stream holds pictures of a coding that is not ours.
        """
        if self._buffer and payload.startswith(_PACK):
            self._cut_off()
        self._rtp = timestamp
        self._buffer += payload
        if len(self._buffer) >= self._need or marker:
            self._parse()
        if marker and self._parts and self._trust_marker:
            if self._endless:
                self._more(bytes(self._buffer))
                self._buffer.clear()
                self._endless = False
                self._need = 4
            if not self._buffer:
                self._flush()

    def lost(self) -> None:
        """Packets are missing here: what they belonged to is dropped."""
        self.damaged += 1
        self._buffer.clear()
        self._drop_unit()
        self._synced = self._endless = self._after_video = False
        self._need = 4

    def end(self) -> None:
        """Give out what is left."""
        if self._endless:
            self._cut_off()
        self._flush()

    def _cut_off(self) -> None:
        """A pack begins where a unit should go on: its length was wrong."""
        if self._endless:
            self._more(bytes(self._buffer))
            self._endless = False
        else:
            self.damaged += 1
            self._drop_unit()
        self._buffer.clear()
        self._need = 4

    def _parse(self) -> None:
        buffer = self._buffer
        at, size = 0, len(buffer)
        self._need = 4
        while size - at >= 4:
            if self._endless:
                at = self._run_on(at)
                if self._endless:
                    break
                continue
            if not self._synced or buffer[at : at + 3] != b"\0\0\1" or buffer[at + 3] < 0xB9:
                moved = self._resync(at)
                if moved < 0:
                    at = max(at, size - 3)
                    break
                at = moved
                continue
            length = self._length(at)
            if length > size - at:
                self._need = length
                break
            self._take(at, length)
            at += length
        del buffer[:at]
        self._need = max(4, self._need)

    def _length(self, at: int) -> int:
        """Return the bytes of the unit at ``at``; more than there are when that cannot be said yet."""
        buffer = self._buffer
        left = len(buffer) - at
        code = buffer[at + 3]
        if code == 0xB9:
            return 4
        if code == 0xBA:
            if left < 14:
                return 14
            return 14 + (buffer[at + 13] & 7) if buffer[at + 4] >> 6 == 1 else 12
        if left < 6:
            return 6
        length = int.from_bytes(buffer[at + 4 : at + 6], "big")
        if length == 0 and 0xE0 <= code <= 0xEF:
            return 9 if left < 9 else 9 + buffer[at + 8]
        return 6 + length

    def _take(self, at: int, length: int) -> None:
        buffer = self._buffer
        code = buffer[at + 3]
        self._after_video = False
        if code == 0xBC:
            self._map(bytes(buffer[at : at + length]))
        elif 0xC0 <= code <= 0xEF:
            video = code >= 0xE0
            start = at + 9 + buffer[at + 8] if length >= 9 else at + length + 1
            endless = video and buffer[at + 4 : at + 6] == b"\0\0"
            if start > at + length or buffer[at + 6] >> 6 != 2:
                self.damaged += 1
                return
            pts = None
            if buffer[at + 7] & 0x80 and buffer[at + 8] >= 5:
                p = buffer[at + 9 : at + 14]
                pts = (p[0] >> 1 & 7) << 30 | p[1] << 22 | p[2] >> 1 << 15 | p[3] << 7 | p[4] >> 1
            data = bytes(buffer[start : at + length])
            if video:
                self._begin(pts)
                self._more(data)
                self._endless = endless
                self._after_video = True
            else:
                self._sound(data, pts)

    def _run_on(self, at: int) -> int:
        """Take what belongs to a picture of unsaid length; return where the next unit begins."""
        found = _START.search(self._buffer, at)
        end = found.start() if found else len(self._buffer) - 3
        if end > at:
            self._more(bytes(self._buffer[at:end]))
        self._endless = found is None
        return max(at, end)

    def _resync(self, at: int) -> int:
        """Return where to go on, or −1 when that has not come yet."""
        if self._synced and self._after_video:
            # Some devices count the length of a large picture modulo 65,536: what follows belongs to it.
            self._endless = True
            if not self._parts and self._emitted is not None and self._rtp == self._emitted[1]:
                self._trust_marker = False
            return at
        if self._synced:
            self.damaged += 1
            self._synced = False
        found = self._buffer.find(_PACK, at)
        if found >= 0:
            self._synced = True
        return found

    def _begin(self, pts: int | None) -> None:
        """A picture, or the next part of one, begins."""
        if self._parts:
            same = pts is None or pts == self._pts
            if same and self._rtp == self._unit_rtp:
                return
            if pts is not None and same:
                self._trust_pts = False  # its clock stands still
            self._flush()
        elif self._emitted is not None and pts in (None, self._emitted[0]) and self._rtp == self._emitted[1]:
            self._trust_marker = False  # the picture went on after its marker
        self._pts, self._unit_rtp = pts, self._rtp

    def _more(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MOST_UNIT_BYTES:
            self.damaged += 1
            self._drop_unit()
            self._synced = self._endless = self._after_video = False
        elif data:
            self._parts.append(data)

    def _drop_unit(self) -> None:
        self._parts.clear()
        self._size = 0

    def _flush(self) -> None:
        if not self._parts:
            return
        data = b"".join(self._parts)
        self._drop_unit()
        self._emitted = (self._pts, self._unit_rtp)
        nals = split_annex_b(data)
        self._proven = _sniffed(nals) or self._proven
        codec = self._proven or self._declared
        if codec is None:
            self._unnamed += 1
            if self._foreign_type is not None and self._unnamed > _MOST_UNNAMED_UNITS:
                raise Unsupported(f"pictures of stream type {self._foreign_type:#04x}")
            return
        rtp = self._rtp_times.at(self._unit_rtp)
        if self._pts is not None and self._trust_pts:
            time = self._pts_times.at(self._pts)
        else:
            time = rtp
        if nals:
            self._taker.unit(codec, nals, time)

    def _map(self, unit: bytes) -> None:
        """Read a program stream map."""
        if len(unit) < 12:
            return
        at = 10 + int.from_bytes(unit[8:10], "big")
        end = min(at + 2 + int.from_bytes(unit[at : at + 2], "big"), len(unit))
        at += 2
        while at + 4 <= end:
            kind, stream = unit[at], unit[at + 1]
            if 0xE0 <= stream <= 0xEF:
                self._declared = _VIDEO_TYPES.get(kind)
                self._foreign_type = None if self._declared else kind
            elif 0xC0 <= stream <= 0xDF:
                self._audio_type = kind
            at += 4 + int.from_bytes(unit[at + 2 : at + 4], "big")

    def _sound(self, data: bytes, pts: int | None) -> None:
        if pts is None or not data:
            return
        at = self._sound_times.at(pts) if self._trust_pts else self._rtp_times.at(self._rtp)
        if self._audio_type == _AAC:
            for track, frame, time in self._adts.feed(data, at):
                self._tell(track)
                self._taker.sound(frame, time)
        elif self._audio_type in (_PCMA, _PCMU):
            codec: Final = "pcma" if self._audio_type == _PCMA else "pcmu"
            self._tell(AudioTrack(codec=codec, rate=8000, channels=1))
            self._taker.sound(data, at * 8000 // CLOCK_HZ)

    def _tell(self, track: AudioTrack) -> None:
        if track != self._audio:
            self._audio = track
            self._taker.audio(track)


def _sniffed(nals: Sequence[bytes]) -> VideoCodec | None:
    """Return the coding that parameter sets prove, whatever the stream map says."""
    for nal in nals:
        if nal[0] in (0x40, 0x42, 0x44) and nal[1:2] == b"\x01":
            return "h265"
        if nal[0] in (0x27, 0x47, 0x67):
            return "h264"
    return None
