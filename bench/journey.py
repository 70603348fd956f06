"""How long people wait: click to ranked list on screen, and report to a ringing phone under 20,000 positions/s.

Definitions: one real service with the small district, Debian's Chromium with WebGL in software, both on this
machine with the load beside them. *Click*: from the time stamp of a real mouse click on bare ground to the
first animation frame that finds the ranked list of that very point in the drawer. *Report to phone*: from
before the caller's POST to the event at the phone's feed socket (deciding and dispatching follow at once, as
two further POSTs would from a desk), and to the headline on the screen of a real field page. *Load*: another
process sends binary frames of 200 reports over the gateway, paced to 20,000 a second and acknowledged; the
small district has 84 units, so each unit is reported again and again.

    python -m bench.journey
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from bench.console import STILL, browsing, chromium, sign_in

CLICKS = 20
REPORTS = 30
CLICK_TARGET_MS = 150.0
PHONE_TARGET_MS = 300.0
RATE = 20_000
BATCH = 200

WATCH_CLICK = """() => {
  window.waits = [];
  addEventListener('click', (event) => {
    if (!event.target.closest('.maplibregl-canvas-container')) return;
    const before = window.yiping.ui.selection?.id;
    const look = () => {
      const { selection, ranked } = window.yiping.ui;
      const shown = document.querySelectorAll('[data-testid="ranked-row"]').length;
      const done = selection && selection.id !== before && ranked && !ranked.loading;
      if (done && shown && ranked.items.length === shown)
        window.waits.push(performance.now() - event.timeStamp);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
}"""
WATCH_HEADLINE = """() => {
  window.seen = {};
  new MutationObserver(() => {
    const title = document.querySelector('.arriving h1')?.textContent;
    if (title && !(title in window.seen)) window.seen[title] = Date.now();
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


def quantile(values: list[float], share: float) -> float:
    """The value that a share of all stays under."""
    return float(np.quantile(np.array(values), share))


def load(url: str, token: str, units: list[int], lon: float, lat: float) -> None:
    """Send reports until told to end; prints how many were acknowledged."""
    from websockets.sync.client import connect

    from command.telemetry.records import UPLINK, UPLINK_RECORD, header

    rows = np.zeros(BATCH, UPLINK_RECORD)
    rows["unit"] = np.resize(np.array(units, np.uint32), BATCH)
    rows["accuracy"] = 3
    rows["battery"] = 255
    rows["speed"] = 20
    turn, acknowledged, began = 0, 0, time.monotonic()
    ending = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        ending.set()

    threading.Thread(target=listen, daemon=True).start()
    headers = {"Authorization": f"Bearer {token}"}
    address = "ws" + url.removeprefix("http") + "/api/v1/gateway"
    with connect(address, additional_headers=headers, compression=None, proxy=None) as socket:
        pending = 0
        while not ending.is_set():
            turn += 1
            angle = turn / 4000
            rows["lon"] = round((lon + 0.002 * np.cos(angle)) * 1e7)
            rows["lat"] = round((lat + 0.002 * np.sin(angle)) * 1e7)
            socket.send(header(UPLINK, BATCH, turn, time.time()) + rows.tobytes())
            pending += 1
            while pending > 20 or (pending and turn % 20 == 0):
                socket.recv()
                pending -= 1
                acknowledged += BATCH
            ahead = turn * BATCH / RATE - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
        print(json.dumps({"reports": acknowledged, "seconds": time.monotonic() - began}), flush=True)


class Load:
    """The load in a process of its own."""

    def __init__(self, town: Any) -> None:
        told = town.service.people()
        lon, lat = town.supervisor.district["center"]
        busy = {unit.unit for unit in town.crew[:1]}
        units = [row["unit"] for row in told["responders"] if row["unit"] not in busy]
        command = [
            sys.executable,
            "-m",
            "bench.journey",
            "--load",
            town.service.url,
            told["integration_token"],
        ]
        command += [json.dumps(units), str(lon), str(lat)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self) -> float:
        """Stop it; returns reports per second."""
        out, _ = self._process.communicate("", timeout=20)
        told = json.loads(out)
        return float(told["reports"] / told["seconds"])


class PhoneSocket:
    """The feed of a phone without a browser: when which incident's job came."""

    def __init__(self, town: Any, unit: Any) -> None:
        from websockets.sync.client import connect

        from tests.browser.town import COOKIE

        cookie = {"Cookie": f"{COOKIE}={town.phone(unit).token}"}
        address = "ws" + town.service.url.removeprefix("http") + "/api/v1/feed"
        self._closing = contextlib.ExitStack()
        self._socket = self._closing.enter_context(
            connect(address, additional_headers=cookie, origin=town.service.url, compression=None, proxy=None)
        )
        topics = ["incidents", "responders", "messages"]
        self._socket.send(json.dumps({"type": "hello", "protocol": 1, "topics": topics, "page": "field"}))
        self._socket.recv()
        self.seen: dict[str, float] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for message in self._socket:
            if isinstance(message, str) and re.search(r'"(assignment|incident)\.dispatched"', message):
                for incident_id in json.loads(message)["data"]["changes"].get("incidents", {}):
                    self.seen.setdefault(incident_id, time.time())

    def close(self) -> None:
        """Hang up."""
        self._closing.close()


def clicks(town: Any, browser: Any) -> list[float]:
    """Waits from click to list, in ms."""
    context = sign_in(town, browser)
    page = context.new_page()
    page.goto("/")
    page.wait_for_function(STILL)
    page.evaluate(WATCH_CLICK)
    from tests.browser.pages import Console

    console = Console(page, map_ready=True)
    rng = np.random.default_rng(7)
    for number in range(CLICKS + 2):
        unit = town.crew[number % len(town.crew)]
        east, north = rng.uniform(-0.004, 0.004, 2)
        console.look_at(unit.lon + east, unit.lat + north, 16)
        console.click_map(*console.empty_spot())
        page.wait_for_function("(n) => window.waits.length > n", arg=number)
    waits: list[float] = page.evaluate("() => window.waits")
    context.close()
    return waits[2:]


def reports(town: Any, browser: Any) -> tuple[list[float], list[float]]:
    """From report to phone, in ms: at the socket, on the screen."""
    unit = town.crew[0]
    context = sign_in(
        town,
        browser,
        unit.username,
        permissions=["geolocation"],
        geolocation={"longitude": unit.lon, "latitude": unit.lat, "accuracy": 8},
    )
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/field")
    page.get_by_role("heading", name="没有任务").wait_for()
    page.evaluate(WATCH_HEADLINE)
    socket = PhoneSocket(town, unit)
    desk = town.account("dispatcher")
    at_socket, on_screen = [], []
    for number in range(REPORTS):
        title = f"第{number}件急事"
        started = time.time()
        incident = town.report(title, level="I", near=unit)
        desk.post(f"/incidents/{incident['id']}/dispatch", responder_ids=[unit.id])
        page.wait_for_function("(title) => title in window.seen", arg=title, polling=50)
        on_screen.append(page.evaluate("(title) => window.seen[title]", title) - started * 1000)
        at_socket.append((socket.seen[incident["id"]] - started) * 1000)
        desk.post(f"/incidents/{incident['id']}/close", disposition="已解决")
        page.get_by_role("heading", name="没有任务").wait_for()
    socket.close()
    context.close()
    return at_socket, on_screen


def main() -> None:
    """Measure with and without the load."""
    if sys.argv[1:2] == ["--load"]:
        url, token, units, lon, lat = sys.argv[2:]
        load(url, token, json.loads(units), float(lon), float(lat))
        return
    if chromium() is None:
        print("chromium is not installed; nothing measured")
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with browsing() as (town, browser):
        town.open()
        try:
            town.settle()
            waits = clicks(town, browser)
            median = statistics.median(waits)
            print(
                f"click to ranked list: median {median:.0f} ms, p95 {quantile(waits, 0.95):.0f} ms, n {len(waits)}"
            )
            print(f"  target {CLICK_TARGET_MS:.0f} ms: {'held' if median <= CLICK_TARGET_MS else 'MISSED'}")
            worst = 0.0
            for loaded in (False, True):
                town.settle()
                generator = Load(town) if loaded else None
                at_socket, on_screen = reports(town, browser)
                rate = generator.end() if generator else 0.0
                worst = quantile(at_socket, 0.95)
                print(f"report to phone at {rate:.0f} positions/s, n {len(at_socket)}")
                for name, values in (("at its socket", at_socket), ("on its screen", on_screen)):
                    middle, late = statistics.median(values), quantile(values, 0.95)
                    print(f"  {name}: median {middle:.0f} ms, p95 {late:.0f} ms")
            held = worst <= PHONE_TARGET_MS
            print(
                f"  target p95 {PHONE_TARGET_MS:.0f} ms at the socket under load: {'held' if held else 'MISSED'}"
            )
        finally:
            town.close()
    sys.exit(0 if held and median <= CLICK_TARGET_MS else 1)


if __name__ == "__main__":
    main()
