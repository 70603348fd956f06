from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from tests.command.api.small_app import PASSWORD, PEOPLE, Service, build


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    # Another test may have sent all logging elsewhere; these look at what is logged.
    structlog.reset_defaults()
    built = build(tmp_path)
    await built.parts.accounts.load()
    for person in PEOPLE.values():
        await built.parts.accounts.add(person, PASSWORD, "cli")
    yield built
    built.parts.accounts.close()
