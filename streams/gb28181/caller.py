"""Our requests to devices: their headers, and the questions that are answered in further messages."""

import asyncio
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.errors import Busy, StreamError, Unreachable
from streams.gb28181 import manscdp, sip
from streams.gb28181.manscdp import Document
from streams.gb28181.messages import GbConfig
from streams.gb28181.registry import Registry
from streams.gb28181.sip import Request, Response
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint

_MOST_ITEMS: Final = 50_000
_MOST_PAGES: Final = 5_000
_MOST_LOCAL_HOSTS: Final = 65_536
_LONGEST_S: Final = 120.0
_MOST_QUESTIONS: Final = 5_000
_BUSY: Final = (486, 488, 503, 600)


@dataclass(slots=True)
class _Question:
    pages: list[Document] = field(default_factory=list)
    items: int = 0
    whole: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Answered:
    """Pages of an answer.

    Attributes:
        pages: As they came.
        whole: As many items came as were announced.
    """

    pages: Sequence[Document]
    whole: bool


class Caller:
    """Asks devices.

    Args:
        config: Who we are.
        endpoint: Our SIP port.
        registry: Where devices are.
    """

    def __init__(self, config: GbConfig, endpoint: Endpoint, registry: Registry) -> None:
        self.config = config
        self._endpoint = endpoint
        self._registry = registry
        self._questions: dict[tuple[str, str, str], _Question] = {}
        self._local_hosts: dict[str, str] = {}
        self._cseq = 0

    @property
    def realm(self) -> str:
        """Our SIP domain."""
        return self.config.realm or self.config.server_id[:10]

    def public_host(self, peer: Peer) -> str:
        """Return the address a device is told: the configured one, or ours on the way to it."""
        host = self.config.public_host or self.config.host
        if host in ("0.0.0.0", "::"):
            host = self._local_hosts.get(peer.host) or _local_host(peer)
            if len(self._local_hosts) < _MOST_LOCAL_HOSTS:
                self._local_hosts[peer.host] = host
        return host

    def next_cseq(self) -> int:
        """Return a number that grows."""
        self._cseq = self._cseq % 0x7FFFFFFF + 1
        return self._cseq

    def peer(self, device_id: str) -> Peer:
        """Return where a device is.

        Raises:
            Unreachable: It is not registered.
        """
        present = self._registry.get(device_id)
        if present is None:
            raise Unreachable(f"device {device_id} is not registered")
        return present.peer

    def compose(
        self,
        method: str,
        target: str,
        peer: Peer,
        *,
        call_id: str = "",
        cseq: int = 0,
        from_: str = "",
        to: str = "",
        content_type: str = "",
        body: bytes = b"",
        extra: Sequence[tuple[str, str]] = (),
    ) -> Request:
        """Return a request; what is left out begins something new."""
        host = _bracketed(self.public_host(peer))
        via = f"SIP/2.0/{peer.transport.upper()} {host}:{self._endpoint.port}"
        us = f"sip:{self.config.server_id}@{host}:{self._endpoint.port}"
        headers = [
            ("via", f"{via};rport;branch={sip.new_branch()}"),
            ("from", from_ or f"<sip:{self.config.server_id}@{self.realm}>;tag={sip.new_tag()}"),
            ("to", to or f"<sip:{target}@{self.realm}>"),
            ("call-id", call_id or f"{secrets.token_hex(12)}@{host}"),
            ("cseq", f"{cseq or self.next_cseq()} {method}"),
            ("contact", f"<{us}>"),
            ("max-forwards", "70"),
            *extra,
        ]
        if content_type:
            headers.append(("content-type", content_type))
        return Request(headers, body, method, f"sip:{target}@{peer}")

    async def request(self, request: Request, peer: Peer, timeout_s: float = 0.0) -> Response:
        """Send a request and return a 2xx.

        Raises:
            Busy: The device has no room.
            Unreachable: It refuses otherwise, or does not answer.
        """
        response = await self._endpoint.request(request, peer, timeout_s or self.config.answer_s)
        if response.status >= 300:
            raise refusal(request.method, response)
        return response

    async def message(self, device_id: str, body: bytes) -> None:
        """Send one MANSCDP message and wait until the device has taken it.

        Raises:
            Busy: The device has no room.
            Unreachable: It is not there, or refuses.
        """
        peer = self.peer(device_id)
        await self.request(
            self.compose("MESSAGE", device_id, peer, content_type=manscdp.CONTENT_TYPE, body=body), peer
        )

    async def ask(self, device_id: str, command: str, target: str, inner: str = "") -> Answered:
        """Ask and collect the pages of the answer.

        Raises:
            Busy: The device has no room.
            Unreachable: It is not there, refuses or says nothing.
        """
        if len(self._questions) >= _MOST_QUESTIONS:
            raise Busy("too many questions to devices are open")
        sn = manscdp.new_sn()
        key = (device_id, command, sn)
        question = self._questions[key] = _Question()
        try:
            async with asyncio.timeout(_LONGEST_S):
                await self.message(device_id, manscdp.build("Query", command, target, inner, sn=sn))
                while not question.whole:
                    question.arrived.clear()
                    await asyncio.wait_for(question.arrived.wait(), self.config.answer_s)
        except TimeoutError:
            if not question.pages:
                raise Unreachable(f"device {device_id} does not answer {command}") from None
        finally:
            del self._questions[key]
        return Answered(question.pages, question.whole)

    def take(self, device_id: str, document: Document) -> bool:
        """Take a page; return whether anybody waits for it."""
        question = self._questions.get((device_id, document.command, document.sn))
        if question is None:
            return False
        question.pages.append(document)
        question.items += len(document.items())
        question.whole = (
            question.items >= min(max(document.total, 0), _MOST_ITEMS) or len(question.pages) >= _MOST_PAGES
        )
        question.arrived.set()
        return True


def refusal(method: str, response: Response) -> StreamError:
    """Return the error a refused request means."""
    text = sip.clean(f"{method}: {response.status} {response.reason}"[:200])
    return Busy(text) if response.status in _BUSY else Unreachable(text)


def _local_host(peer: Peer) -> str:
    """Return our address on the way to a device; nothing is sent."""
    family = socket.AF_INET6 if ":" in peer.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((peer.host, peer.port))
        except OSError:
            return "127.0.0.1"
        return str(sock.getsockname()[0])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
