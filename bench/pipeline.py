"""The whole telemetry lane: 20,000 positions a second in, 500 maps out, five times a second.

Definitions: one gateway sends 100 binary frames of 200 reports a second over WS `/api/v1/gateway`, every unit
once a second; 500 signed-in clients each look at a random twentieth of the district through WS
`/api/v1/feed`. In between run the product's own token look-up, checks of each report, settling, the geofence
over 1,600 areas, the tick, and the history into SQLite. CPU is that of all server threads in percent of one
core. Latency is from the moment a report is sent (told by its heading and speed, in steps of 4 ms) to its
arrival at a sampled client, the wait for the tick included. The second phase adds one client that asks for
everything and never reads.

    python -m bench.pipeline
"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.rig import Load, compiled, free_port, load, pinned, rss_mb, serving

UNITS = 20_000
CLIENTS = 500
EXTENT = (105.0, 27.0, 105.4, 27.4)
GRIDS = 40
FRAMES_PER_S = 100
SECONDS = 8.0
CPU_TARGET = 25.0
P99_TARGET_MS = 300.0
SLOTS = 256 * 254


def geofence() -> Any:
    """1,600 areas with shared, crooked borders."""
    import shapely

    from gis.areas import Area, AreaIndex
    from gis.geofence import Geofence

    rng = np.random.default_rng(1)
    west, south, east, north = EXTENT
    xs, ys = np.meshgrid(np.linspace(west, east, GRIDS + 1), np.linspace(south, north, GRIDS + 1))
    inner = (slice(1, -1), slice(1, -1))
    xs[inner] += rng.uniform(-0.002, 0.002, xs[inner].shape)
    ys[inner] += rng.uniform(-0.002, 0.002, ys[inner].shape)
    areas = [
        Area(
            f"{340000000 + i * GRIDS + j}",
            f"{i}-{j}",
            4,
            None,
            "网格",
            shapely.Polygon(
                [(xs[a, b], ys[a, b]) for a, b in ((i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j))]
            ),
        )
        for i in range(GRIDS)
        for j in range(GRIDS)
    ]
    return Geofence(AreaIndex(areas), UNITS)


def serve(port: int, folder: str) -> None:
    """The product's own parts, put together as its server does."""
    import hashlib
    from dataclasses import dataclass

    import uvicorn
    import uvloop
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    from command.api.feed import FeedHub, Viewer
    from command.api.frames import UVICORN_OPTIONS
    from command.api.ingest import IngestApp, IngestServices
    from command.clock import SystemClock
    from command.feed import Feed
    from command.presence import Presence
    from command.store.database import Database
    from command.store.migrate import upgrade
    from command.store.tracks import SqlTracks
    from command.telemetry.history import TrackWriter
    from command.telemetry.state import Positions
    from command.telemetry.tick import Ticker

    class Nothing:
        seq = 0

        def wire(self) -> dict[str, Any]:
            return {}

    class All:
        unrestricted = True
        share = "all"

        def __init__(self, topics: frozenset[str]) -> None:
            self.topics = topics

        def sees(self, kind: str, id: str, entity: object) -> bool:
            return True

    @dataclass
    class Token:
        kind: str = "integration"
        responder_id: str | None = None
        device_id: str | None = None

    tokens = {hashlib.sha256(b"gateway").hexdigest(): Token()}
    sessions = {hashlib.sha256(b"bench").hexdigest()}

    class Directory:
        def lookup(self, token: str | None) -> Token | None:
            return tokens.get(hashlib.sha256((token or "").encode()).hexdigest())

        def unit_of(self, responder_id: str) -> int | None:
            return None

        unit_of_device = unit_of

    async def main() -> None:
        clock = SystemClock()
        positions = Positions(UNITS)
        for unit in range(1, UNITS + 1):
            positions.set_on_duty(unit, True)
        database = Database(Path(folder) / "bench.db")
        upgrade(database)
        fence = geofence()
        ticker = Ticker(
            positions,
            EXTENT,
            history=TrackWriter(SqlTracks(database)),
            locate=fence.update,
            rev=int(time.time() * 1000),
        )

        def viewer(websocket: WebSocket) -> Viewer | None:
            cookie = websocket.cookies.get("session", "")
            key = hashlib.sha256(cookie.encode()).hexdigest()
            return Viewer(key, key, "bench", "dispatcher", None, All) if key in sessions else None

        hub = FeedHub(
            Feed("e1", Nothing()),
            ticker,
            Presence(),
            clock,
            authenticate=viewer,
            still_valid=lambda one: one.session_id in sessions,
            origin_allowed=lambda websocket: True,
        )
        app = Starlette(routes=[WebSocketRoute("/api/v1/feed", hub.endpoint)])
        directory = Directory()
        ingest = IngestApp(app, IngestServices(positions, directory, directory, clock))
        config = uvicorn.Config(
            ingest, port=port, log_level="error", lifespan="off", loop="uvloop", **UVICORN_OPTIONS
        )
        async with hub.running():
            await uvicorn.Server(config).serve()

    uvloop.run(main())


def masked(payload: bytes) -> bytes:
    """A client frame; a mask of zeros is a mask."""
    if len(payload) < 126:
        return bytes((0x82, 0x80 | len(payload))) + bytes(4) + payload
    return b"\x82\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


def upgrade_to(port: int, path: str) -> socket.socket:
    """An open WebSocket as a plain socket."""
    plain = socket.create_connection(("127.0.0.1", port))
    plain.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Cookie: session=bench\r\nSec-WebSocket-Key: eWlwaW5nIGJlbmNoIDAwMQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += plain.recv(1)
    return plain


def answer_pings(plain: socket.socket, lock: threading.Lock) -> None:
    """Read acknowledgements and answer pings, as any client must."""
    stream = plain.makefile("rb")
    while head := stream.read(2):
        size = head[1] if head[1] < 126 else int.from_bytes(stream.read(2), "big")
        payload = stream.read(size)
        if head[0] & 15 == 9:
            with lock:
                plain.sendall(bytes((0x8A, 0x80 | size)) + bytes(4) + payload)


def feed_positions(port: int) -> None:
    """Send reports until the server goes away; run as a process of its own."""
    from command.telemetry.records import HEADER, MAGIC, UPLINK, UPLINK_RECORD

    plain = upgrade_to(port, "/api/v1/gateway?token=gateway")
    lock = threading.Lock()
    threading.Thread(target=answer_pings, args=(plain, lock), daemon=True).start()
    rng = np.random.default_rng(2)
    records = np.zeros(UNITS, UPLINK_RECORD)
    records["unit"] = np.arange(1, UNITS + 1)
    for name, low, high in (("lon", EXTENT[0], EXTENT[2]), ("lat", EXTENT[1], EXTENT[3])):
        records[name] = rng.uniform(low, high, UNITS) * 1e7
    records["accuracy"], records["battery"] = 3, 90
    rng.shuffle(records)
    size = UNITS // FRAMES_PER_S
    due, number = time.monotonic(), 0
    while True:
        part = records[number % FRAMES_PER_S * size :][:size]
        part["lon"] += rng.integers(-1000, 1001, size, dtype=np.int32)
        part["lat"] += rng.integers(-1000, 1001, size, dtype=np.int32)
        now = time.time()
        stamp = int(now * 1000) // 4 % SLOTS
        part["heading"], part["speed"] = stamp // 254, stamp % 254
        with lock:
            plain.sendall(masked(HEADER.pack(MAGIC, 1, UPLINK, size, number, now) + part.tobytes()))
        number += 1
        due += 1 / FRAMES_PER_S
        time.sleep(max(0.0, due - time.monotonic()))


def report(name: str, run: Load, rss: float) -> None:
    expected = CLIENTS * 5 * run.seconds
    print(
        f"{name:34} {100 * run.cpu_s / run.seconds:6.1f} % {run.p50_ms:6.0f} {run.p99_ms:6.0f} ms"
        f" {run.frames / expected:9.0%} {run.bytes / run.seconds / 1e6:7.1f} MB/s {rss:6.0f} MB"
    )


def main() -> None:
    import subprocess

    port = free_port()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        serve_command = [sys.executable, "-m", "bench.pipeline", "serve", str(port), folder]
        pid = stack.enter_context(serving(serve_command, port))
        feeder = subprocess.Popen(
            pinned(1, [sys.executable, "-m", "bench.pipeline", "feed", str(port)]), stderr=subprocess.DEVNULL
        )
        stack.callback(feeder.wait)
        stack.callback(feeder.terminate)
        compiled("load")
        time.sleep(2.0)
        print(f"{UNITS} positions/s in, {CLIENTS} maps of 5 % each out at 5 Hz; frames due, data, memory")
        print(f"{'':34} {'CPU':>8} {'p50':>6} {'p99':>9} {'due':>9}")
        quiet = load(pid, port, CLIENTS, SECONDS, "feed", "/api/v1/feed", *EXTENT, warm=3.0)
        report("everybody reads", quiet, rss_mb(pid))
        stuck = upgrade_to(port, "/api/v1/feed")
        stack.callback(stuck.close)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        hello = b'{"type":"hello","protocol":1,"topics":["incidents","telemetry"]}'
        stuck.sendall(b"\x81" + bytes((0x80 | len(hello),)) + bytes(4) + hello)
        slow = load(pid, port, CLIENTS, SECONDS, "feed", "/api/v1/feed", *EXTENT, warm=1.0)
        report("and one client never reads", slow, rss_mb(pid))
        blobs = sum(f.stat().st_size for f in Path(folder).iterdir())
        print(f"history written: {blobs / 1e6:.0f} MB")
    cpu = 100 * quiet.cpu_s / quiet.seconds
    met = cpu <= CPU_TARGET and quiet.p99_ms <= P99_TARGET_MS
    verdict = "met" if met else "MISSED"
    print(f"target: <= {CPU_TARGET:.0f} % of a core and p99 <= {P99_TARGET_MS:.0f} ms: {verdict}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["feed"]:
        with contextlib.suppress(OSError, KeyboardInterrupt):
            feed_positions(int(sys.argv[2]))
    else:
        main()
