"""``yiping import basemap``: an archive or a tile server as the district's own basemap."""

import asyncio
from pathlib import Path

from command.basemap.prepare import Wish
from command.cli.common import load, say
from command.core import open_core
from command.errors import NotFound
from command.events import SYSTEM

NOTHING = "none"


def import_basemap(source: str, wish: Wish, data: Path | None, config: Path | None) -> None:
    """Put a basemap in force.

    Args:
        source: A PMTiles file, an address with {z}, {x} and {y}, or "none" to take the basemap away.
        wish: What is said of it.
        data: The data folder.
        config: The settings' file.
    """
    asyncio.run(_bring(source, wish, data, config))


async def _bring(source: str, wish: Wish, data: Path | None, config: Path | None) -> None:
    # Opened inside the loop: what it holds belongs to it.
    core = await asyncio.to_thread(open_core, load(config, data))
    desk = asyncio.create_task(core.desk.run())
    office = core.basemap_office
    try:
        if source == NOTHING:
            try:
                revision = await office.remove(wish.slot, SYSTEM)
            except NotFound:
                raise ValueError(f"there is no basemap in {wish.slot}") from None
            say(f"basemap: 已移除 {wish.slot}；撤销：yiping import undo {revision.number}")
            return
        if "://" in source:
            made, revision = await office.put_address(source, wish, SYSTEM)
        else:
            if not await asyncio.to_thread(Path(source).is_file):
                raise FileNotFoundError(f"{source} does not exist")
            made, revision = await office.put_archive(Path(source), wish, SYSTEM)
        kind = "矢量" if made.content == "vector" else f"图片 {made.side_px} px"
        facts = (made.slot, kind, made.datum, f"{made.min_zoom}–{made.max_zoom} 级", made.host or made.file)
        say(f"basemap: 已导入 {made.name}（{'，'.join(str(fact) for fact in facts)}）")
        say(f"  撤销：yiping import undo {revision.number}")
    finally:
        await office.close()
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)
        await asyncio.to_thread(core.close)
