"""Calls survive restarts and refusals, and never repeat an effect."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from command.demo.simulator.clients import Api, SignedIn
from command.demo.simulator.feed import Feed, Picture
from tests.command.demo.played import RATES, START, FakeTime


def api(handler: Callable[[httpx2.Request], httpx2.Response]) -> tuple[Api, FakeTime]:
    time = FakeTime()
    return Api("http://127.0.0.1:8000/", RATES.network, time, httpx2.MockTransport(handler)), time


def session(cookie: str = "s1") -> httpx2.Response:
    return httpx2.Response(
        200, json={"user": {"id": "u_1", "name": "沈"}}, headers={"set-cookie": f"yiping_session={cookie}"}
    )


async def test_a_call_is_repeated_with_the_same_key_until_it_is_taken() -> None:
    keys: list[str] = []
    answers = iter([httpx2.Response(503), httpx2.Response(429, headers={"retry-after": "3"}), None])

    def handler(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers["idempotency-key"])
        return next(answers) or httpx2.Response(201, json={"id": "i_1"})

    service, time = api(handler)
    answer, _ = await service.call("POST", "/incidents", body={"title": "x"})
    assert answer.ok
    assert answer.body == {"id": "i_1"}
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert time.now() - START > 1.8  # it waited as it was told
    await service.aclose()


async def test_a_service_that_is_away_is_given_up_after_a_while_without_a_crash() -> None:
    calls = 0

    def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal calls
        calls += 1
        raise httpx2.ConnectError("refused", request=request)

    service, time = api(handler)
    answer, _ = await service.call("GET", "/responders")
    assert (answer.status, answer.ok) == (0, False)
    assert calls == RATES.network.attempts
    assert service.failures == 1
    assert time.now() - START < 40
    await service.aclose()


async def test_a_conflict_is_an_answer_and_not_repeated() -> None:
    calls = 0

    def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal calls
        calls += 1
        return httpx2.Response(409, json={"error": "already_assigned", "winner": {"by_name": "罗"}})

    service, _ = api(handler)
    answer, _ = await service.call("POST", "/incidents/i_1/claim")
    assert (answer.status, calls) == (409, 1)
    assert answer.body["winner"]["by_name"] == "罗"
    await service.aclose()


async def test_an_account_signs_in_when_needed_and_again_when_its_session_ended() -> None:
    sign_ins = 0
    cookies: list[str | None] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal sign_ins
        if request.url.path == "/api/v1/session":
            sign_ins += 1
            assert "cookie" not in request.headers
            return session(f"s{sign_ins}")
        cookies.append(request.headers.get("cookie"))
        return httpx2.Response(401 if cookies[-1] == "yiping_session=s1" else 200, json={"items": []})

    service, _ = api(handler)
    me = SignedIn(service, "dispatcher2", "x")
    assert sign_ins == 0
    assert (await me.get("/responders", limit=5)).ok
    assert cookies == ["yiping_session=s1", "yiping_session=s2"]
    assert (me.user_id, me.name) == ("u_1", "沈")
    await service.aclose()


async def test_accounts_do_not_mix_their_cookies() -> None:
    seen: list[tuple[str, str | None]] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api/v1/session":
            return session("a" if b'"a"' in request.content else "b")
        seen.append((request.url.path, request.headers.get("cookie")))
        return httpx2.Response(200, json={})

    service, _ = api(handler)
    await SignedIn(service, "a", "x").post("/a")
    await SignedIn(service, "b", "x").post("/b")
    assert seen == [("/api/v1/a", "yiping_session=a"), ("/api/v1/b", "yiping_session=b")]
    await service.aclose()


async def test_a_wrong_password_is_not_tried_over_and_over() -> None:
    calls = 0

    def handler(request: httpx2.Request) -> httpx2.Response:
        nonlocal calls
        calls += 1
        return httpx2.Response(401, json={"error": "unauthenticated"})

    service, _ = api(handler)
    assert (await SignedIn(service, "a", "wrong").post("/x")).status == 401
    assert calls == 1
    await service.aclose()


def feed() -> tuple[Feed, Picture, list[str]]:
    service, time = api(lambda _request: httpx2.Response(200))
    picture = Picture()
    told: list[str] = []
    picture.listen(lambda type_, _data: told.append(type_))
    return Feed(SignedIn(service, "a", "x"), service.url, picture, time), picture, told


SNAPSHOT = {"frame": "snapshot", "epoch": "e", "seq": 5, "board": {"incidents": {"i": {"id": "i"}}}}


def event(seq: int, prev: int, epoch: str = "e", **changes: object) -> dict[str, object]:
    frame = {"frame": "event", "epoch": epoch, "seq": seq, "prev": prev, "type": "incident.updated"}
    return {**frame, "data": {"changes": {"incidents": changes}}}


def test_the_feed_keeps_the_contracts_rules() -> None:
    reader, picture, told = feed()
    assert reader.take(SNAPSHOT)
    assert reader.take(event(6, 5, j={"id": "j"}))
    assert reader.take(event(6, 5, j=None))  # seen already: dropped
    assert set(picture.incidents) == {"i", "j"}
    assert reader.take(event(9, 6, i=None))
    assert set(picture.incidents) == {"j"}
    assert reader.take({"frame": "heartbeat", "epoch": "e", "seq": 9})
    assert told == ["snapshot", "incident.updated", "incident.updated"]


def test_a_gap_a_new_epoch_or_a_lost_last_event_means_starting_over() -> None:
    for bad in (event(9, 8), event(6, 5, epoch="other"), {"frame": "heartbeat", "epoch": "e", "seq": 6}):
        reader, _, _ = feed()
        assert reader.take(SNAPSHOT)
        assert not reader.take(bad)
    reader, _, _ = feed()
    assert not reader.take(event(1, 0))  # nothing to apply it to


def test_a_listener_that_fails_does_not_stop_the_others() -> None:
    picture, told = Picture(), list[str]()

    def broken(_type: str, _data: object) -> None:
        raise RuntimeError("slip")

    picture.listen(broken)
    picture.listen(lambda type_, _data: told.append(type_))
    picture.meet([])
    assert told == ["presence"]
