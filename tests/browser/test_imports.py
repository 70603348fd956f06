"""Files as offices keep them, brought in on the page of the administration: looked at, put in force, taken back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from playwright.sync_api import expect

from gis.crs import gcj02_from_wgs84
from tests.browser.conftest import OpenPage
from tests.browser.town import Town

LARGE = {"viewport": {"width": 1600, "height": 1000}}


def office_file(folder: Path, areas: list[dict[str, Any]]) -> Path:
    """Write the district's areas as a shapefile without a word on its encoding and datum."""
    shapes = np.array([shapely.geometry.shape(area["geometry"]) for area in areas], dtype=object)
    last = shapes[-1]
    shapes[-1] = shapely.affinity.scale(last, 1.2, 1.2)  # laps over its neighbours
    columns = {
        "编码": [area["code"] for area in areas],
        "名称": [area["name"] for area in areas],
        "类型": [area["label"] for area in areas],
        "上级编码": [area["parent"] or "" for area in areas],
    }
    pyogrio.raw.write(
        str(folder / "网格.shp"),
        geometry=shapely.to_wkb(
            shapely.transform(shapes, lambda c: np.column_stack(gcj02_from_wgs84(c[:, 0], c[:, 1])))
        ),
        field_data=[np.array(values, dtype=object) for values in columns.values()],
        fields=list(columns),
        geometry_type="Polygon",
        crs=None,
        encoding="GB18030",
    )
    packed = folder / "网格.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in ("shp", "shx", "dbf"):
            archive.write(folder / f"网格.{part}", f"网格.{part}")
    return packed


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_a_file_is_looked_at_brought_in_and_taken_back(open_as: OpenPage, town: Town, tmp_path: Path) -> None:
    admin = town.account("admin")
    areas = admin.get("/areas", geometry=True)["items"]
    page = open_as("admin", "/admin?tab=imports", **LARGE)
    page.get_by_test_id("import-file").set_input_files(office_file(tmp_path, areas))

    # What was guessed stands there to be changed.
    workspace = page.get_by_test_id("workspace")
    expect(workspace).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("encoding-gb18030")).to_be_checked()
    expect(page.get_by_test_id("crs-GCJ-02")).to_be_checked()
    expect(page.get_by_test_id("column-名称")).to_have_value("name")
    expect(page.get_by_test_id("n-rows")).to_have_text(str(len(areas)))
    good = int(page.get_by_test_id("n-good").inner_text())
    assert good < len(areas)

    # What is wrong leads to its place on the map, and a row with a warning can be taken all the same.
    page.get_by_test_id("severity-warning").click()
    first = page.get_by_test_id("issue").first
    first.click()
    expect(page.get_by_test_id("row-card")).to_have_attribute(
        "data-row", str(first.get_attribute("data-row"))
    )
    page.get_by_test_id("take-row").check()
    expect(page.get_by_test_id("take-chosen")).to_contain_text(str(good + 1))
    page.get_by_test_id("take-warned").click()  # with all warnings

    page.get_by_test_id("apply").click()
    expect(page.get_by_test_id("will-replace")).to_contain_text(f"将替换现有 {len(areas)} 个区划网格")
    page.get_by_test_id("apply-go").click()
    expect(page.get_by_test_id("result-taken")).to_have_text(str(len(areas)))

    page.get_by_test_id("to-history").click()
    row = page.get_by_test_id("revision").first
    expect(row).to_contain_text("网格.zip")
    row.get_by_test_id("revision-undo").click()
    page.get_by_test_id("undo-go").click()
    expect(page.get_by_test_id("revision").first).to_contain_text("撤销第")
    assert [area["code"] for area in admin.get("/areas")["items"]] == [area["code"] for area in areas]


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
