"""Watching: how soon a picture is there, how late it is, what one more viewer costs, how soon it is back.

One real service with the small district, Debian's Chromium without a GPU, and the cameras, all on this machine.
*First viewer*: from the WebSocket request to the first fragment, of a camera nobody watched; *second viewer*: the
same while somebody does. *Shown*: from a picture's last packet leaving the camera to the browser's frame callback
for it, one tile, the product's own player. *Back*: from the camera's return to a new picture on the same page.
*Noticed*: from the last packet of a camera that falls silent to the tile's "lost". *One more viewer*: CPU of the
web process per added viewer of one 720p25 camera, in percent of a core.

    python -m bench.video.watch
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bench.console import browsing, chromium, sign_in
from bench.rig import cpu_s, free_port, serving
from bench.video.stamped import READ, StampedThread

T = TypeVar("T")
FIRSTS = 12
SHOWN = 80
VIEWERS = (20, 120)
SETTINGS = {"YIPING_CAMERAS__ALLOWED_NETWORKS": '["127.0.0.0/8"]', "YIPING_VIDEO__HEALTH__ENABLED": "false"}
PLAY = """async ({ id, lowLatency }) => {
  const { Player } = await import('/static/src/video/player.js');
  window.shown = [];
  window.states = [];
  const player = new Player({ cameraId: id, lowLatency,
    onChange: () => window.states.push([Date.now(), player.server?.state, player.link]) });
  window.player = player;
  player.element.style.cssText = 'position:fixed;inset:0;z-index:99;background:#000';
  document.body.append(player.element);
  const read = READ;
  let last = -1;
  let frames = 0;
  const note = (source) => {
    const number = read(source);
    if (number === last) return;
    last = number;
    window.shown.push([number, performance.timeOrigin + performance.now()]);
  };
  const watch = () => {
    const video = player.element.querySelector('video');
    if (video && !video.watched) {
      video.watched = true;
      // Reading a picture back costs as much as showing it: every fourth is enough.
      let turn = 0;
      const next = () => {
        if (turn++ % 4 === 0) note(video);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    }
    const canvas = player.element.querySelector('canvas');
    if (canvas && frames++ % 4 === 0) note(canvas);
    requestAnimationFrame(watch);
  };
  watch();
  player.start();
}""".replace("READ", READ)


class Sockets:
    """Raw WebSocket viewers: a handshake, then bytes are counted and thrown away."""

    def __init__(self, url: str, cookie: str) -> None:
        self._host, self._port = url.removeprefix("http://").split(":")
        self._cookie = cookie
        self._origin = url

    async def open(self, camera_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; returns once the server has agreed."""
        reader, writer = await asyncio.open_connection(self._host, int(self._port), limit=1 << 22)
        writer.write(
            f"GET /api/v1/cameras/{camera_id}/live?h265=1 HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Origin: {self._origin}\r\nCookie: {self._cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(head.decode("latin1")[:200])
        return reader, writer

    async def first_fragment_s(self, camera_id: str) -> float:
        """Return how long it takes until a fragment came, then leave."""
        began = time.perf_counter()
        reader, writer = await self.open(camera_id)
        seen = b""
        while b"moof" not in seen:
            seen = seen[-8:] + await asyncio.wait_for(reader.read(1 << 16), 30)
        took = time.perf_counter() - began
        writer.close()
        return took


async def drain(reader: asyncio.StreamReader) -> None:
    """Read until cancelled."""
    while await reader.read(1 << 18):
        pass


async def firsts(town: Any, sockets: Sockets, ids: list[str]) -> tuple[list[float], list[float]]:
    """Return the waits of first and of second viewers, in ms."""
    first, second = [], []
    for camera_id in ids:
        first.append(1000 * await sockets.first_fragment_s(camera_id))
        reader, writer = await sockets.open(camera_id)
        held = asyncio.ensure_future(drain(reader))
        await asyncio.sleep(0.3)
        second.append(1000 * await sockets.first_fragment_s(camera_id))
        held.cancel()
        writer.close()
    return first, second


async def one_more(pid: int, sockets: Sockets, camera_id: str, seconds: float = 8.0) -> float:
    """Return percent of a core for each viewer more."""
    used, tasks, writers = [], [], []
    for wanted in VIEWERS:
        while len(tasks) < wanted:
            reader, writer = await sockets.open(camera_id)
            writers.append(writer)
            tasks.append(asyncio.ensure_future(drain(reader)))
        await asyncio.sleep(2)
        before, began = cpu_s(pid), time.monotonic()
        await asyncio.sleep(seconds)
        used.append(100 * (cpu_s(pid) - before) / (time.monotonic() - began))
    for task, writer in zip(tasks, writers, strict=True):
        task.cancel()
        writer.close()
    return (used[1] - used[0]) / (VIEWERS[1] - VIEWERS[0])


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: the browser's driver has this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def register(town: Any, port: int, count: int, path: str = "cam") -> list[str]:
    """Register cameras at the sender; returns their ids."""
    admin = town.account("admin")
    lon, lat = admin.district["center"]
    source = {"protocol": "rtsp", "host": "127.0.0.1", "port": port, "path": path}
    made = [
        admin.post("/cameras", name=f"{path} {n}", lon=lon, lat=lat, source=source)["id"]
        for n in range(count)
    ]
    time.sleep(1.5)
    return made


def tile(town: Any, browser: Any, camera: StampedThread, *, low: bool) -> dict[str, Any]:
    """Play the stamped camera in a page and measure."""
    camera_id = register(town, camera.camera.port, 1, "low" if low else "stamped")[0]
    context = sign_in(town, browser)
    page = context.new_page()
    page.goto("/docs")
    page.evaluate(PLAY, {"id": camera_id, "lowLatency": low})
    page.wait_for_function("() => window.shown.length > 30")
    page.evaluate("() => { window.shown.length = 0; }")
    page.wait_for_function(f"() => window.shown.length > {SHOWN}")
    shown = page.evaluate("() => window.shown")
    late = [
        at - 1000 * camera.camera.sent_at[number] for number, at in shown if number in camera.camera.sent_at
    ]
    out: dict[str, Any] = {"late": late, "way": page.evaluate("() => window.player.way")}
    if not low:
        out["back"] = back(page, camera)
        out["noticed"] = noticed(page, camera)
    context.close()
    return out


def back(page: Any, camera: StampedThread) -> float:
    """Return seconds from the camera's return to a new picture."""
    camera.call(camera.camera.cut())
    time.sleep(4)
    page.evaluate("() => { window.shown.length = 0; }")
    returned = time.time()
    camera.call(camera.camera.listen())
    page.wait_for_function("() => window.shown.length > 0", polling=20)
    first: float = page.evaluate("() => window.shown[0][1]")
    return first / 1000 - returned


def noticed(page: Any, camera: StampedThread) -> float:
    """Return seconds from the last packet to the tile's word that the picture is lost."""
    time.sleep(12)  # earlier failures are forgotten
    page.evaluate("() => { window.states.length = 0; }")
    camera.camera.frozen = True
    silent = max(camera.camera.sent_at.values())
    page.wait_for_function("() => window.states.some(([, state]) => state === 'lost')", polling=20)
    at: float = page.evaluate("() => window.states.find(([, state]) => state === 'lost')[0]")
    camera.camera.frozen = False
    return at / 1000 - silent


def line(name: str, value: float, target: float, unit: str, more: str = "") -> bool:
    """Print one figure beside its target; returns whether it holds."""
    held = value <= target
    print(f"{name}: {value:.3g} {unit} (target {target:g} {unit}: {'held' if held else 'MISSED'}){more}")
    return held


def main() -> None:
    """Measure everything once."""
    if chromium() is None:
        print("chromium is not installed; nothing measured")
        return
    os.environ.update(SETTINGS)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    port = free_port()
    held = []
    with (
        serving([sys.executable, "-m", "bench.video.sender", str(port)], port),
        browsing() as (town, browser),
    ):
        from tests.browser.town import COOKIE

        sockets = Sockets(town.service.url, f"{COOKIE}={town.account('dispatcher').token}")
        ids = register(town, port, FIRSTS)
        first, second = apart(firsts(town, sockets, ids))
        # The loop's key frames are two seconds apart, and its sender starts a session with one.
        held.append(line("first viewer, median", statistics.median(first), 2300, "ms"))
        held.append(line("second viewer, median", statistics.median(second), 300, "ms"))
        more = apart(one_more(town.service.pid, sockets, ids[0]))
        held.append(line("one more viewer", more, 0.15, "% of a core"))
        camera = StampedThread()
        try:
            for low in (False, True):
                found = tile(town, browser, camera, low=low)
                late = found["late"]
                middle, worst = statistics.median(late), statistics.quantiles(late, n=20)[-1]
                held.append(
                    line(
                        f"packet to shown, {found['way']}, median", middle, 150, "ms", f"; p95 {worst:.0f} ms"
                    )
                )
                if not low:
                    held.append(line("picture back after a cut", found["back"], 3, "s"))
                    held.append(line("silence noticed", found["noticed"], 6, "s"))
        finally:
            with contextlib.suppress(Exception):
                camera.close()
        print(json.dumps({"first_ms": [round(x) for x in first], "second_ms": [round(x) for x in second]}))
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
