"""House numbers: read from an OpenStreetMap extract, kept in one compact file, and the nearest one to a point.

An address is a number and what it counts along: a street, or in a village without street names the place
itself. A whole address in one tag (`addr:full`) is taken where there is no number. Buildings count by the middle
of their outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import osmium
import osmium.filter
import osmium.osm
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.columns import load_columns, save_columns
from gis.crs import LocalMetric
from gis.errors import BadFile
from gis.roads.profiles import Tags

_SAME_WITHIN_M: Final = 150.0
"""One address on a building, on its entrance and on a shop in it is one address."""
_E7: Final = 1e7
_CHINESE_KEYS: Final = (":zh-Hans", ":zh", "")
_LONGEST: Final = 120
_FIELDS: Final = ("lon_e7", "lat_e7", "labels")


@dataclass(frozen=True, slots=True)
class Address:
    """One house.

    Attributes:
        number: Its place in `Addresses`.
        label: As people write it: 人民路12号, Hauptstrasse 12.
        lon: Degrees, WGS-84.
        lat: Degrees.
        away_m: From where was asked.
    """

    number: int
    label: str
    lon: float
    lat: float
    away_m: float


class Addresses:
    """All addresses of a district. Immutable.

    Args:
        labels: As people write them.
        lon: (n,) degrees, WGS-84.
        lat: (n,) degrees.
    """

    def __init__(self, labels: Sequence[str], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
        self.labels = tuple(labels)
        self.lon = lon
        self.lat = lat
        self._tree: cKDTree | None = None
        if len(self.labels):
            self._frame = LocalMetric(float(lon.mean()), float(lat.mean()))
            self._tree = cKDTree(np.column_stack(self._frame.to_xy(lon, lat)))

    def __len__(self) -> int:
        return len(self.labels)

    def near(self, lon: float, lat: float, within_m: float) -> Address | None:
        """Return the nearest address to a point (degrees, WGS-84), or None where there is none so near."""
        if self._tree is None:
            return None
        away, number = self._tree.query(self._frame.point_xy(lon, lat), distance_upper_bound=within_m)
        if not np.isfinite(away):
            return None
        at = int(number)
        return Address(at, self.labels[at], float(self.lon[at]), float(self.lat[at]), float(away))

    def save(self, path: Path | str) -> None:
        """Write the file, whole or not at all."""
        save_columns(
            path,
            lon_e7=np.rint(self.lon * _E7).astype(np.int32),
            lat_e7=np.rint(self.lat * _E7).astype(np.int32),
            labels=np.frombuffer("\n".join(self.labels).encode(), dtype=np.uint8),
        )

    @classmethod
    def load(cls, path: Path | str) -> Addresses:
        """Read a file that `save` wrote.

        Raises:
            BadFile: It is damaged, or something else.
        """
        stored = load_columns(path, "a file of addresses", _FIELDS)
        lon, lat, text = (stored[name] for name in _FIELDS)
        try:
            labels = text.tobytes().decode().split("\n") if len(text) else []
            if not len(lon) == len(lat) == len(labels):
                raise ValueError("its columns differ in length")
            return cls(labels, lon / _E7, lat / _E7)
        except (ValueError, TypeError) as error:
            raise BadFile(str(path), "file", f"not a file of addresses: {error}") from error


NO_ADDRESSES: Final = Addresses((), np.empty(0), np.empty(0))


def read_addresses(pbf: Path | str) -> Addresses:
    """Read the addresses of an extract, in the order of street and number.

    Raises:
        BadFile: The file cannot be read.
    """
    labels: list[str] = []
    spots: list[tuple[float, float]] = []
    wanted = osmium.filter.KeyFilter("addr:housenumber", "addr:full")
    try:
        reader = osmium.FileProcessor(str(pbf), osmium.osm.NODE | osmium.osm.WAY).with_locations()
        for entity in reader.with_filter(wanted):
            label = address_label(dict(entity.tags))
            spot = _middle(entity) if label else None
            if label and spot is not None:
                labels.append(label)
                spots.append(spot)
    except (RuntimeError, OSError) as error:
        raise BadFile(str(pbf), "file", str(error)) from error
    order = sorted(range(len(labels)), key=lambda n: (labels[n], spots[n]))
    kept = _without_doubles([labels[n] for n in order], [spots[n] for n in order])
    chosen = [order[n] for n in kept]
    lon, lat = np.array([spots[n] for n in chosen], dtype=np.float64).reshape(-1, 2).T
    return Addresses([labels[n] for n in chosen], lon.copy(), lat.copy())


def address_label(tags: Tags) -> str | None:
    """Return an address as people write it, Chinese names first; None where the tags hold none.

    >>> address_label({"addr:street": "人民路", "addr:housenumber": "12"})
    '人民路12号'
    >>> address_label({"addr:place": "桥头村", "addr:housenumber": "3组7号"})
    '桥头村3组7号'
    >>> address_label({"addr:street": "Main Street", "addr:street:zh": "主街", "addr:housenumber": "8"})
    '主街8号'
    >>> address_label({"addr:street": "Hauptstrasse", "addr:housenumber": "12a"})
    'Hauptstrasse 12a'
    """
    number = _clean(tags.get("addr:housenumber", ""))
    along = _first(tags, "addr:street") or _first(tags, "addr:place")
    if not number or not along:
        return _first(tags, "addr:full") or None
    if not any(_is_chinese(letter) for letter in along):
        return f"{along} {number}"[:_LONGEST]
    return (along + number + ("" if _is_chinese(number[-1]) else "号"))[:_LONGEST]


def _first(tags: Tags, key: str) -> str:
    return next((text for ending in _CHINESE_KEYS if (text := _clean(tags.get(key + ending, "")))), "")


def _clean(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _is_chinese(letter: str) -> bool:
    return "㐀" <= letter <= "鿿"


def _middle(entity: object) -> tuple[float, float] | None:
    if isinstance(entity, osmium.osm.Node):
        return entity.location.lon, entity.location.lat
    if not isinstance(entity, osmium.osm.Way):
        return None
    # A clipped extract names nodes that it does not hold; a ring names its first node twice.
    spots = {node.ref: (node.lon, node.lat) for node in entity.nodes if node.location.valid()}
    if not spots:
        return None
    lons, lats = zip(*spots.values(), strict=True)
    return sum(lons) / len(lons), sum(lats) / len(lats)


def _without_doubles(labels: Sequence[str], spots: Sequence[tuple[float, float]]) -> list[int]:
    """Return which to keep: of those with one label that stand together only the first."""
    if not labels:
        return []
    frame = LocalMetric(*spots[0])
    x, y = frame.to_xy([lon for lon, _ in spots], [lat for _, lat in spots])
    kept: list[int] = []
    same: list[int] = []
    for number, label in enumerate(labels):
        if same and labels[same[0]] != label:
            same = []
        if all(np.hypot(x[number] - x[other], y[number] - y[other]) > _SAME_WITHIN_M for other in same):
            same.append(number)
            kept.append(number)
    return kept
