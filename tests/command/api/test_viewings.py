from __future__ import annotations

from tests.command.api.test_incidents import error
from tests.fixtures import Centre


async def test_reading_who_watched_is_recorded_too(centre: Centre) -> None:
    session = await centre.as_("dispatcher")
    me = (await session.get("/api/v1/session")).json()["user"]
    principal = centre.core.parts.access.principal(
        user_id=me["id"], username="dispatcher", name=me["name"], role="dispatcher"
    )
    for n in range(5):
        centre.clock.advance(60)
        key = await centre.core.viewings.start(principal, f"c{n % 2 + 1}", "live", purpose="watch")
        await centre.core.viewings.end(key)
    answer = await centre.get("leader", "/viewings", camera_id="c1", limit=2)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert [row["camera_id"] for row in page["items"]] == ["c1", "c1"]
    first = page["items"][0]
    assert (first["user_name"], first["camera_name"], first["kind"]) == ("调度席 沈知行", "渡口街北", "live")
    rest = (await centre.get("leader", "/viewings", camera_id="c1", limit=2, cursor=page["next"])).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    assert len((await centre.get("admin", "/viewings", user_id=me["id"])).json()["items"]) == 5
    since = first["started_at"].replace("Z", "+00:00")
    assert len((await centre.get("leader", "/viewings", since=since)).json()["items"]) == 1
    assert len((await centre.get("leader", "/viewings", until=since)).json()["items"]) == 4
    entries = (await centre.get("leader", "/audit")).json()["items"]
    reads = [entry for entry in entries if entry["action"] == "viewings.read"]
    assert len(reads) == 5
    assert reads[-1]["data"] == {"camera_id": "c1", "limit": 2}
    assert (await centre.get("leader", "/audit/verify")).json()["ok"]


async def test_only_auditors_read_it(centre: Centre) -> None:
    for username in ("operator", "dispatcher", "supervisor", "dept", "police", "worker"):
        error(await centre.get(username, "/viewings"), 403, "forbidden")
    for query, field in (
        ({"since": "yesterday"}, "since"),
        ({"until": "2026"}, "until"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": 0}, "limit"),
    ):
        assert error(await centre.get("leader", "/viewings", **query), 422, "malformed")["field"] == field


async def test_they_are_forgotten_when_they_are_due(centre: Centre) -> None:
    from datetime import timedelta

    from command.clock import rfc3339

    principal = centre.core.parts.access.principal(user_id="u", username="x", name="x", role="dispatcher")
    await centre.core.viewings.start(principal, "c1", "live")
    days = centre.core.settings.retention.viewing_log_days
    now = centre.clock.now()
    assert await centre.core.viewings.purge(rfc3339(now - timedelta(days=days))) == 0
    assert await centre.core.viewings.purge(rfc3339(now + timedelta(seconds=1))) == 1
