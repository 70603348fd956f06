"""What every request passes: its id, the Host and Origin checks, the size limit, the headers, the log line.

Plain ASGI, because Starlette's base class buffers and costs more than the checks themselves. Unexpected
errors end here: logged once with their traceback, answered in the one error form.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from command import logs
from command.api.errors import error_response, response_of, unexpected
from command.api.origins import OriginRules
from command.errors import TooLarge
from command.settings import Settings

CSP: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # The field page asks for the position, and calls need camera and microphone; nothing else is needed.
    "permissions-policy": "geolocation=(self), camera=(self), microphone=(self), payment=(), usb=()",
}
HSTS: Final = "max-age=31536000"
_IMPORT_PATH: Final = re.compile(r"/imports/?$")
_ARCHIVE_PATH: Final = re.compile(r"/basemap/archives/?$")
_UPLOAD_PATHS: Final = re.compile(r"/photos/?$|/positions/?$|/import(?:/|$)")
_UPLOAD_MARGIN: Final = 65_536
"""The form around an uploaded file."""

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET: Final = ("/livez", "/readyz", "/metrics", "/static/", "/tiles/", "/basemap/")

Observer = Callable[[str, str, int, float], None]
"""(method, route template, status, seconds), for the metrics."""

log = logs.get_logger(__name__)


class SecurityMiddleware:
    """Wraps the whole app.

    Args:
        app: What it wraps.
        settings: Origins, limits.
        observe: Told of every answered request.
    """

    def __init__(self, app: ASGIApp, settings: Settings, observe: Observer | None = None) -> None:
        self._app = app
        self._settings = settings
        self._rules = OriginRules(settings)
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = _request_id(scope)
        token = logs.request_id.set(request_id)
        body = _LimitedBody(receive, self._limit(scope))
        answered = 0
        finished = False

        async def out(message: Message) -> None:
            nonlocal answered, finished
            if message["type"] == "http.response.start":
                if body.exceeded and not answered:
                    # Whatever the app made of a body cut short, the answer is that it was too large.
                    answered = 413
                    await response_of(TooLarge(body.limit))(scope, receive, self._with_headers(scope, send))
                    return
                answered = message["status"]
                self._add_headers(scope, message, request_id)
            elif body.exceeded and answered == 413:
                return
            elif message["type"] == "http.response.body":
                finished = not message.get("more_body", False)
            await send(message)

        try:
            refusal = self._refusal(scope, body)
            if refusal is not None:
                await refusal(scope, receive, out)
                return
            try:
                await self._app(scope, body.receive, out)
            except Exception as error:
                if body.exceeded:
                    # The app found its client gone in the middle of the body; that was us.
                    if not answered:
                        await response_of(TooLarge(body.limit))(scope, receive, out)
                    return
                log.error("unexpected error", exc_info=error, method=scope["method"], path=scope["path"])
                if answered and not finished:
                    raise  # The rest of the answer is missing: only a broken connection says so.
                if not answered:
                    await unexpected()(scope, receive, out)
        finally:
            self._note(scope, answered, time.perf_counter() - started)
            logs.request_id.reset(token)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = logs.request_id.set(_request_id(scope))
        try:
            if self._rules.host_allowed(scope) and self._rules.same_site(scope):
                await self._app(scope, receive, send)
            else:
                log.info("socket refused", path=scope["path"], error="origin_refused")
                # Before accepting: the handshake is answered with 403.
                await send({"type": "websocket.close", "code": 4003, "reason": "origin refused"})
        finally:
            logs.request_id.reset(token)

    def _refusal(self, scope: Scope, body: _LimitedBody) -> Response | None:
        if not self._rules.host_allowed(scope):
            detail = "This service does not answer to that host name; see security.public_origins."
            return error_response(400, "host_refused", detail)
        if not self._rules.may_change(scope):
            return error_response(403, "origin_refused", "The request comes from another site.")
        declared = next((value for key, value in scope["headers"] if key == b"content-length"), b"0")
        if not declared.isdigit():
            return error_response(400, "bad_request", "Content-Length is not a number.")
        if int(declared) > body.limit:
            return response_of(TooLarge(body.limit))
        return None

    def _limit(self, scope: Scope) -> int:
        limits = self._settings.security
        if _IMPORT_PATH.search(scope["path"]):
            return limits.max_import_bytes + _UPLOAD_MARGIN
        if _ARCHIVE_PATH.search(scope["path"]):
            return self._settings.basemap.max_archive_bytes
        if _UPLOAD_PATHS.search(scope["path"]):
            return max(limits.max_body_bytes, limits.max_upload_bytes + _UPLOAD_MARGIN)
        return limits.max_body_bytes

    def _add_headers(self, scope: Scope, message: Message, request_id: str) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if self._settings.security.https:
            headers.setdefault("strict-transport-security", HSTS)
        headers["x-request-id"] = request_id
        if scope["path"].startswith("/api/"):
            headers.setdefault("cache-control", "no-store")

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def out(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(scope, message, logs.request_id.get())
            await send(message)

        return out

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # An included router's route knows its own path alone; FastAPI leaves the whole one beside it.
        whole = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
        route = getattr(whole, "path", "") or "unmatched"
        if self._observe is not None:
            self._observe(scope["method"], route, status, seconds)
        facts = {
            "method": scope["method"],
            "path": scope["path"][:500],
            "status": status or 499,
            "ms": round(seconds * 1000, 1),
        }
        user_id = scope.get("state", {}).get("user_id")
        if user_id:
            facts["user_id"] = user_id
        if scope["path"].startswith(_QUIET):
            log.debug("request", **facts)
        else:
            log.info("request", **facts)


class _LimitedBody:
    """Passes a request's body on until it grows past the limit; then the app sees the client as gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._read = 0
        self.limit = limit
        self.exceeded = False

    async def receive(self) -> Message:
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self.limit:
                self.exceeded = True
                return {"type": "http.disconnect"}
        return message


def _request_id(scope: Scope) -> str:
    for key, value in scope["headers"]:
        if key == b"x-request-id":
            given: str = value.decode("latin-1")
            # Taken over only in a form that cannot forge log lines or headers.
            if _GIVEN_ID.fullmatch(given):
                return given
    return secrets.token_hex(8)
