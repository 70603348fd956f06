"""Small reports are answered where they arrive, in the protocol, without a task.

uvicorn starts a task and an event for every request; for a tracker's hundred bytes that is most of the cost. A
small request for a path of `IngestApp` that asks for nothing special is answered by a plain call as soon as its
last byte is parsed. Everything else takes uvicorn's ordinary way, and so does a report once there is any doubt.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from command.api.ingest import Answer, IngestApp

__all__ = ["QuickHttp"]

log = structlog.get_logger(__name__)

_LARGEST_BODY: Final = 64 * 1024
_STATUS_LINES: Final = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


class QuickHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the shortcut, when the application it serves is an `IngestApp`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served = self.config.app
        self._ingest = served if isinstance(served, IngestApp) else None
        self._held: list[bytes] | None = None

    def on_headers_complete(self) -> None:
        """Hold a small report back until it is whole; start everything else."""
        if self._ingest is not None and self._is_small_report(self._ingest):
            self._held = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Collect what is held."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """Answer what was held."""
        if self._held is None:
            super().on_message_complete()
            return
        body, self._held = b"".join(self._held), None
        assert self._ingest is not None
        url = httptools.parse_url(self.url)
        request = {
            "type": "http",
            "method": self.parser.get_method().decode("ascii"),
            "path": url.path.decode("ascii"),
            "query_string": url.query or b"",
            "headers": self.scope["headers"],
        }
        answer: Answer | None
        try:
            answer = self._ingest.answer_at_once(request, body)
        except Exception:  # the parser would take it for a malformed request
            log.exception("ingest.failed")
            answer = 500, (), b'{"error":"internal","detail":"","request_id":""}'
        if answer is None:
            super().on_headers_complete()
            if body:
                super().on_body(body)
            super().on_message_complete()
            return
        self._write(answer)
        self.on_response_complete()

    def _write(self, answer: Answer) -> None:
        status, headers, content = answer
        lines = [_STATUS_LINES[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        lines += (b"content-length: ", str(len(content)).encode(), b"\r\n\r\n", content)
        self.transport.write(b"".join(lines))

    def _is_small_report(self, ingest: IngestApp) -> bool:
        path = self.url.partition(b"?")[0]
        if not ingest.handles(path.decode("latin-1")):
            return False
        if self.pipeline or (self.cycle is not None and not self.cycle.response_complete):  # type: ignore[redundant-expr]
            return False  # answers must keep the order of requests
        if self.expect_100_continue or self.flow.write_paused or self.parser.should_upgrade():
            return False
        if self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return False
        for name, value in self.headers:
            if name == b"transfer-encoding":
                return False
            if name == b"content-length" and not (value.isdigit() and int(value) <= _LARGEST_BODY):
                return False
        return True
