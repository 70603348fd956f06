"""What the pages say and do when the service hangs, dies, or loses a frame on the way."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.browser.guard import AWAY, Guard
from tests.browser.pages import LIVE, Console
from tests.browser.service import Service
from tests.browser.town import COOKIE, Town

FEED = "**/api/v1/feed"
MARK = "() => { window.untouched = true; }"
STALE_LIMIT_MS = 14_000
"""Twelve seconds of silence and a busy machine's two."""
WALL_LIMIT_MS = 12_000
"""Ten seconds and a busy machine's two."""


def titles(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => Object.values(window.yiping.feed.board.incidents).map((item) => item.title)"
    )
    return found


def await_titles(page: Page, wanted: set[str]) -> None:
    page.wait_for_function(
        """(wanted) => {
          const held = Object.values(window.yiping.feed.board.incidents).map((item) => item.title);
          return wanted.every((title) => held.includes(title));
        }""",
        arg=sorted(wanted),
    )


def wall_of(new_context: Callable[..., BrowserContext], service: Service, **options: Any) -> Page:
    page = new_context(viewport={"width": 1280, "height": 720}, **options).new_page()
    page.goto(service.about()["kiosk_url"])
    expect(page.locator(".wall header .ck b")).to_be_visible()
    return page


def test_silence_is_owned_up_to_and_recovery_needs_no_hand(
    open_as: OpenPage, new_context: Callable[..., BrowserContext], town: Town, service: Service, guard: Guard
) -> None:
    guard.allow(*AWAY)
    console = Console(open_as("dispatcher"))
    wall = wall_of(new_context, service)
    town.report("停顿之前")
    await_titles(console.page, {"停顿之前"})
    for page in (console.page, wall):
        page.evaluate(MARK)
    bar = wall.locator(".stale-bar")
    with service.frozen():
        expect(bar).to_be_visible(timeout=WALL_LIMIT_MS)
        expect(console.find("stale-banner")).to_be_visible(timeout=STALE_LIMIT_MS)
        expect(console.find("connection")).not_to_have_attribute("data-state", "live")
    expect(bar).to_have_count(0)
    expect(console.find("stale-banner")).to_have_count(0)
    town.report("停顿之后")
    await_titles(console.page, {"停顿之前", "停顿之后"})

    # A power cut: what was answered before it and what comes after it are all there, and nobody reloaded.
    mark = uuid.uuid4().hex[:6]
    said = {town.report(f"断电前{n} {mark}")["title"] for n in range(3)}
    service.kill()
    expect(console.find("connection")).not_to_have_attribute("data-state", "live")
    service.start()
    said |= {town.report(f"断电后{n} {mark}")["title"] for n in range(3)}
    console.await_live()
    await_titles(console.page, said | {"停顿之前", "停顿之后"})
    expect(wall.locator(".wall header .cn .sound")).to_be_visible()
    expect(bar).to_have_count(0)
    for page in (console.page, wall):
        assert page.evaluate("() => window.untouched") is True
    held = titles(console.page)
    assert all(held.count(title) == 1 for title in said)


class Wire:
    """Stands between the page and the service and loses, on request, the next event."""

    def __init__(self, page: Page) -> None:
        self.lose = 0
        self.lost: list[str] = []
        self.hellos: list[dict[str, Any]] = []
        page.route_web_socket(FEED, self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        gone: list[int | None] = []

        def to_server(message: str | bytes) -> None:
            if isinstance(message, str) and '"hello"' in message:
                self.hellos.append(json.loads(message))
            server.send(message)

        def to_page(message: str | bytes) -> None:
            if self.lose and isinstance(message, str) and json.loads(message)["frame"] == "event":
                self.lose -= 1
                self.lost.append(json.loads(message)["type"])
                return
            # What the service had on its way when the page hung up must not be pressed on it.
            if not gone:
                route.send(message)

        def page_left(code: int | None, reason: str | None) -> None:
            gone.append(code)
            server.close(code=code, reason=reason)

        route.on_message(to_server)
        route.on_close(page_left)
        server.on_message(to_page)


def page_with_wire(
    new_context: Callable[..., BrowserContext], town: Town, service: Service
) -> tuple[Console, Wire]:
    context = new_context()
    context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": town.account("dispatcher").token,
                "url": service.url,
                "sameSite": "Strict",
            }
        ]
    )
    page = context.new_page()
    wire = Wire(page)
    page.goto("/")
    return Console(page), wire


# What the service had on its way when the page hung up is pressed on the page by the interception alone.
LATE = r"WebSocket is already in CLOSING or CLOSED state"


def test_a_lost_event_is_noticed_at_the_next_one(
    new_context: Callable[..., BrowserContext], town: Town, service: Service, guard: Guard
) -> None:
    guard.allow(LATE)
    console, wire = page_with_wire(new_context, town, service)
    wire.lose = 1
    lost = town.report("丢在路上的")
    later = town.report("紧跟着的")
    expect(console.card(lost)).to_be_visible()
    expect(console.card(later)).to_be_visible()
    assert wire.lost == ["incident.reported"]
    assert len(wire.hellos) == 2
    console.await_live()


def test_a_lost_last_event_is_noticed_at_the_heartbeat(
    new_context: Callable[..., BrowserContext], town: Town, service: Service, guard: Guard
) -> None:
    guard.allow(LATE)
    console, wire = page_with_wire(new_context, town, service)
    wire.lose = 1
    lost = town.report("最后一件也丢了")
    expect(console.card(lost)).to_be_visible()
    assert wire.lost == ["incident.reported"]
    console.await_live()


def test_a_tab_put_to_sleep_catches_up(open_as: OpenPage, town: Town) -> None:
    page = open_as("dispatcher")
    console = Console(page)
    page.evaluate(MARK)
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("Page.enable")
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    made = [town.report(f"睡着时第{n}件", level="IV") for n in range(12)]
    for item in made[:6]:
        town.supervisor.post(f"/incidents/{item['id']}/cancel", reason="误报")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    for item in made[6:]:
        expect(console.card(item)).to_be_visible()
    for item in made[:6]:
        expect(console.card(item)).to_have_count(0)
    page.wait_for_function(LIVE)
    assert page.evaluate("() => window.untouched") is True
