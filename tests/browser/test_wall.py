"""The wall: opened once with its kiosk address, read from six metres, touched by nobody."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.service import Service
from tests.browser.test_outage import wall_of
from tests.browser.town import Town

OVERFLOW = """() => [...document.querySelectorAll('.wall *')]
  .filter((node) => node instanceof HTMLElement && node.clientHeight > 0)
  .filter((node) => node.scrollWidth > node.clientWidth + 2 || node.scrollHeight > node.clientHeight + 2)
  .filter((node) => {
    const { overflow, textOverflow } = getComputedStyle(node);
    return overflow !== 'visible' && textOverflow !== 'ellipsis';
  })
  .map((node) => `${node.className || node.tagName}: ${node.textContent.slice(0, 40)}`)"""


def test_the_kiosk_address_signs_in_and_leaves_no_token_behind(
    new_context: Callable[..., BrowserContext], town: Town, service: Service
) -> None:
    wall = wall_of(new_context, service)
    expect(wall).to_have_url("/wall")
    clock = wall.locator(".wall header .ck b")
    seen = clock.inner_text()
    expect(clock).not_to_have_text(seen)
    assert re.fullmatch(r"\d\d:\d\d:\d\d", clock.inner_text())
    # Every panel says something; the people on duty are the crew.
    expect(wall.locator(".p.duty .hero")).to_have_text(str(len(town.crew)))
    for panel in ("today", "hours", "villages", "duty"):
        expect(wall.locator(f".p.{panel}")).to_have_text(re.compile(r"\d"))
    assert not re.search(r"NaN|undefined|null|\[object", wall.locator(".wall").inner_text())
    # A wall looks; its session changes nothing.
    incident = town.report("大屏不能认领")
    answer = wall.request.post(
        f"/api/v1/incidents/{incident['id']}/claim",
        headers={"Origin": service.url, "Idempotency-Key": "wall"},
    )
    assert answer.status in (403, 404)
    assert town.incident(incident["id"])["claimed_by"] is None


def test_an_alarm_flashes_until_somebody_acknowledges_it(
    new_context: Callable[..., BrowserContext], town: Town, service: Service
) -> None:
    wall = wall_of(new_context, service, reduced_motion="no-preference")
    flash = wall.locator(".tk .flash.unack")
    expect(flash).to_have_count(0)
    incident = town.report("化工园区起火", level="I", category="fire_rescue")
    expect(flash).to_contain_text("化工园区起火")
    assert flash.evaluate("(node) => getComputedStyle(node).animationName") != "none"
    expect(wall.locator(".story")).to_contain_text("化工园区起火")
    town.account("dispatcher").post(f"/incidents/{incident['id']}/acknowledge")
    expect(flash).to_have_count(0)
    expect(wall.locator(".tiles")).to_contain_text("化工园区起火")


@pytest.mark.parametrize("size", [(3840, 2160), (1920, 1080), (3840, 1080)])
def test_it_fits_its_screen(
    new_context: Callable[..., BrowserContext], town: Town, service: Service, size: tuple[int, int]
) -> None:
    for n, level in enumerate(("I", "II", "III", "IV", "III")):
        town.report(f"很长很长的事件标题用来看看大屏上放不放得下它的全部文字第{n}件", level=level)
    width, height = size
    context = new_context(viewport={"width": width, "height": height})
    wall = context.new_page()
    wall.goto(service.about()["kiosk_url"])
    expect(wall.locator(".p.duty .hero")).to_be_visible()
    expect(wall.locator(".tiles .v:not(.empty)").first).to_be_visible()
    stage = wall.locator("#stage").bounding_box()
    assert stage is not None
    scale = min(width / 1920, height / 1080)
    assert stage["width"] == pytest.approx(1920 * scale, abs=1)
    assert stage["x"] >= -0.5
    assert stage["y"] >= -0.5
    assert stage["x"] + stage["width"] <= width + 0.5
    assert stage["y"] + stage["height"] <= height + 0.5
    scrolls = wall.evaluate(
        """() => {
          const { scrollWidth, scrollHeight } = document.scrollingElement;
          return [scrollWidth - innerWidth, scrollHeight - innerHeight];
        }"""
    )
    assert max(scrolls) <= 0
    assert wall.evaluate(OVERFLOW) == []
