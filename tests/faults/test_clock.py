"""A wall clock that jumps two hours either way: nobody is signed out, order holds, deadlines are sane."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fixtures import G1, G8, Centre, middle


@pytest.mark.parametrize("hours", [2, -2])
async def test_the_work_goes_on_across_a_jump(centre: Centre, hours: int) -> None:
    incident, (job,) = await centre.dispatched("w1", grid=G1)
    seq = centre.core.board.seq
    centre.clock.set_wall(centre.clock.now() + timedelta(hours=hours))
    # Everybody stays signed in, and the next steps follow the ones before.
    assert (await centre.get("dispatcher", "/session")).status_code == 200
    if hours < 0:
        await centre.step("w1", job, "sign", "en_route", "on_scene", "finish")
    other = await centre.report(grid=G8)
    noted = await centre.post("operator", f"/incidents/{incident['id']}/note", {"text": "钟表不准"})
    assert noted.status_code == 200, noted.text
    assert centre.core.board.seq > seq
    timeline = (await centre.get("dispatcher", f"/incidents/{incident['id']}/timeline")).json()["items"]
    assert [row["seq"] for row in timeline] == sorted(row["seq"] for row in timeline)
    assert timeline[-1]["type"] == "incident.noted"
    assert other["code"] != incident["code"]


async def test_units_are_heard_after_the_clock_went_back_and_came_forward(centre: Centre) -> None:
    lon, lat = middle(G1)
    lat += 0.0005
    centre.clock.set_wall(centre.clock.now() - timedelta(hours=2))
    centre.clock.advance(2 * 3600 + 10)
    async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
        answer = await phone.post("/api/v1/positions", json={"lon": lon, "lat": lat})
    assert answer.json()["accepted"] == 1, answer.text
    centre.core.tracking.positions.settle()
    assert (await centre.get("dispatcher", "/responders/w1")).json()["lat"] == pytest.approx(lat)
