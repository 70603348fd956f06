"""The same division out of every format, told apart by content alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shapely

from gis.area_files import load_areas
from gis.intake import Refused
from tests.gis.intake.files import (
    by_library,
    division,
    drafted,
    geojson,
    kml,
    placemark,
    shapefile,
    shapefile_parts,
    workbook,
    zipped,
    zipped_on_chinese_windows,
)

Make = Callable[[Path], Path]


def as_kml(path: Path) -> Path:
    rows = [placemark(str(f["名称"]), s, 编码=str(f["编码"]), 层级=str(f["层级"])) for f, s in division()]
    path.write_text(kml("<Folder><name>区划</name>" + "".join(rows) + "</Folder>"), "utf-8")
    return path


def as_csv(path: Path, encoding: str = "gb18030") -> Path:
    lines = ["桥头镇网格清单（2025 年）", "编码,名称,层级,WKT"]
    lines += [f'{f["编码"]},{f["名称"]},{f["层级"]},"{shapely.to_wkt(s)}"' for f, s in division()]
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def as_xlsx(path: Path) -> Path:
    head: list[list[object]] = [["网格清单"], ["编码", "名称", "层级", "几何"]]
    return workbook(
        path, head + [[f["编码"], f["名称"], f["层级"], shapely.to_wkt(s)] for f, s in division()]
    )


def as_kmz(path: Path) -> Path:
    return zipped(path, {"doc.kml": as_kml(path.with_suffix(".x")).read_bytes()})


def as_zip(path: Path) -> Path:
    parts = shapefile_parts(shapefile(path.parent / "shp", division()), "数据/村界/网格")
    return zipped_on_chinese_windows(path, parts | {"数据/说明.txt": b"x"})


MAKERS: dict[str, Make] = {
    "geojson": lambda path: geojson(path, division()),
    "geopackage": lambda path: by_library(path, division(), "GPKG", layer="区划"),
    "flatgeobuf": lambda path: by_library(path, division(), "FlatGeobuf"),
    "kml": as_kml,
    "kmz": as_kmz,
    "csv": as_csv,
    "xlsx": as_xlsx,
    "shapefile": as_zip,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_every_format_gives_the_same_division(tmp_path: Path, kind: str) -> None:
    made = MAKERS[kind](
        tmp_path / ("made.fgb" if kind == "flatgeobuf" else "made.gpkg" if kind == "geopackage" else "made")
    )
    upload = made.rename(tmp_path / "upload")
    found = drafted(upload, crs="EPSG:4490")
    draft = found.draft
    assert draft.format == ("kml" if kind == "kmz" else kind)
    assert (draft.rows, draft.taken, draft.needs, found.issues) == (8, 8, (), [])
    areas = {area.code: area for area in load_areas(found.folder / "result.gpkg")}
    assert {code: area.name for code, area in areas.items()} == {f["编码"]: f["名称"] for f, _ in division()}
    assert [areas[f["编码"]].tier for f, _ in division()] == [1, 2, 3, 3, 4, 4, 4, 4]  # type: ignore[index]
    # No column says who is above whom: the codes do.
    assert areas["340601001002002"].parent == "340601001002"
    assert areas["340601"].parent is None
    assert areas["340601001001000"].geometry.equals(shapely.box(117.0, 34.0, 117.1, 34.2))
    assert {area.source_crs for area in areas.values()} == {"EPSG:4490"}
    assert dict(draft.tiers) == {"区": 1, "镇": 1, "村": 2, "网格": 4}
    assert len(found.preview) == 8
    if kind in ("csv", "xlsx"):
        assert draft.row_offset == 2


def test_a_zip_of_several_shapefiles_is_several_layers(tmp_path: Path) -> None:
    few, many = division()[:2], division()
    parts = shapefile_parts(shapefile(tmp_path / "one", few), "x/乡镇") | shapefile_parts(
        shapefile(tmp_path / "two", many), "x/网格"
    )
    path = zipped_on_chinese_windows(tmp_path / "a.zip", parts)
    draft = drafted(path, crs="EPSG:4490").draft
    assert [(layer.name, layer.rows) for layer in draft.layers] == [("乡镇", 2), ("网格", 8)]
    assert draft.layer == "网格"
    assert drafted(path, crs="EPSG:4490", layer="乡镇").draft.rows == 2
    with pytest.raises(Refused, match="no layer '道路'"):
        drafted(path, layer="道路")


def test_headers_that_a_shapefile_cut_and_columns_that_nobody_named(tmp_path: Path) -> None:
    shp = shapefile(tmp_path / "s", [({"F1": f["编码"], "F2": f["名称"]}, s) for f, s in division()])
    table = bytearray(shp.with_suffix(".dbf").read_bytes())
    table[32:42] = "行政区划代码".encode("gbk")[:10]
    shp.with_suffix(".dbf").write_bytes(table)
    draft = drafted(shp).draft
    assert [(column.name, column.field) for column in draft.columns] == [
        ("行政区划代", "code"),
        ("F2", "name"),
    ]
    assert draft.columns[1].sample == ("烈山区", "桥头镇", "桥西村")
    assert dict(draft.tiers) == {"区县": 1, "乡镇": 1, "村社": 2, "网格": 4}
    other = drafted(shp, mapping={"F2": "", "行政区划代": "name"}).draft
    assert [column.field for column in other.columns] == ["name", ""]
    assert other.needs == ("columns", "tiers")
    with pytest.raises(Refused, match="no field 'colour'"):
        drafted(shp, mapping={"F2": "colour"})


def test_a_file_without_any_header_we_know_asks_for_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n1,2\n", "utf-8")
    draft = drafted(path, "places").draft
    assert draft.needs == ("columns",)
    assert draft.taken == 0
