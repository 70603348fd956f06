import asyncio

import pytest

from command.accounts.assembly import AccountParts
from command.accounts.passwords import Passwords
from command.accounts.repository import UsernameTaken
from command.accounts.tokens import TokenRequest
from command.accounts.users import LastAdministrator, NewUser
from command.clock import ManualClock
from command.errors import Malformed, NotFound, TooManyRequests, Unauthenticated

PASSWORD = "correct horse"
WANG = NewUser("Wang", "王调度", "dispatcher", area="340604001")


async def test_sign_in_gives_a_session_with_the_roles_permissions(parts: AccountParts) -> None:
    user = await parts.accounts.add(WANG, PASSWORD, "cli")
    token, session = await parts.accounts.sign_in(" wang ", PASSWORD, "10.0.0.1")
    assert parts.sessions.resolve(token) is session
    assert session.principal.user_id == user.id
    assert session.principal.area == "340604001"
    assert "incident.dispatch" in session.principal.permissions
    assert "users.manage" not in session.principal.permissions


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("wang", "wrong horse"),
        ("nobody", PASSWORD),
        ("wang", ""),
        ("wang' --", PASSWORD),
        ("wang\x00", PASSWORD),
        ("x" * 1_000_000, PASSWORD),
        ("wang", "x" * 1_000_000),
    ],
)
async def test_wrong_is_wrong_without_saying_what(parts: AccountParts, username: str, password: str) -> None:
    await parts.accounts.add(WANG, PASSWORD, "cli")
    with pytest.raises(Unauthenticated) as caught:
        await parts.accounts.sign_in(username, password, "10.0.0.1")
    assert caught.value.detail == "Wrong name or password."


async def test_what_was_typed_as_a_name_is_not_recorded(parts: AccountParts) -> None:
    with pytest.raises(Unauthenticated):
        await parts.accounts.sign_in("my-password-in-the-wrong-field", "x", "10.0.0.1")
    [entry] = await parts.audit.recent()
    assert (entry.action, entry.object) == ("session.refused", "user:unknown")
    assert "wrong-field" not in repr(entry)


async def test_guessing_is_slowed_and_the_hash_not_computed(
    parts: AccountParts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.accounts.add(WANG, PASSWORD, "cli")
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await parts.accounts.sign_in("wang", "wrong horse", "10.0.0.1")
    with monkeypatch.context() as patch:
        patch.delattr(Passwords, "verify")
        with pytest.raises(TooManyRequests) as caught:
            await parts.accounts.sign_in("wang", PASSWORD, "10.0.0.1")
    # The same person at another desk is not kept out, nor anybody once the wait is over.
    await parts.accounts.sign_in("wang", PASSWORD, "10.0.0.2")
    clock.advance(caught.value.retry_after_s)
    await parts.accounts.sign_in("wang", PASSWORD, "10.0.0.1")


async def test_many_guesses_at_once_do_not_slip_through_together(parts: AccountParts) -> None:
    await parts.accounts.add(WANG, PASSWORD, "cli")
    outcomes = await asyncio.gather(
        *(parts.accounts.sign_in("wang", f"wrong horse {n}", "10.0.0.1") for n in range(40)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Unauthenticated) for one in outcomes) == 5
    assert sum(isinstance(one, TooManyRequests) for one in outcomes) == 35


async def test_disabling_ends_sessions_at_once_and_refuses_the_next(parts: AccountParts) -> None:
    user = await parts.accounts.add(WANG, PASSWORD, "cli")
    token, session = await parts.accounts.sign_in("wang", PASSWORD, "")
    ended: list[str] = []
    parts.sessions.on_revoked(ended.append)
    await parts.accounts.disable(user.id, "admin")
    assert ended == [session.id]
    assert parts.sessions.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await parts.accounts.sign_in("wang", PASSWORD, "")
    before = len(await parts.audit.recent())
    await parts.accounts.disable(user.id, "admin")
    assert len(await parts.audit.recent()) == before
    await parts.accounts.enable(user.id, "admin")
    await parts.accounts.enable(user.id, "admin")
    await parts.accounts.sign_in("wang", PASSWORD, "")


async def test_disabled_while_the_password_was_checked(
    parts: AccountParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await parts.accounts.add(WANG, PASSWORD, "cli")
    verify = Passwords.verify

    async def slow(self: Passwords, known: str | None, typed: str) -> bool:
        right = await verify(self, known, typed)
        await parts.accounts.disable(user.id, "admin")
        return right

    monkeypatch.setattr(Passwords, "verify", slow)
    with pytest.raises(Unauthenticated):
        await parts.accounts.sign_in("wang", PASSWORD, "")
    assert len(parts.sessions) == 0


async def test_the_last_administrator_stays(parts: AccountParts) -> None:
    one = await parts.accounts.add(NewUser("a1", "甲", "admin"), PASSWORD, "cli")
    two = await parts.accounts.add(NewUser("a2", "乙", "admin"), PASSWORD, "cli")
    outcomes = await asyncio.gather(
        parts.accounts.disable(one.id, two.id),
        parts.accounts.disable(two.id, one.id),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1


async def test_a_reset_password_works_and_the_old_one_does_not(parts: AccountParts) -> None:
    user = await parts.accounts.add(WANG, PASSWORD, "cli")
    token, _ = await parts.accounts.sign_in("wang", PASSWORD, "")
    password = await parts.accounts.reset_password(user.id, "admin")
    assert parts.sessions.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await parts.accounts.sign_in("wang", PASSWORD, "")
    await parts.accounts.sign_in("wang", password, "")
    assert password not in repr(list(await parts.audit.recent()))
    with pytest.raises(NotFound):
        await parts.accounts.reset_password("u-none", "admin")


async def test_changing_ones_own_password(parts: AccountParts) -> None:
    user = await parts.accounts.add(WANG, PASSWORD, "cli")
    with pytest.raises(Unauthenticated):
        await parts.accounts.change_password(user.id, "wrong", "another horse", "")
    with pytest.raises(Malformed):
        await parts.accounts.change_password(user.id, PASSWORD, "12345678", "")
    await parts.accounts.change_password(user.id, PASSWORD, "another horse", "")
    await parts.accounts.sign_in("wang", "another horse", "")


async def test_no_account_exists_that_nobody_made(parts: AccountParts) -> None:
    assert list(parts.accounts.list()) == []
    for name in ("admin", "operator", "root", "yiping"):
        with pytest.raises(Unauthenticated):
            await parts.accounts.sign_in(name, name, f"10.0.0.{len(name)}")


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewUser("", "甲", "operator"), "username"),
        (NewUser("a b", "甲", "operator"), "username"),
        (NewUser("a\r\nb", "甲", "operator"), "username"),
        (NewUser("x" * 65, "甲", "operator"), "username"),
        (NewUser("a\u202eb", "甲", "operator"), "username"),
        (NewUser("a", " ", "operator"), "name"),
        (NewUser("a", "甲\n乙", "operator"), "name"),
        (NewUser("a", "甲", "root"), "role"),
        (NewUser("a", "甲", "wall"), "role"),
        (NewUser("a", "甲", "integration"), "role"),
        (NewUser("a", "甲", "operator", area="34'--"), "area"),
        (NewUser("a", "甲", "worker"), "responder_id"),
        (NewUser("a", "甲", "dept"), "department"),
    ],
)
async def test_accounts_that_make_no_sense(parts: AccountParts, new: NewUser, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        await parts.accounts.add(new, PASSWORD, "cli")
    assert caught.value.field == field


async def test_the_policy_holds_outside_the_demo(parts: AccountParts) -> None:
    with pytest.raises(Malformed):
        await parts.accounts.add(WANG, "wang", "cli")
    await parts.accounts.add(WANG, "wang", "demo", known_password=True)
    with pytest.raises(UsernameTaken):
        await parts.accounts.add(NewUser("ＷＡＮＧ", "王二", "operator"), PASSWORD, "cli")


async def test_a_wall_signs_in_with_its_token_until_it_is_revoked(parts: AccountParts) -> None:
    kiosk, record = await parts.tokens.issue(TokenRequest("kiosk", "大厅"), "admin")
    device, _ = await parts.tokens.issue(TokenRequest("device", "手机", responder_id="r-1"), "admin")
    token, session = await parts.accounts.sign_in_kiosk(kiosk, "10.0.0.1")
    assert session.principal.role == "wall"
    for wrong in ("", "yt_wrong", device):
        with pytest.raises(Unauthenticated):
            await parts.accounts.sign_in_kiosk(wrong, "10.0.0.1")
    await parts.accounts.load()
    assert parts.sessions.resolve(token) is not None
    await parts.accounts.revoke_token(record.id, "admin")
    assert parts.sessions.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await parts.accounts.sign_in_kiosk(kiosk, "10.0.0.1")


async def test_an_unknown_account_is_not_found(parts: AccountParts) -> None:
    with pytest.raises(NotFound):
        parts.accounts.get("u-none")
    assert parts.accounts.principal_of("user", "u-none") is None
    assert parts.accounts.principal_of("kiosk", "t-none") is None
