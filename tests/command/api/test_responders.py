from __future__ import annotations

from tests.command.api.test_incidents import error
from tests.fixtures import G1, G5, Centre, middle


async def test_each_sees_whom_they_may(centre: Centre) -> None:
    async def seen(username: str) -> list[str]:
        answer = await centre.get(username, "/responders")
        return [row["id"] for row in answer.json()["items"]]

    everybody = ["e1", "p1", "p2", "w1", "w2", "w3"]
    for username in ("operator", "dispatcher", "supervisor", "leader"):
        assert await seen(username) == everybody, username
    assert await seen("worker") == ["w1"]
    assert await seen("police") == ["p1"]
    assert await seen("dept") == ["e1"]
    assert await seen("town") == ["p1", "w1", "w2"]
    error(await centre.get("admin", "/responders"), 403, "forbidden")
    error(await centre.get("worker", "/responders/w2"), 404, "not_found")
    error(await centre.get("dispatcher", "/responders/nobody"), 404, "not_found")


async def test_where_somebody_is_only_for_those_who_may_know_and_only_on_duty(centre: Centre) -> None:
    lon, lat = middle(G1)
    for username, knows in (
        ("dispatcher", True),
        ("leader", True),
        ("worker", True),
        ("operator", False),
    ):
        row = (await centre.get(username, "/responders/w1")).json()
        assert ("lon" in row) == knows, username
        if knows:
            assert (row["lon"], row["lat"], row["suspect"]) == (lon, lat, False)
            assert row["fix_age_s"] == 0
    assert (await centre.post("worker", "/responders/w1/shift", {"on_duty": False})).status_code == 200
    for username in ("dispatcher", "worker"):
        assert "lon" not in (await centre.get(username, "/responders/w1")).json()


async def test_lists_are_filtered_and_paged(centre: Centre) -> None:
    async def ids(**query: object) -> list[str]:
        answer = await centre.get("dispatcher", "/responders", **query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert await ids(kind="police") == ["p1", "p2"]
    assert await ids(kind="police,emergency_member") == ["e1", "p1", "p2"]
    assert await ids(area="340604010") == ["w3"]
    assert await ids(area="340604001000") == ["p1", "w1", "w2"]
    await centre.post("worker2", "/responders/w2/shift", {"on_duty": False})
    assert await ids(on_duty="false") == ["w2"]
    west, south = middle(G1)
    assert await ids(bbox=f"{west - 0.004},{south - 0.004},{west + 0.004},{south + 0.004}") == ["w1"]
    found: list[str] = []
    cursor = ""
    while True:
        answer = (await centre.get("dispatcher", "/responders", limit=4, cursor=cursor)).json()
        found += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert found == ["e1", "p1", "p2", "w1", "w2", "w3"]
    assert error(await centre.get("dispatcher", "/responders", bbox="1"), 422, "malformed")["field"] == "bbox"


async def test_a_shift_is_started_by_oneself_or_a_dispatcher(centre: Centre) -> None:
    path = "/responders/w1/shift"
    for username in ("operator", "leader", "dept", "admin"):
        error(await centre.post(username, path, {"on_duty": False}), 403, "forbidden")
    error(await centre.post("worker2", path, {"on_duty": False}), 404, "not_found")
    ended = (await centre.post("worker", path, {"on_duty": False})).json()
    assert (ended["on_duty"], ended["shift_since"]) == (False, None)
    until = "2026-11-22T20:00:00+08:00"
    begun = (await centre.post("dispatcher", path, {"on_duty": True, "until": until})).json()
    assert begun["shift_until"] == "2026-11-22T12:00:00.000Z"
    again = await centre.post("dispatcher", path, {"on_duty": True})
    assert again.json()["version"] == begun["version"]
    for body, field in (({}, "on_duty"), ({"on_duty": "perhaps"}, "on_duty"), ({"on_duty": 1, "x": 1}, "x")):
        assert error(await centre.post("worker", path, body), 422, "malformed")["field"] == field
    await centre.post("worker", path, {"on_duty": False})
    answer = await centre.post("worker", path, {"on_duty": True, "until": "evening"})
    assert error(answer, 422, "malformed")["field"] == "until"


async def test_nobody_goes_home_from_a_job(centre: Centre) -> None:
    await centre.dispatched("w1")
    answer = await centre.post("worker", "/responders/w1/shift", {"on_duty": False})
    assert error(answer, 409, "illegal_transition")["state"] == "on a job"


async def test_positions_come_in_by_token_and_only_ones_own(centre: Centre) -> None:
    lon, lat = middle(G5)
    centre.clock.advance(10)
    async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
        answer = await phone.post("/api/v1/positions", json={"lon": lon, "lat": lat})
        assert answer.json()["accepted"] == 1, answer.text
        answer = await phone.post("/api/v1/positions", json={"lon": lon, "lat": lat, "device_id": "phone-2"})
        assert answer.status_code == 403
    async with centre.anonymous(authorization="Bearer nonsense") as stranger:
        assert (await stranger.post("/api/v1/positions", json={"lon": lon, "lat": lat})).status_code == 401
    centre.core.tracking.positions.settle()
    # A jump of two kilometres within ten seconds is kept, and doubted.
    row = (await centre.get("dispatcher", "/responders/w1")).json()
    assert row["suspect"]
