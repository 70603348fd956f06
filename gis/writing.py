"""Beats and places as the files the importers keep: WGS-84, canonical columns, whole or not at all."""

import csv
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

from gis.areas import Beat
from gis.files import Place
from gis.outlines import geojson_geometry


def write_beats(path: Path, beats: Iterable[Beat]) -> None:
    """Write police beats as GeoJSON, as `gis.files.read_beats` reads them."""
    features = [
        {
            "type": "Feature",
            "geometry": geojson_geometry(beat.geometry),
            "properties": {
                "code": beat.code,
                "name": beat.name,
                "station": beat.station,
                "grids": ";".join(beat.grids),
            },
        }
        for beat in beats
    ]
    _replace(path, json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))


def write_places(path: Path, places: Iterable[Place]) -> None:
    """Write places as CSV, as `gis.files.read_places` reads them."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("name", "kind", "address", "lon", "lat"))
    table.writerows(
        (place.name, place.kind, place.address, f"{place.lon:.7f}", f"{place.lat:.7f}") for place in places
    )
    _replace(path, text.getvalue())


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)
