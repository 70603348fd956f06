"""The sockets of a SIP port: what comes in is handed to whoever owns the port."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Literal, Protocol, cast

from streams.gb28181.sip import Framer, MalformedSip

_MOST_UNSENT_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a message came from, or goes to."""

    transport: Literal["udp", "tcp"]
    host: str
    port: int

    def __str__(self) -> str:
        """Name it as host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(slots=True)
class Counters:
    """What went through an endpoint."""

    received: int = 0
    sent: int = 0
    malformed: int = 0
    repeated: int = 0
    refused: int = 0
    retransmitted: int = 0


class Receiver(Protocol):
    """Who owns the port."""

    counters: Counters

    def received(self, data: bytes, peer: Peer) -> None:
        """Take one message."""

    def opened(self, connection: "Connection", peer: Peer) -> bool:
        """Take a new TCP connection, or refuse it."""

    def closed(self, peer: Peer) -> None:
        """Forget a TCP connection."""


class Datagrams(asyncio.DatagramProtocol):
    """The UDP side of a port."""

    def __init__(self, endpoint: Receiver) -> None:
        self._endpoint = endpoint

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """See `asyncio.BaseProtocol`."""
        if len(data) > 8:  # shorter ones are keep-alives
            self._endpoint.received(data, Peer("udp", addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """See `asyncio.BaseProtocol`."""
        del exc  # a device's port is closed: its requests run into their timeout


class Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, endpoint: Receiver) -> None:
        self._endpoint = endpoint
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self.peer: Peer | None = None
        self.local = ("", 0)
        self.heard_at = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        opened = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        address = opened.get_extra_info("peername")
        self._transport = opened
        if address is None:
            opened.abort()
            return
        self.local = opened.get_extra_info("sockname")[:2]
        peer = Peer("tcp", address[0], address[1])
        if self._endpoint.opened(self, peer):
            self.peer = peer
        else:
            opened.abort()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.BaseProtocol`."""
        if self.peer is None:
            return
        self.heard_at = time.monotonic()
        try:
            for message in self._framer.feed(data):
                if message:
                    self._endpoint.received(message, self.peer)
                else:
                    self.write(b"\r\n")
        except MalformedSip:
            self._endpoint.counters.malformed += 1
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        del exc
        if self.peer is not None:
            self._endpoint.closed(self.peer)

    def write(self, data: bytes) -> None:
        """Send; a device that takes nothing any more is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            transport.abort()
        else:
            transport.write(data)

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
