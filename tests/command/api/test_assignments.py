"""The unit's own steps over the real service, and what the desk may do with its job."""

from __future__ import annotations

from tests.command.api.test_incidents import error
from tests.fixtures import G1, G8, Centre


async def test_only_the_unit_itself_says_its_steps(centre: Centre) -> None:
    _, (job, _) = await centre.dispatched("w1", "p1")
    path = f"/assignments/{job}"
    for step in ("deliver", "sign", "en_route", "finish"):
        for username in ("dispatcher", "supervisor", "leader", "operator", "police", "dept"):
            answer = await centre.post(username, f"{path}/{step}")
            assert answer.status_code in (403, 404), (step, username, answer.text)
        error(await centre.post("admin", f"{path}/{step}"), 403, "forbidden")
        answer = await centre.post("worker", f"{path}/{step}", {"feedback": "好"} if step == "finish" else {})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["version"] > 1
        assert body["seq"] == centre.core.board.seq or step in ("sign", "finish")
    assert (await centre.get("worker", path)).json()["state"] == "finished"


async def test_arrival_is_seen_by_the_unit_or_the_desk(centre: Centre) -> None:
    for username in ("worker", "dispatcher", "supervisor"):
        incident, (job,) = await centre.dispatched("w1")
        await centre.step("w1", job, "sign")
        error(await centre.post("police2", f"/assignments/{job}/on_scene"), 404, "not_found")
        error(await centre.post("operator", f"/assignments/{job}/on_scene"), 403, "forbidden")
        answer = await centre.post(username, f"/assignments/{job}/on_scene")
        assert answer.json()["state"] == "on_scene"
        answer = await centre.post(username, f"/assignments/{job}/not_on_scene")
        error(answer, 409, "illegal_transition")
        closed = await centre.post("dispatcher", f"/incidents/{incident['id']}/close", {"disposition": "好"})
        assert closed.status_code == 200


async def test_a_step_said_again_changes_nothing(centre: Centre) -> None:
    _, (job,) = await centre.dispatched("w1")
    first = await centre.step("w1", job, "sign")
    again = await centre.step("w1", job, "sign")
    assert again["version"] == first["version"]
    error(await centre.post("worker", f"/assignments/{job}/deliver"), 409, "illegal_transition")


async def test_a_step_with_a_stale_version_is_refused(centre: Centre) -> None:
    _, (job,) = await centre.dispatched("w1")
    signed = await centre.step("w1", job, "sign")
    path = f"/assignments/{job}/en_route"
    answer = await centre.post("worker", path, {"expected_version": signed["version"] - 1})
    assert error(answer, 409, "stale_version")["version"] == signed["version"]
    answer = await centre.post("worker", path, {"expected_version": signed["version"]})
    assert answer.json()["version"] == signed["version"] + 1


async def test_words_are_asked_for_by_name(centre: Centre) -> None:
    _, (job,) = await centre.dispatched("w1")
    for username, step, body, field in (
        ("worker", "decline", {}, "reason"),
        ("worker", "decline", {"reason": "长" * 2_001}, "reason"),
        ("worker", "sign", {"where": "x"}, "where"),
        ("dispatcher", "recall", {"reason": " "}, "reason"),
        ("dispatcher", "reassign", {}, "responder_id"),
    ):
        answer = await centre.post(username, f"/assignments/{job}/{step}", body)
        assert error(answer, 422, "malformed")["field"] == field, step


async def test_refusing_recalling_and_reassigning(centre: Centre) -> None:
    incident, (job, other) = await centre.dispatched("w1", "w2", grid=G1)
    answer = await centre.post("worker", f"/assignments/{job}/decline", {"reason": "车坏了"})
    assert (answer.json()["state"], answer.json()["reason"]) == ("declined", "车坏了")
    answer = await centre.post("dispatcher", f"/assignments/{other}/reassign", {"responder_id": "w3"})
    assert answer.status_code == 200, answer.text
    new = answer.json()
    assert (new["responder_id"], new["state"]) == ("w3", "dispatched")
    error(
        await centre.post("dispatcher2", f"/assignments/{other}/reassign", {"responder_id": "p1"}),
        409,
        "illegal_transition",
    )
    answer = await centre.post("dispatcher", f"/assignments/{new['id']}/recall", {"reason": "不用去了"})
    assert answer.json()["state"] == "recalled"
    shown = (await centre.get("operator", f"/incidents/{incident['id']}")).json()
    assert shown["state"] == "accepted"
    # Whoever had the job may still read what became of it.
    assert (await centre.get("worker2", f"/assignments/{other}")).json()["state"] == "reassigned"


async def test_units_out_of_sight_are_not_sent_by_reassigning(centre: Centre) -> None:
    """A town's dispatcher can neither name nor probe units of elsewhere."""
    _, (job,) = await centre.dispatched("w1", grid=G1)
    for responder in ("w3", "nobody"):
        answer = await centre.post("town", f"/assignments/{job}/reassign", {"responder_id": responder})
        error(answer, 404, "not_found")
    assert (await centre.get("dispatcher", "/responders/w3")).json()["assignment_id"] is None


async def test_what_may_not_be_seen_is_absent(centre: Centre) -> None:
    _, (job,) = await centre.dispatched("p2", grid=G8)
    for username in ("worker", "police", "town", "dept"):
        error(await centre.get(username, f"/assignments/{job}"), 404, "not_found")
        assert (await centre.post(username, f"/assignments/{job}/on_scene")).status_code in (403, 404)
    error(await centre.get("dispatcher", "/assignments/a_none"), 404, "not_found")
    error(await centre.post("worker", "/assignments/a_none/sign"), 404, "not_found")
    error(await centre.post("worker", f"/assignments/{job}/explode"), 404, "not_found")
    error(await centre.post("worker", f"/assignments/{job}/time_out"), 404, "not_found")


async def test_a_phone_replays_its_queue_in_any_order(centre: Centre) -> None:
    """After a dead spot: each effect at most once, stale words refused, later ones not blocked."""
    _, (job,) = await centre.dispatched("w1")
    queue = [("sign", "k1"), ("en_route", "k2"), ("on_scene", "k3"), ("finish", "k4")]

    async def send(step: str, key: str) -> int:
        found = await centre.post("worker", f"/assignments/{job}/{step}", {}, **{"idempotency-key": key})
        return found.status_code

    assert [await send(*one) for one in queue] == [200] * 4
    seq = centre.core.board.seq
    for one in (queue[2], queue[0], queue[3], queue[1]):
        assert await send(*one) == 200
    assert await send("decline", "k9") == 409
    assert centre.core.board.seq == seq
