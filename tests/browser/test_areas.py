"""The editor of areas: a corner that several grids share is dragged, and all of them change."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.town import Town

LARGE = {"viewport": {"width": 1400, "height": 900}}
PIXEL = """([lon, lat]) => {
  const map = window.yipingAreaMap;
  const { x, y } = map.project([lon, lat]);
  const { left, top } = map.getCanvas().getBoundingClientRect();
  return [left + x, top + y];
}"""


def corners(editable: dict[str, Any]) -> dict[str, set[tuple[float, float]]]:
    """Corners of an area and of those beside it, by code."""
    rows = [editable["area"], *(row for row in editable["neighbours"] if row["kind"] == "area")]
    found: dict[str, set[tuple[float, float]]] = {}
    for row in rows:
        shape = row["geometry"]
        parts = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        found[row["code"]] = {tuple(at) for part in parts for ring in part for at in ring}
    return found


def drawn(page: Page) -> None:
    page.wait_for_function(
        "() => window.yipingAreaMap?.getLayer('edit-vertex') && !window.yipingAreaMap.isMoving()"
    )


def test_a_shared_corner_is_dragged_and_both_areas_change(open_as: OpenPage, town: Town) -> None:
    admin = town.account("admin")
    grid = admin.get("/areas", tier=4)["items"][0]
    before = admin.get(f"/geography/areas/{grid['code']}/editable")
    shared = next(
        row for row in before["shared"] if sum(len(code) == len(grid["code"]) for code in row["areas"]) >= 1
    )
    page = open_as("admin", "/admin?tab=areas", **LARGE)
    drawn(page)
    page.get_by_test_id("areas-search").fill(grid["code"])
    page.get_by_test_id("area-row").first.click()
    page.get_by_test_id("tool-border").click()
    expect(page.get_by_test_id("area-panel")).to_contain_text(grid["name"])
    page.wait_for_timeout(500)
    drawn(page)
    x, y = page.evaluate(PIXEL, shared["at"])
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 5):
        page.mouse.move(x + step, y + step)
    page.mouse.up()
    expect(page.get_by_test_id("area-save-bar")).to_be_visible()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("area-save-bar")).to_be_hidden()
    page.get_by_test_id("redo").click()
    page.get_by_test_id("save").click()
    page.get_by_test_id("save-correct").check()
    expect(page.get_by_test_id("save-changes")).to_contain_text(grid["name"])
    page.get_by_test_id("save-go").click()
    expect(page.get_by_test_id("save-dialog")).to_be_hidden()
    expect(page.get_by_test_id("area-save-bar")).to_be_hidden()
    after = admin.get(f"/geography/areas/{grid['code']}/editable")
    try:
        assert after["revision"] == before["revision"] + 1
        at = tuple(shared["at"])
        for code in (grid["code"], *shared["areas"]):
            assert at not in corners(after)[code], code
        moved = [corners(after)[code] - corners(before)[code] for code in (grid["code"], *shared["areas"])]
        assert set.intersection(*moved), "the same new corner in all of them"
    finally:
        admin.post(f"/geography/revisions/{after['revision']}/undo")
