"""The map: one click answers who is there; and nothing moves it once a person has."""

from __future__ import annotations

import uuid

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.pages import Console, inputs
from tests.browser.town import Town

SHOWN = """([lon, lat, zoom]) => {
  const { map } = window.yiping;
  return !map.isMoving() && map.getZoom() > zoom && map.getBounds().contains([lon, lat]);
}"""


def test_a_click_on_a_community_shows_who_is_there_and_reaches_the_nearest(
    open_as: OpenPage, town: Town
) -> None:
    page = open_as("dispatcher")
    console = Console(page, map_ready=True)
    unit = town.crew[0]
    console.look_at(unit.lon + 0.002, unit.lat + 0.001, 14.5)
    console.click_map(*console.empty_spot())
    expect(console.find("area-figures")).to_be_visible()
    code = page.evaluate("() => window.yiping.ui.selection.id")
    assert page.evaluate("() => window.yiping.ui.selection.kind") == "area"
    overview = town.supervisor.get(f"/areas/{code}/overview")
    expect(console.title).to_have_text(overview["area"]["name"])
    expect(console.find("area-figures")).to_contain_text(str(overview["figures"]["staff"]))
    for person in overview["people"][:3]:
        if person["responder_id"]:
            expect(console.find("drawer")).to_contain_text(person["name"])
    expect(page.get_by_role("button", name="辖区")).to_have_count(0)

    # One key calls the nearest, …
    nearest = town.units[str(console.rows().first.get_attribute("data-id"))]
    before = len(inputs(page))
    console.press("Enter")
    expect(console.find("note")).to_contain_text(nearest.name)
    assert len(inputs(page)) == before + 1
    # … and a message to the nearest arrives, is delivered and read, and the desk sees both.
    console.rows().first.get_by_role("button", name=nearest.name).click()
    expect(console.title).to_have_text(nearest.name)
    phone = phone_of(open_as, town, nearest.id)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    words = f"请到北门看一下 {uuid.uuid4().hex[:6]}"
    console.find("message-input").fill(words)
    console.press("Enter")
    receipt = console.find("thread").get_by_role("listitem").last.get_by_test_id("receipt")
    expect(receipt).to_have_attribute("data-state", "delivered")
    phone.get_by_role("button", name="消息").first.click()
    expect(phone.get_by_text(words)).to_be_visible()
    expect(receipt).to_have_attribute("data-state", "read")
    phone.get_by_role("button", name="收到，马上到").click()
    expect(console.find("thread").get_by_role("listitem").last).to_contain_text("收到，马上到")


def test_a_bare_click_ranks_whoever_is_near(open_as: OpenPage, town: Town) -> None:
    console = Console(open_as("dispatcher"), map_ready=True)
    unit = town.crew[0]
    console.look_at(unit.lon + 0.002, unit.lat + 0.001, 16)
    lon, lat = console.empty_spot()
    console.click_map(lon, lat)
    rows = console.rows()
    ids = [row.get_attribute("data-id") for row in rows.all()]
    answer = town.account("dispatcher").get("/nearest", lon=lon, lat=lat, limit=4)
    assert ids == [item["responder_id"] for item in answer["items"]]
    times = [item["eta_s"] for item in answer["items"]]
    assert times == sorted(times)


def test_events_never_move_a_map_that_a_person_has_moved(open_as: OpenPage, town: Town) -> None:
    page = open_as("dispatcher")
    console = Console(page, map_ready=True)
    start = console.view()
    near = town.report("未动过的地图跟过来", level="II")
    expect(console.title).to_have_text("未动过的地图跟过来")
    page.wait_for_function(SHOWN, arg=[near["lon"], near["lat"], start[2] + 0.5])

    box = console.find("map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 180, steps=6)
    page.mouse.up()
    expect(console.find("map-held")).to_be_visible()
    page.wait_for_function("() => !window.yiping.map.isMoving()")
    held = console.view()
    far = town.report("别处的新告警", level="I", near=town.crew[-1])
    expect(console.card(far)).to_be_visible()
    console.press("j")
    console.card(far).click()
    expect(console.title).to_have_text("别处的新告警")
    expect(console.find("ranked-row").first).to_be_visible()
    assert console.view() == held

    # Only the person hands it back.
    console.press("h")
    page.wait_for_function(SHOWN, arg=[far["lon"], far["lat"], start[2] + 0.5])
    expect(console.find("map-held")).to_have_count(0)
