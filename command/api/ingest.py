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

import asyncio
import base64
import binascii
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import numpy as np
import structlog

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
from command.clock import Clock
from command.telemetry.records import HEADER, MAGIC, UPLINK, UPLINK_RECORD, VERSION
from command.telemetry.state import Positions, Report, Verdict, code

__all__ = ["Grant", "IngestApp", "IngestServices", "Roster", "TokenDirectory"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_TRACKER_BYTES: Final = 64 * 1024
_BATCH_BYTES: Final = 4 * 1024 * 1024
_BATCH_REPORTS: Final = 10_000
_GATEWAY_RECORDS: Final = 10_000
_LISTED_REFUSALS: Final = 20
_TOKEN_CHECK_S: Final = 2.0
_JSON: Final = (b"content-type", b"application/json")
_OK_BODY: Final = b'{"accepted":1}'

log = structlog.get_logger(__name__)


class Grant(Protocol):
    """What a token allows (`command.accounts` issues them)."""

    @property
    def kind(self) -> str:
        """`device` or `integration`."""

    @property
    def responder_id(self) -> str | None:
        """Whose position a device reports; None for an integration, which may report anybody's."""

    @property
    def device_id(self) -> str | None:
        """The only device name a device may use; None for any."""


class TokenDirectory(Protocol):
    """Finds tokens in memory."""

    def lookup(self, token: str | None) -> Grant | None:
        """The grant of a live token."""


class Roster(Protocol):
    """Who stands behind ids and device names."""

    def unit_of(self, responder_id: str) -> int | None:
        """The unit number of a responder."""

    def unit_of_device(self, device_id: str) -> int | None:
        """The unit number of the responder who carries a device."""


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """A signed-in field user who reports the own position from the browser."""

    responder_id: str
    kind: str = "device"
    device_id: str | None = None


@dataclass(slots=True)
class IngestServices:
    """What the ingest needs.

    Attributes:
        session: The grant of a browser session, for field users; checks `Origin` itself. None when there is
        none.
    """

    positions: Positions
    tokens: TokenDirectory
    roster: Roster
    clock: Clock
    session: Callable[[Scope], Awaitable[Grant | None]] | None = None
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    quarantine: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=100))


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
        self._http: Mapping[str, Callable[[Scope, Receive], Awaitable[bytes]]] = {
            "/tracker/osmand": self._osmand,
            "/tracker/owntracks": self._owntracks,
            "/api/v1/positions": self._positions,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] == "http":
            handler = self._http.get(scope["path"])
            if handler is not None:
                await self._answer(handler, scope, receive, send)
                return
        elif scope["type"] == "websocket" and scope["path"] == "/api/v1/gateway":
            await self._gateway(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _answer(
        self,
        handler: Callable[[Scope, Receive], Awaitable[bytes]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        status, headers = 200, [_JSON]
        try:
            body = await handler(scope, receive)
        except Unreadable as error:
            # The tracker protocols say 400; our own interface tells malformed content apart as 422.
            status = 422 if scope["path"].startswith("/api/") else 400
            self._set_aside(scope, error.field, error.detail)
            body = _error(scope, {"error": "malformed", "detail": error.detail, "field": error.field})
        except _Refused as refused:
            status, body = refused.status, _error(scope, refused.body)
            if status == 401:
                headers = [_JSON, (b"www-authenticate", b'Basic realm="tracker", Bearer')]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # Trackers

    async def _osmand(self, scope: Scope, receive: Receive) -> bytes:
        fields = form_fields(scope["query_string"])
        now = self._services.clock.now().timestamp()
        body = b""
        if scope["method"] == "POST":
            body = await _read(receive, _TRACKER_BYTES)
        elif scope["method"] != "GET":
            raise _Refused(405, "method_not_allowed", "GET or POST")
        if body.lstrip()[:1] == b"{":
            grant = self._token_grant(scope, fields)
            return self._take(grant, traccar_json(body, now), now, scope)
        if body:
            fields = {**fields, **form_fields(body)}
        grant = self._token_grant(scope, fields)
        return self._take(grant, osmand(fields, now), now, scope)

    async def _owntracks(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise _Refused(405, "method_not_allowed", "POST")
        body = await _read(receive, _TRACKER_BYTES)
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
            services.refused[code(verdict)] = services.refused.get(code(verdict), 0) + 1
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

    async def _positions(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise _Refused(405, "method_not_allowed", "POST")
        body = await _read(receive, _BATCH_BYTES)
        token = _token(scope, {})
        grant: Grant | None
        if token is not None or self._services.session is None:
            grant = self._token_grant(scope, {})
        else:
            grant = await self._services.session(scope)
            if grant is None:
                raise _Refused(401, "unauthenticated", "a device token or a session is needed")
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
        units: list[int] = []
        reports: list[Report] = []
        places: list[int] = []
        for place, message in messages:
            try:
                unit = self._unit(grant, message.device_id, message.responder_id)
                report = position(message, now)
            except Unreadable as error:
                refusals.append({"index": place, "reason": "malformed", "field": error.field})
                continue
            if unit is None:
                refusals.append({"index": place, "reason": code(Verdict.UNKNOWN_UNIT)})
                continue
            units.append(unit)
            reports.append(report)
            places.append(place)
        accepted = 0
        if reports:
            lon, lat, at, speed, heading, accuracy, battery = np.array(reports, np.float64).T
            verdicts = self._services.positions.report_many(
                units,
                lon,
                lat,
                at,
                now,
                speed_kmh=speed,
                heading_deg=heading,
                accuracy_m=accuracy,
                battery=battery,
            )
            accepted = int((verdicts == Verdict.ACCEPTED).sum())
            for i in np.flatnonzero(verdicts):
                refusals.append({"index": places[i], "reason": code(int(verdicts[i]))})
        self._services.accepted += accepted
        for refusal in refusals:
            reason = str(refusal["reason"])
            self._services.refused[reason] = self._services.refused.get(reason, 0) + 1
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
        parts = _decode_parts(body)
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

    # Gateways

    async def _gateway(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Binary reports of many units over one connection; each frame is answered by its counts."""
        await receive()
        token = _token(scope, form_fields(scope["query_string"]))
        grant = self._services.tokens.lookup(token)
        if grant is None or grant.kind != "integration":
            await send({"type": "websocket.close", "code": 4001 if grant is None else 4003})
            return
        await send({"type": "websocket.accept"})
        clock = self._services.clock
        checked_at = clock.monotonic()
        while True:
            try:
                async with asyncio.timeout(_TOKEN_CHECK_S):
                    message = await receive()
            except TimeoutError:
                message = None
            if clock.monotonic() - checked_at >= _TOKEN_CHECK_S:
                checked_at = clock.monotonic()
                if self._services.tokens.lookup(token) is None:
                    await send({"type": "websocket.close", "code": 4001, "reason": "token revoked"})
                    return
            if message is None:
                continue
            if message["type"] == "websocket.disconnect":
                return
            try:
                answer = self._uplink(message.get("bytes") or b"", clock.now().timestamp())
            except Unreadable as error:
                await send({"type": "websocket.close", "code": 1008, "reason": error.detail})
                return
            await send({"type": "websocket.send", "text": answer.decode()})

    def _uplink(self, frame: bytes, now: float) -> bytes:
        """Take one gateway frame.

        Raises:
            Unreadable: Not such a frame.
        """
        if len(frame) < HEADER.size:
            raise Unreadable("header", "frame cut short")
        magic, version, flags, count, rev, as_of = HEADER.unpack_from(frame)
        if magic != MAGIC or version != VERSION or not flags & UPLINK:
            raise Unreadable("header", "not an uplink frame of version 1")
        if count > _GATEWAY_RECORDS or len(frame) != HEADER.size + count * UPLINK_RECORD.itemsize:
            raise Unreadable("count", "count and length disagree")
        records = np.frombuffer(frame, UPLINK_RECORD, count, HEADER.size)
        speed = np.where(records["speed"] == 255, np.nan, records["speed"].astype(np.float64))
        verdicts = self._services.positions.report_many(
            records["unit"],
            records["lon"] * 1e-7,
            records["lat"] * 1e-7,
            as_of - records["age_ms"] * 1e-3,
            now,
            speed_kmh=speed,
            heading_deg=np.where(np.isnan(speed), np.nan, records["heading"] * (360 / 256)),
            accuracy_m=np.where(records["accuracy"] == 255, np.nan, records["accuracy"] * 2.0),
            battery=np.where(records["battery"] == 255, np.nan, records["battery"] * 0.01),
        )
        counts = np.bincount(verdicts, minlength=len(Verdict))
        refused = {code(v): int(counts[v]) for v in Verdict if v and counts[v]}
        self._services.accepted += int(counts[Verdict.ACCEPTED])
        for reason, number in refused.items():
            self._services.refused[reason] = self._services.refused.get(reason, 0) + number
        return _encode({"type": "ack", "rev": rev, "accepted": int(counts[0]), "refused": refused})

    def _token_grant(self, scope: Scope, fields: Mapping[str, str]) -> Grant:
        grant = self._services.tokens.lookup(_token(scope, fields))
        if grant is None or grant.kind not in ("device", "integration"):
            raise _Refused(401, "unauthenticated", "a device or integration token is needed")
        return grant

    def _set_aside(self, scope: Scope, field: str, detail: str) -> None:
        """Count and keep a note of a report that can never be taken; positions stay out of logs."""
        services = self._services
        services.refused["quarantined"] = services.refused.get("quarantined", 0) + 1
        note: dict[str, object] = {"path": scope["path"], "field": field, "detail": detail[:200]}
        services.quarantine.append(note)
        total = services.refused["quarantined"]
        if total & (total - 1) == 0:  # 1, 2, 4, 8 …: a tracker gone mad must not fill the log
            log.warning("ingest.quarantined", total=total, **note)


def _token(scope: Scope, fields: Mapping[str, str]) -> str | None:
    """The token of a request: Bearer, the password of Basic, or `token=`."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").partition(" ")
            if kind.lower() == "bearer":
                return str(rest.strip())
            if kind.lower() == "basic":
                try:
                    return base64.b64decode(rest, validate=True).decode().partition(":")[2]
                except (binascii.Error, UnicodeDecodeError):
                    return None
    return fields.get("token")


async def _read(receive: Receive, limit: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _Refused(413, "too_large", f"at most {limit} bytes")
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _Refused(413, "too_large", f"at most {limit} bytes")
    return b"".join(parts)


def _error(scope: Scope, body: Mapping[str, object]) -> bytes:
    request_id = scope.get("state", {}).get("request_id") or secrets.token_hex(8)
    return _encode({**body, "request_id": request_id})
