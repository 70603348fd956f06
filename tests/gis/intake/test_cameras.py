"""Lists of cameras as offices keep them: every format and datum, what is lost, hostile or hidden in them."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.crs import gcj02_from_wgs84
from gis.intake import Reference, Refused, reading, sheets
from gis.intake.fields import SPECS, guess
from gis.intake.hiding import MASK
from gis.intake.placing import lonlat
from tests.gis.intake.files import Drafted, drafted, geojson, packed_zeros, raw_zip, workbook, zipped

GB = "34060400001320000001"
HERE = {"crs": "EPSG:4326"}
HEADER = ("名称", "国标编号", "经度", "纬度", "备注")
ROWS = (
    ("渡口街北", GB, "116.815", "33.905", "x"),
    ("", "", "", "", ""),
    ("十里铺", "", "116.825", "33.905", ""),
)
PASSWORD = "canary-9b20"


def cameras(path: Path, content: str | bytes, **choices: Any) -> Drafted:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return drafted(path, "cameras", **{**HERE, **choices})


def told(found: Drafted) -> list[tuple[int, str, str]]:
    return [(int(one["row"]), one["name"], one["issue"]) for one in found.issues]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_in_any_dress_below_a_title(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [("某县摄像头台账", "2026", "", "", ""), HEADER, *ROWS]
    content = "\n".join(separator.join(line) for line in lines) + "\n"
    found = cameras(tmp_path / "a", content.encode(encoding))
    assert [(row["row"], row["name"], row["gb_id"], row["lon"]) for row in found.table] == [
        ("1", "渡口街北", GB, "116.8150000"),
        ("3", "十里铺", "", "116.8250000"),
    ]
    assert {one.name: one.field for one in found.draft.columns}["备注"] == ""
    assert found.draft.row_offset == 2


def test_headers_are_guessed_once_each() -> None:
    spec = SPECS["cameras"]
    assert guess(["name", "名称", "点位名称"], spec) == {"name": "name", "名称": "", "点位名称": ""}
    names = ["IP 地址", "RTSP端口", "Longitude", "方位角（度）", "安装高度(m)", "*名称", ""]
    fields = ["host", "port", "lon", "azimuth", "height_m", "name", ""]
    assert guess(names, spec) == dict(zip(names, fields, strict=True))


def test_numbers_of_a_workbook_are_whole_or_refused_by_row_and_name(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [
            ["名称", "国标编号", "经度", "纬度", "端口", "平台编号"],
            [12, GB, 116.815, 33.905, 8554.0, ""],
            ["末位丢失", int(GB), 116.816, 33.905, 0.5, ""],
            ["平台丢失", "", 116.817, 33.905, "", int(GB)],
        ],
    )
    found = drafted(path, "cameras", **HERE)
    assert [(row["name"], row["gb_id"], row["port"]) for row in found.table] == [("12", GB, "8554")]
    assert told(found) == [(2, "末位丢失", "bad_value"), (3, "平台丢失", "bad_value")]
    assert "丢失末尾几位" in found.issues[0]["detail_zh"]


def test_numbers_of_a_map_file_lose_their_digits_too(tmp_path: Path) -> None:
    rows = [({"name": f"点{n}", "gb_id": int(GB) + n}, shapely.Point(116.8, 33.9)) for n in range(2)]
    found = drafted(geojson(tmp_path / "a", rows), "cameras", **HERE)
    assert told(found) == [(1, "点0", "bad_value"), (2, "点1", "bad_value")]
    assert found.draft.taken == 0


def test_map_files_give_points_and_nothing_is_invented(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[116.8, 33.9], [116.9, 33.9]]}
    rows = [
        ({"名称": "点", "分组": ["a", "b"], "经度": 1}, {"type": "Point", "coordinates": [116.8, 33.9, 3]}),
        ({"名称": "单点"}, shapely.MultiPoint([(116.81, 33.9)])),
        ({"名称": "两点"}, shapely.MultiPoint([(116.81, 33.9), (116.82, 33.9)])),
        ({"名称": "线"}, line),
        ({"名称": "无"}, None),
    ]
    found = drafted(geojson(tmp_path / "a", rows), "cameras", **HERE)
    assert [(row["name"], row["lon"], row["tour_groups"]) for row in found.table] == [
        ("点", "116.8000000", "a、b"),
        ("单点", "116.8100000", ""),
    ]
    assert told(found) == [
        (3, "两点", "wrong_type"),
        (4, "线", "wrong_type"),
        (5, "无", "no_geometry"),
    ]


def test_an_address_is_what_all_its_cells_say(tmp_path: Path) -> None:
    def field(header: str, *cells: str) -> str:
        lines = [f"{n}号,116.8,33.9,{cell}" for n, cell in enumerate(cells)]
        found = cameras(tmp_path / "a", "\n".join([f"名称,经度,纬度,{header}", *lines]))
        return found.draft.columns[3].field

    assert field("地址", "滨河路 3 号", "10.0.0.5") == ""
    assert field("地址", "10.0.0.4", "", "cam-3.lan") == "host"
    assert field("Address", "10.0.0.4") == "host"
    assert field("地址", *["10.0.0.4"] * 600, "滨河路 3 号") == ""


@pytest.mark.parametrize("crs", ["GCJ-02", "BD-09", "EPSG:4326+swapped"])
def test_places_in_the_datum_of_a_chinese_map(tmp_path: Path, crs: str) -> None:
    first, second = (33.905, 116.815) if crs.endswith("swapped") else (116.815, 33.905)
    found = cameras(tmp_path / "a", f"名称,经度,纬度\n一,{first},{second}\n", crs=crs)
    lon, lat = lonlat(crs, np.array([first]), np.array([second]))
    [row] = found.table
    assert (float(row["lon"]), float(row["lat"])) == pytest.approx((lon[0], lat[0]), abs=1e-7)
    moved = abs(float(row["lon"]) - 116.815)
    assert moved < 1e-6 if crs.endswith("swapped") else 0.003 < moved < 0.02


def test_axes_swapped_in_one_row_are_named(tmp_path: Path) -> None:
    found = cameras(
        tmp_path / "a", "名称,经度,纬度\n对,116.8,33.9\n反,33.9,116.8\n零,0,0\n字,nan,33.9\n缺,116.8,\n"
    )
    assert [row["name"] for row in found.table] == ["对"]
    assert told(found) == [
        (2, "反", "out_of_range"),
        (3, "零", "out_of_range"),
        (4, "字", "bad_value"),
        (5, "缺", "bad_value"),
    ]
    assert "颠倒" in found.issues[0]["detail_zh"]


def test_the_axes_of_a_file_are_guessed_where_roads_tell(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    lon, lat = np.repeat(117.0 + 0.004 * np.arange(10), 2), np.tile([34.0, 34.05], 10)
    roads = tmp_path / "roads-car.npz"
    np.savez(roads, lon=lon, lat=lat, start=np.arange(0, 21, 2))
    x = 117.0 + 0.004 * rng.integers(0, 10, 60) + rng.normal(0, 3e-5, 60)
    a, b = gcj02_from_wgs84(x, rng.uniform(34.0, 34.05, 60))
    reference = Reference(roads_file=roads, bounds=(117.0, 34.0, 117.04, 34.05))
    lines = [f"点{n},{p:.7f},{q:.7f}" for n, (p, q) in enumerate(zip(a, b, strict=True))]
    swapped = [f"点{n},{q:.7f},{p:.7f}" for n, (p, q) in enumerate(zip(a, b, strict=True))]
    for rows, crs in ((lines, "GCJ-02"), (swapped, "GCJ-02+swapped")):
        found = cameras(tmp_path / "a", "\n".join(["名称,经度,纬度", *rows]), crs=None, reference=reference)
        assert (found.draft.crs.used, found.draft.needs) == (crs, ())


def test_old_workbooks_and_bombs_are_refused(tmp_path: Path) -> None:
    def refusal(content: bytes) -> Refused:
        with pytest.raises(Refused) as caught:
            cameras(tmp_path / "a", content)
        return caught.value

    old = refusal(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert ".xlsx" in old.detail
    assert "另存为 .xlsx" in old.detail_zh
    plain = workbook(tmp_path / "b", [HEADER, *ROWS]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    packed = {name: (zlib.compress(part)[2:-4], zlib.crc32(part), len(part)) for name, part in parts.items()}
    zeros = packed_zeros(300)
    honest = raw_zip(tmp_path / "c", {**packed, "xl/media/zero": (zeros, 0, 300 << 20)})
    assert refusal(honest.read_bytes()).code == "zip_bomb"
    liar = raw_zip(tmp_path / "c", {**packed, "xl/media/zero": (zeros, 0, 1000)})
    assert refusal(liar.read_bytes()).code == "broken_archive"
    many = zipped(tmp_path / "c", {**parts, **{f"x{n}": b"" for n in range(2001)}})
    assert refusal(many.read_bytes()).code == "zip_bomb"


def test_too_many_rows_are_refused_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 1)
    text = "\n".join(",".join(line) for line in (HEADER, *ROWS))
    with pytest.raises(Refused, match="more than 1 rows"):
        cameras(tmp_path / "a", text)
    monkeypatch.setattr(sheets, "MOST_CELLS", 10)
    with pytest.raises(Refused, match="more than 500,000 rows"):
        cameras(tmp_path / "a", workbook(tmp_path / "b", [HEADER, *ROWS]).read_bytes())


def test_hostile_cells_are_only_cells(tmp_path: Path) -> None:
    names = (
        "<img src=x onerror=alert(1)>",
        "=cmd|'/c calc'!A1",
        "'; DROP TABLE cameras;--",
        "../../etc/passwd",
    )
    cells = [[name, 116.8, 33.9, ""] for name in (*names, "坏\x07", "反\u202e")]
    long = ["长", 116.8, 33.9, "x" * 200_000]
    path = tmp_path / "a"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [_feature(*c) for c in [*cells, long]]})
    )
    found = drafted(path, "cameras", **HERE)
    assert [row["name"] for row in found.table] == list(names)
    assert told(found) == [(5, "坏\x07", "bad_name"), (6, "反\u202e", "bad_name"), (7, "长", "bad_value")]


def _feature(name: str, lon: float, lat: float, path: str) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "properties": {"name": name, "path": path}, "geometry": place}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("t") / "a"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = drafted(path, "cameras", **HERE)
    except Refused:
        return
    assert all(int(row["row"]) > 0 for row in found.table)


def test_what_opens_a_camera_is_shown_nowhere(tmp_path: Path) -> None:
    """Not as a sample of its column, whatever that is taken for, nor of the text in each encoding."""
    header = "name,lon,lat,host,username,password,rtsp备用,备用密码"
    row = f"门,116.8,33.9,10.0.0.7,admin,{PASSWORD},rtsp://admin:{PASSWORD}@10.0.0.9/x,{PASSWORD}"
    for encoding in ("utf-8", "gb18030"):
        for mapping in (None, {"password": ""}, {"password": "station", "host": ""}):
            found = cameras(tmp_path / "a", f"{header}\n{row}\n".encode(encoding), mapping=mapping)
            assert PASSWORD.encode() not in (found.folder / "draft.json").read_bytes()
            samples = {one.name: one.sample for one in found.draft.columns}
            assert samples["name"] == ("门",)
            assert {samples[name] for name in header.split(",")[3:]} == {(MASK,)}
            assert all(one.sample and one.sample.isprintable() for one in found.draft.encoding.candidates)
    first = f"name,lon,lat,password\n门,116.8,33.9,{PASSWORD}\n"
    found = cameras(tmp_path / "a", first.encode("gb18030"))
    assert {one.name: one.sample for one in found.draft.encoding.candidates}["gb18030"] == "门"
