"""Where trackers report: a raw ASGI application in front of the web framework.

One report is a few dozen bytes and there may be twenty thousand a second, so this path does nothing but find
the token, read the report and hand it to `Positions`; validation models and dependency injection cost four
times as much.

A tracker repeats what is not answered with success, for ever and before anything newer. So only what its
owner can repair is refused (a wrong token 401, somebody else's device 403, a request that cannot be read
400); a report that is read but not wanted, off duty or impossible, is answered 200 with `{"accepted": 0,
"reason": …}` and counted.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import structlog

from command.api.batches import readable_batch
from command.api.devices import (
    Grant,
    IngestServices,
    Receive,
    Roster,
    Scope,
    Send,
    SessionGrant,
    TokenDirectory,
    token_of,
)
from command.api.gateway import GATEWAY_PATH, serve_gateway
from command.api.trackers import (
    PositionIn,
    Sent,
    Unreadable,
    form_fields,
    osmand,
    owntracks,
    position,
    traccar_json,
    unreadable,
)
from command.telemetry.state import Report, Verdict, code

__all__ = ["Answer", "Grant", "IngestApp", "IngestServices", "Roster", "SessionGrant", "TokenDirectory"]

POSITIONS_PATH: Final = "/api/v1/positions"
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
Answer: TypeAlias = tuple[int, Headers, bytes]
"""Status, headers without the length, body."""
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_TRACKER_BYTES: Final = 64 * 1024
_BATCH_BYTES: Final = 4 * 1024 * 1024
_BATCH_REPORTS: Final = 10_000
_LISTED_REFUSALS: Final = 20
_JSON: Final = (b"content-type", b"application/json")
_JSON_ONLY: Final = (_JSON,)
_CHALLENGE: Final = (b"www-authenticate", b'Basic realm="tracker", Bearer')
_OK_BODY: Final = b'{"accepted":1}'

log = structlog.get_logger(__name__)


class _Refused(Exception):
    def __init__(self, status: int, error: str, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"error": error, "detail": detail, **extra}


_decode_one: Final = msgspec.json.Decoder(PositionIn).decode
_decode_many: Final = msgspec.json.Decoder(list[PositionIn]).decode
_decode_parts: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


class IngestApp:
    """ASGI application for the tracker paths; everything else goes to the application behind it.

    Args:
        app: The application behind.
        services: See `IngestServices`.
    """

    def __init__(self, app: App, services: IngestServices) -> None:
        self._app = app
        self._services = services
        self._handlers: Mapping[str, Callable[[Scope, bytes, Grant | None], bytes]] = {
            "/tracker/osmand": self._osmand,
            "/tracker/owntracks": self._owntracks,
            POSITIONS_PATH: self._positions,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] == "http":
            if scope["path"] in self._handlers:
                await self._serve(scope, receive, send)
                return
        elif scope["type"] == "websocket" and scope["path"] == GATEWAY_PATH:
            await serve_gateway(self._services, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def handles(self, path: str) -> bool:
        """Whether requests for this path are answered here."""
        return path in self._handlers

    def answer_at_once(self, scope: Scope, body: bytes) -> Answer | None:
        """Answer a request that has arrived whole; None when the accounts must be asked first."""
        if self._needs_session(scope):
            return None
        return self._answer(scope, body, None)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = _BATCH_BYTES if scope["path"] == POSITIONS_PATH else _TRACKER_BYTES
        body = await _read(receive, limit)
        grant: Grant | None = None
        if body is not None and self._services.session is not None and self._needs_session(scope):
            grant = await self._services.session(scope)
        status, headers, content = self._answer(scope, body, grant)
        headers = [*headers, (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _needs_session(self, scope: Scope) -> bool:
        return (
            scope["path"] == POSITIONS_PATH
            and self._services.session is not None
            and token_of(scope, {}) is None
        )

    def _answer(self, scope: Scope, body: bytes | None, grant: Grant | None) -> Answer:
        try:
            if body is None:
                raise _Refused(413, "too_large", "the request is too big")
            return 200, _JSON_ONLY, self._handlers[scope["path"]](scope, body, grant)
        except Unreadable as error:
            # The tracker protocols say 400; our own interface tells malformed content apart as 422.
            status = 422 if scope["path"] == POSITIONS_PATH else 400
            self._set_aside(scope, error.field, error.detail)
            problem = {"error": "malformed", "detail": error.detail, "field": error.field}
            return status, _JSON_ONLY, _error(scope, problem)
        except RecursionError:
            status = 422 if scope["path"] == POSITIONS_PATH else 400
            problem = {"error": "malformed", "detail": "nested too deeply", "field": ""}
            return status, _JSON_ONLY, _error(scope, problem)
        except _Refused as refused:
            headers = [_JSON, _CHALLENGE] if refused.status == 401 else _JSON_ONLY
            return refused.status, headers, _error(scope, refused.body)

    # Trackers

    def _osmand(self, scope: Scope, body: bytes, _: Grant | None) -> bytes:
        fields = form_fields(scope["query_string"])
        now = self._services.clock.now().timestamp()
        if scope["method"] not in ("GET", "POST"):
            raise _Refused(405, "method_not_allowed", "GET or POST")
        if body.lstrip()[:1] == b"{":
            grant = self._token_grant(scope, fields)
            return self._take(grant, traccar_json(body, now), now, scope)
        if body:
            fields = {**fields, **form_fields(body)}
        grant = self._token_grant(scope, fields)
        return self._take(grant, osmand(fields, now), now, scope)

    def _owntracks(self, scope: Scope, body: bytes, _: Grant | None) -> bytes:
        if scope["method"] != "POST":
            raise _Refused(405, "method_not_allowed", "POST")
        grant = self._token_grant(scope, form_fields(scope["query_string"]))
        now = self._services.clock.now().timestamp()
        try:
            report = owntracks(body, now)
        except Unreadable as error:
            # Its queue would hold everything behind this message back.
            self._set_aside(scope, error.field, error.detail)
            return b"[]"
        if report is not None:
            self._take(grant, Sent(None, report), now, scope)
        return b"[]"

    def _take(self, grant: Grant, sent: Sent, now: float, scope: Scope) -> bytes:
        verdict = self._one(grant, sent.device_id, None, sent.report, now)
        if verdict is Verdict.ACCEPTED:
            return _OK_BODY
        if verdict not in (Verdict.OFF_DUTY, Verdict.UNKNOWN_UNIT):
            self._set_aside(scope, "position", code(verdict))
        return _encode({"accepted": 0, "reason": code(verdict)})

    def _one(
        self, grant: Grant, device_id: str | None, responder_id: str | None, report: Report, now: float
    ) -> Verdict:
        services = self._services
        unit = self._unit(grant, device_id, responder_id)
        verdict = Verdict.UNKNOWN_UNIT if unit is None else services.positions.report(unit, report, now)
        if verdict is Verdict.ACCEPTED:
            services.accepted += 1
        else:
            services.count_refused(code(verdict))
        return verdict

    def _unit(self, grant: Grant, device_id: str | None, responder_id: str | None) -> int | None:
        """The unit a report is about.

        Raises:
            _Refused: 403, it is not about the grant's own.
        """
        roster = self._services.roster
        if grant.responder_id is not None:
            if device_id is not None and grant.device_id is not None and device_id != grant.device_id:
                raise _Refused(403, "forbidden", "this token belongs to another device")
            if responder_id is not None and responder_id != grant.responder_id:
                raise _Refused(403, "forbidden", "this token belongs to another responder")
            return roster.unit_of(grant.responder_id)
        if responder_id is not None:
            return roster.unit_of(responder_id)
        if device_id is None:
            raise Unreadable("device_id", "missing")
        return roster.unit_of_device(device_id)

    # Our own interface

    def _positions(self, scope: Scope, body: bytes, grant: Grant | None) -> bytes:
        if scope["method"] != "POST":
            raise _Refused(405, "method_not_allowed", "POST")
        if grant is None:
            grant = self._token_grant(scope, {})
        now = self._services.clock.now().timestamp()
        if body.lstrip()[:1] == b"[":
            return self._batch(grant, body, now, scope)
        try:
            message = _decode_one(body)
        except msgspec.DecodeError as error:
            raise unreadable(error) from None
        verdict = self._one(grant, message.device_id, message.responder_id, position(message, now), now)
        if verdict is Verdict.ACCEPTED:
            return _OK_BODY
        if verdict is Verdict.OUT_OF_RANGE:
            raise Unreadable("lat" if abs(message.lat) > 90 else "lon", "out of range")
        if verdict is Verdict.UNKNOWN_UNIT:
            raise Unreadable("device_id" if message.responder_id is None else "responder_id", "unknown")
        if verdict is not Verdict.OFF_DUTY:
            self._set_aside(scope, "fix_at", code(verdict))
        return _encode({"accepted": 0, "reason": code(verdict)})

    def _batch(self, grant: Grant, body: bytes, now: float, scope: Scope) -> bytes:
        messages, refusals = self._read_batch(body)
        batch = readable_batch(messages, now, lambda device, person: self._unit(grant, device, person))
        refusals += batch.refusals
        accepted = 0
        if batch.places:
            verdicts = self._services.positions.report_many(
                batch.units,
                batch.lon,
                batch.lat,
                batch.fix_at,
                now,
                speed_kmh=batch.speed_kmh,
                heading_deg=batch.heading_deg,
                accuracy_m=batch.accuracy_m,
                battery=batch.battery,
            )
            accepted = int((verdicts == Verdict.ACCEPTED).sum())
            for i in np.flatnonzero(verdicts):
                refusals.append({"index": batch.places[int(i)], "reason": code(int(verdicts[i]))})
        self._services.accepted += accepted
        for refusal in refusals:
            self._services.count_refused(str(refusal["reason"]))
        poison = [r for r in refusals if r["reason"] not in ("off_duty", "unknown_unit")]
        if poison:
            self._set_aside(scope, str(poison[0].get("field", "position")), f"{len(poison)} in a batch")
        answer: dict[str, object] = {"accepted": accepted}
        if refusals:
            refusals.sort(key=lambda r: int(str(r["index"])))
            answer |= {"refused": len(refusals), "refusals": refusals[:_LISTED_REFUSALS]}
            answer["reason"] = refusals[0]["reason"]
        return _encode(answer)

    def _read_batch(self, body: bytes) -> tuple[list[tuple[int, PositionIn]], list[dict[str, object]]]:
        """The readable reports with their places, and the refusals of the others."""
        try:
            messages = _decode_many(body)
            if len(messages) > _BATCH_REPORTS:
                raise _Refused(413, "too_large", f"at most {_BATCH_REPORTS} reports")
            return list(enumerate(messages)), []
        except msgspec.ValidationError:
            pass  # one bad report must not hold back the others
        except msgspec.DecodeError as error:
            raise unreadable(error) from None
        try:
            parts = _decode_parts(body)
        except msgspec.DecodeError as error:
            raise unreadable(error) from None
        if len(parts) > _BATCH_REPORTS:
            raise _Refused(413, "too_large", f"at most {_BATCH_REPORTS} reports")
        readable: list[tuple[int, PositionIn]] = []
        refusals: list[dict[str, object]] = []
        for place, part in enumerate(parts):
            try:
                readable.append((place, _decode_one(part)))
            except msgspec.DecodeError as error:
                refusals.append({"index": place, "reason": "malformed", "field": unreadable(error).field})
        return readable, refusals

    def _token_grant(self, scope: Scope, fields: Mapping[str, str]) -> Grant:
        grant = self._services.tokens.lookup(token_of(scope, fields))
        if grant is None or grant.kind not in ("device", "integration"):
            raise _Refused(401, "unauthenticated", "a device or integration token is needed")
        return grant

    def _set_aside(self, scope: Scope, field: str, detail: str) -> None:
        """Count and keep a note of a report that can never be taken; positions stay out of logs."""
        services = self._services
        services.count_refused("quarantined")
        note: dict[str, object] = {"path": scope["path"], "field": field, "detail": detail[:200]}
        services.quarantine.append(note)
        total = services.refused["quarantined"]
        if total & (total - 1) == 0:  # 1, 2, 4, 8 …: a tracker gone mad must not fill the log
            log.warning("ingest.quarantined", total=total, **note)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The request's body; None when it is too big."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _error(scope: Scope, body: Mapping[str, object]) -> bytes:
    request_id = scope.get("state", {}).get("request_id") or secrets.token_hex(8)
    return _encode({**body, "request_id": request_id})
