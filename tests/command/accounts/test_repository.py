"""The contract: everything here holds for the fake and for the database alike."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from command.accounts.audit import GENESIS, first_bad
from command.accounts.records import AuditDraft, SessionRecord, TokenRecord, User
from command.accounts.repository import AccountRepository, UsernameTaken
from command.accounts.sql import SqlAccounts
from command.store.account_tables import audit as audit_table
from command.store.database import Database
from command.store.schema import metadata

AT = "2026-01-01T00:00:00.000Z"
DRAFT = AuditDraft(AT, "u-admin", "test.done", "thing:1")


def user(id: str = "u-1", username: str = "Wang", **changes: object) -> User:
    base = User(id, username, "王调度", "dispatcher", None, None, None, "$argon2id$x", AT)
    return replace(base, **changes)  # type: ignore[arg-type]


def session(id: str = "s-1", subject: str = "u-1", kind: str = "user", created_at: str = AT) -> SessionRecord:
    return SessionRecord(id, f"hash-{id}", kind, subject, created_at, AT, 0.0, 0.0)  # type: ignore[arg-type]


def token(id: str = "t-1", kind: str = "device") -> TokenRecord:
    return TokenRecord(id, f"hash-{id}", kind, "手机", "r-1", "d-1", None, AT)  # type: ignore[arg-type]


async def test_a_user_comes_back_whole(repository: AccountRepository) -> None:
    one = user(area="340604001", responder_id="r-1", department="住建局")
    await repository.add_user(one, DRAFT)
    assert await repository.user("u-1") == one
    assert await repository.user_named("wANG") == one
    assert await repository.user_named("other") is None
    assert await repository.user("other") is None
    assert list(await repository.users()) == [one]


@pytest.mark.parametrize("name", ["wang", "WANG", "Wang"])
async def test_names_differ_by_more_than_case(repository: AccountRepository, name: str) -> None:
    await repository.add_user(user(), DRAFT)
    with pytest.raises(UsernameTaken):
        await repository.add_user(user("u-2", name), DRAFT)
    assert len(await repository.users()) == 1
    assert len(await repository.audit()) == 1


async def test_changing_a_user_ends_its_sessions_only(repository: AccountRepository) -> None:
    await repository.add_user(user(), DRAFT)
    await repository.add_user(user("u-2", "li"), DRAFT)
    await repository.add_session(session("s-1", "u-1"), DRAFT)
    await repository.add_session(session("s-2", "u-2"), DRAFT)
    await repository.add_session(session("s-3", "u-1", "kiosk"), DRAFT)
    await repository.change_user(user(disabled_at=AT), DRAFT)
    changed = await repository.user("u-1")
    assert changed is not None
    assert changed.disabled_at == AT
    assert {one.id for one in await repository.sessions()} == {"s-2", "s-3"}


async def test_sessions_are_touched_and_ended(repository: AccountRepository) -> None:
    await repository.add_session(session("s-1"), DRAFT)
    await repository.add_session(session("s-2", created_at="2025-01-01T00:00:00.000Z"), DRAFT)
    later = replace(session("s-1"), seen_at="2026-01-02T00:00:00.000Z", age_s=10.0, idle_s=2.0)
    await repository.touch_sessions([later, session("gone")])
    await repository.touch_sessions([])
    assert list(await repository.sessions()) == [session("s-2", created_at="2025-01-01T00:00:00.000Z"), later]
    await repository.end_sessions(["s-1", "gone"], None)
    assert [one.id for one in await repository.sessions()] == ["s-2"]


async def test_many_sessions_end_at_once(repository: AccountRepository) -> None:
    for n in range(3):
        await repository.add_session(session(f"s-{n}"), DRAFT)
    await repository.end_sessions([f"s-{n}" for n in range(2000)], DRAFT)
    assert list(await repository.sessions()) == []


async def test_tokens_are_revoked_once_and_take_their_walls_along(repository: AccountRepository) -> None:
    await repository.add_tokens([token("t-1", "kiosk"), token("t-2")], DRAFT)
    await repository.add_session(session("s-1", "t-1", "kiosk"), DRAFT)
    await repository.add_session(session("s-2", "t-1", "user"), DRAFT)
    before = len(await repository.audit())
    assert await repository.revoke_token("t-1", AT, DRAFT) is True
    assert await repository.revoke_token("t-1", AT, DRAFT) is False
    assert await repository.revoke_token("none", AT, DRAFT) is False
    assert len(await repository.audit()) == before + 1
    assert [one.id for one in await repository.sessions()] == ["s-2"]
    assert [(one.id, one.revoked_at) for one in await repository.tokens()] == [("t-1", AT), ("t-2", None)]


async def test_the_audit_is_a_chain_read_from_both_ends(repository: AccountRepository) -> None:
    for n in range(5):
        draft = AuditDraft(AT, "u-1", "x", purpose="核实情况", data={"n": n, "名": [1, None]})
        await repository.record(draft)
    newest = await repository.audit(limit=2)
    assert [entry.seq for entry in newest] == [5, 4]
    assert [entry.seq for entry in await repository.audit(before=4, limit=2)] == [3, 2]
    chain = await repository.audit_chain()
    assert [entry.seq for entry in chain] == [1, 2, 3, 4, 5]
    assert [entry.seq for entry in await repository.audit_chain(after=3)] == [4, 5]
    assert chain[0].prev_hash == GENESIS
    assert chain[4].data == {"n": 4, "名": [1, None]}
    assert first_bad(chain) is None


@pytest.mark.parametrize(
    "name",
    ["'; DROP TABLE users; --", "a' OR '1'='1", "\u202egnaw", "网格员甲", "x" * 10_000, "a\x00b", "%", "_"],
)
async def test_hostile_names_are_only_names(repository: AccountRepository, name: str) -> None:
    await repository.add_user(user(), DRAFT)
    assert await repository.user_named(name) is None
    await repository.add_user(user("u-2", name), DRAFT)
    found = await repository.user_named(name)
    assert found is not None
    assert found.id == "u-2"


async def test_the_database_refuses_to_change_the_audit(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    database.write_now(metadata.create_all)
    await SqlAccounts(database).record(DRAFT)
    for statement in (sa.update(audit_table).values(actor="x"), sa.delete(audit_table)):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"):
            await database.write(lambda connection, what=statement: connection.execute(what))
    assert len(await SqlAccounts(database).audit()) == 1
    database.close()


async def test_accounts_survive_a_restart(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    database.write_now(metadata.create_all)
    await SqlAccounts(database).add_user(user(), DRAFT)
    database.close()
    database = Database(tmp_path / "test.db")
    assert await SqlAccounts(database).user_named("wang") == user()
    database.close()
