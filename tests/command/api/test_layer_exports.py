"""Files to take away: what is in them, for whom, and what is recorded."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pyogrio
import pytest
import python_calamine
import shapely

from gis.crs import wgs84_from_gcj02
from tests.command.api.test_incidents import error
from tests.fixtures import G1, G3, G5, G8, HOMES, Centre, middle

FORMATS = ("gpkg", "geojson", "xlsx", "csv")


async def taken(centre: Centre, username: str, name: str, **query: str) -> bytes:
    answer = await centre.get(username, f"/exports/{name}", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith('attachment; filename="yiping-')
    return answer.content


async def features(centre: Centre, username: str, what: str, **query: str) -> dict[str, dict[str, object]]:
    found = json.loads(await taken(centre, username, f"{what}.geojson", **query))["features"]
    return {f["properties"].get("id") or f["properties"].get("code"): f for f in found}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def give_everyone(centre: Centre) -> None:
    """As a centre's own roles file may: then what is in a file is still what each sees."""
    access = centre.core.parts.access
    access.roles = {
        key: replace(role, scopes={**role.scopes, "layers.export": "all"})
        for key, role in access.roles.items()
    }


async def test_to_see_is_not_to_take_out(centre: Centre) -> None:
    await centre.report()
    for username in ("operator", "dispatcher", "dept", "police", "worker"):
        error(await centre.get(username, "/exports"), 403, "forbidden")
        for what in ("incidents", "cameras", "areas"):
            error(await centre.get(username, f"/exports/{what}.csv"), 403, "forbidden")
    for username in ("supervisor", "leader"):
        assert len((await centre.get(username, "/exports")).json()["items"]) == 7


async def test_areas_in_every_format_come_back_as_they_were(centre: Centre, tmp_path: Path) -> None:
    before = {area.code: area for area in centre.core.district.areas.areas}
    for form in ("gpkg", "geojson"):
        path = tmp_path / f"areas.{form}"
        path.write_bytes(await taken(centre, "supervisor", f"areas.{form}"))
        meta, _, wkb, columns = pyogrio.raw.read(path)
        assert meta["crs"] == "EPSG:4326"
        again = dict(zip(meta["fields"].tolist(), columns, strict=True))
        assert set(again["code"]) == set(before)
        for n, shape in enumerate(shapely.from_wkb(wkb)):
            was = before[again["code"][n]]
            assert [again[name][n] for name in ("name", "tier", "parent", "beat", "chief")] == [
                was.name,
                was.tier,
                was.parent,
                was.beat,
                was.chief,
            ]
            assert shapely.symmetric_difference(shape, was.geometry).area < 1e-12
    [grid] = [row for row in rows(await taken(centre, "supervisor", "areas.csv")) if row["code"] == G1]
    assert shapely.from_wkt(grid["wkt"]).contains(shapely.Point(float(grid["lon"]), float(grid["lat"])))
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(await taken(centre, "supervisor", "areas.xlsx"))
    )
    sheet = book.get_sheet_by_index(0).to_python()
    assert (sheet[0][:4], len(sheet)) == (["code", "name", "tier", "parent"], 17)
    about = dict(line[:2] for line in book.get_sheet_by_name("说明").to_python())
    assert (about["坐标系"], about["made_by"], about["count"]) == ("WGS-84", "值班长 方以宁", "16")


async def test_gcj02_says_so_wherever_it_is(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "cameras.gpkg"
    answer = await centre.get("supervisor", "/exports/cameras.gpkg", crs="GCJ-02")
    assert answer.headers["content-disposition"].endswith('-gcj02.gpkg"')
    path.write_bytes(answer.content)
    meta, _, wkb, columns = pyogrio.raw.read(path)
    assert [str(name) for name, _ in pyogrio.list_layers(path)] == ["cameras_gcj02"]
    assert "GCJ-02" in meta["crs"]
    assert "4326" not in meta["crs"]
    place = dict(zip(columns[0], shapely.from_wkb(wkb), strict=True))["c1"]
    lon, lat = wgs84_from_gcj02(place.x, place.y)
    assert (float(lon), float(lat)) == pytest.approx((116.8151, 33.9052), abs=1e-8)
    assert place.distance(shapely.Point(116.8151, 33.9052)) > 1e-3
    text = json.loads(await taken(centre, "supervisor", "cameras.geojson", crs="GCJ-02"))
    assert text["crs_name"] == "GCJ-02"
    assert {feature["properties"]["crs"] for feature in text["features"]} == {"GCJ-02"}
    assert {row["crs"] for row in rows(await taken(centre, "supervisor", "cameras.csv", crs="GCJ-02"))} == {
        "GCJ-02"
    }


async def test_people_come_without_number_device_or_a_position_one_may_not_know(centre: Centre) -> None:
    give_everyone(centre)
    assert (await centre.post("supervisor", "/responders/w2/shift", {"on_duty": False})).status_code == 200
    people = await features(centre, "dispatcher", "responders")
    assert people["w1"]["geometry"] == {"type": "Point", "coordinates": list(middle(HOMES["w1"]))}
    assert people["w2"]["geometry"] is None
    assert people["w2"]["properties"]["fix_age_s"] is None
    for username in ("dispatcher", "operator", "admin"):
        for form in FORMATS:
            content = await taken(centre, username, f"responders.{form}")
            if form == "xlsx":
                with zipfile.ZipFile(io.BytesIO(content)) as book:
                    content = b"".join(book.read(name) for name in book.namelist())
            assert b"139000000" not in content
            assert b"phone-" not in content
    # Neither an operator nor an administrator knows where anybody is.
    for username in ("operator", "admin"):
        found = await features(centre, username, "responders")
        assert set(found) == {"w1", "w2", "w3", "p1", "p2", "e1"}
        assert {person["geometry"] for person in found.values()} == {None}
    assert set(await features(centre, "worker", "responders")) == {"w1"}


async def test_what_is_in_a_file_is_what_the_asker_sees(centre: Centre) -> None:
    give_everyone(centre)
    mine, other = await centre.report(grid=G1), await centre.report(grid=G8)
    assert set(await features(centre, "supervisor", "incidents")) == {mine["id"], other["id"]}
    assert set(await features(centre, "town", "incidents")) == {mine["id"]}
    assert set(await features(centre, "worker", "incidents")) == {mine["id"]}
    assert set(await features(centre, "dept", "incidents")) == set()
    assert set(await features(centre, "town", "cameras")) == {"c1"}
    assert set(await features(centre, "dept", "cameras")) == {"c2"}
    assert all(code.startswith("340604001") for code in await features(centre, "town", "areas"))
    assert set(await features(centre, "town", "beats")) == {"B-1"}
    places = json.loads(await taken(centre, "town", "places.geojson"))["features"]
    assert [place["properties"]["name"] for place in places] == ["三桥中学"]
    for username, what in (("admin", "incidents"), ("worker", "cameras")):
        error(await centre.get(username, f"/exports/{what}.csv"), 403, "forbidden")
    listed = (await centre.get("admin", "/exports")).json()["items"]
    assert {row["what"] for row in listed} == {
        "areas",
        "beats",
        "places",
        "checkpoints",
        "cameras",
        "responders",
    }


async def test_incidents_of_an_area_and_a_time_without_contacts(centre: Centre) -> None:
    first = await centre.report(grid=G1, reporter_contact="13812340472")
    centre.clock.advance(3_600)
    second = await centre.report(grid=G3)
    third = await centre.report(grid=G5)
    after = {"from": "2026-11-22T03:30:00Z"}
    assert set(await features(centre, "leader", "incidents", **after)) == {second["id"], third["id"]}
    assert set(await features(centre, "leader", "incidents", to=after["from"])) == {first["id"]}
    assert set(await features(centre, "leader", "incidents", area=G1[:9])) == {first["id"], second["id"]}
    content = await taken(centre, "leader", "incidents.csv")
    assert b"0472" not in content
    assert first["trace_code"].encode() not in content
    row = next(row for row in rows(content) if row["id"] == first["id"])
    assert (row["state"], row["grid"], row["exercise"]) == ("reported", G1, "false")
    assert json.loads(await taken(centre, "leader", "incidents.geojson", area=G8))["features"] == []


async def test_text_stays_text_in_a_spreadsheet(centre: Centre) -> None:
    titles = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", " =1", "＝1", "平常")
    for title in titles:
        await centre.report(title=title)
    found = {row["title"] for row in rows(await taken(centre, "supervisor", "incidents.csv"))}
    assert found == {"'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)", "'=1", "'＝1", "平常"}
    content = await taken(centre, "supervisor", "incidents.xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"=HYPERLINK(1)" in sheet
    written = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    head, *lines = written.to_python()
    at = lines[0][head.index("reported_at")]
    assert (at.hour, at.minute) == (11, 0)  # in the district


async def test_each_export_is_recorded_and_leaves_nothing_behind(centre: Centre) -> None:
    await taken(centre, "leader", "cameras.xlsx", crs="GCJ-02", area="340604001")
    entry = next(
        row
        for row in (await centre.get("leader", "/audit")).json()["items"]
        if row["action"] == "data.exported"
    )
    assert entry["object"] == "cameras:340604001"
    assert entry["data"] == {"format": "xlsx", "crs": "GCJ-02", "rows": 1, "from": None, "to": None}
    assert list((centre.data / "taken-out").iterdir()) == []


async def test_what_makes_no_sense_is_refused(centre: Centre) -> None:
    give_everyone(centre)
    get = centre.get
    error(await get("leader", "/exports/secrets.csv"), 404, "not_found")
    error(await get("leader", "/exports/areas.csv", area="none"), 404, "not_found")
    error(await get("town", "/exports/cameras.csv", area="340604010"), 404, "not_found")
    for path, query, field in (
        ("areas.shp", {}, "format"),
        ("areas.csv", {"crs": "BD-09"}, "crs"),
        ("areas.csv", {"from": "2026-11-22T00:00:00Z"}, "from"),
        ("incidents.csv", {"from": "yesterday"}, "from"),
        ("incidents.csv", {"from": "2026-11-22T00:00:00"}, "from"),
        ("incidents.csv", {"from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"}, "to"),
    ):
        assert error(await get("leader", f"/exports/{path}", **query), 422, "malformed")["field"] == field


async def test_a_wall_takes_nothing(centre: Centre) -> None:
    give_everyone(centre)
    async with centre.anonymous() as wall:
        assert (await wall.get("/wall", params={"kiosk": centre.keys.kiosk})).status_code == 303
        assert (await wall.get("/api/v1/cameras")).status_code == 200
        error(await wall.get("/api/v1/exports/cameras.csv"), 403, "forbidden")
        assert (await wall.get("/api/v1/exports")).json()["items"] == []
