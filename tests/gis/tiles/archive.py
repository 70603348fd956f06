"""A writer of small PMTiles archives, to have something to read."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping

from gis.tiles.pmtiles import tile_id


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Entries (id, run, length, place) as a gzipped directory."""
    out, last = number(len(entries)), 0
    for entry, *_ in entries:
        out += number(entry - last)
        last = entry
    for column in (1, 2):
        for entry in entries:
            out += number(entry[column])
    for entry in entries:
        out += number(entry[3] + 1)
    return gzip.compress(out)


def archive(
    tiles: Mapping[tuple[int, int, int], bytes],
    *,
    kind: int,
    layers: tuple[str, ...] = (),
    outer: int = 1,
    leaves: bool = False,
    bounds: tuple[float, float, float, float] = (-180, -85, 180, 85),
) -> bytes:
    """A whole archive; `leaves` puts every tile into a directory of its own."""
    content, entries = b"", []
    for key, tile in sorted(tiles.items(), key=lambda pair: tile_id(*pair[0])):
        entries.append((tile_id(*key), 1, len(tile), len(content)))
        content += tile
    below = b""
    root = entries
    if leaves:
        root = []
        for entry in entries:
            leaf = directory([entry])
            root.append((entry[0], 0, len(leaf), len(below)))
            below += leaf
    top = directory(root)
    about = gzip.compress(json.dumps({"vector_layers": [{"id": name} for name in layers]}).encode())
    zooms = [z for z, _, _ in tiles] or [0]
    at = 127
    places = []
    for part in (top, about, below, content):
        places += [at, len(part)]
        at += len(part)
    header = struct.pack(
        "<7sB11Q?BBBBBiiiiBii",
        b"PMTiles", 3, *places, len(tiles), len(entries), len(entries), True, 2, outer, kind,
        min(zooms), max(zooms), *(round(value * 1e7) for value in bounds), 0, 0, 0,
    )  # fmt: skip
    return header + top + about + below + content
