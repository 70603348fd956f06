from __future__ import annotations

from tests.command.api.test_incidents import error
from tests.fixtures import G1, G3, G8, Centre


async def test_the_days_figures_add_up(centre: Centre) -> None:
    handled, jobs = await centre.dispatched("w1", grid=G1, level="I")
    centre.clock.advance(10)
    await centre.step("w1", jobs[0], "sign")
    centre.clock.advance(80)
    await centre.step("w1", jobs[0], "on_scene", "finish")
    await centre.post("operator", f"/incidents/{handled['id']}/check_pass")
    waiting = await centre.report(grid=G3, level="I")
    await centre.report(grid=G8, exercise=True)
    wrong = await centre.report(grid=G8)
    await centre.post("supervisor", f"/incidents/{wrong['id']}/cancel", {"reason": "误报"})
    centre.clock.advance(61)
    page = (await centre.get("leader", "/wall/summary")).json()
    today = page["today"]
    assert (today["reported"], today["accepted"], today["closed"], today["overdue"]) == (2, 1, 1, 1)
    assert today["closed_of_accepted"] == {"n": 1, "d": 1}
    assert today["by_state"] == {"closed": 1, "reported": 1}
    assert today["hours"][11] == 2
    assert sum(today["hours"]) == 2
    assert page["response"]["sign"]["I"] == {"median_s": 10.0, "n": 1, "limit_s": 120}
    assert page["response"]["arrive"]["I"] == {"median_s": 90.0, "n": 1, "limit_s": 600}
    assert page["on_duty"]["by_kind"]["police"] == {"total": 2, "on": 2, "online": 2}
    cameras = page["cameras"]
    assert (cameras["online"], cameras["unknown"], cameras["total"]) == (0, 3, 3)
    assert (cameras["camera_online"], cameras["camera_intact"]) == ({"n": 0, "d": 3}, {"n": 0, "d": 3})
    staffing = page["staffing"]
    assert (staffing["grids"], staffing["vacant"]) == (8, 4)
    assert [(row["staffed"], row["grids"]) for row in staffing["by_township"]] == [(2, 4), (2, 2), (0, 2)]
    # The figures are those of the tables, so they outlast the board.
    centre.core.board.incidents.clear()
    again = (await centre.get("leader", "/wall/summary")).json()
    assert again["today"] == today
    assert waiting["id"]


async def test_tomorrow_begins_anew(centre: Centre) -> None:
    await centre.report()
    centre.clock.advance(11 * 3600)
    assert (await centre.get("leader", "/wall/summary")).json()["today"]["reported"] == 1
    centre.clock.advance(2 * 3600)
    client = centre.anonymous()
    async with client:
        answer = await client.get("/wall", params={"kiosk": centre.keys.kiosk})
        assert answer.status_code == 303
        today = (await client.get("/api/v1/wall/summary")).json()["today"]
    assert today["reported"] == 0


async def test_only_incidents_of_the_own_area_count(centre: Centre) -> None:
    await centre.report(grid=G1)
    await centre.report(grid=G8)
    assert (await centre.get("town", "/wall/summary")).json()["today"]["reported"] == 1
    assert (await centre.get("worker", "/wall/summary")).json()["today"]["reported"] == 1
    error(await centre.get("admin", "/wall/summary"), 403, "forbidden")


async def test_who_is_at_the_desks_is_for_the_desks(centre: Centre) -> None:
    for username in ("operator", "dispatcher", "leader"):
        assert (await centre.get(username, "/presence")).json() == {"items": [], "next": None}
    for username in ("worker", "police", "dept", "admin"):
        error(await centre.get(username, "/presence"), 403, "forbidden")
