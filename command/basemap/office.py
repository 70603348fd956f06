"""The way in for a customer's basemap, for page and terminal alike: looked at, staged, in force as a revision."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from command.basemap.fetch import Fetcher
from command.basemap.model import Slot, TileSource, read_sources
from command.basemap.prepare import Wish, prepare_address, prepare_archive, prepare_without
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

    async def put_archive(self, archive: Path, wish: Wish, actor: Actor) -> tuple[TileSource, Revision]:
        """Put a PMTiles archive in force; the file stays where it is.

        Raises:
            BadFile: It cannot be shown.
            Malformed: It cannot be shown in this datum.
        """
        with self._staging() as staging:
            prepared = await asyncio.to_thread(prepare_archive, archive, wish, self._folder, staging)
            return prepared.source, await self._put(prepared.files, wish.slot, prepared.source.name, actor)

    async def put_address(self, url: str, wish: Wish, actor: Actor) -> tuple[TileSource, Revision]:
        """Put a tile server in force after one look at it.

        Raises:
            Malformed: The address, its host or what it answers will not do.
        """
        bounds = self._keeper.atlas.district.bounds
        middle = _CHINA if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
        with self._staging() as staging:
            prepared = await prepare_address(
                url, wish, self._fetcher, self._box, self._folder, staging, middle
            )
            return prepared.source, await self._put(prepared.files, wish.slot, prepared.source.name, actor)

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
        with self._staging() as staging:
            files = await asyncio.to_thread(prepare_without, slot, self._folder, staging)
            return await self._put(files, slot, f"− {sources[slot].name}", actor)

    async def _put(self, files: dict[str, Path | None], slot: Slot, note: str, actor: Actor) -> Revision:
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
