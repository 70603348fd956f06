"""Layers taken out over the API: every format reads back, nobody gets what they may not see, each is recorded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest

from gis.crs import distance_m
from gis.layer_files import FORMATS
from tests.fixtures import G1, G5, Centre

CONTACT = "13812345678"


async def body(centre: Centre, username: str, path: str, **query: str) -> bytes:
    answer = await centre.get(username, f"/exports/{path}", **query)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


@pytest.mark.parametrize("form", FORMATS)
async def test_every_format_reads_back(centre: Centre, tmp_path: Path, form: str) -> None:
    content = await body(centre, "admin", f"areas.{form}")
    path = tmp_path / f"areas.{form}"
    path.write_bytes(content)
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == 16
    elif form == "xlsx":
        assert content.startswith(b"PK")
    else:
        assert len(pyogrio.read_arrow(path)[1]) == 16


async def test_a_chinese_map_gets_its_own_datum_and_the_file_says_so(centre: Centre) -> None:
    plain = json.loads(await body(centre, "operator", "cameras.geojson"))["features"]
    answer = await centre.get("operator", "/exports/cameras.geojson", crs="GCJ-02")
    assert "gcj" in answer.headers["content-disposition"].lower()
    moved = answer.json()["features"]
    a = np.array([one["geometry"]["coordinates"] for one in plain])
    b = np.array([one["geometry"]["coordinates"] for one in moved])
    apart = distance_m(a[:, 0], a[:, 1], b[:, 0], b[:, 1])
    assert (apart > 300).all()
    assert (apart < 800).all()


async def test_one_gets_what_one_may_see_and_no_more(centre: Centre) -> None:
    await centre.report(grid=G1, title="=HYPERLINK(1)", reporter_contact=CONTACT)
    await centre.report(grid=G5)
    whole = await body(centre, "dispatcher", "incidents.csv")
    part = await body(centre, "town", "incidents.csv")
    assert (whole.count(b"\n"), part.count(b"\n")) == (3, 2)
    assert CONTACT.encode() not in whole
    assert b",=HYPERLINK" not in whole
    assert b"\n=HYPERLINK" not in whole
    assert (await centre.get("town", "/exports/incidents.csv", area="340604010")).status_code == 404
    assert (await centre.get("admin", "/exports/incidents.csv")).status_code == 403
    assert (await centre.get("dispatcher", "/exports/people.csv")).status_code == 404
    assert (await centre.get("dispatcher", "/exports/incidents.doc")).status_code == 422
    listed = {one["what"] for one in (await centre.get("admin", "/exports")).json()["items"]}
    assert "incidents" not in listed
    assert "areas" in listed


async def test_what_is_taken_is_recorded_and_nothing_of_it_stays(centre: Centre) -> None:
    await body(centre, "dispatcher", "cameras.gpkg", area=G1[:9])
    entries = (await centre.get("admin", "/audit")).json()["items"]
    recorded = [entry for entry in entries if entry["action"] == "data.exported"]
    assert [entry["object"] for entry in recorded] == [f"cameras:{G1[:9]}"]
    assert recorded[0]["data"]["format"] == "gpkg"
    left = [path for path in (centre.data / "taken-out").rglob("*") if path.is_file()]
    assert left == []
