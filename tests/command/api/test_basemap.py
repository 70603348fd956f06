"""A customer's basemap over the API: put in force, seen by all, its address by nobody, taken back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from command.basemap.prepare import Wish
from command.clock import ManualClock
from command.core import open_core
from command.errors import Malformed
from command.events import SYSTEM
from command.server import create_app
from command.settings import BasemapSettings
from gis.errors import BadFile
from tests.command.api.test_incidents import error
from tests.command.basemap.tile_server import KEY, picture, tile_server
from tests.fixtures import START, Centre, Keys, district_of, running, settings_for
from tests.gis.tiles.archive import archive

TILE = (14, 13508, 6553)


@pytest.fixture
async def office(
    data_folder: Path, prepared: tuple[Path, Keys], district_folder: Path
) -> AsyncIterator[Centre]:
    """The whole service on a district folder of its own, which may ask tile servers on loopback."""
    shutil.rmtree(district_of(data_folder), ignore_errors=True)
    shutil.copytree(district_folder, district_of(data_folder))
    allowed = BasemapSettings(allowed_networks=("127.0.0.0/8",), timeout_s=0.5)
    core = open_core(settings_for(data_folder, basemap=allowed), ManualClock(START))
    app = create_app(core.settings, core=core)
    centre = Centre(core, app, ManualClock(START), prepared[1], data_folder)
    async with running(app):
        yield centre
        await centre.close()


async def put(centre: Centre, username: str, slot: str, **body: object) -> tuple[int, dict[str, object]]:
    client = await centre.as_(username)
    answer = await client.put(f"/api/v1/basemap/sources/{slot}", json=body)
    return answer.status_code, answer.json()


async def test_a_tile_server_is_put_in_force_seen_by_all_and_taken_back(
    office: Centre, capsys: pytest.CaptureFixture[str]
) -> None:
    async with tile_server() as server:
        assert (await put(office, "dispatcher", "custom", url=server.url))[0] == 403
        status, row = await put(
            office, "admin", "custom", url=server.url, name="县图", attribution="自然资源局", crs="EPSG:4490"
        )
        assert status == 200, row
        assert (row["crs"], row["side_px"], row["origin"]) == ("WGS-84", 256, f"127.0.0.1:{server.port}")
        (seen,) = (await office.get("dispatcher", "/basemap/sources")).json()["items"]
        assert (seen["name"], seen["health"]["state"]) == ("县图", "ok")
        assert "origin" not in seen

        client = await office.as_("worker")
        answer = await client.get("/basemap/custom/14/13508/6553", params={"v": seen["version"]})
        assert (answer.status_code, answer.content) == (200, picture(*TILE))
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
            "image/png",
            "private, max-age=86400",
        )
        async with office.anonymous() as stranger:
            error(await stranger.get("/basemap/custom/14/13508/6553"), 401, "unauthenticated")
        error(await client.get("/basemap/imagery/14/13508/6553"), 404, "not_found")
        error(await client.get("/basemap/custom/3/9/9"), 404, "not_found")
        server.mood = "error"
        for x in range(4):
            error(await client.get(f"/basemap/custom/14/{x}/6553"), 503, "unavailable")
        (seen,) = (await office.get("dispatcher", "/basemap/sources")).json()["items"]
        assert seen["health"]["state"] == "unreachable"
        assert "500" in seen["health"]["detail"]

    admin = await office.as_("admin")
    gone = await admin.delete("/api/v1/basemap/sources/custom")
    assert gone.status_code == 200, gone.text
    assert (await office.get("dispatcher", "/basemap/sources")).json()["items"] == []
    undone = await admin.post(f"/api/v1/geography/revisions/{gone.json()['revision']}/undo")
    assert undone.status_code in (200, 201), undone.text
    async with asyncio.timeout(10):
        while not (await office.get("dispatcher", "/basemap/sources")).json()["items"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # until the service has looked at its files again
    # The key stands in no answer, no log line, no file and no event.
    texts = [capsys.readouterr().out, (await admin.get("/api/v1/audit")).text, str(row), str(seen)]
    files = [path.read_bytes() for path in office.data.rglob("*") if path.is_file()]
    assert KEY not in "".join(texts)
    assert not [1 for content in files if KEY.encode() in content]


async def test_what_will_not_do_is_refused_and_what_was_there_stays(office: Centre) -> None:
    async with tile_server() as server:
        assert (await put(office, "admin", "custom", url=server.url, name="一"))[0] == 200
        for body, field in (
            ({"url": server.url.replace("{y}", "")}, "url"),
            ({"url": server.url.replace("127.0.0.1", "10.9.9.9")}, "url"),
            ({"url": server.url.replace(KEY, "wrong")}, "url"),
            ({"url": server.url, "crs": "BD-09"}, "crs"),
            ({"url": server.url, "crs": "EPSG:2380"}, "crs"),
            ({"url": server.url, "min_zoom": 9, "max_zoom": 8}, "max_zoom"),
        ):
            status, row = await put(office, "admin", "custom", **body)  # type: ignore[arg-type]
            assert (status, row["field"]) == (422, field), row
        server.mood = "html"
        assert (await put(office, "admin", "custom", url=server.url))[0] == 422
        (seen,) = (await office.get("admin", "/basemap/sources")).json()["items"]
        assert seen["name"] == "一"
    assert not list(office.data.glob(".basemap-*")), "staging was left behind"


async def test_an_archive_comes_by_the_terminals_way_in(office: Centre, tmp_path: Path) -> None:
    keep = office.core.basemap_office
    vector = tmp_path / "county.pmtiles"
    vector.write_bytes(
        archive({(0, 0, 0): b"\x1a\x00"}, kind=1, layers=("water", "landcover", "transportation"))
    )
    with pytest.raises(Malformed, match="vector"):
        await keep.put_archive(vector, Wish("custom", crs="GCJ-02"), SYSTEM)
    with pytest.raises(Malformed, match="pictures"):
        await keep.put_archive(vector, Wish("imagery"), SYSTEM)
    broken = tmp_path / "broken.pmtiles"
    broken.write_bytes(vector.read_bytes()[:-1])
    with pytest.raises(BadFile, match="cut short"):
        await keep.put_archive(broken, Wish("custom"), SYSTEM)
    source, revision = await keep.put_archive(vector, Wish("custom"), SYSTEM)
    assert (source.name, source.schema, source.max_zoom) == ("county", "own", 0)
    photographs = tmp_path / "above.pmtiles"
    photographs.write_bytes(archive({(0, 0, 0): picture(0, 0, 0, 512)}, kind=2))
    above, _ = await keep.put_archive(photographs, Wish("imagery", crs="GCJ-02", name="影像"), SYSTEM)
    assert (above.side_px, above.datum) == (512, "GCJ-02")
    await office.core.basemap.load()
    client = await office.as_("dispatcher")
    answer = await client.get("/basemap/custom/0/0/0")
    assert (answer.content, answer.headers["content-type"]) == (
        b"\x1a\x00",
        "application/vnd.mapbox-vector-tile",
    )
    assert (await client.get("/basemap/imagery/0/0/0")).content == picture(0, 0, 0, 512)
    assert revision.change.what == "basemap"
    slots = [row["slot"] for row in (await office.get("admin", "/basemap/sources")).json()["items"]]
    assert sorted(slots) == ["custom", "imagery"], "one does not take the other's place"
