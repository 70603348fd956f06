import pytest

from command.accounts.tokens import TokenRequest
from command.accounts.users import NewUser
from command.clock import parse_rfc3339
from tests.command.api.small_app import PASSWORD, Service, build


async def test_signing_in_tells_a_page_what_it_needs(service: Service) -> None:
    async with await service.signed_in("dispatcher") as client:
        answer = await client.get("/api/v1/session")
    body = answer.json()
    assert answer.status_code == 200
    assert body["user"]["username"] == "dispatcher"
    assert body["user"]["role_name"] == "调度员"
    assert "incident.dispatch" in body["user"]["permissions"]
    assert body["district"]["bounds"] == [116.8, 33.7, 117.2, 34.0]
    assert body["district"]["center"] == pytest.approx([117.0, 33.85])
    assert parse_rfc3339(body["server_time"]) == service.clock.now()


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service) -> None:
    async with service.client() as client:
        answer = await client.post("/api/v1/session", json={"username": "operator", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("yiping_session=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_nobody_is_401_and_a_wrong_cookie_is_nobody(service: Service) -> None:
    async with service.client() as client:
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await client.get("/api/v1/map")).status_code == 401
        for wrong in ("x", "", "yt_x", "a" * 5000):
            answer = await client.get("/api/v1/session", headers={"cookie": f"yiping_session={wrong}"})
            assert answer.status_code == 401


async def test_wrong_passwords_are_401_then_429_with_the_time_to_wait(service: Service) -> None:
    async with service.client() as client:
        wrong = {"username": "operator", "password": "wrong horse"}
        codes = [(await client.post("/api/v1/session", json=wrong)).status_code for _ in range(6)]
        assert codes == [401] * 5 + [429]
        right = {"username": "operator", "password": PASSWORD}
        answer = await client.post("/api/v1/session", json=right)
        assert answer.status_code == 429
        service.clock.advance(int(answer.headers["retry-after"]))
        assert (await client.post("/api/v1/session", json=right)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "operator"},
        {"username": "", "password": "x"},
        {"username": "x" * 65, "password": "x"},
        {"username": "operator", "password": "x" * 257},
        {"username": {"$ne": ""}, "password": "x"},
        {"username": "operator", "password": PASSWORD, "role": "admin"},
    ],
)
async def test_malformed_bodies(service: Service, body: dict[str, object]) -> None:
    async with service.client() as client:
        answer = await client.post("/api/v1/session", json=body)
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["' OR 1=1 --", "a\r\nSet-Cookie: x=1", "\u202egro", "\x00", "网格员" * 20])
async def test_hostile_names_are_just_wrong(service: Service, name: str) -> None:
    async with service.client() as client:
        answer = await client.post("/api/v1/session", json={"username": name, "password": "x"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(service: Service) -> None:
    async with await service.signed_in("operator") as client:
        token = client.cookies["yiping_session"]
        answer = await client.delete("/api/v1/session")
        assert answer.status_code == 204
        assert 'yiping_session=""' in answer.headers["set-cookie"]
        again = await client.get("/api/v1/session", headers={"cookie": f"yiping_session={token}"})
        assert again.status_code == 401
        assert (await client.delete("/api/v1/session")).status_code == 204


async def test_a_sign_in_never_takes_over_the_session_the_browser_brought(service: Service) -> None:
    async with await service.signed_in("operator") as client:
        planted = client.cookies["yiping_session"]
        await client.post("/api/v1/session", json={"username": "admin", "password": PASSWORD})
        assert client.cookies["yiping_session"] != planted
    assert service.parts.sessions.resolve(planted) is None


async def test_over_https_the_cookie_is_bound_to_host_and_tls(service: Service) -> None:
    secure = build(service.settings.data_dir, https=True, public_origins=("https://yiping.example",))
    await secure.parts.accounts.load()
    await secure.parts.accounts.add(NewUser("li", "李", "operator"), PASSWORD, "cli")
    async with secure.client("https://yiping.example") as client:
        answer = await client.post("/api/v1/session", json={"username": "li", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-yiping_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]
        assert (await client.get("/api/v1/session")).status_code == 200
        # The name without the prefix is nobody's: a plain-HTTP page could have set it.
        token = answer.cookies["__Host-yiping_session"]
        client.cookies.clear()
        old = await client.get("/api/v1/session", headers={"cookie": f"yiping_session={token}"})
        assert old.status_code == 401
    secure.parts.accounts.close()


async def test_changing_ones_password_signs_out_everywhere(service: Service) -> None:
    async with await service.signed_in("operator") as other, await service.signed_in("operator") as client:
        body = {"old_password": PASSWORD, "new_password": "another horse"}
        assert (await client.post("/api/v1/session/password", json=body)).status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await other.get("/api/v1/session")).status_code == 401


async def test_an_administrator_manages_accounts(service: Service) -> None:
    async with await service.signed_in("admin") as client, await service.signed_in("operator") as operator:
        made = await client.post("/api/v1/users", json={"username": "li", "name": "李", "role": "operator"})
        assert made.status_code == 201
        password = made.json()["password"]
        async with service.client() as li:
            signed = await li.post("/api/v1/session", json={"username": "li", "password": password})
            assert signed.status_code == 200
            listed = (await client.get("/api/v1/users")).json()["items"]
            assert "li" in {one["username"] for one in listed}
            assert "argon2" not in str(listed)
            assert (await client.post(f"/api/v1/users/{made.json()['id']}/disable")).status_code == 200
            assert (await li.get("/api/v1/session")).status_code == 401
        assert (await client.post(f"/api/v1/users/{made.json()['id']}/enable")).status_code == 200
        reset = await client.post(f"/api/v1/users/{made.json()['id']}/reset-password")
        assert reset.json()["password"] != password
        assert (await operator.get("/api/v1/users")).status_code == 403
        assert (await client.post("/api/v1/users/u-none/disable")).status_code == 404
        field = {"username": "w2", "name": "乙", "role": "worker", "responder_id": "r-none"}
        assert (await client.post("/api/v1/users", json=field)).json()["field"] == "responder_id"
        known = {"username": "w3", "name": "丙", "role": "operator", "password": "12345678"}
        assert (await client.post("/api/v1/users", json=known)).json()["field"] == "password"
        known["password"] = "correct horse"
        assert "password" not in (await client.post("/api/v1/users", json=known)).json()


async def test_an_administrator_manages_tokens(service: Service) -> None:
    async with await service.signed_in("admin") as client:
        made = await client.post(
            "/api/v1/tokens", json={"kind": "device", "label": "手机", "responder_id": "r-1"}
        )
        assert made.status_code == 201
        token = made.json()["token"]
        assert service.parts.tokens.lookup(token) is not None
        listed = await client.get("/api/v1/tokens")
        assert token not in listed.text
        assert "hash" not in listed.text
        assert (await client.post(f"/api/v1/tokens/{made.json()['id']}/revoke")).status_code == 204
        assert (await client.post(f"/api/v1/tokens/{made.json()['id']}/revoke")).status_code == 404
        assert service.parts.tokens.lookup(token) is None
        wrong = await client.post(
            "/api/v1/tokens", json={"kind": "device", "label": "x", "responder_id": "r-none"}
        )
        assert wrong.status_code == 422


async def test_tokens_as_bearer(service: Service) -> None:
    issue = service.parts.tokens.issue
    integration, _ = await issue(TokenRequest("integration", "热线"), "admin")
    device, _ = await issue(TokenRequest("device", "手机", responder_id="r-1"), "admin")
    kiosk, _ = await issue(TokenRequest("kiosk", "大厅"), "admin")
    async with service.client() as client:
        for token, status in ((integration, 200), (device, 401), (kiosk, 401), ("yt_x", 401), ("", 401)):
            answer = await client.get("/api/v1/session", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status
        answer = await client.get("/api/v1/map", headers={"authorization": f"Bearer {integration}"})
        assert answer.status_code == 403


async def test_reading_the_audit_is_recorded_and_paged(service: Service) -> None:
    async with await service.signed_in("leader") as client:
        page = (await client.get("/api/v1/audit", params={"limit": 3})).json()
        assert page["items"][0]["action"] == "audit.read"
        assert len(page["items"]) == 3
        following = await client.get("/api/v1/audit", params={"limit": 3, "cursor": page["next"]})
        assert following.json()["items"][0]["seq"] == page["items"][-1]["seq"] - 1
        verdict = (await client.get("/api/v1/audit/verify")).json()
        assert verdict["ok"] is True
        foreign = (await client.get("/api/v1/audit/verify", params={"head": "f" * 64})).json()
        assert foreign["ok"] is False
    async with await service.signed_in("operator") as client:
        assert (await client.get("/api/v1/audit")).status_code == 403
    async with await service.signed_in("admin") as client:
        last = {}
        while page["next"]:
            last = page
            page = (await client.get("/api/v1/audit", params={"limit": 500, "cursor": page["next"]})).json()
        assert page["items"][-1]["seq"] == 1
        assert last


async def test_roles_are_listed_for_administrators(service: Service) -> None:
    async with await service.signed_in("admin") as client:
        items = (await client.get("/api/v1/roles")).json()["items"]
    assert {"operator", "worker", "wall"} <= {one["id"] for one in items}
