"""What a draft leaves in its folder: the new district file, the preview and the shapes that were repaired."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from gis.crs import WGS84
from gis.intake.issues import RANK
from gis.intake.rows import Shapes
from gis.intake.table import Sheet

MOST_FEATURES: Final = 5_000
PREVIEW_PIXELS: Final = 2_500
"""The preview keeps what a map this wide can show."""
_WORST: Final = {0: "good", **{rank: name for name, rank in RANK.items()}}


def write_gpkg(path: Path, columns: Mapping[str, NDArray[Any]], shapes: Shapes) -> None:
    """Write polygons as the district's own GeoPackage."""
    single = shapely.get_type_id(shapes) == int(shapely.GeometryType.POLYGON)
    multi = shapes.copy()
    # Grouping by row turns each polygon into a multipolygon of one, all in one call.
    multi[single] = shapely.multipolygons(shapes[single], indices=np.arange(int(single.sum())))
    pyogrio.raw.write(
        str(path),
        geometry=shapely.to_wkb(multi),
        field_data=list(columns.values()),
        fields=list(columns),
        layer="areas",
        driver="GPKG",
        geometry_type="MultiPolygon",
        crs=WGS84,
    )


def write_geojson(path: Path, properties: Sequence[Mapping[str, object]], shapes: Shapes) -> None:
    """Write features with coordinates to a centimetre."""
    rounded = shapely.transform(shapes, lambda c: np.round(c, 7))
    texts = shapely.to_geojson(rounded).tolist()
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"type":"FeatureCollection","features":[')
        for n, (values, text) in enumerate(zip(properties, texts, strict=True)):
            known = json.dumps(values, ensure_ascii=False)
            stream.write(f'{"," if n else ""}\n{{"type":"Feature","properties":{known},"geometry":{text}}}')
        stream.write("\n]}\n")


def write_csv(path: Path, numbers: NDArray[np.int64], columns: Mapping[str, Sequence[object]]) -> None:
    """Write a table, each row with the number it had in the file that came."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("row", *columns))
        table.writerows(zip(numbers.tolist(), *columns.values(), strict=True))


def write_preview(path: Path, sheet: Sheet, faults: Sequence[tuple[str, object, str, str]]) -> None:
    """Write a picture of the rows: those with faults first, then the highest tiers, then every so many.

    Args:
        path: To write to.
        sheet: The rows.
        faults: (kind, geometry, text zh, text en) of overlaps, gaps and holes.
    """
    shown = list(faults[: MOST_FEATURES // 3])
    room = MOST_FEATURES - len(shown)
    known = sheet.known()
    tier = sheet.tiers.tier if sheet.tiers is not None else np.zeros(len(sheet), np.int32)
    worst = sheet.issues.worst
    rank = np.lexsort((known % 17, tier[known], -worst[known].astype(np.int64)))
    faulty = int((worst[known] >= RANK["warning"]).sum())
    order = known[rank]
    if len(order) > room:
        first = order[: min(faulty, room // 2)]
        rest = order[len(first) :]
        high = rest[np.argsort(tier[rest], kind="stable")]
        half = high[: (room - len(first)) // 2]
        left = high[len(half) :]
        step = max(1, -(-len(left) // max(1, room - len(first) - len(half))))
        order = np.concatenate((first, half, left[::step]))[:room]
    order = np.sort(order)
    names: dict[str, Any] = {name: sheet.text(name) for name in ("code", "name")}
    properties: list[dict[str, object]] = [
        {
            "row": int(sheet.numbers[n]),
            "code": names["code"][n],
            "name": names["name"][n],
            "tier": int(tier[n]) or None,
            "worst": _WORST[int(worst[n])],
        }
        for n in order.tolist()
    ]
    shapes = sheet.shapes[order] if sheet.shapes is not None else np.zeros(0, dtype=object)
    for kind, shape, zh, en in shown:
        properties.append({"kind": kind, "detail_zh": zh, "detail_en": en})
        shapes = np.append(shapes, np.array([shape], dtype=object))
    if len(shapes):
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        fine = max(east - west, north - south) / PREVIEW_PIXELS
        small = shapely.simplify(shapes, fine, preserve_topology=True)
        shapes = np.where(shapely.is_empty(small), shapes, small)
    write_geojson(path, properties, shapes)
