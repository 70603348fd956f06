"""Puts the parts of this package together over one repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from command.accounts.access import Access, load_roles
from command.accounts.audit import AuditLog
from command.accounts.passwords import Passwords
from command.accounts.repository import AccountRepository
from command.accounts.sessions import Sessions
from command.accounts.tokens import Tokens
from command.accounts.users import Accounts
from command.clock import Clock
from command.setting_sections import SecuritySettings


@dataclass(frozen=True, slots=True)
class AccountParts:
    """What the rest of the service uses of this package."""

    accounts: Accounts
    sessions: Sessions
    access: Access
    audit: AuditLog
    tokens: Tokens


def assemble(
    repository: AccountRepository,
    settings: SecuritySettings,
    clock: Clock,
    roles_file: Path,
    district_code: str | None = None,
) -> AccountParts:
    """Build the parts; ``await parts.accounts.load()`` before use, ``parts.accounts.close()`` at the end.

    Args:
        repository: Where everything is kept.
        settings: Limits, policy, cost of a hash.
        clock: Time.
        roles_file: ``roles.toml``.
        district_code: Code of the whole district.

    Raises:
        OSError: The roles file cannot be read.
        ValueError: It grants something unknown.
    """
    access = Access(load_roles(roles_file), district_code)
    audit = AuditLog(repository, clock)
    sessions = Sessions(repository, audit, clock, settings)
    tokens = Tokens(repository, audit, access, clock)
    accounts = Accounts(repository, access, audit, sessions, tokens, Passwords(settings), clock, settings)
    return AccountParts(accounts, sessions, access, audit, tokens)
