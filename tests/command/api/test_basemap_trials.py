"""A basemap on trial: looked at, told what is wrong, put in force, and the one before put back."""

from __future__ import annotations

from typing import Any

from command.basemap.trials import UPLOAD
from tests.command.api.test_basemap import office
from tests.command.api.test_incidents import error
from tests.command.basemap.tile_server import KEY, picture, tile_server
from tests.fixtures import Centre
from tests.gis.tiles.archive import archive

__all__ = ["office"]
BASE = "/api/v1/basemap"
VECTOR = archive({(0, 0, 0): b"\x1a\x00"}, kind=1, layers=("water", "landcover", "transportation"))
PICTURES = archive({(0, 0, 0): picture(0, 0, 0), (1, 1, 0): picture(1, 1, 0)}, kind=2)


async def send(centre: Centre, content: bytes, filename: str = "县图.pmtiles", who: str = "admin") -> Any:
    client = await centre.as_(who)
    return await client.post(f"{BASE}/archives", params={"filename": filename}, content=content)


async def in_force(centre: Centre) -> dict[str, str]:
    rows = (await centre.get("admin", "/basemap/sources")).json()["items"]
    return {row["slot"]: row["name"] for row in rows}


async def test_an_archive_is_tried_with_each_datum_and_put_in_force(office: Centre) -> None:
    error(await send(office, PICTURES, who="dispatcher"), 403, "forbidden")
    sent = await send(office, PICTURES)
    assert sent.status_code == 201, sent.text
    trial = sent.json()
    assert (trial["filename"], trial["size"], trial["fault"]) == ("县图.pmtiles", len(PICTURES), None)
    assert [(look["z"], look["outcome"]) for look in trial["looks"]] == [(0, "tile"), (1, "tile")]
    assert await in_force(office) == {}, "it is not in force before somebody says so"
    admin = await office.as_("admin")
    seen = await admin.get(f"{trial['source']['tiles']}/1/1/0")
    assert (seen.content, seen.headers["content-type"]) == (picture(1, 1, 0), "image/png")
    dispatcher = await office.as_("dispatcher")
    error(await dispatcher.get(f"{trial['source']['tiles']}/1/1/0"), 403, "forbidden")

    wish = {"slot": "imagery", "name": "航片", "crs": "GCJ-02", "max_zoom": 0}
    again = (await admin.put(f"{BASE}/trials/{trial['id']}", json=wish)).json()
    assert (again["source"]["crs"], again["source"]["max_zoom"]) == ("GCJ-02", 0)
    assert again["source"]["version"] != trial["source"]["version"]
    done = await admin.post(f"{BASE}/trials/{trial['id']}/apply")
    assert done.status_code == 200, done.text
    assert await in_force(office) == {"imagery": "航片"}
    assert (await dispatcher.get("/basemap/imagery/0/0/0")).content == picture(0, 0, 0)
    error(await admin.get(f"{BASE}/trials/{trial['id']}"), 404, "not_found")
    assert not list(office.data.rglob(UPLOAD)), "the upload was left behind"
    actions = [row["action"] for row in (await admin.get("/api/v1/audit")).json()["items"]]
    assert {"basemap.uploaded", "basemap.put"} <= set(actions)


async def test_what_cannot_be_shown_says_why_and_is_not_put_in_force(office: Centre) -> None:
    admin = await office.as_("admin")
    error(await send(office, VECTOR[:-1]), 422, "bad_file")
    error(await send(office, b"PK\x03\x04" * 100), 422, "bad_file")
    assert not list(office.data.rglob(UPLOAD))
    trial = (await send(office, VECTOR)).json()
    wish = {"name": "", "crs": "GCJ-02"}
    refused = (await admin.put(f"{BASE}/trials/{trial['id']}", json=wish)).json()
    assert (refused["source"], refused["fault"]["why"], refused["wish"]["name"]) == (
        None,
        "vector_shift",
        "县图",
    )
    error(await admin.post(f"{BASE}/trials/{trial['id']}/apply"), 409, "not_ready")
    back = (await admin.put(f"{BASE}/trials/{trial['id']}", json={})).json()
    assert back["fault"] is None
    other = (await send(office, PICTURES)).json()
    rows = (await admin.get(f"{BASE}/trials")).json()["items"]
    assert [(row["id"], row["mine"]) for row in rows] == [(other["id"], True)], "one for each account"
    assert (await admin.delete(f"{BASE}/trials/{other['id']}")).status_code == 204
    assert await in_force(office) == {}


async def test_a_tile_server_on_trial_says_what_each_zoom_answers(office: Centre) -> None:
    admin = await office.as_("admin")
    async with tile_server() as server:
        for mood, why, status in (
            ("error", "status", 500),
            ("html", "no_picture", None),
            ("none", "no_tile", None),
        ):
            server.mood = mood
            tried = (await admin.post(f"{BASE}/trials", json={"url": server.url})).json()
            fault = tried["fault"]
            assert (tried["source"], fault["why"], fault["status"]) == (None, why, status)
            assert {look["outcome"] for look in tried["looks"]} == {"none" if mood == "none" else why}
        asked = len(server.asked)
        away = await admin.post(f"{BASE}/trials", json={"url": server.url.replace("127.0.0.1", "10.9.9.9")})
        assert (away.json()["fault"]["why"], away.json()["looks"]) == ("not_allowed", [])
        assert len(server.asked) == asked
        error(await admin.post(f"{BASE}/trials", json={"url": "http://x/{z}/{x}"}), 422, "basemap_not_shown")
        server.mood = "well"
        again = (
            await admin.post(f"{BASE}/trials", json={"url": server.url, "min_zoom": 9, "max_zoom": 13})
        ).json()
        assert [look["z"] for look in again["looks"]] == [9, 10, 12, 13]
        assert KEY not in str(again)
        done = await admin.post(f"{BASE}/trials/{again['id']}/apply")
        assert done.status_code == 200, done.text


async def test_the_one_before_is_put_back_whatever_came_in_the_other_slot(office: Centre) -> None:
    admin = await office.as_("admin")
    for name, slot in (("一", "custom"), ("二", "custom"), ("影像", "imagery")):
        trial = (await send(office, PICTURES)).json()
        await admin.put(f"{BASE}/trials/{trial['id']}", json={"slot": slot, "name": name})
        assert (await admin.post(f"{BASE}/trials/{trial['id']}/apply")).status_code == 200
    rows = (await admin.get(f"{BASE}/history")).json()["items"]
    turns = [(row["slot"], row["before"] and row["before"]["name"], row["after"]["name"]) for row in rows]
    assert turns == [("imagery", None, "影像"), ("custom", "一", "二"), ("custom", None, "一")]
    assert [row["kept"] for row in rows] == [False, True, False]
    path = f"{BASE}/history/{rows[1]['revision']}/custom/restore"
    error(await (await office.as_("dispatcher")).post(path), 403, "forbidden")
    assert (await admin.post(path)).status_code == 200
    assert await in_force(office) == {"custom": "一", "imagery": "影像"}
    assert (await admin.get("/basemap/custom/1/1/0")).content == picture(1, 1, 0)
    error(await admin.post(f"{BASE}/history/{rows[2]['revision']}/custom/restore"), 404, "not_found")
