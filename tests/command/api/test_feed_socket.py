"""The feed over real sockets under uvicorn, and over the fallback of a test client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from command.api.feed import FeedHub, Viewer
from command.api.frames import UVICORN_OPTIONS
from command.clock import ManualClock
from command.events import Event
from command.feed import KINDS, TOPICS, Feed, View
from command.presence import Presence
from command.telemetry.records import HEADER, MAGIC, RECORD, SNAPSHOT
from command.telemetry.state import Positions, Report
from command.telemetry.tick import Ticker
from tests.command.feed_client import FeedClient

AT = "2026-11-22T03:07:42.123Z"


class Eyes:
    """Sees everything of the allowed topics."""

    unrestricted = True
    share: str | None = "all"

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics

    def sees(self, kind: str, id: str, entity: Mapping[str, Any]) -> bool:
        return True


class Picture:
    seq = 0

    def wire(self) -> Mapping[str, Mapping[str, Any]]:
        return {kind: {} for kind in KINDS}


class Service:
    """A hub with one known visitor, whose session can be ended."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.feed = Feed("e1", Picture())
        self.positions = Positions()
        self.ticker = Ticker(self.positions, (105.0, 27.0, 105.4, 27.4))
        self.presence = Presence()
        self.allowed = TOPICS
        self.signed_in = True
        self.valid = True
        self.hub = FeedHub(
            self.feed,
            self.ticker,
            self.presence,
            self.clock,
            authenticate=lambda _: self.viewer() if self.signed_in else None,
            still_valid=lambda _: self.valid,
            origin_allowed=lambda ws: ws.headers.get("origin") != "https://elsewhere.example",
        )

    def viewer(self) -> Viewer:
        def view(asked: frozenset[str]) -> View:
            return Eyes(asked & self.allowed)

        return Viewer("s1", "u1", "王芳", "dispatcher", None, view)

    def happen(self, value: object = 1) -> None:
        seq = self.feed.seq + 1
        data = {"changes": {"incidents": {"i1": {"id": "i1", "value": value}}}}
        self.feed.publish(Event(seq, AT, "incident.updated", data))

    def app(self) -> Starlette:
        return Starlette(routes=[WebSocketRoute("/api/v1/feed", self.hub.endpoint)])


async def becomes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[str]:
    config = uvicorn.Config(service.app(), log_config=None, lifespan="off", **UVICORN_OPTIONS)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await becomes(lambda: server.started)
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/api/v1/feed"
    finally:
        server.should_exit = True
        await task


async def hello(ws: ClientConnection, **fields: object) -> None:
    await ws.send(msgspec.json.encode({"type": "hello", "protocol": 1, **fields}).decode())


async def read(ws: ClientConnection) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(await ws.recv())
    return answer


async def until(ws: ClientConnection, frame: str) -> dict[str, Any]:
    while (message := await read(ws))["frame"] != frame:
        pass
    return message


async def test_the_first_frames_and_an_event() -> None:
    service = Service()
    async with serving(service) as url, connect(url) as ws:
        await hello(ws)
        frames = [await read(ws) for _ in range(3)]
        assert [f["frame"] for f in frames] == ["snapshot", "heartbeat", "presence"]
        assert frames[2]["users"][0]["desk"] == 1
        client = FeedClient()
        client.connected()
        client.receive(frames[0])
        service.happen("说明")
        client.receive(await read(ws))
        assert client.board["incidents"] == {"i1": {"id": "i1", "value": "说明"}}
        assert not client.resync


async def test_positions_come_as_binary_records() -> None:
    service = Service()
    now = service.clock.now().timestamp()
    service.positions.set_on_duty(7, True)
    service.positions.report(7, Report(105.1, 27.2, now, 36.0, 90.0), now)
    async with serving(service) as url, connect(url) as ws:
        await hello(ws, topics=["telemetry"], bbox=[105.0, 27.0, 105.2, 27.3])
        assert (await read(ws))["frame"] == "snapshot"
        assert (await read(ws))["frame"] == "heartbeat"
        service.ticker.tick(now)
        frame = await ws.recv()
        assert isinstance(frame, bytes)
        magic, version, flags, count, _, as_of = HEADER.unpack_from(frame)
        assert (magic, version, flags, count, as_of) == (MAGIC, 1, SNAPSHOT, 1, now)
        record = np.frombuffer(frame, RECORD, offset=HEADER.size)[0]
        assert record.tolist() == (7, 1_051_000_000, 272_000_000, 64, 36, 1)


async def test_the_handshake_wants_a_session_and_a_known_origin() -> None:
    service = Service()
    async with serving(service) as url:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url, origin="https://elsewhere.example").__aenter__()  # type: ignore[arg-type]
        service.signed_in = False
        async with connect(url) as ws:
            with pytest.raises(ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4001


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type":"hello","protocol":2}', 1008),
        ('{"type":"hello","protocol":1,"topics":["secrets"]}', 4003),
        ('{"type":"view"}', 1008),
        ("not json", 1008),
        (b"binary", 1008),
        ('{"type":"hello","protocol":1,"x":"' + "y" * 70_000 + '"}', 1009),
    ],
    ids=["protocol", "topics", "no hello", "not json", "binary", "too big"],
)
async def test_what_is_not_a_hello_ends_the_connection(first: str | bytes, code: int) -> None:
    async with serving(Service()) as url, connect(url) as ws:
        await ws.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def closing_code(ws: ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await ws.recv()
    assert ws.close_code is not None
    return ws.close_code


async def test_an_ended_session_closes_its_feed() -> None:
    service = Service()
    async with serving(service) as url, connect(url) as ws:
        await hello(ws)
        await until(ws, "presence")
        service.valid = False
        service.clock.advance(2.1)
        service.hub.keep_house()
        assert await closing_code(ws) == 4001
    assert len(service.hub) == 0
    assert service.presence.rows() == []


async def test_too_many_messages_end_the_connection() -> None:
    async with serving(Service()) as url, connect(url) as ws:
        await hello(ws)
        for _ in range(30):
            await ws.send('{"type":"view"}')
        assert await closing_code(ws) == 1008


async def test_changing_the_view_starts_over_with_a_snapshot() -> None:
    service = Service()
    async with serving(service) as url, connect(url) as ws:
        await hello(ws, topics=["cameras"])
        assert (await until(ws, "snapshot"))["board"]["incidents"] == {}
        service.happen()
        await ws.send('{"type":"view","topics":["incidents"]}')
        assert "i1" in (await until(ws, "snapshot"))["board"]["incidents"]


async def test_presence_tells_what_others_look_at() -> None:
    service = Service()
    async with serving(service) as url, connect(url) as first, connect(url) as second:
        await hello(first)
        await until(first, "presence")
        await hello(second, page="wall")
        await second.send('{"type":"view","viewing":{"kind":"incidents","id":"i1"}}')
        await becomes(lambda: any(seat["viewing"] for seat in service.presence.rows()))
        service.hub.keep_house()
        users = (await until(first, "presence"))["users"]
        assert [(u["page"], u["desk"]) for u in users] == [("console", 1), ("wall", None)]
        assert users[1]["viewing"] == {"kind": "incidents", "id": "i1"}


async def test_estimates_reach_those_who_see_the_assignment() -> None:
    service = Service()
    assignment = {"a1": {"id": "a1"}}
    service.feed.publish(Event(1, AT, "incident.dispatched", {"changes": {"assignments": assignment}}))
    async with serving(service) as url, connect(url) as ws:
        await hello(ws)
        await until(ws, "presence")
        service.hub.publish_eta([{"assignment_id": "a1", "eta_s": 60}, {"assignment_id": "gone", "eta_s": 9}])
        assert (await until(ws, "eta"))["items"] == [{"assignment_id": "a1", "eta_s": 60}]


async def test_a_client_that_never_reads_is_cut_and_harms_nobody() -> None:
    service = Service()
    async with serving(service) as url, connect(url) as good:
        await hello(good)
        await until(good, "presence")
        port = int(url.split(":")[2].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        writer.write(
            b"GET /api/v1/feed HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        payload = b'{"type":"hello","protocol":1}'
        writer.write(bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload)
        await becomes(lambda: len(service.hub) == 2)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        client = FeedClient()
        client.connected()
        await good.send('{"type":"view","topics":["incidents"]}')
        client.receive(await until(good, "snapshot"))
        for _ in range(600):
            service.happen("x" * 20_000)
            message = await until(good, "event")
            client.receive(message)
        assert client.seq == service.feed.seq
        assert not client.resync
        assert len(service.hub) <= 2
        while (
            len(service.hub) > 1
        ):  # given up by its full queue, and its socket freed though it never answers
            service.clock.advance(1.0)
            service.hub.keep_house()
            await asyncio.sleep(0.05)
        writer.transport.abort()


def test_the_fallback_without_a_transport() -> None:
    service = Service()
    with TestClient(service.app()) as client, client.websocket_connect("/api/v1/feed") as ws:
        ws.send_json({"type": "hello", "protocol": 1})
        assert [ws.receive_json()["frame"] for _ in range(3)] == ["snapshot", "heartbeat", "presence"]
        ws.send_json({"type": "hello", "protocol": 1, "topics": 5})
        with pytest.raises(WebSocketDisconnect) as closed:
            ws.receive_json()
        assert closed.value.code == 1008


def test_the_header_is_what_the_documentation_says() -> None:
    assert HEADER.size == 24
    assert RECORD.itemsize == 16
    assert struct.pack("<H", MAGIC) == bytes.fromhex("5954")
