"""Ingest: server CPU for one reported position, against the same report through FastAPI and pydantic.

Definitions: 32 keep-alive connections send the reports of 1,000 devices in turn, as fast as the server answers;
the figure is CPU time of all server threads divided by positions answered, as a median over interleaved rounds.
Both sides look the token up by its hash, validate every field and store the position by unit; ours also settles
and ticks five times a second. The peer is what a FastAPI application would write: a pydantic body with bounds, a
dependency for the token.

    python -m bench.ingest
"""

import asyncio
import hashlib
import json
import statistics
import subprocess
import sys
import time
from typing import Annotated, Any

from bench.rig import compiled, cpu_s, free_port, pinned, serving

CONNECTIONS = 32
SECONDS = 2.0
ROUNDS = 3
TARGET = 4.0
UNITS = 1000


def serve_ours(port: int) -> None:
    """The product's ingest in front of nothing."""
    from dataclasses import dataclass

    import uvicorn
    import uvloop

    from command.api.frames import UVICORN_OPTIONS
    from command.api.ingest import IngestApp, IngestServices
    from command.clock import SystemClock
    from command.telemetry.state import Positions
    from command.telemetry.tick import Ticker

    @dataclass
    class Token:
        kind: str
        responder_id: str | None
        device_id: str | None

    tokens = {digest(i): Token("device", f"r{i}", f"phone-{i}") for i in range(UNITS)}

    units = {f"r{i}": i for i in range(UNITS)}

    class Directory:
        def lookup(self, token: str | None) -> Token | None:
            return tokens.get(hashlib.sha256((token or "").encode()).hexdigest())

        def unit_of(self, responder_id: str) -> int | None:
            return units.get(responder_id)

        unit_of_device = unit_of

    async def nowhere(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError(scope["path"])

    async def main() -> None:
        positions = Positions(UNITS)
        for unit in units.values():
            positions.set_on_duty(unit, True)
        ticker = Ticker(positions, (105.0, 27.0, 105.4, 27.4))

        async def ticking() -> None:
            while True:
                await asyncio.sleep(0.2)
                ticker.tick(time.time())

        directory = Directory()
        app = IngestApp(nowhere, IngestServices(positions, directory, directory, SystemClock()))
        config = uvicorn.Config(
            app,
            port=port,
            log_level="error",
            lifespan="off",
            loop="uvloop",
            access_log=False,
            **UVICORN_OPTIONS,
        )
        task = asyncio.create_task(ticking())
        await uvicorn.Server(config).serve()
        task.cancel()

    uvloop.run(main())


def serve_fastapi(port: int) -> None:
    """The peer."""
    from datetime import datetime

    import uvicorn
    import uvloop
    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel, Field

    tokens = {digest(i): i for i in range(UNITS)}

    class Position(BaseModel):
        lon: float = Field(ge=-180, le=180)
        lat: float = Field(ge=-90, le=90)
        fix_at: datetime | None = None
        speed_kmh: float | None = Field(None, ge=0, le=1000)
        heading_deg: float | None = Field(None, ge=0, le=360)
        accuracy_m: float | None = Field(None, ge=0)
        battery: float | None = Field(None, ge=0, le=1)
        device_id: str | None = None

    async def unit_of(authorization: Annotated[str, Header()]) -> int:
        token = authorization.removeprefix("Bearer ")
        found = tokens.get(hashlib.sha256(token.encode()).hexdigest())
        if found is None:
            raise HTTPException(401)
        return found

    latest: dict[int, Position] = {}
    app = FastAPI()

    @app.post("/api/v1/positions")
    async def post(position: Position, unit: Annotated[int, Depends(unit_of)]) -> dict[str, int]:
        latest[unit] = position
        return {"accepted": 1}

    @app.post("/api/v1/positions/batch")
    async def batch(positions: list[Position], unit: Annotated[int, Depends(unit_of)]) -> dict[str, int]:
        for position in positions:
            latest[unit] = position
        return {"accepted": len(positions)}

    config = uvicorn.Config(
        app, port=port, log_level="error", lifespan="off", loop="uvloop", access_log=False, http="httptools"
    )
    uvloop.run(uvicorn.Server(config).serve())


def digest(device: int) -> str:
    """What both sides know of a device's token."""
    return hashlib.sha256(f"token-{device}".encode()).hexdigest()


def request(device: int, method: str, target: str, body: object = None) -> bytes:
    """An HTTP request with a device's token."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-{device}\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def measure(server: str, payload: bytes) -> float:
    """Microseconds of server CPU for one request."""
    port = free_port()
    with serving([sys.executable, "-m", "bench.ingest", server, str(port)], port) as pid:
        arguments = [str(port), str(CONNECTIONS), "0.7", str(SECONDS)]
        command = pinned(1, [compiled("hammer"), *arguments])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(payload)
            client.stdin.close()
            client.stdout.readline()
            before = cpu_s(pid)
            line = client.stdout.readline()
            used = cpu_s(pid) - before
        if not line:
            sys.exit("the load client failed")
        return used * 1e6 / int(json.loads(line)["requests"])


def main() -> None:
    one, osmand, many = [], [], []
    now = time.time()
    for i in range(UNITS):
        position = {
            "lon": round(105.1 + i * 1e-4, 7),
            "lat": 27.1234567,
            "speed_kmh": 36.5,
            "heading_deg": 271.0,
            "accuracy_m": 8.0,
            "battery": 0.81,
            "device_id": f"phone-{i}",
        }
        one.append((i, "POST", "/api/v1/positions", position))
        query = f"id=phone-{i}&lat=27.12&lon={105.1 + i * 1e-4:.6f}&speed=12.5&bearing=270&accuracy=8&batt=81"
        osmand.append((i, "GET", f"/tracker/osmand?{query}"))
        many.append([{**position, "fix_at": round(now - 100 + k, 1)} for k in range(100)])
    batches = [(i, "POST", "/api/v1/positions", many[i]) for i in range(100)]
    peer = [(i, "POST", "/api/v1/positions/batch", many[i]) for i in range(100)]
    cases: dict[str, tuple[str, list[Any], int]] = {
        "FastAPI + pydantic, one": ("fastapi", one, 1),
        "ours, one": ("ours", one, 1),
        "ours, OsmAnd query": ("ours", osmand, 1),
        "FastAPI + pydantic, 100": ("fastapi", peer, 100),
        "ours, 100": ("ours", batches, 100),
    }
    costs: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (server, requests, reports) in cases.items():
            payload = b"\0".join(request(*one) for one in requests)
            costs[name].append(measure(server, payload) / reports)
    medians = {name: statistics.median(values) for name, values in costs.items()}
    print(f"{'one position by':28} {'us CPU':>8} {'per core':>12}")
    for name, cost in medians.items():
        print(f"{name:28} {cost:8.2f} {1e6 / cost:10,.0f}/s")
    single = medians["FastAPI + pydantic, one"] / medians["ours, one"]
    batch = medians["FastAPI + pydantic, 100"] / medians["ours, 100"]
    verdict = "met" if single >= TARGET else "MISSED"
    print(f"ratio single {single:.1f} (target >= {TARGET:.0f}: {verdict}), batch {batch:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        serve_ours(int(sys.argv[2]))
    elif sys.argv[1:2] == ["fastapi"]:
        serve_fastapi(int(sys.argv[2]))
    else:
        main()
