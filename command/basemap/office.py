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
        data_dir: The data folder, for staging beside the files.
    """

    def __init__(self, keeper: Keeper, fetcher: Fetcher, box: SecretBox, data_dir: Path) -> None:
        self._keeper = keeper
        self._fetcher = fetcher
        self._box = box
        self._data_dir = data_dir

    async def put_archive(self, archive: Path, wish: Wish, actor: Actor) -> tuple[TileSource, Revision]:
        """Put a PMTiles archive in force; the file stays where it is.

        Raises:
            BadFile: It cannot be shown.
            Malformed: It cannot be shown in this datum.
        """
        district = self._keeper.atlas.district.folder
        with self._staging() as staging:
            prepared = await asyncio.to_thread(prepare_archive, archive, wish, district, staging)
            return prepared.source, await self._put(prepared.files, wish.slot, prepared.source.name, actor)

    async def put_address(self, url: str, wish: Wish, actor: Actor) -> tuple[TileSource, Revision]:
        """Put a tile server in force after one look at it.

        Raises:
            Malformed: The address, its host or what it answers will not do.
        """
        district = self._keeper.atlas.district
        bounds = district.bounds
        middle = _CHINA if bounds is None else ((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
        with self._staging() as staging:
            prepared = await prepare_address(
                url, wish, self._fetcher, self._box, district.folder, staging, middle
            )
            return prepared.source, await self._put(prepared.files, wish.slot, prepared.source.name, actor)

    async def remove(self, slot: Slot, actor: Actor) -> Revision:
        """Take a basemap away; the revision can be undone.

        Raises:
            NotFound: There is none.
        """
        district = self._keeper.atlas.district.folder
        sources = await asyncio.to_thread(read_sources, district)
        if slot not in sources:
            raise NotFound("basemap", slot)
        with self._staging() as staging:
            files = await asyncio.to_thread(prepare_without, slot, district, staging)
            return await self._put(files, slot, f"− {sources[slot].name}", actor)

    async def _put(self, files: dict[str, Path | None], slot: Slot, note: str, actor: Actor) -> Revision:
        return await self._keeper.put(
            files, Change("basemap", f"{slot}: {note}", actor.id, actor.name), actor
        )

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".basemap-", dir=self._data_dir))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
