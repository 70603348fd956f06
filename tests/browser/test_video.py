"""Live pictures where people look: the incident's strip, the video page, the wall; and what a cut camera says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from streams.synthetic.config import FarmConfig
from tests.browser.conftest import OpenPage
from tests.browser.guard import Guard
from tests.browser.pages import Console, until
from tests.browser.service import Service
from tests.browser.test_hostile import MARKUP, assert_inert
from tests.browser.test_outage import wall_of
from tests.browser.town import COOKIE, Town

# A camera of the demo may be out of order at any time: its tile says so, and what it asks for is refused.
OF_CAMERAS = (r"WebSocket connection", r"status of 404", r"status of 503")
PLAYS_MS = 30_000
POSITION = """(tile) => {
  const video = tile.querySelector('video');
  return video ? video.currentTime : -1;
}"""
LARGE = {"viewport": {"width": 1600, "height": 1000}}


def plays(page: Page, tile: Locator) -> None:
    """Wait until a tile's picture moves on."""
    expect(tile).to_have_attribute("data-state", "live", timeout=PLAYS_MS)
    expect(tile.locator("video").first).to_be_visible()
    begun = tile.evaluate(POSITION)
    until(page, lambda: tile.evaluate(POSITION) > begun + 0.4)


def live_in(page: Page, tiles: Locator) -> list[Locator]:
    """The tiles that play; waits for the first of them."""
    playing = page.locator(f'{SELECTOR}[data-state="live"]').and_(tiles)
    expect(playing.first).to_be_visible(timeout=PLAYS_MS)
    return [
        tiles.nth(at) for at in range(tiles.count()) if tiles.nth(at).get_attribute("data-state") == "live"
    ]


SELECTOR = '[data-testid="camera-tile"], [data-testid="wall-camera"]'


class Registry:
    """The administrator who corrects cameras, and puts them back."""

    def __init__(self, service: Service, town: Town) -> None:
        self._client = httpx2.Client(base_url=f"{service.url}/api/v1", timeout=30, trust_env=False)
        self._client.cookies.set(COOKIE, town.account("admin").token, domain="127.0.0.1")
        farm = msgspec.json.decode((service.data / "farm.json").read_bytes(), type=FarmConfig)
        self._password = farm.password

    def source(self, camera_id: str) -> dict[str, Any]:
        """How a camera is reached."""
        answer = self._client.get(f"/cameras/{camera_id}/source")
        answer.raise_for_status()
        kept: dict[str, Any] = answer.json()
        return {key: value for key, value in kept.items() if key not in ("has_password", "password_readable")}

    def correct(self, camera_id: str, **fields: Any) -> None:
        """Correct a camera."""
        answer = self._client.put(f"/cameras/{camera_id}", json=fields)
        assert answer.is_success, answer.text

    @contextlib.contextmanager
    def cut(self, camera_id: str) -> Iterator[None]:
        """Let a camera's cable be pulled for the length of a block: nobody listens at its port."""
        source = {**self.source(camera_id), "password": self._password}
        self.correct(camera_id, source={**source, "port": 1})
        try:
            yield
        finally:
            self.correct(camera_id, source=source)

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@pytest.fixture
def registry(service: Service, town: Town) -> Iterator[Registry]:
    """The administrator at the register."""
    made = Registry(service, town)
    yield made
    made.close()


def test_an_incident_plays_its_nearest_cameras_and_a_cut_one_comes_back(
    open_as: OpenPage, town: Town, guard: Guard, registry: Registry
) -> None:
    guard.allow(*OF_CAMERAS)
    page = open_as("dispatcher")
    console = Console(page)
    incident = town.report("路口追尾")
    tiles = console.find("camera-strip").get_by_test_id("camera-tile")
    expect(tiles).not_to_have_count(0)
    console.card(incident).click()
    expect(console.title).to_have_text("路口追尾")
    near = town.supervisor.get("/cameras/near", lon=incident["lon"], lat=incident["lat"], limit=4)["items"]
    nearest = [camera["id"] for camera in near]

    def shown() -> list[str | None]:
        return [tile.get_attribute("data-id") for tile in tiles.all()]

    until(page, lambda: len(shown()) >= 3 and shown() == nearest[: len(shown())])
    pulled = [id for id in nearest if registry.source(id)["protocol"] == "rtsp"]
    first = tiles.and_(page.locator(", ".join(f'[data-id="{id}"][data-state="live"]' for id in pulled))).first
    expect(first).to_be_visible(timeout=PLAYS_MS)
    chosen = str(first.get_attribute("data-id"))
    tile = console.find("camera-strip").locator(f'[data-id="{chosen}"]')
    plays(page, tile)
    watched = town.account("leader").get("/viewings", camera_id=chosen, incident_id=incident["id"])["items"]
    assert [(row["kind"], row["purpose"], row["ended_at"]) for row in watched] == [("live", "incident", None)]

    page.evaluate("() => { window.stayed = true; }")
    name = tile.locator("figcaption b").inner_text()
    registry.correct(chosen, name=MARKUP)  # whatever a list brought in, it is a name
    expect(tile.locator("figcaption b")).to_have_text(MARKUP)
    with registry.cut(chosen):
        expect(tile).to_have_attribute("data-state", "lost", timeout=PLAYS_MS)
        expect(tile.get_by_text("设备连不上")).to_be_visible()
    plays(page, tile)
    assert_inert(page)
    registry.correct(chosen, name=name)
    assert page.evaluate("() => window.stayed")
    # Closing the incident lets its cameras go.
    page.keyboard.press("Escape")
    until(page, lambda: _ended(town, chosen, incident["id"]))


def _ended(town: Town, camera_id: str, incident_id: str) -> bool:
    rows = town.account("leader").get("/viewings", camera_id=camera_id, incident_id=incident_id)["items"]
    return all(row["ended_at"] for row in rows)


def test_a_double_click_puts_a_camera_into_a_tile_that_plays(open_as: OpenPage, guard: Guard) -> None:
    guard.allow(*OF_CAMERAS)
    page = open_as("supervisor", "/video", **LARGE)
    page.get_by_test_id("tree-search").fill("桥")
    cameras = page.get_by_test_id("tree-camera")
    expect(cameras.first).to_be_visible()
    wanted = [str(cameras.nth(at).get_attribute("data-id")) for at in range(min(3, cameras.count()))]
    for at in range(len(wanted)):
        page.locator(f'[data-testid="cell"][data-cell="{at}"]').click()
        page.locator(f'[data-testid="tree-camera"][data-id="{wanted[at]}"]').dblclick()
        expect(page.locator(f'[data-testid="cell"][data-cell="{at}"]')).to_have_attribute(
            "data-camera", wanted[at]
        )
    tiles = page.get_by_test_id("cell").get_by_test_id("camera-tile")
    playing = live_in(page, tiles)
    plays(page, playing[0])
    assert playing[0].get_attribute("data-id") in wanted


def test_the_wall_shows_its_tours(
    new_context: Callable[..., BrowserContext], town: Town, service: Service, guard: Guard
) -> None:
    guard.allow(*OF_CAMERAS)
    wall = wall_of(new_context, service)
    cells = wall.get_by_test_id("wall-camera")
    expect(cells).not_to_have_count(0)
    playing = live_in(wall, cells)[0]
    groups = {tour["group"] for tour in town.supervisor.get("/tours")["items"]}
    camera = town.supervisor.get(f"/cameras/{playing.get_attribute('data-id')}")
    assert groups & set(camera["tour_groups"])
    plays(wall, playing)
