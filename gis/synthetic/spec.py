"""What a demo district must contain: the typed description read from ``config/districts/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["street", "town", "township", "zone"]


@dataclass(frozen=True, slots=True)
class TownshipSpec:
    """One township-level unit and how many areas lie below it.

    Attributes:
        name: Full name, such as 汀口镇.
        kind: ``street`` (街道), ``town`` (镇), ``township`` (乡) or ``zone`` (开发区).
        town: Key of the built-up area that holds its seat; townships may share one.
        seats: Names of the communities or villages that lie inside the built-up area.
        seat_grids: Grids inside the built-up area, spread over ``seats``.
        villages: Number of villages in the countryside around.
        village_grids: Grids of those villages together.
        village_names: Wanted village names; the rest come from the seed.
    """

    name: str
    kind: Kind
    town: str
    seats: tuple[str, ...]
    seat_grids: int
    villages: int
    village_grids: int
    village_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DistrictSpec:
    """A district to invent. Lengths in kilometres, coordinates in WGS-84 degrees."""

    id: str
    name: str
    code: str
    lon: float
    lat: float
    width_km: float
    height_km: float
    cell_m: float
    seat_grid_km2: float
    river: str
    river_half_width_m: float
    streams: int
    trunk_ref: str
    county_ref: str
    workers: int
    police: int
    emergency: int
    volunteers: int
    mediators: int
    street_chiefs: int
    cameras: int
    houses_per_hamlet: int
    towns_dense: bool
    townships: tuple[TownshipSpec, ...]

    @property
    def grids(self) -> int:
        """Number of grids in the whole district."""
        return sum(t.seat_grids + t.village_grids for t in self.townships)

    @property
    def units(self) -> int:
        """Number of villages and communities in the whole district."""
        return sum(len(t.seats) + t.villages for t in self.townships)


@dataclass(frozen=True, slots=True)
class DistrictFiles:
    """Where the parts of a written district lie."""

    roads: Path
    areas: Path
    beats: Path
    cameras: Path
    responders: Path
    places: Path
    checkpoints: Path
    district: Path


def load_spec(path: Path) -> DistrictSpec:
    """Read a district description.

    Args:
        path: A TOML file with the fields of `DistrictSpec`, one ``[[townships]]`` table per unit.

    Returns:
        The description.

    Raises:
        TypeError: A field is missing or unknown.
        ValueError: The file is no TOML, or a township has fewer grids than areas.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    townships = []
    for item in raw.pop("townships"):
        item["seats"] = tuple(item["seats"])
        item["village_names"] = tuple(item.get("village_names", ()))
        township = TownshipSpec(**item)
        if township.seat_grids < len(township.seats) or township.village_grids < township.villages:
            raise ValueError(f"{township.name}: fewer grids than areas")
        townships.append(township)
    return DistrictSpec(**raw, townships=tuple(townships))
