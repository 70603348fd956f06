from __future__ import annotations

from tests.command.api.test_incidents import HOSTILE, error
from tests.fixtures import G8, Centre


async def found(centre: Centre, username: str, q: str) -> set[tuple[str, str]]:
    answer = await centre.get(username, "/search", q=q)
    assert answer.status_code == 200, answer.text
    return {(row["type"], row["id"]) for row in answer.json()["items"]}


async def test_each_finds_what_they_may_see(centre: Centre) -> None:
    incident = await centre.report(grid=G8, title="石台广场积水")
    assert await found(centre, "dispatcher", "石台") == {
        ("incident", incident["id"]),
        ("area", "340604011"),
        ("area", "340604011001"),
        ("camera", "c3"),
    }
    assert ("responder", "w2") in await found(centre, "dispatcher", "lgd")
    assert await found(centre, "dispatcher", incident["code"]) == {("incident", incident["id"])}
    assert await found(centre, "town", "石台") == set()
    assert not {kind for kind, _ in await found(centre, "worker", "石台")} & {"incident", "camera"}
    assert await found(centre, "worker", "林国栋") == set()
    assert await found(centre, "worker", "周巧云") == {("responder", "w1")}
    error(await centre.get("admin", "/search", q="石台"), 403, "forbidden")


async def test_hostile_and_empty_words(centre: Centre) -> None:
    for text in [*HOSTILE, "", "   "]:
        assert await found(centre, "dispatcher", text[:80]) == set()
    for query in ({"q": "长" * 81}, {}):
        assert error(await centre.get("dispatcher", "/search", **query), 422, "malformed")["field"] == "q"
    answer = await centre.get("dispatcher", "/search", q="x", limit=0)
    assert error(answer, 422, "malformed")["field"] == "limit"
