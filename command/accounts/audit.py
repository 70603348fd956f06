"""Who did what, in a chain of hashes: changing or removing a past entry breaks every later one.

What the chain cannot show is that its newest entries were cut off together; ship `AuditLog.head` elsewhere
regularly and hand it to `AuditLog.verify`. See ``docs/adr/0008-audit-chain.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from command.accounts.records import AuditDraft, AuditEntry
from command.clock import Clock, rfc3339

if TYPE_CHECKING:
    from command.accounts.repository import AccountRepository

GENESIS: Final = "0" * 64
"""What the first entry follows."""

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of a check: the number of entries read, and the first that does not fit (None: all fit)."""

    checked: int
    first_bad_seq: int | None
    head: str

    @property
    def ok(self) -> bool:
        """Whether every entry fits."""
        return self.first_bad_seq is None


def link(draft: AuditDraft, prev: AuditEntry | None) -> AuditEntry:
    """Return the draft as the entry that follows ``prev`` (None: as the first)."""
    seq = 1 if prev is None else prev.seq + 1
    prev_hash = GENESIS if prev is None else prev.hash
    # A round trip through JSON, so that what is hashed is what will be read back.
    data: Mapping[str, Any] = json.loads(_canonical(dict(draft.data)))
    body = _body(seq, draft.at, draft.actor, draft.action, draft.object, draft.purpose, data)
    return AuditEntry(
        seq,
        draft.at,
        draft.actor,
        draft.action,
        draft.object,
        draft.purpose,
        data,
        prev_hash,
        _digest(prev_hash, body),
    )


def first_bad(entries: Iterable[AuditEntry], prev: AuditEntry | None = None) -> int | None:
    """Return the number of the first entry that does not follow from the one before, or None.

    Args:
        entries: In chain order.
        prev: The entry before the first of them, or None at the start of the chain.
    """
    for entry in entries:
        expected_seq = 1 if prev is None else prev.seq + 1
        expected_prev = GENESIS if prev is None else prev.hash
        body = _body(entry.seq, entry.at, entry.actor, entry.action, entry.object, entry.purpose, entry.data)
        if entry.seq != expected_seq:
            return expected_seq
        if entry.prev_hash != expected_prev or entry.hash != _digest(entry.prev_hash, body):
            return entry.seq
        prev = entry
    return None


class AuditLog:
    """The audit record of this service."""

    def __init__(self, repository: AccountRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    def draft(
        self,
        actor: str,
        action: str,
        object: str = "",
        *,
        purpose: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> AuditDraft:
        """Return a draft dated now, for a change that is kept together with its record."""
        return AuditDraft(rfc3339(self._clock.now()), actor, action, object, purpose, dict(data or {}))

    async def record(
        self,
        actor: str,
        action: str,
        object: str = "",
        *,
        purpose: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Append an entry and return it once it is durable.

        Args:
            actor: The user's id, ``"system"`` or ``"cli"``.
            action: Dotted word such as ``"contact.unmasked"``.
            object: ``kind:id`` of what it was done to.
            purpose: The person's own words.
            data: Further JSON-able facts, without secrets.
        """
        return await self._repository.record(self.draft(actor, action, object, purpose=purpose, data=data))

    async def recent(self, *, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """Return entries newest first; ``before`` continues from an earlier page's last `seq`."""
        return await self._repository.audit(before=before, limit=limit)

    async def verify(self, expected_head: str | None = None) -> Verdict:
        """Read the whole chain and check every link.

        Args:
            expected_head: A hash shipped elsewhere earlier; it must occur in the chain, or entries were cut
                off (then the first missing number is reported).
        """
        prev: AuditEntry | None = None
        checked = 0
        met = expected_head is None or expected_head == GENESIS
        while True:
            page = await self._repository.audit_chain(after=checked, limit=_PAGE)
            bad = first_bad(page, prev)
            if bad is not None:
                return Verdict(checked, bad, prev.hash if prev else GENESIS)
            met = met or any(entry.hash == expected_head for entry in page)
            checked += len(page)
            prev = page[-1] if page else prev
            if len(page) < _PAGE:
                head = prev.hash if prev else GENESIS
                return Verdict(checked, None if met else checked + 1, head)

    async def head(self) -> str:
        """Return the newest entry's hash, to be kept somewhere else."""
        newest = await self._repository.audit(limit=1)
        return newest[0].hash if newest else GENESIS


def _body(
    seq: int, at: str, actor: str, action: str, object: str, purpose: str | None, data: Mapping[str, Any]
) -> str:
    return _canonical(
        {
            "seq": seq,
            "at": at,
            "actor": actor,
            "action": action,
            "object": object,
            "purpose": purpose,
            "data": dict(data),
        }
    )


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _digest(prev_hash: str, body: str) -> str:
    return hashlib.sha256(f"{prev_hash}\n{body}".encode()).hexdigest()
