from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import command.store.account_tables  # noqa: F401 - puts its tables into the metadata
from command.accounts.assembly import AccountParts, assemble
from command.accounts.memory import MemoryAccounts
from command.accounts.repository import AccountRepository
from command.accounts.sql import SqlAccounts
from command.clock import ManualClock
from command.resources import config_dir
from command.setting_sections import SecuritySettings
from command.store.database import Database
from command.store.schema import metadata

CHEAP = SecuritySettings(argon2_memory_kib=8192, argon2_time_cost=1)
"""Hashing as cheap as the bounds allow: these tests are about everything but its cost."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sql"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AccountRepository]:
    if request.param == "memory":
        yield MemoryAccounts()
        return
    database = Database(tmp_path / "test.db")
    database.write_now(metadata.create_all)
    yield SqlAccounts(database)
    database.close()


@pytest.fixture
async def parts(clock: ManualClock) -> AsyncIterator[AccountParts]:
    built = assemble(MemoryAccounts(), CHEAP, clock, config_dir() / "roles.toml", "340604")
    await built.accounts.load()
    yield built
    built.accounts.close()
