"""Picture tiles in GCJ-02 laid right: each of ours is put together from theirs that lie under it.

The offset of GCJ-02 differs by some millimetres from metre to metre, so one tile is bent like a net: the corners of
4 × 4 cells are moved exactly and what lies between them evenly, which leaves far less than a pixel.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from gis.crs import gcj02_from_wgs84
from gis.errors import BadFile
from gis.tiles.mercator import Floats, lonlat_of, world_of

Key = tuple[int, int]
"""Column and row of a tile."""
_CELLS: Final = 4
_SHARP_PX: Final = 2
"""Pixels beside a place that its colour is made from."""
_UNSEEN_PX: Final = 0.3
"""Less than this of a shift cannot be seen: low zooms are left as they are."""
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_MOST_SIDE: Final = 1_024
_QUALITY: Final = 90


@dataclass(frozen=True, slots=True)
class Plan:
    """How one tile is put together.

    Attributes:
        z: Zoom of all the tiles.
        first: Their tile that stands in the north-west corner.
        columns: So many of theirs beside each other.
        lines: So many below each other.
        net: (5, 5, 2) where the corners of our cells lie in theirs, in tiles from that corner.
    """

    z: int
    first: Key
    columns: int
    lines: int
    net: Floats

    @property
    def tiles(self) -> tuple[Key, ...]:
        """Their tiles that are needed, by row."""
        x, y = self.first
        return tuple((x + i, y + j) for j in range(self.lines) for i in range(self.columns))


def plan(z: int, x: int, y: int, side_px: int) -> Plan | None:
    """Say how one of our tiles is made of tiles in GCJ-02; None where theirs will do as it is.

    Args:
        z: Zoom.
        x: Column.
        y: Row from the north.
        side_px: Pixels along a tile's side.
    """
    world = float(1 << z)
    steps = np.linspace(0.0, 1.0, _CELLS + 1)
    column, row = np.meshgrid(x + steps, y + steps)
    lon, lat = gcj02_from_wgs84(*lonlat_of(column / world, row / world))
    theirs = np.stack(world_of(lon, lat), axis=-1) * world
    if np.abs(theirs - np.stack([column, row], axis=-1)).max() * side_px < _UNSEEN_PX:
        return None
    margin = _SHARP_PX / side_px
    low = np.floor(theirs.min(axis=(0, 1)) - margin).astype(int)
    high = np.floor(theirs.max(axis=(0, 1)) + margin).astype(int)
    columns, lines = (high - low + 1).tolist()
    return Plan(z, (int(low[0]), int(low[1])), columns, lines, theirs - low)


def compose(wanted: Plan, tiles: Mapping[Key, bytes], side_px: int) -> tuple[bytes, str] | None:
    """Put one tile together.

    Args:
        wanted: From `plan`.
        tiles: Their pictures; one that is missing stays transparent.
        side_px: Pixels along a tile's side, theirs and ours.

    Returns:
        The picture and its media type, or None where there is nothing on it.

    Raises:
        BadFile: One of theirs is no picture, or not of this size.
    """
    whole = Image.new("RGBA", (wanted.columns * side_px, wanted.lines * side_px), (0, 0, 0, 0))
    formats: set[str] = set()
    for number, key in enumerate(wanted.tiles):
        if key not in tiles:
            continue
        picture, kind = _opened(tiles[key], side_px, f"{wanted.z}/{key[0]}/{key[1]}")
        formats.add(kind)
        whole.paste(picture, (number % wanted.columns * side_px, number // wanted.columns * side_px))
    if not formats:
        return None
    bent = whole.transform(
        (side_px, side_px),
        Image.Transform.MESH,
        _mesh(wanted.net * side_px, side_px),
        Image.Resampling.BICUBIC,
    )
    opaque = bent.getchannel("A").getextrema()[0] == 255
    out = io.BytesIO()
    if opaque and formats == {"JPEG"}:
        bent.convert("RGB").save(out, "JPEG", quality=_QUALITY, subsampling=0)
        return out.getvalue(), "image/jpeg"
    (bent.convert("RGB") if opaque else bent).save(out, "PNG", compress_level=4)
    return out.getvalue(), "image/png"


def media_type(content: bytes) -> str | None:
    """Return the media type of a picture by its first bytes; None for anything else.

    >>> media_type(bytes.fromhex("ffd8ffe0")), media_type(b"<html>")
    ('image/jpeg', None)
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def picture_side(content: bytes, name: str) -> int:
    """Return the pixels along the side of a square picture.

    Raises:
        BadFile: It is no picture, or not square.
    """
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadFile(name, "tile", "is no PNG, JPEG or WebP picture") from error
    if width != height or not 64 <= width <= _MOST_SIDE:
        raise BadFile(name, "tile", f"is {width} × {height} pixels; a tile is a square of 256, 512 or 1024")
    return width


def _opened(content: bytes, side_px: int, name: str) -> tuple[Image.Image, str]:
    if picture_side(content, name) != side_px:
        raise BadFile(name, "tile", f"is not {side_px} pixels wide, as the others are")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            return picture.convert("RGBA"), picture.format or ""
    except (OSError, ValueError, SyntaxError) as error:
        raise BadFile(name, "tile", f"cannot be read: {error}") from error


def _mesh(net: Floats, side_px: int) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Return Pillow's form of the net: each cell of ours, and the four corners it is taken from."""
    edge = np.rint(np.linspace(0, side_px, _CELLS + 1)).astype(int).tolist()
    cells = []
    for row in range(_CELLS):
        for column in range(_CELLS):
            box = (edge[column], edge[row], edge[column + 1], edge[row + 1])
            corners = (
                net[row, column],
                net[row + 1, column],
                net[row + 1, column + 1],
                net[row, column + 1],
            )
            cells.append((box, tuple(float(value) for corner in corners for value in corner)))
    return cells
