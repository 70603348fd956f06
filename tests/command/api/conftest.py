from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command.api.small_app import PASSWORD, PEOPLE, Service, build


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    built = build(tmp_path)
    await built.parts.accounts.load()
    for person in PEOPLE.values():
        await built.parts.accounts.add(person, PASSWORD, "cli")
    yield built
    built.parts.accounts.close()
