"""The county of eight grids, built once per run, and the whole service on a copy of it for each test.

What the fixtures need is imported when one is asked for: tests of the inner parts start without the web.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# A build judges a change, so it looks at the same examples each time; at home every run looks at new ones.
settings.register_profile("build", derandomize=True, deadline=None)
settings.register_profile("home", deadline=None)
settings.load_profile("build" if os.environ.get("CI") else "home")

if TYPE_CHECKING:
    from command.district import District
    from tests.command.office import Office
    from tests.fixtures import Centre, Keys


@pytest.fixture(scope="session")
def district_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district folder as the importers leave it; not to be written to."""
    from tests.fixtures import build_district

    return build_district(tmp_path_factory.mktemp("county") / "district")


@pytest.fixture(scope="session")
def district(district_folder: Path) -> District:
    """The county, loaded."""
    from command.district import load_district

    return load_district(district_folder)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, district: District) -> tuple[Path, Keys]:
    """A data folder with people, cameras and accounts, and its tokens; not to be opened."""
    from tests.fixtures import district_of, populate

    data = tmp_path_factory.mktemp("prepared") / "data"
    shutil.copytree(district.folder, district_of(data))
    return data, asyncio.run(populate(data, district))


@pytest.fixture
def data_folder(prepared: tuple[Path, Keys], tmp_path: Path) -> Path:
    """A copy of the prepared data folder that belongs to the test."""
    return Path(shutil.copytree(prepared[0], tmp_path / "data"))


@pytest.fixture
async def centre(data_folder: Path, prepared: tuple[Path, Keys], district: District) -> AsyncIterator[Centre]:
    """The whole service on the data folder, its clock in the test's hands."""
    from tests.fixtures import open_centre

    async with open_centre(data_folder, prepared[1], district) as opened:
        yield opened


@pytest.fixture
async def office(district: District) -> AsyncIterator[Office]:
    """Operations and the watch with a log in memory, nothing moving unless the test moves it."""
    from tests.command.office import open_office

    async with open_office(district) as opened:
        yield opened
