"""The talk with a device, from the question what it has to the end: who asks what, and what its answers mean."""

import asyncio
import re
from typing import Final
from urllib.parse import quote

import structlog

from streams import sdp
from streams.errors import Busy, Ended, StreamError, UdpOnly, Unreachable
from streams.rtsp.auth import Credentials
from streams.rtsp.connection import Connection
from streams.rtsp.messages import Response
from streams.source import Source

log = structlog.get_logger("streams.rtsp")

_AGENT: Final = ("User-Agent", "yiping")
_DEFAULT_TIMEOUT_S: Final = 60
_MOST_ATTEMPTS: Final = 3
_MOST_URL: Final = 2048
_GOODBYE_S: Final = 0.3
_PATH_SAFE: Final = "/?&=%:@!$'()*+,;~-._[]"
_BUSY: Final = frozenset({453, 503})
_INTERLEAVED: Final = re.compile(r"interleaved=(\d{1,3})", re.IGNORECASE)
_TIMEOUT: Final = re.compile(r";\s*timeout\s*=\s*(\d{1,5})", re.IGNORECASE)


def url_of(source: Source) -> str:
    """Return the address as requests name it: never with credentials."""
    host = f"[{source.host}]" if ":" in source.host else source.host
    path = quote(source.path.lstrip("/"), safe=_PATH_SAFE)
    return f"rtsp://{host}:{source.effective_port}/{path}"


class Session:
    """One session over a connection.

    Args:
        connection: Connected already.
        source: Names the path and the account.
        reply_s: How long each answer may take.
    """

    def __init__(self, connection: Connection, source: Source, reply_s: float) -> None:
        self._connection = connection
        self._credentials = Credentials(source.username, source.password)
        self._reply_s = reply_s
        self._url = url_of(source)
        self._base = self._url
        self._control = self._url
        self._id: str | None = None
        self._timeout_s = _DEFAULT_TIMEOUT_S
        self._alive_method = "OPTIONS"
        self._played = False

    @property
    def alive_every_s(self) -> float:
        """How often `keep_alive` must be called."""
        return max(self._timeout_s / 2, 0.5)

    async def describe(self) -> sdp.Description:
        """Ask what the device has.

        Raises:
            StreamError: It does not say.
        """
        options = await self._ask("OPTIONS", self._url, [], tolerate=True)
        if "GET_PARAMETER" in (options.headers.get("public") or "").upper():
            self._alive_method = "GET_PARAMETER"
        answer = await self._ask("DESCRIBE", self._url, [("Accept", "application/sdp")])
        for name in ("content-base", "content-location"):
            value = answer.headers.get(name)
            if value is not None and _is_url(value):
                self._base = value
                break
        description = sdp.parse(answer.body.decode("utf-8", "replace"))
        self._control = self._resolved(description.control, self._base)
        return description

    async def set_up(self, media: sdp.Media, channel: int) -> int:
        """Ask for one stream, interleaved.

        Returns:
            The channel its packets come on.

        Raises:
            UdpOnly: The device sends only by UDP.
            StreamError: It does not want to.
        """
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        # Devices put the stream's name behind the session's address as a whole, query included.
        url = self._resolved(media.control, self._base)
        answer = await self._ask("SETUP", url, [("Transport", transport)])
        session = answer.headers.get("session")
        if session is not None:
            self._id = session.partition(";")[0].strip() or None
            if (match := _TIMEOUT.search(session)) is not None:
                self._timeout_s = int(match[1]) or _DEFAULT_TIMEOUT_S
        got = answer.headers.get("transport") or transport
        if (match := _INTERLEAVED.search(got)) is not None and int(match[1]) < 256:
            return int(match[1])
        if "TCP" not in got.upper():
            raise UdpOnly("the device sends only by UDP")
        return channel

    async def play(self) -> None:
        """Ask for the media to begin.

        Raises:
            StreamError: It does not.
        """
        await self._ask("PLAY", self._control, [("Range", "npt=0.000-")])
        self._played = True

    def keep_alive(self) -> None:
        """Tell the device that we are still there; whether it answers does not matter."""
        method = self._alive_method
        future = self._send(method, self._control)
        asyncio.get_running_loop().call_later(self._reply_s, future.cancel)
        future.add_done_callback(lambda done: self._kept_alive(method, done))

    async def close(self) -> None:
        """End the session politely, but not at any price."""
        connection = self._connection
        if self._id is not None and not connection.ended.done():
            goodbye = self._send("TEARDOWN", self._control)
            await asyncio.wait({goodbye}, timeout=_GOODBYE_S)

    def _kept_alive(self, method: str, done: asyncio.Future[Response]) -> None:
        if done.cancelled():
            return
        answer = done.result()
        if answer.status == 401:
            try:
                self._credentials.challenge(answer.headers.all("www-authenticate"), answered=True)
            except StreamError as error:
                # The media goes on until the device ends it, and then the next session says what is wrong.
                log.info("keep-alive refused", reason=str(error))
            else:
                self.keep_alive()
        elif answer.status >= 400 and method != "OPTIONS":
            self._alive_method = "OPTIONS"
            self.keep_alive()
        elif answer.status < 300:
            self._credentials.accepted()

    def _send(
        self, method: str, url: str, fields: list[tuple[str, str]] | None = None
    ) -> asyncio.Future[Response]:
        out = [_AGENT]
        if self._id is not None:
            out.append(("Session", self._id))
        authorization = self._credentials.authorization(method, url)
        if authorization is not None:
            out.append(("Authorization", authorization))
        return self._connection.send(method, url, out + (fields or []))

    async def _ask(
        self, method: str, url: str, fields: list[tuple[str, str]], *, tolerate: bool = False
    ) -> Response:
        """Send a request, signing in when the device wants that, and judge the answer."""
        for _ in range(_MOST_ATTEMPTS):
            answered = self._credentials.authorization(method, url) is not None
            answer = await self._answer(method, self._send(method, url, fields))
            if answer.status != 401:
                break
            self._credentials.challenge(answer.headers.all("www-authenticate"), answered=answered)
        status = answer.status
        if status < 300:
            self._credentials.accepted()
        elif not tolerate:
            self._refused(method, status, answer.reason)
        return answer

    async def _answer(self, method: str, future: asyncio.Future[Response]) -> Response:
        await asyncio.wait({future}, timeout=self._reply_s)
        if not future.done():
            future.cancel()
            raise Unreachable(f"{method}: no answer within {self._reply_s:g} s")
        if not future.cancelled():
            return future.result()
        ended = self._connection.ended
        if ended.done() and (error := ended.exception()) is not None and not isinstance(error, Ended):
            raise error
        raise Unreachable(f"{method}: the device closed the connection")

    def _refused(self, method: str, status: int, reason: str) -> None:
        said = f"{method}: {status} {reason}".strip()
        if status in _BUSY:
            raise Busy(said)
        if status == 461:
            raise UdpOnly("the device sends only by UDP")
        if 300 <= status < 400:
            raise Unreachable(f"{said}: redirections are not followed")
        raise Unreachable(said)

    def _resolved(self, control: str, base: str) -> str:
        if not control or control == "*":
            return base
        if _is_url(control):
            return control
        control = quote(control[:_MOST_URL].lstrip("/"), safe=_PATH_SAFE)
        return f"{base.rstrip('/')}/{control}"


def _is_url(text: str) -> bool:
    return (
        len(text) <= _MOST_URL
        and text[:7].lower() == "rtsp://"
        and text.isascii()
        and text.isprintable()
        and " " not in text
        and "@" not in text[7:].partition("/")[0]
    )
