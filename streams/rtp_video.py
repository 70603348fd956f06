"""Access units out of RTP: H.264 (RFC 6184) and H.265 (RFC 7798).

A camera's link is lossy even over TCP, because cameras drop packets when their buffers are full. A damaged unit is
never passed on, and whoever gets the units is told when a picture that others refer to is missing.

The marker bit should end a unit, but some devices set it on every slice and some never; it is believed
only after it has been right twice in a row. Until then a unit ends when the timestamp changes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from streams.errors import BadMedia
from streams.media import CLOCK_HZ, VideoCodec
from streams.nal import is_slice, starts_picture
from streams.rtp import HEAD, HEAD_BYTES, Sequence, Unwrapper, body

_MOST_UNIT_BYTES: Final = 8 << 20
_MOST_NALS: Final = 2048
_TRUSTED: Final = 2
_BYTES: Final = tuple(bytes((value,)) for value in range(256))
_FU_START, _FU_END = 0x80, 0x40


class Depacketiser(ABC):
    """What the two formats have in common: order, loss, time, and where a unit ends.

    Args:
        on_unit: Gets the NAL units of each whole access unit and its unwrapped time in 1/90,000 s.
        on_loss: Told when pictures that others may refer to are missing.
        clock_hz: Units of the timestamps.

    Attributes:
        lost: Packets that never came.
    """

    codec: ClassVar[VideoCodec]

    def __init__(
        self,
        on_unit: Callable[[list[bytes], int], None],
        on_loss: Callable[[], None],
        clock_hz: int = CLOCK_HZ,
    ) -> None:
        self.lost = 0
        self._on_unit = on_unit
        self._on_loss = on_loss
        self._clock_hz = clock_hz
        self._sequence = Sequence()
        self._unwrapper = Unwrapper()
        self._timestamp = -1
        self._nals: list[bytes] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._damaged = False
        self._trust = 0
        self._markers = 0
        self._marked = False
        self._ended = -1

    def packet(self, data: bytes, start: int, end: int) -> None:
        """Take the packet between ``start`` and ``end``.

        Raises:
            BadMedia: A unit is larger than any picture.
        """
        if end - start <= HEAD_BYTES:
            return
        first, second, sequence, timestamp = HEAD.unpack_from(data, start)
        if 200 <= second <= 204:
            return  # RTCP on the same channel
        if first == 0x80:
            start += HEAD_BYTES
        else:
            try:
                start, end = body(data, start, end)
            except BadMedia:
                return  # its number is missing then, which counts as a loss
        order = self._sequence
        if sequence == order.expected:
            order.expected = (sequence + 1) & 0xFFFF
        else:
            lost = order.check(sequence)
            if lost < 0:
                return
            if lost:
                self.lost += lost
                self._gap(timestamp)
        if timestamp != self._timestamp:
            if self._timestamp >= 0:
                self._next_time()
            self._timestamp = timestamp
        self._size += end - start
        if self._size > _MOST_UNIT_BYTES or len(self._nals) > _MOST_NALS:
            raise BadMedia("a picture of more than 8 MiB")
        if start < end and not self._damaged:
            self._payload(data, start, end)
        if second & 0x80:
            self._markers += 1
            self._marked = True
            if self._parts:
                self._trust = 0  # in the middle of a unit: it means nothing here
            elif self._trust >= _TRUSTED:
                self._end()
        else:
            self._marked = False

    @abstractmethod
    def _payload(self, data: bytes, start: int, end: int) -> None:
        """Add what is between ``start`` and ``end`` to the unit."""

    @abstractmethod
    def _is_disposable(self) -> bool:
        """Return whether the unit under way is known to be referred to by no other."""

    def _aggregate(self, data: bytes, start: int, end: int) -> None:
        """Add NAL units that each follow their 16-bit length."""
        while end - start > 2:
            after = start + 2 + ((data[start] << 8) | data[start + 1])
            if after > end or after <= start + 2:
                break
            self._nals.append(data[start + 2 : after])
            start = after
        if start != end:
            self._damage()

    def _damage(self) -> None:
        """Give up the unit under way."""
        if not self._damaged:
            self._damaged = True
            if not self._is_disposable():
                self._on_loss()
        self._nals = []
        self._parts = []

    def _gap(self, timestamp: int) -> None:
        """Take note of packets missing before one of this time."""
        inside = timestamp == self._timestamp and timestamp != self._ended
        if inside and (self._damaged or self._is_disposable()):
            self._damage()
            return
        # Whole pictures, or their ends or beginnings, may be missing: nothing is known of what they were.
        self._on_loss()
        self._damaged = True
        self._nals = []
        self._parts = []
        if timestamp != self._timestamp:
            # The new unit's own beginning may be missing too; whoever gets it sees by its first slice.
            self._finish()
            self._timestamp = timestamp

    def _next_time(self) -> None:
        if self._markers == 1 and self._marked:
            self._trust += 1
        elif self._markers != 1:
            self._trust = 0
        self._markers = 0
        self._marked = False
        if self._nals or self._parts or self._damaged:
            self._end()
        self._ended = -1

    def _end(self) -> None:
        """Pass on the unit under way."""
        if self._parts:
            self._damage()
        nals = self._nals
        if nals and not self._damaged:
            if self._ended == self._timestamp and self._continues(nals):
                # The marker ended half a picture, which has been passed on: do not believe it again.
                self._trust = 0
                self._on_loss()
            else:
                at = self._unwrapper.unwrap(self._timestamp)
                if self._clock_hz != CLOCK_HZ:
                    at = at * CLOCK_HZ // self._clock_hz
                self._on_unit(nals, at)
        self._ended = self._timestamp
        self._finish()

    def _finish(self) -> None:
        self._nals = []
        self._parts = []
        self._size = 0
        self._damaged = False

    def _continues(self, nals: list[bytes]) -> bool:
        """Return whether the first slice is not the first of its picture."""
        for nal in nals:
            if is_slice(self.codec, nal):
                return not starts_picture(self.codec, nal)
        return False


class H264Depacketiser(Depacketiser):
    """Single NAL units, STAP-A and FU-A: packetization modes 0 and 1."""

    codec = "h264"

    def _payload(self, data: bytes, start: int, end: int) -> None:
        head = data[start]
        kind = head & 0x1F
        if kind == 28:
            if end - start < 3:
                self._damage()
                return
            second = data[start + 1]
            if second & _FU_START:
                if self._parts:
                    self._damage()
                    return
                self._parts = [_BYTES[(head & 0xE0) | (second & 0x1F)], data[start + 2 : end]]
            elif self._parts:
                self._parts.append(data[start + 2 : end])
            else:
                self._damage()
                return
            if second & _FU_END:
                self._nals.append(b"".join(self._parts))
                self._parts = []
        elif self._parts or kind > 24 or head >= 0x80:
            self._damage()
        elif kind == 24:
            self._aggregate(data, start + 1, end)
        else:
            self._nals.append(data[start:end])

    def _is_disposable(self) -> bool:
        heads = [nal[0] for nal in self._nals]
        if self._parts:
            heads.append(self._parts[0][0])
        slices = [head for head in heads if 1 <= head & 0x1F <= 5]
        return bool(slices) and not any(head & 0x60 for head in slices)


class H265Depacketiser(Depacketiser):
    """Single NAL units, aggregation packets and fragmentation units, without decoding order numbers."""

    codec = "h265"

    def _payload(self, data: bytes, start: int, end: int) -> None:
        if end - start < 3:
            self._damage()
            return
        head = data[start]
        kind = (head >> 1) & 0x3F
        if kind == 49:
            if end - start < 4:
                self._damage()
                return
            third = data[start + 2]
            if third & _FU_START:
                if self._parts:
                    self._damage()
                    return
                self._parts = [
                    _BYTES[(head & 0x81) | ((third & 0x3F) << 1)],
                    data[start + 1 : start + 2],
                    data[start + 3 : end],
                ]
            elif self._parts:
                self._parts.append(data[start + 3 : end])
            else:
                self._damage()
                return
            if third & _FU_END:
                self._nals.append(b"".join(self._parts))
                self._parts = []
        elif self._parts or kind > 49 or head >= 0x80:
            self._damage()
        elif kind == 48:
            self._aggregate(data, start + 2, end)
        else:
            self._nals.append(data[start:end])

    def _is_disposable(self) -> bool:
        return False  # without the temporal sub-layers of the whole stream it cannot be told
