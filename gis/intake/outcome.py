"""Writing down a draft: the new district file, the preview, the list of issues, and shapes as they were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.area_files import write_gpkg
from gis.intake import merging, results
from gis.intake.fields import PLACED_BY, KindSpec
from gis.intake.inforce import InForce
from gis.intake.model import Request
from gis.intake.table import Sheet
from gis.intake.values import area_columns

Numbers = NDArray[np.int64]


def write_results(
    request: Request, spec: KindSpec, sheet: Sheet, kept: Numbers, crs: str, force: InForce
) -> None:
    """Write every file of a draft but its record into the current folder.

    Args:
        request: What was asked for.
        spec: Of the kind.
        sheet: All rows, checked.
        kept: Rows the new file takes.
        crs: What the coordinates were read in.
        force: What is in force, for a merge.
    """
    kind = request.choices.kind
    merge = request.choices.mode == "merge"
    current = force.current if merge else None
    if kind == "areas":
        assert sheet.shapes is not None
        columns, shapes = area_columns(sheet, kept, crs), sheet.shapes[kept]
        if merge:
            columns, shapes = merging.areas(columns, shapes, force)
        write_gpkg(Path(spec.result), columns, shapes)
    elif kind == "beats":
        assert sheet.shapes is not None
        text = {name: sheet.text(name)[kept].tolist() for name in ("code", "name", "station", "grids")}
        properties = [dict(zip(text, values, strict=True)) for values in zip(*text.values(), strict=True)]
        old, old_shapes = merging.features(current, text["code"])
        results.write_geojson(
            Path(spec.result), [*properties, *old], np.concatenate((sheet.shapes[kept], old_shapes))
        )
    else:
        table = _table(spec, sheet, kept)
        merged = merging.rows(kind, current, table)
        count = max((len(values) for values in merged.values()), default=0)
        numbers = np.concatenate((sheet.numbers[kept], np.zeros(count - len(kept), np.int64)))
        results.write_csv(Path(spec.result), numbers, merged)
    results.write_preview(Path("preview.geojson"), sheet)
    lon, lat = sheet.places()
    names = sheet.text("name") if "name" in sheet.fields else sheet.text("department")
    sheet.issues.write(
        Path("issues.csv"), sheet.numbers, sheet.text("code").tolist(), names.tolist(), lon, lat
    )
    if sheet.original:
        _write_original(sheet)


def _table(spec: KindSpec, sheet: Sheet, kept: Numbers) -> dict[str, Sequence[object]]:
    """The fields that the file has, in the order of the kind; places in WGS-84."""
    table: dict[str, Sequence[object]] = {
        name: sheet.fields[name][kept].tolist()
        for name in spec.fields
        if name in sheet.fields and name not in PLACED_BY
    }
    if spec.shape in ("point", "spot", "maybe") and sheet.shapes is not None:
        for name, values in zip(("lon", "lat"), sheet.places(), strict=True):
            table[name] = ["" if value != value else f"{value:.7f}" for value in values[kept].tolist()]
    return table


def _write_original(sheet: Sheet) -> None:
    """Keep shapes that were repaired, or cannot be taken, as they came, in WGS-84."""
    rows = np.array(sorted(sheet.original), dtype=np.int64)
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [sheet.original[row] for row in rows.tolist()]
    areal = np.isin(shapely.get_type_id(shapes), (3, 6))
    rows, shapes = rows[areal], shapes[areal]
    columns = {name: sheet.text(name)[rows] for name in ("code", "name")}
    write_gpkg(Path("original.gpkg"), {"row": sheet.numbers[rows], **columns}, shapes)
