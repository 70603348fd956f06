"""The video page and the administrators' page, by mouse and keys."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.guard import Guard

LARGE = {"viewport": {"width": 1600, "height": 1000}}
RAW_KEY = re.compile(r"\b(?:video|admin|camera|console)\.[a-z_]+(?:\.[a-z_]+)*\b")
# A camera that is switched off or still being opened is a state of its tile, which has tests of its own.
OF_CAMERAS = (r"WebSocket connection", r"status of 404", r"status of 503")


@pytest.fixture
def video(open_as: OpenPage, guard: Guard) -> Page:
    """The video page as a supervisor, with the cameras listed."""
    guard.allow(*OF_CAMERAS)
    page = open_as("supervisor", "/video?tab=grid", **LARGE)  # not a first visit, which has a layout
    expect(node(page).first).to_be_visible()
    return page


def node(page: Page) -> Locator:
    return page.get_by_test_id("tree-node")


def cell(page: Page, index: int) -> Locator:
    return page.locator(f'[data-testid="cell"][data-cell="{index}"]')


def in_cell(page: Page, index: int) -> str:
    return cell(page, index).get_attribute("data-camera") or ""


def find(page: Page, text: str) -> Locator:
    """Search, and wait until the service's answer has joined what the page found by itself."""
    page.get_by_test_id("tree-search").fill(text)
    found = page.get_by_test_id("tree-camera")
    before: list[str] = []
    for _ in range(40):
        page.wait_for_timeout(300)
        now = found.evaluate_all("(rows) => rows.map((row) => row.dataset.id)")
        if now == before:
            break
        before = now
    return found


def test_cameras_are_dragged_in_swapped_and_cleared(video: Page) -> None:
    cameras = find(video, "桥")
    names = [cameras.nth(at).get_attribute("data-id") for at in range(2)]
    cameras.nth(0).drag_to(cell(video, 0))
    cameras.nth(1).drag_to(cell(video, 3))
    expect(cell(video, 0)).to_have_attribute("data-camera", names[0] or "")
    expect(cell(video, 3)).to_have_attribute("data-camera", names[1] or "")
    cell(video, 0).drag_to(cell(video, 3))
    expect(cell(video, 3)).to_have_attribute("data-camera", names[0] or "")
    expect(cell(video, 0)).to_have_attribute("data-camera", names[1] or "")
    video.locator("body").click(position={"x": 800, "y": 20})
    video.keyboard.press("1")
    expect(video.get_by_test_id("cell")).to_have_count(1)
    expect(cell(video, 0)).to_have_attribute("data-camera", names[0] or "")
    video.keyboard.press("9")
    expect(video.get_by_test_id("cell")).to_have_count(9)
    assert [in_cell(video, 0), in_cell(video, 3)] == [names[1], names[0]]
    video.keyboard.press("Delete")
    expect(cell(video, 3)).to_have_attribute("data-camera", "")
    video.reload()
    expect(cell(video, 0)).to_have_attribute("data-camera", names[1] or "")


def test_a_first_visit_begins_with_the_first_layout(open_as: OpenPage, guard: Guard) -> None:
    guard.allow(*OF_CAMERAS)
    page = open_as("leader", "/video", **LARGE)
    expect(page.get_by_test_id("layout-name")).to_be_visible()
    expect(cell(page, 0)).not_to_have_attribute("data-camera", "")


def test_a_camera_is_found_by_initials_and_by_number(video: Page) -> None:
    first = find(video, "桥").first
    name, key = first.locator("b").inner_text(), first.get_attribute("data-id") or ""
    number = video.evaluate("(id) => yiping.feed.board.cameras[id].gb_id", key)
    expect(find(video, number[-6:]).filter(has_text=name)).to_have_count(1)
    video.get_by_test_id("tree-search").fill("lnq")
    expect(video.get_by_test_id("tree-camera").filter(has_text="老碾桥").first).to_be_visible()
    video.get_by_test_id("tree-search").fill("没有这样的摄像头")
    expect(video.get_by_test_id("tree-empty")).to_be_visible()


def test_a_layout_is_saved_for_every_desk_and_a_tour_turns_its_pages(video: Page, open_as: OpenPage) -> None:
    cameras = find(video, "桥")
    key = cameras.first.get_attribute("data-id") or ""
    cameras.first.dblclick()
    video.get_by_test_id("layout-save").click()
    video.get_by_test_id("layout-name-input").fill("桥面")
    video.get_by_test_id("layout-submit").click()
    expect(video.get_by_test_id("layout-name")).to_have_text("桥面")
    other = open_as("dispatcher", "/video", **LARGE)
    other.get_by_test_id("side-layouts").click()
    mine = other.get_by_test_id("layout").filter(has_text="桥面")
    mine.get_by_test_id("layout-load").click()
    expect(cell(other, 0)).to_have_attribute("data-camera", key)
    mine.get_by_test_id("layout-remove").click()
    other.get_by_test_id("remove-submit").click()
    video.get_by_test_id("side-layouts").click()
    expect(video.get_by_test_id("layout").filter(has_text="桥面")).to_have_count(0)

    video.get_by_test_id("side-tours").click()
    video.locator('[data-testid="tour-new"], [data-testid="tours-empty"] button').click()
    video.get_by_test_id("tour-submit").click()
    expect(video.get_by_text("请填写名称")).to_be_visible()
    video.get_by_test_id("tour-name").fill("三秒一页")
    video.get_by_test_id("tour-by-list").click()
    for _ in range(6):
        video.locator(".picker ul button").first.click()
    video.get_by_test_id("tour-dwell").fill("3")
    video.get_by_test_id("tour-submit").click()
    tour = video.get_by_test_id("tour").filter(has_text="三秒一页")
    tour.get_by_test_id("tour-start").click()
    expect(video.get_by_test_id("tour-page")).to_have_text("第 2 / 2 页")
    video.get_by_test_id("tour-stop").click()
    expect(cell(video, 0)).to_have_attribute("data-camera", key)
    tour.get_by_test_id("tour-remove").click()
    video.get_by_test_id("remove-submit").click()
    expect(tour).to_have_count(0)


def test_no_tab_shows_the_name_of_a_text(open_as: OpenPage, guard: Guard) -> None:
    guard.allow(*OF_CAMERAS)
    for language in ("en", "zh-CN"):
        page = open_as("leader", f"/video?lang={language}", **LARGE)
        for tab in ("grid", "faults", "clips", "playback", "viewings"):
            page.get_by_test_id(f"tab-{tab}").click()
            expect(page.get_by_test_id("region-fault")).to_have_count(0)
            assert not RAW_KEY.search(page.locator("body").inner_text()), (language, tab)
        page = open_as("admin", f"/admin?lang={language}", **LARGE)
        for tab in ("cameras", "devices"):
            page.get_by_test_id(f"tab-{tab}").click()
            assert not RAW_KEY.search(page.locator("body").inner_text()), (language, tab)


def test_an_administrator_corrects_a_camera_and_never_sees_its_password(
    open_as: OpenPage, guard: Guard
) -> None:
    page = open_as("admin", "/admin", **LARGE)
    page.get_by_test_id("registry-search").fill("桥")
    page.get_by_test_id("camera-row").first.click()
    form = page.get_by_test_id("camera-form")
    expect(form.get_by_test_id("form-save")).to_be_disabled()
    form.get_by_test_id("field-azimuth").fill("400")
    form.get_by_test_id("form-save").click()
    expect(form.get_by_text("朝向是 0 到 360 的数字")).to_be_visible()
    form.get_by_test_id("field-azimuth").fill("90")
    form.get_by_test_id("source-protocol").select_option("rtsp")
    form.get_by_test_id("source-host").fill("192.0.2.9")
    form.get_by_test_id("source-username").fill("viewer")
    form.get_by_test_id("source-password").fill("a-secret-9")
    guard.allow(r"status of 422")
    form.get_by_test_id("form-save").click()
    expect(form.get_by_text("地址不在允许接入的网段内")).to_be_visible()
    form.get_by_test_id("source-host").fill("127.0.0.1")
    form.get_by_test_id("source-port").fill("8554")
    form.get_by_test_id("form-save").click()
    expect(form.get_by_test_id("password-set")).to_be_visible()
    expect(form.get_by_test_id("source-password")).to_have_value("")
    form.get_by_test_id("source-port").fill("8555")
    expect(form.get_by_test_id("password-again")).to_be_visible()
    form.get_by_test_id("form-save").click()
    expect(form.get_by_test_id("password-again")).to_be_visible()
    form.get_by_test_id("form-close").click()
    page.get_by_test_id("leave-go").click()
    expect(form).to_have_count(0)
    assert "a-secret-9" not in page.content()
