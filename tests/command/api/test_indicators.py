"""Indicators and supervision as the leader reads them, each within what they may see."""

from __future__ import annotations

from tests.command.api.test_coverage import ask
from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G8, Centre


async def test_a_case_from_report_to_arrival(centre: Centre) -> None:
    _, jobs = await centre.dispatched("w1", grid=G1)
    centre.clock.advance(60)
    await centre.step("w1", jobs[0], "sign", "en_route")
    centre.clock.advance(540)
    await centre.step("w1", jobs[0], "on_scene")
    await centre.report(grid=G8)
    centre.clock.advance(1)
    page = await ask(centre, path="/indicators", period="day")
    assert (page["area"], page["reported"]) == (COUNTY, {"n": 2, "before": 0})
    assert [(r["level"], r["step"], r["n"], r["p50_s"]) for r in page["response"]] == [
        ("III", "sign", 1, 60.0),
        ("III", "arrive", 1, 600.0),
    ]
    assert page["since"] == "2026-11-22T03:00:01.000Z"
    rates = {row["code"]: (row["n"], row["d"]) for row in page["items"]}
    assert rates["completion_rate"] == (0, 1)
    assert {row["code"]: (row["reported"], row["arrive_p50_s"]) for row in page["below"]} == {
        "340604001": (1, 600.0),
        "340604010": (0, None),
        "340604011": (1, None),
    }
    now = {row["code"]: (row["n"], row["d"]) for row in page["present"]}
    assert (now["staffing_rate"], now["grid_coverage"]) == ((4, 8), (2, 4))
    assert now["online_rate"][1] == 6
    town = await ask(centre, "town", "/indicators", period="month")
    assert (town["area"], town["reported"]["n"]) == ("340604001", 1)
    assert {row["code"][:9] for row in town["below"]} == {"340604001"}
    error(await centre.get("town", "/indicators", area=G8), 404, "not_found")
    error(await centre.get("leader", "/indicators", period="year"), 422, "malformed")


async def test_what_is_followed_up(centre: Centre) -> None:
    first, second = await centre.report(grid=G1), await centre.report(grid=G8)
    await centre.report(grid=G8)
    for case, grade in ((first, "normal"), (second, "red")):
        body = {"text": "两小时内到场", "grade": grade}
        answer = await centre.post("leader", f"/incidents/{case['id']}/supervise", body)
        assert answer.status_code == 200, answer.text
    await centre.post("leader", f"/incidents/{first['id']}/escalate", {"reason": "跨镇"})
    page = await ask(centre, path="/supervision")
    assert [row["id"] for row in page["items"]] == [second["id"], first["id"]]
    assert page["items"][0]["supervision"] == "red"
    assert [(line["what"], line["text"], line["grade"]) for line in page["items"][1]["said"]] == [
        ("supervised", "两小时内到场", "normal"),
        ("escalated", "跨镇", None),
    ]
    assert page["items"][1]["said"][0]["by"] == "带班领导 程远山"
    error(await centre.get("dispatcher", "/supervision"), 403, "forbidden")
