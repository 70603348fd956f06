"""RTP (RFC 3550): packets, their order, their clock.

The payload formats are in `streams.rtp_video` and `streams.rtp_audio`. Everything here works on a slice of a larger
buffer, so that a packet inside a TCP read is never copied as a whole.
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from streams.errors import BadMedia

HEAD: Final = struct.Struct(">BBHI")
"""First byte, marker and payload type, sequence number, timestamp."""
HEAD_BYTES: Final = 12
_PLAIN: Final = 0x80
_SEQUENCES: Final = 1 << 16
_TIMESTAMPS: Final = 1 << 32
_LATE: Final = 1 << 15


class Packet(NamedTuple):
    """One RTP packet.

    Attributes:
        payload_type: 0 … 127.
        marker: Usually the last of a picture.
        sequence: 0 … 65,535.
        timestamp: 0 … 2³² - 1, in units of the payload's clock.
        ssrc: Names the sender.
        payload: Without header, extension and padding.
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet:
    """Read one datagram.

    Raises:
        BadMedia: It is not RTP.
    """
    start, end = body(data, 0, len(data))
    _, second, sequence, timestamp = HEAD.unpack_from(data)
    ssrc = int.from_bytes(data[8:12], "big")
    return Packet(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, data[start:end])


def body(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the payload of the packet between ``start`` and ``end`` begins and ends.

    Raises:
        BadMedia: It is not RTP.
    """
    if end - start < HEAD_BYTES:
        raise BadMedia("an RTP packet without a whole header")
    first = data[start]
    if first == _PLAIN:
        return start + HEAD_BYTES, end
    if first >> 6 != 2:
        raise BadMedia(f"RTP version {first >> 6}")
    start += HEAD_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > end:
            raise BadMedia("an RTP header extension that is cut")
        start += 4 + 4 * ((data[start + 2] << 8) | data[start + 3])
    if first & 0x20:
        padding = data[end - 1]
        if not padding:
            raise BadMedia("RTP padding of no length")
        end -= padding
    if start > end:
        raise BadMedia("an RTP packet shorter than its header says")
    return start, end


class Sequence:
    """Follows sequence numbers: tells losses from repetitions and from a sender that starts anew."""

    def __init__(self) -> None:
        self.expected = -1
        self._suspect = (-1, -1)

    def check(self, sequence: int) -> int:
        """Take a number that is not the expected one (or the first).

        Returns:
            How many packets are missing before it; -1 when it is late or a repetition and must be ignored.
            The expected number is set unless it must be ignored.
        """
        if self.expected < 0:
            lost = 0
        else:
            lost = (sequence - self.expected) % _SEQUENCES
            if lost >= _LATE and (sequence, self.expected) != self._suspect:
                # Two in a row that are "late" are a sender that began anew.
                self._suspect = ((sequence + 1) % _SEQUENCES, self.expected)
                return -1
        self.expected = (sequence + 1) % _SEQUENCES
        return lost


class Unwrapper:
    """Makes 32-bit timestamps into ones that do not start again at 2³²; a jump is taken the shorter way."""

    def __init__(self) -> None:
        self._last: int | None = None

    def unwrap(self, timestamp: int) -> int:
        """Return the timestamp, continued from the last one."""
        last = self._last
        if last is None:
            value = timestamp
        else:
            value = last + (timestamp - last) % _TIMESTAMPS
            if value - last >= _TIMESTAMPS // 2:
                value -= _TIMESTAMPS
        self._last = value
        return value


class ReorderBuffer:
    """Puts datagrams back into order, holding at most a few.

    Args:
        deliver: Gets (sequence, data) in order; what never comes is left out.
        depth: Packets held while one is missing.
    """

    def __init__(self, deliver: Callable[[int, bytes], None], depth: int = 32) -> None:
        self._deliver = deliver
        self._depth = depth
        self._expected = -1
        self._held: dict[int, bytes] = {}
        self._late = 0

    def push(self, sequence: int, data: bytes) -> None:
        """Take a datagram in the order of arrival."""
        if sequence == self._expected or self._expected < 0:
            self._expected = (sequence + 1) % _SEQUENCES
            self._late = 0
            self._deliver(sequence, data)
        else:
            ahead = (sequence - self._expected) % _SEQUENCES
            if ahead >= _LATE:
                self._late += 1
                if self._late <= self._depth:
                    return
                self.flush()  # this many "late" ones are a sender that began anew
                self._expected = (sequence + 1) % _SEQUENCES
                self._late = 0
                self._deliver(sequence, data)
                return
            self._held[sequence] = data
            if len(self._held) > self._depth:
                self._expected = min(self._held, key=self._ahead)
        while self._held:
            found = self._held.pop(self._expected, None)
            if found is None:
                return
            sequence = self._expected
            self._expected = (sequence + 1) % _SEQUENCES
            self._deliver(sequence, found)

    def flush(self) -> None:
        """Deliver what is held."""
        for sequence in sorted(self._held, key=self._ahead):
            self._expected = (sequence + 1) % _SEQUENCES
            self._deliver(sequence, self._held.pop(sequence))

    def _ahead(self, sequence: int) -> int:
        return (sequence - self._expected) % _SEQUENCES
