"""Columns that mean nothing here, kept where somebody says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gis.area_files import load_areas
from gis.intake.keeping import MOST_BYTES, MOST_COLUMNS, chosen, plain_name, private
from gis.intake.model import Reference
from tests.gis.intake.files import division, drafted, geojson

HERE = "EPSG:4326"


def extras(folder: Path) -> dict[str, dict[str, str]]:
    return {area.code: area.extras for area in load_areas(folder / "result.gpkg")}


def rows_with(**values: Any) -> list[Any]:
    rows = division()
    for number, (properties, _) in enumerate(rows):
        properties.update(
            {name: value(number) if callable(value) else value for name, value in values.items()}
        )
    return rows


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("备注", "13812345678", True),
        ("备注", "找老王 138-1234-5678 问", True),
        ("备注", "+86 138 1234 5678", True),
        ("备注", "138.1234.5678", True),
        ("备注", "１３８１２３４５６７８", True),
        ("备注", "0551-62345678", True),
        ("备注", "34060419900101123X", True),
        ("备注", "340604900101123", True),
        ("联系电话", "", True),
        ("ID_Card", "", True),
        ("户籍人口", "1204", False),
        ("面积", "138123456.78", False),
        ("经度", "117.13812345678", False),
        ("国标编码", "34060400001320000001", False),
        ("编码", "340604001001", False),
        ("hotel", "3", False),
    ],
)
def test_what_looks_like_a_telephone_or_an_identity_card(name: str, value: str, found: bool) -> None:
    assert private(name, [value]) is found


def test_nothing_is_kept_unless_somebody_says_so(tmp_path: Path) -> None:
    found = drafted(geojson(tmp_path / "a.geojson", rows_with(户籍人口=120)), crs=HERE)
    assert set(map(len, extras(found.folder).values())) == {0}
    assert not any(column.kept or column.private for column in found.draft.columns)


def test_what_is_kept_stands_with_the_area_and_private_columns_need_a_word_of_their_own(
    tmp_path: Path,
) -> None:
    rows = rows_with(
        户籍人口=lambda n: 100 + n,
        楼长=lambda n: "13812345678" if n == 3 else "",
        备注=lambda n: "" if n else "旧区",
    )
    codes = [properties["编码"] for properties, _ in rows]
    path = geojson(tmp_path / "a.geojson", rows)
    found = drafted(path, crs=HERE, keep_columns=True)
    assert {c.name for c in found.draft.columns if c.kept} == {"户籍人口", "备注"}
    assert {c.name for c in found.draft.columns if c.private} == {"楼长"}
    kept = extras(found.folder)
    assert kept[codes[0]] == {"户籍人口": "100", "备注": "旧区"}
    assert kept[codes[3]] == {"户籍人口": "103"}
    assert b"13812345678" not in (found.folder / "result.gpkg").read_bytes()
    also = drafted(path, crs=HERE, keep_columns=True, keep_private=("楼长",))
    assert extras(also.folder)[codes[3]] == {"户籍人口": "103", "楼长": "13812345678"}


def test_there_is_a_limit_to_columns_and_to_a_row(tmp_path: Path) -> None:
    many = {f"列{n}": "1" for n in range(MOST_COLUMNS + 3)}
    found = drafted(geojson(tmp_path / "a.geojson", rows_with(**many)), crs=HERE, keep_columns=True)
    assert {len(kept) for kept in extras(found.folder).values()} == {MOST_COLUMNS}
    assert "列52" in found.draft.notes[-1].zh
    rows = rows_with(备注=lambda n: "字" * (MOST_BYTES // 3) if n == 2 else "短")
    code = rows[2][0]["编码"]
    found = drafted(geojson(tmp_path / "b.geojson", rows), crs=HERE, keep_columns=True, rows="warned")
    assert found.told("bad_value") == [(3, "warning")]
    kept = extras(found.folder)
    assert kept[code] == {}
    assert len(kept) == len(rows)


def test_a_merge_leaves_what_the_others_have(tmp_path: Path) -> None:
    rows = rows_with(户籍人口=120)
    first = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, keep_columns=True)
    in_force = Reference(areas_file=first.folder / "result.gpkg", current_file=first.folder / "result.gpkg")
    properties, geometry = rows[-1]
    changed = [({**properties, "户籍人口": 121, "商户": 7}, geometry)]
    found = drafted(
        geojson(tmp_path / "b.geojson", changed),
        reference=in_force,
        crs=HERE,
        mode="merge",
        keep_columns=True,
        rows="warned",
    )
    kept = extras(found.folder)
    assert kept.pop(properties["编码"]) == {"户籍人口": "121", "商户": "7"}
    assert {json.dumps(one, ensure_ascii=False) for one in kept.values()} == {'{"户籍人口": "120"}'}


def test_names_are_plain_and_count_once() -> None:
    assert plain_name("a\x00b\u200b\tc" + "长" * 100) == "a b c" + "长" * 55
    assert chosen(["a", "b", "c"], {"a": "name"}, frozenset({"c"}), ("c",)) == (("b", "c"), ())
    assert chosen(["a", "b"], {}, frozenset(), (), [f"列{n}" for n in range(49)]) == (("a",), ("b",))
    assert chosen(["a", "列1"], {}, frozenset(), (), [f"列{n}" for n in range(50)]) == (("列1",), ("a",))
