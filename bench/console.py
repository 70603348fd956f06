"""The console with 20,000 people moving once a second, against MapLibre's own `setData`; and its cold load.

Definitions: one real service and Debian's Chromium with WebGL in software. Every second one binary frame of
20,000 records, all of them moved, is handed to the `onmessage` of the page's own feed socket, so decoding,
bookkeeping, upload and drawing are the product's; only the network is left out. The peer gets as many
positions as GeoJSON points through `setData` into a circle layer of the same console in a page of its own.
CPU is that of all threads of the page's renderer process, workers included, per update, net of the same page
at rest in the same run; main is the page's main thread alone (`TaskDuration`). Work of the GPU process is left
out for both: without a graphics card it is the drawing itself. Rounds are interleaved, figures are medians over
all seconds, means beside them. Cold load counts every body between an empty cache and a still map, each
gzipped as a server in front would.

    python -m bench.console
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.rig import cpu_s

UNITS = 20_000
UPDATES = 6
ROUNDS = 3
TARGET_MS = 12.0
COLD_TARGET_MB = 1.5
ARGUMENTS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
).split()

TAP = """
window.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); window.tapped = this; }
};
"""
CROWD = """(count) => {
  const { district } = window.yiping.ui, [w, s, e, n] = district.bounds;
  const lon = Float64Array.from({ length: count }, () => w + (e - w) * Math.random());
  const lat = Float64Array.from({ length: count }, () => s + (n - s) * Math.random());
  let rev = 2 ** 52; // above any of the server
  const step = () => {
    for (let i = 0; i < count; i += 1) {
      lon[i] += (Math.random() - 0.5) * 2e-4;
      lat[i] += (Math.random() - 0.5) * 2e-4;
    }
  };
  window.frame = () => {
    step();
    const view = new DataView(new ArrayBuffer(24 + count * 16));
    view.setUint16(0, 0x5459, true);
    view.setUint8(2, 1);
    view.setUint32(4, count, true);
    view.setBigUint64(8, BigInt(rev += 1), true);
    view.setFloat64(16, Date.now() / 1000, true);
    for (let i = 0, at = 24; i < count; i += 1, at += 16) {
      view.setUint32(at, 1_000_000 + i, true);
      view.setInt32(at + 4, Math.round(lon[i] * 1e7), true);
      view.setInt32(at + 8, Math.round(lat[i] * 1e7), true);
      view.setUint8(at + 12, i & 255);
      view.setUint8(at + 13, 20);
      view.setUint16(at + 14, 1, true);
    }
    return view.buffer;
  };
  window.collection = () => {
    step();
    const features = Array.from({ length: count }, (_, i) => ({ type: 'Feature', properties: { kind: i % 4 },
      geometry: { type: 'Point', coordinates: [lon[i], lat[i]] } }));
    return { type: 'FeatureCollection', features };
  };
}"""
# What is sent is made before the clock runs: a server would have made it.
OURS = ("() => { window.next = window.frame(); }", "() => window.tapped.onmessage({ data: window.next })")
PEER = (
    "() => { window.next = window.collection(); }",
    "() => window.yiping.map.getSource('peer').setData(window.next)",
)
PEER_LAYER = """() => {
  const { map } = window.yiping;
  map.addSource('peer', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
  map.addLayer({ id: 'peer', type: 'circle', source: 'peer',
    paint: { 'circle-radius': 4, 'circle-color': '#2fbf8f', 'circle-stroke-width': 1 } });
}"""
STILL = """() => window.yiping?.map?.loaded() && window.yiping.feed.state === 'live'
  && window.yiping.ui.areas.size > 0"""


@contextmanager
def browsing() -> Iterator[tuple[Any, Any]]:
    """A small district with nobody moving, its service, and a browser."""
    from playwright.sync_api import sync_playwright

    from tests.browser.service import Service
    from tests.browser.town import Town

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        service = Service(Path(folder) / "small")
        service.start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield Town(service, 6), browser
        finally:
            browser.close()
            service.stop()


def chromium() -> str | None:
    """Debian's browser."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def sign_in(town: Any, browser: Any, username: str = "dispatcher", **options: Any) -> Any:
    """A context of somebody signed in."""
    from tests.browser.town import COOKIE

    context = browser.new_context(
        base_url=town.service.url, viewport={"width": 1280, "height": 800}, **options
    )
    context.set_default_timeout(60_000)
    token = town.account(username).token
    cookie = {"name": COOKIE, "value": token, "url": town.service.url, "sameSite": "Strict"}
    context.add_cookies([cookie])
    return context


def renderer(browser: Any, page: Any) -> int:
    """The process that draws a page: the renderer that works while the page does."""
    session = browser.new_browser_cdp_session()

    def used() -> dict[int, float]:
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return {int(p["id"]): p["cpuTime"] for p in found if p["type"] == "renderer"}

    before = used()
    page.evaluate("() => { const end = performance.now() + 800; while (performance.now() < end); }")
    after = used()
    session.detach()
    return max(after, key=lambda pid: after[pid] - before.get(pid, 0.0))


@dataclass
class Lane:
    """One way of moving people, in a page and a process of its own."""

    name: str
    page: Any
    session: Any
    pid: int
    make: str
    hand_over: str
    rest: list[tuple[float, float]] = field(default_factory=list)
    work: list[tuple[float, float]] = field(default_factory=list)

    def main_ms(self) -> float:
        """Time the main thread was busy so far."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration")) * 1000

    def second(self, *, moving: bool) -> tuple[float, float]:
        """CPU of one second, with or without an update: process ms, main ms."""
        self.page.evaluate(self.make)
        self.page.wait_for_timeout(150)
        cpu, main = cpu_s(self.pid), self.main_ms()
        due = time.perf_counter() + 1.0
        self.page.evaluate(self.hand_over if moving else "() => undefined")
        self.page.wait_for_timeout(max(0.0, due - time.perf_counter()) * 1000)
        return (cpu_s(self.pid) - cpu) * 1000, self.main_ms() - main

    def net(self, column: int, middle: Callable[[list[float]], float]) -> float:
        """An update's cost without that of a second at rest."""
        work, rest = ([sample[column] for sample in samples] for samples in (self.work, self.rest))
        return middle(work) - middle(rest)


def open_lane(town: Any, browser: Any, name: str, make: str, hand_over: str) -> Lane:
    """A console with the crowd on its map."""
    context = sign_in(town, browser)
    context.add_init_script(TAP)
    page = context.new_page()
    page.goto("/")
    page.wait_for_function(STILL)
    page.evaluate(CROWD, UNITS)
    page.evaluate(PEER_LAYER)
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    lane = Lane(name, page, session, renderer(browser, page), make, hand_over)
    for _ in range(3):  # the first fills what later ones replace
        lane.second(moving=True)
    return lane


def movers(town: Any, browser: Any) -> bool:
    """Print the cost of an update; True when the target holds."""
    lanes = [open_lane(town, browser, "ours", *OURS), open_lane(town, browser, "setData", *PEER)]
    for _ in range(ROUNDS):
        for lane in lanes:
            lane.rest += [lane.second(moving=False) for _ in range(UPDATES)]
            lane.work += [lane.second(moving=True) for _ in range(UPDATES)]
    ours, peer = lanes
    shown = ours.page.evaluate("() => window.yiping.movers.count")
    upload = ours.page.evaluate("() => window.yiping.live.layer.uploadMs")
    print(f"{shown} people moved, 1 Hz; renderer CPU net of rest, per update, median (mean)")
    for lane in lanes:
        figures = [lane.net(column, f) for column in (0, 1) for f in (statistics.median, statistics.fmean)]
        print(
            f"  {lane.name:<8} process {figures[0]:7.1f} ms ({figures[1]:.1f})"
            f"   main thread {figures[2]:7.1f} ms ({figures[3]:.1f})"
        )
    cost = ours.net(0, statistics.median)
    ratio = peer.net(0, statistics.median) / max(0.1, cost)
    print(f"  setData / ours = {ratio:.1f}x; of ours the upload takes {upload:.1f} ms by the clock")
    held = cost <= TARGET_MS
    print(f"  target {TARGET_MS:.0f} ms: {'held' if held else 'MISSED'}")
    return held


def cold_load(town: Any, browser: Any) -> bool:
    """Print what an empty browser fetches for `/`; True when the target holds."""
    context = sign_in(town, browser)
    page = context.new_page()
    bodies: list[tuple[str, int, int]] = []
    waiting: list[Callable[[], None]] = []

    def take(response: Any) -> None:
        def read() -> None:
            if response.status in (204, 304) or response.url.startswith(("blob:", "data:")):
                return
            if response.request.sizes()["responseBodySize"] == 0:
                return  # from the browser's own cache
            body = response.body()
            bodies.append(
                (response.url.removeprefix(town.service.url), len(body), len(gzip.compress(body, 6)))
            )

        waiting.append(read)

    context.on("response", take)
    started = time.perf_counter()
    page.goto("/")
    page.wait_for_function(STILL)
    took_s = time.perf_counter() - started
    page.wait_for_load_state("networkidle")
    for read in waiting:
        read()
    context.close()
    plain = sum(size for _, size, _ in bodies) / 1e6
    packed = sum(min(size, small) for _, size, small in bodies) / 1e6
    print(
        f"cold load of /: {len(bodies)} bodies, {plain:.2f} MB plain, {packed:.2f} MB gzipped, "
        f"{took_s:.1f} s until live and drawn"
    )
    for url, size, small in sorted(bodies, key=lambda row: -min(row[1:]))[:6]:
        print(f"  {min(size, small) / 1e3:8.0f} kB  {url[:80]}")
    held = packed <= COLD_TARGET_MB
    print(f"  target ≤ {COLD_TARGET_MB} MB: {'held' if held else 'MISSED'}")
    return held


def main() -> None:
    """Run both."""
    if chromium() is None:
        print("chromium is not installed; nothing measured")
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with browsing() as (town, browser):
        results = [cold_load(town, browser), movers(town, browser)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
