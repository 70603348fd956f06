"""The leader's page: what it says agrees with what the service answers, and it opens downwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.town import Town

RAW_KEY = re.compile(r"\blead\.[a-z_]+(?:\.[a-z_]+)*\b")


@pytest.fixture
def lead(open_as: OpenPage, town: Town) -> Page:
    """The page as a leader, with the grids drawn."""
    page = open_as("leader", "/lead", viewport={"width": 1920, "height": 1080})
    expect(page.locator("path.grid").first).to_be_visible()
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
    expect(lead.locator("path.grid")).to_have_count(county["grids"])
    lead.get_by_test_id("card-staffed").click()
    expect(lead.locator("path.grid.c4")).to_have_count(county["staffed"])
    expect(lead.locator("path.grid.c0")).to_have_count(county["grids"] - county["staffed"])


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


def test_the_console_leads_here_only_who_supervises(open_as: OpenPage) -> None:
    page = open_as("leader", "/")
    page.get_by_test_id("user-menu").click()
    expect(page.locator('.pages a[href="/lead"]')).to_be_visible()
    other = open_as("operator", "/")
    other.get_by_test_id("user-menu").click()
    expect(other.locator(".pages a").first).to_be_visible()
    expect(other.locator('.pages a[href="/lead"]')).to_have_count(0)
