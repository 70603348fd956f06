"""Texts from strangers stay texts: nothing runs, nothing is asked of another host, the page keeps its form."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.guard import Guard
from tests.browser.pages import Console
from tests.browser.service import Service
from tests.browser.test_outage import FEED, wall_of
from tests.browser.town import COOKIE, Town

MARKUP = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
BACKWARDS = "照片\u202egpj.exe 已发"
CROWD = "🚨" * 80
SQL = "'); DROP TABLE incidents; --"
LINK = "[点此](javascript:window.owned=1) https://elsewhere.example/x.png"
TEXTS = {"markup": MARKUP[:80], "backwards": BACKWARDS, "crowd": CROWD, "sql": SQL, "link": LINK[:80]}


def assert_inert(page: Page) -> None:
    assert page.evaluate("() => window.owned") is None
    assert page.evaluate("() => document.querySelectorAll('img[src=\"x\"], script:not([src])').length") == 0
    assert page.evaluate("() => [...document.links].every((a) => /^(https?|tel):/.test(a.protocol))")
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def wide(page: Page, selector: str) -> list[str]:
    """What sticks out of its column to the side."""
    out: list[str] = page.evaluate(
        """(selector) => {
          const box = document.querySelector(selector).getBoundingClientRect();
          return [...document.querySelectorAll(`${selector} *`)].filter((node) => {
            const own = node.getBoundingClientRect();
            if (!own.width || own.right <= box.right + 1) return false;
            if (getComputedStyle(node).position === 'fixed') return false;
            // What a parent cuts off with an ellipsis does not stick out.
            for (let at = node.parentElement; at && !at.matches(selector); at = at.parentElement) {
              const cut = getComputedStyle(at).overflowX === 'hidden';
              if (cut && at.getBoundingClientRect().right <= box.right + 1) return false;
            }
            return true;
          }).map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 20)}`);
        }""",
        selector,
    )
    return out


def test_titles_and_descriptions_of_callers(
    open_as: OpenPage, new_context: Callable[..., BrowserContext], town: Town, service: Service
) -> None:
    made = {
        name: town.report(
            text, level="I", description=MARKUP + BACKWARDS, address=text, source="public_report"
        )
        for name, text in TEXTS.items()
    }
    page = open_as("dispatcher")
    console = Console(page)
    for name, incident in made.items():
        expect(console.card(incident).locator("h3")).to_have_text(incident["title"])
        console.card(incident).click()
        expect(console.title).to_have_text(incident["title"])
        assert TEXTS[name] == incident["title"]
    assert_inert(page)
    assert wide(page, ".queue") == []
    assert wide(page, "aside.drawer") == []
    wall = wall_of(new_context, service)
    expect(wall.locator(".tiles .v:not(.empty)")).to_have_count(4)
    assert_inert(wall)


@pytest.mark.parametrize("text", [MARKUP + BACKWARDS, CROWD + SQL + LINK], ids=["markup", "crowd"])
def test_messages_both_ways(open_as: OpenPage, town: Town, text: str) -> None:
    unit = town.crew[0]
    incident = town.report(TEXTS["markup"], description=MARKUP)
    town.account("dispatcher").post(f"/incidents/{incident['id']}/dispatch", responder_ids=[unit.id])
    town.account("dispatcher").post("/messages", to=[unit.id], body=text)
    town.phone(unit).post("/messages/reply", body=text)
    page = open_as("dispatcher")
    console = Console(page)
    page.keyboard.press("Control+k")
    console.find("search").fill(unit.name)
    console.find("search-hit").filter(has_text=unit.name).first.click()
    expect(console.find("thread").locator("p", has_text=text[:20])).not_to_have_count(0)
    assert_inert(page)
    assert wide(page, "aside.drawer") == []
    phone = phone_of(open_as, town, unit.id)
    expect(phone.get_by_role("heading", name=TEXTS["markup"])).to_be_visible()
    phone.locator("header.duty .who").click()
    phone.locator(".sheet .rows button").filter(has_text="消息").click()
    expect(phone.locator(".talk p").last).to_be_visible()
    assert (
        text in phone.locator(".talk").inner_text().replace("\n", "")
        or phone.locator(".talk p", has_text=text[:20]).count()
    )
    assert_inert(phone)


def test_names_of_people_and_other_desks(
    new_context: Callable[..., BrowserContext], town: Town, service: Service, guard: Guard
) -> None:
    """A roster is imported by people one trusts; the page does not need to."""
    # What stands between page and service passes frames on also after the page has closed its end.
    guard.allow("WebSocket is already in CLOSING or CLOSED state")
    unit = town.crew[0]

    def connected(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def to_page(message: str | bytes) -> None:
            if isinstance(message, str):
                frame = json.loads(message)
                told = frame.get("board") or frame.get("data", {}).get("changes", {})
                for person in told.get("responders", {}).values():
                    if person and person["id"] == unit.id:
                        person |= {"name": MARKUP, "station": CROWD, "skills": [SQL, MARKUP]}
                for camera in told.get("cameras", {}).values():
                    if camera:
                        camera["name"] = MARKUP
                if frame["frame"] == "presence":
                    for user in frame["users"]:
                        user["name"] = MARKUP
                message = json.dumps(frame)
            route.send(message)

        route.on_message(server.send)
        server.on_message(to_page)

    context = new_context()
    token = town.account("dispatcher").token
    context.add_cookies([{"name": COOKIE, "value": token, "url": service.url, "sameSite": "Strict"}])
    page = context.new_page()
    page.route_web_socket(FEED, connected)
    page.goto("/")
    console = Console(page, map_ready=True)
    page.keyboard.press("Control+k")
    console.find("search").fill(unit.name)
    console.find("search-hit").filter(has_text=unit.name).first.click()
    expect(console.title).to_have_text(MARKUP)
    page.wait_for_function("() => !window.yiping.map.isMoving()")
    assert_inert(page)
    assert wide(page, "aside.drawer") == []
