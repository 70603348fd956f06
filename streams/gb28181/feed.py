"""From the packets a device sends to pictures: whose they are, their order, and what they hold."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from streams import rtp
from streams.assembler import Assembler
from streams.errors import BadMedia
from streams.gb28181.ps import Demuxer
from streams.media import AudioTrack, Sink, VideoCodec

_HELD_PACKETS: Final = 32
_HELD_S: Final = 0.1
_STRANGER_S: Final = 0.5
_MOST_STRANGE: Final = 1_000
_MOST_BAD: Final = 200
_COUNTER: Final = 10_000


class Feed:
    """Takes RTP packets of one session.

    Args:
        sink: Gets what they hold.
        ssrc: What they should carry.
        senders: Addresses they may come from.
        clock: Monotonic seconds.

    Attributes:
        packets: Taken.
        lost: Missing.
        refused: From another address, or of another session.
        seen_at: When the last picture came, shown or not.
    """

    def __init__(
        self,
        sink: Sink,
        ssrc: int,
        senders: Sequence[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.packets = self.lost = self.refused = 0
        self.seen_at = clock()
        self._clock = clock
        self._ssrc = ssrc
        self._confirmed = False
        self._senders = frozenset(senders)
        self._sink = sink
        self._taker = _Taker(sink)
        self._demuxer = Demuxer(self._taker)
        self._sequence = rtp.Sequence()
        self._reorder = rtp.ReorderBuffer(self._ordered, _HELD_PACKETS)
        self._waiting_since: float | None = None
        self._strange: list[tuple[int, bytes]] = []
        self._strange_ssrc = 0
        self._strange_since = 0.0
        self._bad = 0

    @property
    def damaged(self) -> int:
        """Places where the stream was no program stream."""
        return self._demuxer.damaged

    def take(self, data: bytes, host: str) -> None:
        """Take one packet.

        Raises:
            BadMedia: What comes is not RTP at all.
            Unsupported: The pictures are of a coding that is not ours.
        """
        if host not in self._senders:
            self.refused += 1
            return
        if len(data) < rtp.HEAD_BYTES or data[0] >> 6 != 2:
            self._bad += 1
            if self._bad > _MOST_BAD:
                raise BadMedia("the device does not send RTP")
            return
        ssrc = int.from_bytes(data[8:12], "big")
        if ssrc != self._ssrc:
            self._stranger(ssrc, data)
            return
        self._confirmed = True
        self._strange.clear()
        self._put(int.from_bytes(data[2:4], "big"), data)

    def tick(self) -> None:
        """Stop waiting for a packet that does not come; called several times a second.

        Raises:
            Unsupported: The pictures are of a coding that is not ours.
        """
        now = self._clock()
        if self._waiting_since is not None and now - self._waiting_since > _HELD_S:
            self._reorder.flush()
            self._waiting_since = None

    def end(self) -> None:
        """Give out what is left."""
        self._reorder.flush()
        self._demuxer.end()

    def _put(self, sequence: int, data: bytes) -> None:
        before = self.packets
        self._reorder.push(sequence, data)
        if self.packets != before:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = self._clock()

    def _ordered(self, sequence: int, data: bytes) -> None:
        self.packets += 1
        if sequence == self._sequence.expected:
            self._sequence.expected = (sequence + 1) & 0xFFFF
        else:
            missing = self._sequence.check(sequence)
            if missing < 0:
                return
            if missing:
                self.lost += missing
                self._demuxer.lost()
                self._taker.broken()
        try:
            start, end = rtp.body(data, 0, len(data))
        except BadMedia:
            self._demuxer.lost()
            self._taker.broken()
            return
        self._demuxer.feed(data[start:end], int.from_bytes(data[4:8], "big"), marker=data[1] >= 0x80)
        if self._taker.fresh:
            self._taker.fresh = False
            self.seen_at = self._clock()

    def _stranger(self, ssrc: int, data: bytes) -> None:
        """Take a packet of another SSRC than agreed.

        Some devices do not send what they agreed to. When nothing else comes from the device, that is what it
        is; but a number out of our own range belongs to another session of ours, which has not ended yet.
        """
        if self._confirmed or ssrc // _COUNTER == self._ssrc // _COUNTER:
            self.refused += 1
            return
        now = self._clock()
        if not self._strange or ssrc != self._strange_ssrc:
            self._strange.clear()
            self._strange_ssrc, self._strange_since = ssrc, now
        self._strange.append((int.from_bytes(data[2:4], "big"), data))
        if now - self._strange_since >= _STRANGER_S or len(self._strange) >= _MOST_STRANGE:
            held, self._strange = self._strange, []
            self._ssrc, self._confirmed = ssrc, True
            for sequence, packet in held:
                self._put(sequence, packet)


class _Taker:
    """Puts access units together into pictures."""

    def __init__(self, sink: Sink) -> None:
        self.fresh = False
        self._sink = sink
        self._codec: VideoCodec | None = None
        self._assembler: Assembler | None = None

    def unit(self, codec: VideoCodec, nals: Sequence[bytes], timestamp: int) -> None:
        assembler = self._assembler
        if assembler is None or codec != self._codec:
            self._codec = codec
            assembler = self._assembler = Assembler(codec, self._sink)
        before = assembler.seen
        assembler.unit(nals, timestamp)
        self.fresh = self.fresh or assembler.seen != before

    def broken(self) -> None:
        if self._assembler is not None:
            self._assembler.broken()

    def audio(self, track: AudioTrack) -> None:
        self._sink.audio(track)

    def sound(self, data: bytes, timestamp: int) -> None:
        self._sink.sound(data, timestamp)
