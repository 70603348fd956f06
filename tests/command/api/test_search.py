from __future__ import annotations

import pytest

from tests.command.api.test_incidents import HOSTILE, error
from tests.fixtures import G8, Centre


async def found(centre: Centre, username: str, q: str, **more: object) -> set[tuple[str, str]]:
    answer = await centre.get(username, "/search", q=q, **more)
    assert answer.status_code == 200, answer.text
    return {(row["type"], row["id"]) for row in answer.json()["items"]}


async def test_each_finds_what_they_may_see(centre: Centre) -> None:
    incident = await centre.report(grid=G8, title="石台广场积水")
    assert await found(centre, "dispatcher", "石台") == {
        ("incident", incident["id"]),
        ("area", "340604011"),
        ("area", "340604011001"),
        ("beat", "B-2"),
        ("camera", "c3"),
    }
    assert ("responder", "w2") in await found(centre, "dispatcher", "lgd")
    assert await found(centre, "dispatcher", incident["code"]) == {("incident", incident["id"])}
    assert await found(centre, "town", "石台") == set()
    assert not {kind for kind, _ in await found(centre, "worker", "石台")} & {"incident", "camera"}
    assert await found(centre, "worker", "林国栋") == set()
    assert await found(centre, "worker", "周巧云") == {("responder", "w1")}
    error(await centre.get("admin", "/search", q="石台"), 403, "forbidden")


async def test_a_hit_says_how_it_fits_and_how_far(centre: Centre) -> None:
    rows = (await centre.get("dispatcher", "/search", q="三橋中學", near="116.80,33.907")).json()["items"]
    assert [row["name"] for row in rows] == ["三桥中学"]
    assert rows[0] == {
        "type": "place",
        "id": "0",
        "name": "三桥中学",
        "detail": "和平路1号",
        "lon": 116.805,
        "lat": 33.907,
        "distance_m": pytest.approx(462, abs=2),
        "fit": "written",
    }
    assert ("road", rows[0]["id"]) not in await found(centre, "dispatcher", "和平路", type=["place"])
    assert {kind for kind, _ in await found(centre, "dispatcher", "路", type=["road"])} == {"road"}
    view = "116.80,33.90,116.84,33.92"
    assert ("place", "1") in await found(centre, "dispatcher", "附近的医院", bbox=view)


async def test_what_is_picked_comes_first_the_next_time(centre: Centre) -> None:
    async def order() -> list[str]:
        return [row["id"] for row in (await centre.get("dispatcher", "/search", q="纵")).json()["items"]]

    before = await order()
    picked = before[-1]
    for _ in range(3):
        answer = await centre.post("dispatcher", "/search/picks", {"type": "road", "id": picked})
        assert answer.status_code == 204, answer.text
    assert await order() == [picked, *before[:-1]]


async def test_only_what_is_seen_can_be_picked(centre: Centre) -> None:
    incident = await centre.report(grid=G8, title="石台广场积水")
    body = {"type": "incident", "id": incident["id"]}
    assert (await centre.post("dispatcher", "/search/picks", body)).status_code == 204
    error(await centre.post("town", "/search/picks", body), 404, "not_found")
    error(await centre.post("dispatcher", "/search/picks", {"type": "place", "id": "4711"}), 404, "not_found")
    error(await centre.post("dispatcher", "/search/picks", {"type": "ghost", "id": "1"}), 422, "malformed")
    point = {"type": "point", "id": "116.8,33.9"}
    assert (await centre.post("dispatcher", "/search/picks", point)).status_code == 204, "and is not kept"
    assert all(kind != "point" for kind, _ in centre.core.search.picks.keys())


async def test_hostile_and_empty_words(centre: Centre) -> None:
    for text in [*HOSTILE, "", "   "]:
        assert await found(centre, "dispatcher", text[:80]) == set()
    for query in ({"q": "长" * 81}, {}):
        assert error(await centre.get("dispatcher", "/search", **query), 422, "malformed")["field"] == "q"
    answer = await centre.get("dispatcher", "/search", q="x", limit=0)
    assert error(answer, 422, "malformed")["field"] == "limit"
    for near in ("", "1", "1,2,3", "a,b", "nan,1", "181,0", "0,91", "1e400,0"):
        answer = await centre.get("dispatcher", "/search", q="x", near=near)
        assert error(answer, 422, "malformed")["field"] == "near", near
    answer = await centre.get("dispatcher", "/search", q="x", bbox="-200,0,0,0")
    assert error(answer, 422, "malformed")["field"] == "bbox"
    answer = await centre.get("dispatcher", "/search", q="x", type="ghost")
    assert answer.status_code == 422
