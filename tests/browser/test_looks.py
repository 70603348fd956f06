"""Languages, themes, and a page for people who use keys or a screen reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.pages import Console
from tests.browser.service import Service
from tests.browser.town import Town

TEXTS_SEEN = """() => {
  const out = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('script, style, noscript')) continue;
    if (node.parentElement.checkVisibility() && node.data.trim()) out.push(node.data.trim());
  }
  for (const node of document.querySelectorAll('[title], [aria-label], [placeholder]'))
    for (const name of ['title', 'aria-label', 'placeholder'])
      if (node.hasAttribute(name)) out.push(node.getAttribute(name));
  return out;
}"""
HELD_AND_SEEN = f"""() => {{
  const {{ feed, ui }} = window.yiping;
  const seen = ({TEXTS_SEEN})();
  return [seen, JSON.stringify([feed.board, feed.presence, [...ui.areas.values()], ui.me, ui.district, ui.ranked,
    ui.overview, ui.located, ui.cameras, ui.timeline, ui.draft, ui.crumbs])];
}}"""
"""What is shown and what the page knows, in one breath: an answer that arrives between two looks is no fault."""
KEY = re.compile(
    r"^(?:console|field|wall|login|app|role|state|level|kind|source|category|feed|error|assignment|stage|profile|"
    r"time|area|network|unit|incident)(?:\.[A-Za-z_0-9]+)+$"
)
HAN = re.compile(r"[\u3400-\u9fff]+")
UNNAMED = """() => [...document.querySelectorAll(
    'button, a[href], input, select, textarea, [role=button], [role=option]')]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim()
    || node.labels?.[0]?.textContent.trim() || node.placeholder || node.title))
  .map((node) => node.outerHTML.slice(0, 120))"""
FAINT = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const over = (top, under) => top.slice(0, 3).map((v, at) => v * (top[3] ?? 1) + under[at] * (1 - (top[3] ?? 1)));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none') return null;
      const colour = parse(style.backgroundColor);
      if (style.backgroundColor.startsWith('color(')) return null;
      if ((colour[3] ?? 1) > 0) layers.push(colour);
      if ((colour[3] ?? 1) === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const faint = [];
  for (const node of document.querySelectorAll('.queue *, aside.drawer *, header.top *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility({ opacityProperty: true }) || node.closest(':disabled, .no')) continue;
    const style = getComputedStyle(node), under = ground(node), colour = parse(style.color);
    if (!under || style.color.startsWith('color(')) continue;
    const [a, b] = [light(over(colour, under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < LIMIT)
      faint.push(`${ratio.toFixed(2)} ${node.tagName}.${node.className} ${node.textContent.slice(0, 16)}`);
  }
  return faint;
}"""


def raw_keys(page: Page) -> list[str]:
    """Texts that are the name of a text."""
    return sorted({text for text in page.evaluate(TEXTS_SEEN) if KEY.match(text)})


def untranslated(texts: list[str], data: str) -> list[str]:
    """Han characters on a page that nobody's data explains."""
    return sorted(
        {run for text in texts for run in HAN.findall(text) if run not in data and run not in "中文一屏席"}
    )


def tour(page: Page, town: Town) -> Iterator[str]:
    """Walk through the console's states; yields the name of each once it is shown."""
    console = Console(page, map_ready=True)
    first = town.report("Broken lamp 路灯", level="I", description="dark", reporter_contact="13800000000")
    town.report("Broken lamp 路灯", level="II")
    expect(console.card(first)).to_be_visible()
    console.card(first).click()
    console.rows()
    expect(console.find("dispatch-button")).to_be_visible()
    yield "claimed"
    console.press("2")
    yield "override"
    console.press("1", "Enter")
    expect(console.card(first)).to_have_attribute("data-state", "dispatched")
    expect(console.find("job")).to_be_visible()
    yield "dispatched"
    console.press("o")
    expect(console.find("command-menu")).to_be_visible()
    yield "menu"
    console.press("Escape", "x")
    expect(console.find("dispositions")).to_be_visible()
    yield "dispositions"
    console.press("Escape", "?")
    expect(console.find("help")).to_be_visible()
    yield "help"
    console.press("Escape")
    unit = town.crew[0]
    page.evaluate("() => window.yiping.map.jumpTo({ center: window.yiping.ui.district.center, zoom: 13 })")
    page.wait_for_function("() => window.yiping.map.loaded()")
    console.click_map(*console.empty_spot())
    expect(console.find("area-figures")).to_be_visible()
    yield "area"
    console.press("n")
    expect(console.find("incident-form")).to_be_visible()
    yield "form"
    console.press("Escape")
    console.find("form-title").or_(console.title).first.wait_for()
    page.keyboard.press("Control+k")
    console.find("search").fill(unit.name)
    console.find("search-hit").first.click()
    expect(console.find("thread")).to_be_visible()
    yield "person"
    console.find("camera-tile").first.click()
    yield "camera"
    console.find("user-menu").click()
    expect(console.find("theme-light")).to_be_visible()
    yield "user menu"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_console_speaks_one_language_without_gaps(open_as: OpenPage, town: Town, language: str) -> None:
    page = open_as("dispatcher", f"/?lang={language}")
    gaps: dict[str, list[str]] = {}
    unnamed: dict[str, Any] = {}
    for place in tour(page, town):
        found = raw_keys(page)
        if language == "en":
            found += untranslated(*page.evaluate(HELD_AND_SEEN))
        if found:
            gaps[place] = found
        if page.evaluate(UNNAMED):
            unnamed[place] = page.evaluate(UNNAMED)
    assert gaps == {}
    assert unnamed == {}
    expect(page.locator("html")).to_have_attribute("lang", language)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_wall_phone_and_sign_in_speak_one_language_without_gaps(
    open_as: OpenPage,
    new_context: Callable[..., BrowserContext],
    town: Town,
    service: Service,
    language: str,
) -> None:
    unit = town.crew[0]
    incident = town.report("Broken lamp 路灯", level="I", category="traffic")
    data = json.dumps(
        [
            town.supervisor.get("/responders", limit=5000),
            town.supervisor.get("/areas", limit=5000),
            town.supervisor.get("/cameras", limit=5000),
            town.supervisor.get("/incidents", limit=50),
            town.supervisor.district,
        ],
        ensure_ascii=False,
    )
    context = new_context()
    context.add_init_script(f"if (location.host) localStorage.setItem('yiping.language', '{language}')")
    login = context.new_page()
    login.goto("/login?next=/wall")
    expect(login.locator("#submit")).to_be_enabled()
    wall = context.new_page()
    wall.goto(service.about()["kiosk_url"])
    expect(wall.locator(".p.duty .hero")).to_be_visible()
    phone = phone_of(open_as, town, unit.id)
    if language == "en":
        phone.locator("header.duty .who").click()
        phone.get_by_role("button", name="English").click()
    pages = {"login": login, "wall": wall, "field": phone}
    gaps = {name: raw_keys(page) for name, page in pages.items()}
    town.account("dispatcher").post(f"/incidents/{incident['id']}/dispatch", responder_ids=[unit.id])
    expect(phone.get_by_role("heading", name="Broken lamp 路灯")).to_be_visible()
    gaps["field, job"] = raw_keys(phone)
    if language == "en":
        gaps |= {
            f"{name}, Chinese": untranslated(page.evaluate(TEXTS_SEEN), data) for name, page in pages.items()
        }
    assert {name: found for name, found in gaps.items() if found} == {}
    for page in pages.values():
        assert page.evaluate(UNNAMED) == []


@pytest.mark.parametrize(("theme", "limit"), [("dark", 4.5), ("light", 4.5), ("contrast", 7.0)])
def test_each_theme_can_be_read_and_is_remembered(
    open_as: OpenPage, town: Town, theme: str, limit: float
) -> None:
    incident = town.report("路灯不亮", level="II")
    town.report("井盖松动", level="IV")
    page = open_as("dispatcher")
    console = Console(page)
    console.find("user-menu").click()
    console.find(f"theme-{theme}").click()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    console.press("Escape")
    page.reload()
    console.await_live()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    console.card(incident).click()
    console.rows()
    assert page.evaluate(FAINT.replace("LIMIT", str(limit))) == []


def test_keys_alone_reach_the_controls_and_the_focus_is_seen(open_as: OpenPage, town: Town) -> None:
    incident = town.report("路灯不亮", level="II")
    page = open_as("dispatcher")
    console = Console(page)
    console.card(incident).click()
    console.rows()
    reached: set[str] = set()
    for _ in range(150):
        console.press("Tab")
        state = page.evaluate(
            """() => {
              const node = document.activeElement;
              const drawn = () => [node, node.parentElement].map((at) => {
                const { outline, boxShadow, borderColor, backgroundColor } = getComputedStyle(at);
                return [outline, boxShadow, borderColor, backgroundColor].join();
              }).join();
              // The selected card is drawn as such with and without the focus.
              if (node === document.body || node.matches('[aria-selected=true]')) return { body: true };
              const focused = drawn();
              node.blur();
              const plain = drawn();
              node.focus({ focusVisible: true, preventScroll: true });
              return { body: false, name: node.dataset.testid ?? node.id, seen: focused !== plain,
                html: node.outerHTML.slice(0, 100) };
            }"""
        )
        if state["body"]:
            continue
        assert state["seen"], state["html"]
        reached.add(state["name"])
        if {"search", "user-menu", "filter-all"} <= reached:
            break
    assert {"search", "user-menu", "filter-all"} <= reached
