"""Signing in and out, for people and for walls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.accounts.passwords import MAX_LENGTH
from command.accounts.users import MAX_USERNAME
from command.api.cookies import clear_cookie, set_cookie
from command.api.security import client_address, public, session_of, signed_in
from command.api.services import Services, ServicesOf
from command.clock import rfc3339

router = APIRouter(tags=["session"])
SignedIn = Annotated[Principal, Depends(signed_in)]


class SignInBody(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(min_length=1, max_length=MAX_USERNAME)
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


class PasswordBody(BaseModel):
    """One's old password and a new one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    old_password: str = Field(min_length=1, max_length=MAX_LENGTH)
    new_password: str = Field(min_length=1, max_length=MAX_LENGTH)


class UserOut(BaseModel):
    """Who is signed in. ``area`` null: the whole district."""

    id: str
    username: str
    name: str
    role: str
    role_name: str
    area: str | None
    responder_id: str | None
    department: str | None
    permissions: list[str]


class DistrictOut(BaseModel):
    """The district; ``center`` and ``bounds`` (w, s, e, n) in degrees, null before an import."""

    name: str
    code: str
    prefix: str
    center: tuple[float, float] | None
    bounds: tuple[float, float, float, float] | None


class SessionOut(BaseModel):
    """What a page needs to start."""

    user: UserOut
    district: DistrictOut
    demo: bool
    server_time: str


@router.post("/session", dependencies=[Depends(public)])
async def sign_in(body: SignInBody, request: Request, response: Response, s: ServicesOf) -> SessionOut:
    """Sign in with name and password; the session's cookie comes with the answer."""
    await _end_old(request, s)
    token, session = await s.accounts.sign_in(body.username, body.password, client_address(request))
    limit_s = s.settings.security.session_absolute_hours * 3600
    set_cookie(response, token, s.settings.security, limit_s)
    return describe(session.principal, s)


@router.get("/session")
async def read_session(me: SignedIn, s: ServicesOf) -> SessionOut:
    """Say who is signed in."""
    return describe(me, s)


@router.delete("/session", status_code=204, dependencies=[Depends(public)])
async def sign_out(request: Request, response: Response, s: ServicesOf) -> None:
    """End the session; its sockets close with it. Without one nothing happens."""
    await _end_old(request, s)
    clear_cookie(response, s.settings.security)


@router.post("/session/password", status_code=204)
async def change_password(
    body: PasswordBody, request: Request, response: Response, me: SignedIn, s: ServicesOf
) -> None:
    """Change one's own password; every session of the account ends, this one too."""
    await s.accounts.change_password(
        me.user_id, body.old_password, body.new_password, client_address(request)
    )
    clear_cookie(response, s.settings.security)


async def start_kiosk(request: Request, response: Response, s: Services, kiosk_token: str) -> None:
    """Begin a wall's session and put its cookie into the answer.

    Raises:
        Unauthenticated: The token is unknown, revoked, or not a kiosk's.
        TooManyRequests: Too many wrong ones from this address.
    """
    await _end_old(request, s)
    token, _ = await s.accounts.sign_in_kiosk(kiosk_token, client_address(request))
    set_cookie(response, token, s.settings.security, s.settings.security.kiosk_absolute_hours * 3600)
    # The address with the token in it must not travel on, and must not be kept.
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["cache-control"] = "no-store"


def describe(principal: Principal, s: Services) -> SessionOut:
    """Return what a page of this principal needs to start."""
    bounds = s.district.bounds
    center = None if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    about = s.district.about
    role = s.access.roles.get(principal.role)
    return SessionOut(
        user=UserOut(
            id=principal.user_id,
            username=principal.username,
            name=principal.name,
            role=principal.role,
            role_name=role.name if role is not None else principal.role,
            area=principal.area,
            responder_id=principal.responder_id,
            department=principal.department,
            permissions=sorted(principal.permissions),
        ),
        district=DistrictOut(
            name=about.name, code=about.code, prefix=about.prefix, center=center, bounds=bounds
        ),
        demo=s.settings.demo,
        server_time=rfc3339(s.clock.now()),
    )


async def _end_old(request: Request, s: Services) -> None:
    # A sign-in begins a new session and never takes over the one the browser brought (session fixation).
    old = session_of(request)
    if old is not None:
        await s.sessions.close(old.id, old.principal.user_id)
