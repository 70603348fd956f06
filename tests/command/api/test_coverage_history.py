"""Coverage hour by hour: written once an hour, read by area and only by those whose area it is."""

from __future__ import annotations

from tests.command.api.test_access_matrix import inner
from tests.command.api.test_coverage import ask, by_code
from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G8, Centre


async def test_an_hour_is_written_once_and_read_by_area(centre: Centre) -> None:
    record = inner(centre.app).state.services.coverage_record
    assert await ask(centre, path="/coverage/history") == {
        "area": COUNTY,
        "since": None,
        "items": [],
        "next": None,
    }
    now = by_code(await ask(centre))[COUNTY]
    assert await record.look()
    assert not await record.look()
    centre.clock.advance(3600)  # everybody's position is old by now
    assert await record.look()
    page = await ask(centre, path="/coverage/history")
    first, second = page["items"]
    assert page["since"] == first["hour"] == "2026-11-22T03:00:00.000Z"
    assert {name: first[name] for name in ("grids", "staffed", "reached", "reach", "p90_s", "watched")} == {
        name: now[name] for name in ("grids", "staffed", "reached", "reach", "p90_s", "watched")
    }
    assert (first["responders"], second["responders"], second["reach"]["10"]) == (6, 0, 0.0)
    grid = await ask(centre, path="/coverage/history", area=G1)
    assert [row["staffed"] for row in grid["items"]] == [1, 1]
    later = await ask(centre, path="/coverage/history", **{"from": "2026-11-22T04:00:00Z"})
    assert [row["hour"] for row in later["items"]] == [second["hour"]]


async def test_sight_and_bad_spans(centre: Centre) -> None:
    assert (await ask(centre, "town", "/coverage/history"))["area"] == "340604001"
    assert (await ask(centre, "worker", "/coverage/history"))["area"] == G1
    error(await centre.get("town", "/coverage/history", area=G8), 404, "not_found")
    error(await centre.get("admin", "/coverage/history"), 403, "forbidden")
    for query in ({"from": "yesterday"}, {"to": "2026-01-01"}, {"from": "2020-01-01T00:00:00Z"}):
        assert error(await centre.get("leader", "/coverage/history", **query), 422, "malformed")["field"]
