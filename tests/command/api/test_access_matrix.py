"""Every route × every role, walked from the app itself: nothing is open that does not say so."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from command.accounts.access import PERMISSIONS
from command.api.security import access_of, undeclared_routes
from tests.fixtures import Centre

OPEN: Final = {
    "/static",
    "/openapi.json",
    "/api/v1/feed",
    "/api/v1/cameras/{camera_id}/live",
    "/api/v1/cameras/{camera_id}/playback",
}
"""Open on purpose, or checking on their own (the sockets' handshakes)."""
ROLES: Final = ("operator", "dispatcher", "supervisor", "leader", "dept", "police", "worker", "admin")
ENDS: Final = {"/api/v1/session", "/api/v1/session/password"}
"""Not to be walked: they end the session that walks."""


def inner(app: Any) -> FastAPI:
    while not isinstance(app, FastAPI):
        app = app._app
    return app


def routes(centre: Centre) -> list[tuple[str, str, str]]:
    """Return (method, path with ids filled in, what it declares)."""
    found = []
    for route in iter_route_contexts(inner(centre.app).routes):
        access = access_of(route)
        if access is None or not isinstance(getattr(route, "original_route", route), APIRoute):
            continue
        path = str(route.path)
        path = re.sub(r"\{\w+\}", "absent", path.replace("{command}", "note"))
        found += [(method, path, access) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


def test_no_route_is_silent_about_its_access(centre: Centre) -> None:
    assert undeclared_routes(inner(centre.app), OPEN) == []


async def test_every_route_keeps_to_what_it_declares(centre: Centre) -> None:
    found = routes(centre)
    assert len(found) > 45
    declared = {name for _, _, access in found for name in access.split(" or ")}
    assert declared <= {*PERMISSIONS, "public", "signed_in"}
    assert not [path for _, path, _ in found if "{" in path]
    access = centre.core.parts.access
    async with centre.anonymous() as nobody:
        for method, path, declared in found:
            if path in ENDS:
                continue
            answer = await nobody.request(method, path, json={} if method in ("POST", "PUT") else None)
            if declared == "public":
                assert answer.status_code not in (401, 403), (method, path)
            else:
                assert answer.status_code == 401, (method, path, answer.text)
    for role in ROLES:
        client = await centre.as_(role)
        held = access.roles[role].scopes
        for method, path, declared in found:
            if path in ENDS or declared == "public":
                continue
            answer = await client.request(method, path, json={} if method in ("POST", "PUT") else None)
            assert answer.status_code < 500, (role, method, path, answer.text)
            if declared != "signed_in" and not set(declared.split(" or ")) & set(held):
                assert answer.status_code == 403, (role, method, path, answer.text)


async def test_an_administrator_reaches_no_case(centre: Centre) -> None:
    incident, jobs = await centre.dispatched("w1", reporter_contact="13812340472")
    client = await centre.as_("admin")
    for path in (
        "/incidents",
        f"/incidents/{incident['id']}",
        f"/incidents/{incident['id']}/timeline",
        f"/assignments/{jobs[0]}",
        "/nearest?lon=116.8&lat=33.9",
        "/search?q=x",
        "/wall/summary",
    ):
        assert (await client.get(f"/api/v1{path}")).status_code == 403, path


async def test_a_disabled_account_is_out_at_once(centre: Centre) -> None:
    assert (await centre.get("operator", "/incidents")).status_code == 200
    users = (await centre.get("admin", "/users")).json()["items"]
    key = next(user["id"] for user in users if user["username"] == "operator")
    assert (await centre.post("admin", f"/users/{key}/disable")).status_code == 200
    assert (await centre.get("operator", "/incidents")).status_code == 401
    async with centre.anonymous() as client:
        body = {"username": "operator", "password": "eight-grids"}
        assert (await client.post("/api/v1/session", json=body)).status_code == 401


async def test_another_sites_page_changes_nothing(centre: Centre) -> None:
    incident = await centre.report()
    client = await centre.as_("supervisor")
    path = f"/api/v1/incidents/{incident['id']}/cancel"
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        answer = await client.post(path, json={"reason": "x"}, headers=headers)
        assert answer.status_code == 403, headers
    assert (await centre.get("operator", f"/incidents/{incident['id']}")).json()["state"] == "reported"
