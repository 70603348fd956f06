"""The district: its areas, roads, named places and basemap, as the importers left them in the data folder.

Immutable once loaded. An import writes new files and loads a new district, which then takes the old one's
place in one assignment; nobody ever sees half of one.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from command.dispatch import Travel
from command.geography.responsibility import (
    DepartmentGrid,
    Responsibility,
    ResponsibilityRule,
    Responsible,
    read_departments,
    read_rules,
)
from command.incidents import Place
from gis.addresses import NO_ADDRESSES, Addresses
from gis.area_files import load_areas
from gis.areas import AreaIndex
from gis.buildings import NO_BUILDINGS, Buildings
from gis.checkpoints import Checkpoint, read_checkpoints
from gis.files import Place as NamedPlace
from gis.files import load_beats, load_places
from gis.nearest import Approach, NearestByRoad, rank_mixed
from gis.roads.closures import Blockage, lanes_hit
from gis.roads.graph import RoadGraph
from gis.roads.profiles import PROFILES
from gis.roads.routes import Route

AREAS: Final = "areas.gpkg"
BEATS: Final = "beats.geojson"
PLACES: Final = "places.csv"
CHECKPOINTS: Final = "checkpoints.csv"
RULES: Final = "rules.csv"
DEPARTMENTS: Final = "departments.csv"
ROADS: Final = "roads.osm.pbf"
BASEMAP: Final = "basemap.pmtiles"
ADDRESSES: Final = "addresses.npz"
BUILDINGS: Final = "buildings.npz"
ABOUT: Final = "district.json"
Lanes = dict[tuple[str, Blockage], NDArray[np.int32]]
"""(means of travel, closure) → the lanes it stops."""
ADDRESS_ROAD_M: Final = 150.0
"""Farther from every road than this, an address names no road."""
ADDRESS_HOUSE_M: Final = 30.0
"""Nearer to a house than this, an address names its number."""


@dataclass(frozen=True, slots=True)
class About:
    """What the district is called. ``prefix`` stands before incident numbers."""

    name: str
    code: str
    prefix: str


def graph_file(profile: str) -> str:
    """Return the name of a profile's road graph in the district folder."""
    return f"roads-{profile}.npz"


class District:
    """One district's geography.

    Args:
        folder: Where the importers put it; any part may be missing.
        about: Its name, code and prefix.
        areas: Divisions, grids and beats.
        nearest: Travel times by road, or straight-line estimates where no roads were imported.
        places: Named places for search and addresses.
        checkpoints: On the roads into the district.
        addresses: House numbers.
        buildings: Footprints, for what cameras do not see.
        responsibility: Which department is responsible for what where.
        closures: Closed roads; `nearest` becomes what it is without them, `roads` stays what was imported.
    """

    def __init__(
        self,
        folder: Path,
        about: About,
        areas: AreaIndex,
        nearest: NearestByRoad,
        places: Sequence[NamedPlace] = (),
        *,
        checkpoints: Sequence[Checkpoint] = (),
        addresses: Addresses = NO_ADDRESSES,
        buildings: Buildings = NO_BUILDINGS,
        responsibility: Responsibility | None = None,
        closures: Sequence[Blockage] = (),
    ) -> None:
        self.folder = folder
        self.about = about
        self.areas = areas
        self.roads = nearest
        self.closures = tuple(closures)
        self._lanes: Lanes = {}
        self.nearest = self._without_closed()
        self.places = tuple(places)
        self.checkpoints = tuple(checkpoints)
        self.addresses = addresses
        self.buildings = buildings
        self.responsibility = responsibility or Responsibility()

    def with_closures(self, closures: Sequence[Blockage]) -> "District":
        """Return this district while these roads are closed, instead of those that were closed before.

        Everything else is shared; in a city of 90,000 junctions it takes some 20 ms for each means of travel, so
        call it outside the event loop and put the answer in force with `Atlas.replace`. Districts loaded later
        on this one's base keep its closures.

        Args:
            closures: All that are in force; none opens every road again.
        """
        if tuple(closures) == self.closures:
            return self
        other = copy.copy(self)
        other.closures = tuple(closures)
        other.nearest = other._without_closed()
        return other

    def _without_closed(self) -> NearestByRoad:
        """The roads without the closed ones; what a closure stops is looked up once, not with each other one."""
        if not self.closures:
            return self.roads
        known, self._lanes = self._lanes, {}
        closed = {}
        for name, graph in self.roads.graphs.items():
            hit = [
                lanes if (lanes := known.get((name, one))) is not None else lanes_hit(graph, one)
                for one in self.closures
            ]
            self._lanes.update({(name, one): lanes for one, lanes in zip(self.closures, hit, strict=True)})
            closed[name] = graph.closed(np.concatenate(hit))
        return NearestByRoad(closed or None)

    def on_day(self, day: date) -> "District":
        """Return this district with the areas that hold on a day; itself where they are those it has."""
        return self.with_areas(self.areas.on_day(day))

    def with_areas(self, areas: AreaIndex) -> "District":
        """Return this district with other areas and beats; everything else is shared."""
        if areas is self.areas:
            return self
        other = copy.copy(self)
        other.areas = areas
        return other

    @property
    def rules(self) -> tuple[ResponsibilityRule, ...]:
        """The responsibility list."""
        return self.responsibility.rules

    @property
    def departments(self) -> tuple[DepartmentGrid, ...]:
        """The departments' own grids."""
        return self.responsibility.departments

    @property
    def basemap(self) -> Path | None:
        """The basemap's file, or None before roads were imported."""
        path = self.folder / BASEMAP
        return path if path.exists() else None

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(west, south, east, north) of the areas, else of the roads, in degrees; None with neither."""
        if self.areas.bounds is not None:
            return self.areas.bounds
        for graph in self.nearest.graphs.values():
            return graph.bounds
        return None

    def place_at(self, lon: float, lat: float, owners: Mapping[str, str]) -> Place:
        """Return where a point lies.

        Args:
            lon: Degrees, WGS-84.
            lat: Degrees.
            owners: Grid code → id of the responder who looks after it.
        """
        found = self.areas.locate(lon, lat)
        grid = found.areas.get(4)
        return Place(
            grid=grid,
            village=found.areas.get(3),
            township=found.areas.get(2),
            beat=found.beat,
            owner=owners.get(grid) if grid is not None else None,
            address=self.address_at(lon, lat),
        )

    def responsible(self, category: str, called: str, lon: float, lat: float) -> Responsible | None:
        """Return which department is responsible for a category (its id and its name) at a point, if any."""
        if not self.rules:
            return None
        return self.responsibility.responsible(category, self.areas.locate(lon, lat).areas, called=called)

    def ground_of(self, lon: float, lat: float) -> tuple[str | None, str | None, str | None]:
        """Return the grid, the smallest division above it, and the police station at a point."""
        found = self.areas.locate(lon, lat)
        area = next((found.areas[tier] for tier in (3, 2, 1) if tier in found.areas), None)
        station = None if found.beat is None else self.areas.beat(found.beat).station
        return found.areas.get(4), area, station

    def address_at(self, lon: float, lat: float) -> str | None:
        """Return a short address in words: the village or community, and the house or else the named road."""
        found = self.areas.locate(lon, lat)
        parts = []
        code = found.areas.get(3) or found.areas.get(2)
        if code is not None:
            parts.append(self.areas.area(code).name)
        house = self.addresses.near(lon, lat, ADDRESS_HOUSE_M)
        road = self.road_at(lon, lat) if house is None else house.label
        if road:
            parts.append(road)
        return " ".join(parts) or None

    def road_at(self, lon: float, lat: float) -> str | None:
        """Return the name of the road at a point, or None where there is none near with a name."""
        # A closed road keeps its name.
        graph = self.roads.graphs.get("car") or next(iter(self.roads.graphs.values()), None)
        if graph is None:
            return None
        snap = graph.snap_one(lon, lat)
        if snap is None or snap[2] > ADDRESS_ROAD_M:
            return None
        return graph.arrays.names[int(graph.arrays.name[snap[0]])] or None

    def profile_for(self, wanted: str) -> str | None:
        """Return the road graph to use for a means of travel: its own, else the car's, else any."""
        graphs = self.nearest.graphs
        if wanted in graphs:
            return wanted
        return "car" if "car" in graphs else next(iter(graphs), None)

    def approach(self, lon: float, lat: float, profile: str) -> Approach:
        """Return the travel field to a point for a means of travel; one search, worth keeping."""
        return self.nearest.approach(lon, lat, profile=self.profile_for(profile))


class Approaches:
    """The travel fields to one target, one per means of travel, made when first asked for."""

    def __init__(self, district: District, lon: float, lat: float) -> None:
        self._district = district
        self.lon = lon
        self.lat = lat
        self._fields: dict[str, Approach] = {}

    def to(self, profile: str) -> Approach:
        """Return the field for a means of travel."""
        name = self._district.profile_for(profile) or profile
        if name not in self._fields:
            self._fields[name] = self._district.approach(self.lon, self.lat, profile)
        return self._fields[name]

    def knows(self, profile: str) -> bool:
        """Say whether the field for a means of travel has been made, so that `to` costs nothing."""
        return (self._district.profile_for(profile) or profile) in self._fields

    def travel(self, profiles: Sequence[str], lon: Sequence[float], lat: Sequence[float]) -> list[Travel]:
        """Time candidates. The distance is the straight line until a route is drawn."""
        names = [self._district.profile_for(profile) or profile for profile in profiles]
        for profile in set(profiles):
            self.to(profile)
        ranked = rank_mixed(self._fields, names, lon, lat)
        return [
            Travel(
                eta_s=None if seconds != seconds else float(seconds),
                distance_m=None if metres != metres else float(metres),
                method="road" if method == "road" else "straight_line",
            )
            for seconds, metres, method in zip(
                ranked.seconds.tolist(), ranked.distance_m.tolist(), ranked.method.tolist(), strict=True
            )
        ]

    def route(self, profile: str, lon: float, lat: float) -> Route | None:
        """Return the way from a point, or None where there is none by road."""
        return self.to(profile).route_from(lon, lat)


def load_district(
    folder: Path,
    overrides: About | None = None,
    *,
    files: Mapping[str, Path | None] | None = None,
    base: District | None = None,
    day: date | None = None,
    areas: AreaIndex | None = None,
) -> District:
    """Load whatever the importers left.

    Args:
        folder: The district folder.
        overrides: What the settings call it.
        files: Files that shall stand in for those of the folder, by plain name (None: as if it were not there).
        base: A district of this folder that is loaded already; parts that `files` leaves alone are shared with it.
        areas: What `files` holds of areas and beats, where the caller wrote them and need not read them again.
        day: Whose areas shall be in force; None: the day of `base`, else today as this machine counts.

    Raises:
        GisError: A file is damaged; names it. Missing files are not errors: the district grows by imports.
    """
    staged = files or {}

    def path_of(name: str) -> Path | None:
        path = staged.get(name, folder / name)
        return path if path is not None and path.exists() else None

    def untouched(*names: str) -> bool:
        return base is not None and not any(name in staged for name in names)

    stored: dict[str, Any] = {}
    if (about_path := path_of(ABOUT)) is not None:
        stored = json.loads(about_path.read_text("utf-8"))
    if areas is not None:
        index = areas
    elif base is not None and untouched(AREAS, BEATS):
        index = base.areas if day is None else base.areas.on_day(day)
    else:
        found = load_areas(path) if (path := path_of(AREAS)) is not None else []
        beats = load_beats(path) if (path := path_of(BEATS)) is not None else []
        known = base.areas.on if base is not None else None
        index = AreaIndex(found, beats, on=day or known or datetime.now().astimezone().date())
    if base is not None and untouched(PLACES):
        places = base.places
    else:
        places = tuple(load_places(path)) if (path := path_of(PLACES)) is not None else ()
    if base is not None and untouched(CHECKPOINTS):
        checkpoints = base.checkpoints
    else:
        checkpoints = tuple(read_checkpoints(path)[0]) if (path := path_of(CHECKPOINTS)) is not None else ()
    if base is not None and untouched(ADDRESSES):
        addresses = base.addresses
    else:
        addresses = Addresses.load(path) if (path := path_of(ADDRESSES)) is not None else NO_ADDRESSES
    if base is not None and untouched(BUILDINGS):
        buildings = base.buildings
    else:
        buildings = Buildings.load(path) if (path := path_of(BUILDINGS)) is not None else NO_BUILDINGS
    if base is not None and untouched(RULES, DEPARTMENTS):
        responsibility = base.responsibility
    else:
        responsibility = Responsibility(
            read_rules(path)[0] if (path := path_of(RULES)) is not None else (),
            read_departments(path)[0] if (path := path_of(DEPARTMENTS)) is not None else (),
        )
    if base is not None and untouched(*map(graph_file, PROFILES)):
        nearest = base.roads
    else:
        graphs = {
            profile: RoadGraph.load(path)
            for profile in PROFILES
            if (path := path_of(graph_file(profile))) is not None
        }
        nearest = NearestByRoad(graphs or None)
    top = next(iter(index.of_tier(1)), None)
    about = About(
        name=(overrides.name if overrides else "")
        or stored.get("name")
        or (top.name if top else "未命名区县"),
        code=(overrides.code if overrides else "") or stored.get("code") or (top.code if top else ""),
        prefix=(overrides.prefix if overrides else "") or stored.get("prefix") or "YP",
    )
    closures = base.closures if base is not None else ()
    return District(
        folder,
        about,
        index,
        nearest,
        places,
        checkpoints=checkpoints,
        addresses=addresses,
        buildings=buildings,
        responsibility=responsibility,
        closures=closures,
    )
