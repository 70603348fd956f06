"""The files of a district."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyogrio.raw
import shapely
from shapely.geometry.base import BaseGeometry

from gis.synthetic.plane import Floats, Projection
from gis.synthetic.spec import DistrictFiles

if TYPE_CHECKING:
    from gis.synthetic.district import District

TIER_LABELS = {1: "县", 2: "乡镇", 3: "村社区", 4: "网格"}
_CHECKED = {"trunk": "A", "primary": "A", "secondary": "B", "tertiary": "C"}
_APART_M = 300.0
_AREA_FIELDS = ("code", "name", "tier", "parent", "label", "chief", "workers", "beat", "households")


def write_files(district: District, out: Path) -> DistrictFiles:
    """Write all files of a district into a folder and return their paths."""
    files = DistrictFiles(
        out / "roads.osm.pbf", out / "areas.gpkg", out / "beats.geojson", out / "cameras.csv",
        out / "responders.csv", out / "places.csv", out / "checkpoints.csv", out / "district.json",
    )  # fmt: skip
    district.extract.write(files.roads, district.projection)
    _areas(district, files)
    _cameras(district, files.cameras)
    _responders(district, files.responders)
    _places(district, files.places)
    _checkpoints(district, files.checkpoints)
    files.district.write_text(
        json.dumps(_summary(district), ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    return files


def _degrees(shape: BaseGeometry, projection: Projection) -> BaseGeometry:
    return shapely.transform(shape, projection.degrees)


def _areas(district: District, files: DistrictFiles) -> None:
    """Write areas of all tiers and the beats; parents are unions of the very same rounded children."""
    spec, division = district.spec, district.division
    grids = [_degrees(g.shape, district.projection) for g in division.grids]
    units = [shapely.coverage_union_all([grids[g] for g in u.grids]) for u in division.units]
    owner = [u.township for u in division.units]
    townships = [
        shapely.coverage_union_all([s for s, o in zip(units, owner, strict=True) if o == i])
        for i in range(len(spec.townships))
    ]
    county = shapely.coverage_union_all(grids)
    rows: list[tuple[object, ...]] = [
        (
            spec.code,
            spec.name,
            1,
            "",
            "区" if spec.name.endswith("区") else "县",
            "",
            "",
            "",
            sum(g.households for g in division.grids),
        )
    ]
    shapes = [county]
    kinds = {"street": "街道", "town": "镇", "township": "乡", "zone": "开发区"}
    for i, township in enumerate(spec.townships):
        homes = sum(g.households for g in division.grids if division.units[g.unit].township == i)
        rows.append(
            (division.township_codes[i], township.name, 2, spec.code, kinds[township.kind], "", "", "", homes)
        )
        shapes.append(townships[i])
    for unit, shape in zip(division.units, units, strict=True):
        homes = sum(division.grids[g].households for g in unit.grids)
        label = "社区" if unit.name.endswith("社区") else "村"
        beat = division.grids[unit.grids[0]].beat
        rows.append(
            (
                unit.code,
                unit.name,
                3,
                division.township_codes[unit.township],
                label,
                unit.chief,
                "",
                beat,
                homes,
            )
        )
        shapes.append(shape)
    for grid, shape in zip(division.grids, grids, strict=True):
        unit = division.units[grid.unit]
        rows.append(
            (
                grid.code,
                grid.name,
                4,
                unit.code,
                "网格",
                grid.chief,
                ";".join(grid.workers),
                grid.beat,
                grid.households,
            )
        )
        shapes.append(shape)
    files.areas.unlink(missing_ok=True)
    columns = list(zip(*rows, strict=True))
    data = [np.array(c, dtype=np.int32 if isinstance(c[0], int) else object) for c in columns]
    many = [shapely.MultiPolygon([s]) if isinstance(s, shapely.Polygon) else s for s in shapes]
    pyogrio.raw.write(
        files.areas, shapely.to_wkb(np.array(many)), data, _AREA_FIELDS, layer="areas", driver="GPKG",
        geometry_type="MultiPolygon", crs="EPSG:4326",
    )  # fmt: skip
    features = []
    for patch in division.beats:
        mine = [g for u in patch.units for g in division.units[u].grids]
        outline = shapely.coverage_union_all([grids[g] for g in mine])
        properties = {
            "code": patch.code,
            "name": patch.name,
            "station": patch.station,
            "grids": ";".join(division.grids[g].code for g in mine),
        }
        features.append(
            {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(outline))}
        )
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    files.beats.write_text(text + "\n", encoding="utf-8", newline="\n")


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def _lonlat(points: list[Floats], projection: Projection) -> list[tuple[str, str]]:
    degrees = projection.degrees(np.array(points).reshape(-1, 2))
    return [(f"{lon:.7f}", f"{lat:.7f}") for lon, lat in degrees.tolist()]


def _cameras(district: District, path: Path) -> None:
    header = (
        "name",
        "gb_id",
        "lon",
        "lat",
        "network",
        "azimuth",
        "fov",
        "protocol",
        "host",
        "port",
        "path",
        "site_type",
        "grid",
    )
    where = _lonlat([c.at for c in district.cameras], district.projection)
    codes = [g.code for g in district.division.grids]
    rows = [
        (
            c.name,
            c.gb_id,
            lon,
            lat,
            c.network,
            c.azimuth,
            c.fov,
            "rtsp",
            "127.0.0.1",
            8554,
            c.path,
            c.site_type,
            codes[c.grid],
        )
        for c, (lon, lat) in zip(district.cameras, where, strict=True)
    ]
    _table(path, header, rows)


def _responders(district: District, path: Path) -> None:
    header = (
        "name",
        "kind",
        "phone",
        "grids",
        "beat",
        "department",
        "station",
        "skills",
        "employment",
        "profile",
        "home_lon",
        "home_lat",
    )
    where = _lonlat([r.home for r in district.responders], district.projection)
    rows = [
        (
            r.name,
            r.kind,
            r.phone,
            ";".join(r.grids),
            r.beat,
            r.department,
            r.station,
            ";".join(r.skills),
            r.employment,
            r.profile,
            lon,
            lat,
        )
        for r, (lon, lat) in zip(district.responders, where, strict=True)
    ]
    _table(path, header, rows)


def _checkpoints(district: District, path: Path) -> None:
    """A checkpoint where each larger road leaves the county: A on the largest, then B, then C."""
    border = shapely.coverage_union_all([g.shape for g in district.division.grids]).boundary
    pieces = district.pieces
    found: list[tuple[str, str, str, Floats]] = []
    for line, owner in zip(pieces.lines, pieces.owner, strict=True):
        road = pieces.roads[owner]
        level = _CHECKED.get(road.highway)
        if level is None or not road.name or not line.intersects(border):
            continue
        for at in shapely.get_parts(shapely.intersection(line, border)).tolist():
            where = np.array(at.centroid.coords[0])
            if all(np.hypot(*(where - other[3])) > _APART_M for other in found):
                found.append((f"K-{len(found) + 1:02d}", f"{road.name}卡口", level, where))
    where_all = _lonlat([row[3] for row in found], district.projection)
    table = [
        (code, name, level, "外环", "是" if level == "A" else "否", lon, lat)
        for (code, name, level, _), (lon, lat) in zip(found, where_all, strict=True)
    ]
    _table(path, ("code", "name", "level", "ring", "staffed", "lon", "lat"), table)


def _places(district: District, path: Path) -> None:
    pieces, codes = district.pieces, [g.code for g in district.division.grids]
    longest: dict[str, shapely.LineString] = {}
    for line, owner in zip(pieces.lines, pieces.owner, strict=True):
        name = pieces.roads[owner].name
        if name and (name not in longest or line.length > longest[name].length):
            longest[name] = line
    rows: list[tuple[str, str, Floats, str, int]] = [
        (p.name, p.kind, p.at, p.address, p.grid) for p in [*district.places, *district.junctions]
    ]
    tree = shapely.STRtree([g.shape for g in district.division.grids])
    for name, line in longest.items():
        at = line.interpolate(0.5, normalized=True)
        inside = tree.query(at, predicate="intersects")
        if len(inside):
            rows.append((name, "road", np.array(at.coords[0]), name, int(min(inside))))
    where = _lonlat([r[2] for r in rows], district.projection)
    table = [
        (name, kind, lon, lat, address, codes[grid] if grid >= 0 else "")
        for (name, kind, _, address, grid), (lon, lat) in zip(rows, where, strict=True)
    ]
    _table(path, ("name", "kind", "lon", "lat", "address", "grid"), table)


_SCENES = (
    "junction", "school", "kindergarten", "market", "hospital", "river_bank", "bridge", "hill", "reservoir",
    "village", "hamlet", "community", "park", "bus_station", "government",
)  # fmt: skip


def _summary(district: District) -> dict[str, object]:
    spec, division = district.spec, district.division
    codes = [g.code for g in division.grids]
    scenes = []
    for place in [*district.junctions[: max(40, spec.grids)], *district.places]:
        if place.kind not in _SCENES or place.grid < 0:
            continue
        at = place.at if place.kind in ("junction", "hill", "river_bank", "bridge") else place.gate
        lon, lat = district.projection.degrees(at[None])[0].tolist()
        scenes.append(
            {
                "kind": place.kind,
                "name": place.name,
                "lon": lon,
                "lat": lat,
                "address": place.address,
                "grid": codes[place.grid],
            }
        )
    x0, y0, x1, y1 = district.terrain.county.bounds
    box = district.projection.degrees(np.array([[x0, y0], [x1, y1]]))
    frame = district.projection.degrees(np.array(district.terrain.drawn.exterior.coords))
    town = district.projection.degrees(district.settled.towns[0].centre[None])[0].tolist()
    kinds: dict[str, int] = {}
    for responder in district.responders:
        kinds[responder.kind] = kinds.get(responder.kind, 0) + 1
    return {
        "id": spec.id,
        "name": spec.name,
        "code": spec.code,
        "center": town,
        "bounds": [*box[0].tolist(), *box[1].tolist()],
        "drawn_bounds": [*frame.min(axis=0).tolist(), *frame.max(axis=0).tolist()],
        "seed": district.seed,
        "counts": {
            "townships": len(spec.townships),
            "units": len(division.units),
            "grids": len(division.grids),
            "urban_grids": sum(division.units[g.unit].name.endswith("社区") for g in division.grids),
            "vacant_grids": sum(not g.workers for g in division.grids),
            "beats": len(division.beats),
            "cameras": len(district.cameras),
            "responders": kinds,
            **district.extract.counts,
        },
        "scenes": scenes,
    }
