from __future__ import annotations

from pathlib import Path

import pytest

from gis import tables
from gis.errors import BadFile, CrsMismatch


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffname;phone\n王芳; 139 \n\n;\n李强\n".encode())
    assert tables.read_table(path) == [{"name": "王芳", "phone": "139"}, {"name": "李强", "phone": ""}]
    for content, match in (
        (b"", "must name"),
        (b"\0\0\0", "not a text file"),
        (b"\xff\xff\xff", "UTF-8 or GB 18030"),
        (b'a,b\n"' + b"x" * 200_000, "field larger"),
    ):
        path.write_bytes(content)
        with pytest.raises(BadFile, match=match):
            tables.read_table(path)
    with pytest.raises(BadFile):
        tables.read_table(tmp_path / "absent.csv")
    path.write_bytes("name\n王芳\n".encode("big5"))
    assert tables.read_table(path, encoding="big5") == [{"name": "王芳"}]


def test_points(tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    path.write_text(
        "name,国标编码,lon,lat\n甲,34020000001320000001,117.0,34.0\n乙,,,\n丙,,abc,34\n丁,,34,117\n戊,,0,0\n己,,nan,1\n",
        encoding="utf-8",
    )
    rows, errors = tables.point_rows(path)
    assert [(r.row, r.lon, r.lat) for r in rows] == [(1, 117.0, 34.0), (2, None, None)]
    assert rows[0].values["gb_id"] == "34020000001320000001"
    assert [error.row for error in errors] == [3, 4, 5, 6]
    moved, _ = tables.point_rows(path, crs="GCJ-02")
    assert moved[0].lon != 117.0
    with pytest.raises(CrsMismatch):
        tables.point_rows(path, crs="EPSG:nonsense")
    path.write_text("name,lon,lat\n", encoding="utf-8")
    assert tables.point_rows(path) == ([], [])


def test_column_guesses_and_lists() -> None:
    assert tables.canonical_columns(["Name", "名称", "LNG"]) == {"Name": "name", "名称": "名称", "LNG": "lon"}
    assert tables.split_list(["甲", " ", "乙"]) == ("甲", "乙")
    assert tables.split_list('["甲", "乙"]') == ("甲", "乙")
    assert tables.decode_text("路".encode("big5"), "big5") == "路"
