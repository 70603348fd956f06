"""What the tests know of the pages: where things stand, and when a page is ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

STILL = """
window.inputs = [];
for (const name of ['pointerdown', 'keydown']) {
  addEventListener(name, (event) => event.isTrusted && window.inputs.push(event.key ?? name), true);
}
"""
"""Counts what a person does, before any code of the page sees it."""

UNTIL_LIMIT_S = 20.0

LIVE = "() => window.yiping?.feed.state === 'live'"


def inputs(page: Page) -> list[str]:
    """The keys and pointer presses of a real person so far."""
    made: list[str] = page.evaluate("() => window.inputs")
    return made


def until(page: Page, check: Callable[[], object]) -> None:
    """Ask again until it holds; the page goes on living meanwhile."""
    deadline = time.monotonic() + UNTIL_LIMIT_S
    while not check():
        assert time.monotonic() < deadline, "it never held"
        page.wait_for_timeout(50)


class Console:
    """The dispatcher's page."""

    def __init__(self, page: Page, *, map_ready: bool = False) -> None:
        self.page = page
        self.await_live()
        if map_ready:
            self.await_map()

    def await_live(self) -> None:
        """Wait until the feed runs and the picture is the present."""
        self.page.wait_for_function(LIVE)

    def await_map(self) -> None:
        """Wait until the map is drawn and stands still."""
        self.page.wait_for_function("() => window.yiping?.map?.loaded() && window.yiping.ui.areas.size > 0")

    def find(self, testid: str) -> Locator:
        """By the hook that the page promises to tests."""
        return self.page.get_by_test_id(testid)

    def card(self, incident: dict[str, Any]) -> Locator:
        """The queue's card of an incident."""
        return self.page.locator(f'[data-testid="queue-card"][data-id="{incident["id"]}"]')

    @property
    def title(self) -> Locator:
        """Of the drawer."""
        return self.find("drawer-title")

    def rows(self) -> Locator:
        """Of the ranked list, once it holds somebody."""
        rows = self.find("ranked-row")
        expect(rows.first).to_be_visible()
        return rows

    def press(self, *keys: str) -> None:
        """Type keys, one by one."""
        for key in keys:
            self.page.keyboard.press(key)

    def click_map(self, lon: float, lat: float) -> None:
        """Click the ground at a place in view."""
        at = self.page.evaluate(
            """([lon, lat]) => {
              const map = window.yiping.map, box = map.getContainer().getBoundingClientRect();
              const p = map.project([lon, lat]);
              return [box.x + p.x, box.y + p.y];
            }""",
            [lon, lat],
        )
        self.page.mouse.click(*at)

    def look_at(self, lon: float, lat: float, zoom: float) -> None:
        """Put the camera somewhere at once, as a long row of drags would."""
        self.page.evaluate(
            """async ([lon, lat, zoom]) => {
              const map = window.yiping.map;
              map.jumpTo({ center: [lon, lat], zoom });
              if (!map.loaded()) await new Promise((done) => map.once('idle', done));
            }""",
            [lon, lat, zoom],
        )

    def view(self) -> list[float]:
        """Centre and zoom of the map, rounded to what a person could see."""
        seen: list[float] = self.page.evaluate(
            """() => {
              const { lng, lat } = window.yiping.map.getCenter();
              return [lng, lat, window.yiping.map.getZoom()].map((n) => Math.round(n * 1e5) / 1e5);
            }"""
        )
        return seen

    def empty_spot(self) -> list[float]:
        """Ground near the middle of the map with no mark on it, as lon and lat."""
        spot: list[float] = self.page.evaluate(
            """() => {
              const { map, movers } = window.yiping, box = map.getContainer().getBoundingClientRect();
              const names = ['incident-alarm', 'incident', 'camera', 'camera-cluster',
                'area-label-2', 'area-label-3'];
              const layers = names.filter((id) => map.getLayer(id));
              const people = Array.from({ length: movers.count },
                (_, row) => map.project([movers.lon[row], movers.lat[row]]));
              for (let ring = 0; ring < 12; ring++) {
                for (let turn = 0; turn < 16; turn++) {
                  const x = box.width / 2 + ring * 15 * Math.cos(turn * 0.39);
                  const y = box.height / 2 + ring * 15 * Math.sin(turn * 0.39);
                  if (map.queryRenderedFeatures([[x - 24, y - 24], [x + 24, y + 24]], { layers }).length) continue;
                  if (people.some((p) => Math.hypot(p.x - x, p.y - y) < 30)) continue;
                  const hit = document.elementFromPoint(box.x + x, box.y + y);
                  if (!hit?.closest('.maplibregl-canvas-container')) continue;
                  const { lng, lat } = map.unproject([x, y]);
                  return [lng, lat];
                }
              }
              throw new Error('no empty ground in view');
            }"""
        )
        return spot
