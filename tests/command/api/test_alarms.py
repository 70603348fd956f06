from __future__ import annotations

from command.cameras import Seen
from tests.command.api.test_incidents import error
from tests.fixtures import G3, Centre

DEVICE = "34060400001110000001"


async def raised(centre: Centre, camera_id: str | None = "c1", kind: str = "intrusion", **more: str) -> str:
    known = set(centre.core.board.alarms)
    await centre.core.operations.cameras.raise_alarm(Seen(kind=kind, camera_id=camera_id, **more))
    (new,) = set(centre.core.board.alarms) - known
    return new


async def ids(centre: Centre, username: str, **query: str) -> list[str]:
    answer = await centre.get(username, "/alarms", **query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["items"]]


async def test_each_sees_the_alarms_of_their_cameras(centre: Centre) -> None:
    first = await raised(centre)
    centre.clock.advance(1)
    second = await raised(centre, "c2")
    centre.clock.advance(1)
    device = await raised(centre, None, device_id=DEVICE)
    assert await ids(centre, "operator") == [device, second, first]
    assert await ids(centre, "town") == [first]
    assert await ids(centre, "dept") == [second]
    for username in ("worker", "admin"):
        error(await centre.get(username, "/alarms"), 403, "forbidden")
    for username in ("police", "dept", "worker", "admin"):
        error(await centre.post(username, f"/alarms/{second}/dismiss"), 403, "forbidden")
    error(await centre.post("town", f"/alarms/{second}/dismiss"), 404, "not_found")
    error(await centre.post("town", f"/alarms/{second}/accept"), 404, "not_found")
    error(await centre.post("leader", "/alarms/none/accept"), 404, "not_found")


async def test_an_alarm_becomes_an_incident_at_the_cameras_place(centre: Centre) -> None:
    alarm = await raised(centre, text="周界  报警")
    answer = await centre.post("operator", f"/alarms/{alarm}/accept", **{"idempotency-key": "k"})
    assert answer.status_code == 200, answer.text
    incident = answer.json()
    assert (incident["title"], incident["source"], incident["grid"]) == ("渡口街北 周界 报警", "alarm", G3)
    assert incident["state"] == "reported"
    assert (incident["category"], incident["description"]) == ("security", "周界  报警")
    again = await centre.post("operator", f"/alarms/{alarm}/accept", **{"idempotency-key": "k"})
    assert again.json() == incident
    kept = centre.core.board.alarms[alarm]
    assert (kept.state, kept.incident_id) == ("accepted", incident["id"])
    error(await centre.post("dispatcher", f"/alarms/{alarm}/accept"), 409, "illegal_transition")
    error(await centre.post("dispatcher", f"/alarms/{alarm}/dismiss"), 409, "illegal_transition")
    timeline = (await centre.get("operator", f"/incidents/{incident['id']}/timeline")).json()["items"]
    assert [row["type"] for row in timeline] == ["incident.reported", "alarm.accepted"]
    assert timeline[1]["data"]["camera_id"] == "c1"
    assert await ids(centre, "operator", state="open") == []
    assert await ids(centre, "operator", state="accepted") == [alarm]


async def test_of_two_who_accept_one_makes_the_incident(centre: Centre) -> None:
    import asyncio

    alarm = await raised(centre)
    before = len(centre.core.board.incidents)
    answers = await asyncio.gather(
        *(centre.post(name, f"/alarms/{alarm}/accept") for name in ("operator", "dispatcher", "leader"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(centre.core.board.incidents) == before + 1


async def test_what_the_incident_is_called_may_be_said(centre: Centre) -> None:
    alarm = await raised(centre)
    for body, field in (
        ({"category": "nothing"}, "category"),
        ({"level": "V"}, "level"),
        ({"title": ""}, "title"),
        ({"lon": 1}, "lon"),
    ):
        told = error(await centre.post("operator", f"/alarms/{alarm}/accept", body), 422, "malformed")
        assert told["field"] == field
    assert centre.core.board.alarms[alarm].state == "open"
    body = {"title": "翻墙", "category": "security", "level": "II"}
    incident = (await centre.post("operator", f"/alarms/{alarm}/accept", body)).json()
    assert (incident["title"], incident["level"]) == ("翻墙", "II")


async def test_without_a_place_there_is_no_incident(centre: Centre) -> None:
    alarm = await raised(centre, None, device_id=DEVICE)
    told = error(await centre.post("operator", f"/alarms/{alarm}/accept"), 422, "malformed")
    assert told["field"] == "lon"
    gone = (await centre.post("operator", f"/alarms/{alarm}/dismiss", {"reason": "误报"})).json()
    assert (gone["state"], gone["reason"], gone["decided_by"]) == ("dismissed", "误报", "接线席 冯晓雨")


async def test_after_a_day_they_leave_the_board(centre: Centre) -> None:
    from command.watch import _over

    alarm = await raised(centre)
    board = centre.core.board
    assert not [key for kind, key, _ in _over(board, "2026-11-21T00:00:00.000Z") if kind == "alarms"]
    late = [key for kind, key, _ in _over(board, "2026-11-24T00:00:00.000Z") if kind == "alarms"]
    assert late == [alarm]
