"""WebSocket frames as a server writes them (RFC 6455 section 5.2), built once and shared by many connections.

A framework encodes a message again for every socket; here a frame is a plain ``bytes`` object that can be
written to five hundred transports as it is. Server frames carry no mask and ours are never fragmented or
compressed, so a header and the payload are all there is.
"""

from __future__ import annotations

from typing import Final, Protocol

__all__ = [
    "BINARY",
    "CLOSE",
    "TEXT",
    "FrameSink",
    "binary_frame",
    "frame_header",
    "split_frame",
    "text_frame",
]

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
_FINAL_BIT: Final = 0x80


class FrameSink(Protocol):
    """One connection's outgoing side for pre-built frames. Never blocks, never raises for a dead peer."""

    def write(self, frame: bytes) -> None:
        """Queue one whole frame; ignored once the connection is closing."""

    def buffered(self) -> int:
        """Bytes accepted by `write` that the kernel has not taken yet."""

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and free the socket within seconds, whether or not the peer still reads."""


def frame_header(opcode: int, size: int) -> bytes:
    """The header of a final, unmasked frame of `size` payload bytes.

    >>> frame_header(TEXT, 5).hex(), frame_header(BINARY, 300).hex()
    ('8105', '827e012c')
    """
    if size < 126:
        return bytes((_FINAL_BIT | opcode, size))
    if size < 65536:
        return bytes((_FINAL_BIT | opcode, 126)) + size.to_bytes(2, "big")
    return bytes((_FINAL_BIT | opcode, 127)) + size.to_bytes(8, "big")


def text_frame(payload: bytes) -> bytes:
    """A text frame around `payload`, which must be UTF-8 already."""
    return frame_header(TEXT, len(payload)) + payload


def binary_frame(payload: bytes) -> bytes:
    """A binary frame around `payload`."""
    return frame_header(BINARY, len(payload)) + payload


def split_frame(frame: bytes) -> tuple[int, bytes]:
    """The opcode and payload of one frame built by this module (no masks, no fragments)."""
    size = frame[1] & 0x7F
    start = 2 if size < 126 else 4 if size == 126 else 10
    return frame[0] & 0x0F, frame[start:]
