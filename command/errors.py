"""What can go wrong, as one tree; this module knows nothing of HTTP (see ``command/api/errors.py``).

::

    YipingError
    ├── Unauthenticated              nobody is signed in, or the session ended
    ├── Forbidden                    signed in, but the role may not do this
    ├── NotFound(kind, id)           absent, or not to be seen by the one who asks
    ├── Malformed(field, detail)     the request makes no sense; the field is named
    ├── Conflict                     makes sense, but not now
    │   ├── IllegalTransition(kind, id, state, command)
    │   ├── StaleVersion(expected, actual)
    │   ├── AlreadyAssigned(winner)
    │   └── IdempotencyReuse         the same key came with another request
    ├── TooManyRequests(retry_after_s)
    ├── TooLarge(limit_bytes)
    ├── StorageFull                  the disk is full: nothing was written
    └── Unavailable                  a part of the service is down; try again

Every error has a machine ``code`` (stable, for the screen to translate) and a ``detail`` in plain English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class YipingError(Exception):
    """Base of everything the service raises on purpose.

    Attributes:
        code: Stable machine word, the key under which the screen finds its translation.
        detail: One plain English sentence; never holds a secret or personal data.
    """

    code: ClassVar[str] = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def extras(self) -> Mapping[str, object]:
        """Further facts for the answer's body, e.g. ``{"winner": …}``; empty for most errors."""
        return {}


class Unauthenticated(YipingError):
    """Nobody is signed in, the credentials are wrong, or the session ended."""

    code: ClassVar[str] = "unauthenticated"

    def __init__(self, detail: str = "Sign in first.") -> None:
        super().__init__(detail)


class Forbidden(YipingError):
    """Somebody is signed in, but the role may not do this to anything at all."""

    code: ClassVar[str] = "forbidden"

    def __init__(self, detail: str = "Your role may not do this.") -> None:
        super().__init__(detail)


class NotFound(YipingError):
    """The thing does not exist, or the one who asks may not know that it does."""

    code: ClassVar[str] = "not_found"

    def __init__(self, kind: str, id: str, detail: str | None = None) -> None:
        super().__init__(detail or f"There is no {kind} {id!r}.")
        self.kind = kind
        self.id = id


class Malformed(YipingError):
    """The request makes no sense.

    Attributes:
        field: Name of the offending field (dotted for nested ones), or "" for the whole body.
    """

    code: ClassVar[str] = "malformed"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field

    @property
    def extras(self) -> Mapping[str, object]:
        """The field's name."""
        return {"field": self.field}


class Conflict(YipingError):
    """The request makes sense, but not with things as they are now."""

    code: ClassVar[str] = "conflict"


class IllegalTransition(Conflict):
    """The thing's state does not allow this command."""

    code: ClassVar[str] = "illegal_transition"

    def __init__(self, kind: str, id: str, state: str, command: str) -> None:
        super().__init__(f"Cannot {command} {kind} {id!r}: it is {state}.")
        self.kind = kind
        self.id = id
        self.state = state
        self.command = command

    @property
    def extras(self) -> Mapping[str, object]:
        """The state found and the command refused."""
        return {"state": self.state, "command": self.command}


class StaleVersion(Conflict):
    """Somebody else changed the thing first."""

    code: ClassVar[str] = "stale_version"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"You saw version {expected}, but it is now at version {actual}.")
        self.expected = expected
        self.actual = actual

    @property
    def extras(self) -> Mapping[str, object]:
        """The version it has now."""
        return {"version": self.actual}


class AlreadyAssigned(Conflict):
    """Another dispatch won the responder.

    Attributes:
        winner: Facts about the assignment that stands, e.g. ``{"assignment_id": …, "incident_id": …,
            "responder_id": …, "by_name": …}``.
    """

    code: ClassVar[str] = "already_assigned"

    def __init__(self, winner: Mapping[str, object], detail: str | None = None) -> None:
        super().__init__(detail or "The responder is already assigned.")
        self.winner = dict(winner)

    @property
    def extras(self) -> Mapping[str, object]:
        """The assignment that stands."""
        return {"winner": self.winner}


class IdempotencyReuse(Conflict):
    """An idempotency key came again with a different request."""

    code: ClassVar[str] = "idempotency_reuse"

    def __init__(self, detail: str = "This Idempotency-Key was used for a different request.") -> None:
        super().__init__(detail)


class TooManyRequests(YipingError):
    """The caller must slow down.

    Attributes:
        retry_after_s: Seconds to wait before the next try.
    """

    code: ClassVar[str] = "too_many_requests"

    def __init__(self, retry_after_s: float, detail: str | None = None) -> None:
        super().__init__(detail or "Too many requests; wait before trying again.")
        self.retry_after_s = retry_after_s

    @property
    def extras(self) -> Mapping[str, object]:
        """The seconds to wait."""
        return {"retry_after_s": self.retry_after_s}


class TooLarge(YipingError):
    """The body, file or batch is larger than allowed.

    Attributes:
        limit_bytes: The limit it exceeded, in bytes.
    """

    code: ClassVar[str] = "too_large"

    def __init__(self, limit_bytes: int, detail: str | None = None) -> None:
        super().__init__(detail or f"The request is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes

    @property
    def extras(self) -> Mapping[str, object]:
        """The limit in bytes."""
        return {"limit_bytes": self.limit_bytes}


class StorageFull(YipingError):
    """The disk is full: nothing was written, reading goes on."""

    code: ClassVar[str] = "storage_full"

    def __init__(self, detail: str = "The disk is full; nothing was written.") -> None:
        super().__init__(detail)


class Unavailable(YipingError):
    """A part of the service is down or not ready; the same request may succeed later."""

    code: ClassVar[str] = "unavailable"

    def __init__(self, detail: str = "This part of the service is not available right now.") -> None:
        super().__init__(detail)
