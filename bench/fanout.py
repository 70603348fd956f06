"""Fan-out: CPU of the server for one delivered WebSocket frame, against a bare send() loop in C.

Definitions: 500 clients on loopback each receive the same 3,200-byte binary frame ten times a second; the
figure is CPU time of all server threads divided by frames that clients received completely, as a median over
interleaved rounds of one run. Latency is from building the frame to its arrival and means little on a busy
machine.

    python -m bench.fanout            # add NODE_MODULES=dir with ws and socket.io to measure them as well
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from bench.rig import Load, compiled, free_port, load, serving

CLIENTS = 500
PAYLOAD = 3200
HZ = 10.0
SECONDS = 3.0
ROUNDS = 2
TARGET = 1.8

NODE = {
    "ws (Node)": """
const {{ WebSocketServer }} = require('ws');
const server = new WebSocketServer({{ port: {port}, host: '127.0.0.1', perMessageDeflate: false }});
const body = Buffer.alloc({size});
setInterval(() => {{
  body.writeBigUInt64LE(process.hrtime.bigint());
  for (const client of server.clients) client.send(body);
}}, {period});
""",
}


def serve(kind: str, port: int) -> None:
    """Run one of the Python servers."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    from command.api.frames import UVICORN_OPTIONS, frame_sink
    from command.framing import FrameSink, binary_frame

    sinks: dict[int, FrameSink] = {}
    sockets: dict[int, WebSocket] = {}

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        key = id(websocket)
        sockets[key] = websocket
        if kind == "ours":
            sinks[key] = frame_sink(websocket)
        try:
            while True:
                await websocket.receive_bytes()
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass
        finally:
            sockets.pop(key, None)
            sinks.pop(key, None)

    async def broadcast() -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1 / HZ
            await asyncio.sleep(max(0.0, due - loop.time()))
            payload = time.monotonic_ns().to_bytes(8, "little") + bytes(PAYLOAD - 8)
            if kind == "ours":
                frame = binary_frame(payload)
                for sink in sinks.values():
                    if sink.buffered() <= 256 * 1024:
                        sink.write(frame)
            else:
                for websocket in list(sockets.values()):
                    await websocket.send_bytes(payload)

    async def main() -> None:
        options = dict(UVICORN_OPTIONS, ws_ping_interval=None)
        if kind == "stock":
            options["ws"] = "websockets-sansio"
        app = Starlette(routes=[WebSocketRoute("/", endpoint)])
        config = uvicorn.Config(app, port=port, log_level="error", lifespan="off", loop="uvloop", **options)
        task = asyncio.create_task(broadcast())
        await uvicorn.Server(config).serve()
        task.cancel()

    uvicorn_loop = __import__("uvloop")
    uvicorn_loop.run(main())


def measure(kind: str) -> Load:
    """One round of one server."""
    port = free_port()
    mode = "mono"
    env: dict[str, str] = {}
    if kind == "raw C send()":
        command = [compiled("rawsend"), str(port), str(PAYLOAD), str(HZ)]
        mode = "raw"
    elif kind in NODE:
        script = NODE[kind].format(port=port, size=PAYLOAD, period=1000 / HZ)
        command = ["node", "-e", script]
        env["NODE_PATH"] = os.environ["NODE_MODULES"]
    else:
        command = [sys.executable, "-m", "bench.fanout", "serve", kind, str(port)]
    with serving(command, port, env) as pid:
        return load(pid, port, CLIENTS, SECONDS, mode, "/")


def main() -> None:
    kinds = ["raw C send()", "ours", "stock"]
    modules = os.environ.get("NODE_MODULES")
    if modules and shutil.which("node") and (Path(modules) / "ws").is_dir():
        kinds += list(NODE)
    rounds: dict[str, list[Load]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind in kinds:
            rounds[kind].append(measure(kind))
    # The limit brackets the others, so that a machine getting busier does not flatter them.
    rounds["raw C send()"].append(measure("raw C send()"))
    limit = statistics.median(r.us_per_frame for r in rounds["raw C send()"])
    print(f"{CLIENTS} clients, {PAYLOAD} B at {HZ:.0f} Hz, median of {ROUNDS} rounds")
    print(f"{'server':28} {'us/frame':>9} {'x raw':>6} {'delivered':>10} {'p50/p99 ms':>14}")
    names = {"ours": "uvicorn, pre-framed (ours)", "stock": "uvicorn, send_bytes"}
    ratio = {}
    for kind in kinds:
        runs = rounds[kind]
        cost = statistics.median(r.us_per_frame for r in runs)
        ratio[kind] = cost / limit
        share = statistics.median(r.frames / (CLIENTS * HZ * r.seconds) for r in runs)
        p50, p99 = statistics.median(r.p50_ms for r in runs), statistics.median(r.p99_ms for r in runs)
        print(f"{names.get(kind, kind):28} {cost:9.1f} {ratio[kind]:6.2f} {share:10.0%} {p50:7.1f}/{p99:.1f}")
    print(f"target: ours <= {TARGET} x raw: {'met' if ratio['ours'] <= TARGET else 'MISSED'}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
