"""Single tiles of the customer's basemaps: from an archive or a tile server, laid right, and kept for bad days."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import structlog

from command.basemap.cache import TileCache
from command.basemap.fetch import AT_ONCE, Fetcher, Pattern, TileRefused, Why
from command.basemap.model import Slot, SourceUnreadable, TileSource, read_sources, unseal
from command.clock import Clock, rfc3339
from command.errors import NotFound, Unavailable
from command.store.secret_box import Sealed, SecretBox
from gis.errors import BadFile
from gis.tiles.mercator import bounds_of, exists, meets
from gis.tiles.pmtiles import PmTiles
from gis.tiles.shift import compose, media_type, plan

log = structlog.get_logger("basemap")

DOWN_AFTER: Final = 3
"""So many refusals in a row, and the source counts as down: it is tried again only now and then."""
RETRY_S: Final = 10.0
MOST_WANTED: Final = 512
"""Tiles in the making; who asks for more at once is turned away."""
_ABSENT_FRESH_S: Final = 86_400.0
_COMPOSING: Final = 2
VECTOR: Final = "application/vnd.mapbox-vector-tile"
# One transparent pixel: what a map draws where there is no picture.
NOTHING: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b49444154789c636060000000030001b8ad3a630000000049454e44ae426082"
)

State = Literal["ok", "stale", "unreachable"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile.

    Attributes:
        content: As it goes to the browser.
        media_type: What it is.
        packed: Whether it is gzipped.
        age_s: Since it was fetched, where its server does not answer; else None.
    """

    content: bytes
    media_type: str
    packed: bool = False
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """How a source is.

    Attributes:
        state: "stale": down, but all that was asked for was kept; "unreachable": something was missing.
        detail: Why, for people; empty while all is well.
        ok_at: When it last answered, or None.
        since: Since when it does not, or None.
        oldest_s: Age of the oldest tile given out meanwhile, or None.
        why: As `detail`, for the screen to say in its language (`TileRefused.why`).
        status: What its server answered instead of a tile, where it did.
    """

    state: State
    detail: str = ""
    ok_at: str | None = None
    since: str | None = None
    oldest_s: float | None = None
    why: str = ""
    status: int | None = None


@dataclass(slots=True)
class _Reach:
    """What became of the last requests to one source."""

    failures: int = 0
    detail: str = ""
    why: Why = "damaged"
    status: int | None = None
    ok_at: datetime | None = None
    since: datetime | None = None
    tried_s: float = 0.0
    missed: tuple[int, int, int] | None = None
    unanswered: bool = False
    oldest_s: float | None = None

    @property
    def down(self) -> bool:
        return self.failures >= DOWN_AFTER


@dataclass(frozen=True, slots=True)
class _Piece:
    """A tile of theirs: empty where there is none; its age where it is not as fresh as it should be."""

    content: bytes
    age_s: float | None = None


@dataclass(slots=True)
class _Open:
    """A source in use."""

    source: TileSource
    archive: PmTiles | None
    pattern: Pattern | None
    reach: _Reach
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


class Tiles:
    """The customer's basemaps in force.

    Args:
        folder: The district folder.
        box: Opens sealed addresses.
        fetcher: Asks tile servers.
        cache: Keeps what they answered.
        clock: Time.
        fresh_s: So long a kept tile is not asked for again.
    """

    def __init__(
        self, folder: Path, box: SecretBox, fetcher: Fetcher, cache: TileCache, clock: Clock, fresh_s: float
    ) -> None:
        self._folder = folder
        self._box = box
        self._fetcher = fetcher
        self._cache = cache
        self._clock = clock
        self._fresh_s = fresh_s
        self._open: dict[Slot, _Open] = {}
        self._making: dict[tuple[str, int, int, int], asyncio.Task[Tile]] = {}
        self._composing = asyncio.Semaphore(_COMPOSING)
        self._changed = asyncio.Event()
        self._changed.set()

    # -- following what is in force ---------------------------------------------------------------------------

    def district_changed(self, _district: object = None) -> None:
        """Look at the files again, soon."""
        self._changed.set()

    async def run(self) -> None:
        """Follow the files until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self.load()
        finally:
            self.close()
            await self._fetcher.close()

    def close(self) -> None:
        """Close the archives and stop making tiles."""
        for task in self._making.values():
            task.cancel()
        opened, self._open = self._open, {}
        self._close_all(opened)

    async def load(self) -> None:
        """Take up the sources of the district folder."""
        try:
            sources = await asyncio.to_thread(read_sources, self._folder)
        except SourceUnreadable as error:
            log.error("the customer's basemap cannot be read", reason=error.detail)
            sources = {}
        before = self._open
        kept = {
            slot: one
            for slot, one in before.items()
            if slot in sources and one.source == sources[slot] and not one.reach.down
        }
        fresh = {
            slot: await asyncio.to_thread(self._opened, source)
            for slot, source in sources.items()
            if slot not in kept
        }
        self._open = {**kept, **fresh}
        self._close_all({slot: one for slot, one in before.items() if slot not in kept})
        versions = {source.version for source in sources.values()}
        await asyncio.to_thread(self._cache.keep_only, versions)

    def _opened(self, source: TileSource) -> _Open:
        reach = _Reach()
        try:
            if source.file is not None:
                return _Open(source, PmTiles(self._folder / source.file), None, reach)
            return _Open(source, None, Pattern(unseal(self._box, source)), reach)
        except BadFile as error:
            reach.detail = error.reason
        except Sealed as error:
            reach.detail = error.detail
        log.error("a basemap cannot be opened", slot=source.slot, reason=reach.detail)
        reach.failures, reach.unanswered, reach.since = DOWN_AFTER, True, self._clock.now()
        return _Open(source, None, None, reach)

    @staticmethod
    def _close_all(opened: dict[Slot, _Open]) -> None:
        for one in opened.values():
            if one.archive is not None:
                one.archive.close()

    # -- what there is ------------------------------------------------------------------------------------------

    @property
    def sources(self) -> tuple[TileSource, ...]:
        """The sources in force."""
        return tuple(one.source for one in self._open.values())

    def size(self, slot: Slot) -> int | None:
        """Return the bytes of a source's archive; None for a tile server."""
        one = self._open.get(slot)
        return None if one is None or one.archive is None else one.archive.size

    def health(self, slot: Slot) -> Health:
        """Say how a source is; one that is down is tried again by this, if it is time."""
        one = self._open.get(slot)
        if one is None:
            raise NotFound("basemap", slot)
        reach = one.reach
        if not reach.down:
            return Health("ok", ok_at=None if reach.ok_at is None else rfc3339(reach.ok_at))
        if reach.missed is not None and one.pattern is not None and self._due(reach):
            self._once(one, *reach.missed).add_done_callback(_unheard)
        return Health(
            "unreachable" if reach.unanswered else "stale",
            reach.detail,
            None if reach.ok_at is None else rfc3339(reach.ok_at),
            None if reach.since is None else rfc3339(reach.since),
            reach.oldest_s,
            reach.why,
            reach.status,
        )

    async def tile(self, slot: Slot, z: int, x: int, y: int) -> Tile:
        """Return a tile; one without anything on it where the source has none.

        Raises:
            NotFound: There is no such source, or no such tile in the world.
            TileRefused: Its server does not answer, and the tile was never kept.
            Unavailable: Too many are wanted at once.
        """
        one = self._open.get(slot)
        if one is None:
            raise NotFound("basemap", slot)
        if not exists(z, x, y):
            raise NotFound("tile", f"{z}/{x}/{y}")
        source = one.source
        if not source.min_zoom <= z <= source.max_zoom:
            return _nothing(source)
        if source.bounds is not None and not meets(bounds_of(z, x, y), source.bounds):
            return _nothing(source)
        return await asyncio.shield(self._once(one, z, x, y))

    def _once(self, one: _Open, z: int, x: int, y: int) -> asyncio.Task[Tile]:
        """Make a tile once, however many want it at the same time."""
        key = (one.source.version, z, x, y)
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= MOST_WANTED:
                raise Unavailable("Too many tiles are wanted at once; try again.")
            task = asyncio.get_running_loop().create_task(self._make(one, z, x, y))
            self._making[key] = task
            task.add_done_callback(lambda _done: self._making.pop(key, None))
        return task

    async def _make(self, one: _Open, z: int, x: int, y: int) -> Tile:
        source = one.source
        wanted = plan(z, x, y, source.side_px) if source.datum == "GCJ-02" else None
        if wanted is None:
            return _shown(source, await self._theirs(one, z, x, y))
        kept = await asyncio.to_thread(self._cache.get, source.version, "ours", z, x, y)
        if kept is not None and kept.age_s < self._fresh_s:
            return _shown(source, _Piece(kept.content))
        keys = [key for key in wanted.tiles if exists(z, *key)]
        found = await asyncio.gather(*(self._theirs(one, z, *key) for key in keys), return_exceptions=True)
        for piece in found:
            if isinstance(piece, BaseException):
                if kept is not None and isinstance(piece, TileRefused):
                    return _shown(source, self._old(one, kept.content, kept.age_s))
                raise piece
        pieces = dict(zip(keys, (piece for piece in found if isinstance(piece, _Piece)), strict=True))
        pictures = {key: piece.content for key, piece in pieces.items() if piece.content}
        async with self._composing:
            try:
                made = await asyncio.to_thread(compose, wanted, pictures, source.side_px)
            except BadFile as error:
                refused = TileRefused(f"tile {error.path} {error.reason}", "damaged")
                raise self._failed(one, (z, x, y), refused) from None
        content = b"" if made is None else made[0]
        ages = [piece.age_s for piece in pieces.values() if piece.age_s is not None]
        age_s = max(ages) if ages else None
        if age_s is None:
            await asyncio.to_thread(self._cache.put, source.version, "ours", z, x, y, content)
        return _shown(source, _Piece(content, age_s))

    async def _theirs(self, one: _Open, z: int, x: int, y: int) -> _Piece:
        """Return a tile as its owner draws it."""
        source = one.source
        if one.archive is not None:
            try:
                found = await asyncio.to_thread(one.archive.tile, z, x, y)
            except BadFile as error:
                raise self._failed(one, (z, x, y), TileRefused(error.reason, "damaged")) from None
            return _Piece(found or b"")
        kept = await asyncio.to_thread(self._cache.get, source.version, "theirs", z, x, y)
        if kept is not None:
            fresh_s = self._fresh_s if kept.content else min(self._fresh_s, _ABSENT_FRESH_S)
            if kept.age_s < fresh_s:
                return _Piece(kept.content)
        async with one.turn:
            fetched = await self._fetch(one, z, x, y, kept is not None)
        if isinstance(fetched, bytes):
            await asyncio.to_thread(self._cache.put, source.version, "theirs", z, x, y, fetched)
            return _Piece(fetched)
        if kept is not None:
            return self._old(one, kept.content, kept.age_s)
        one.reach.unanswered = True
        raise fetched

    async def _fetch(self, one: _Open, z: int, x: int, y: int, kept: bool) -> bytes | TileRefused:
        """Ask the tile server, unless it is down and was asked a moment ago."""
        reach = one.reach
        if one.pattern is None or (reach.down and not self._due(reach)):
            return TileRefused(reach.detail, reach.why, reach.status)
        reach.tried_s = self._clock.monotonic()
        try:
            content = await self._fetcher.tile(one.pattern, z, x, y) or b""
        except TileRefused as error:
            return self._failed(one, (z, x, y), error, answered=kept)
        if reach.down:
            log.info("a basemap answers again", slot=one.source.slot)
        one.reach = _Reach(ok_at=self._clock.now())
        return content

    def _old(self, one: _Open, content: bytes, age_s: float) -> _Piece:
        one.reach.oldest_s = max(one.reach.oldest_s or 0.0, round(age_s, 1))
        return _Piece(content, age_s)

    def _failed(
        self, one: _Open, at: tuple[int, int, int], refused: TileRefused, *, answered: bool = False
    ) -> TileRefused:
        reach = one.reach
        reach.failures += 1
        reach.detail, reach.why, reach.status, reach.missed = refused.detail, refused.why, refused.status, at
        reach.since = reach.since or self._clock.now()
        reach.unanswered = reach.unanswered or not answered
        if reach.failures == DOWN_AFTER:
            log.warning("a basemap does not answer", slot=one.source.slot, reason=refused.detail)
        return refused

    def _due(self, reach: _Reach) -> bool:
        return self._clock.monotonic() - reach.tried_s >= RETRY_S


def _shown(source: TileSource, piece: _Piece) -> Tile:
    if not piece.content:
        return _nothing(source)
    if source.content == "vector":
        return Tile(piece.content, VECTOR, source.packed, piece.age_s)
    # What it is, is seen by its first bytes and not believed of anybody.
    return Tile(piece.content, media_type(piece.content) or "application/octet-stream", False, piece.age_s)


def _nothing(source: TileSource) -> Tile:
    return Tile(b"", VECTOR) if source.content == "vector" else Tile(NOTHING, "image/png")


def _unheard(task: asyncio.Task[Tile]) -> None:
    if not task.cancelled():
        task.exception()
