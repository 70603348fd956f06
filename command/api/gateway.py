"""`WS /api/v1/gateway`: binary reports of many units over one connection; each frame is acknowledged."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import numpy as np

from command.api.devices import IngestServices, Receive, Scope, Send, token_of
from command.api.trackers import Unreadable, form_fields
from command.telemetry.records import HEADER, MAGIC, UPLINK, UPLINK_RECORD, VERSION
from command.telemetry.state import Verdict, code

__all__ = ["GATEWAY_PATH", "serve_gateway"]

GATEWAY_PATH: Final = "/api/v1/gateway"
_RECORDS: Final = 10_000
_TOKEN_CHECK_S: Final = 2.0
_encode: Final = msgspec.json.Encoder().encode


async def serve_gateway(services: IngestServices, scope: Scope, receive: Receive, send: Send) -> None:
    """Binary reports of many units over one connection; each frame is answered by its counts."""
    await receive()
    token = token_of(scope, form_fields(scope["query_string"]))
    grant = services.tokens.lookup(token)
    if grant is None or grant.kind != "integration":
        await send({"type": "websocket.close", "code": 4001 if grant is None else 4003})
        return
    await send({"type": "websocket.accept"})
    clock = services.clock
    checked_at = clock.monotonic()
    while True:
        try:
            async with asyncio.timeout(_TOKEN_CHECK_S):
                message = await receive()
        except TimeoutError:
            message = None
        if clock.monotonic() - checked_at >= _TOKEN_CHECK_S:
            checked_at = clock.monotonic()
            if services.tokens.lookup(token) is None:
                await send({"type": "websocket.close", "code": 4001, "reason": "token revoked"})
                return
        if message is None:
            continue
        if message["type"] == "websocket.disconnect":
            return
        try:
            answer = _uplink(services, message.get("bytes") or b"", clock.now().timestamp())
        except Unreadable as error:
            await send({"type": "websocket.close", "code": 1008, "reason": error.detail})
            return
        try:
            await send({"type": "websocket.send", "text": answer.decode()})
        except (RuntimeError, OSError):  # cut off in the meantime, because it did not answer a ping
            return


def _uplink(services: IngestServices, frame: bytes, now: float) -> bytes:
    """Take one gateway frame.

    Raises:
        Unreadable: Not such a frame.
    """
    if len(frame) < HEADER.size:
        raise Unreadable("header", "frame cut short")
    magic, version, flags, count, rev, as_of = HEADER.unpack_from(frame)
    if magic != MAGIC or version != VERSION or not flags & UPLINK:
        raise Unreadable("header", "not an uplink frame of version 1")
    if count > _RECORDS or len(frame) != HEADER.size + count * UPLINK_RECORD.itemsize:
        raise Unreadable("count", "count and length disagree")
    records = np.frombuffer(frame, UPLINK_RECORD, count, HEADER.size)
    speed = np.where(records["speed"] == 255, np.nan, records["speed"].astype(np.float64))
    verdicts = services.positions.report_many(
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
    services.accepted += int(counts[Verdict.ACCEPTED])
    for reason, number in refused.items():
        services.count_refused(reason, number)
    return _encode({"type": "ack", "rev": rev, "accepted": int(counts[0]), "refused": refused})
