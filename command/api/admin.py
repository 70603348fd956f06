"""For administrators: accounts, tokens, and the audit record. No case content passes here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import PERMISSIONS, Principal
from command.accounts.passwords import MAX_LENGTH, random_password
from command.accounts.records import AuditEntry, TokenKind, TokenRecord, User
from command.accounts.tokens import TokenRequest
from command.accounts.users import MAX_USERNAME, NewUser
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.errors import Malformed

router = APIRouter(tags=["admin"])
UserAdmin = Annotated[Principal, Depends(require("users.manage"))]
TokenAdmin = Annotated[Principal, Depends(require("tokens.manage"))]
Auditor = Annotated[Principal, Depends(require("audit.view"))]


class NewUserBody(BaseModel):
    """An account to be added; without a password a random one is made and shown once."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(min_length=1, max_length=MAX_USERNAME)
    name: str = Field(min_length=1, max_length=60)
    role: str = Field(max_length=32)
    area: str | None = Field(default=None, max_length=20)
    responder_id: str | None = Field(default=None, max_length=64)
    department: str | None = Field(default=None, max_length=60)
    password: str | None = Field(default=None, max_length=MAX_LENGTH)


class NewTokenBody(BaseModel):
    """A token to be issued."""

    model_config = ConfigDict(extra="forbid")

    kind: TokenKind
    label: str = Field(min_length=1, max_length=100)
    responder_id: str | None = Field(default=None, max_length=64)
    device_id: str | None = Field(default=None, max_length=64)
    area: str | None = Field(default=None, max_length=20)


@router.get("/users")
async def list_users(me: UserAdmin, s: ServicesOf) -> Json:
    """List the accounts, disabled ones too."""
    del me
    return {"items": [_user(user) for user in s.accounts.list()], "next": None}


@router.post("/users", status_code=201)
async def add_user(body: NewUserBody, me: UserAdmin, s: ServicesOf) -> Json:
    """Add an account; a password that was made here is in the answer, this once."""
    new = NewUser(body.username, body.name, body.role, body.area, body.responder_id, body.department)
    if body.responder_id is not None and body.responder_id not in s.board.responders:
        raise Malformed("responder_id", "There is no such responder.")
    password = body.password if body.password is not None else random_password()
    user = await s.accounts.add(new, password, me.user_id)
    return _user(user) if body.password is not None else {**_user(user), "password": password}


@router.post("/users/{user_id}/disable")
async def disable_user(user_id: str, me: UserAdmin, s: ServicesOf) -> Json:
    """Disable an account; its sessions and sockets end at once."""
    return _user(await s.accounts.disable(user_id, me.user_id))


@router.post("/users/{user_id}/enable")
async def enable_user(user_id: str, me: UserAdmin, s: ServicesOf) -> Json:
    """Let a disabled account work again."""
    return _user(await s.accounts.enable(user_id, me.user_id))


@router.post("/users/{user_id}/reset-password")
async def reset_password(user_id: str, me: UserAdmin, s: ServicesOf) -> Json:
    """Give an account a random password, shown this once; its sessions end."""
    return {"password": await s.accounts.reset_password(user_id, me.user_id)}


@router.get("/roles")
async def list_roles(me: UserAdmin, s: ServicesOf) -> Json:
    """List the roles with the scope of each permission, and what each permission allows."""
    del me
    items = [{"id": r.id, "name": r.name, "permissions": dict(r.scopes)} for r in s.access.roles.values()]
    return {"items": items, "next": None, "permissions": dict(PERMISSIONS)}


@router.get("/tokens")
async def list_tokens(me: TokenAdmin, s: ServicesOf) -> Json:
    """List the tokens, revoked ones too; a token itself is never shown again."""
    del me
    return {"items": [_token(token) for token in await s.tokens.list()], "next": None}


@router.post("/tokens", status_code=201)
async def issue_token(body: NewTokenBody, me: TokenAdmin, s: ServicesOf) -> Json:
    """Issue a token; it is in the answer, this once."""
    if body.responder_id is not None and body.responder_id not in s.board.responders:
        raise Malformed("responder_id", "There is no such responder.")
    request = TokenRequest(body.kind, body.label, body.responder_id, body.device_id, body.area)
    token, record = await s.tokens.issue(request, me.user_id)
    return {**_token(record), "token": token}


@router.post("/tokens/{token_id}/revoke", status_code=204)
async def revoke_token(token_id: str, me: TokenAdmin, s: ServicesOf) -> None:
    """Revoke a token; walls that used it are signed out."""
    await s.accounts.revoke_token(token_id, me.user_id)


@router.get("/audit")
async def read_audit(
    me: Auditor,
    s: ServicesOf,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Json:
    """Read the audit record, newest first. Reading it is recorded too."""
    await s.audit.record(me.user_id, "audit.read", data={"before": cursor, "limit": limit})
    entries = await s.audit.recent(before=cursor, limit=limit)
    more = len(entries) == limit and entries[-1].seq > 1
    return {"items": [_entry(entry) for entry in entries], "next": str(entries[-1].seq) if more else None}


@router.get("/audit/verify")
async def verify_audit(
    me: Auditor,
    s: ServicesOf,
    head: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
) -> Json:
    """Check every link of the audit chain; ``head``: a hash kept elsewhere that must still occur in it."""
    del me
    verdict = await s.audit.verify(head)
    return {
        "ok": verdict.ok,
        "checked": verdict.checked,
        "first_bad_seq": verdict.first_bad_seq,
        "head": verdict.head,
    }


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "role": user.role,
        "area": user.area,
        "responder_id": user.responder_id,
        "department": user.department,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }


def _token(token: TokenRecord) -> Json:
    return {
        "id": token.id,
        "kind": token.kind,
        "label": token.label,
        "responder_id": token.responder_id,
        "device_id": token.device_id,
        "area": token.area,
        "created_at": token.created_at,
        "revoked_at": token.revoked_at,
    }


def _entry(entry: AuditEntry) -> Json:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "purpose": entry.purpose,
        "data": dict(entry.data),
        "hash": entry.hash,
    }
