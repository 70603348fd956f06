"""What accounts are made of, as stored: people, their sessions, tokens, and the audit record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

TokenKind = Literal["device", "integration", "kiosk", "reader"]
TOKEN_KINDS: Final[tuple[TokenKind, ...]] = ("device", "integration", "kiosk", "reader")


@dataclass(frozen=True, slots=True)
class User:
    """One account.

    Attributes:
        username: As typed; compared without regard to case.
        area: Division code whose subtree is theirs; None: the whole district.
        responder_id: The responder this account is, for field staff.
        department: The department's name, for department accounts.
        password_hash: An argon2id string; never shown.
        disabled_at: When it was disabled, RFC 3339; None while it works.
    """

    id: str
    username: str
    name: str
    role: str
    area: str | None
    responder_id: str | None
    department: str | None
    password_hash: str = field(repr=False)
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as it survives a restart.

    Attributes:
        token_hash: SHA-256 of the cookie's token, hex; the token itself is kept nowhere.
        subject: A user's id, or for a wall the id of its kiosk token.
        age_s: Seconds of life used up when last written, counted by the monotonic clock.
        idle_s: Seconds since the last request when last written, counted the same way.
        seen_at: Wall clock when last written, RFC 3339; only used to guess how long the service was down.
    """

    id: str
    token_hash: str = field(repr=False)
    kind: Literal["user", "kiosk"]
    subject: str
    created_at: str
    seen_at: str
    age_s: float
    idle_s: float


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One token for a machine.

    Attributes:
        token_hash: SHA-256 of the token, hex.
        responder_id: Whose positions a device token reports; None otherwise.
        device_id: The device's own name for itself, for the log only: it proves nothing.
        area: For a kiosk, an integration or a reader: the subtree it may see; None: the whole district.
    """

    id: str
    token_hash: str = field(repr=False)
    kind: TokenKind
    label: str
    responder_id: str | None
    device_id: str | None
    area: str | None
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """Something worth recording, before it has its place in the chain.

    Attributes:
        actor: The user's id, ``"system"``, or ``"cli"``.
        action: Dotted word such as ``"user.added"`` or ``"contact.unmasked"``.
        object: What it was done to, as ``kind:id``; "" where there is none.
        purpose: Why, in the person's own words, where one is asked for.
        data: Further JSON-able facts; never secrets or contacts.
    """

    at: str
    actor: str
    action: str
    object: str = ""
    purpose: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link of the audit chain: the draft's facts, its number from 1, and the two hashes (hex SHA-256)."""

    seq: int
    at: str
    actor: str
    action: str
    object: str
    purpose: str | None
    data: Mapping[str, Any]
    prev_hash: str
    hash: str
