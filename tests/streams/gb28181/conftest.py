from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.streams.gb28181.centre import Centre, config

Open = Callable[..., Awaitable[Centre]]


@pytest.fixture
async def centres() -> AsyncIterator[Open]:
    """Opens centres with given settings, and closes them."""
    opened: list[Centre] = []

    async def open_centre(count: int = 1, **settings: Any) -> Centre:
        centre = Centre()
        opened.append(centre)
        return await centre.open(config(count, **settings))

    yield open_centre
    for centre in opened:
        await centre.close()


@pytest.fixture
async def centre(centres: Open) -> Centre:
    """A centre for one device that asks nothing by itself."""
    return await centres()
