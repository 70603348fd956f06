"""The way in for a customer's basemap, for page and terminal alike: looked at, staged, in force as a revision."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from command.basemap.fetch import Fetcher
from command.basemap.history import Turn, turns_of
from command.basemap.model import Slot, TileSource, read_sources
from command.basemap.prepare import Wish, look_at_address, look_at_archive, prepare_without, stage
from command.errors import NotFound
from command.events import Actor
from command.geography.keeper import Keeper
from command.geography.revisions import Change, Revision
from command.store.secret_box import SecretBox

_CHINA = (105.0, 35.0)


class BasemapOffice:
    """Puts basemaps in force and takes them away.

    Args:
        keeper: Keeps the district's files.
        fetcher: Asks tile servers.
        box: Seals their addresses.
        folder: The district folder; files are staged beside it.
    """

    def __init__(self, keeper: Keeper, fetcher: Fetcher, box: SecretBox, folder: Path) -> None:
        self._keeper = keeper
        self._fetcher = fetcher
        self._box = box
        self._folder = folder
        self._turn = asyncio.Lock()

    async def put_archive(
        self, archive: Path, wish: Wish, actor: Actor, *, ours: bool = False
    ) -> tuple[TileSource, Revision]:
        """Put a PMTiles archive in force; the file stays where it is.

        Args:
            archive: The file.
            wish: What is said of it.
            actor: Who does it.
            ours: Nobody writes to the file any more: it need not be copied.

        Raises:
            BadFile: It cannot be shown.
            Malformed: It cannot be shown in this datum.
        """
        source = await asyncio.to_thread(look_at_archive, archive, wish)
        return source, await self._put(source, archive, actor, ours=ours)

    async def put_address(self, url: str, wish: Wish, actor: Actor) -> tuple[TileSource, Revision]:
        """Put a tile server in force after one look at it.

        Raises:
            Malformed: The address, its host or what it answers will not do.
        """
        source = await look_at_address(url, wish, self._fetcher, self._box, self.middle)
        return source, await self._put(source, None, actor)

    async def put_back(self, number: int, slot: Slot, actor: Actor) -> tuple[TileSource, Revision]:
        """Put in force again what a revision replaced in a slot, whatever came later.

        Raises:
            NotFound: It replaced nothing there, or that is no longer kept.
        """
        turns = await self.history()
        turn = next((one for one in turns if one.revision.number == number and one.slot == slot), None)
        if turn is None or turn.before is None or not turn.kept:
            raise NotFound("basemap", f"{slot} before revision {number}")
        archive = turn.before.file and self._keeper.revisions.before(number, turn.before.file)
        return turn.before, await self._put(turn.before, archive or None, actor, mark="↶ ", ours=True)

    async def history(self) -> list[Turn]:
        """What became of the slots, newest first."""
        return await asyncio.to_thread(turns_of, self._keeper.revisions)

    @property
    def middle(self) -> tuple[float, float]:
        """Where tiles are looked at: the middle of the district, longitude and latitude."""
        bounds = self._keeper.atlas.district.bounds
        return _CHINA if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)

    async def close(self) -> None:
        """Close what is open to tile servers."""
        await self._fetcher.close()

    async def remove(self, slot: Slot, actor: Actor) -> Revision:
        """Take a basemap away; the revision can be undone.

        Raises:
            NotFound: There is none.
        """
        sources = await asyncio.to_thread(read_sources, self._folder)
        if slot not in sources:
            raise NotFound("basemap", slot)
        async with self._turn:
            with self._staging() as staging:
                files = await asyncio.to_thread(prepare_without, slot, self._folder, staging)
                return await self._commit(files, slot, f"− {sources[slot].name}", actor)

    async def _put(
        self, source: TileSource, archive: Path | None, actor: Actor, *, mark: str = "", ours: bool = False
    ) -> Revision:
        # One after the other: both slots stand in one file.
        async with self._turn:
            with self._staging() as staging:
                files = await asyncio.to_thread(stage, source, archive, self._folder, staging, ours=ours)
                return await self._commit(files, source.slot, f"{mark}{source.name}", actor)

    async def _commit(self, files: dict[str, Path | None], slot: Slot, note: str, actor: Actor) -> Revision:
        return await self._keeper.put(
            files, Change("basemap", f"{slot}: {note}", actor.id, actor.name), actor
        )

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".basemap-", dir=self._folder.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
