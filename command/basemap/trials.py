"""Basemaps on trial: uploaded or entered, looked at and seen on a map before they come into force, or dropped.

Trials are kept beside the district, one for each account, and are gone after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from command.basemap.cache import TileCache
from command.basemap.fetch import Fetcher, Pattern
from command.basemap.looks import Look, looks_at, looks_into
from command.basemap.model import FILE, NotShown, TileSource, write_sources
from command.basemap.office import BasemapOffice
from command.basemap.prepare import Wish, look_at_address, look_at_archive, zooms_of
from command.basemap.tiles import Tile, Tiles
from command.clock import Clock, rfc3339
from command.errors import Conflict, NotFound, StorageFull
from command.events import Actor
from command.geography.revisions import Revision
from command.ids import new_id
from command.store.secret_box import SecretBox
from gis.errors import BadFile

MOST: Final = 4
"""Trials at a time; the oldest goes first."""
UPLOAD: Final = "upload.pmtiles"
_CACHE_BYTES: Final = 64 << 20
_ROOM_BYTES: Final = 256 << 20
"""Of the disk are left for everything else."""


class NotReady(Conflict):
    """What is on trial cannot be shown as it is."""

    code = "not_ready"


@dataclass(slots=True)
class Trial:
    """One basemap that somebody tries.

    Attributes:
        wish: What they say of it.
        filename: As they call the file; None for a tile server.
        size: Of the file in bytes.
        home: Its folder.
        url: The tile server's address pattern; never shown.
        source: What it would be, or None while it cannot be shown.
        fault: Why not.
        looks: Tiles in the middle of the district.
        tiles: Gives out its tiles.
    """

    id: str
    by: str
    by_name: str
    at: str
    wish: Wish
    home: Path
    tiles: Tiles
    filename: str | None = None
    size: int = 0
    url: str | None = field(default=None, repr=False)
    source: TileSource | None = None
    fault: NotShown | None = None
    looks: tuple[Look, ...] = ()


class Trials:
    """The basemaps on trial.

    Args:
        folder: Beside the district folder, on the same disk; what an earlier run left there is removed.
        office: Puts them in force.
        fetcher: Asks tile servers.
        box: Seals their addresses.
        clock: Time of the records.
    """

    def __init__(
        self, folder: Path, office: BasemapOffice, fetcher: Fetcher, box: SecretBox, clock: Clock
    ) -> None:
        self._folder = folder
        self._office = office
        self._fetcher = fetcher
        self._box = box
        self._clock = clock
        self._trials: dict[str, Trial] = {}
        shutil.rmtree(folder, ignore_errors=True)

    # -- looking ------------------------------------------------------------------------------------------

    def list(self) -> list[Trial]:
        """All trials, newest first."""
        return list(reversed(self._trials.values()))

    def get(self, trial_id: str) -> Trial:
        """Return one.

        Raises:
            NotFound: There is none, or no longer.
        """
        try:
            return self._trials[trial_id]
        except KeyError:
            raise NotFound("trial", trial_id) from None

    async def tile(self, trial_id: str, z: int, x: int, y: int) -> Tile:
        """Return a tile as it would be shown; raises as `Tiles.tile` does."""
        trial = self.get(trial_id)
        return await trial.tiles.tile(trial.wish.slot, z, x, y)

    # -- doing --------------------------------------------------------------------------------------------

    async def upload(self, filename: str, size: int, blocks: AsyncIterator[bytes], actor: Actor) -> Trial:
        """Write an archive to the disk as it comes, and try it.

        Args:
            filename: As the sender calls it.
            size: In bytes, as announced; 0 where it was not.
            blocks: Its content.
            actor: Who sends it.

        Raises:
            BadFile: It is no archive that can be shown.
            StorageFull: There is no room for it.
        """
        trial = await self._begin(Wish("custom", name=Path(filename).stem[:60]), actor)
        trial.filename = filename[:200]
        try:
            await asyncio.to_thread(_demand_room, trial.home, size)
            trial.size = await _write(trial.home / UPLOAD, blocks)
            await self._look(trial)
        except BadFile as error:
            await self._end(trial)
            raise BadFile(trial.filename, error.where, error.reason) from None
        except BaseException:
            await self._end(trial)
            raise
        return await self._keep(trial)

    async def enter(self, url: str, wish: Wish, actor: Actor) -> Trial:
        """Try a tile server.

        Raises:
            NotShown: The address is no pattern.
        """
        Pattern(url)
        trial = await self._begin(wish, actor)
        trial.url = url
        await self._look(trial)
        return await self._keep(trial)

    async def again(self, trial_id: str, wish: Wish) -> Trial:
        """Try the same one otherwise.

        Raises:
            NotFound: There is no such trial.
        """
        trial = self.get(trial_id)
        trial.wish = (
            wish if wish.name or not trial.filename else replace(wish, name=Path(trial.filename).stem)
        )
        await self._look(trial)
        return trial

    async def apply(self, trial_id: str, actor: Actor) -> tuple[TileSource, Revision]:
        """Put it in force, after one more look; the trial is over then.

        Raises:
            NotFound: There is no such trial.
            NotReady: It cannot be shown; says why.
            Malformed: It could a moment ago.
        """
        trial = self.get(trial_id)
        if trial.source is None:
            raise NotReady(trial.fault.detail if trial.fault else "It was not looked at.")
        if trial.url is not None:
            done = await self._office.put_address(trial.url, trial.wish, actor)
        else:
            done = await self._office.put_archive(trial.home / UPLOAD, trial.wish, actor, ours=True)
        await self.drop(trial_id)
        return done

    async def drop(self, trial_id: str) -> None:
        """End a trial; nothing of it stays."""
        trial = self._trials.pop(trial_id, None)
        if trial is not None:
            await self._end(trial)

    def close(self) -> None:
        """Close the archives, at shutdown."""
        for trial in self._trials.values():
            trial.tiles.close()

    # -- the work -----------------------------------------------------------------------------------------

    async def _begin(self, wish: Wish, actor: Actor) -> Trial:
        trial_id = new_id("t")
        home = self._folder / trial_id
        await asyncio.to_thread(home.mkdir, parents=True)
        cache = TileCache(home / "tiles", _CACHE_BYTES, self._clock)
        tiles = Tiles(home, self._box, self._fetcher, cache, self._clock, fresh_s=86_400.0)
        return Trial(trial_id, actor.id, actor.name, rfc3339(self._clock.now()), wish, home, tiles)

    async def _keep(self, trial: Trial) -> Trial:
        """Have it in the list, instead of the account's last one."""
        mine = [other.id for other in self._trials.values() if other.by == trial.by]
        self._trials[trial.id] = trial
        for other in (*mine, *list(self._trials)[:-MOST]):
            await self.drop(other)
        return trial

    async def _end(self, trial: Trial) -> None:
        trial.tiles.close()
        await asyncio.to_thread(shutil.rmtree, trial.home, True)

    async def _look(self, trial: Trial) -> None:
        """See what it would be, and what comes of a few tiles."""
        trial.source, trial.fault, trial.looks = None, None, ()
        with contextlib.suppress(NotShown):  # what is wrong with it is said below
            if trial.url is None:
                trial.looks = await asyncio.to_thread(looks_into, trial.home / UPLOAD, self._office.middle)
            else:
                zooms = zooms_of(trial.wish)
                trial.looks = await looks_at(Pattern(trial.url), zooms, self._fetcher, self._office.middle)
        try:
            if trial.url is None:
                source = await asyncio.to_thread(look_at_archive, trial.home / UPLOAD, trial.wish)
                source = msgspec.structs.replace(source, file=UPLOAD)
            else:
                middle = self._office.middle
                source = await look_at_address(trial.url, trial.wish, self._fetcher, self._box, middle)
        except NotShown as error:
            trial.fault = error
            return
        trial.source = source
        await asyncio.to_thread(write_sources, trial.home / FILE, {source.slot: source})
        await trial.tiles.load()


def _demand_room(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + _ROOM_BYTES:
        raise StorageFull("There is no room on the disk for this file.")


async def _write(path: Path, blocks: AsyncIterator[bytes]) -> int:
    size = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        try:
            async for block in blocks:
                await asyncio.to_thread(file.write, block)
                size += len(block)
        except OSError as error:
            raise StorageFull(f"The file was not written: {error.strerror}.") from None
    return size
