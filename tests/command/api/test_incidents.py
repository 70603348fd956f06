"""Incidents over the real service: from the report to the archive, with every role, and what is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from command.store import schema
from tests.fixtures import G1, G3, G5, G8, Centre, middle

JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 64
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
WEBP = b"RIFF\x40\x00\x00\x00WEBPVP8 " + b"\x00" * 64
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE incidents; --",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}} %s %n \\x00",
    "\u202e\u2066反向\u2069\u0000结束",
    "=cmd|' /C calc'!A1",
    "𠮷😀\u0301" * 5,
]


def error(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Check the form of a refusal and return its body."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["error"] == code
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def test_from_the_report_to_the_archive(centre: Centre) -> None:
    """The whole way, each step by whom it belongs to, seen by the others as the rules say."""
    incident = await centre.report("operator", G1, level="II", reporter_contact="13812340472")
    key = incident["id"]
    assert (incident["state"], incident["grid"], incident["owner"]) == ("reported", G1, "w1")
    assert incident["reporter_contact"] == "138****0472"
    assert incident["version"] == 1
    path = f"/incidents/{key}"
    ranked = (await centre.get("dispatcher", "/nearest", incident_id=key, limit=3)).json()
    assert ranked["items"][0]["responder_id"] == "w1"
    answer = await centre.post(
        "dispatcher",
        f"{path}/dispatch",
        {"responder_ids": ["w1", "p1"], "expected_version": incident["version"]},
    )
    sent = answer.json()
    assert (sent["state"], sent["accepted_at"]) == ("dispatched", sent["dispatched_at"])
    jobs = {row["responder_id"]: row["assignment_id"] for row in sent["assignments"]}
    assert set(jobs) == {"w1", "p1"}
    assert {row["state"] for row in sent["assignments"]} == {"dispatched"}
    for unit in ("w1", "p1"):
        done = await centre.step(unit, jobs[unit], "deliver", "sign", "en_route", "on_scene", "finish")
        assert done["feedback"] == "已处置"
    assert (await centre.get("worker", path)).json()["state"] == "handled"
    for who, command, body, state in (
        ("operator", "check_fail", {"reason": "坑没填"}, "handling"),
        ("dispatcher", "close", {"disposition": "已填平"}, "closed"),
        ("supervisor", "reopen", {"reason": "又塌了"}, "handling"),
        ("supervisor", "suspend", {"reason": "等材料", "until": "2026-12-01T00:00:00Z"}, "suspended"),
        ("supervisor", "resume", {}, "handling"),
        ("dispatcher", "close", {"disposition": "已填平"}, "closed"),
        ("operator", "evaluate", {"score": 5, "comment": "快"}, "evaluated"),
        ("operator", "revisit", {"resolved": True, "comment": "满意"}, "revisited"),
        ("leader", "archive", {}, "archived"),
    ):
        answer = await centre.post(who, f"{path}/{command}", body)
        assert answer.status_code == 200, (command, answer.text)
        assert answer.json()["state"] == state
    timeline = (await centre.get("leader", f"{path}/timeline")).json()["items"]
    assert [row["seq"] for row in timeline] == sorted(row["seq"] for row in timeline)
    types = [row["type"] for row in timeline]
    assert types[0] == "incident.reported"
    assert types[-1] == "incident.archived"
    assert types.count("assignment.signed") == 2
    reasons = {row["type"]: row["note"] for row in timeline}
    assert reasons["incident.rework"] == "坑没填"
    assert all(row["actor"]["name"] for row in timeline)
    assert all("changes" not in row["data"] for row in timeline)
    assert (await centre.get("dispatcher", "/responders/w1")).json()["assignment_id"] is None


async def test_who_may_report(centre: Centre) -> None:
    body = {"title": "x", "category": "other", "lon": 116.805, "lat": 33.905}
    for username in ("operator", "dispatcher", "leader", "dept", "police", "worker"):
        assert (await centre.post(username, "/incidents", body)).status_code == 201, username
    error(await centre.post("admin", "/incidents", body), 403, "forbidden")
    async with centre.anonymous() as client:
        error(await client.post("/api/v1/incidents", json=body), 401, "unauthenticated")
    async with centre.anonymous(authorization=f"Bearer {centre.keys.integration}") as client:
        answer = await client.post("/api/v1/incidents", json={**body, "source": "api"})
        assert answer.status_code == 201


async def test_each_role_may_do_its_own_and_nothing_else(centre: Centre) -> None:
    """Commands × roles on one incident that everybody sees; refused ones leave it as it is."""
    incident, jobs = await centre.dispatched("w1", "p1", "e1", grid=G1)
    path = f"/incidents/{incident['id']}"
    desks = ["operator", "dispatcher", "supervisor", "leader"]
    allowed = {
        "claim": ["operator", "dispatcher", "supervisor"],
        "classify": ["operator", "dispatcher", "supervisor"],
        "dispatch": ["dispatcher", "supervisor", "leader"],
        "check_pass": desks,
        "close": desks,
        "evaluate": desks,
        "suspend": ["supervisor", "leader"],
        "cancel": ["supervisor", "leader"],
        "reopen": ["supervisor", "leader"],
        "supervise": ["supervisor", "leader"],
        "escalate": ["dispatcher", "supervisor", "leader"],
        "self_close": ["worker"],
        "note": [*desks, "worker", "police", "dept"],
    }
    for command, who in allowed.items():
        for username in [*desks, "dept", "police", "worker"]:
            # A version that never was: whoever may do it is told so, and nothing happens to the incident.
            body = {"expected_version": 999}
            if command == "dispatch":
                body["responder_ids"] = ["w2"]  # type: ignore[assignment]
            status = (await centre.post(username, f"{path}/{command}", body)).status_code
            expected = {409} if username in who else {403, 404}
            assert status in expected, (command, username, status)
    error(await centre.post("admin", f"{path}/note", {"text": "x"}), 403, "forbidden")
    assert (await centre.get("operator", path)).json()["version"] == incident["version"]
    assert jobs


async def test_what_may_not_be_seen_is_absent(centre: Centre) -> None:
    far = await centre.report(grid=G8)
    path = f"/incidents/{far['id']}"
    for username in ("worker", "police", "dept", "town"):
        for answer in (
            await centre.get(username, path),
            await centre.get(username, f"{path}/timeline"),
            await centre.get(username, f"{path}/photos/none"),
            await centre.post(username, f"{path}/note", {"text": "x"}),
        ):
            error(answer, 404, "not_found")
        listed = (await centre.get(username, "/incidents")).json()["items"]
        assert listed == []
    for answer in (
        await centre.get("operator", "/incidents/i_none"),
        await centre.post("operator", "/incidents/i_none/note", {"text": "x"}),
        await centre.post("operator", f"{path}/explode", {}),
        await centre.post("operator", f"{path}/attach", {}),
        await centre.post("dispatcher", f"{path}/merge", {"into": "i_none"}),
        await centre.post("dispatcher", f"{path}/dispatch", {"responder_ids": ["nobody"]}),
    ):
        error(answer, 404, "not_found")
    near = await centre.report(grid=G1)
    assert (await centre.get("worker", f"/incidents/{near['id']}")).status_code == 200
    assert (await centre.get("police2", path)).status_code == 200  # in the beat
    assert (await centre.get("town", f"/incidents/{near['id']}")).status_code == 200
    # A dispatcher of one town neither sees nor sends the units of another.
    answer = await centre.post("town", f"/incidents/{near['id']}/dispatch", {"responder_ids": ["w3"]})
    error(answer, 404, "not_found")
    # Nor does a merge tell whether something out of sight exists.
    answer = await centre.post("town", f"/incidents/{near['id']}/merge", {"into": far["id"]})
    error(answer, 404, "not_found")


async def test_a_list_goes_page_by_page_and_finds_by_state_area_box_and_words(centre: Centre) -> None:
    keys = []
    for n, grid in enumerate((G1, G3, G5, G8, G1, G3, G5)):
        keys.append((await centre.report(grid=grid, title=f"第{n}件 100%"))["id"])
        centre.clock.advance(1)
    keys.reverse()
    cancelled = await centre.post("supervisor", f"/incidents/{keys[0]}/cancel", {"reason": "误报"})
    assert cancelled.status_code == 200

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            answer = (await centre.get("operator", "/incidents", **query, **more)).json()
            found += [row["id"] for row in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                return found
            assert len(answer["items"]) == query["limit"]

    for limit in (1, 2, 3, 7, 50):
        assert await listed(limit=limit) == keys, limit
    assert await listed(limit=50, state="cancelled") == keys[:1]
    assert await listed(limit=2, state="reported,cancelled") == keys
    assert await listed(limit=50, area="340604010") == [keys[0], keys[4]]
    assert await listed(limit=50, area="340604011") == [keys[3]]
    assert await listed(limit=50, area="340604000000") == keys
    assert await listed(limit=50, q="第3件") == [keys[3]]
    assert await listed(limit=50, q="100%") == keys
    assert await listed(limit=50, q="%") == keys  # a per cent sign is only itself
    assert await listed(limit=50, q="_") == []
    assert await listed(limit=50, bbox="116.80,33.90,116.81,33.92") == [keys[2], keys[6]]


async def test_a_query_that_makes_no_sense_names_its_field(centre: Centre) -> None:
    queries: list[dict[str, Any]] = [
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "117,34,116,33"},
        {"bbox": "nan,0,1,1"},
        {"bbox": "0,0,inf,1"},
        {"cursor": "not a cursor"},
        {"cursor": base64.urlsafe_b64encode(b"a|b|c").decode()},
        {"cursor": base64.urlsafe_b64encode(b"\xff\xfe").decode()},
        {"limit": 0},
        {"limit": 501},
        {"limit": "x"},
        {"q": "长" * 101},
    ]
    for query in queries:
        body = error(await centre.get("operator", "/incidents", **query), 422, "malformed")
        assert [body["field"]] == list(query), query


async def test_a_body_that_makes_no_sense_names_its_field(centre: Centre) -> None:
    good = {"title": "x", "category": "traffic", "lon": 116.805, "lat": 33.905}
    for change, field in (
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "长" * 81}, "title"),
        ({"title": None}, "title"),
        ({"title": 3}, "title"),
        ({"category": "petition"}, "category"),
        ({"level": "V"}, "level"),
        ({"source": "rumour"}, "source"),
        ({"lon": 181}, "lon"),
        ({"lon": "east"}, "lon"),
        ({"lat": -91}, "lat"),
        ({"lat": None}, "lat"),
        ({"description": "长" * 2_001}, "description"),
        ({"address": "长" * 201}, "address"),
        ({"reporter_contact": "1" * 65}, "reporter_contact"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"state": "closed"}, "state"),
        ({"reported_by": "somebody"}, "reported_by"),
    ):
        body = {**good, **change}
        answer = await centre.post("operator", "/incidents", body)
        assert error(answer, 422, "malformed")["field"] == field, change
    client = await centre.as_("operator")
    for raw in (b"", b"{", b"[]", b"null", b'{"title": "x",}', b'{"lon": NaN}', b"\xff\xfe", b'"x"'):
        answer = await client.post(
            "/api/v1/incidents", content=raw, headers={"content-type": "application/json"}
        )
        error(answer, 422, "malformed")
    text = json.dumps(good).replace('"x"', '"\\ud800"')
    answer = await client.post(
        "/api/v1/incidents", content=text, headers={"content-type": "application/json"}
    )
    error(answer, 422, "malformed")
    deep = b"[" * 100_000
    answer = await client.post(
        "/api/v1/incidents", content=deep, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert (await centre.get("operator", "/incidents")).json()["items"] == []


async def test_commands_that_make_no_sense_name_their_field(centre: Centre) -> None:
    incident = await centre.report()
    path = f"/incidents/{incident['id']}"
    for command, body, field in (
        ("reject", {}, "reason"),
        ("merge", {}, "into"),
        ("dispatch", {}, "responder_ids"),
        ("dispatch", {"responder_ids": []}, "responder_ids"),
        ("dispatch", {"responder_ids": ["w1", "w1"]}, "responder_ids"),
        ("dispatch", {"responder_ids": "w1"}, "responder_ids"),
        ("accept", {"level": "V"}, "level"),
        ("accept", {"expected_version": 0}, "expected_version"),
        ("note", {"text": " "}, "text"),
        ("note", {"text": "x", "priority": 1}, "priority"),
        ("supervise", {"text": "x", "grade": "blue"}, "grade"),
    ):
        answer = await centre.post("supervisor", f"{path}/{command}", body)
        assert error(answer, 422, "malformed")["field"] == field, command
    answer = await centre.post("operator", f"{path}/check_pass")
    body = error(answer, 409, "illegal_transition")
    assert (body["state"], body["command"]) == ("reported", "check_pass")


async def test_a_stale_version_is_told_the_version_it_has(centre: Centre) -> None:
    incident = await centre.report()
    path = f"/incidents/{incident['id']}"
    noted = (await centre.post("operator", f"{path}/note", {"text": "x"})).json()
    for command, body in (
        ("accept", {}),
        ("note", {"text": "y"}),
        ("claim", {}),
        ("cancel", {"reason": "误报"}),
        ("dispatch", {"responder_ids": ["w1"]}),
    ):
        answer = await centre.post(
            "supervisor", f"{path}/{command}", {**body, "expected_version": incident["version"]}
        )
        assert error(answer, 409, "stale_version")["version"] == noted["version"]
    answer = await centre.post("supervisor", f"{path}/accept", {"expected_version": noted["version"]})
    assert answer.json()["version"] == noted["version"] + 1


async def test_a_claim_and_a_busy_unit_name_the_winner(centre: Centre) -> None:
    incident = await centre.report()
    path = f"/incidents/{incident['id']}"
    await centre.post("dispatcher", f"{path}/claim")
    answer = await centre.post("dispatcher2", f"{path}/claim")
    assert error(answer, 409, "already_assigned")["winner"]["by_name"] == "调度席 沈知行"
    await centre.post("dispatcher", f"{path}/dispatch", {"responder_ids": ["w1"]})
    other = await centre.report(grid=G3)
    body = {"responder_ids": ["p1", "w1"]}
    answer = await centre.post("dispatcher2", f"/incidents/{other['id']}/dispatch", body)
    winner = error(answer, 409, "already_assigned")["winner"]
    assert (winner["responder_id"], winner["incident_id"]) == ("w1", incident["id"])
    assert winner["by_name"] == "调度席 沈知行"
    assert (await centre.get("dispatcher", "/responders/p1")).json()["assignment_id"] is None


async def test_a_replayed_key_has_one_effect(centre: Centre) -> None:
    lon, lat = middle(G1)
    body = {"title": "x", "category": "traffic", "lon": lon, "lat": lat}
    key = {"idempotency-key": "phone-7:42"}
    first = await centre.post("operator", "/incidents", body, **key)
    again = await centre.post("operator", "/incidents", body, **key)
    assert first.json() == again.json()
    assert again.status_code == 201
    other = await centre.post("operator", "/incidents", {**body, "title": "y"}, **key)
    error(other, 409, "idempotency_reuse")
    assert (await centre.post("dispatcher", "/incidents", body, **key)).json() != first.json()
    path = f"/incidents/{first.json()['id']}"
    sent = await centre.post(
        "dispatcher", f"{path}/dispatch", {"responder_ids": ["w1"]}, **{"idempotency-key": "d"}
    )
    again = await centre.post(
        "dispatcher", f"{path}/dispatch", {"responder_ids": ["w1"]}, **{"idempotency-key": "d"}
    )
    assert again.json() == sent.json()
    assert len((await centre.get("dispatcher", "/incidents")).json()["items"]) == 2


async def test_hostile_texts_come_back_as_they_were(centre: Centre) -> None:
    for text in HOSTILE:
        await comes_back(centre, text)


async def comes_back(centre: Centre, text: str) -> None:
    incident = await centre.report(title=text[:80], description=text, address=text)
    stored = (await centre.get("operator", f"/incidents/{incident['id']}")).json()
    assert stored["title"] == text[:80].strip()
    assert stored["description"] == stored["address"] == text.strip()
    await centre.post("operator", f"/incidents/{incident['id']}/note", {"text": text})
    timeline = (await centre.get("operator", f"/incidents/{incident['id']}/timeline")).json()["items"]
    assert timeline[-1]["note"] == text.strip()
    answer = await centre.get("operator", "/incidents", q=text[:20])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


class TestContact:
    async def test_it_is_shown_to_those_who_work_on_it_and_each_look_is_recorded(
        self, centre: Centre
    ) -> None:
        incident, jobs = await centre.dispatched("w1", reporter_contact="13812340472")
        path = f"/incidents/{incident['id']}/contact"
        for username in ("operator", "worker"):
            answer = await centre.post(username, path, {"purpose": " 核实地点 "})
            assert answer.json() == {"contact": "13812340472"}, username
        for username in ("dispatcher2", "supervisor", "leader"):
            error(await centre.post(username, path, {"purpose": "看看"}), 403, "forbidden")
        error(await centre.post("police2", path, {"purpose": "看看"}), 404, "not_found")
        error(await centre.post("dept", path, {"purpose": "看看"}), 403, "forbidden")
        entries = (await centre.get("admin", "/audit")).json()["items"]
        looks = [entry for entry in entries if entry["action"] == "contact.unmasked"]
        assert [entry["purpose"] for entry in looks] == ["核实地点", "核实地点"]
        assert {entry["object"] for entry in looks} == {f"incident:{incident['id']}"}
        assert "13812340472" not in str(entries)
        await centre.step("w1", jobs[0], "sign", "finish")
        error(await centre.post("worker", path, {"purpose": "看看"}), 403, "forbidden")

    async def test_it_stands_nowhere_else(self, centre: Centre) -> None:
        incident = await centre.report(reporter_contact="13812340472")
        path = f"/incidents/{incident['id']}"
        for found in (path, f"{path}/timeline", "/incidents", "/search?q=13812340472"):
            answer = await centre.get("operator", found)
            assert "12340472" not in answer.text
        events = centre.core.database.read_now(
            lambda c: b"".join(c.execute(sa.select(schema.events.c.data)).scalars())
        )
        assert b"12340472" not in events

    async def test_a_look_needs_a_purpose(self, centre: Centre) -> None:
        incident = await centre.report(reporter_contact="13812340472")
        path = f"/incidents/{incident['id']}/contact"
        for purpose in (None, "", "x", "    ", "长" * 201):
            answer = await centre.post("operator", path, {"purpose": purpose})
            assert error(answer, 422, "malformed")["field"] == "purpose"

    async def test_without_a_contact_there_is_none(self, centre: Centre) -> None:
        incident = await centre.report()
        path = f"/incidents/{incident['id']}/contact"
        error(await centre.post("operator", path, {"purpose": "核实"}), 404, "not_found")


class TestPhotos:
    async def send(
        self,
        centre: Centre,
        incident: str,
        content: bytes,
        name: str = "现场.jpg",
        who: str = "operator",
        **headers: str,
    ) -> httpx2.Response:
        client = await centre.as_(who)
        return await client.post(
            f"/api/v1/incidents/{incident}/photos", files={"file": (name, content, "text/html")}, headers=headers
        )  # fmt: skip

    async def test_its_content_decides_what_it_is(self, centre: Centre) -> None:
        for content, kind in ((JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp")):
            await self.is_a(centre, content, kind)

    async def is_a(self, centre: Centre, content: bytes, kind: str) -> None:
        incident = await centre.report()
        answer = await self.send(centre, incident["id"], content, "evil.html")
        assert answer.status_code == 201, answer.text
        photo = answer.json()["attachment"]
        assert (photo["content_type"], photo["size"], photo["name"]) == (kind, len(content), "evil.html")
        read = await centre.get("operator", f"/incidents/{incident['id']}/photos/{photo['id']}")
        assert read.content == content
        assert read.headers["content-type"] == kind
        assert read.headers["x-content-type-options"] == "nosniff"
        shown = (await centre.get("operator", f"/incidents/{incident['id']}")).json()["attachments"]
        assert shown == [photo]

    async def test_anything_else_is_refused_and_leaves_nothing(self, centre: Centre) -> None:
        incident = await centre.report()
        for content in (b"", SVG, b"GIF89a", b"RIFF\x00\x00\x00\x00WAVE", b"\xff\xd8", b"%PDF-1.7", b"MZ"):
            answer = await self.send(centre, incident["id"], content)
            assert error(answer, 422, "malformed")["field"] == "file"
        assert files(centre) == []

    async def test_a_hostile_name_is_only_a_name(self, centre: Centre) -> None:
        incident = await centre.report()
        kept = []
        names = ["../../../etc/passwd", "..\\..\\boot.ini", "a" * 300, "\u202egnp.exe", "<img src=x>.png"]
        for name in [*names, "x\x00.jpg", "."]:
            answer = await self.send(centre, incident["id"], JPEG, name)
            assert answer.status_code == 201, answer.text
            photo = answer.json()["attachment"]
            assert "/" not in photo["name"]
            assert 0 < len(photo["name"]) <= 80
            kept.append(f"{photo['id']}.jpg")
        assert files(centre) == sorted(kept)

    async def test_too_large_is_413(self, centre: Centre) -> None:
        incident = await centre.report()
        answer = await self.send(centre, incident["id"], JPEG + b"\x00" * 8_388_600)
        error(answer, 413, "too_large")
        answer = await self.send(centre, incident["id"], JPEG + b"\x00" * 9_000_000)
        error(answer, 413, "too_large")
        assert files(centre) == []

    async def test_whoever_works_on_it_adds_and_whoever_sees_it_reads(self, centre: Centre) -> None:
        incident, _ = await centre.dispatched("w1", grid=G1)
        answer = await self.send(centre, incident["id"], PNG, who="worker")
        photo = answer.json()["attachment"]["id"]
        path = f"/incidents/{incident['id']}/photos"
        assert (await centre.get("leader", f"{path}/{photo}")).status_code == 200
        error(await centre.get("police2", f"{path}/{photo}"), 404, "not_found")
        error(await self.send(centre, incident["id"], PNG, who="police2"), 404, "not_found")
        other = await centre.report(grid=G8)
        error(await centre.get("leader", f"/incidents/{other['id']}/photos/{photo}"), 404, "not_found")

    async def test_a_refused_photo_leaves_no_file(self, centre: Centre) -> None:
        incident = await centre.report()
        await centre.post("supervisor", f"/incidents/{incident['id']}/cancel", {"reason": "误报"})
        error(await self.send(centre, incident["id"], PNG), 409, "illegal_transition")
        assert files(centre) == []
        count = centre.core.database.read_now(
            lambda c: c.execute(sa.select(sa.func.count()).select_from(schema.attachments)).scalar()
        )
        assert count == 0

    async def test_a_phone_that_sends_it_again_adds_it_once(self, centre: Centre) -> None:
        incident = await centre.report()
        key = {"idempotency-key": "photo-1"}
        first = await self.send(centre, incident["id"], PNG, **key)
        again = await self.send(centre, incident["id"], PNG, **key)
        assert again.json() == first.json()
        assert len(files(centre)) == 1
        error(await self.send(centre, incident["id"], JPEG, **key), 409, "idempotency_reuse")
        assert len(files(centre)) == 1

    async def test_without_a_file_the_field_is_named(self, centre: Centre) -> None:
        incident = await centre.report()
        client = await centre.as_("operator")
        answer = await client.post(f"/api/v1/incidents/{incident['id']}/photos", data={"x": "y"})
        assert error(answer, 422, "malformed")["field"] == "file"


def files(centre: Centre) -> list[str]:
    folder: Path = centre.data / "photos"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def test_what_left_the_board_is_still_read(centre: Centre) -> None:
    incident, jobs = await centre.dispatched("w1", grid=G1)
    await centre.step("w1", jobs[0], "sign", "finish")
    path = f"/incidents/{incident['id']}"
    assert (await centre.post("operator", f"{path}/check_pass")).status_code == 200
    centre.core.board.incidents.pop(incident["id"])
    read = (await centre.get("operator", path)).json()
    assert read["state"] == "closed"
    assert (await centre.get("operator", f"{path}/timeline")).status_code == 200
    assert [row["id"] for row in (await centre.get("operator", "/incidents")).json()["items"]] == [read["id"]]
