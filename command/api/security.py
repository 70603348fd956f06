"""Who asks, and who may call a route.

`require(permission)`, `signed_in` and `public` are dependencies that also *declare* a route's access, so that
`undeclared_routes` can fail the tests for a route that says nothing. Session cookies never authorise a
request that another site made: they are SameSite=Strict, and `SecurityMiddleware` checks Origin or
Sec-Fetch-Site on every method that changes something and on every WebSocket.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from command.accounts.access import PERMISSIONS, Principal
from command.accounts.sessions import Session
from command.api.cookies import cookie_name
from command.api.middleware import SecurityMiddleware
from command.api.origins import OriginRules
from command.errors import Forbidden, Unauthenticated

__all__ = [
    "SecurityMiddleware",
    "access_of",
    "bearer_token",
    "client_address",
    "declares",
    "origin_allowed",
    "principal_of",
    "public",
    "require",
    "session_of",
    "signed_in",
    "undeclared_routes",
]

Dependency = Callable[[Request], Awaitable[Principal]]

_DECLARED: Final = "__access__"
PUBLIC: Final = "public"
SIGNED_IN: Final = "signed_in"


def declares(access: str) -> Callable[[Dependency], Dependency]:
    """Return a decorator by which a dependency of one's own says what it lets in."""

    def mark(call: Dependency) -> Dependency:
        setattr(call, _DECLARED, access)
        return call

    return mark


async def public() -> None:
    """Declare a route open to everybody: ``dependencies=[Depends(public)]``."""


setattr(public, _DECLARED, PUBLIC)


async def signed_in(request: Request) -> Principal:
    """Declare a route open to every account, and give the principal.

    Raises:
        Unauthenticated: Nobody is signed in.
    """
    principal = principal_of(request)
    if principal is None:
        raise Unauthenticated()
    request.state.user_id = principal.user_id
    return principal


setattr(signed_in, _DECLARED, SIGNED_IN)


@functools.cache
def require(*permissions: str) -> Dependency:
    """Return the dependency that lets in those who hold one of the permissions, and gives the principal.

    Which things the permission covers is `Access.may`'s answer for each thing.

    Args:
        permissions: Keys of `PERMISSIONS`; most routes name one.

    Raises:
        KeyError: There is no such permission.
    """
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise KeyError(permission)

    async def holder(request: Request) -> Principal:
        principal = await signed_in(request)
        access = request.app.state.services.access
        if not any(access.allows(principal, permission) for permission in permissions):
            raise Forbidden()
        return principal

    setattr(holder, _DECLARED, " or ".join(permissions))
    return holder


def principal_of(connection: HTTPConnection) -> Principal | None:
    """Return who asks: by the session cookie, or an integration by its Bearer token; None for nobody."""
    session = session_of(connection)
    if session is not None:
        return session.principal
    tokens = connection.app.state.services.tokens
    grant = tokens.lookup(bearer_token(connection))
    # A kiosk token opens a session; it is no key by itself, or it would end up in scripts.
    if grant is None or grant.kind != "integration":
        return None
    principal: Principal | None = tokens.principal(grant)
    return principal


def session_of(connection: HTTPConnection) -> Session | None:
    """Return the live session of the connection's cookie; for requests and WebSocket handshakes alike."""
    services = connection.app.state.services
    token = connection.cookies.get(cookie_name(services.settings.security))
    session: Session | None = services.sessions.resolve(token)
    return session


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return the token of an ``Authorization: Bearer`` header, or None."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def origin_allowed(connection: HTTPConnection) -> bool:
    """Say whether the handshake's ``Origin`` may use our cookies; True without one: then it is no browser."""
    rules = OriginRules(connection.app.state.services.settings)
    return rules.same_site(connection.scope)


def client_address(connection: HTTPConnection) -> str:
    """Return where the request comes from, through the proxies we trust; "" if unknown."""
    return OriginRules(connection.app.state.services.settings).client_address(connection.scope)


def access_of(route: BaseRoute | RouteContext) -> str | None:
    """Return what a route declares: a permission, "public", "signed_in", or None."""
    dependant = getattr(route, "dependant", None)
    if dependant is None:
        return None
    return " ".join(sorted(set(_declarations(dependant)))) or None


def undeclared_routes(app: FastAPI, open_paths: Iterable[str] = ()) -> list[str]:
    """Return the routes that declare no access, as "METHODS path".

    Args:
        app: The whole app.
        open_paths: Paths (or mounts) that check access on their own or are open on purpose.
    """
    allowed = set(open_paths)
    missing: list[str] = []
    for route in iter_route_contexts(app.routes):
        if route.path not in allowed and access_of(route) is None:
            missing.append(f"{','.join(sorted(route.methods or ['*']))} {route.path}")
    return sorted(missing)


def _declarations(dependant: Dependant) -> Iterable[str]:
    call: Any = dependant.call
    declared = getattr(call, _DECLARED, None)
    if declared is not None:
        yield declared
    for below in dependant.dependencies:
        yield from _declarations(below)
