import asyncio

import pytest

from command.accounts import passwords as passwords_module
from command.accounts.passwords import MAX_LENGTH, Passwords, check_policy, random_password
from command.errors import Malformed, Unavailable
from command.setting_sections import SecuritySettings

CHEAP = SecuritySettings(argon2_memory_kib=8192, argon2_time_cost=1)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short1!",
        "password",
        "PassWord1",
        "12345678",
        "88888888",
        "aaaaaaaaaaaa",
        "abababababab",
        "operator01",
        "x" * (MAX_LENGTH + 1),
    ],
)
def test_what_would_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_policy(password, "Operator01", SecuritySettings())
    assert caught.value.field == "password"


@pytest.mark.parametrize("password", ["correct horse", "烈山区指挥中心值班", "k7#mQz9!"])
def test_what_would_not_is_taken(password: str) -> None:
    check_policy(password, "operator", SecuritySettings())


def test_random_passwords_pass_and_differ() -> None:
    some = {random_password() for _ in range(50)}
    assert len(some) == 50
    for one in some:
        check_policy(one, "operator", SecuritySettings())


async def test_hash_and_verify() -> None:
    hasher = Passwords(CHEAP)
    password_hash = await hasher.hash("correct horse")
    assert password_hash.startswith("$argon2id$")
    assert await hasher.verify(password_hash, "correct horse")
    assert not await hasher.verify(password_hash, "correct horsf")
    assert not await hasher.verify(None, "correct horse")
    assert not await hasher.verify("not a hash", "correct horse")
    assert not await hasher.verify(password_hash, "x" * 1_000_000)
    hasher.close()


async def test_the_default_cost_is_19_mib_two_passes_one_lane() -> None:
    hasher = Passwords(SecuritySettings())
    password_hash = await hasher.hash("correct horse")
    assert "m=19456,t=2,p=1" in password_hash
    assert not hasher.outdated(password_hash)
    cheap = Passwords(CHEAP)
    assert cheap.outdated(password_hash)
    hasher.close()
    cheap.close()


async def test_an_unknown_name_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Passwords(CHEAP)
    checked: list[str] = []
    check = Passwords._check
    monkeypatch.setattr(
        Passwords, "_check", lambda self, known, typed: checked.append(known) or check(self, known, typed)
    )
    assert not await hasher.verify(None, "correct horse")
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")
    hasher.close()


async def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords_module, "MAX_WAITING", 3)
    hasher = Passwords(CHEAP)
    outcomes = await asyncio.gather(*(hasher.hash("correct horse") for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, Unavailable) for one in outcomes) == 3
    assert await hasher.hash("and afterwards")
    hasher.close()
