"""Tokens for machines: trackers, integrations, wall screens. Shown once; only the hash is kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from command.accounts.access import Access, Principal
from command.accounts.audit import AuditLog
from command.accounts.records import TOKEN_KINDS, TokenKind, TokenRecord
from command.accounts.repository import AccountRepository
from command.accounts.sessions import token_digest
from command.clock import Clock, rfc3339
from command.errors import Malformed, NotFound

PREFIX: Final = "yt_"
"""So that a leaked token is recognised for what it is by people and by scanners."""

_MAX_TOKEN_LENGTH: Final = 128
_MAX_LABEL: Final = 100


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """What a token's holder is.

    Attributes:
        kind: "device": may report its own responder's position; "integration": may report positions of any
            responder, and incidents; "reader": may look at the layers for map programs, and nothing else.
        responder_id: Whose position a device reports.
        device_id: The device's own name for itself; proves nothing.
    """

    token_id: str
    kind: TokenKind
    label: str
    responder_id: str | None
    device_id: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token to be issued."""

    kind: TokenKind
    label: str
    responder_id: str | None = None
    device_id: str | None = None
    area: str | None = None


class Tokens:
    """All tokens; `load` before the first request. Look-ups read memory alone.

    Args:
        repository: Where they are kept.
        audit: Where issuing and revoking are recorded.
        access: Gives a token's holder its permissions.
        clock: Time.
    """

    def __init__(self, repository: AccountRepository, audit: AuditLog, access: Access, clock: Clock) -> None:
        self._repository = repository
        self._audit = audit
        self._access = access
        self._clock = clock
        self._live: dict[str, DeviceGrant] = {}
        self._on_revoked: list[Callable[[DeviceGrant], None]] = []

    def __len__(self) -> int:
        return len(self._live)

    async def load(self) -> None:
        """Read the tokens that are not revoked."""
        self._live = {
            one.token_hash: _grant(one) for one in await self._repository.tokens() if one.revoked_at is None
        }

    def lookup(self, token: str | None) -> DeviceGrant | None:
        """Return what the token's holder is, or None for an unknown or revoked token."""
        if token is None or not token.startswith(PREFIX) or len(token) > _MAX_TOKEN_LENGTH:
            return None
        return self._live.get(token_digest(token))

    def grant(self, token_id: str) -> DeviceGrant | None:
        """Return the grant of a live token by its id."""
        return next((one for one in self._live.values() if one.token_id == token_id), None)

    def principal(self, grant: DeviceGrant) -> Principal | None:
        """Return who a token's holder is to the access rules; None for a device: it only reports."""
        if grant.kind == "device":
            return None
        role = {"kiosk": "wall", "reader": "reader"}.get(grant.kind, "integration")
        return self._access.principal(
            user_id=f"token:{grant.token_id}",
            username=grant.label,
            name=grant.label,
            role=role,
            area=grant.area,
        )

    async def issue(self, request: TokenRequest, actor: str) -> tuple[str, TokenRecord]:
        """Issue one token.

        Returns:
            The token, which is shown this once and kept nowhere, and its record.

        Raises:
            Malformed: The request makes no sense.
        """
        [issued] = await self.issue_many([request], actor)
        return issued

    async def issue_many(self, requests: Iterable[TokenRequest], actor: str) -> list[tuple[str, TokenRecord]]:
        """Issue several tokens in one transaction, in the order asked for.

        Raises:
            Malformed: One of the requests makes no sense; then none is issued.
        """
        at = rfc3339(self._clock.now())
        issued: list[tuple[str, TokenRecord]] = []
        for request in requests:
            _check(request)
            token = PREFIX + secrets.token_urlsafe(32)
            record = TokenRecord(
                id=secrets.token_hex(6),
                token_hash=token_digest(token),
                kind=request.kind,
                label=request.label.strip(),
                responder_id=request.responder_id,
                device_id=request.device_id,
                area=request.area,
                created_at=at,
            )
            issued.append((token, record))
        draft = self._audit.draft(
            actor,
            "token.issued",
            f"token:{issued[0][1].id}" if len(issued) == 1 else "",
            data={"tokens": [{"id": one.id, "kind": one.kind, "label": one.label} for _, one in issued]},
        )
        if issued:
            await self._repository.add_tokens([record for _, record in issued], draft)
        self._live.update((record.token_hash, _grant(record)) for _, record in issued)
        return issued

    async def revoke(self, token_id: str, actor: str) -> None:
        """Revoke a token; it is worth nothing from here on, even if writing that down fails at first.

        Raises:
            NotFound: There is no such token, or it was revoked before.
        """
        grant = self.grant(token_id)
        if grant is not None:
            self._live = {key: one for key, one in self._live.items() if one.token_id != token_id}
            for listener in tuple(self._on_revoked):
                listener(grant)
        draft = self._audit.draft(actor, "token.revoked", f"token:{token_id}")
        if not await self._repository.revoke_token(token_id, draft.at, draft):
            raise NotFound("token", token_id)

    async def list(self) -> Sequence[TokenRecord]:
        """Return every token, revoked ones too, oldest first."""
        return await self._repository.tokens()

    def on_revoked(self, listener: Callable[[DeviceGrant], None]) -> None:
        """Call ``listener(grant)`` whenever a token is revoked; it must neither block nor raise."""
        self._on_revoked.append(listener)


def _check(request: TokenRequest) -> None:
    if request.kind not in TOKEN_KINDS:
        raise Malformed("kind", f"One of {', '.join(TOKEN_KINDS)}, please.")
    label = request.label.strip()
    if not label or len(label) > _MAX_LABEL or not label.isprintable():
        raise Malformed("label", f"A name of 1 to {_MAX_LABEL} printable characters, please.")
    if request.kind == "device" and not request.responder_id:
        raise Malformed("responder_id", "A device token needs the responder whose position it reports.")
    if request.kind != "device" and request.responder_id:
        raise Malformed("responder_id", "Only a device token belongs to a responder.")


def _grant(record: TokenRecord) -> DeviceGrant:
    return DeviceGrant(
        record.id, record.kind, record.label, record.responder_id, record.device_id, record.area
    )
