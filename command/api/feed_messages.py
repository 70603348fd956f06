"""What clients of the feed may say, and how it is read off a WebSocket."""

from __future__ import annotations

import contextlib
from typing import Final, Literal

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = [
    "MAX_MESSAGE_BYTES",
    "POLICY",
    "TOO_BIG",
    "Hello",
    "ViewChange",
    "decode",
    "receive_text",
    "refuse",
]

TOO_BIG: Final = 1009
POLICY: Final = 1008
MAX_MESSAGE_BYTES: Final = 64 * 1024


class Hello(msgspec.Struct, tag="hello"):
    """The first message: what to see, and where a returning client stands."""

    protocol: int
    epoch: str | None = None
    last_seq: int | None = None
    topics: list[str] | None = None
    bbox: tuple[float, float, float, float] | None = None
    page: Literal["console", "wall", "field", "lead", "video"] = "console"


class ViewChange(msgspec.Struct, tag="view"):
    """A later message: what changes; what is not named stays."""

    topics: list[str] | msgspec.UnsetType = msgspec.UNSET
    bbox: tuple[float, float, float, float] | msgspec.UnsetType | None = msgspec.UNSET
    follow: int | msgspec.UnsetType | None = msgspec.UNSET
    viewing: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET


decode: Final = msgspec.json.Decoder(Hello | ViewChange).decode


async def refuse(websocket: WebSocket, code: int, reason: str) -> None:
    """Close; a peer that left in the meantime is not told."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        await websocket.close(code, reason)


async def receive_text(websocket: WebSocket) -> str | None:
    """The next text message; None when the peer left or sent something that closes the connection."""
    try:
        message = await websocket.receive()
    except (WebSocketDisconnect, RuntimeError):
        return None
    if message["type"] == "websocket.disconnect":
        return None
    text: str | None = message.get("text")
    if text is None:
        await refuse(websocket, POLICY, "text only")
        return None
    if len(text) > MAX_MESSAGE_BYTES:
        await refuse(websocket, TOO_BIG, "message too big")
        return None
    return text
