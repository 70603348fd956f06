"""Files that attack their reader, or pretend to be what they are not."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely

from gis.intake import Refused
from tests.gis.intake.files import (
    by_library,
    division,
    drafted,
    geojson,
    kml,
    packed_zeros,
    placemark,
    raw_zip,
    shapefile,
    shapefile_parts,
    zipped,
)
from tests.gis.intake.test_formats import MAKERS

SQUARE = shapely.box(117.0, 34.0, 117.1, 34.1)


def refusal(path: Path, kind: str = "areas", **choices: Any) -> str:
    with pytest.raises(Refused) as caught:
        drafted(path, kind, **choices)
    assert caught.value.detail
    assert caught.value.detail_zh
    return caught.value.code


def test_what_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("code,name\n1,geheim\n", "utf-8")
    layer = f'<OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>'
    for content, code in (
        (f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>".encode(), "vrt"),
        (b'<!DOCTYPE kml [<!ENTITY a "b">]><kml/>', "dtd"),
        (b"<svg/>", "unknown_format"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old_excel"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "unknown_format"),
        (b"", "empty"),
        (b"SQLite format 3\0" + bytes(4000), "broken_file"),
        (b"\x00\x00\x27\x0a", "broken_file"),
        (b'{"type": "Topology", "objects": {}}', "broken_file"),
        (b"[1, 2]", "broken_file"),
    ):
        path = tmp_path / "areas.geojson"
        path.write_bytes(content)
        assert refusal(path) == code, content[:40]


def test_the_library_reads_no_other_drivers_even_when_it_is_asked(tmp_path: Path) -> None:
    """The worker's environment leaves only what is needed; tests/…/test_engine.py looks from inside."""
    from gis.intake.engine import ALLOWED_DRIVERS, _skipped_drivers

    skipped = set(_skipped_drivers().split(","))
    assert set(pyogrio.list_drivers()) - skipped <= set(ALLOWED_DRIVERS)
    assert {"OGR_VRT", "HTTP", "WFS", "SQLite", "CSV"} <= skipped


@pytest.mark.parametrize(
    "document",
    [
        kml(placemark("甲", SQUARE), '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>').encode(),
        b" " * 5000 + kml(placemark("甲", SQUARE), '<!DOCTYPE kml [<!ENTITY a "b">]>').encode()[38:],
        ('<?xml version="1.0" encoding="UTF-16"?>' + kml("", "<!DOCTYPE kml>")[38:]).encode("utf-16"),
    ],
)
def test_a_document_type_is_refused_wherever_it_stands(tmp_path: Path, document: bytes) -> None:
    path = tmp_path / "a.kml"
    path.write_bytes(b"<kml>" + document if document.startswith(b" ") else document)
    assert refusal(path) in ("dtd", "broken_file", "unknown_format")


def test_network_links_are_not_followed(tmp_path: Path) -> None:
    link = "<NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink>"
    path = tmp_path / "a.kml"
    path.write_text(kml(link), "utf-8")
    assert refusal(path) == "remote"
    path.write_text(kml(link + placemark("甲", SQUARE, 编码="340601", 层级="区")), "utf-8")
    draft = drafted(path).draft
    assert draft.rows == 1
    assert "1 network links" in draft.notes[0].en


def test_zip_bombs(tmp_path: Path) -> None:
    zeros = packed_zeros(1100)
    assert len(zeros) < 2 << 20
    bomb = raw_zip(tmp_path / "bomb.zip", {"a.geojson": (zeros, 0, 1100 << 20)})
    assert refusal(bomb) == "zip_bomb"
    # With a directory that lies about the size, alone and as a workbook, nothing beyond that size is unpacked.
    liar = (zeros, 0, 1000)
    assert refusal(raw_zip(tmp_path / "liar.zip", {"a.geojson": liar})) == "broken_archive"
    assert (
        refusal(raw_zip(tmp_path / "l.xlsx", {"[Content_Types].xml": liar, "xl/a": liar})) == "broken_archive"
    )
    spread = {f"{n}.geojson": (packed_zeros(7), 0, 7 << 20) for n in range(200)}
    assert refusal(raw_zip(tmp_path / "spread.zip", spread)) == "zip_bomb"
    many = zipped(tmp_path / "many.zip", {f"{n}.txt": b"" for n in range(2001)})
    assert refusal(many) == "zip_bomb"


def test_archives_that_reach_outside_or_hide_others(tmp_path: Path) -> None:
    good = geojson(tmp_path / "good.geojson", division()).read_bytes()
    for name in ("../a.geojson", "/etc/a.geojson", "c:\\a.geojson", "x\\..\\..\\a.geojson"):
        assert refusal(zipped(tmp_path / "a.zip", {name: good})) == "unsafe_archive", name
    link = zipfile.ZipInfo("a.geojson")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refusal(tmp_path / "l.zip") == "unsafe_archive"
    inner = zipped(tmp_path / "i.zip", {"a.geojson": good}).read_bytes()
    assert refusal(zipped(tmp_path / "o.zip", {"i.zip": inner})) == "nested_archive"
    assert refusal(zipped(tmp_path / "o.zip", {"i.geojson": inner})) == "nested_archive"
    assert refusal(zipped(tmp_path / "n.zip", {"a.docx": b"x"})) == "no_layer"
    whole = zipped(tmp_path / "w.zip", {"a.geojson": good}).read_bytes()
    (tmp_path / "w.zip").write_bytes(whole[: len(whole) // 2])
    assert refusal(tmp_path / "w.zip") == "broken_archive"
    locked = bytearray(whole)
    for mark in (b"PK\x01\x02", b"PK\x03\x04"):
        at = locked.index(mark) + (8 if mark == b"PK\x01\x02" else 6)
        locked[at] |= 1
    (tmp_path / "w.zip").write_bytes(locked)
    assert refusal(tmp_path / "w.zip") == "encrypted"
    # What a Mac adds beside the data does not matter.
    assert (
        drafted(zipped(tmp_path / "m.zip", {"a.geojson": good, "__MACOSX/._a.geojson": b"x"})).draft.rows == 8
    )


def test_a_database_with_programs_in_it(tmp_path: Path) -> None:
    path = by_library(tmp_path / "a.gpkg", division(), "GPKG")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA writable_schema = 1")
        database.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, "
            "'CREATE VIRTUAL TABLE x USING VirtualOGR(''/etc/passwd'')')"
        )
    database.close()
    assert refusal(path) == "unsafe_database"
    plain = tmp_path / "b.gpkg"
    with sqlite3.connect(plain) as database:
        database.execute("CREATE TABLE t (a)")
    database.close()
    assert refusal(plain) == "unknown_format"


def test_more_bytes_than_a_file_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gis.intake import unpack

    monkeypatch.setattr(unpack, "MAX_BYTES", 100)
    assert refusal(geojson(tmp_path / "a.geojson", division())) == "too_large"


def test_a_shapefile_without_a_part_or_with_a_table_that_lies(tmp_path: Path) -> None:
    parts = shapefile_parts(shapefile(tmp_path / "s", division()), "a")
    assert refusal(zipped(tmp_path / "a.zip", {k: v for k, v in parts.items() if k != "a.shp"})) == "no_layer"
    lying = bytearray(parts["a.dbf"])
    lying[10:12] = (5).to_bytes(2, "little")
    assert refusal(zipped(tmp_path / "a.zip", parts | {"a.dbf": bytes(lying)})) == "broken_file"
    without = {k: v for k, v in parts.items() if k != "a.shx"}
    assert drafted(zipped(tmp_path / "b.zip", without), crs="EPSG:4490").draft.taken == 8
    only = {k: v for k, v in parts.items() if k == "a.shp"}
    assert drafted(zipped(tmp_path / "c.zip", only)).draft.needs[0] == "columns"


def test_formulas_in_names_stay_names(tmp_path: Path) -> None:
    fields, shape = division()[0]
    path = geojson(tmp_path / "a.geojson", [({**fields, "名称": "=HYPERLINK(1)", "层级": "?"}, shape)])
    found = drafted(path, crs="EPSG:4326")
    assert {issue["name"] for issue in found.issues} == {"'=HYPERLINK(1)"}


def test_json_nested_beyond_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type":"FeatureCollection","features":[' + "[" * 100_000, "utf-8")
    assert refusal(path) == "broken_file"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": []}), "utf-8")
    assert refusal(path) == "no_rows"
    path.write_bytes(io.BytesIO(b"\xff\xfe{\x00").getvalue())
    assert refusal(path) == "broken_file"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_damaged_files_are_refused_by_name_or_taken_in_part(tmp_path: Path, kind: str) -> None:
    suffix = {"flatgeobuf": ".fgb", "geopackage": ".gpkg"}.get(kind, "")
    whole = MAKERS[kind](tmp_path / f"made{suffix}").read_bytes()
    rng = random.Random(kind)
    path = tmp_path / "upload"
    for _ in range(12):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 3, 12))):
            at = rng.randrange(len(damaged))
            match rng.randrange(4):
                case 0:
                    damaged[at] = rng.randrange(256)
                case 1:
                    damaged[at : at + 8] = rng.choice(
                        (bytes(8), b"\xff" * 8, b"NaN", b"1e999", b"null", b"\x00\xf8\x7f")
                    )
                case 2:
                    del damaged[at : at + rng.randrange(40)]
                case 3:
                    damaged[at:at] = whole[rng.randrange(len(whole)) :][: rng.randrange(60)]
        path.write_bytes(damaged)
        try:
            found = drafted(path, rng.choice(("areas", "beats", "places")), rows="all", repair={"make_valid"})
        except Refused:
            continue
        blamed = {issue["row"] for issue in found.issues if issue["severity"] == "error"} - {"0"}
        assert found.draft.taken + len(blamed) == found.draft.rows
