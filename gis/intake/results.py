"""What a draft leaves in its folder: the new district file, the preview and the shapes that were repaired."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake.issues import RANK
from gis.intake.rows import Shapes
from gis.intake.table import Sheet

MOST_FEATURES: Final = 5_000
PREVIEW_PIXELS: Final = 2_500
"""The preview keeps what a map this wide can show."""
_WORST: Final = {0: "good", **{rank: name for name, rank in RANK.items()}}


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


def write_preview(path: Path, sheet: Sheet) -> None:
    """Write a picture of the rows: those with faults first, then the highest tiers, then every so many.

    Args:
        path: To write to.
        sheet: The rows.
    """
    shown = sorted(sheet.faults, key=lambda fault: -fault.area_m2)[: MOST_FEATURES // 3]
    room = MOST_FEATURES - len(shown)
    pictured = sheet.shapes.copy() if sheet.shapes is not None else np.zeros(0, dtype=object)
    for row, shape in sheet.original.items():
        if pictured[row] is None:  # set aside, but worth seeing
            pictured[row] = shape
    known = np.flatnonzero(~shapely.is_missing(pictured))
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
    shapes = pictured[order]
    for fault in shown:
        properties.append(
            {
                "kind": fault.kind,
                "area_m2": round(fault.area_m2),
                "detail_zh": fault.zh,
                "detail_en": fault.en,
            }
        )
    faults = np.empty(len(shown), dtype=object)
    faults[:] = [fault.shape for fault in shown]
    shapes = np.concatenate((shapes, faults))
    if len(shapes):
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        fine = max(east - west, north - south) / PREVIEW_PIXELS
        small = shapely.simplify(shapes, fine, preserve_topology=True)
        shapes = np.where(shapely.is_empty(small), shapes, small)
    write_geojson(path, properties, shapes)
