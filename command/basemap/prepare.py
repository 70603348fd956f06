"""Making a basemap of a file or an address: looked at before it comes into force, and staged for a revision."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from command.basemap.fetch import Fetcher, Pattern, TileRefused
from command.basemap.model import (
    FILE,
    Datum,
    NotShown,
    Slot,
    TileSource,
    archive_of,
    read_sources,
    schema_of,
    seal,
    write_sources,
)
from command.geography.revisions import link
from command.store.secret_box import SecretBox
from gis.crs import BD09, CGCS2000, GCJ02, WGS84
from gis.errors import BadFile
from gis.tiles.mercator import tile_at
from gis.tiles.pmtiles import PmTiles
from gis.tiles.shift import picture_side

_LOOKED_AT_ZOOM: Final = 14
_MARK_BYTES: Final = 1 << 20
_BESIDE_DEG: Final = 0.01
"""How far GCJ-02 moves the edge of a map, and more."""
_DATUMS: Final[dict[str, Datum]] = {
    WGS84: "WGS-84",
    CGCS2000: "WGS-84",
    "WGS-84": "WGS-84",
    "WGS84": "WGS-84",
    "CGCS2000": "WGS-84",
    "EPSG:3857": "WGS-84",
    GCJ02: "GCJ-02",
    "GCJ02": "GCJ-02",
}
_NO_BD09: Final = "tiles in BD-09 have a scheme of their own; ask the supplier for WGS-84 or GCJ-02"
_NO_VECTOR_SHIFT: Final = (
    "vector tiles in GCJ-02 cannot be laid right tile by tile: what was cut at their edges would show as lines. "
    "Ask the supplier for picture tiles, or for vector tiles made of data in WGS-84 or CGCS2000"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody says of a basemap.

    Attributes:
        slot: What it is for.
        name: For people; empty takes the file's or host's name.
        attribution: Whose map it is.
        crs: In which its tiles are drawn.
        min_zoom: Lowest zoom with tiles; None takes what the file says, or 3.
        max_zoom: Highest zoom with tiles; None takes what the file says, or 18.
        preferred: Shown to those who have not chosen.
    """

    slot: Slot
    name: str = ""
    attribution: str = ""
    crs: str = "WGS-84"
    min_zoom: int | None = None
    max_zoom: int | None = None
    preferred: bool = False


def look_at_archive(archive: Path, wish: Wish) -> TileSource:
    """Look at a PMTiles archive.

    Raises:
        BadFile: It is no archive that can be shown, or is damaged.
        Malformed: It cannot be shown in this datum.
    """
    datum = datum_of(wish.crs)
    tiles = PmTiles(archive)
    try:
        header, layers = tiles.header, tiles.layers
        sample = tiles.some_tile()
    finally:
        tiles.close()
    if sample is None:
        raise BadFile(str(archive), "file", "holds no tile")
    side_px = 256
    if header.content == "vector":
        if datum != "WGS-84":
            raise NotShown("crs", _NO_VECTOR_SHIFT, "vector_shift")
        if not layers:
            raise BadFile(str(archive), "metadata", "names no vector_layers, so nothing of it could be drawn")
        if wish.slot == "imagery":
            raise NotShown("slot", "vector tiles are a map and no pictures from above", "vector_imagery")
    else:
        if header.packed:
            raise BadFile(
                str(archive), "header", "gzips its pictures, which no browser reads; make it without"
            )
        side_px = picture_side(sample, str(archive))
    low = max(header.min_zoom, wish.min_zoom or 0)
    high = min(header.max_zoom, 24 if wish.max_zoom is None else wish.max_zoom)
    if low > high:
        raise NotShown("max_zoom", f"it has zooms {header.min_zoom} to {header.max_zoom}", "zooms")
    west, south, east, north = header.bounds
    beside = _BESIDE_DEG if datum == "GCJ-02" else 0.0
    bounds = (west - beside, south - beside, east + beside, north + beside)
    return TileSource(
        slot=wish.slot,
        version=_mark_of(archive, datum),
        name=wish.name or archive.stem,
        attribution=wish.attribution,
        datum=datum,
        content="vector" if header.content == "vector" else "raster",
        schema=schema_of(layers) if header.content == "vector" else None,
        layers=layers,
        packed=header.packed,
        side_px=side_px,
        min_zoom=low,
        max_zoom=high,
        bounds=bounds if west < east and south < north else None,
        preferred=wish.preferred,
        file=archive_of(wish.slot),
    )


async def look_at_address(
    url: str, wish: Wish, fetcher: Fetcher, box: SecretBox, look_at: tuple[float, float]
) -> TileSource:
    """Look at one tile of a tile server.

    Args:
        url: Address pattern with {z}, {x} and {y}; may hold a key, which is sealed.
        wish: What is said of it.
        fetcher: Asks the server.
        box: Seals the address.
        look_at: Longitude and latitude in the district, degrees, WGS-84.

    Raises:
        Malformed: The address is no pattern, its host may not be asked or gives no tile, or the datum will not do.
    """
    datum = datum_of(wish.crs)
    pattern = Pattern(url)
    low, high = zooms_of(wish)
    z, x, y = tile_at(*look_at, min(max(low, _LOOKED_AT_ZOOM), high))
    try:
        await fetcher.check(pattern)
        sample = await fetcher.tile(pattern, z, x, y)
        if sample is None:
            detail = f"{pattern.host} has no tile of the district ({z}/{x}/{y})"
            raise NotShown("url", detail, "no_tile")
        side_px = picture_side(sample, pattern.host)
    except TileRefused as error:
        raise NotShown("url", error.detail, error.why, error.status) from None
    except BadFile as error:
        raise NotShown("url", f"{error.path} sends a tile that {error.reason}", "damaged") from None
    return TileSource(
        slot=wish.slot,
        version=box.fingerprint(f"{datum} {url.strip()}".encode())[:16],
        name=wish.name or pattern.name,
        attribution=wish.attribution,
        datum=datum,
        side_px=side_px,
        min_zoom=low,
        max_zoom=high,
        preferred=wish.preferred,
        host=pattern.host,
        sealed=seal(box, wish.slot, url.strip()),
    )


def zooms_of(wish: Wish) -> tuple[int, int]:
    """Return the lowest and highest zoom of a tile server.

    Raises:
        NotShown: There are none between them.
    """
    low = 3 if wish.min_zoom is None else wish.min_zoom
    high = 18 if wish.max_zoom is None else wish.max_zoom
    if not 0 <= low <= high <= 22:
        raise NotShown("max_zoom", f"zooms {low} to {high} are none", "zooms")
    return low, high


def stage(
    source: TileSource, archive: Path | None, district: Path, staging: Path, *, ours: bool = False
) -> dict[str, Path | None]:
    """Stage a source for `Keeper.put`; takes as long as copying its archive does.

    Args:
        source: What it is.
        archive: The file, which stays; None for a tile server.
        district: The district folder, whose other basemaps stay.
        staging: An empty folder on the same disk.
        ours: Nobody writes to the file any more: it need not be copied.

    Returns:
        Plain name → staged file, None takes one away.
    """
    name = archive_of(source.slot)
    write_sources(staging / FILE, {**read_sources(district), source.slot: source})
    files: dict[str, Path | None] = {FILE: staging / FILE}
    if archive is not None:
        if ours:
            link(archive, staging / name)
        else:
            shutil.copyfile(archive, staging / name)
        files[name] = staging / name
    elif (district / name).exists():
        files[name] = None
    return files


def prepare_without(slot: Slot, district: Path, staging: Path) -> dict[str, Path | None]:
    """Stage what is kept when a basemap is taken away; for `Keeper.put`."""
    sources = read_sources(district)
    sources.pop(slot, None)
    files: dict[str, Path | None] = {FILE: None}
    if sources:
        write_sources(staging / FILE, sources)
        files[FILE] = staging / FILE
    if (district / archive_of(slot)).exists():
        files[archive_of(slot)] = None
    return files


def datum_of(crs: str) -> Datum:
    """Return the datum of tiles.

    Raises:
        Malformed: Tiles in it cannot be shown.

    >>> datum_of("epsg:4490"), datum_of("gcj-02")
    ('WGS-84', 'GCJ-02')
    """
    name = crs.strip().upper()
    if name in (BD09, "BD09"):
        raise NotShown("crs", _NO_BD09, "bd09")
    if name not in _DATUMS:
        raise NotShown("crs", f"{crs!r} is not one of WGS-84, CGCS2000, GCJ-02", "datum")
    return _DATUMS[name]


def _mark_of(archive: Path, datum: Datum) -> str:
    """Return what tells this archive from another: its size, its beginning and its end."""
    size = archive.stat().st_size
    digest = hashlib.sha256(f"{datum} {size}".encode())
    with archive.open("rb") as file:
        digest.update(file.read(_MARK_BYTES))
        file.seek(max(0, size - _MARK_BYTES))
        digest.update(file.read(_MARK_BYTES))
    return digest.hexdigest()[:16]
