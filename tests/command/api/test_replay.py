"""A replay shows units while they were on the job, to those who may see them, and is recorded."""

from __future__ import annotations

import numpy as np

from command.api.replay import MOST_POINTS, _thinned
from command.telemetry.state import Report
from tests.command.api.test_coverage import ask
from tests.command.api.test_incidents import error
from tests.fixtures import G1, Centre, middle


async def test_only_while_on_the_job(centre: Centre) -> None:
    lon, lat = middle(G1)

    def seen(step: int) -> None:
        centre.clock.advance(5)
        now, tracking = centre.clock.now().timestamp(), centre.core.tracking
        unit = centre.core.board.responders["p1"].unit
        tracking.positions.report(unit, Report(lon - 0.001 * step, lat, now), now)
        tracking.ticker.tick(now)

    seen(9)  # before anybody was sent
    centre.clock.advance(1)
    incident, jobs = await centre.dispatched("p1", grid=G1)
    for step in (8, 6, 4):
        seen(step)
    await centre.step("p1", jobs[0], "sign", "en_route", "on_scene")
    seen(2)
    centre.clock.advance(1)
    await centre.step("p1", jobs[0], "finish")
    await centre.post("supervisor", f"/incidents/{incident['id']}/check_pass")
    seen(1)  # on the way home
    page = await ask(centre, path=f"/incidents/{incident['id']}/replay")
    (unit,) = page["units"]
    assert (unit["responder_id"], unit["name"]) == ("p1", "高建军")
    # From the dispatch to the end of the job: not where the patrol was before, and not where it went then.
    assert [[round(t), round((lon - x) / 0.001)] for t, x, _ in unit["points"]] == [
        [5, 8],
        [10, 6],
        [15, 4],
        [20, 2],
    ]
    assert page["over"]
    assert page["events"][0]["type"] == "incident.reported"
    assert {event["unit"] for event in page["events"]} == {None, "高建军"}
    entries = (await centre.get("leader", "/audit")).json()["items"]
    (taken,) = [entry for entry in entries if entry["action"] == "track.replayed"]
    assert taken["object"] == f"incident:{incident['id']}"
    assert taken["data"] == {"units": ["p1"]}


async def test_for_leaders_only(centre: Centre) -> None:
    incident, _ = await centre.dispatched("w1", grid=G1)
    path = f"/incidents/{incident['id']}/replay"
    for who in ("dispatcher", "worker", "admin"):
        error(await centre.get(who, path), 403, "forbidden")
    page = await ask(centre, "supervisor", path)
    assert not page["over"]
    assert [unit["points"] for unit in page["units"]] == [[]]
    error(await centre.get("leader", "/incidents/none/replay"), 404, "not_found")


def test_a_long_way_keeps_its_ends() -> None:
    some = _thinned(np.arange(10_000.0))
    assert (len(some), some[0], some[-1]) == (MOST_POINTS, 0.0, 9999.0)
