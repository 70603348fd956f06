"""The customer's own basemap beside ours: where it comes from, kept safe, fetched, laid right and served.

`model` is what is known of a source, `prepare` makes one of a file or an address, `fetch` asks the customer's tile
server, `cache` keeps its answers on disk, `tiles` gives out single tiles.
"""

from command.basemap.model import FILE, SLOTS, Slot, TileSource, read_sources
from command.basemap.tiles import Health, Tile, Tiles

__all__ = ["FILE", "SLOTS", "Health", "Slot", "Tile", "TileSource", "Tiles", "read_sources"]
