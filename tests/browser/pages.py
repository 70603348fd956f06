"""What the tests know of the pages: where things stand, and when a page is ready."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

STILL = """
window.inputs = [];
for (const name of ['pointerdown', 'keydown']) {
  addEventListener(name, (event) => event.isTrusted && window.inputs.push(event.key ?? name), true);
}
"""
"""Counts what a person does, before any code of the page sees it."""

LIVE = "() => window.yiping?.feed.state === 'live'"


def inputs(page: Page) -> list[str]:
    """The keys and pointer presses of a real person so far."""
    made: list[str] = page.evaluate("() => window.inputs")
    return made


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
