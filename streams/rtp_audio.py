"""Sound out of RTP: AAC as RFC 3640 packs it, and G.711.

A packet that makes no sense is left out: a gap in the sound is heard and nothing worse.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from streams.errors import BadMedia
from streams.media import Sink
from streams.rtp import HEAD, Sequence, Unwrapper, body
from streams.sdp import AudioStream

OnSound = Callable[[bytes, int], None]
AAC_FRAME: Final = 1024
_MOST_FRAME_BYTES: Final = 8192
_MOST_FRAMES: Final = 64


class SoundDepacketiser(ABC):
    """What the formats have in common.

    Args:
        payload_type: Packets with another are something else, comfort noise for instance.
        on_sound: Gets (data, timestamp) with the timestamp unwrapped, in samples.
    """

    def __init__(self, payload_type: int, on_sound: OnSound) -> None:
        self._payload_type = payload_type
        self._on_sound = on_sound
        self._sequence = Sequence()
        self._unwrapper = Unwrapper()

    def packet(self, data: bytes, start: int, end: int) -> None:
        """Take the packet between ``start`` and ``end``."""
        try:
            first, last = body(data, start, end)
        except BadMedia:
            return
        _, second, sequence, timestamp = HEAD.unpack_from(data, start)
        if second & 0x7F != self._payload_type or first == last:
            return
        order = self._sequence
        if sequence == order.expected:
            order.expected = (sequence + 1) & 0xFFFF
        else:
            lost = order.check(sequence)
            if lost < 0:
                return
            if lost:
                self._gap()
        self._payload(data[first:last], self._unwrapper.unwrap(timestamp))

    @abstractmethod
    def _payload(self, payload: bytes, timestamp: int) -> None:
        """Pass on what is in a packet."""

    def _gap(self) -> None:  # noqa: B027
        """Forget what the missing packets would have completed; most formats have nothing to forget."""


class G711Depacketiser(SoundDepacketiser):
    """A-law or µ-law: the payload is the sound."""

    def _payload(self, payload: bytes, timestamp: int) -> None:
        self._on_sound(payload, timestamp)


class AacDepacketiser(SoundDepacketiser):
    """AAC in high or low bit-rate mode.

    Args:
        payload_type: See `SoundDepacketiser`.
        on_sound: Gets each frame.
        size_bits: Of a frame's size in its header.
        index_bits: Of its number in its header.
    """

    def __init__(
        self, payload_type: int, on_sound: OnSound, size_bits: int = 13, index_bits: int = 3
    ) -> None:
        super().__init__(payload_type, on_sound)
        self._size_bits = size_bits
        self._header_bits = size_bits + index_bits
        self._parts = bytearray()
        self._whole = 0

    def _payload(self, payload: bytes, timestamp: int) -> None:
        header_bits = int.from_bytes(payload[:2], "big")
        start = 2 + (header_bits + 7) // 8
        count = header_bits // self._header_bits
        if not 1 <= count <= _MOST_FRAMES or start > len(payload):
            self._gap()
            return
        headers = int.from_bytes(payload[2:start], "big") >> (8 * (start - 2) - header_bits)
        left = header_bits
        for number in range(count):
            left -= self._header_bits
            size = (headers >> left >> (self._header_bits - self._size_bits)) & ((1 << self._size_bits) - 1)
            piece = payload[start : start + size]
            start += size
            if len(piece) == size and size:
                self._on_sound(piece, timestamp + number * AAC_FRAME)
            elif count == 1 and size:
                self._add(piece, size, timestamp)
            else:
                return

    def _add(self, piece: bytes, whole: int, timestamp: int) -> None:
        """Collect a frame that comes in several packets."""
        if whole != self._whole:
            self._parts.clear()
            self._whole = whole
        self._parts += piece
        if len(self._parts) >= whole:
            frame = bytes(self._parts[:whole])
            self._gap()
            if whole <= _MOST_FRAME_BYTES:
                self._on_sound(frame, timestamp)

    def _gap(self) -> None:
        self._parts.clear()
        self._whole = 0


def depacketiser_for(stream: AudioStream, sink: Sink) -> SoundDepacketiser:
    """Return what takes the packets of a stream of sound to the sink."""
    form = stream.format
    if stream.track.codec != "aac":
        return G711Depacketiser(form.payload_type, sink.sound)
    return AacDepacketiser(
        form.payload_type,
        sink.sound,
        _bits(form.parameters.get("sizelength", "13"), 13) or 13,
        _bits(form.parameters.get("indexlength", "3"), 3),
    )


def _bits(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 3 and int(text) <= 32 else otherwise
