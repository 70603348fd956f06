"""Tiles of a customer's basemap: one request each, kept for bad days, and its state told as it is."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from command.basemap import Tiles, TileSource
from command.basemap.cache import TileCache
from command.basemap.fetch import Allowed, Fetcher, TileRefused
from command.basemap.model import FILE, read_sources, seal, write_sources
from command.basemap.tiles import NOTHING, RETRY_S
from command.clock import ManualClock
from command.errors import NotFound, Unavailable
from command.store.secret_box import SecretBox
from gis.tiles.mercator import tile_at
from tests.command.basemap.tile_server import KEY, TileServer, picture, tile_server
from tests.gis.tiles.archive import archive
from tests.streams.waiting import until

BOX = SecretBox(bytes(32))
DAY_S = 86_400.0


class Shop:
    """Tiles over a folder, a clock and a tile server."""

    def __init__(self, folder: Path, server: TileServer) -> None:
        self.folder = folder
        self.server = server
        self.clock = ManualClock()
        self.fetcher = Fetcher(Allowed(("127.0.0.0/8",), ()), timeout_s=0.5)
        self.cache = TileCache(folder / "cache", 1 << 20, self.clock)
        self.tiles = Tiles(folder, BOX, self.fetcher, self.cache, self.clock, 30 * DAY_S)

    async def open(self, **more: object) -> None:
        facts = {"slot": "custom", "version": "v1", "name": "县图", "host": "127.0.0.1"}
        source = TileSource(**{**facts, "sealed": seal(BOX, "custom", self.server.url), **more})  # type: ignore[arg-type]
        write_sources(self.folder / FILE, {source.slot: source})
        await self.tiles.load()

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with tile_server() as server:
        made = Shop(tmp_path, server)
        yield made
        await made.fetcher.close()


async def test_a_tile_is_fetched_once_whoever_wants_it(shop: Shop) -> None:
    await shop.open()
    found = await asyncio.gather(*(shop.tiles.tile("custom", 14, 3, 5) for _ in range(20)))
    assert {(tile.content, tile.media_type, tile.age_s) for tile in found} == {
        (picture(14, 3, 5), "image/png", None)
    }
    await shop.tiles.tile("custom", 14, 3, 5)
    assert shop.server.asked == [(14, 3, 5)]
    shop.later(31 * DAY_S)
    await shop.tiles.tile("custom", 14, 3, 5)
    assert len(shop.server.asked) == 2, "kept too long"


async def test_the_address_is_sealed_in_the_file(shop: Shop) -> None:
    await shop.open()
    assert KEY.encode() not in (shop.folder / FILE).read_bytes()
    assert read_sources(shop.folder)["custom"].name == "县图"


async def test_beside_what_it_covers_nothing_is_asked(shop: Shop) -> None:
    await shop.open(min_zoom=5, max_zoom=16, bounds=(116.0, 33.0, 117.0, 34.0))
    for z, x, y in ((4, 3, 5), (17, 3, 5), tile_at(120.0, 33.5, 12)):
        assert (await shop.tiles.tile("custom", z, x, y)).content == NOTHING
    assert shop.server.asked == []
    with pytest.raises(NotFound):
        await shop.tiles.tile("custom", 3, 8, 0)
    with pytest.raises(NotFound):
        await shop.tiles.tile("imagery", 3, 0, 0)
    assert Image.open(io.BytesIO(NOTHING)).convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


async def test_when_the_server_is_down_what_was_kept_is_shown_with_its_age(shop: Shop) -> None:
    await shop.open()
    await shop.tiles.tile("custom", 14, 3, 5)
    assert shop.tiles.health("custom").state == "ok"
    await shop.server.stop()
    shop.later(40 * DAY_S)
    for _ in range(3):
        tile = await shop.tiles.tile("custom", 14, 3, 5)
        assert (tile.content, tile.age_s) == (picture(14, 3, 5), 40 * DAY_S)
    health = shop.tiles.health("custom")
    assert (health.state, health.oldest_s) == ("stale", 40 * DAY_S)
    assert health.ok_at is not None
    assert KEY not in repr(health)
    with pytest.raises(TileRefused):
        await shop.tiles.tile("custom", 14, 9, 9)
    assert shop.tiles.health("custom").state == "unreachable"
    # Asked again only now and then; and once it answers, all is well by itself.
    await shop.server.start()
    before = len(shop.server.asked)
    with pytest.raises(TileRefused):
        await shop.tiles.tile("custom", 14, 9, 9)
    assert len(shop.server.asked) == before
    shop.later(RETRY_S + 1)
    shop.tiles.health("custom")
    await until(lambda: shop.tiles.health("custom").state == "ok")
    assert (await shop.tiles.tile("custom", 14, 9, 9)).content == picture(14, 9, 9)


async def test_one_that_hangs_does_not_hold_up_forty(shop: Shop) -> None:
    await shop.open()
    shop.server.mood = "slow"
    started = asyncio.get_running_loop().time()
    wanted = (shop.tiles.tile("custom", 14, n, 5) for n in range(40))
    found = await asyncio.gather(*wanted, return_exceptions=True)
    assert {type(one) for one in found} == {TileRefused}
    assert len(shop.server.asked) <= 16
    assert asyncio.get_running_loop().time() - started < 6


async def test_too_many_at_once_are_turned_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command.basemap.tiles.MOST_WANTED", 3)
    await shop.open()
    found = await asyncio.gather(
        *(shop.tiles.tile("custom", 14, n, 5) for n in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, Unavailable) for one in found) == 5


async def test_tiles_in_gcj02_are_put_together_and_kept(shop: Shop) -> None:
    await shop.open(datum="GCJ-02")
    z, x, y = tile_at(116.9, 33.95, 16)
    tile = await shop.tiles.tile("custom", z, x, y)
    assert sorted(shop.server.asked) == [(z, x + i, y + j) for i in (0, 1) for j in (0, 1)]
    made = Image.open(io.BytesIO(tile.content)).convert("RGB")
    # Their tile (x, y) fills the north-west corner up to where ours begins in theirs.
    assert made.getpixel((1, 1)) == (z * 10 % 256, x % 256, y % 256)
    assert made.getpixel((254, 254)) == (z * 10 % 256, (x + 1) % 256, (y + 1) % 256)
    await shop.server.stop()
    assert (await shop.tiles.tile("custom", z, x, y)).content == tile.content
    shop.later(31 * DAY_S)
    assert (await shop.tiles.tile("custom", z, x, y)).age_s == 31 * DAY_S
    # Where Chinese maps are not moved, theirs is ours.
    await shop.server.start()
    shop.later(RETRY_S + 1)
    assert (await shop.tiles.tile("custom", *tile_at(9.5, 47.1, 14))).content == picture(
        *tile_at(9.5, 47.1, 14)
    )


async def test_an_archive_needs_no_server(shop: Shop) -> None:
    (shop.folder / "basemap-custom.pmtiles").write_bytes(
        archive({(0, 0, 0): b"tile"}, kind=1, outer=2, layers=("roads",))
    )
    facts = {"file": "basemap-custom.pmtiles", "sealed": None, "host": None}
    await shop.open(**facts, content="vector", packed=True, max_zoom=2)
    tile = await shop.tiles.tile("custom", 0, 0, 0)
    assert (tile.content, tile.packed) == (b"tile", True)
    assert (await shop.tiles.tile("custom", 1, 0, 0)).content == b""
    # Gone or damaged: it says so, and the rest of the service goes on.
    (shop.folder / "basemap-custom.pmtiles").write_bytes(b"PMTiles")
    await shop.open(**facts, content="vector", version="v2")
    assert shop.tiles.health("custom").state == "unreachable"
    with pytest.raises(TileRefused):
        await shop.tiles.tile("custom", 0, 0, 0)


async def test_another_key_or_a_damaged_file_is_a_state_and_no_crash(shop: Shop) -> None:
    await shop.open(sealed=seal(SecretBox(b"x" * 32), "custom", shop.server.url))
    health = shop.tiles.health("custom")
    assert (health.state, "key" in health.detail) == ("unreachable", True)
    (shop.folder / FILE).write_bytes(b"[{")
    await shop.tiles.load()
    assert shop.tiles.sources == ()


def test_the_cache_never_grows_for_long_and_forgets_other_versions(tmp_path: Path) -> None:
    clock = ManualClock()
    cache = TileCache(tmp_path / "cache", 10_000, clock)
    for number in range(30):
        cache.put("a", "theirs", 5, number, 0, bytes(1_000))
        clock.advance(1)
    kept = [number for number in range(30) if cache.get("a", "theirs", 5, number, 0) is not None]
    assert 7 <= len(kept) <= 10
    assert kept == list(range(30 - len(kept), 30)), "the oldest go first"
    cache.put("b", "ours", 5, 0, 0, b"x")
    cache.keep_only({"b"})
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["b"]
    TileCache(tmp_path / "none", 0, clock).put("a", "theirs", 0, 0, 0, b"x")
    assert not (tmp_path / "none").exists()


def test_a_source_goes_through_its_file(tmp_path: Path) -> None:
    source = TileSource(slot="imagery", version="1", name="影像", datum="GCJ-02", bounds=(1, 2, 3, 4))
    write_sources(tmp_path / FILE, {"imagery": source})
    assert read_sources(tmp_path) == {"imagery": msgspec.structs.replace(source, bounds=(1.0, 2.0, 3.0, 4.0))}
    assert read_sources(tmp_path / "absent") == {}
