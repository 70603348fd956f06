"""What of a district can be found: areas, beats, roads, house numbers and places."""

from __future__ import annotations

from command.district import District
from command.search.things import Thing
from gis.crs import LocalMetric, distance_m
from gis.roads.named import named_roads

_SAME_FRAME_M = 100_000.0
"""So far from its middle a frame's metres are still good enough to say what is near."""


def fixed_things(district: District) -> list[Thing]:
    """Return everything of the district that has a name."""
    areas = district.areas
    things = [
        Thing("area", area.code, area.name, (), (area.code,), *areas.label_point(area.code))
        for area in areas.areas
    ]
    for beat in areas.beats:
        spot = beat.geometry.representative_point()
        words = (beat.station,) if beat.station else ()
        things.append(Thing("beat", beat.code, beat.name, words, (beat.code,), spot.x, spot.y))
    for road in named_roads(district.roads.graphs.values()):
        things.append(
            Thing("road", key_of(road.name, road.lon, road.lat), road.name, (), (), road.lon, road.lat)
        )
    houses = district.addresses
    for label, lon, lat in zip(houses.labels, houses.lon.tolist(), houses.lat.tolist(), strict=True):
        things.append(Thing("address", key_of(label, lon, lat), label, (), (), lon, lat))
    for number, place in enumerate(district.places):
        words = (place.address,) if place.address else ()
        things.append(Thing("place", str(number), place.name, words, (), place.lon, place.lat))
    return things


def key_of(name: str, lon: float, lat: float) -> str:
    """Return an id for what has none: the same after the next import of the same map."""
    return f"{name}@{lon:.4f},{lat:.4f}"


def same_names(one: District, other: District) -> bool:
    """Say whether nothing that can be found differs: parts that an import leaves alone are shared."""
    return (
        one.areas is other.areas
        and one.places is other.places
        and one.addresses is other.addresses
        and one.roads is other.roads
    )


def frame_of(district: District) -> LocalMetric:
    """Return the frame in which distances are taken."""
    bounds = district.bounds
    if bounds is None:
        first = next(iter(district.places), None)
        return LocalMetric(0.0, 0.0) if first is None else LocalMetric(first.lon, first.lat)
    return LocalMetric((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)


def still_fits(frame: LocalMetric, district: District) -> bool:
    """Say whether a frame made for another district will do for this one."""
    wanted = frame_of(district)
    return float(distance_m(frame.lon, frame.lat, wanted.lon, wanted.lat)) <= _SAME_FRAME_M
