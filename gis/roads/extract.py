"""Everything that a district takes from one OpenStreetMap extract: roads, basemap, house numbers, footprints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gis.addresses import read_addresses
from gis.basemap import build_basemap
from gis.buildings import read_buildings
from gis.errors import NoRoads
from gis.roads.graph import RoadGraph
from gis.roads.profiles import PROFILES

BASEMAP: Final = "basemap.pmtiles"
ADDRESSES: Final = "addresses.npz"
BUILDINGS: Final = "buildings.npz"
MADE: Final = (BASEMAP, ADDRESSES, BUILDINGS)
"""Files beside the road graphs."""
_GRAPHS_SHARE: Final = 0.5
_HOUSES_SHARE: Final = 0.6


class ProfileRoads(msgspec.Struct, frozen=True):
    """What one means of travel found in the extract.

    Attributes:
        edges: Stretches of road between junctions.
        junctions: Places where roads meet or end.
        length_km: Of all roads.
        skipped: What was left out, by reason: conditional restrictions, ways without places, and others.
    """

    edges: int
    junctions: int
    length_km: float
    skipped: Mapping[str, int]


class RoadsBuilt(msgspec.Struct, frozen=True):
    """What was made of an extract.

    Attributes:
        files: Plain name → file in the folder: `roads-<profile>.npz` of each profile with roads, and `MADE`.
        absent: Files that the extract gives no cause for, so that no old one must stay: a profile without roads.
        profiles: By name of the means of travel.
        basemap: Number of features by layer.
        addresses: House numbers.
        buildings: Footprints.
        bounds: (west, south, east, north) of the roads, degrees.
    """

    files: Mapping[str, Path]
    absent: tuple[str, ...]
    profiles: Mapping[str, ProfileRoads]
    basemap: Mapping[str, int]
    addresses: int
    buildings: int
    bounds: tuple[float, float, float, float]


def graph_name(profile: str) -> str:
    """The name of a profile's road graph among the files of a district."""
    return f"roads-{profile}.npz"


def build_all(
    source: Path,
    folder: Path,
    tell: Callable[[float, str, int, int], None] = lambda _share, _stage, _done, _total: None,
    *,
    tool: Path | None = None,
) -> RoadsBuilt:
    """Make all files of an extract, one after the other, in this process.

    Args:
        source: `.osm.pbf` or `.osm` by name.
        folder: For the files; it exists.
        tell: Told the share of the work done, its stage, and what of the stage is done of how much.
        tool: The tile builder; found by itself by default.

    Raises:
        NoRoads: There is no road in it.
        GisError: It cannot be used.
    """
    found: dict[str, ProfileRoads] = {}
    bounds: list[tuple[float, float, float, float]] = []
    for number, (name, profile) in enumerate(PROFILES.items()):
        tell(_GRAPHS_SHARE * number / len(PROFILES), f"roads-{name}", number, len(PROFILES))
        try:
            graph = RoadGraph.from_pbf(source, profile)
        except NoRoads:
            continue
        graph.save(folder / graph_name(name))
        found[name] = ProfileRoads(
            graph.edges, graph.junctions, round(graph.length_km, 3), dict(graph.skipped)
        )
        bounds.append(graph.bounds)
    if not found:
        raise NoRoads("the extract holds no road that any means of travel could use")
    tell(_GRAPHS_SHARE, "houses", 0, 0)
    addresses = read_addresses(source)
    addresses.save(folder / ADDRESSES)
    buildings = read_buildings(source)
    buildings.save(folder / BUILDINGS)
    tell(_HOUSES_SHARE, "basemap", 0, 0)
    counts = build_basemap(
        source,
        folder / BASEMAP,
        tool=tool,
        progress=lambda share, _what: tell(
            _HOUSES_SHARE + (0.99 - _HOUSES_SHARE) * share, "basemap", round(100 * share), 100
        ),
    )
    return RoadsBuilt(
        files={name: folder / name for name in (*map(graph_name, found), *MADE)},
        absent=tuple(graph_name(name) for name in PROFILES if name not in found),
        profiles=found,
        basemap=counts,
        addresses=len(addresses),
        buildings=len(buildings),
        bounds=(
            min(box[0] for box in bounds),
            min(box[1] for box in bounds),
            max(box[2] for box in bounds),
            max(box[3] for box in bounds),
        ),
    )
