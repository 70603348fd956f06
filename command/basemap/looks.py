"""What comes of asking for tiles in the middle of the district, before a basemap is put in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from command.basemap.fetch import Fetcher, Pattern, TileRefused
from gis.tiles.mercator import tile_at
from gis.tiles.pmtiles import PmTiles

_LOOKED_AT: Final = (8, 10, 12, 14, 16)


@dataclass(frozen=True, slots=True)
class Look:
    """What came of asking for one tile in the middle of the district.

    Attributes:
        outcome: "tile", "none" where there is none, or why not (`TileRefused.why`).
        status: What the server answered instead, where it did.
        ms: How long it took.
    """

    z: int
    x: int
    y: int
    outcome: str
    status: int | None = None
    bytes: int = 0
    ms: int = 0


async def looks_at(
    pattern: Pattern, zooms: tuple[int, int], fetcher: Fetcher, middle: tuple[float, float]
) -> tuple[Look, ...]:
    """Ask a tile server for tiles; nothing where it may not be asked.

    Args:
        pattern: Its address.
        zooms: Lowest and highest of interest.
        fetcher: Asks it.
        middle: Longitude and latitude, degrees, WGS-84.
    """
    try:
        await fetcher.check(pattern)
    except TileRefused:
        return ()  # nobody is asked, and `look_at_address` says so

    async def ask(z: int, x: int, y: int) -> bytes | None:
        return await fetcher.tile(pattern, z, x, y)

    async def looked(those: Iterable[int]) -> list[Look]:
        keys = [tile_at(*middle, z) for z in those]
        return await asyncio.gather(*(_look_at(ask, *key) for key in keys))

    found = await looked(_zooms(*zooms))
    found += await looked(_between(found))
    return tuple(sorted(found, key=lambda look: look.z))


def looks_into(archive: Path, middle: tuple[float, float]) -> tuple[Look, ...]:
    """Look for tiles in a PMTiles archive.

    Args:
        archive: The file.
        middle: Longitude and latitude, degrees, WGS-84.

    Raises:
        BadFile: It is no archive, or damaged.
    """
    tiles = PmTiles(archive)
    try:
        found = []
        for zoom in _zooms(tiles.header.min_zoom, tiles.header.max_zoom):
            key = tile_at(*middle, zoom)
            content = tiles.tile(*key)
            found.append(Look(*key, "none" if content is None else "tile", bytes=len(content or b"")))
        return tuple(found)
    finally:
        tiles.close()


def _zooms(low: int, high: int) -> list[int]:
    return sorted({low, high, *(z for z in _LOOKED_AT if low < z < high)})


def _between(looks: Sequence[Look]) -> list[int]:
    """Return the zooms not looked at where tiles begin or end, so that it is known exactly."""
    edges = (
        (one, other) for one, other in pairwise(looks) if {one.outcome, other.outcome} == {"tile", "none"}
    )
    return [z for one, other in edges for z in range(one.z + 1, other.z)]


async def _look_at(ask: Callable[[int, int, int], Awaitable[bytes | None]], z: int, x: int, y: int) -> Look:
    began = time.perf_counter()
    outcome, status, content = "tile", None, None
    try:
        content = await ask(z, x, y)
        outcome = "none" if content is None else "tile"
    except TileRefused as error:
        outcome, status = error.why, error.status
    took_ms = round((time.perf_counter() - began) * 1000)
    return Look(z, x, y, outcome, status, len(content or b""), took_ms)
