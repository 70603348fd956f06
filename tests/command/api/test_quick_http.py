"""The shortcut for small reports answers as the ordinary way does, in order, and steps aside when in doubt."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from command.api.frames import UVICORN_OPTIONS
from command.api.ingest import Answer, Grant, IngestApp, IngestServices, SessionGrant
from command.clock import ManualClock
from command.telemetry.state import Positions
from tests.command.api.test_ingest import Roster, Tokens

REPORT = b'{"lon":105.1,"lat":27.1}'


async def behind(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"behind"})


class Counting(IngestApp):
    """Counts what took the shortcut."""

    quick = 0

    def answer_at_once(self, scope: Any, body: bytes) -> Answer | None:
        answer = super().answer_at_once(scope, body)
        self.quick += answer is not None
        return answer


def ingest() -> Counting:
    positions = Positions()
    positions.set_on_duty(1, True)
    return Counting(behind, IngestServices(positions, Tokens(), Roster(), ManualClock()))


@contextlib.asynccontextmanager
async def connected(app: IngestApp) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", **UVICORN_OPTIONS))
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await task


def post(body: bytes = REPORT, *extra: str, version: str = "1.1", token: str = "mine") -> bytes:
    lines = [f"POST /api/v1/positions HTTP/{version}", "Host: x", f"Content-Length: {len(body)}", *extra]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    size = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
    return int(head.split()[1]), (await reader.readexactly(size)).decode()


async def test_reports_on_one_connection() -> None:
    app = ingest()
    async with connected(app) as (reader, writer):
        for piece in (post(), post()[:60], post()[60:-5], post()[-5:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        assert [await answer(reader), await answer(reader)] == [(200, '{"accepted":1}')] * 2
        writer.write(b"GET /tracker/osmand?id=phone-1&lat=1&lon=2&token=mine HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await answer(reader) == (200, '{"accepted":1}')
    assert app.quick == 3


async def test_pipelined_requests_keep_their_order() -> None:
    app = ingest()
    other = b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n"
    async with connected(app) as (reader, writer):
        writer.write(post() + other + post(b"[]") + other + post(token="wrong"))
        answers = [await answer(reader) for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 200, 401]
    assert [body for _, body in answers[:4]] == ['{"accepted":1}', "behind", '{"accepted":0}', "behind"]


@pytest.mark.parametrize(
    "request_",
    [
        post(REPORT, "Connection: close"),
        post(version="1.0"),
        post(REPORT, "Expect: 100-continue"),
        post(b"[" + b",".join([REPORT] * 4000) + b"]"),
        post()
        .replace(b"Content-Length: 24", b"Transfer-Encoding: chunked")
        .replace(REPORT, b"18\r\n" + REPORT + b"\r\n0\r\n\r\n"),
    ],
    ids=["close", "1.0", "expect", "big", "chunked"],
)
async def test_anything_special_takes_the_ordinary_way(request_: bytes) -> None:
    app = ingest()
    async with connected(app) as (reader, writer):
        writer.write(request_)
        await writer.drain()
        if b"Expect" in request_:
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        status, body = await answer(reader)
    assert status == 200
    assert json.loads(body)["accepted"] >= 1
    assert app.quick == 0


async def test_a_browser_session_is_asked_for_the_ordinary_way() -> None:
    app = ingest()

    async def session(scope: Any) -> Grant | None:
        await asyncio.sleep(0)
        return SessionGrant("r1")

    app._services.session = session
    async with connected(app) as (reader, writer):
        writer.write(post(token="") + post())
        assert [await answer(reader), await answer(reader)] == [(200, '{"accepted":1}')] * 2
    # The second was still queued behind the first when it was parsed, so neither took the shortcut.
    assert app.quick == 0


async def test_a_fault_of_ours_is_not_blamed_on_the_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ingest()
    monkeypatch.setattr(app._services.positions, "report", lambda *_: 1 / 0)
    async with connected(app) as (reader, writer):
        writer.write(post())
        assert (await answer(reader))[0] == 500
        writer.write(b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await answer(reader) == (200, "behind")
