"""One real service, one real browser, and for each test fresh contexts that are watched for faults."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.guard import Guard
from tests.browser.pages import STILL
from tests.browser.service import Service
from tests.browser.town import COOKIE, Town

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
).split()
CREW = 6
WAIT_MS = 20_000
"""How long a condition may take on a busy machine; nothing here is timed."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark and, without a browser, skip what stands in this folder."""
    for item in items:
        if "browser" in item.path.parent.name and item.path.parent.parent.name == "tests":
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


# Scoped to the package, not the session: while Playwright's own event loop is open, no other test could run one.
@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The running service, its district built once."""
    # Whoever writes tests keeps a district between runs; a run of the suite makes its own.
    kept = os.environ.get("YIPING_TEST_DISTRICT")
    made = Service(Path(kept) if kept else tmp_path_factory.mktemp("browser") / "small")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="package")
def whole_town(service: Service) -> Iterator[Town]:
    """Everybody outside the browser."""
    town = Town(service, CREW)
    town.open()
    yield town
    town.close()


@pytest.fixture
def town(whole_town: Town) -> Town:
    """Everybody outside the browser: the crew on duty and free, nothing open."""
    whole_town.settle()
    return whole_town


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, drawing WebGL in software."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_MS)
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def guard(service: Service) -> Iterator[Guard]:
    """Fails the test for what no page may do."""
    guard = Guard(service.url)
    yield guard
    assert guard.verdict == []


OpenPage = Callable[..., Page]


@pytest.fixture
def new_context(browser: Browser, service: Service, guard: Guard) -> Iterator[Callable[..., BrowserContext]]:
    """Make a watched context; closed after the test, before the guard gives its verdict."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(
            base_url=service.url,
            **{
                "viewport": {"width": 1280, "height": 800},
                "locale": "zh-CN",
                "reduced_motion": "reduce",
                # The same layout on a quarter of the pixels: the map is drawn by the processor here.
                "device_scale_factor": 0.5,
                **options,
            },
        )
        context.set_default_timeout(WAIT_MS)
        guard.watch(context)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def open_as(new_context: Callable[..., BrowserContext], town: Town, service: Service) -> OpenPage:
    """Open a page as somebody: ``open_as("dispatcher", "/")``, in a context of its own."""

    def open_page(username: str, path: str = "/", **options: Any) -> Page:
        context = new_context(**options)
        token = town.account(username).token
        context.add_cookies([{"name": COOKIE, "value": token, "url": service.url, "sameSite": "Strict"}])
        context.add_init_script(STILL)
        page = context.new_page()
        page.goto(path)
        return page

    return open_page


PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "permissions": ["geolocation"],
}


def phone_of(open_as: OpenPage, town: Town, unit_id: str) -> Page:
    """Open the field page of somebody outside, on a phone that stands where they stand."""
    unit = town.units[unit_id]
    where = {"longitude": unit.lon, "latitude": unit.lat, "accuracy": 8}
    return open_as(unit.username, "/field", **PHONE, geolocation=where)
