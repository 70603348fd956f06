"""A road closed on the map: whoever would have come through it takes longer at once, until it is opened again."""

from __future__ import annotations

import math
from itertools import pairwise

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.pages import Console
from tests.browser.town import Json, Town, metres

HALF_M = 14.0
"""How far the drawn line reaches over the road on either side, metres."""


def across(route: list[list[float]]) -> tuple[list[float], list[float]]:
    """Two points on either side of the longest straight piece of a way, lon and lat."""
    a, b = max(
        pairwise(route), key=lambda piece: metres((piece[0][0], piece[0][1]), (piece[1][0], piece[1][1]))
    )
    squeeze = math.cos(math.radians(a[1]))
    east, north = (b[0] - a[0]) * squeeze, b[1] - a[1]
    size = math.hypot(east, north) * 111_195 / HALF_M
    lon, lat = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    dx, dy = -north / size / squeeze, east / size
    return [lon + dx, lat + dy], [lon - dx, lat - dy]


def test_a_closed_road_changes_who_comes_when_until_it_is_open_again(open_as: OpenPage, town: Town) -> None:
    incident = town.report("绕行的路", level="III")
    console = Console(open_as("dispatcher"), map_ready=True)
    page = console.page
    expect(console.title).to_have_text("绕行的路")
    expect(console.rows()).to_have_count(5)
    candidate: Json = next(item for item in town.nearest(incident)[:3] if item["distance_m"] > 100)
    who = candidate["responder_id"]
    row = page.locator(f'[data-testid="ranked-row"][data-id="{who}"]')
    before = row.locator(".eta").inner_text()

    first, second = across(candidate["route"]["coordinates"])
    console.look_at((first[0] + second[0]) / 2, (first[1] + second[1]) / 2, 17)
    console.press("b")
    console.click_map(*first)
    expect(console.find("finish-drawing")).to_be_enabled()
    console.click_map(*second)
    expect(console.find("drawing")).to_contain_text("已点 2 点")
    console.press("Enter")
    page.get_by_role("button", name="道路积水").click()
    expect(console.find("closure-hits")).to_contain_text("将封闭")
    console.press("Control+Enter")
    expect(console.find("closure-state")).to_have_attribute("data-state", "in_force")
    expect(console.find("closure-reason")).to_have_text("道路积水")
    closed = town.supervisor.get("/closures")["items"][0]
    assert (closed["kind"], closed["drawn_by_name"]) == ("line", town.account("dispatcher").user["name"])

    # Back at the incident the same person takes another way.
    console.press("Escape")
    expect(console.title).to_have_text("绕行的路")
    expect(row.locator(".eta")).not_to_have_text(before)
    after = next(item for item in town.nearest(incident) if item["responder_id"] == who)
    assert after["eta_s"] > candidate["eta_s"]

    # Opened by hand, everything is as it was.
    console.find("closures-button").click()
    console.find("closure-row").first.click()
    console.press("x")
    expect(console.find("closure-state")).to_have_attribute("data-state", "ended")
    console.press("Escape")
    console.press("Escape")
    expect(console.title).to_have_text("绕行的路")
    expect(row.locator(".eta")).to_have_text(before)
