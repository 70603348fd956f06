"""What no page may ever do: raise, log an error, break the content policy, or ask another host for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError, WebSocket

WATCH_POLICY = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
AWAY = (
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|"
    r"ERR_CONTENT_LENGTH_MISMATCH|ERR_INCOMPLETE_CHUNKED_ENCODING|WebSocket connection",
)
"""What a browser says by itself while the service is away, or left in the middle of an answer."""
OFFLINE = (*AWAY, r"ERR_INTERNET_DISCONNECTED", r"ERR_FAILED", r"ERR_NETWORK_CHANGED")


class Guard:
    """Watches every context that it is given; `verdict` is empty when all behaved."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._faults: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def watch(self, context: BrowserContext) -> None:
        """Watch all pages and workers of a context."""
        context.add_init_script(WATCH_POLICY)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("page", self._page)

    def allow(self, *patterns: str) -> None:
        """Let errors pass that a test provokes."""
        self._allowed += [re.compile(pattern) for pattern in patterns]

    @contextmanager
    def allowing(self, *patterns: str) -> Iterator[None]:
        """As `allow`; says in the test where the errors belong."""
        self.allow(*patterns)
        yield

    @property
    def verdict(self) -> list[str]:
        """The faults that nothing allows."""
        return [f for f in self._faults if not any(pattern.search(f) for pattern in self._allowed)]

    def _page(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("crash", lambda _: self._faults.append("the page crashed"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            where = message.location.get("url", "")
            self._faults.append(f"console: {message.text} ({where})")

    def _error(self, error: WebError) -> None:
        self._faults.append(f"page error: {error.error.stack or error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._host:
            self._faults.append(f"request to another host: {request.url}")

    def _socket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).netloc != self._host:
            self._faults.append(f"socket to another host: {socket.url}")
