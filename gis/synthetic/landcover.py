"""What the basemap shows besides roads: water, woods, fields, buildings, the railway and names."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.synthetic.areas import Division
from gis.synthetic.beyond import Beyond, Outside, nearer_is_finer, within
from gis.synthetic.blocks import Site
from gis.synthetic.osm import Extract, Tags
from gis.synthetic.places import Gazetteer, Place
from gis.synthetic.plane import Floats, noise, regions_above
from gis.synthetic.routes import Country
from gis.synthetic.settlements import Settlements
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.terrain import Terrain

_POINTS: dict[str, Tags] = {
    "village": {"place": "village"},
    "hamlet": {"place": "hamlet"},
    "community": {"place": "suburb"},
    "hill": {"natural": "peak"},
    "school": {"amenity": "school"},
    "kindergarten": {"amenity": "kindergarten"},
    "hospital": {"amenity": "hospital"},
    "police": {"amenity": "police"},
    "government": {"amenity": "townhall", "office": "government"},
    "market": {"amenity": "marketplace"},
    "fire_station": {"amenity": "fire_station"},
    "bus_station": {"amenity": "bus_station"},
    "railway_station": {"railway": "station"},
}


def paint(
    extract: Extract,
    spec: DistrictSpec,
    terrain: Terrain,
    beyond: Beyond,
    outside: Outside,
    settled: Settlements,
    country: Country,
    division: Division,
    buildings: list[tuple[shapely.Polygon, str]],
    houses: list[tuple[int, shapely.Polygon]],
    sites: list[tuple[int, Site]],
    named: list[Place],
    book: Gazetteer,
    rng: np.random.Generator,
) -> None:
    """Add everything but the roads to the extract."""
    scale = min(spec.width_km, spec.height_km) * 1000
    lived = _lived_in(houses)
    built = shapely.union_all([*(t.hull.buffer(25) for t in settled.towns), *lived])
    for town in settled.towns:
        extract.polygon(
            town.hull,
            {"landuse": "residential"},
        )
    for shape in lived:
        extract.polygon(shape, {"landuse": "residential", "residential": "rural"})
    for name, at, shape in outside.villages:
        extract.polygon(shape, {"landuse": "residential", "residential": "rural"})
        extract.point(at, {"place": "hamlet", "name": name})
    built = shapely.union_all([built, *(shape for _, _, shape in outside.villages)])
    woods = _woods(terrain, beyond, rng, built, scale)
    for wood in woods:
        extract.polygon(wood, {"landuse": "forest"})
    for field in _fields(terrain, beyond, rng, shapely.union_all([built, *woods]), scale):
        extract.polygon(field, {"landuse": "farmland"})
    for part in shapely.get_parts(terrain.flood).tolist():
        extract.polygon(part, {"natural": "water", "water": "river", "name": spec.river})
    flow = shapely.simplify(terrain.course.intersection(terrain.drawn), 3)
    for part in shapely.get_parts(flow).tolist():
        extract.line(part.coords, {"waterway": "river", "name": spec.river})
    for brook in beyond.brooks:
        for part in shapely.get_parts(brook.intersection(terrain.drawn)).tolist():
            extract.line(part.coords, {"waterway": "stream"})
    lake_names = [p for p in named if p.kind in ("reservoir", "pond")]
    for lake, place in zip(terrain.lakes, lake_names, strict=True):
        kind = "reservoir" if place.kind == "reservoir" else "pond"
        extract.polygon(lake, {"natural": "water", "water": kind, "name": place.name})
    for k, stream in enumerate(terrain.streams):
        tags = (
            {"waterway": "stream", "name": _STREAM_NAMES[k % len(_STREAM_NAMES)]}
            if stream.length > 0.12 * scale
            else {"waterway": "stream"}
        )
        for part in shapely.get_parts(shapely.simplify(stream, 3).intersection(terrain.bounds)).tolist():
            extract.line(part.coords, tags)
    _railway(extract, country.railway, terrain, division, spec)
    for shape, value in buildings:
        extract.polygon(shape, {"building": value, **book.door(np.array(shape.centroid.coords[0]))})
    for _, shape in houses:
        extract.polygon(shape, {"building": "house"})
    for _, site in sites:
        if site.kind == "park":
            extract.polygon(site.shape, {"leisure": "park", "landuse": "grass"})
        elif site.kind in ("school", "hospital"):
            extract.polygon(site.shape, {"amenity": site.kind})
    for place in named:
        if place.kind in _POINTS:
            extract.point(place.at, {**_POINTS[place.kind], "name": place.name})
    if len(settled.towns[0].townships) > 1:
        # The other towns bear their townships' names, which the areas already carry.
        extract.point(settled.towns[0].centre, {"place": "town", "name": spec.name})


_STREAM_NAMES = (
    "云溪",
    "柳沟河",
    "石涧",
    "清水沟",
    "白沙河",
    "鹿溪",
    "东沙沟",
    "小清河",
    "双溪",
    "麦河",
    "青龙沟",
    "响水河",
    "西溪",
    "月牙河",
    "棠溪",
    "榆河",
)


def _lived_in(houses: list[tuple[int, shapely.Polygon]]) -> list[shapely.Polygon]:
    """Return the land around each hamlet's houses."""
    groups: dict[int, list[shapely.Polygon]] = {}
    for index, shape in houses:
        groups.setdefault(index, []).append(shape)
    made = []
    for index in sorted(groups):
        near = shapely.union_all(shapely.buffer(np.array(groups[index]), 34, quad_segs=2))
        for part in shapely.get_parts(near.buffer(-14, quad_segs=2).simplify(7)).tolist():
            if isinstance(part, shapely.Polygon) and part.area > 2500:
                made.append(shapely.Polygon(part.exterior))
    return made


def _woods(
    terrain: Terrain, beyond: Beyond, rng: np.random.Generator, built: BaseGeometry, scale: float
) -> list[shapely.Polygon]:
    """Return the woods: high ground away from water and the given built-up land."""
    frame = beyond.frame
    field = beyond.relief / terrain.elevation.std() + 0.55 * noise(rng, frame, 0.14 * scale)
    field += 0.3 * noise(rng, frame, 0.045 * scale)
    return _patches(terrain, beyond, rng, field, 0.66, _kept_free(terrain, built, 60), scale)


def _fields(
    terrain: Terrain, beyond: Beyond, rng: np.random.Generator, taken: BaseGeometry, scale: float
) -> list[shapely.Polygon]:
    """Return farmland: broad patches of the low ground."""
    field = -beyond.relief / terrain.elevation.std() + 0.8 * noise(rng, beyond.frame, 0.09 * scale)
    return _patches(terrain, beyond, rng, field, 0.62, _kept_free(terrain, taken, 45), scale)


def _kept_free(terrain: Terrain, taken: BaseGeometry, bank_m: float) -> BaseGeometry:
    return shapely.union_all([taken, terrain.flood.buffer(bank_m), *[w.buffer(20) for w in terrain.lakes]])


def _patches(
    terrain: Terrain,
    beyond: Beyond,
    rng: np.random.Generator,
    field: Floats,
    share: float,
    free: BaseGeometry,
    scale: float,
) -> list[shapely.Polygon]:
    """Return where a raster exceeds the level that a share (0..1) of the county's land keeps below.

    ``free`` is left out. Outside the county's frame the patches are plainer: fewer bays, no clearings.
    """
    frame, least = beyond.frame, (0.02 * scale) ** 2
    field = nearer_is_finer(field, 0.16 * noise(rng, frame, 0.035 * scale), beyond, scale)
    level = float(np.quantile(field[within(beyond)], share))
    shapes = [
        shapely.Polygon(p.exterior, [h for h in p.interiors if shapely.Polygon(h).area > 2 * least])
        for p in regions_above(frame, field, level)
        if p.area > least
    ]
    fine = shapely.simplify(np.array(shapes), 0.09 * frame.cell)
    near = shapely.intersection(fine, terrain.bounds.buffer(frame.cell))
    far = shapely.difference(shapely.simplify(np.array(shapes), 0.35 * frame.cell), terrain.bounds)
    whole = (shapely.union_all([*near, *far]) & terrain.drawn).difference(free)
    # A one-metre raster survives the rounding to degrees.
    parts = shapely.get_parts(shapely.set_precision(shapely.simplify(whole, 0.05 * frame.cell), 1.0))
    return [p for p in parts.tolist() if isinstance(p, shapely.Polygon) and p.area > least]


def _railway(
    extract: Extract, line: shapely.LineString, terrain: Terrain, division: Division, spec: DistrictSpec
) -> None:
    seats = list(dict.fromkeys(spec.townships[u.township].name[0] for u in division.units))
    name = f"{spec.name[0]}{seats[-1]}铁路"
    deck = terrain.flood.buffer(6)
    for body, extra in (
        (line.difference(deck), {}),
        (line.intersection(deck), {"bridge": "yes", "layer": "1"}),
    ):
        for part in shapely.get_parts(body).tolist():
            if part.length > 1:
                extract.line(part.coords, {"railway": "rail", "name": name, **extra})
