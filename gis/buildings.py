"""Footprints of buildings: read from an OpenStreetMap extract and kept in one compact file.

Only outer outlines count: they are what stands in a camera's way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import osmium
import osmium.filter
import osmium.osm
from numpy.typing import NDArray

from gis.columns import load_columns, save_columns
from gis.errors import BadFile
from gis.roads.profiles import Tags

STOREY_M: Final = 3.2
"""Height of a storey where the map tells storeys and no height."""
_E7: Final = 1e7
_FIELDS: Final = ("lon_e7", "lat_e7", "start", "height_m")
_METRES = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*(?:m|米)?\s*$")
_NO_WALLS: Final = frozenset({"no", "roof", "carport", "ruins", "construction"})


@dataclass(frozen=True, slots=True, eq=False)
class Buildings:
    """Footprints of n buildings with together m corners.

    Attributes:
        lon: (m,) degrees, WGS-84; the outline closes from its last corner to its first.
        lat: (m,) degrees.
        start: (n + 1,) where each outline begins; the last is m.
        height_m: (n,) above the ground, nan where nobody knows.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    start: NDArray[np.int64]
    height_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.height_m)

    def save(self, path: Path | str) -> None:
        """Write the file, whole or not at all."""
        save_columns(
            path,
            lon_e7=np.rint(self.lon * _E7).astype(np.int32),
            lat_e7=np.rint(self.lat * _E7).astype(np.int32),
            start=self.start.astype(np.int32),
            height_m=self.height_m.astype(np.float32),
        )

    @classmethod
    def load(cls, path: Path | str) -> Buildings:
        """Read a file that `save` wrote.

        Raises:
            BadFile: It is damaged, or something else.
        """
        stored = load_columns(path, "a file of buildings", _FIELDS)
        lon, lat, start, height_m = (stored[name] for name in _FIELDS)
        try:
            found = cls(lon / _E7, lat / _E7, start.astype(np.int64), height_m.astype(np.float64))
            lengths = np.diff(found.start)
            if (
                len(lon) != len(lat)
                or len(lengths) != len(found)
                or found.start[0] != 0
                or found.start[-1] != len(lon)
                or (lengths < 3).any()
            ):
                raise ValueError("its columns do not fit together")
        except (ValueError, IndexError, TypeError) as error:
            raise BadFile(str(path), "file", f"not a file of buildings: {error}") from error
        return found


NO_BUILDINGS: Final = Buildings(np.empty(0), np.empty(0), np.zeros(1, np.int64), np.empty(0))


def read_buildings(pbf: Path | str) -> Buildings:
    """Read the footprints of an extract, in the order of the file.

    Raises:
        BadFile: The file cannot be read.
    """
    lon: list[float] = []
    lat: list[float] = []
    start = [0]
    height_m: list[float] = []
    wanted = osmium.filter.KeyFilter("building")
    try:
        reader = (
            osmium.FileProcessor(str(pbf))
            .with_areas(wanted)
            .with_filter(osmium.filter.EntityFilter(osmium.osm.AREA))
        )
        for area in reader:
            assert isinstance(area, osmium.osm.Area)  # the filter lets nothing else through
            tags = dict(area.tags)
            if tags.get("building") in _NO_WALLS or tags.get("location") == "underground":
                continue
            for ring in area.outer_rings():
                corners = [(node.lon, node.lat) for node in ring if node.location.valid()][:-1]
                if len(corners) < 3:
                    continue
                lon += [corner[0] for corner in corners]
                lat += [corner[1] for corner in corners]
                start.append(len(lon))
                height_m.append(building_height_m(tags))
    except (RuntimeError, OSError) as error:
        raise BadFile(str(pbf), "file", str(error)) from error
    return Buildings(np.array(lon), np.array(lat), np.array(start, np.int64), np.array(height_m))


def building_height_m(tags: Tags) -> float:
    """Return how high a building is, metres; nan where the tags do not tell.

    >>> building_height_m({"height": "12.5 m"}), building_height_m({"building:levels": "3"})
    (12.5, 9.600000000000001)
    >>> building_height_m({"height": "tall"})
    nan
    """
    if (known := _METRES.match(tags.get("height", ""))) is not None:
        return float(known[1].replace(",", "."))
    if (storeys := _METRES.match(tags.get("building:levels", ""))) is not None:
        return float(storeys[1].replace(",", ".")) * STOREY_M
    return float("nan")
