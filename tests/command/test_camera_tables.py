"""Lists in three forms come out as the same rows; what is none of them is refused, never a crash."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import camera_tables as module
from command.camera_tables import guess, read_table
from gis.errors import BadFile
from tests.command.workbook import workbook

HEADER = ("名称", "国标编号", "经度", "纬度", "备注")
ROWS = (
    ("渡口街北", "34060400001320000001", "116.815", "33.905", "x"),
    ("", "", "", "", ""),
    ("十里铺", "", "116.825", "33.905", ""),
)
EXPECTED = [
    (1, {"name": "渡口街北", "gb_id": "34060400001320000001", "lon": "116.815", "lat": "33.905"}),
    (3, {"name": "十里铺", "gb_id": "", "lon": "116.825", "lat": "33.905"}),
]
COLUMNS = {"名称": "name", "国标编号": "gb_id", "经度": "lon", "纬度": "lat"}


def rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    return [(row.number, dict(row.cells)) for row in read_table(content, "f").rows]


def csv(*lines: tuple[str, ...], separator: str = ",") -> str:
    return "\n".join(separator.join(line) for line in lines) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text(encoding: str, separator: str) -> None:
    content = csv(HEADER, *ROWS, separator=separator).encode(encoding)
    table = read_table(content, "f")
    assert [(row.number, dict(row.cells)) for row in table.rows] == EXPECTED
    assert table.columns == COLUMNS


def test_a_workbook() -> None:
    content = workbook([HEADER, *ROWS])
    assert rows(content) == EXPECTED
    assert read_table(content, "f").columns == COLUMNS


def test_a_title_above_the_header_is_skipped() -> None:
    assert rows(workbook([("某县摄像头台账",), (), HEADER, *ROWS])) == EXPECTED
    title = ("某县,2026", "", "", "", "")
    assert rows(csv(title, HEADER, *ROWS).encode()) == EXPECTED


def test_numbers_in_a_workbook_are_whole_or_called_lossy() -> None:
    content = workbook(
        [
            ("名称", "国标编号", "端口", "云台"),
            (12, 34060400001320000001, 8554.0, True),
            ("x", None, 0.5, False),
        ]
    )
    first, second = read_table(content, "f").rows
    assert (first.cells["name"], first.cells["port"], first.cells["ptz"]) == ("12", "8554", "1")
    assert first.lossy == {"gb_id"}
    assert (second.cells["gb_id"], second.cells["port"], second.cells["ptz"]) == ("", "0.5", "0")


def test_geojson() -> None:
    def feature(name: object, geometry: object) -> dict[str, object]:
        return {
            "type": "Feature",
            "properties": {"名称": name, "分组": ["a", "b"], "经度": 1},
            "geometry": geometry,
        }

    document = {
        "type": "FeatureCollection",
        "features": [
            feature("渡口街北", {"type": "Point", "coordinates": [116.815, 33.905, 3]}),
            feature(None, {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}),
            {"type": "Feature"},
            "rubbish",
        ],
    }
    table = read_table(json.dumps(document).encode(), "f")
    assert [row.number for row in table.rows] == [1, 2, 3, 4]
    assert dict(table.rows[0].cells) == {
        "name": "渡口街北",
        "tour_groups": "a、b",
        "lon": "116.815",
        "lat": "33.905",
    }
    assert all(row.cells["lon"] == "" for row in table.rows[1:])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n , ,\n",
        b"PK\x03\x04rubbish",
        b"PK",
        b"\xd0\xcf\x11\xe0old excel",
        b"a\0b,c\n",
        b"\xff\xfe\xfd\x81",
        b"{",
        b"{}",
        b'{"features": 3}',
        b'{"type": "Feature"}',
        b"{" + b'"a":{' * 50_000,
        b'name,"lon\n' + b"x" * 200_000,
        workbook([]),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(BadFile) as caught:
        read_table(content, "f")
    assert caught.value.reason


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNPACKED_BYTES", 1 << 20)
    with pytest.raises(BadFile, match="太大"):
        read_table(workbook([HEADER], more={"xl/media/zero": bytes(8 << 20)}), "f")
    monkeypatch.setattr(module, "MOST_PARTS", 20)
    with pytest.raises(BadFile, match="部件"):
        read_table(workbook([HEADER], more={f"x{n}": b"" for n in range(30)}), "f")


def test_too_many_rows_are_refused_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    for content in (csv(HEADER, *ROWS).encode(), workbook([HEADER, *ROWS])):
        with pytest.raises(BadFile, match="2 行"):
            read_table(content, "f")


def test_damaged_workbooks_never_crash() -> None:
    whole = workbook([HEADER, *ROWS])
    chance = random.Random(7)
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        cut = bytes(broken[: chance.randint(2, len(broken))])
        try:
            read_table(cut, "f")
        except BadFile:
            pass


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(text: str) -> None:
    try:
        table = read_table(text.encode("utf-8", "surrogatepass"), "f")
    except BadFile:
        return
    assert all(row.number > 0 for row in table.rows)


def test_headers_are_guessed_once_each() -> None:
    assert guess(["name", "名称", "点位名称"]) == {"name": "name"}
    assert guess(["IP 地址", "RTSP端口", "Longitude", "lat", ""]) == {
        "IP 地址": "host",
        "RTSP端口": "port",
        "Longitude": "lon",
        "lat": "lat",
    }
    assert guess(["方位角（度）", "安装高度(m)", "*名称"]) == {
        "方位角（度）": "azimuth",
        "安装高度(m)": "height_m",
        "*名称": "name",
    }


def test_an_address_is_what_its_cells_say() -> None:
    streets = csv(("名称", "地址"), ("a", "滨河路 3 号"), ("b", "10.0.0.5"))
    assert read_table(streets.encode(), "f").columns == {"名称": "name"}
    hosts = csv(("名称", "地址"), ("a", "10.0.0.4"), ("b", ""), ("c", "cam-3.lan"))
    assert read_table(hosts.encode(), "f").columns == {"名称": "name", "地址": "host"}
