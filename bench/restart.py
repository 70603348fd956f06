"""Coming back: start with 100,000 events in the log, and 500 browsers reconnecting after a kill -9.

Definitions: ready is the first 200 of ``/readyz`` after the process was started. A client is back when it has its
snapshot or resume frame and every event written before the kill; it resumes with the epoch and sequence number
it had. Targets: start ≤ 5 s, all 500 back ≤ 10 s, no event lost.

    python -m bench.restart
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import msgspec
import websockets

from bench.events import incident
from command.accounts.users import NewUser
from command.core import open_core
from command.events import SYSTEM, Event, Fact
from command.settings import load_settings
from command.store.log import Commit

EVENTS = 100_000
CLIENTS = 500
INCIDENTS = 200
PASSWORD = "bench-password-1"


def prepare(folder: Path) -> None:
    """Write a long log without a checkpoint, and one account."""
    core = open_core(load_settings(None, data_dir=folder))

    async def fill() -> None:
        await core.parts.accounts.load()
        await core.parts.accounts.add(NewUser("bench", "bench", "supervisor"), PASSWORD, "bench")
        seq = 0
        while seq < EVENTS:
            group = []
            for _ in range(2_000):
                seq += 1
                number = seq % INCIDENTS
                entity = msgspec.structs.replace(incident(number), version=seq)
                fact = Fact("incident.noted", (("incidents", entity.id, entity),), {"text": "记录"})
                group.append(Event(seq, "2026-01-01T00:00:00.000Z", fact.type, fact.data(SYSTEM)))
            await core.log.append(Commit(events=group))

    asyncio.run(fill())
    core.close()


def start(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start the service; returns it and the seconds until it was ready."""
    begun = time.perf_counter()
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "command.cli", "serve", "--data", str(folder), "--port", str(port)],
            stdout=log,
            stderr=log,
        )
    with httpx2.Client() as client:
        while time.perf_counter() - begun < 60:
            try:
                if client.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    return process, time.perf_counter() - begun
            except httpx2.HTTPError:
                time.sleep(0.02)
    raise RuntimeError((folder / "log.txt").read_text()[-2_000:])


class Client:
    """A browser as far as the feed goes: keeps its cursor and checks the chain."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url, self.cookie = url, cookie
        self.epoch: str | None = None
        self.seq = 0
        self.broken = 0
        self.resumed = 0
        self.back = asyncio.Event()

    async def run(self) -> None:
        """Connect, follow, and connect again."""
        while True:
            try:
                async with websockets.connect(
                    self.url, additional_headers={"Cookie": self.cookie}, max_size=None, compression=None
                ) as socket_:
                    hello = {"type": "hello", "protocol": 1, "topics": ["incidents"]}
                    if self.epoch is not None:
                        hello |= {"epoch": self.epoch, "last_seq": self.seq}
                    await socket_.send(json.dumps(hello))
                    async for text in socket_:
                        if isinstance(text, str):
                            self.take(msgspec.json.decode(text))
            except (OSError, websockets.WebSocketException):
                await asyncio.sleep(0.1)

    def take(self, frame: dict[str, object]) -> None:
        """Apply the client rules of the contract."""
        seq = int(str(frame.get("seq", 0)))
        kind = frame["frame"]
        if kind in ("snapshot", "resume"):
            self.broken += (
                kind == "resume" and seq != self.seq and self.epoch == frame["epoch"] and seq < self.seq
            )
            self.resumed += kind == "resume"
            self.epoch, self.seq = str(frame["epoch"]), seq
            self.back.set()
        elif kind == "event":
            self.broken += frame["prev"] != self.seq
            self.seq = seq


async def measure(folder: Path, port: int) -> None:
    """Connect everybody, write, kill, restart, count."""
    base = f"http://127.0.0.1:{port}"
    process, first_s = start(folder, port)
    async with httpx2.AsyncClient(base_url=base, timeout=30) as http:
        answer = await http.post("/api/v1/session", json={"username": "bench", "password": PASSWORD})
        cookie = answer.headers["set-cookie"].split(";")[0]
        clients = [Client(f"ws://127.0.0.1:{port}/api/v1/feed", cookie) for _ in range(CLIENTS)]
        tasks = [asyncio.create_task(client.run()) for client in clients]
        await asyncio.wait_for(asyncio.gather(*(client.back.wait() for client in clients)), 60)
        acknowledged = 0
        for number in range(40):
            reply = await http.post(
                f"/api/v1/incidents/i_{number}/note", json={"text": "x"}, headers={"Cookie": cookie}
            )
            acknowledged = reply.json()["seq"]
        for client in clients:
            client.back.clear()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        begun = time.perf_counter()
        process, again_s = start(folder, port)
        await asyncio.wait_for(asyncio.gather(*(client.back.wait() for client in clients)), 60)
        while min(c.seq for c in clients) < acknowledged and time.perf_counter() - begun < 60:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        back_s = time.perf_counter() - begun
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    process.terminate()
    process.wait(15)
    lost = sum(client.seq < acknowledged for client in clients) + sum(client.broken for client in clients)
    print(f"start with {EVENTS:,} events, no checkpoint: ready in {first_s:.2f} s  (target ≤ 5 s)")
    print(f"after kill -9: ready in {again_s:.2f} s")
    print(
        f"{CLIENTS} clients back {back_s:.2f} s after the kill, of these {back_s - again_s:.2f} s after ready;"
        f" {sum(client.resumed > 0 for client in clients)} resumed; lost or broken: {lost}  (targets ≤ 10 s, 0)"
    )


def main() -> None:
    """Run it in a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        prepare(Path(folder))
        asyncio.run(measure(Path(folder), port))


if __name__ == "__main__":
    main()
