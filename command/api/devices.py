"""Who reports: what a token allows and whose position that is; the ingest's view of accounts and roster."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from command.clock import Clock
from command.telemetry.state import Positions

__all__ = [
    "Grant",
    "IngestServices",
    "Receive",
    "Roster",
    "Scope",
    "Send",
    "SessionGrant",
    "TokenDirectory",
    "token_of",
]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Grant(Protocol):
    """What a token allows (`command.accounts` issues them)."""

    @property
    def kind(self) -> str:
        """`device` or `integration`."""

    @property
    def responder_id(self) -> str | None:
        """Whose position a device reports; None for an integration, which may report anybody's."""

    @property
    def device_id(self) -> str | None:
        """The only device name a device may use; None for any."""


class TokenDirectory(Protocol):
    """Finds tokens in memory."""

    def lookup(self, token: str | None) -> Grant | None:
        """The grant of a live token."""


class Roster(Protocol):
    """Who stands behind ids and device names."""

    def unit_of(self, responder_id: str) -> int | None:
        """The unit number of a responder."""

    def unit_of_device(self, device_id: str) -> int | None:
        """The unit number of the responder who carries a device."""


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """A signed-in field user who reports the own position from the browser."""

    responder_id: str
    kind: str = "device"
    device_id: str | None = None


@dataclass(slots=True)
class IngestServices:
    """What the ingest needs.

    Attributes:
        session: The grant of a browser session, for field users; checks `Origin` itself. None when there is
        none.
    """

    positions: Positions
    tokens: TokenDirectory
    roster: Roster
    clock: Clock
    session: Callable[[Scope], Awaitable[Grant | None]] | None = None
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    quarantine: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=100))

    def count_refused(self, reason: str, number: int = 1) -> None:
        """Count reports that were not taken."""
        self.refused[reason] = self.refused.get(reason, 0) + number


def token_of(scope: Scope, fields: Mapping[str, str]) -> str | None:
    """The token of a request: Bearer, the password of Basic, or `token=`."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, rest = value.decode("latin-1").partition(" ")
            if kind.lower() == "bearer":
                return str(rest.strip())
            if kind.lower() == "basic":
                try:
                    return base64.b64decode(rest, validate=True).decode().partition(":")[2]
                except (binascii.Error, UnicodeDecodeError):
                    return None
    return fields.get("token")
