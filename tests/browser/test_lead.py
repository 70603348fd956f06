"""The leader's page: what it says agrees with what the service answers, and it opens downwards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.town import Town

RAW_KEY = re.compile(r"\blead\.[a-z_]+(?:\.[a-z_]+)*\b")


PAINTED = """() => {
  // The class of each grid by the colour at the point where its name would stand, borders and marks left aside.
  const { ui } = window.yiping, canvas = document.querySelector('.canvas canvas');
  const pen = canvas.getContext('2d'), at = pen.getTransform();
  const [west, south, east, north] = ui.district.bounds, squeeze = Math.cos(((south + north) / 2) * Math.PI / 180);
  const scale = 1000 / Math.max((east - west) * squeeze, north - south);
  const style = getComputedStyle(document.documentElement);
  const hex = (n) => style.getPropertyValue(`--cov-${n}`).trim().toLowerCase();
  return [...ui.rows.values()].filter((row) => row.tier === 4).map(({ staffed, label_point: [lon, lat] }) => {
    const x = (lon - west) * squeeze * scale, y = (north - lat) * scale;
    const seen = pen.getImageData(Math.round(at.a * x + at.e), Math.round(at.d * y + at.f), 1, 1).data;
    const colour = '#' + [...seen].slice(0, 3).map((part) => part.toString(16).padStart(2, '0')).join('');
    return [staffed ? 'c4' : 'c0', colour === hex(4) ? 'c4' : colour === hex(0) ? 'c0' : colour];
  });
}"""


@pytest.fixture
def lead(open_as: OpenPage, town: Town) -> Page:
    """The page as a leader, with the grids drawn."""
    page = open_as("leader", "/lead", viewport={"width": 1920, "height": 1080})
    expect(page.locator(".canvas canvas")).not_to_have_attribute("data-grids", "0")
    expect(page.get_by_test_id("card-staffed")).to_be_visible()
    return page


def figures(page: Page) -> dict[str, int]:
    found: dict[str, int] = page.evaluate(
        "(({ grids, staffed }) => ({ grids, staffed }))(window.yiping.ui.cover.items[0])"
    )
    return found


def test_figures_and_colours_are_those_of_the_service(lead: Page) -> None:
    county = figures(lead)
    expect(lead.get_by_test_id("card-staffed")).to_contain_text(f"{county['staffed']} / {county['grids']}")
    expect(lead.locator(".canvas canvas")).to_have_attribute("data-grids", str(county["grids"]))
    lead.get_by_test_id("card-staffed").click()
    expect(lead.get_by_test_id("class-4").locator("b")).to_have_text(str(county["staffed"]))
    expect(lead.get_by_test_id("class-0").locator("b")).to_have_text(str(county["grids"] - county["staffed"]))
    painted: list[list[str]] = lead.evaluate(PAINTED)
    clear = [pair for pair in painted if pair[1] in ("c0", "c4")]  # in the smallest grids a border runs there
    assert len(clear) > 0.8 * county["grids"]
    assert all(wanted == seen for wanted, seen in clear)


def test_the_table_goes_down_to_a_grid_and_back(lead: Page) -> None:
    rows = lead.locator(".cover tbody tr")
    lead.locator(".cover tr.t2 .name").first.click()
    expect(lead.locator(".crumbs button")).to_have_count(2)
    lead.locator(".cover tr.t3 .name").first.click()
    expect(lead.locator(".cover tr.t4").first).to_be_visible()
    shown = rows.count()
    lead.locator(".cover tr.t4 .name").first.click()
    expect(lead.locator(".crumbs button")).to_have_count(4)
    lead.keyboard.press("Escape")
    expect(lead.locator(".crumbs")).to_have_count(0)
    assert rows.count() == shown
    lead.locator(".cover tr.t1 .twist").click()
    expect(rows).to_have_count(1)


def test_minutes_lists_and_definitions(lead: Page) -> None:
    lead.get_by_test_id("minutes-3").click()
    expect(lead.get_by_test_id("card-reach")).to_contain_text("3 分钟可达")
    lead.get_by_test_id("lack-staffed").click()
    county = figures(lead)
    expect(lead.locator(".wanting .list li")).to_have_count(county["grids"] - county["staffed"])
    lead.get_by_test_id("card-seen").hover()
    expect(lead.locator("#def-seen")).to_be_visible()
    lead.get_by_test_id("away").select_option(index=1)
    expect(lead.locator(".away p")).not_to_have_text(re.compile("正在测算|选一人"))
    assert not RAW_KEY.search(lead.locator("body").inner_text())


def test_an_incident_is_replayed_and_says_that_it_is_the_past(lead: Page, town: Town) -> None:
    incident = town.report("要回放的事件")
    town.account("dispatcher").post(f"/incidents/{incident['id']}/dispatch", responder_ids=[town.crew[0].id])
    lead.get_by_test_id("tab-replay").click()
    lead.get_by_test_id(f"replay-{incident['code']}").click()
    banner = lead.get_by_test_id("replay-banner")
    expect(banner).to_contain_text("要回放的事件")
    expect(banner).to_contain_text("非实时")
    expect(lead.locator(".replay-units")).to_contain_text(town.crew[0].name)
    expect(lead.locator(".replay-events .now")).to_contain_text("接报")
    lead.get_by_test_id("replay-slider").press("End")
    expect(lead.locator(".replay-events li.next")).to_have_count(0)
    lead.get_by_test_id("replay-play").click()  # from the beginning again
    expect(lead.get_by_test_id("replay-play")).to_have_text(re.compile("暂停|播放"))
    expect(lead.locator(".map-flag")).to_be_visible()
    assert not RAW_KEY.search(lead.locator("body").inner_text())


def test_the_console_leads_here_only_who_supervises(open_as: OpenPage) -> None:
    page = open_as("leader", "/")
    page.get_by_test_id("user-menu").click()
    expect(page.locator('.pages a[href="/lead"]')).to_be_visible()
    other = open_as("operator", "/")
    other.get_by_test_id("user-menu").click()
    expect(other.locator(".pages a").first).to_be_visible()
    expect(other.locator('.pages a[href="/lead"]')).to_have_count(0)


def test_tabs_tell_the_period_and_the_exported_page_needs_no_network(lead: Page, tmp_path: Path) -> None:
    # A demo has two days behind it: yesterday is there, last week is not.
    expect(lead.get_by_test_id("compared")).to_contain_text("比昨日同时")
    expect(lead.get_by_test_id("card-reach").locator(".target")).to_contain_text("目标 90%")
    lead.get_by_test_id("compare-week").click()
    expect(lead.get_by_test_id("compared")).to_contain_text("历史自")
    lead.get_by_test_id("export").click()
    with lead.expect_download() as taken:
        lead.get_by_test_id("export-html").click()
    file = tmp_path / "coverage.html"
    taken.value.save_as(file)
    lead.get_by_test_id("tab-indicators").click()
    expect(lead.get_by_test_id("kpi-completion_rate")).to_be_visible()
    lead.get_by_test_id("period-day").click()
    expect(lead.get_by_test_id("story")).to_contain_text("今日上报")
    lead.get_by_test_id("tab-supervision").click()
    expect(lead.get_by_test_id("instruct-open")).to_be_visible()
    assert not RAW_KEY.search(lead.locator("body").inner_text())

    browser = lead.context.browser
    assert browser is not None
    alone = browser.new_context(offline=True)
    try:
        page = alone.new_page()
        asked: list[str] = []
        faults: list[object] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(file.as_uri())
        expect(page.locator("html[data-ready=yes]")).to_have_count(1)
        expect(page.locator(".leaflet-container canvas")).to_have_count(1)
        page.locator("nav button").nth(1).click()
        expect(page.locator(".legend ul:visible li")).to_have_count(2)
        page.locator("#filter").fill("01 格")
        assert 0 < page.locator("tbody tr:visible").count() < page.locator("tbody tr").count()
        assert asked == [file.as_uri()]
        assert faults == []
    finally:
        alone.close()
