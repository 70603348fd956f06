from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from structlog.testing import capture_logs

from command.accounts.access import PERMISSIONS
from command.api.middleware import CSP
from command.api.origins import OriginRules
from command.api.security import access_of, public, require, undeclared_routes
from command.setting_sections import SecuritySettings
from command.settings import Settings
from tests.command.api.small_app import BASE, Service

OWN = {"origin": BASE}
NUMBERS = "/api/v1/numbers"


def scope(headers: dict[str, str], client: str = "10.0.0.1", scheme: str = "http") -> dict[str, object]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "headers": raw, "client": (client, 1), "scheme": scheme}


def rules(**security: object) -> OriginRules:
    return OriginRules(Settings(security=SecuritySettings(**security)))  # type: ignore[arg-type]


async def test_every_answer_carries_the_headers(service: Service) -> None:
    async with service.client() as client:
        for path in ("/livez", "/api/v1/open", "/api/v1/map", "/nothing"):
            answer = await client.get(path)
            assert answer.headers["content-security-policy"] == CSP
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "strict-transport-security" not in answer.headers
            assert answer.headers["x-request-id"]
        assert (await client.get("/api/v1/open")).headers["cache-control"] == "no-store"


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert "default-src 'self'" in CSP
    assert "object-src 'none'" in CSP
    assert "frame-ancestors 'none'" in CSP
    assert "base-uri 'none'" in CSP
    for loose in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
        assert loose not in CSP


async def test_a_given_request_id_is_kept_if_it_is_harmless(service: Service) -> None:
    async with service.client() as client:
        kept = await client.get("/livez", headers={"x-request-id": "desk-7.a_B"})
        assert kept.headers["x-request-id"] == "desk-7.a_B"
        for forged in ("a b", "x" * 65, "a;b", '{"level":"error"}', "é".encode()):
            answer = await client.get("/livez", headers={"x-request-id": forged})
            assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    ],
)
async def test_another_site_changes_nothing(service: Service, headers: dict[str, str]) -> None:
    async with await service.signed_in("operator") as client:
        for method, path in (("POST", NUMBERS), ("DELETE", "/api/v1/session"), ("PATCH", NUMBERS)):
            answer = await client.request(method, path, json={"n": 1}, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"] == "origin_refused"
        assert (await client.get("/api/v1/session")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, OWN, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": BASE.upper()}],
)
async def test_our_own_pages_and_programs_may(service: Service, headers: dict[str, str]) -> None:
    async with service.client() as client:
        assert (await client.post(NUMBERS, json={"n": 1}, headers=headers)).status_code == 200


async def test_a_form_of_another_site_is_no_json(service: Service) -> None:
    async with service.client() as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = await client.post(NUMBERS, content=b'{"n": 1}', headers={"content-type": kind})
            assert answer.status_code == 422


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:8000@evil", "", "a" * 300, "127.0.0.1:99999999", "a/b"]
)
async def test_an_unknown_host_name_is_refused(service: Service, host: str) -> None:
    async with service.client() as client:
        answer = await client.get("/livez", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["error"] == "host_refused"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "10.1.2.3", "[::1]:8000", "LOCALHOST"])
async def test_addresses_are_answered(service: Service, host: str) -> None:
    async with service.client() as client:
        assert (await client.get("/livez", headers={"host": host})).status_code == 200


def test_two_hosts_or_none_are_refused() -> None:
    twice = scope({"host": "localhost"})
    twice["headers"] = [(b"host", b"localhost"), (b"host", b"evil.example")]
    assert not rules().host_allowed(twice)
    assert not rules().host_allowed(scope({}))


def test_public_names_are_the_only_ones_but_for_health_checks() -> None:
    named = rules(public_origins=("https://yiping.example", "http://10.0.0.5:8000"))
    assert named.host_allowed(scope({"host": "yiping.example"}))
    assert named.host_allowed(scope({"host": "10.0.0.5:8000"}))
    assert named.host_allowed(scope({"host": "127.0.0.1:8000"}))
    assert not named.host_allowed(scope({"host": "10.0.0.6:8000"}))
    assert named.same_site(scope({"host": "yiping.example", "origin": "https://yiping.example"}))
    # Behind a proxy that ends TLS the request itself comes over plain HTTP.
    assert not named.same_site(scope({"host": "yiping.example", "origin": "http://yiping.example"}))
    assert named.same_site(scope({"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}))


def test_the_listening_host_is_one_of_ours() -> None:
    own = OriginRules(Settings(host="centre.local"))
    assert own.host_allowed(scope({"host": "centre.local:8000"}))
    assert not own.host_allowed(scope({"host": "centre.local.evil.example"}))


@given(st.text(max_size=40).filter(lambda text: text.encode("latin-1", "ignore").decode("latin-1") == text))
def test_no_foreign_origin_is_ever_ours(origin: str) -> None:
    asked = scope({"host": "127.0.0.1:8000", "origin": origin})
    assert rules().same_site(asked) == (origin.lower() == BASE)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", "10.0.0.1"),
        ("10.9.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.9.0.1", "6.6.6.6, 1.2.3.4, 10.9.0.2", "1.2.3.4"),
        ("10.9.0.1", "6.6.6.6, not an address", "10.9.0.1"),
        ("10.9.0.1", "", "10.9.0.1"),
        ("10.9.0.1", "10.9.0.3", "10.9.0.3"),
    ],
)
def test_forwarded_addresses_are_believed_of_our_proxies_alone(
    peer: str, forwarded: str | None, found: str
) -> None:
    headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}
    assert rules(trusted_proxies=("10.9.0.0/24",)).client_address(scope(headers, peer)) == found


async def test_a_body_that_says_it_is_too_large_is_not_read(service: Service) -> None:
    async with service.client() as client:
        answer = await client.post(NUMBERS, content=b"x", headers={"content-length": "999999999"})
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == service.settings.security.max_body_bytes
    async with service.client() as client:
        for odd in ("-1", "1e3", "abc"):
            answer = await client.post(NUMBERS, content=b"x", headers={"content-length": odd})
            assert answer.status_code == 400


@pytest.mark.parametrize("path", [NUMBERS, "/api/v1/incidents/x/photos"])
async def test_a_body_that_keeps_growing_is_cut(service: Service, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 65_536
            yield b"x" * 65_536

    async with service.client() as client:
        answer = await client.post(path, content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["error"] == "too_large"
    assert answer.headers["content-security-policy"]
    assert sent < 400 * 65_536


async def test_photos_may_be_larger_than_commands(service: Service) -> None:
    body = b"x" * (service.settings.security.max_body_bytes + 1)
    async with service.client() as client:
        assert (await client.post("/api/v1/incidents/x/photos", content=body)).json() == {"size": len(body)}
        assert (await client.post(NUMBERS, content=body)).status_code == 413


async def test_the_log_line_has_no_query_and_knows_who(service: Service) -> None:
    async with await service.signed_in("operator") as client:
        with capture_logs() as lines:
            await client.get("/api/v1/map", params={"token": "canary-1"})
    [line] = [line for line in lines if line["event"] == "request"]
    assert "canary" not in str(lines)
    assert (line["path"], line["status"], line["method"]) == ("/api/v1/map", 200, "GET")
    assert line["user_id"].startswith("u-")


async def test_roles_are_held_to_their_permissions(service: Service) -> None:
    async with await service.signed_in("operator") as client:
        assert (await client.get("/api/v1/map")).status_code == 200
    async with await service.signed_in("admin") as client:
        answer = await client.get("/api/v1/map")
    assert answer.status_code == 403
    assert answer.json()["error"] == "forbidden"


def socket_client(service: Service) -> TestClient:
    return TestClient(service.app, base_url=BASE)


@pytest.mark.parametrize("headers", [OWN, {}])
async def test_a_socket_of_our_own_page_knows_its_user(service: Service, headers: dict[str, str]) -> None:
    token, _ = await service.parts.accounts.sign_in("operator", "correct horse", "")
    cookie = {"cookie": f"yiping_session={token}", "host": "127.0.0.1:8000"}
    with socket_client(service).websocket_connect("/api/v1/socket", headers={**headers, **cookie}) as socket:
        assert socket.receive_json() == {"user": "operator"}
    with socket_client(service).websocket_connect(
        "/api/v1/socket", headers={"host": "127.0.0.1:8000"}
    ) as socket:
        assert socket.receive_json() == {"user": None}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "host": "127.0.0.1:8000"},
        {"origin": "null", "host": "127.0.0.1:8000"},
        {"origin": "http://evil.example", "host": "evil.example"},
    ],
)
async def test_a_socket_of_another_site_is_refused(service: Service, headers: dict[str, str]) -> None:
    token, _ = await service.parts.accounts.sign_in("operator", "correct horse", "")
    cookie = {"cookie": f"yiping_session={token}"}
    client = socket_client(service)
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect("/api/v1/socket", headers={**headers, **cookie}),
    ):
        pass
    assert caught.value.code == 4003


def test_a_route_says_who_may_call_it() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/a", dependencies=[Depends(public)])
    async def a() -> None: ...

    @app.get("/b", dependencies=[Depends(require("view.map"))])
    async def b() -> None: ...

    assert [access_of(route) for route in app.routes] == ["public", "view.map"]
    assert undeclared_routes(app) == []

    inner, outer = APIRouter(), APIRouter(prefix="/api")

    @inner.post("/forgotten")
    async def forgotten() -> None: ...

    @inner.websocket("/socket")
    async def socket(websocket: WebSocket) -> None: ...

    outer.include_router(inner)
    app.include_router(outer)
    app.mount("/files", FastAPI())
    assert undeclared_routes(app) == ["* /api/socket", "* /files", "POST /api/forgotten"]
    assert undeclared_routes(app, open_paths=["/api/forgotten", "/files"]) == ["* /api/socket"]


def test_a_routers_own_dependency_declares_all_its_routes() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    inner = APIRouter(dependencies=[Depends(public)])

    @inner.get("/a")
    async def a() -> None: ...

    app.include_router(inner)
    assert undeclared_routes(app) == []


def test_require_knows_its_permissions() -> None:
    with pytest.raises(KeyError):
        require("incident.destroy")
    for permission in PERMISSIONS:
        assert require(permission) is require(permission)


def test_every_route_of_the_service_declares_its_access(tmp_path: Path) -> None:
    from command.core import open_core
    from command.server import create_app

    core = open_core(Settings(data_dir=tmp_path))
    try:
        app = create_app(core.settings, core=core)
        while not isinstance(app, FastAPI):
            app = app._app if hasattr(app, "_app") else app.app  # type: ignore[attr-defined]
        # Static files are open to all; sockets check their handshake themselves (see test_feed_socket, test_live).
        sockets = {"/api/v1/feed", *(f"/api/v1/cameras/{{camera_id}}/{way}" for way in ("live", "playback"))}
        open_paths = {"/static", "/openapi.json", *sockets}
        assert undeclared_routes(app, open_paths) == []
    finally:
        core.close()
