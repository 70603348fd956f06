"""`yiping import`: what happens where nobody looks between the check and the change."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import typer

from command.cli import bringing
from command.cli.bringing import import_
from gis.area_files import load_areas
from tests.fixtures import district_of, write_areas_file


@pytest.fixture
def data(data_folder: Path, district_folder: Path) -> Path:
    """A data folder whose district the test may change."""
    shutil.rmtree(district_of(data_folder), ignore_errors=True)
    shutil.copytree(district_folder, district_of(data_folder))
    return data_folder


def test_columns_are_kept_where_that_is_said(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    document["features"][9]["properties"] |= {"户籍人口": 120, "楼长": "13812345678", "身份证号": "-"}
    table = tmp_path / "网格.geojson"
    table.write_text(json.dumps(document), "utf-8")
    for what, said in (("places", {"keep_columns": True}), ("areas", {"keep_private": ["楼长"]})):
        with pytest.raises(typer.BadParameter, match="--keep-private"):
            import_(what, str(table), data=data, **said)
    import_("areas", str(table), keep_columns=True, keep_private=["楼长"], data=data)
    said = capsys.readouterr().out
    assert "另保留列：户籍人口，楼长" in said
    assert "--keep-private 列名）：身份证号" in said
    kept = [area.extras for area in load_areas(district_of(data) / "areas.gpkg") if area.extra]
    assert kept == [{"户籍人口": "120", "楼长": "13812345678"}]


def bring(data: Path, document: dict[str, Any], rows: str | None = None) -> None:
    table = data.parent / "网格.geojson"
    table.write_text(json.dumps(document), "utf-8")
    import_("areas", str(table), crs="EPSG:4326", rows=rows, repair="", mode="replace", data=data)


def test_a_doubtful_file_changes_nothing_until_somebody_says_which_rows(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "LOOK_S", 0.02)

    def count() -> int:
        return int(pyogrio.read_info(district_of(data) / "areas.gpkg")["features"])

    good = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    warned = copy.deepcopy(good)
    warned["features"][14]["properties"]["households"] = "很多"
    bad = copy.deepcopy(warned)
    bad["features"][15]["geometry"] = None
    with pytest.raises(ValueError, match=r"错误 1，警告 1.*--rows good 导入 14 行.*--rows warned .* 15 行"):
        bring(data, bad)
    with pytest.raises(ValueError, match="not all can be taken"):
        bring(data, bad, "all")
    assert count() == 16
    assert "第 16 行 错误" in capsys.readouterr().out
    bring(data, bad, "good")
    assert count() == 14
    bring(data, bad, "1-4,14-16")
    assert count() == 6
    bring(data, warned, "all")
    assert count() == 16
    with pytest.raises(typer.BadParameter, match="good, warned, all or numbers"):
        bring(data, good, "best")
