from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from gis import files, ogr_worker, sandbox, tables
from gis.areas import Area, AreaIndex
from gis.crs import gcj02_from_wgs84
from gis.errors import BadFile, CrsMismatch

SQUARE = [[[117.0, 34.0], [117.1, 34.0], [117.1, 34.1], [117.0, 34.1], [117.0, 34.0]]]
BOW_TIE = [[[117.0, 34.0], [117.1, 34.1], [117.1, 34.0], [117.0, 34.1], [117.0, 34.0]]]
FLAT = [[[117.0, 34.0], [117.1, 34.0], [117.0, 34.0], [117.0, 34.0]]]


def polygon(rings: Any = SQUARE) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": rings}


def write_geojson(path: Path, rows: list[tuple[dict[str, Any], Any]], **more: Any) -> Path:
    features = [{"type": "Feature", "properties": fields, "geometry": shape} for fields, shape in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), encoding="utf-8")
    return path


def sample() -> list[Area]:
    west, east = shapely.box(117.0, 34.0, 117.1, 34.1), shapely.box(117.2, 34.0, 117.3, 34.1)
    return [
        Area("34", "烈山区", 1, None, "区", shapely.MultiPolygon([west, east]), "甲"),
        Area("3401", "桥头社区", 3, "34", "社区", west, None, ("乙", "丙"), "B1", 812),
        Area("340101", "第一网格", 4, "3401", "网格", west),
    ]


@pytest.mark.parametrize("name", ["areas.gpkg", "areas.geojson"])
def test_areas_survive_a_round_trip(tmp_path: Path, name: str) -> None:
    files.write_areas(tmp_path / name, AreaIndex(sample()))
    areas, errors = files.read_areas(tmp_path / name)
    assert errors == []
    for before, after in zip(sample(), areas, strict=True):
        assert after.geometry.equals(before.geometry)
        for field in ("code", "name", "tier", "parent", "label", "chief", "workers", "beat", "households"):
            assert getattr(after, field) == getattr(before, field), field
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_chinese_columns_and_declared_gcj02(tmp_path: Path) -> None:
    moved = [[list(map(float, gcj02_from_wgs84(*p))) for p in SQUARE[0]]]
    row = {
        "网格编码": 340101.0,
        "网格名称": " 一格 ",
        "层级": "网格",
        "上级编码": None,
        "网格员": "王芳、李强",
        "户数": 30,
    }
    path = write_geojson(tmp_path / "a.geojson", [(row, polygon(moved))])
    areas, errors = files.read_areas(path, crs="GCJ-02")
    assert errors == []
    area = areas[0]
    assert (area.code, area.name, area.tier, area.label) == ("340101", "一格", 4, "网格")
    assert (area.workers, area.households) == (("王芳", "李强"), 30)
    assert area.geometry.symmetric_difference(shapely.Polygon(SQUARE[0])).area < 1e-12


def test_every_bad_row_is_reported_by_number(tmp_path: Path) -> None:
    good = {"code": "1", "name": "甲", "tier": 4, "parent": "9", "households": None}
    rows = [
        (good, polygon()),
        ({**good, "code": "2"}, None),
        ({**good, "code": "3"}, {"type": "Point", "coordinates": [117.0, 34.0]}),
        ({**good, "code": "1"}, polygon()),
        ({**good, "code": "5"}, polygon([[[34.0, 117.0], [34.1, 117.0], [34.1, 117.1], [34.0, 117.0]]])),
        ({**good, "code": "6"}, polygon(BOW_TIE)),
        ({**good, "code": "7", "tier": 7}, polygon()),
        ({**good, "code": "8", "name": " "}, polygon()),
        ({**good, "code": "9", "households": "很多"}, polygon()),
        ({**good, "code": None}, polygon()),
        ({**good, "code": "11"}, polygon(FLAT)),
        ({**good, "code": "12", "tier": None}, polygon()),
    ]
    areas, errors = files.read_areas(write_geojson(tmp_path / "bad.geojson", rows))
    assert [area.code for area in areas] == ["1", "6"]
    assert all(area.geometry.is_valid for area in areas)
    reasons = {(error.row, error.dropped): error.reason for error in errors}
    assert {row for row, dropped in reasons if dropped} == {2, 3, 4, 5, 7, 8, 9, 10, 11, 12}
    assert {row for row, dropped in reasons if not dropped} == {1, 6}
    assert "没有图形" in reasons[2, True]
    assert "需要面" in reasons[3, True]
    assert "重复" in reasons[4, True]
    assert "颠倒" in reasons[5, True]
    assert "层级" in reasons[7, True]
    assert "户数" in reasons[9, True]


def test_files_that_are_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no column for tier"):
        files.read_areas(write_geojson(tmp_path / "a.geojson", [({"code": "1", "name": "x"}, polygon())]))
    with pytest.raises(BadFile, match="holds no rows"):
        files.read_areas(write_geojson(tmp_path / "b.geojson", []))
    with pytest.raises(BadFile):
        files.read_areas(tmp_path / "absent.geojson")
    (tmp_path / "c.geojson").write_text('{"type":"FeatureCollection","features":[{"ty', encoding="utf-8")
    with pytest.raises(BadFile, match=r"c\.geojson"):
        files.read_areas(tmp_path / "c.geojson")
    with pytest.raises(CrsMismatch):
        files.read_areas(
            write_geojson(tmp_path / "d.geojson", [({"code": "1", "name": "x", "tier": 1}, polygon())]),
            crs="EPSG:nonsense",
        )
    with pytest.raises(BadFile, match="written as"):
        files.write_areas(tmp_path / "a.kml", [])


def test_a_vrt_in_disguise_reads_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("code,name,tier\n1,geheim,4\n", encoding="utf-8")
    layer = f'<OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>'
    trick = tmp_path / "areas.geojson"
    trick.write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>", encoding="utf-8")
    with pytest.raises(BadFile, match="neither GeoJSON"):
        files.read_areas(trick)
    # Past the look at the first bytes, the driver that would follow the reference is off as well.
    with pytest.raises(BadFile):
        sandbox._run(trick, trick, "", "")


def test_the_reader_is_limited_in_time_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_geojson(tmp_path / "a.geojson", [({"code": "1"}, polygon())])
    monkeypatch.setattr(sandbox, "MAX_BYTES", 10)
    with pytest.raises(BadFile, match="larger than"):
        sandbox.read_layer(path)
    monkeypatch.setattr(sandbox, "MAX_BYTES", 10**6)
    monkeypatch.setattr(sandbox, "TIMEOUT_S", 0.001)
    with pytest.raises(BadFile, match="not read within"):
        sandbox.read_layer(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_the_reader_is_nobody() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(ogr_worker.__file__).parent)!r}); import ogr_worker, os; "
    )
    script += "ogr_worker.drop_privileges(); print(os.geteuid(), os.getgroups())"
    done = subprocess.run(["python3", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["65534", "[]"]


def test_plain_values() -> None:
    values = [
        None,
        "x",
        1,
        1.5,
        float("nan"),
        True,
        np.int64(3),
        np.array(["a", "b"]),
        np.datetime64("2026-01-02"),
    ]
    assert [ogr_worker.plain(v) for v in values] == [
        None,
        "x",
        1,
        1.5,
        None,
        True,
        3,
        ["a", "b"],
        "2026-01-02",
    ]


def test_named_layers_and_missing_ones(tmp_path: Path) -> None:
    files.write_areas(tmp_path / "a.gpkg", sample())
    assert len(sandbox.read_layer(tmp_path / "a.gpkg", layer="areas").rows) == 3
    with pytest.raises(BadFile, match="no layer 'roads'"):
        sandbox.read_layer(tmp_path / "a.gpkg", layer="roads")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_shapefile_without_declared_encoding_or_crs(tmp_path: Path, encoding: str) -> None:
    import pyogrio

    pyogrio.raw.write(
        str(tmp_path / "a.shp"),
        geometry=np.array([shapely.to_wkb(shapely.box(117.0, 34.0, 117.1, 34.1))], dtype=object),
        field_data=[np.array(["1"], object), np.array(["桥头村"], object), np.array([3])],
        fields=["code", "name", "tier"],
        driver="ESRI Shapefile",
        geometry_type="Polygon",
        crs="EPSG:4326",
        encoding=encoding,
    )
    (tmp_path / "a.cpg").unlink()
    areas, _ = files.read_areas(tmp_path / "a.shp")
    assert areas[0].name == "桥头村"
    (tmp_path / "a.prj").unlink()
    with pytest.raises(CrsMismatch, match="declares no"):
        files.read_areas(tmp_path / "a.shp")
    assert files.read_areas(tmp_path / "a.shp", crs="EPSG:4490")[0][0].code == "1"


def test_beats(tmp_path: Path) -> None:
    rows = [
        ({"code": "B1", "name": "一警格", "station": "桥头派出所", "grids": "G1,G2"}, polygon()),
        ({"code": "B1", "name": "二警格", "station": None, "grids": None}, polygon()),
        ({"code": "B3", "name": "三警格", "station": None, "grids": None}, None),
    ]
    beats, errors = files.read_beats(write_geojson(tmp_path / "b.geojson", rows))
    assert [(b.code, b.station, b.grids) for b in beats] == [("B1", "桥头派出所", ("G1", "G2"))]
    assert [error.row for error in errors] == [2, 3]


def test_places_from_csv_and_from_shapes(tmp_path: Path) -> None:
    table = tmp_path / "places.csv"
    table.write_bytes(
        "名称,分类,地址,经度,纬度\n桥头小学,学校,桥头路1号,117.0,34.0\n,学校,,117.0,34.0\n无名,,,,\n".encode(
            "gb18030"
        )
    )
    places, errors = files.read_places(table)
    assert [(p.name, p.kind, p.address) for p in places] == [("桥头小学", "学校", "桥头路1号")]
    assert [(error.row, error.reason) for error in errors] == [(2, "没有名称"), (3, "没有经纬度")]
    shapes = [({"name": "公园"}, polygon()), ({"name": "树"}, None), ({"name": None}, polygon())]
    places, errors = files.read_places(write_geojson(tmp_path / "p.geojson", shapes))
    assert shapely.box(117.0, 34.0, 117.1, 34.1).contains(shapely.Point(places[0].lon, places[0].lat))
    assert [error.row for error in errors] == [2, 3]


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffname;phone\n王芳; 139 \n\n;\n李强\n".encode())
    assert files.read_table(path) == [{"name": "王芳", "phone": "139"}, {"name": "李强", "phone": ""}]
    for content, match in (
        (b"", "must name"),
        (b"\0\0\0", "not a text file"),
        (b"\xff\xff\xff", "UTF-8 or GB 18030"),
        (b'a,b\n"' + b"x" * 200_000, "field larger"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadFile, match=match):
            files.read_table(path)
    with pytest.raises(BadFile):
        files.read_table(tmp_path / "absent.csv")
    path.write_bytes("name\n王芳\n".encode("big5"))
    assert files.read_table(path, encoding="big5") == [{"name": "王芳"}]


def test_points(tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    path.write_text(
        "name,国标编码,lon,lat\n甲,34020000001320000001,117.0,34.0\n乙,,,\n丙,,abc,34\n丁,,34,117\n戊,,0,0\n己,,nan,1\n",
        encoding="utf-8",
    )
    rows, errors = files.point_rows(path)
    assert [(r.row, r.lon, r.lat) for r in rows] == [(1, 117.0, 34.0), (2, None, None)]
    assert rows[0].values["gb_id"] == "34020000001320000001"
    assert [error.row for error in errors] == [3, 4, 5, 6]
    moved, _ = files.point_rows(path, crs="GCJ-02")
    assert moved[0].lon != 117.0
    with pytest.raises(CrsMismatch):
        files.point_rows(path, crs="EPSG:nonsense")
    path.write_text("name,lon,lat\n", encoding="utf-8")
    assert files.point_rows(path) == ([], [])


def test_column_guesses_and_lists() -> None:
    assert tables.canonical_columns(["Name", "名称", "LNG"]) == {"Name": "name", "名称": "名称", "LNG": "lon"}
    assert tables.split_list(["甲", " ", "乙"]) == ("甲", "乙")
    assert tables.split_list('["甲", "乙"]') == ("甲", "乙")
    assert tables.decode_text("路".encode("big5"), "big5") == "路"
