"""What is known of a customer's basemap. The address of its tiles may hold a key and is kept sealed."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from command.errors import Malformed, YipingError
from command.store.secret_box import SecretBox

FILE: Final = "basemap.json"
"""In the district folder."""

Slot = Literal["custom", "imagery"]
"""A map that takes the place of ours, or pictures from above under our names and roads."""
SLOTS: Final[tuple[Slot, ...]] = get_args(Slot)
Datum = Literal["WGS-84", "GCJ-02"]
Schema = Literal["own", "openmaptiles", "other"]
_OWN_LAYERS: Final = frozenset({"transportation", "landcover", "water"})
_OPENMAPTILES_LAYERS: Final = frozenset(
    {"transportation_name", "water_name", "aerodrome_label", "housenumber"}
)


class SourceUnreadable(YipingError):
    """What is kept of the customer's basemap cannot be read."""

    code = "basemap_unreadable"


class NotShown(Malformed):
    """It cannot be shown.

    Attributes:
        why: For the screen to say in its language.
        status: What a tile server answered instead of a tile, where it did.
    """

    code = "basemap_not_shown"

    def __init__(self, field: str, detail: str, why: str, status: int | None = None) -> None:
        super().__init__(field, detail)
        self.why = why
        self.status = status

    @property
    def extras(self) -> Mapping[str, object]:
        """The field, why, and the status."""
        return {**super().extras, "why": self.why, "status": self.status}


class TileSource(msgspec.Struct, frozen=True, kw_only=True):
    """One basemap.

    Attributes:
        slot: What it is for.
        version: Changes with its tiles: browsers and the cache tell them apart by it.
        name: For people.
        attribution: Whose map it is, shown on the map.
        datum: In which its tiles are drawn.
        content: Vector tiles or pictures.
        schema: How its vector layers are named; None for pictures.
        layers: Names of the vector layers.
        packed: Whether its tiles are gzipped.
        side_px: Pixels along a picture's side.
        min_zoom: Lowest zoom with tiles.
        max_zoom: Highest zoom with tiles.
        bounds: West, south, east and north in degrees that it covers, or None.
        preferred: Shown to those who have not chosen.
        file: Name of the archive in the district folder, or None for a tile server.
        host: Of the tile server, with its port.
        sealed: The tile server's address pattern, sealed; base64.
    """

    slot: Slot
    version: str
    name: str
    attribution: str = ""
    datum: Datum = "WGS-84"
    content: Literal["vector", "raster"] = "raster"
    schema: Schema | None = None
    layers: tuple[str, ...] = ()
    packed: bool = False
    side_px: int = 256
    min_zoom: int = 0
    max_zoom: int = 18
    bounds: tuple[float, float, float, float] | None = None
    preferred: bool = False
    file: str | None = None
    host: str | None = None
    sealed: str | None = None


def read_sources(folder: Path) -> dict[Slot, TileSource]:
    """Return the sources of a district folder.

    Raises:
        SourceUnreadable: The file is damaged.
    """
    path = folder / FILE
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=tuple[TileSource, ...])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise SourceUnreadable(f"{FILE} cannot be read: {error}") from error
    return {row.slot: row for row in rows}


def write_sources(path: Path, sources: Mapping[Slot, TileSource]) -> None:
    """Write the file of sources, whole or not at all."""
    rows = tuple(sources[slot] for slot in SLOTS if slot in sources)
    part = path.with_name(path.name + ".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")
    os.replace(part, path)


def archive_of(slot: Slot) -> str:
    """Return the name of a slot's archive in the district folder."""
    return f"basemap-{slot}.pmtiles"


def seal(box: SecretBox, slot: Slot, url: str) -> str:
    """Return an address sealed."""
    return base64.b64encode(box.seal(url, f"basemap:{slot}")).decode("ascii")


def unseal(box: SecretBox, source: TileSource) -> str:
    """Return the address pattern of a tile server.

    Raises:
        Sealed: It was sealed with another key: it must be entered anew.
    """
    return box.open(base64.b64decode(source.sealed or ""), f"basemap:{source.slot}")


def schema_of(layers: tuple[str, ...]) -> Schema:
    """Say how vector layers are named.

    >>> schema_of(("water", "landcover", "transportation", "poi"))
    'own'
    >>> schema_of(("water", "landcover", "transportation", "transportation_name"))
    'openmaptiles'
    >>> schema_of(("earth", "roads"))
    'other'
    """
    names = frozenset(layers)
    if not names >= _OWN_LAYERS:
        return "other"
    return "openmaptiles" if names & _OPENMAPTILES_LAYERS else "own"
