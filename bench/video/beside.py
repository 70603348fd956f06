"""What two hundred watched cameras do to everybody else: an API call and the feed, idle and beside them.

One real service with the small district. *API*: ``GET /areas/{code}/overview``, one after the other. *Feed*: from
the POST of a note to its event at another socket. *Load*: 200 cameras of 720p25 (the stored loop), each watched
over a WebSocket by another process that reads and throws away. The machine has as many cores as it has: sender,
readers, service and media processes share them, so the ratio also holds what they take from each other.

    python -m bench.video.beside [STREAMS]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from bench.rig import cpu_s, free_port, serving
from bench.video.watch import SETTINGS, Sockets, drain, register

STREAMS = 200
CALLS = 300
NOTES = 60
TARGET = 1.5


def calls(town: Any, code: str) -> list[float]:
    """Return how long API calls take, in ms."""
    desk = town.account("dispatcher")
    waits = []
    for _ in range(CALLS):
        began = time.perf_counter()
        desk.get(f"/areas/{code}/overview")
        waits.append(1000 * (time.perf_counter() - began))
        time.sleep(0.02)
    return waits


def notes(town: Any, incident_id: str) -> list[float]:
    """Return how long events take to another socket, in ms."""
    from websockets.sync.client import connect

    from tests.browser.town import COOKIE

    desk = town.account("dispatcher")
    seen: dict[str, float] = {}
    headers = {"Cookie": f"{COOKIE}={town.account('operator').token}"}
    address = "ws" + town.service.url.removeprefix("http") + "/api/v1/feed"
    with connect(
        address,
        additional_headers=headers,
        origin=town.service.url,
        compression=None,
        proxy=None,
        max_size=None,
    ) as socket:
        socket.send(json.dumps({"type": "hello", "protocol": 1, "topics": ["incidents"]}))

        def listen() -> None:
            with contextlib.suppress(Exception):
                for message in socket:
                    if isinstance(message, str) and "incident.noted" in message:
                        seen[message.partition("第")[2].partition("句")[0]] = time.time()

        threading.Thread(target=listen, daemon=True).start()
        time.sleep(0.5)
        waits = []
        for number in range(NOTES):
            began = time.time()
            desk.post(f"/incidents/{incident_id}/note", text=f"第{number}句")
            deadline = began + 10
            while str(number) not in seen and time.time() < deadline:
                time.sleep(0.001)
            waits.append(1000 * (seen.get(str(number), deadline) - began))
            time.sleep(0.05)
    return waits


async def watch(url: str, cookie: str, ids: list[str]) -> None:
    """Watch all of them until standard input closes."""
    sockets = Sockets(url, cookie)
    tasks = []
    for camera_id in ids:
        reader, _ = await sockets.open(camera_id)
        tasks.append(asyncio.ensure_future(drain(reader)))
    print("watching", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Measure idle, then beside the streams."""
    if sys.argv[1:2] == ["--watch"]:
        url, cookie, ids = sys.argv[2:]
        asyncio.run(watch(url, cookie, json.loads(ids)))
        return
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    os.environ.update(SETTINGS)
    os.environ["YIPING_VIDEO__OPENS_PER_HOST_PER_S"] = "100"
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    port = free_port()
    from tempfile import TemporaryDirectory

    from tests.browser.service import Service
    from tests.browser.town import COOKIE, Town

    with (
        serving([sys.executable, "-m", "bench.video.sender", str(port)], port),
        TemporaryDirectory() as folder,
    ):
        from pathlib import Path

        service = Service(Path(folder) / "small")
        service.start()
        town = Town(service, 6)
        try:
            incident = town.report("测量")["id"]
            code = town.supervisor.get("/areas", tier=3)["items"][0]["code"]
            ids = register(town, port, streams)
            idle = {"API": calls(town, code), "feed": notes(town, incident)}
            cookie = f"{COOKIE}={town.account('dispatcher').token}"
            command = [
                sys.executable,
                "-m",
                "bench.video.beside",
                "--watch",
                service.url,
                cookie,
                json.dumps(ids),
            ]
            watcher = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert watcher.stdout is not None
            watcher.stdout.readline()
            time.sleep(10)
            before, began = cpu_s(service.pid), time.monotonic()
            busy = {"API": calls(town, code), "feed": notes(town, incident)}
            used = 100 * (cpu_s(service.pid) - before) / (time.monotonic() - began)
            watcher.communicate("", timeout=20)
        finally:
            for account in town._accounts.values():
                account.close()
            service.stop()
    held = True
    for name in idle:
        quiet, loud = (float(np.quantile(values[name], 0.95)) for values in (idle, busy))
        held &= loud <= TARGET * quiet
        print(
            f"{name}: p95 {quiet:.1f} ms idle, {loud:.1f} ms beside {streams} streams: {loud / quiet:.2f}× "
            f"(target {TARGET}×); medians {np.median(idle[name]):.1f}, {np.median(busy[name]):.1f} ms"
        )
    print(f"the web process used {used:.0f} % of a core meanwhile")
    print("target", "held" if held else "MISSED")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
