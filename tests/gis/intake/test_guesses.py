"""Reference systems by what is in force, tables of points, merging, and codes of areas that are not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.area_files import load_areas, write_areas
from gis.crs import bd09_from_gcj02, by_columns, gcj02_from_wgs84, wgs84_from_bd09, wgs84_from_gcj02
from gis.division import Area
from gis.intake import Crs, Reference, Refused, datum
from gis.intake.inforce import InForce
from tests.gis.intake.files import Row, division, drafted, geojson, shapefile, workbook, zipped

Move = Callable[[Any, Any], Any]


def to_bd09(lon: Any, lat: Any) -> Any:
    return bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


def moved(rows: Sequence[Row], move: Move) -> list[Row]:
    return [(fields, shapely.transform(shape, by_columns(move))) for fields, shape in rows]


def crooked(seed: int = 3) -> list[Row]:
    """The division with borders that have corners of their own."""
    rng = np.random.default_rng(seed)
    rows = []
    for fields, shape in division():
        bent = shapely.segmentize(shape, 0.01)
        rows.append(
            (
                fields,
                shapely.transform(bent, lambda c: c + 2e-4 * np.sin(c[:, ::-1] * 937.0 + rng.uniform() * 0)),
            )
        )
    return rows


@pytest.fixture(scope="module")
def in_force(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The county and its town, as they are in force; the villages are to come."""
    path = tmp_path_factory.mktemp("district") / "areas.gpkg"
    areas = [
        Area(str(f["编码"]), str(f["名称"]), 1 + n, None if n == 0 else "340601", str(f["层级"]), shape)
        for n, (f, shape) in enumerate(crooked()[:2])
    ]
    write_areas(path, areas)
    return Reference(areas_file=path, current_file=path)


DATUMS: list[tuple[str, Move]] = [
    ("EPSG:4326", lambda lon, lat: (lon, lat)),
    ("GCJ-02", gcj02_from_wgs84),
    ("BD-09", to_bd09),
    ("EPSG:4326+swapped", lambda lon, lat: (lat, lon)),
    ("GCJ-02+swapped", lambda lon, lat: gcj02_from_wgs84(lon, lat)[::-1]),
]


@pytest.mark.parametrize(("crs", "move"), DATUMS)
def test_a_datum_is_known_by_borders_in_force(
    tmp_path: Path, in_force: Reference, crs: str, move: Move
) -> None:
    villages = [({**f, "编码": f"X{n}"}, s) for n, (f, s) in enumerate(crooked()[2:])]  # no code is in force
    found = drafted(geojson(tmp_path / "a.geojson", moved(villages, move)), reference=in_force)
    guesses = found.draft.crs.guesses
    assert (found.draft.crs.used, found.draft.crs.ambiguous, found.draft.needs) == (crs, False, ())
    assert guesses[0].score > 3 * guesses[1].score
    assert "borders in force" in guesses[0].why.en
    assert "现行边界" in guesses[0].why.zh
    bounds = found.draft.bounds
    assert bounds is not None
    assert bounds[:2] == pytest.approx((117.0, 34.0), abs=3e-4)


def test_a_datum_is_known_by_the_same_codes(tmp_path: Path, in_force: Reference) -> None:
    rows = moved(crooked(), gcj02_from_wgs84)
    path = in_force.areas_file
    assert path is not None
    every = tmp_path / "areas.gpkg"
    parents = ("", "340601", "340601001", "340601001", *["340601001001"] * 2, *["340601001002"] * 2)
    areas = [
        Area(str(f["编码"]), str(f["名称"]), min(4, 1 + len(str(p)) // 3 - (len(p) > 0)), p or None, "", s)
        for (f, s), p in zip(crooked(), parents, strict=True)
    ]
    write_areas(every, areas)
    found = drafted(geojson(tmp_path / "a.geojson", rows), reference=Reference(areas_file=every))
    assert (found.draft.crs.used, found.draft.crs.ambiguous) == ("GCJ-02", False)
    assert "same codes" in found.draft.crs.guesses[0].why.en


def test_a_datum_is_known_by_roads(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    lon = np.repeat(117.0 + 0.004 * np.arange(10), 2)
    lat = np.tile([34.0, 34.05], 10)
    roads = tmp_path / "roads-car.npz"
    np.savez(roads, lon=lon, lat=lat, start=np.arange(0, 21, 2))
    pick = rng.integers(0, 10, 60)
    x, y = gcj02_from_wgs84(117.0 + 0.004 * pick + rng.normal(0, 3e-5, 60), rng.uniform(34.0, 34.05, 60))
    path = tmp_path / "a.csv"
    lines = ["名称,经度,纬度"] + [f"点{n},{a:.7f},{b:.7f}" for n, (a, b) in enumerate(zip(x, y, strict=True))]
    path.write_text("\n".join(lines), "utf-8")
    draft = drafted(
        path, "places", reference=Reference(roads_file=roads, bounds=(117.0, 34.0, 117.04, 34.05))
    ).draft
    assert (draft.crs.used, draft.crs.ambiguous) == ("GCJ-02", False)
    assert "roads" in draft.crs.guesses[0].why.en


def test_what_nothing_confirms_is_left_to_a_person(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", division())
    draft = drafted(path).draft
    assert (draft.crs.ambiguous, draft.needs) == (True, ("crs",))
    assert [guess.crs for guess in draft.crs.guesses] == ["EPSG:4326", "GCJ-02", "BD-09"]
    assert drafted(path, crs="gcj02").draft.needs == ()
    assert drafted(path, crs="gcj02").draft.crs.used == "GCJ-02"
    with pytest.raises(Refused, match="unknown reference system"):
        drafted(path, crs="EPSG:nonsense")


def test_a_declared_datum_that_the_ground_contradicts_is_not_changed_silently(
    tmp_path: Path, in_force: Reference
) -> None:
    rows = [({**f, "编码": f"X{n}"}, s) for n, (f, s) in enumerate(crooked()[2:])]
    shp = shapefile(tmp_path / "s", moved(rows, gcj02_from_wgs84), crs="EPSG:4326")
    draft = drafted(shp, reference=in_force).draft
    assert draft.crs.guesses[0].crs == "GCJ-02"
    assert (draft.crs.declared, draft.needs) == ("EPSG:4326", ("crs",))


def test_outside_china_there_is_one_datum(tmp_path: Path) -> None:
    rows = [({"编码": "1", "名称": "Vaduz", "层级": "区"}, shapely.box(9.5, 47.1, 9.6, 47.2))]
    draft = drafted(geojson(tmp_path / "a.geojson", rows)).draft
    assert (draft.crs.used, draft.crs.ambiguous) == ("EPSG:4326", False)


@pytest.mark.parametrize(
    ("number", "known", "swap"),
    [(4527, True, False), (4527, True, True), (4498, True, True), (4548, False, False), (3857, True, False)],
)
def test_survey_projections_without_a_declaration(
    tmp_path: Path, in_force: Reference, number: int, known: bool, swap: bool
) -> None:
    """CGCS2000 with the zone before the easting says which zone; without it the district does."""
    transformer = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{number}", always_xy=True)

    def move(lon: Any, lat: Any) -> Any:
        x, y = transformer.transform(np.array(lon), np.array(lat))
        return (y, x) if swap else (x, y)

    shp = shapefile(tmp_path / "s", moved(division(), move))
    shp.with_suffix(".prj").unlink()
    wanted = f"EPSG:{number}" + ("+swapped" if swap else "")
    draft = drafted(shp, reference=in_force).draft
    assert (draft.crs.used, draft.crs.ambiguous) == (wanted, False)
    assert draft.bounds == pytest.approx((117.0, 34.0, 117.4, 34.4), abs=1e-6)
    alone = drafted(shp).draft
    assert alone.crs.ambiguous is not known
    if known:
        assert alone.crs.used == wanted
    assert drafted(shp, crs=wanted).draft.bounds == pytest.approx((117.0, 34.0, 117.4, 34.4), abs=1e-6)


def test_a_declared_survey_projection_is_believed(tmp_path: Path) -> None:
    transformer = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4527", always_xy=True)
    rows = moved(division(), lambda lon, lat: transformer.transform(np.array(lon), np.array(lat)))
    draft = drafted(shapefile(tmp_path / "s", rows, crs="EPSG:4527")).draft
    assert (draft.crs.used, draft.crs.declared, draft.needs) == ("EPSG:4527", "EPSG:4527", ())
    assert draft.taken == 8


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), min_size=0, max_size=30))
def test_any_coordinates_get_an_answer(points: list[tuple[float, float]]) -> None:
    x = np.array([a for a, _ in points], dtype=np.float64)
    y = np.array([b for _, b in points], dtype=np.float64)
    fine = np.isfinite(x) & np.isfinite(y)
    with np.errstate(all="ignore"):
        answer = datum.guess(datum.Evidence(x[fine], y[fine], {}, InForce()), None, "csv", None)
    assert isinstance(answer, Crs)
    assert answer.used


def test_datums_are_undone_exactly() -> None:
    lon, lat = np.array([117.3]), np.array([34.2])
    from gis.intake.placing import lonlat

    for name, move, back in (
        ("GCJ-02", gcj02_from_wgs84, wgs84_from_gcj02),
        ("BD-09+swapped", to_bd09, wgs84_from_bd09),
    ):
        x, y = move(lon, lat)
        first, second = (y, x) if name.endswith("swapped") else (x, y)
        assert np.allclose(lonlat(name, first, second), back(x, y), atol=0, rtol=1e-15)
        assert np.allclose(lonlat(name, first, second), (lon, lat), atol=1e-9)


# -- points and tables ------------------------------------------------------------------------------------


def test_cameras_from_a_workbook(tmp_path: Path, in_force: Reference) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [
            ["桥头镇视频点位表", "", "", "", "", ""],
            ["点位名称", "国标编码", "经度（°）", "纬度（°）", "地址", "备注"],
            ["村口", "34060100001320000001", 117.1, 34.1, "10.0.0.1", "x"],
            ["", "34060100001320000002", 117.1, 34.1, "10.0.0.2", ""],
            ["桥头", 34060100001320000003, 117.1, 34.1, "10.0.0.3", ""],
            ["桥尾", "", "abc", 34.1, "", ""],
            ["桥中", "", "", "", "", ""],
            ["零", "", 0, 0, "", ""],
            ["分秒", "", "117°6′0″", "34°6′0″", "", ""],
            ["远", "", 121.4, 31.2, "", ""],
        ],
    )
    found = drafted(path, "cameras", reference=in_force, crs="EPSG:4326")
    assert found.draft.row_offset == 2
    assert [row["name"] for row in found.table] == ["村口", "分秒", "远"]
    assert set(found.table[0]) == {"row", "name", "gb_id", "host", "lon", "lat"}
    assert (found.table[0]["host"], found.table[0]["lon"], found.table[0]["row"]) == (
        "10.0.0.1",
        "117.1000000",
        "1",
    )
    assert found.table[1]["lon"] == "117.1000000"
    assert found.told("missing_field") == [(2, "error")]
    assert found.told("bad_value") == [(3, "error"), (4, "error")]
    assert found.told("no_geometry") == [(5, "error")]
    assert found.told("out_of_range") == [(6, "error")]
    assert found.told("unknown_area") == [(8, "note")]
    assert len(found.preview) == 5


def test_responders_need_no_place_and_name_grids_in_force(tmp_path: Path, in_force: Reference) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "姓名,岗位,手机号,所辖网格\n王芳,grid_worker,+86139,340601001\n李强,police,,999、340601\n", "gb18030"
    )
    found = drafted(path, "responders", reference=in_force)
    assert found.draft.crs.used == ""
    assert found.draft.needs == ()
    assert found.told("unknown_area") == [(2, "warning")]
    assert [row["phone"] for row in found.table] == ["+86139"]
    both = drafted(path, "responders", reference=in_force, rows="all")
    assert both.table[1] == {
        "row": "2",
        "name": "李强",
        "kind": "police",
        "phone": "",
        "grids": "999、340601",
    }


def test_places_from_one_column_and_from_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称;类型;坐标\n小学;学校;117.1,34.1\n医院;医院;[117.2，34.2]\n坏;x;何处\n", "utf-8")
    found = drafted(path, "places", crs="EPSG:4326")
    assert [(row["name"], row["kind"], row["lon"], row["lat"]) for row in found.table] == [
        ("小学", "学校", "117.1000000", "34.1000000"),
        ("医院", "医院", "117.2000000", "34.2000000"),
    ]
    assert found.told("bad_value") == [(3, "error")]
    shapes = drafted(geojson(tmp_path / "b.geojson", division()), "places", crs="EPSG:4326")
    assert len(shapes.table) == 8
    assert shapely.box(117.0, 34.0, 117.4, 34.4).contains(
        shapely.Point(float(shapes.table[0]["lon"]), float(shapes.table[0]["lat"]))
    )


def test_rules_checkpoints_and_departments(tmp_path: Path) -> None:
    areas = tmp_path / "areas.gpkg"
    write_areas(
        areas,
        load_areas(
            drafted(geojson(tmp_path / "a.geojson", division()), crs="EPSG:4326").folder / "result.gpkg"
        ),
    )
    reference = Reference(areas_file=areas)
    rules = tmp_path / "rules.csv"
    rules.write_text(
        "事件类别,责任部门,适用区划,优先级\ntraffic,交警大队,340601001,10\nfire,,340601,\n噪声,城管局,77,\n",
        "utf-8",
    )
    found = drafted(rules, "rules", reference=reference)
    assert found.table == [
        {
            "row": "1",
            "category": "traffic",
            "department": "交警大队",
            "division": "340601001",
            "priority": "10",
        }
    ]
    assert (found.told("missing_field"), found.told("unknown_area")) == ([(2, "error")], [(3, "warning")])
    gates = tmp_path / "gates.csv"
    gates.write_text("卡口名称,卡口等级,圈层,经度,纬度\n东门,A,外环,117.1,34.1\n", "utf-8")
    assert drafted(gates, "checkpoints", reference=reference, crs="EPSG:4326").table[0]["level"] == "A"
    # A department that drew a map of its own: the grids whose middle lies in each shape.
    drawn = [
        ({"部门": "城管局", "编码": "C1", "名称": "西片"}, shapely.box(117.0, 34.0, 117.2, 34.2)),
        ({"部门": "城管局", "编码": "C2", "名称": "外"}, shapely.box(117.3, 34.3, 117.4, 34.4)),
    ]
    sets = drafted(
        geojson(tmp_path / "d.geojson", drawn), "departments", reference=reference, crs="EPSG:4326"
    )
    assert [(row["code"], row["grids"]) for row in sets.table] == [("C1", "340601001001000、340601001001001")]
    assert sets.told("missing_field") == [(2, "error")]


# -- merging ----------------------------------------------------------------------------------------------


def test_merging_areas_keeps_what_the_file_does_not_name(tmp_path: Path, in_force: Reference) -> None:
    rows = [({**f, "名称": "新" + str(f["名称"])}, s) for f, s in crooked()[1:4]]
    found = drafted(
        geojson(tmp_path / "a.geojson", rows), reference=in_force, crs="EPSG:4326", mode="merge", rows="all"
    )
    areas = {area.code: area for area in load_areas(found.folder / "result.gpkg")}
    assert set(areas) == {"340601", "340601001", "340601001001", "340601001002"}
    assert (areas["340601"].name, areas["340601001"].name) == ("烈山区", "新桥头镇")
    assert found.told("orphan") == []
    assert areas["340601001"].parent == "340601"
    assert found.draft.taken == 3


def test_merging_sees_neighbours_that_stay(tmp_path: Path, in_force: Reference) -> None:
    town = (
        {"编码": "340601002", "名称": "邻镇", "层级": "镇", "上级": "340601"},
        shapely.box(117.1, 34.1, 117.3, 34.3),
    )
    path = geojson(tmp_path / "a.geojson", [town])
    assert drafted(path, reference=in_force, crs="EPSG:4326").told("overlap") == []
    merged = drafted(path, reference=in_force, crs="EPSG:4326", mode="merge")
    assert merged.told("overlap") == [(1, "warning")]
    assert (
        "340601001, which is in force"
        in next(i for i in merged.issues if i["issue"] == "overlap")["detail_en"]
    )


def test_merging_beats_and_tables(tmp_path: Path) -> None:
    beats = [
        ({"警格编号": f"B{n}", "警格名称": f"{n}警格", "派出所": "桥头所"}, s)
        for n, (_, s) in enumerate(division()[4:])
    ]
    first = drafted(geojson(tmp_path / "a.geojson", beats[:2]), "beats", crs="EPSG:4326")
    current = first.folder / "result.geojson"
    second = drafted(
        geojson(tmp_path / "b.geojson", beats[1:]),
        "beats",
        crs="EPSG:4326",
        mode="merge",
        reference=Reference(current_file=current),
    )
    codes = [
        one["properties"]["code"]
        for one in json.loads((second.folder / "result.geojson").read_text("utf-8"))["features"]
    ]
    assert sorted(codes) == ["B0", "B1", "B2", "B3"]
    old = tmp_path / "places.csv"
    old.write_text("name,kind,address,lon,lat\n小学,学校,一号,117,34\n医院,医院,二号,117,34\n", "utf-8")
    new = tmp_path / "new.csv"
    new.write_text("名称,地址,经度,纬度\n小学,一号,117.5,34\n", "utf-8")
    found = drafted(new, "places", crs="EPSG:4326", mode="merge", reference=Reference(current_file=old))
    assert [(row["name"], row["lon"], row["row"]) for row in found.table] == [
        ("小学", "117.5000000", "1"),
        ("医院", "117", "0"),
    ]


def test_a_district_that_is_damaged_does_not_keep_its_repair_out(tmp_path: Path) -> None:
    broken = tmp_path / "areas.gpkg"
    broken.write_bytes(b"was a district" * 100)
    path = zipped(tmp_path / "a.zip", {"a.geojson": geojson(tmp_path / "a.geojson", division()).read_bytes()})
    reference = Reference(areas_file=broken, roads_file=broken, current_file=broken)
    assert drafted(path, crs="EPSG:4326", reference=reference).draft.taken == 8
    with pytest.raises(Refused, match="what is in force cannot be read"):
        drafted(path, crs="EPSG:4326", reference=reference, mode="merge")
