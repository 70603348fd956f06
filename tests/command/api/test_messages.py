from __future__ import annotations

from tests.command.api.test_incidents import HOSTILE, error
from tests.fixtures import G8, Centre


async def test_a_message_is_sent_delivered_read_and_answered(centre: Centre) -> None:
    incident, _ = await centre.dispatched("w1")
    body = {"to": ["w1", "p1"], "incident_id": incident["id"], "body": "注意安全"}
    sent = await centre.post("dispatcher", "/messages", body, **{"idempotency-key": "k"})
    assert sent.status_code == 201, sent.text
    again = await centre.post("dispatcher", "/messages", body, **{"idempotency-key": "k"})
    assert again.json()["id"] == sent.json()["id"]
    path = f"/messages/{sent.json()['id']}"
    for step, stamp in (("delivered", "delivered_at"), ("read", "read_at")):
        answer = await centre.post("worker", f"{path}/{step}")
        assert answer.json()["receipts"]["w1"][stamp] is not None
        repeated = await centre.post("worker", f"{path}/{step}")
        assert repeated.json()["version"] == answer.json()["version"]
    error(await centre.post("worker2", f"{path}/read"), 404, "not_found")
    error(await centre.post("dispatcher", f"{path}/read"), 403, "forbidden")
    error(await centre.post("worker", "/messages/none/read"), 404, "not_found")
    answer = await centre.post("worker", "/messages/reply", {"body": "收到", "incident_id": incident["id"]})
    reply = answer.json()
    assert (reply["from_responder"], reply["to"], reply["incident_id"]) == ("w1", [], incident["id"])


async def test_everybody_on_duty_in_an_area_is_written_to(centre: Centre) -> None:
    await centre.post("worker2", "/responders/w2/shift", {"on_duty": False})
    answer = await centre.post("dispatcher", "/messages", {"area": "340604001", "body": "集合"})
    assert sorted(answer.json()["to"]) == ["p1", "w1"]
    answer = await centre.post("dispatcher", "/messages", {"area": "340604099", "body": "集合"})
    assert error(answer, 422, "malformed")["field"] == "area"


async def test_a_towns_desk_writes_to_its_own(centre: Centre) -> None:
    error(await centre.post("town", "/messages", {"to": ["w3"], "body": "x"}), 404, "not_found")
    far = await centre.report(grid=G8)
    answer = await centre.post("town", "/messages", {"to": ["w1"], "incident_id": far["id"], "body": "x"})
    error(answer, 404, "not_found")
    answer = await centre.post("town", "/messages", {"area": "340604001", "body": "x"})
    assert sorted(answer.json()["to"]) == ["p1", "w1", "w2"]


async def test_who_may_write_to_whom(centre: Centre) -> None:
    body = {"to": ["w1"], "body": "x"}
    for username in ("worker", "police"):
        error(await centre.post(username, "/messages", body), 403, "forbidden")
    error(await centre.post("admin", "/messages", body), 403, "forbidden")
    error(await centre.post("dispatcher", "/messages/reply", {"body": "x"}), 403, "forbidden")
    for bad, field in (
        ({"to": []}, "to"),
        ({"body": ""}, "body"),
        ({"body": "  "}, "body"),
        ({"body": "长" * 2_001}, "body"),
        ({"to": "w1"}, "to"),
        ({"from_user": "x"}, "from_user"),
    ):
        answer = await centre.post("dispatcher", "/messages", {**body, **bad})
        assert error(answer, 422, "malformed")["field"] == field, bad
    error(await centre.post("dispatcher", "/messages", {"to": ["nobody"], "body": "x"}), 404, "not_found")
    for text in HOSTILE:
        answer = await centre.post("dispatcher", "/messages", {"to": ["w1"], "body": text})
        assert answer.json()["body"] == text.strip()


async def test_a_call_is_recorded_and_gives_the_number(centre: Centre) -> None:
    answer = await centre.post("dispatcher", "/calls", {"responder_id": "w1"})
    assert answer.status_code == 201
    assert answer.json()["tel"] == "13900000001"
    error(await centre.post("town", "/calls", {"responder_id": "w3"}), 404, "not_found")
    error(await centre.post("worker", "/calls", {"responder_id": "w2"}), 404, "not_found")
    entries = (await centre.get("admin", "/audit")).json()["items"]
    assert [entry["object"] for entry in entries if entry["action"] == "call.placed"] == ["responder:w1"]
