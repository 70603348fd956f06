"""The things of each layer that somebody may see."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from command.cameras import Camera
from command.closures import Closure
from command.district import District
from command.incidents import Incident
from command.layers.catalogue import (
    AREAS,
    BEATS,
    CAMERAS,
    CHECKPOINTS,
    CLOSURES,
    PLACES,
    RESPONDERS,
    TIERS,
    Seen,
)
from command.layers.extras import names_of
from command.layers.model import Item, Layer
from command.responders import Responder
from gis.areas import GRID
from gis.locate import NONE
from gis.projecting import Box, Geometry, bounds_of, drawn

Fact = tuple[float, float, float, bool]
"""A position: lon, lat, its age in seconds, whether it is suspect."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see.

    Attributes:
        sees: Say whether an entity of the board, of this kind, exists for them.
        covers: Say whether a division lies in their area.
        whole: Every division does.
        position: Where a responder is now; None where that is unknown or not to be known.
    """

    sees: Callable[[str, object], bool]
    covers: Callable[[str | None], bool]
    whole: bool
    position: Callable[[Responder], Fact | None]


class Living(Protocol):
    """The kinds of a board that stand on the map."""

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """By id."""
        ...

    @property
    def responders(self) -> Mapping[str, Responder]:
        """By id."""
        ...

    @property
    def closures(self) -> Mapping[str, Closure]:
        """By id."""
        ...


class Shelves:
    """The district's own things, put in order once for each district and layer.

    They change with an import; putting a hundred thousand in order for each page that a map program asks for
    would cost more than answering it.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Shelf] = {}

    def shelf(self, layer: Layer, district: District) -> "Shelf":
        """Return all things of a layer, whoever may see them. Best in a thread: the first time takes long."""
        source, make = self._maker(layer, district)
        kept = self._kept.get(layer.id)
        if kept is None or kept.areas is not district.areas or kept.source is not source:
            items = sorted(make(district), key=lambda item: item.id)
            kept = Shelf(district.areas, source, items, extent_of(items), names_of(items))
            self._kept[layer.id] = kept
        return kept

    def _maker(self, layer: Layer, district: District) -> tuple[object, Callable[[District], Iterable[Item]]]:
        if layer is BEATS:
            return district.areas, _beats
        if layer is PLACES:
            return district.places, _places
        if layer is CHECKPOINTS:
            return district.checkpoints, _checkpoints
        if layer is AREAS:
            return district.areas, lambda district: _areas(district, None)
        tier = next(tier for tier, one in TIERS.items() if one is layer)
        return district.areas, lambda district: _areas(district, tier)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The things of one layer of one district.

    Attributes:
        areas: Where things lie depends on them; what an import leaves alone is the same object.
        source: What the things come from.
        items: By id.
        extent: The box around all; None where nothing stands anywhere.
        extras: Names of what a centre's own files say beyond our fields.
    """

    areas: object
    source: object
    items: Sequence[Item]
    extent: Box | None
    extras: Sequence[str] = ()


def extent_of(items: Iterable[Item]) -> Box | None:
    """Return the box around things; None where none of them stands anywhere."""
    boxes = [item.box or bounds_of(item.at) for item in items if item.at is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def of_district(layer: Layer, shelves: Shelves, district: District, sight: Sight) -> Sequence[Item]:
    """Return the district's things of a layer that somebody may see, by id."""
    items = shelves.shelf(layer, district).items
    return items if sight.whole else [item for item in items if any(map(sight.covers, item.codes))]


def of_board(layer: Layer, board: Living, sight: Sight) -> list[Item]:
    """Return the board's things of a layer (cameras, responders, closures) that somebody may see, by id."""
    if layer is CAMERAS:
        seen = (camera for camera in tuple(board.cameras.values()) if sight.sees("cameras", camera))
        items = [Item(c.id, c, (c.grid, c.area), (c.lon, c.lat)) for c in seen]
    elif layer is RESPONDERS:
        people = (one for one in tuple(board.responders.values()) if sight.sees("responders", one))
        items = [_responder(person, sight) for person in people]
    else:
        assert layer is CLOSURES
        shut = (one for one in tuple(board.closures.values()) if sight.sees("closures", one))
        shapes = ((one, drawn(one.kind, one.coordinates)) for one in shut)
        items = [Item(one.id, one, one.areas, shape, bounds_of(shape)) for one, shape in shapes]
    return sorted(items, key=lambda item: item.id)


def of_incident(incident: Incident) -> Item:
    """Return an incident as a thing of its layer; whether it may be seen was asked before."""
    codes = (incident.grid, incident.village, incident.township)
    return Item(incident.id, incident, codes, (incident.lon, incident.lat))


def _responder(person: Responder, sight: Sight) -> Item:
    codes = (*person.grids, person.area)
    fact = sight.position(person)
    if fact is None:
        return Item(person.id, Seen(person), codes, None)
    lon, lat, age_s, suspect = fact
    return Item(person.id, Seen(person, round(age_s, 1), suspect), codes, (lon, lat))


def _areas(district: District, tier: int | None) -> Iterable[Item]:
    areas = district.areas.areas if tier is None else district.areas.of_tier(tier)
    return (Item(a.code, a, (a.code,), a.geometry, bounds_of(a.geometry)) for a in areas)


def _beats(district: District) -> Iterable[Item]:
    beats = district.areas.beats
    spots = [beat.geometry.representative_point() for beat in beats]
    lying = _grounds(district, [(spot.x, spot.y) for spot in spots])
    for beat, code in zip(beats, lying, strict=True):
        yield Item(beat.code, beat, beat.grids or (code,), beat.geometry, bounds_of(beat.geometry))


def _checkpoints(district: District) -> Iterable[Item]:
    return _points(district, [(one.code, one) for one in district.checkpoints])


def _places(district: District) -> Iterable[Item]:
    # A place has no code. The same name at the same point is the same place after the next import too.
    seen: dict[str, int] = {}
    named: list[tuple[str, Any]] = []
    for place in district.places:
        text = f"{place.name}\n{place.kind}\n{place.lon:.6f},{place.lat:.6f}"
        key = hashlib.blake2s(text.encode(), digest_size=8).hexdigest()
        seen[key] = seen.get(key, 0) + 1
        named.append((key if seen[key] == 1 else f"{key}-{seen[key]}", place))
    return _points(district, named)


def _points(district: District, named: Sequence[tuple[str, Any]]) -> Iterable[Item]:
    spots: list[Geometry] = [(one.lon, one.lat) for _, one in named]
    lying = _grounds(district, [(one.lon, one.lat) for _, one in named])
    for (key, one), spot, code in zip(named, spots, lying, strict=True):
        yield Item(key, one, (code,), spot)


def _grounds(district: District, spots: Sequence[tuple[float, float]]) -> list[str | None]:
    """Return the grid of each point, else the smallest area that has it."""
    locator = district.areas.locator
    found = locator.locate([x for x, _ in spots], [y for _, y in spots])
    best = [NONE] * len(spots)
    for column, tier in enumerate(found.tiers):
        if tier <= GRID:
            best = [
                area if area != NONE else was
                for area, was in zip(found.areas[:, column].tolist(), best, strict=True)
            ]
    return [None if area == NONE else locator.areas[area].code for area in best]
