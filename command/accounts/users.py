"""The accounts themselves: adding, disabling, passwords, signing in.

They are known whole in memory and changed in the store: one process owns the data folder, so memory is the
truth for reading, and a reconnect storm costs the store nothing.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from command.accounts.access import Access, Principal
from command.accounts.audit import AuditLog
from command.accounts.passwords import Passwords, check_policy, random_password
from command.accounts.records import User
from command.accounts.repository import AccountRepository
from command.accounts.sessions import Session, Sessions
from command.accounts.throttle import LoginThrottle
from command.accounts.tokens import Tokens
from command.clock import Clock, rfc3339
from command.errors import Conflict, Malformed, NotFound, Unauthenticated
from command.setting_sections import SecuritySettings

MAX_USERNAME: Final = 64
_MAX_NAME: Final = 60
_MACHINE_ROLES: Final = frozenset({"wall", "integration", "reader"})
_WRONG: Final = "Wrong name or password."


class LastAdministrator(Conflict):
    """The only working administrator would be disabled."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__("This is the only administrator left; add another one first.")


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be added. ``area`` None: the whole district."""

    username: str
    name: str
    role: str
    area: str | None = None
    responder_id: str | None = None
    department: str | None = None


class Accounts:
    """All accounts; `load` before the first request.

    Args:
        repository: Where they are kept.
        access: Roles and permissions.
        audit: Where changes are recorded.
        sessions: Ended when an account changes.
        tokens: For walls that sign in with a kiosk token.
        passwords: Hashes.
        clock: Time.
        settings: Limits and password policy.
    """

    def __init__(
        self,
        repository: AccountRepository,
        access: Access,
        audit: AuditLog,
        sessions: Sessions,
        tokens: Tokens,
        passwords: Passwords,
        clock: Clock,
        settings: SecuritySettings,
    ) -> None:
        self._repository = repository
        self._access = access
        self._audit = audit
        self._sessions = sessions
        self._tokens = tokens
        self._passwords = passwords
        self._clock = clock
        self._settings = settings
        self._throttle = LoginThrottle(settings, clock)
        self._users: dict[str, User] = {}
        self._changing = asyncio.Lock()
        """Held while an account changes: two administrators cannot disable each other at once."""

    async def load(self) -> None:
        """Read accounts, tokens and sessions from the store."""
        self._users = {user.id: user for user in await self._repository.users()}
        await self._tokens.load()
        await self._sessions.load(self.principal_of)

    def principal_of(self, kind: str, subject: str) -> Principal | None:
        """Return who a session of this kind and subject is now; None if that no longer works."""
        if kind == "kiosk":
            grant = self._tokens.grant(subject)
            return self._tokens.principal(grant) if grant is not None and grant.kind == "kiosk" else None
        user = self._users.get(subject)
        return None if user is None or user.disabled_at is not None else self._principal(user)

    def get(self, user_id: str) -> User:
        """Return an account.

        Raises:
            NotFound: There is none with this id.
        """
        user = self._users.get(user_id)
        if user is None:
            raise NotFound("user", user_id)
        return user

    def named(self, username: str) -> User | None:
        """Return the account of that name, whatever its case."""
        key = username.casefold()
        return next((user for user in self._users.values() if user.username.casefold() == key), None)

    def list(self) -> Sequence[User]:
        """Return every account, ordered by name."""
        return sorted(self._users.values(), key=lambda user: user.username.casefold())

    async def add(self, new: NewUser, password: str, actor: str, *, known_password: bool = False) -> User:
        """Add an account.

        Args:
            new: The account.
            password: Its password.
            actor: Who adds it.
            known_password: The demo's accounts have passwords that everybody knows; only it skips the policy.

        Raises:
            Malformed: A field makes no sense or the password would be guessed.
            UsernameTaken: The name is in use.
        """
        username = unicodedata.normalize("NFKC", new.username).strip()
        self._check(replace(new, username=username))
        if not known_password:
            check_policy(password, username, self._settings)
        user = User(
            id=f"u-{secrets.token_hex(6)}",
            username=username,
            name=new.name.strip(),
            role=new.role,
            area=new.area or None,
            responder_id=new.responder_id or None,
            department=new.department or None,
            password_hash=await self._passwords.hash(password),
            created_at=rfc3339(self._clock.now()),
        )
        facts = {"username": user.username, "role": user.role, "area": user.area}
        draft = self._audit.draft(actor, "user.added", f"user:{user.id}", data=facts)
        await self._repository.add_user(user, draft)
        self._users[user.id] = user
        return user

    async def disable(self, user_id: str, actor: str) -> User:
        """Disable an account and end its sessions; doing it again changes nothing.

        Raises:
            NotFound: There is none with this id.
            LastAdministrator: Nobody could undo it.
        """
        async with self._changing:
            user = self.get(user_id)
            if user.disabled_at is not None:
                return user
            others = (one for one in self._users.values() if one.id != user.id and one.disabled_at is None)
            if user.role == "admin" and not any(one.role == "admin" for one in others):
                raise LastAdministrator()
            changed = replace(user, disabled_at=rfc3339(self._clock.now()))
            return await self._change(changed, actor, "user.disabled")

    async def enable(self, user_id: str, actor: str) -> User:
        """Let a disabled account work again.

        Raises:
            NotFound: There is none with this id.
        """
        async with self._changing:
            user = self.get(user_id)
            if user.disabled_at is None:
                return user
            return await self._change(replace(user, disabled_at=None), actor, "user.enabled")

    async def reset_password(self, user_id: str, actor: str, password: str | None = None) -> str:
        """Give an account a new password and end its sessions.

        Returns:
            The new password: the one given, or a random one to be handed over once.

        Raises:
            NotFound: There is no such account.
            Malformed: The password would be guessed.
        """
        user = self.get(user_id)
        if password is None:
            password = random_password()
        check_policy(password, user.username, self._settings)
        password_hash = await self._passwords.hash(password)
        async with self._changing:
            changed = replace(self.get(user_id), password_hash=password_hash)
            await self._change(changed, actor, "user.password_reset")
        return password

    async def change_password(self, user_id: str, old: str, new: str, address: str) -> None:
        """Change one's own password; every session of the account ends, this one too.

        Raises:
            Unauthenticated: The old password is wrong.
            TooManyRequests: Too many wrong ones.
            Malformed: The new one would be guessed.
        """
        user = self.get(user_id)
        self._throttle.begin(user.username, address)
        if not await self._passwords.verify(user.password_hash, old):
            raise Unauthenticated("The old password is wrong.")
        self._throttle.succeeded(user.username, address)
        check_policy(new, user.username, self._settings)
        password_hash = await self._passwords.hash(new)
        async with self._changing:
            changed = replace(self.get(user_id), password_hash=password_hash)
            await self._change(changed, user_id, "user.password_changed")

    async def sign_in(self, username: str, password: str, address: str) -> tuple[str, Session]:
        """Check name and password and begin a session.

        Args:
            username: As typed.
            password: As typed.
            address: Where from.

        Returns:
            The token for the cookie, and the session.

        Raises:
            Unauthenticated: Name or password is wrong, or the account disabled: which one is not told.
            TooManyRequests: Too many wrong ones.
            Unavailable: Too many sign in at once.
        """
        typed = unicodedata.normalize("NFKC", username[: MAX_USERNAME + 1]).strip()
        self._throttle.begin(typed, address)
        user = self.named(typed)
        working = user if user is not None and user.disabled_at is None else None
        right = await self._passwords.verify(working.password_hash if working else None, password)
        if working is None or not right:
            # Only the id of an account that exists: what was typed may be a password in the wrong field.
            known = user.id if user is not None else "unknown"
            await self._audit.record("system", "session.refused", f"user:{known}", data={"address": address})
            raise Unauthenticated(_WRONG)
        self._throttle.succeeded(typed, address)
        token, session = await self._sessions.open(self._principal(working), "user", working.id, address)
        if self._users.get(working.id) is not working:
            # Disabled or changed while the password was being checked.
            await self._sessions.close(session.id, "system", "account changed")
            raise Unauthenticated(_WRONG)
        return token, session

    async def sign_in_kiosk(self, kiosk_token: str, address: str) -> tuple[str, Session]:
        """Begin a wall's session with its kiosk token.

        Raises:
            Unauthenticated: The token is unknown, revoked, or not a kiosk's.
            TooManyRequests: Too many wrong ones from this address.
        """
        self._throttle.begin("kiosk", address)
        grant = self._tokens.lookup(kiosk_token)
        principal = self._tokens.principal(grant) if grant is not None and grant.kind == "kiosk" else None
        if grant is None or principal is None:
            raise Unauthenticated("This kiosk address is no longer valid.")
        self._throttle.succeeded("kiosk", address)
        return await self._sessions.open(principal, "kiosk", grant.token_id, address)

    async def revoke_token(self, token_id: str, actor: str) -> None:
        """Revoke a token and end the sessions of the walls that used it.

        Raises:
            NotFound: There is no such live token.
        """
        await self._tokens.revoke(token_id, actor)
        await self._sessions.close_of("kiosk", token_id, actor, "token revoked")

    def close(self) -> None:
        """End the threads that hash."""
        self._passwords.close()

    async def _change(self, user: User, actor: str, action: str) -> User:
        await self._repository.change_user(user, self._audit.draft(actor, action, f"user:{user.id}"))
        self._users[user.id] = user
        await self._sessions.close_of("user", user.id, actor, action)
        return user

    def _principal(self, user: User) -> Principal:
        return self._access.principal(
            user_id=user.id,
            username=user.username,
            name=user.name,
            role=user.role,
            area=user.area,
            responder_id=user.responder_id,
            department=user.department,
        )

    def _check(self, new: NewUser) -> None:
        name = new.username
        if not 1 <= len(name) <= MAX_USERNAME or not name.isprintable() or re.search(r"\s", name):
            raise Malformed("username", f"1 to {MAX_USERNAME} printable characters without spaces, please.")
        if not 1 <= len(new.name.strip()) <= _MAX_NAME or not new.name.isprintable():
            raise Malformed("name", f"1 to {_MAX_NAME} printable characters, please.")
        people = [role for role in self._access.roles if role not in _MACHINE_ROLES]
        if new.role not in people:
            raise Malformed("role", f"One of {', '.join(people)}, please.")
        if new.area and not re.fullmatch(r"[0-9A-Za-z]{1,20}", new.area):
            raise Malformed("area", "A division code, please.")
        if new.role in {"police", "worker"} and not new.responder_id:
            raise Malformed("responder_id", "A field account needs the responder it belongs to.")
        if new.role == "dept" and not new.department:
            raise Malformed("department", "A department account needs the department's name.")
