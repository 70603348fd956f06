"""Lists of cameras brought in over the API: tried, taken, and taken back with the sources that they replaced."""

from __future__ import annotations

import csv
import io
from typing import Any

from command.core import IMPORTS
from command.events import SYSTEM
from command.geography.imports import Imports
from streams.source import Source
from tests.command.api.registry import SOURCE, delete, put, register
from tests.command.api.test_imports import apply, begin, settled
from tests.command.api.test_incidents import error
from tests.fixtures import G5, Centre

GB = "34060400001320000009"
HERE = {"crs": "EPSG:4326"}
ROWS = [
    ("点位名称", "国标编号", "经度", "纬度", "IP地址", "用户名", "密码"),
    ("好的", GB, "116.825", "33.905", "10.0.0.7", "admin", "s3cret"),
    ("坏\x07名", "", "116.825", "33.905", "", "", ""),
    ("外网", "", "116.826", "33.905", "8.8.8.8", "", ""),
    ("<b>无源</b>", "", "116.827", "33.905", "", "", ""),
    ("短号", "123", "116.828", "33.905", "", "", ""),
    ("好的二", GB, "116.829", "33.905", "", "", ""),
]


def table(rows: list[tuple[str, ...]], encoding: str = "utf-8") -> bytes:
    return "\n".join(",".join(row) for row in rows).encode(encoding)


async def bring(centre: Centre, content: bytes, **choices: Any) -> dict[str, Any]:
    return await begin(centre, "cameras", "摄像头", content, **{**HERE, **choices})


async def undo(centre: Centre, job: str) -> None:
    answer = await centre.post("admin", f"/imports/{job}/undo")
    assert (answer.status_code, answer.json()["state"]) == (200, "undone"), answer.text


async def issues(centre: Centre, job: str) -> list[dict[str, Any]]:
    return list((await centre.get("admin", f"/imports/{job}/issues")).json()["items"])


async def test_a_list_is_tried_and_then_taken(registry: Centre) -> None:
    before = len(registry.core.board.cameras)
    job = await bring(registry, table(ROWS, "gb18030"))
    draft = job["draft"]
    assert (job["state"], draft["rows"], draft["taken"], draft["encoding"]["used"]) == (
        "ready",
        6,
        2,
        "gb18030",
    )
    assert draft["rows_by_worst"] == {"good": 2, "warning": 0, "error": 4}
    assert len(registry.core.board.cameras) == before
    done = await apply(registry, job["id"])
    assert (done["state"], done["counts"]["taken"], done["counts"]["new"]) == ("applied", 2, 2)
    camera = registry.core.board.cameras[f"c_{GB}"]
    assert (camera.name, camera.source, camera.grid) == ("好的", "rtsp", G5)
    kept = (await registry.get("admin", f"/cameras/{camera.id}/source")).json()
    assert (kept["username"], kept["has_password"]) == ("admin", True)
    # Once more, without the passwords: nothing is lost and nothing is new.
    seq = registry.core.board.seq
    again = await bring(registry, table([row[:6] for row in ROWS]))
    done = await apply(registry, again["id"])
    assert (done["counts"]["new"], done["counts"]["changed"]) == (0, 2)
    assert registry.core.board.seq == seq
    assert (await registry.get("admin", f"/cameras/{camera.id}/source")).json()["has_password"]


async def test_what_is_wrong_is_told_in_both_languages(registry: Centre) -> None:
    job = await bring(registry, table(ROWS))
    told = await issues(registry, job["id"])
    assert [(one["row"], one["name"], one["issue"]) for one in told] == [
        (2, "坏\x07名", "bad_name"),
        (3, "外网", "bad_value"),
        (5, "短号", "bad_value"),
        (6, "好的二", "duplicate_code"),
    ]
    assert told[1]["detail_zh"].startswith("IP地址：8.8.8.8 不在允许的网段内")
    assert told[1]["detail_en"].startswith("IP地址: 8.8.8.8")
    assert "cameras.allowed_networks" in told[1]["detail_en"]
    assert (told[1]["lon"], told[1]["lat"]) == (116.826, 33.905)
    assert (told[2]["detail_zh"], told[2]["detail_en"], told[2]["code"]) == (
        "国标编号：国标编号是 20 位数字，不是 '123'",
        "国标编号: a GB number has 20 digits, which '123' has not",
        "123",
    )
    assert told[3]["detail_en"] == "国标编号: the same as row 1"
    shown = (await registry.get("admin", f"/imports/{job['id']}/preview.geojson")).json()["features"]
    worst = {one["properties"]["row"]: one["properties"]["worst"] for one in shown}
    assert worst == {1: "good", 2: "error", 3: "error", 4: "good", 5: "error", 6: "error"}
    listed = await registry.get("admin", f"/imports/{job['id']}/issues.csv")
    rows = list(csv.DictReader(io.StringIO(listed.text.removeprefix("\ufeff"))))
    assert [row["detail_en"] for row in rows] == [one["detail_en"] for one in told]

    people = "姓名,岗位,所辖网格\n韩雪,巫师,\n周巧云,网格员,999\n" + "长" * 41 + ",民警,\n"
    job = await begin(registry, "responders", "people.csv", people.encode(), rows="all")
    told = [one for one in await issues(registry, job["id"]) if one["severity"] == "error"]
    assert [(one["row"], one["issue"]) for one in told] == [
        (1, "bad_value"),
        (2, "unknown_area"),
        (3, "bad_name"),
    ]
    assert told[1]["detail_zh"] == "所辖网格：现行区划中没有 '999'"
    assert told[1]["detail_en"] == "所辖网格: '999' is not in force"
    assert told[2]["detail_en"] == "姓名: a name has 1 to 40 characters"
    assert "is no kind of person" in told[0]["detail_en"]


async def test_taking_an_import_back_gives_the_earlier_sources_back(registry: Centre) -> None:
    """With their passwords; who had none loses the new one; what somebody changed since is theirs."""
    core = registry.core
    made = [
        await register(registry, name=name, gb_id=f"{GB[:-2]}1{n}", source=source)
        for n, (name, source) in enumerate(
            [
                ("有密码", {**SOURCE, "password": "first", "control_port": 8080}),
                ("无源", None),
                ("后来又改", {**SOURCE, "password": "first"}),
                ("后来删了", {**SOURCE, "password": "first"}),
                ("没换", {**SOURCE, "path": "same", "password": "first"}),
            ]
        )
    ]
    ids = [camera["id"] for camera in made]
    before = {key: core.board.cameras[key] for key in ids}

    async def sources() -> list[Source | None]:
        return [await core.sources.load_source(key) for key in ids]

    had = await sources()
    rows = [("name", "gb_id", "lon", "lat", "host", "path", "username", "password")]
    for n in range(4):
        rows.append(
            (f"新名{n}", f"{GB[:-2]}1{n}", "116.825", "33.905", f"10.0.1.{n}", "new", "root", "second")
        )
    rows.append(("新名4", f"{GB[:-2]}14", "116.825", "33.905", "10.0.0.5", "same", "admin", ""))
    rows.append(("新来", GB, "116.825", "33.905", "10.0.1.9", "new", "root", "second"))
    job = await bring(registry, table(rows))
    done = await apply(registry, job["id"])
    assert (done["counts"]["new"], done["counts"]["changed"]) == (1, 5)
    brought = await sources()
    assert [source and source.password for source in brought] == ["second"] * 4 + ["first"]
    assert [core.board.cameras[key].source for key in ids] == ["rtsp"] * 5

    registry.clock.advance(1)
    theirs = {**SOURCE, "host": "10.0.2.2", "password": "third"}
    assert (await put(registry, "admin", f"/cameras/{ids[2]}", {"source": theirs})).status_code == 200
    assert (await delete(registry, "admin", f"/cameras/{ids[3]}")).status_code == 200
    await undo(registry, job["id"])

    now = await sources()
    assert (now[0], now[1], now[3], now[4]) == (had[0], None, None, had[4])
    assert (now[2] is not None and now[2].password, had[2] is not None) == ("third", True)
    assert f"c_{GB}" not in core.board.cameras
    assert ids[3] not in core.board.cameras
    assert [core.board.cameras[key].source for key in (*ids[:3], ids[4])] == ["rtsp", None, "rtsp", "rtsp"]
    assert [core.board.cameras[key].name for key in ids[:3]] == [before[key].name for key in ids[:3]]
    error(await registry.get("admin", f"/cameras/{ids[1]}/source"), 404, "not_found")


async def test_an_import_is_taken_back_by_a_service_that_did_not_make_it(registry: Centre) -> None:
    made = await register(registry, gb_id=GB, source={**SOURCE, "password": "first"})
    row = f"门,{GB},116.825,33.905,10.0.1.1,second"
    job = (await bring(registry, f"name,gb_id,lon,lat,host,password\n{row}\n".encode()))["id"]

    def restarted() -> Imports:
        return Imports(registry.data / IMPORTS, registry.core.imports._appliers, registry.clock)

    second = restarted()
    second.apply(job, SYSTEM)
    assert (await second.wait(job)).counts["changed"] == 1
    third = restarted()
    assert (await third.undo(job, SYSTEM)).state == "undone"
    source = await registry.core.sources.load_source(made["id"])
    assert source is not None
    assert (source.host, source.password) == ("10.0.0.5", "first")


async def test_who_may_not_keep_cameras_brings_none_in(registry: Centre) -> None:
    form = {"data": {"kind": "cameras"}, "files": {"file": ("a.csv", b"name,lon,lat\n")}}
    for username in ("operator", "dispatcher", "supervisor", "leader", "dept", "police", "worker"):
        client = await registry.as_(username)
        error(await client.post("/api/v1/imports", **form), 403, "forbidden")


async def test_what_is_no_list_says_so_and_is_kept_sealed(registry: Centre) -> None:
    job = await bring(registry, b"\xd0\xcf\x11\xe0" + bytes(600))
    assert (job["state"], job["draft"], job["error"]["error"]) == ("failed", None, "old_excel")
    assert ".xlsx" in job["error"]["detail_zh"]
    home = registry.data / IMPORTS / job["id"]
    assert {path.name for path in home.rglob("*") if path.is_file()} == {"job.json", "upload.sealed"}
    # Somebody chooses otherwise: the file is still there to be read.
    await registry.post("admin", f"/imports/{job['id']}/draft", {"choices": {"crs": "GCJ-02"}})
    assert (await settled(registry, job["id"]))["error"] == job["error"]
