"""SIP over UDP and TCP on one port, with the transactions of RFC 3261 that GB/T 28181 needs.

`Endpoint` is used by both sides: our server and the simulated devices. A request that is repeated gets the same
answer again without being looked at again; a request of ours is repeated on UDP until something comes back.
"""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from streams.errors import Unreachable
from streams.gb28181 import sip
from streams.gb28181.sip import MalformedSip, Request, Response
from streams.gb28181.sockets import Connection, Counters, Datagrams, Peer

log = structlog.get_logger("streams.gb28181")

K = TypeVar("K")
V = TypeVar("V")

T1_S: Final = 0.5
T2_S: Final = 4.0
_KEPT_S: Final = 64 * T1_S
_MOST_KEPT: Final = 50_000
_MOST_CONNECTIONS: Final = 4096
_IDLE_S: Final = 600.0
_RECEIVE_BYTES: Final = 8 << 20  # a thousand devices that come back after a power cut speak within one second


@dataclass(slots=True)
class _Client:
    peer: Peer
    request: Request
    answer: asyncio.Future[Response]
    provisional: bool = False


@dataclass(slots=True)
class Hooks:
    """What an endpoint calls.

    Attributes:
        request: A new request; answered with `Endpoint.reply`, at once or later. ACK needs no answer.
        stray: A 2xx to an INVITE that nobody waits for any more.
        admit: Whether an address may speak at all.
    """

    request: Callable[[Request, Peer], None]
    stray: Callable[[Response, Peer], None] = field(default=lambda response, peer: None)
    admit: Callable[[str], bool] = field(default=lambda host: True)


class Endpoint:
    """One SIP port.

    Args:
        hooks: What is called.
        t1_s: First retransmission interval.
    """

    def __init__(self, hooks: Hooks, *, t1_s: float = T1_S) -> None:
        self.counters = Counters()
        self.hooks = hooks
        self._t1_s = t1_s
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: dict[Peer, Connection] = {}
        self._clients: dict[tuple[str, str], _Client] = {}
        self._served: OrderedDict[tuple[str, ...], tuple[float, bytes | None]] = OrderedDict()
        self._acks: OrderedDict[tuple[str, int], tuple[float, bytes]] = OrderedDict()
        self._sweep: asyncio.TimerHandle | None = None
        self.host = ""
        self.port = 0

    async def listen(self, host: str, port: int, *, tcp: bool = True) -> None:
        """Open UDP, and TCP on the same port; port 0 takes one that is free for both.

        Raises:
            OSError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        for attempt in range(20):
            self._udp, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self), (host, port))
            sock = self._udp.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES if tcp else 1 << 16)
            self.host, self.port = sock.getsockname()[:2]
            if not tcp:
                break
            try:
                self._tcp = await loop.create_server(lambda: Connection(self), host, self.port)
                break
            except OSError:
                self._udp.close()
                self._udp = None
                if port or attempt == 19:
                    raise
        self._sweep = loop.call_later(_IDLE_S / 10, self._close_idle)

    async def connect(self, host: str, port: int) -> Peer:
        """Open a TCP connection and return it as a peer (the device's side)."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self), host, port
        )
        assert connection.peer is not None
        self.host, self.port = connection.local
        return connection.peer

    async def close(self) -> None:
        """Close everything; requests under way fail."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for connection in list(self._connections.values()):
            connection.abort()
        for client in self._clients.values():
            if not client.answer.done():
                client.answer.set_exception(Unreachable("the SIP port was closed"))
        await asyncio.sleep(0)

    def connected(self, peer: Peer) -> bool:
        """Whether a message to this peer has a way to go."""
        return peer.transport == "udp" or peer in self._connections

    def reply(self, request: Request, peer: Peer, response: Response) -> None:
        """Answer a request, and keep the answer for when the request comes again."""
        data = sip.build(response)
        if response.status >= 200:
            self._served[_key(request)] = (time.monotonic() + _KEPT_S, data)
        self.send_bytes(data, peer)

    def send(self, request: Request, peer: Peer) -> None:
        """Send a request that gets no answer: an ACK. One for a 2xx is repeated when that comes again."""
        data = sip.build(request)
        self._acks[request.call_id, request.cseq[0]] = (time.monotonic() + _KEPT_S, data)
        _forget_old(self._acks)
        self.send_bytes(data, peer)

    async def request(self, request: Request, peer: Peer, timeout_s: float) -> Response:
        """Send a request and return the final response; a refused INVITE is acknowledged here.

        Raises:
            Unreachable: None came in time, or there is no connection.
        """
        if not self.connected(peer):
            raise Unreachable(f"no connection to {peer}")
        key = (request.branch, request.method)
        client = _Client(peer, request, asyncio.get_running_loop().create_future())
        self._clients[key] = client
        data = sip.build(request)
        deadline = time.monotonic() + timeout_s
        interval_s = self._t1_s if peer.transport == "udp" else timeout_s
        invite = request.method == "INVITE"
        try:
            self.send_bytes(data, peer)
            while True:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise Unreachable(f"no answer to {request.method} from {peer} within {timeout_s:g} s")
                await asyncio.wait({client.answer}, timeout=min(interval_s, left_s))
                if client.answer.done():
                    return client.answer.result()
                interval_s = interval_s * 2 if invite else min(interval_s * 2, T2_S)
                if not (invite and client.provisional) and time.monotonic() < deadline:
                    self.counters.retransmitted += 1
                    self.send_bytes(data, peer)
        finally:
            del self._clients[key]

    def send_bytes(self, data: bytes, peer: Peer) -> None:
        """Send without looking; what cannot be sent is as good as lost on the way."""
        self.counters.sent += 1
        if peer.transport == "udp":
            if self._udp is not None and not self._udp.is_closing():
                self._udp.sendto(data, (peer.host, peer.port))
        elif (connection := self._connections.get(peer)) is not None:
            connection.write(data)

    # What the sockets call.

    def received(self, data: bytes, peer: Peer) -> None:
        """Take one message."""
        self.counters.received += 1
        if not self.hooks.admit(peer.host):
            self.counters.refused += 1
            return
        try:
            message = sip.parse(data)
        except MalformedSip:
            self.counters.malformed += 1
            return
        if isinstance(message, Response):
            self._take_response(message, peer)
        else:
            self._take_request(message, peer)

    def opened(self, connection: Connection, peer: Peer) -> bool:
        """Take a new TCP connection, unless it may not or there are too many."""
        if len(self._connections) >= _MOST_CONNECTIONS or not self.hooks.admit(peer.host):
            self.counters.refused += 1
            return False
        self._connections[peer] = connection
        return True

    def closed(self, peer: Peer) -> None:
        """Forget a TCP connection; what was asked over it fails now, not at its timeout."""
        self._connections.pop(peer, None)
        for client in self._clients.values():
            if client.peer == peer and not client.answer.done():
                client.answer.set_exception(Unreachable(f"{peer} closed the connection"))

    def _take_request(self, request: Request, peer: Peer) -> None:
        if request.method != "ACK":
            key = _key(request)
            served = self._served.get(key)
            if served is not None:
                self.counters.repeated += 1
                if served[1] is not None:
                    self.send_bytes(served[1], peer)
                return
            self._served[key] = (time.monotonic() + _KEPT_S, None)
            _forget_old(self._served)
        sip.stamp_source(request, peer.host, peer.port)
        if request.cseq[1] != request.method:
            self.reply(request, peer, sip.answer(request, 400))
            return
        try:
            self.hooks.request(request, peer)
        except Exception:  # one device's message must not end the service of all the others
            log.exception("request failed", method=request.method, peer=str(peer))
            if request.method != "ACK":
                self.reply(request, peer, sip.answer(request, 500))

    def _take_response(self, response: Response, peer: Peer) -> None:
        number, method = response.cseq
        client = self._clients.get((response.branch, method))
        if client is None or client.peer.host != peer.host:
            if method == "INVITE" and 200 <= response.status < 300:
                known = self._acks.get((response.call_id, number))
                if known is not None:
                    self.send_bytes(known[1], peer)
                else:
                    self.hooks.stray(response, peer)
            return
        if response.status < 200:
            client.provisional = True
            return
        if method == "INVITE" and response.status >= 300:
            self.send(refusal_ack(client.request, response), client.peer)
        if not client.answer.done():
            client.answer.set_result(response)

    def _close_idle(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections.values()):
            if now - connection.heard_at > _IDLE_S:
                connection.abort()
        self._sweep = asyncio.get_running_loop().call_later(_IDLE_S / 10, self._close_idle)


def refusal_ack(invite: Request, response: Response) -> Request:
    """Return the ACK of a refused INVITE: same branch, the answer's To."""
    headers = [
        ("via", invite.get("via")),
        ("from", invite.get("from")),
        ("to", response.get("to")),
        ("call-id", invite.call_id),
        ("cseq", f"{invite.cseq[0]} ACK"),
        ("max-forwards", "70"),
    ]
    return Request(headers, b"", "ACK", invite.uri)


def _key(request: Request) -> tuple[str, ...]:
    via = request.get("via").partition(";")[0]
    return request.branch, via, request.method, request.call_id, request.get("cseq"), request.from_tag


def _forget_old(kept: OrderedDict[K, tuple[float, V]]) -> None:
    now = time.monotonic()
    while kept:
        key = next(iter(kept))
        if kept[key][0] > now and len(kept) <= _MOST_KEPT:
            break
        del kept[key]
