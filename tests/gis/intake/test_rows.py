"""Every row of a bad file is either in the result or named, with what is wrong with it."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.area_files import load_areas
from gis.intake import Refused
from tests.gis.intake.files import (
    COUNTY,
    division,
    drafted,
    geojson,
    kml,
    placemark,
    shapefile,
    shapefile_parts,
    zipped,
)

HERE = "EPSG:4326"
BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[117.0, 34.0], [117.1, 34.1], [117.1, 34.0], [117.0, 34.1], [117.0, 34.0]]],
}


def grid(code: str, shape: Any, **more: object) -> tuple[dict[str, object], Any]:
    return {"编码": code, "名称": f"{code}格", "层级": "网格", "上级": "340601001001", **more}, shape


def square(n: int, size: float = 0.01) -> Any:
    return shapely.box(117.0 + 0.02 * n, 34.0, 117.0 + 0.02 * n + size, 34.0 + size)


def test_every_kind_of_bad_row(tmp_path: Path) -> None:
    circle = shapely.Point(117.3, 34.1).buffer(0.005, quad_segs=5001)
    rows = [
        *division()[:3],
        grid("g4", square(0)),
        grid("g5", None),
        grid(
            "g6",
            {
                "type": "Polygon",
                "coordinates": [[[117.0, 34.0], [math.nan, 34.0], [117.0, 34.1], [117.0, 34.0]]],
            },
        ),
        grid("g7", shapely.box(217.0, 34.0, 217.1, 34.1)),
        grid("g8", shapely.Point(117.0, 34.0)),
        grid("g9", BOW_TIE),
        grid("g10", circle, 上级="340601001"),
        grid("g4", square(1)),
        grid("g12", square(0)),
        grid("", square(2)),
        grid("g14", square(3), 上级="999"),
        grid("g15", square(4), 层级="星系"),
        grid("g16", square(5), 户数="很多", 启用日期="2025年13月1日"),
        grid("g17", square(6), 启用日期="2025-07-01", 停用日期="2024-07-01"),
        grid("x" * 60, square(7)),
        grid(
            "g19",
            {
                "type": "GeometryCollection",
                "geometries": [
                    shapely.geometry.mapping(square(8)),
                    {"type": "Point", "coordinates": [117, 34]},
                ],
            },
        ),
        grid("g20", shapely.Polygon([(117.0, 34.1), (117.1, 34.1), (117.0, 34.1)])),
        grid("g21", square(9), 上级="340601001001", 名称="a\u0007b"),
    ]
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, tier_labels={"网格": 4})
    expected = {
        "no_geometry": (5, "error"),
        "not_finite": (6, "error"),
        "out_of_range": (7, "error"),
        "self_intersection": (9, "error"),
        "too_many_vertices": (10, "note"),
        "duplicate_code": (11, "error"),
        "duplicate_geometry": (12, "warning"),
        "missing_field": (13, "error"),
        "orphan": (14, "warning"),
    }
    for code, issue in expected.items():
        assert issue in found.told(code), code
    assert found.told("wrong_type") == [(8, "error"), (19, "warning"), (20, "error")]
    assert found.told("bad_value") == [(15, "error"), (16, "warning"), (16, "warning"), (17, "error")]
    assert found.told("bad_name") == [(18, "error"), (21, "error")]
    assert found.draft.needs == ("tiers",)
    # Nothing vanishes: a row is in the result or has an issue that says why not.
    everything = drafted(geojson(tmp_path / "b.geojson", rows), crs=HERE, rows="warned")
    taken = {area.code for area in load_areas(everything.folder / "result.gpkg")}
    blamed = {
        row
        for code in {i["issue"] for i in found.issues}
        for row, worst in found.told(code)
        if worst == "error"
    }
    assert len(taken) == everything.draft.taken == len(rows) - len(blamed)
    assert everything.draft.rows_by_worst["error"] == len(blamed)
    assert {"g12", "g14", "g19"} <= taken
    assert {"g12", "g14", "g19"}.isdisjoint(area.code for area in load_areas(found.folder / "result.gpkg")), (
        "rows with warnings are taken only if asked for"
    )
    some = drafted(geojson(tmp_path / "c.geojson", rows), crs=HERE, rows=(1, 4, (9, 12)))
    assert {area.code for area in load_areas(some.folder / "result.gpkg")} == {
        "340601",
        "g4",
        "g10",
        "g12",
    }
    assert {"g9", "g20"} <= {one["properties"].get("code") for one in found.preview}
    bow_tie = next(issue for issue in found.issues if issue["issue"] == "self_intersection")
    assert (float(bow_tie["lon"]), float(bow_tie["lat"])) == pytest.approx((117.05, 34.05))


def test_a_repair_happens_only_when_asked_for_and_keeps_the_shape_as_it_was(tmp_path: Path) -> None:
    path = geojson(
        tmp_path / "a.geojson", [*division()[:3], grid("340601001001009", BOW_TIE, 上级="340601001001")]
    )
    assert drafted(path, crs=HERE).draft.taken == 3
    found = drafted(path, crs=HERE, repair={"make_valid"})
    assert (found.draft.taken, found.draft.repaired) == (4, 1)
    assert found.told("self_intersection") == [(4, "note")]
    mended = load_areas(found.folder / "result.gpkg")[3].geometry
    assert mended.is_valid
    assert mended.area == pytest.approx(0.005)
    import pyogrio

    meta, _, shapes, columns = pyogrio.raw.read(found.folder / "original.gpkg")
    assert list(meta["fields"]) == ["row", "code", "name"]
    assert columns[0].tolist() == [4]
    assert not shapely.is_valid(shapely.from_wkb(shapes))[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=4, max_size=12))
def test_a_mended_shape_is_sound_and_has_no_ground_of_its_own(corners: list[tuple[float, float]]) -> None:
    from gis.intake.polygons import areal

    ring = shapely.Polygon(corners)
    whole = areal(shapely.make_valid(ring, method="structure"))
    if whole is not None:
        assert whole.is_valid
        assert whole.area <= ring.convex_hull.area * (1 + 1e-9) + 1e-12


def test_days_kinds_and_counts_as_offices_write_them(tmp_path: Path) -> None:
    blank = {
        "网格类别": None,
        "启用日期": None,
        "停用日期": None,
        "岗位数": None,
        "户数": None,
        "网格员": None,
    }
    cells: list[dict[str, object]] = [
        {
            "网格类别": "专属网格",
            "启用日期": "2025年7月1日",
            "停用日期": "2030/1/5",
            "岗位数": "2",
            "户数": 812.0,
        },
        {
            "网格类别": "水泥路",
            "启用日期": "20250701",
            "停用日期": "2030-01-05T00:00:00",
            "网格员": "王芳，李强 赵六",
        },
        {"启用日期": "明年"},
        {"启用日期": "2025-02-30"},
        {"岗位数": "两个"},
        {"户数": "-3"},
    ]
    rows = [*division()[:3], *(grid(f"g{n}", square(n), **{**blank, **more}) for n, more in enumerate(cells))]
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, rows="all")
    first, second, *others = load_areas(found.folder / "result.gpkg")[3:]
    day, end = date(2025, 7, 1), date(2030, 1, 5)
    assert (first.kind, first.posts, first.households, first.valid_from, first.valid_to) == (
        "dedicated",
        2,
        812,
        day,
        end,
    )
    assert (second.kind, second.posts, second.valid_from, second.valid_to) == ("general", 1, day, end)
    assert second.workers == ("王芳", "李强", "赵六")
    assert found.told("bad_value") == [(6, "warning"), (7, "warning"), (8, "warning"), (9, "warning")]
    assert [(one.posts, one.households, one.valid_from) for one in others] == [(1, None, None)] * 4


# -- files that end before their end ----------------------------------------------------------------------


def test_a_truncated_shapefile_says_so_and_names_the_rows(tmp_path: Path) -> None:
    parts = shapefile_parts(shapefile(tmp_path / "s", division()), "a")
    short = zipped(tmp_path / "a.zip", parts | {"a.shp": parts["a.shp"][:600]})
    found = drafted(short)
    lost = [row for row, _ in found.told("truncated_file")]
    assert lost[0] == 0
    assert lost[1:] == list(range(lost[1], 9))
    assert found.draft.taken == 8 - len(lost[1:]) > 0
    assert "bytes" in found.issues[0]["detail_en"]
    # The table is short instead; and the index is missing too.
    table = drafted(zipped(tmp_path / "b.zip", parts | {"a.dbf": parts["a.dbf"][:-300]}))
    assert {row for row, _ in table.told("truncated_file")} == {0, 7, 8}
    bare = {name: content for name, content in parts.items() if name != "a.shx"}
    without = drafted(zipped(tmp_path / "c.zip", bare | {"a.shp": parts["a.shp"][:600]}))
    assert [row for row, _ in without.told("truncated_file")] == lost
    # Shapes fewer than rows, though each file is whole in itself.
    fewer = shapefile_parts(shapefile(tmp_path / "t", division()[:5]), "a")
    mixed = drafted(zipped(tmp_path / "d.zip", parts | {k: fewer[k] for k in ("a.shp", "a.shx")}))
    assert {row for row, _ in mixed.told("truncated_file")} == {0, 6, 7, 8}
    assert mixed.draft.rows == 8


@pytest.mark.parametrize("share", [0.4, 0.6, 0.97])
def test_geojson_and_kml_cut_in_half_keep_their_whole_rows(tmp_path: Path, share: float) -> None:
    path = geojson(tmp_path / "a.geojson", division())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    found = drafted(path, crs=HERE)
    assert 0 < found.draft.rows < 8
    assert found.told("truncated_file") == [(0, "error")]
    assert f"feature {found.draft.rows + 1}" in found.issues[0]["detail_en"]
    marks = "".join(placemark(str(f["名称"]), s, 编码=str(f["编码"])) for f, s in division())
    text = kml(marks).encode()
    other = tmp_path / "a.kml"
    other.write_bytes(text[: int(len(text) * share)])
    told = drafted(other, crs=HERE)
    assert 0 < told.draft.rows < 8
    assert told.told("truncated_file") == [(0, "error")]


def test_a_geopackage_cut_in_half_is_refused(tmp_path: Path) -> None:
    from tests.gis.intake.files import by_library

    path = by_library(tmp_path / "a.gpkg", division() * 200, "GPKG")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused):
        drafted(path)


# -- text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_table_without_declared_encoding(tmp_path: Path, encoding: str) -> None:
    shp = shapefile(tmp_path / "s", division(), encoding=encoding)
    draft = drafted(shp).draft
    assert (draft.encoding.used, draft.encoding.guessed) == (encoding, True)
    assert draft.taken == 8
    # A declaration that is wrong does not count, and a person's word does.
    shp.with_suffix(".cpg").write_text("UTF-8" if encoding == "gb18030" else "GBK")
    assert drafted(shp).draft.encoding.used == encoding
    shp.with_suffix(".cpg").write_text("<script>")
    assert drafted(shp).draft.encoding.used == encoding
    with pytest.raises(Refused, match="unknown encoding"):
        drafted(shp, encoding="klingon")


def test_text_that_was_read_wrongly_before_it_came_here(tmp_path: Path) -> None:
    for n, (read_in, really) in enumerate(
        (("latin-1", "gb18030"), ("latin-1", "utf-8"), ("gb18030", "utf-8"))
    ):
        rows = []
        for fields, shape in division():
            name = str(fields["名称"]).encode(really).decode(read_in, "replace")
            rows.append(({"code": fields["编码"], "name": name}, shape))
        path = geojson(tmp_path / f"{n}.geojson", rows)
        found = drafted(path, crs=HERE)
        assert "encoding" in found.draft.needs
        # What was lost on the way stays lost; but rows that were not are told apart.
        assert len(found.told("mojibake")) >= 6
        wanted = f"{read_in}>{really}"
        assert (
            any(c.name == wanted and "烈山区" in c.sample for c in found.draft.encoding.candidates) or n == 2
        )
        again = drafted(path, crs=HERE, encoding=wanted, rows="all")
        assert "encoding" not in again.draft.needs
        areas = {area.code: area.name for area in load_areas(again.folder / "result.gpkg")}
        assert areas["340601001"] == ("桥头镇" if n < 2 else "桥头\ufffd")


def test_text_that_is_what_it_should_be_is_not_called_garbled(tmp_path: Path) -> None:
    rows = [
        ({**f, "名称": name}, s)
        for (f, s), name in zip(
            division(), ("㙍王村", "𠮷野家", "Straße", "café", "龘镇", "乡", "漢字", "ß"), strict=True
        )
    ]
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE)
    assert found.told("mojibake") == []


def test_a_field_too_narrow_for_its_last_character(tmp_path: Path) -> None:
    shp = shapefile(tmp_path / "s", division(), encoding="gb18030")
    table = bytearray(shp.with_suffix(".dbf").read_bytes())
    header = int.from_bytes(table[8:10], "little")
    first = table.index("烈山区".encode("gb18030"), header)
    width = table[32 + 32 + 16]
    table[first : first + width] = ("a" + "桥" * width).encode("gb18030")[:width]
    shp.with_suffix(".dbf").write_bytes(table)
    assert width % 2 == 0, "the last character is cut in two"
    found = drafted(shp)
    assert found.told("mojibake") == []
    assert load_areas(found.folder / "result.gpkg")[0].name == "a" + "桥" * (width // 2 - 1)


# -- the tree ---------------------------------------------------------------------------------------------


def test_codes_that_do_not_match_their_parents(tmp_path: Path) -> None:
    rows = [({**f, "上级": str(f["编码"])[:-3] if n else ""}, s) for n, (f, s) in enumerate(division())]
    rows[7][0]["编码"] = "340601001009003"
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE)
    assert found.told("code_parent_mismatch") == [(8, "warning")]
    for n, (fields, _) in enumerate(rows):
        fields["编码"] = f"{n + 1:06d}"
        fields["上级"] = (
            "" if n == 0 else "000001" if n == 1 else "000002" if n < 4 else "000003" if n < 6 else "000004"
        )
    # Where no code begins with its parent's, that is how codes are made there.
    assert {
        worst
        for _, worst in drafted(geojson(tmp_path / "b.geojson", rows), crs=HERE).told("code_parent_mismatch")
    } == {"note"}


def test_parents_by_name_by_code_and_by_place(tmp_path: Path) -> None:
    names = {"340601001": "烈山区", "340601001001": "桥头镇", "340601001002": "桥头镇"}
    rows = [({**f, "所属乡镇": names.get(str(f["编码"]), "")}, s) for f, s in division()]
    for n in range(4, 8):
        rows[n][0]["编码"] = f"G{n}"  # no code says where these belong
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, mapping={"所属乡镇": "parent"})
    parents = {area.code: area.parent for area in load_areas(found.folder / "result.gpkg")}
    assert parents["340601001"] == "340601"
    assert (parents["G4"], parents["G7"]) == ("340601001001", "340601001002")
    assert found.told("orphan") == []


@pytest.mark.parametrize(
    ("labels", "tiers"),
    [
        (("区", "街道", "社区", "网格"), (1, 2, 3, 4)),
        (("镇", "片区", "村", "组"), (1, 2, 3, 4)),
        (("县", "镇", "村", "村民小组"), (1, 2, 3, 4)),
        (("1", "2", "3", "4"), (1, 2, 3, 4)),
    ],
)
def test_tiers_by_their_words(tmp_path: Path, labels: tuple[str, ...], tiers: tuple[int, ...]) -> None:
    word = dict(zip(("区", "镇", "村", "网格"), labels, strict=True))
    rows = [({**f, "层级": word[str(f["层级"])]}, s) for f, s in division()]
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE)
    areas = load_areas(found.folder / "result.gpkg")
    assert sorted({area.tier for area in areas}) == list(tiers)
    if not labels[0].isdigit():
        assert dict(found.draft.tier_labels) == dict(zip(labels, tiers, strict=True))
        assert {area.label for area in areas} == set(labels)


def test_words_of_a_branch_and_rows_that_nothing_tells(tmp_path: Path) -> None:
    rows = [({**f, "层级": "微治理单元" if f["层级"] == "网格" else f["层级"]}, s) for f, s in division()]
    path = geojson(tmp_path / "a.geojson", rows)
    assert drafted(path, crs=HERE).draft.needs == ("tiers",)
    told = drafted(path, crs=HERE, tier_labels={"微治理单元": 4}).draft
    assert (told.needs, told.tiers["微治理单元"], told.tier_labels["微治理单元"]) == ((), 4, 4)
    assert drafted(path, crs=HERE, default_tier=4).draft.needs == ()


# -- ground -----------------------------------------------------------------------------------------------


def fitted(shapes: list[Any]) -> list[tuple[dict[str, object], Any]]:
    """Grids of one village that is all of them together, in a county and a town of the same ground."""
    ground = shapely.union_all(shapes).convex_hull
    rows = [(fields, ground) for fields, _ in division()[:3]]
    return rows + [
        ({"编码": f"340601001001{n:03d}", "名称": f"{n}格", "层级": "网格"}, shape)
        for n, shape in enumerate(shapes)
    ]


def test_overlaps_gaps_and_holes_are_found_with_their_size_and_place(tmp_path: Path) -> None:
    cells = [
        shapely.box(117.0 + 0.01 * i, 34.0 + 0.01 * j, 117.01 + 0.01 * i, 34.01 + 0.01 * j)
        for i in range(4)
        for j in range(4)
    ]
    cells[0] = shapely.box(117.0, 34.0, 117.012, 34.01)  # over its neighbour to the east
    cells[3] = shapely.box(117.0, 34.03, 117.00995, 34.04)  # short of it, by 4.6 m
    del cells[9]  # nobody has this one
    rows = fitted(cells)
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, rows="all")
    (overlap,) = [issue for issue in found.issues if issue["issue"] == "overlap"]
    assert (overlap["row"], overlap["severity"]) == ("8", "warning")
    assert 116.999 < float(overlap["lon"]) < 117.0121
    assert float(overlap["lon"]) == pytest.approx(117.011, abs=2e-3)
    kinds = {
        one["properties"]["kind"]: one["properties"]["area_m2"]
        for one in found.preview
        if "kind" in one["properties"]
    }
    assert kinds["overlap"] == pytest.approx(
        0.002 * 0.01 * 111_320 * math.cos(math.radians(34)) * 110_930, rel=0.01
    )
    assert kinds["hole"] == pytest.approx(
        0.01 * 0.01 * 111_320 * math.cos(math.radians(34)) * 110_930, rel=0.01
    )
    # A gap that opens to the outside is the outline; closed in by its neighbours it is a gap.
    assert found.told("hole")[0][1] == "note"
    assert "gap" not in kinds
    repaired = drafted(
        geojson(tmp_path / "b.geojson", rows), crs=HERE, rows="all", repair={"coverage"}, snap_m=5.0
    )
    assert repaired.draft.repaired > 0
    assert [i for i in repaired.issues if i["issue"] == "overlap" and i["severity"] != "note"] == []
    grids = [area.geometry for area in load_areas(repaired.folder / "result.gpkg") if area.tier == 4]
    assert shapely.union_all(np.array(grids)).area == pytest.approx(sum(one.area for one in grids))


def test_a_narrow_gap_between_neighbours_and_its_repair(tmp_path: Path) -> None:
    low, high = shapely.box(117.0, 34.0, 117.02, 34.01), shapely.box(117.0, 34.01002, 117.02, 34.02)
    sides = [shapely.box(116.99, 34.0, 117.0, 34.02), shapely.box(117.02, 34.0, 117.03, 34.02)]
    rows = fitted([low, high, *sides])
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE, rows="all")
    ((row, severity),) = found.told("gap")
    assert (row, severity) == (4, "note")
    (gap,) = [i for i in found.issues if i["issue"] == "gap"]
    assert "m wide" in gap["detail_en"]
    assert "row 5" in gap["detail_en"]
    mended = drafted(
        geojson(tmp_path / "b.geojson", rows), crs=HERE, rows="all", repair={"coverage"}, snap_m=3.0
    )
    assert mended.told("gap") == []
    assert 1 <= mended.draft.repaired <= 4


def test_an_area_outside_the_one_above_it(tmp_path: Path) -> None:
    rows = division()
    rows[7] = ({**rows[7][0]}, shapely.box(117.35, 34.0, 117.45, 34.2))
    found = drafted(geojson(tmp_path / "a.geojson", rows), crs=HERE)
    assert found.told("outside_parent") == [(8, "warning")]
    assert "50" in next(i for i in found.issues if i["issue"] == "outside_parent")["detail_en"]
    assert COUNTY.covers(rows[4][1])


def test_areas_of_the_past_do_not_overlap_those_of_today(tmp_path: Path) -> None:
    rows = [({**f, "停用日期": ""}, s) for f, s in division()]
    old = ({**rows[4][0], "停用日期": "2024-12-31", "名称": "旧格"}, rows[5][1])
    new = ({**rows[4][0], "停用日期": "", "启用日期": "2025-01-01"}, rows[4][1])
    found = drafted(geojson(tmp_path / "a.geojson", [*rows[:4], old, new, *rows[5:]]), crs=HERE, rows="all")
    assert found.told("duplicate_code") == []
    assert found.told("overlap") == []
    assert found.draft.taken == 9
