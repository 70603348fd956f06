"""What the basemap shows besides roads: water, woods, fields, buildings, the railway and names."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.synthetic.areas import Division
from gis.synthetic.blocks import Site
from gis.synthetic.osm import Extract, Tags
from gis.synthetic.places import Place
from gis.synthetic.plane import noise, regions_above
from gis.synthetic.routes import Country
from gis.synthetic.settlements import Settlements
from gis.synthetic.spec import DistrictSpec
from gis.synthetic.terrain import Terrain, forests

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
    settled: Settlements,
    country: Country,
    division: Division,
    buildings: list[tuple[shapely.Polygon, str]],
    houses: list[tuple[int, shapely.Polygon]],
    sites: list[tuple[int, Site]],
    named: list[Place],
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
    woods = forests(terrain, rng, built, scale)
    for wood in woods:
        for part in _clean(wood, 0.16 * terrain.frame.cell):
            extract.polygon(part, {"landuse": "forest"})
    for field in _fields(terrain, rng, shapely.union_all([built, *woods]), scale):
        for part in _clean(field, 0.3 * terrain.frame.cell):
            extract.polygon(part, {"landuse": "farmland"})
    for part in shapely.get_parts(terrain.river_area).tolist():
        extract.polygon(part, {"natural": "water", "water": "river", "name": spec.river})
    flow = shapely.simplify(terrain.river.intersection(terrain.bounds), 3)
    for part in shapely.get_parts(flow).tolist():
        extract.line(part.coords, {"waterway": "river", "name": spec.river})
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
        extract.polygon(shape, {"building": value})
    for _, shape in houses:
        extract.polygon(shape, {"building": "house"})
    for _, site in sites:
        if site.kind == "park":
            extract.polygon(site.shape, {"leisure": "park"})
        elif site.kind in ("school", "hospital"):
            extract.polygon(site.shape, {"amenity": site.kind})
    for place in named:
        if place.kind in _POINTS:
            extract.point(place.at, {**_POINTS[place.kind], "name": place.name})
    for k, town in enumerate(settled.towns):
        for i in town.townships:
            shapes = [g.shape for g in division.grids if g.urban and division.units[g.unit].township == i]
            at = shapely.union_all(shapes).representative_point()
            name = (
                spec.name
                if k == 0 and len(town.townships) > 1 and i == town.townships[0]
                else spec.townships[i].name
            )
            extract.point(at.coords[0], {"place": "town", "name": name})


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
        for part in shapely.get_parts(near.buffer(-14, quad_segs=2).simplify(4)).tolist():
            if isinstance(part, shapely.Polygon) and part.area > 2500:
                made.append(shapely.Polygon(part.exterior))
    return made


def _fields(
    terrain: Terrain, rng: np.random.Generator, taken: BaseGeometry, scale: float
) -> list[shapely.Polygon]:
    """Return farmland: broad patches of the low ground."""
    field = -terrain.elevation / terrain.elevation.std() + 0.8 * noise(rng, terrain.frame, 0.09 * scale)
    patches = regions_above(terrain.frame, field, float(np.quantile(field, 0.62)))
    free = shapely.union_all([taken, terrain.river_area.buffer(45), *[w.buffer(15) for w in terrain.lakes]])
    parts = shapely.get_parts(
        shapely.difference(shapely.simplify(np.array(patches), terrain.frame.cell * 0.2), free)
    )
    parts = shapely.get_parts(shapely.intersection(parts, terrain.bounds))
    return [p for p in parts.tolist() if isinstance(p, shapely.Polygon) and p.area > (0.02 * scale) ** 2]


def _clean(shape: shapely.Polygon, tolerance_m: float) -> list[shapely.Polygon]:
    """Return valid polygons with fewer vertices, on a one-metre raster that survives rounding to degrees."""
    whole = shapely.set_precision(shapely.simplify(shape, tolerance_m), 1.0)
    return [g for g in shapely.get_parts(whole).tolist() if isinstance(g, shapely.Polygon) and g.area > 3000]


def _railway(
    extract: Extract, line: shapely.LineString, terrain: Terrain, division: Division, spec: DistrictSpec
) -> None:
    seats = list(dict.fromkeys(spec.townships[u.township].name[0] for u in division.units))
    name = f"{spec.name[0]}{seats[-1]}铁路"
    deck = terrain.river_area.buffer(6)
    for body, extra in (
        (line.difference(deck), {}),
        (line.intersection(deck), {"bridge": "yes", "layer": "1"}),
    ):
        for part in shapely.get_parts(body).tolist():
            if part.length > 1:
                extract.line(part.coords, {"railway": "rail", "name": name, **extra})
