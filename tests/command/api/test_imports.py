"""Files brought in over the API: drafted, applied, told to everybody, taken back."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import python_calamine

from command.clock import ManualClock
from command.core import IMPORTS, open_core
from command.district import AREAS
from command.geography.imports.jobs import RECORD
from command.server import create_app
from command.settings import CameraSettings
from gis.intake.fields import SPECS, guess
from tests.fixtures import (
    G1,
    START,
    Centre,
    Keys,
    district_of,
    middle,
    running,
    settings_for,
    write_areas_file,
)

PASSWORD = "canary-7f31"


@pytest.fixture
async def office(
    data_folder: Path, prepared: tuple[Path, Keys], district_folder: Path
) -> AsyncIterator[Centre]:
    """The whole service on a district folder of its own, which it may change."""
    shutil.rmtree(district_of(data_folder), ignore_errors=True)
    shutil.copytree(district_folder, district_of(data_folder))
    clock = ManualClock(START)
    settings = settings_for(data_folder, cameras=CameraSettings(allowed_networks=("127.0.0.0/8",)))
    core = open_core(settings, clock)
    app = create_app(settings, core=core)
    centre = Centre(core, app, clock, prepared[1], data_folder)
    async with running(app):
        yield centre
        await centre.close()


async def begin(centre: Centre, kind: str, name: str, content: bytes, **choices: Any) -> dict[str, Any]:
    client = await centre.as_("admin")
    answer = await client.post(
        "/api/v1/imports",
        data={"kind": kind, "choices": json.dumps(choices)},
        files={"file": (name, content)},
    )
    assert answer.status_code == 201, answer.text
    return await settled(centre, answer.json()["id"])


async def settled(centre: Centre, job: str) -> dict[str, Any]:
    await centre.core.imports.wait(job)
    return dict((await centre.get("admin", f"/imports/{job}")).json())


async def apply(centre: Centre, job: str, **body: Any) -> dict[str, Any]:
    answer = await centre.post("admin", f"/imports/{job}/apply", body)
    assert answer.status_code == 200, answer.text
    return await settled(centre, job)


async def test_areas_are_looked_at_put_in_force_and_taken_back(office: Centre, tmp_path: Path) -> None:
    document = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    document["features"][0]["properties"]["name"] = "新八格县"
    job = await begin(office, "areas", "../区划.geojson", json.dumps(document).encode())
    assert (job["state"], job["draft"]["taken"], job["draft"]["rows"]) == ("ready", 16, 16)
    assert job["draft"]["needs"] == []
    shown = (await office.get("admin", f"/imports/{job['id']}/preview.geojson")).json()
    assert len(shown["features"]) >= 16
    assert (await office.get("dispatcher", "/areas", tier=1)).json()["items"][0]["name"] == "八格县"

    done = await apply(office, job["id"])
    assert (done["state"], done["revision"], done["counts"]["taken"]) == ("applied", 1, 16)
    assert (await office.get("dispatcher", "/areas", tier=1)).json()["items"][0]["name"] == "新八格县"
    told = office.core.board.geography["district"]
    assert (told.revision, told.changed, told.by) == (1, (AREAS,), "系统管理员")
    [revision] = (await office.get("admin", "/geography/revisions")).json()["items"]
    assert (revision["what"], revision["note"], revision["undoable"]) == ("areas", "../区划.geojson", True)

    undone = await office.post("admin", f"/imports/{job['id']}/undo")
    assert undone.json()["state"] == "undone"
    assert (await office.get("dispatcher", "/areas", tier=1)).json()["items"][0]["name"] == "八格县"
    assert office.core.board.geography["district"].revision == 2
    answer = await office.post("admin", "/geography/revisions/1/undo")
    assert (answer.status_code, answer.json()["error"]) == (409, "not_undoable")


async def test_cameras_and_units_are_in_the_new_grids_at_once(office: Centre, tmp_path: Path) -> None:
    camera = next(c for c in office.core.board.cameras.values() if c.grid is not None)
    old = str(camera.grid)
    new = old[:-3] + "099"
    renamed = write_areas_file(tmp_path / "a.geojson").read_text("utf-8").replace(old, new)
    job = await begin(office, "areas", "a.geojson", renamed.encode())
    await apply(office, job["id"])
    assert office.core.board.cameras[camera.id].grid == new
    located = (await office.get("dispatcher", "/locate", lon=camera.lon, lat=camera.lat)).json()
    assert located["areas"]["4"]["code"] == new


async def test_a_file_that_is_none_changes_nothing_and_says_why(office: Centre, tmp_path: Path) -> None:
    job = await begin(office, "areas", "none.geojson", b'{"type": "FeatureCollection", "features": [')
    assert (job["state"], job["draft"]) == ("failed", None)
    assert "cannot be read" in job["error"]["detail"]
    assert (await office.post("admin", f"/imports/{job['id']}/apply")).status_code == 409
    document = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    for feature in document["features"]:
        feature["geometry"] = None
    job = await begin(office, "areas", "shapeless.geojson", json.dumps(document).encode())
    assert (job["state"], job["draft"]["taken"], job["draft"]["counts"]["no_geometry"]) == ("ready", 0, 16)
    job = await apply(office, job["id"])
    assert (job["state"], job["error"]["error"]) == ("ready", "nothing_taken")
    assert (await office.get("dispatcher", "/areas", tier=1)).json()["items"][0]["name"] == "八格县"
    assert office.core.keeper.revisions.current == 0


async def test_rows_are_taken_in_a_word_by_number_or_all_of_them_or_none(
    office: Centre, tmp_path: Path
) -> None:
    document = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    document["features"][14]["properties"]["households"] = "很多"
    document["features"][15]["geometry"] = None
    content = json.dumps(document).encode()
    job = await begin(office, "areas", "a.geojson", content, crs="EPSG:4326", rows="all")
    assert job["draft"]["rows_by_worst"] == {"good": 14, "warning": 1, "error": 1}
    told = await apply(office, job["id"])
    assert (told["state"], told["error"]["error"], told["revision"]) == ("ready", "rows_left", None)
    assert "1 行存在错误" in told["error"]["detail_zh"]
    assert office.core.keeper.revisions.current == 0
    for wrong in ("every", [0], [[5, 1]], [[1, 2, 3]], ["x"], [1.5]):
        answer = await office.post("admin", f"/imports/{job['id']}/apply", {"rows": wrong})
        assert answer.status_code == 422, (wrong, answer.text)
    for said, taken in (("good", 14), ("warned", 15), ([[14, 900_000_000]], 2)):
        job = await begin(office, "areas", "a.geojson", content, crs="EPSG:4326", rows=said)
        assert job["draft"]["taken"] == taken
    done = await apply(office, job["id"], rows=[[1, 4], 3, [5, 15], 16])
    assert (done["state"], done["counts"]["taken"]) == ("applied", 15)
    assert done["choices"]["rows"] == [[1, 16]]
    assert len(office.core.district.areas) == 15


async def test_columns_that_mean_nothing_stay_with_the_areas_and_go_out_under_their_names(
    office: Centre, tmp_path: Path
) -> None:
    document = json.loads(write_areas_file(tmp_path / "a.geojson").read_bytes())
    for number, feature in enumerate(document["features"]):
        feature["properties"] |= {
            "户籍人口": 100 + number,
            "Kind": "城中村",
            "=1+1": "x",
            'a"b': "y",
            "FID": "7",
        }
    document["features"][4]["properties"]["楼长"] = "13812345678"
    code = document["features"][15]["properties"]["code"]
    content = json.dumps(document).encode()
    refused = await (await office.as_("admin")).post(
        "/api/v1/imports",
        data={"kind": "places", "choices": '{"keep_columns":true}'},
        files={"file": ("p.csv", b"x")},
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "keep_columns")
    job = await begin(
        office, "areas", "a.geojson", content, crs="EPSG:4326", mapping={"Kind": ""}, keep_columns=True
    )
    assert {c["name"] for c in job["draft"]["columns"] if c["private"]} == {"楼长"}
    done = await apply(office, job["id"])
    assert done["state"] == "applied"
    said = {"户籍人口": "115", "Kind": "城中村", "=1+1": "x", 'a"b': "y", "FID": "7"}
    assert (await office.get("dispatcher", f"/areas/{code}")).json()["extras"] == said
    history = (await office.get("admin", f"/geography/areas/{code}/history")).json()
    assert history["versions"][0]["extras"] == said
    assert "extra" in history["changes"][0]["fields"]
    assert history["changes"][0]["before"]["extras"] == {}

    out = {"户籍人口": "115", "Kind_": "城中村", "=1+1": "x", 'a"b': "y", "FID_": "7"}
    taken = (await office.get("leader", "/exports/areas.geojson")).json()["features"]
    [grid] = [one["properties"] for one in taken if one["properties"]["code"] == code]
    assert grid["kind"] == "general"
    assert {name: grid[name] for name in out} == out
    (tmp_path / "a.gpkg").write_bytes((await office.get("leader", "/exports/areas.gpkg")).content)
    meta, _, _, columns = pyogrio.raw.read(tmp_path / "a.gpkg", where=f"code = '{code}'")
    row = {name: column[0] for name, column in zip(meta["fields"].tolist(), columns, strict=True)}
    assert {name: row[name] for name in out} == out
    table = (await office.get("leader", "/exports/areas.csv")).text.removeprefix("\ufeff")
    head = next(csv.reader(io.StringIO(table)))
    assert head[13:18] == ["户籍人口", "Kind_", "'=1+1", 'a"b', "FID_"]
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO((await office.get("leader", "/exports/areas.xlsx")).content)
    )
    assert book.get_sheet_by_index(0).to_python()[0][13:18] == list(out)

    map_program = await office.as_("dispatcher")
    answer = (await map_program.get(f"/ogc/collections/grid/items/{code}")).json()["properties"]
    assert {name: answer[name] for name in out} == out
    page = (await map_program.get("/ogc/collections/grid/items")).json()["features"]
    assert all(set(out) <= set(one["properties"]) for one in page)
    html = await map_program.get(f"/ogc/collections/grid/items/{code}", params={"f": "html"})
    assert "城中村" in html.text
    assert "13812345678" not in table


async def test_cameras_are_registered_and_their_passwords_stay_nowhere_else(office: Centre) -> None:
    lon, lat = middle(G1)
    table = (
        "名称,经度,纬度,协议,host,port,path,username,password\n"
        f"东门枪机,{lon},{lat},rtsp,127.0.0.1,554,/a,admin,{PASSWORD}\n"
        f"外网,{lon},{lat},rtsp,8.8.8.8,554,/b,admin,{PASSWORD}\n"
    )
    before = set(office.core.board.cameras)
    job = await begin(office, "cameras", "cams.csv", table.encode(), crs="EPSG:4326")
    assert (job["state"], job["draft"]["taken"]) == ("ready", 1)
    assert PASSWORD not in json.dumps(job)
    issues = (await office.get("admin", f"/imports/{job['id']}/issues", severity="error")).json()["items"]
    assert [(one["row"], "8.8.8.8" in one["detail_zh"]) for one in issues] == [(2, True)]
    done = await apply(office, job["id"])
    assert done["counts"] | {"rows": 2, "new": 1, "left_out": 1} == done["counts"]
    [new] = set(office.core.board.cameras) - before
    assert office.core.board.cameras[new].grid == G1
    kept = await office.core.sources.load_source(new)
    assert kept is not None
    assert kept.password == PASSWORD
    for path in (office.data / IMPORTS).rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
    await office.post("admin", f"/imports/{job['id']}/undo")
    assert set(office.core.board.cameras) == before


async def test_people_come_and_go_with_an_import(office: Centre) -> None:
    before = dict(office.core.board.responders)
    table = (
        f"姓名,岗位,手机,所辖网格\n韩雪,grid_worker,13911112222,{G1}\n周巧云,grid_worker,13900000001,{G1}\n"
    )
    job = await begin(office, "responders", "people.csv", table.encode("gb18030"))
    assert job["draft"]["taken"] == 2, job
    await apply(office, job["id"])
    [new] = [p for key, p in office.core.board.responders.items() if key not in before]
    assert (new.name, new.grids) == ("韩雪", (G1,))
    await office.post("admin", f"/imports/{job['id']}/undo")
    assert set(office.core.board.responders) == set(before)
    assert office.core.board.responders["w1"].device_id == before["w1"].device_id


async def test_only_those_may_who_keep_that_kind(office: Centre) -> None:
    client = await office.as_("dispatcher")
    form = {"data": {"kind": "areas"}, "files": {"file": ("a.geojson", b"{}")}}
    assert (await client.post("/api/v1/imports", **form)).status_code == 403
    assert (await office.get("dispatcher", "/imports")).status_code == 403
    assert (await office.get("dispatcher", "/geography/revisions")).status_code == 403
    admin = await office.as_("admin")
    answer = await admin.post("/api/v1/imports", data={"kind": "people"}, files={"file": ("a", b"{}")})
    assert (answer.status_code, answer.json()["error"]) == (422, "malformed")
    answer = await admin.post("/api/v1/imports", data={"kind": "areas"})
    assert answer.status_code == 422
    assert (await office.get("admin", "/imports/i_none")).status_code == 404


async def test_what_was_at_work_when_the_service_ended_says_so(office: Centre, tmp_path: Path) -> None:
    job = await begin(office, "areas", "a.geojson", write_areas_file(tmp_path / "a.geojson").read_bytes())
    record = office.data / IMPORTS / job["id"] / RECORD
    stored = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps({**stored, "state": "applying"}), "utf-8")
    (office.data / IMPORTS / "i_rubbish").mkdir()
    half = office.data / IMPORTS / job["id"] / "work" / ".reading" / "result.csv"
    half.parent.mkdir()
    half.write_text("half a draft", "utf-8")
    from command.geography.imports import Imports

    again = Imports(office.data / IMPORTS, {"areas": None}, office.clock)  # type: ignore[dict-item]
    found = again.get(job["id"])
    assert (found.state, found.error is not None and found.error.error) == ("failed", "interrupted")
    assert not (office.data / IMPORTS / "i_rubbish").exists()
    assert not half.parent.exists()
    assert again.file(job["id"], "issues.csv").is_file()


async def test_a_cancelled_import_leaves_nothing_of_its_work(office: Centre, tmp_path: Path) -> None:
    client = await office.as_("admin")
    content = write_areas_file(tmp_path / "a.geojson").read_bytes()
    answer = await client.post("/api/v1/imports", data={"kind": "areas"}, files={"file": ("a", content)})
    job = answer.json()["id"]
    await asyncio.sleep(0)
    assert (await office.post("admin", f"/imports/{job}/cancel")).json()["state"] == "cancelled"
    assert not (office.data / IMPORTS / job / "work").exists()
    assert (await office.post("admin", f"/imports/{job}/apply")).status_code == 409
    assert (await client.delete(f"/api/v1/imports/{job}")).status_code == 204
    assert not (office.data / IMPORTS / job).exists()


async def test_cancelling_a_second_look_keeps_the_first(office: Centre, tmp_path: Path) -> None:
    job = await begin(office, "areas", "a.geojson", write_areas_file(tmp_path / "a.geojson").read_bytes())
    again = await office.post("admin", f"/imports/{job['id']}/draft", {"choices": {"crs": "BD-09"}})
    assert again.json()["state"] == "reading"
    kept = (await office.post("admin", f"/imports/{job['id']}/cancel")).json()
    assert (kept["state"], kept["choices"], kept["draft"]) == ("ready", job["choices"], job["draft"])
    assert (await office.get("admin", f"/imports/{job['id']}/preview.geojson")).status_code == 200


async def test_each_sees_what_there_is_of_the_kinds_they_bring_in(office: Centre) -> None:
    kinds = {row["kind"]: row for row in (await office.get("admin", "/imports/kinds")).json()["items"]}
    assert (kinds["areas"]["now"], kinds["areas"]["tiers"]["1"]) == (16, 1)
    assert kinds["cameras"]["now"] == len(office.core.board.cameras)
    assert kinds["roads"]["now"] is None
    for kind in set(kinds) - {"roads"}:
        headers = {field["header"]: field["name"] for field in kinds[kind]["fields"]}
        assert guess(headers, SPECS[kind]) == headers, kind


async def test_an_import_knows_what_the_history_took_back(office: Centre, tmp_path: Path) -> None:
    job = await begin(office, "areas", "a.geojson", write_areas_file(tmp_path / "a.geojson").read_bytes())
    await apply(office, job["id"])
    await office.post("admin", "/geography/revisions/1/undo")
    assert (await settled(office, job["id"]))["state"] == "undone"
    await office.post("admin", "/geography/revisions/2/undo")
    restored = await settled(office, job["id"])
    assert (restored["state"], restored["revision"]) == ("applied", 3)
    assert (await office.post("admin", f"/imports/{job['id']}/undo")).json()["state"] == "undone"
