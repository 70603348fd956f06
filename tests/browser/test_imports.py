"""A file is brought in on the page of the administration: looked at, put in force, taken back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.town import Town

OpenPage = Callable[..., Page]
LARGE = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def areas(town: Town) -> bytes:
    """The district's own areas, one of them renamed."""
    items = town.supervisor.get("/areas", geometry="true", limit=5000)["items"]
    for item in items:
        if item["tier"] == 1:
            item["name"] += "（新）"
    features = [
        {
            "type": "Feature",
            "properties": {name: item[name] for name in ("code", "name", "tier", "parent", "label")},
            "geometry": item["geometry"],
        }
        for item in items
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_areas_are_looked_at_put_in_force_and_taken_back(open_as: OpenPage, town: Town, areas: bytes) -> None:
    page = open_as("admin", "/admin?tab=imports", **LARGE)
    page.get_by_test_id("kind-areas").click()
    page.get_by_test_id("import-file").set_input_files(
        {"name": "区划.geojson", "mimeType": "application/geo+json", "buffer": areas}
    )
    expect(page.get_by_test_id("n-error")).to_contain_text("0")
    page.get_by_test_id("take-all").first.click()
    page.get_by_test_id("apply").click()
    page.get_by_test_id("apply-go").click()
    expect(page.get_by_test_id("result")).to_be_visible()
    assert town.supervisor.get("/areas", tier=1)["items"][0]["name"].endswith("（新）")
    page.get_by_test_id("undo").click()
    page.get_by_test_id("undo-go").click()
    expect(page.get_by_test_id("undo")).to_have_count(0)
    assert not town.supervisor.get("/areas", tier=1)["items"][0]["name"].endswith("（新）")


def test_a_list_with_bad_rows_gives_them_back(open_as: OpenPage) -> None:
    page = open_as("admin", "/admin", **LARGE)
    page.get_by_test_id("open-import").click()
    rows = "名称,国标编号,经度,纬度\n试读甲,,0,0\n试读乙,123,106.9,37.2\n试读丙,,106.91,37.23\n"
    page.get_by_test_id("import-file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    expect(page.get_by_test_id("n-rows")).to_contain_text("3")
    expect(page.get_by_test_id("issue").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("issues-csv").click()
    assert "error" in download.value.path().read_text("utf-8-sig")
