from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.command.api.small_app import PASSWORD, PEOPLE, Service, build

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Centre, Keys


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


@pytest.fixture
async def registry(
    data_folder: Path, prepared: tuple[Path, Keys], district: District, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    """The whole service, which may have cameras but opens none."""
    from tests.command.api.registry import open_registry

    async with open_registry(data_folder, prepared[1], district, monkeypatch) as opened:
        yield opened
