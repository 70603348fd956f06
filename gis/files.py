"""The district's own files of beats and places: WGS-84, canonical columns, whole or not at all.

Areas are in `gis.area_files`. Files from outside go through `gis.intake`, which makes files like these.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import shapely

from gis.areas import Beat
from gis.errors import BadFile
from gis.outlines import geojson_geometry
from gis.tables import split_list


@dataclass(frozen=True, slots=True)
class Place:
    """A named point that people search for.

    Attributes:
        name: Never empty.
        kind: Free text (学校, 医院 …), empty when unknown.
        address: Free text, may be empty.
        lon: Degrees, EPSG:4326.
        lat: Degrees.
    """

    name: str
    kind: str
    address: str
    lon: float
    lat: float


def load_beats(path: Path) -> list[Beat]:
    """Read police beats from GeoJSON with `code, name, station, grids`, in the order of the file.

    Raises:
        BadFile: It is damaged, or not such a file.
    """
    try:
        features = json.loads(path.read_text("utf-8"))["features"]
        return [
            _beat(feature["properties"], shapely.geometry.shape(feature["geometry"])) for feature in features
        ]
    # A GEOSException and a UnicodeDecodeError are ValueErrors too.
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadFile(str(path), "file", f"{type(error).__name__}: {error}") from error


def _beat(fields: dict[str, object], shape: object) -> Beat:
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        raise ValueError("a beat has no area")
    station = fields.get("station")
    return Beat(
        code=str(fields["code"]),
        name=str(fields["name"]),
        station=str(station) if station else "",
        geometry=shape,
        grids=split_list(fields.get("grids")),
    )


def load_places(path: Path) -> list[Place]:
    """Read places from CSV with `name, kind, address, lon, lat`, in the order of the file.

    Rows without a name or a position, which nobody can look for, are passed over.

    Raises:
        BadFile: It is damaged, or not such a file.
    """
    try:
        table = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
        return [
            Place(
                row["name"],
                row.get("kind") or "",
                row.get("address") or "",
                float(row["lon"]),
                float(row["lat"]),
            )
            for row in table
            if row["name"] and row["lon"] and row["lat"]
        ]
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise BadFile(str(path), "file", f"{type(error).__name__}: {error}") from error


def write_beats(path: Path, beats: Iterable[Beat]) -> None:
    """Write police beats as `load_beats` reads them."""
    features = [
        {
            "type": "Feature",
            "geometry": geojson_geometry(beat.geometry),
            "properties": {
                "code": beat.code,
                "name": beat.name,
                "station": beat.station,
                "grids": "、".join(beat.grids),
            },
        }
        for beat in beats
    ]
    _replace(path, json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)
