from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path

import pyogrio
import pytest
import python_calamine
import shapely

from gis.errors import BadFile
from gis.layer_files import FORMATS, MOST_SHEET_ROWS, Column, LayerTable, inert, write_layer

KINDS = ("text", "integer", "number", "flag", "moment", "day", "list")
COLUMNS = [Column(kind, kind, kind) for kind in KINDS]
FULL = ("=1+1", 7, 2.5, False, "2026-11-22T03:00:00.123Z", "2026-01-02", ("甲", "乙"))
EMPTY = (None, None, None, None, None, None, ())


def table(**more: object) -> LayerTable:
    fields: dict[str, object] = {
        "name": "things",
        "title": "东西",
        "shape": "Point",
        "columns": COLUMNS,
        "rows": [FULL, EMPTY],
        "shapes": [(117.0, 34.0), None],
        "facts": {"made_by": "x"},
        "zone": timezone(timedelta(hours=8)),
    }
    return LayerTable(**{**fields, **more})  # type: ignore[arg-type]


def test_a_geopackage_keeps_types_and_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    write_layer(path, table(), "gpkg")
    with closing(sqlite3.connect(path)) as base:
        types = {row[1]: row[2] for row in base.execute("PRAGMA table_info(things)")}
        rows = base.execute(f"SELECT {', '.join(KINDS)} FROM things").fetchall()
    assert (types["integer"], types["number"], types["flag"]) == ("INTEGER", "REAL", "BOOLEAN")
    assert (types["moment"], types["day"]) == ("DATETIME", "DATE")
    assert rows == [
        ("=1+1", 7, 2.5, 0, "2026-11-22T03:00:00.123Z", "2026-01-02", "甲、乙"),
        (None, None, None, None, None, None, ""),
    ]
    info = pyogrio.read_info(path)
    assert (info["crs"], info["geometry_type"]) == ("EPSG:4326", "Point")
    assert info["dataset_metadata"] == {"CRS": "WGS-84", "made_by": "x"}


def test_nothing_to_write_is_still_a_file(tmp_path: Path) -> None:
    for form in FORMATS:
        write_layer(tmp_path / f"e.{form}", table(rows=[], shapes=[]), form)
    assert pyogrio.read_info(tmp_path / "e.gpkg")["features"] == 0
    assert pyogrio.read_info(tmp_path / "e.geojson")["features"] == 0
    with (tmp_path / "e.csv").open(encoding="utf-8-sig") as file:
        assert next(csv.reader(file)) == [*KINDS, "lon", "lat", "crs"]


def test_outlines_become_multipolygons_and_text_in_tables(tmp_path: Path) -> None:
    # Drawn clockwise, which GeoJSON does not want.
    ring = shapely.Polygon([(117.0, 34.0), (117.0, 34.1), (117.1, 34.1), (117.1, 34.0)])
    two = shapely.MultiPolygon([shapely.box(118, 34, 118.1, 34.1), shapely.box(119, 34, 119.1, 34.1)])
    outlines = table(shape="MultiPolygon", shapes=[ring, two])
    for form in FORMATS:
        write_layer(tmp_path / f"o.{form}", outlines, form)
    _, _, wkb, _ = pyogrio.raw.read(tmp_path / "o.gpkg")
    assert [shape.geom_type for shape in shapely.from_wkb(wkb)] == ["MultiPolygon"] * 2
    _, _, wkb, _ = pyogrio.raw.read(tmp_path / "o.geojson")
    assert shapely.is_ccw(shapely.from_wkb(wkb)[0].exterior)
    with (tmp_path / "o.csv").open(encoding="utf-8-sig") as file:
        first, second = csv.DictReader(file)
    assert shapely.from_wkt(first["wkt"]).equals(ring)
    assert shapely.from_wkt(second["wkt"]).equals(two)
    assert first["flag"] == "false"


def test_a_workbook_shows_moments_where_people_are(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    write_layer(path, table(), "xlsx", "GCJ-02")
    book = python_calamine.CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["东西 GCJ-02", "说明"]
    row = dict(zip(*book.get_sheet_by_index(0).to_python()[:2], strict=True))
    assert (row["moment"].hour, row["text"], row["integer"], row["flag"]) == (11, "=1+1", 7.0, False)
    assert (row["lon"], row["lat"]) == (pytest.approx(117.005561), pytest.approx(33.9986269))
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"kept.{form}"
    path.write_text("as it was")
    with pytest.raises((ValueError, BadFile)):
        write_layer(path, table(rows=[FULL]), form)  # type: ignore[arg-type]
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


def test_more_rows_than_a_sheet_has(tmp_path: Path) -> None:
    rows = [()] * (MOST_SHEET_ROWS + 1)
    with pytest.raises(BadFile, match="1,048,575"):
        write_layer(tmp_path / "x.xlsx", table(columns=[], rows=rows, shapes=[None] * len(rows)), "xlsx")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r1", "  =1", "\u3000=1", "＝1", "－1"])
def test_what_a_spreadsheet_might_run_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "平常", "1-1", "a=b", "'=1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert inert(text) == text
