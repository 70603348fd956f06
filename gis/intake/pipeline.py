"""One draft from the first byte to the last result, in the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake import fields, inforce, placing, polygons, reading, results, tiers
from gis.intake.inforce import InForce
from gis.intake.issues import Issues
from gis.intake.model import Column, Crs, Draft, Request
from gis.intake.rows import Rows, as_text
from gis.intake.table import Sheet, canonical
from gis.intake.tree import Tree, check_names
from gis.intake.unpack import unpack

Tell = Callable[[float, str, int, int], None]
"""(share, stage, rows done, rows in all)."""
_SAMPLES = 3


def run(request: Request, tell: Tell) -> Draft:
    """Make a draft in the current folder.

    Raises:
        Refused: The file cannot be drafted at all.
    """
    choices = request.choices
    spec = fields.SPECS[choices.kind]
    tell(0.0, "unpacking", 0, 0)
    found = unpack(request.files, request.source)
    tell(0.05, "reading", 0, 0)
    rows = reading.read(found, choices)
    total = len(rows)
    tell(0.3, "guessing", 0, total)
    force = inforce.load(request.reference)
    mapping = fields.guess(rows.columns, spec, choices.mapping)
    crs = guess_crs(rows, choices.crs, force)
    sheet = Sheet(canonical(rows.columns, mapping), rows.numbers, None, Issues(total))
    tell(0.4, "checking", 0, total)
    assert rows.shapes is not None
    placed = placing.place(rows.shapes, crs.used)
    sheet.shapes = placed.shapes
    polygons.check_presence(rows, placed, sheet)
    if choices.kind == "areas":
        sheet.tiers = tiers.assign(
            _column(sheet, "tier"),
            _column(sheet, "label"),
            sheet.text("code").tolist(),
            sheet.text("name").tolist(),
            choices.tier_labels,
            choices.default_tier,
        )
    polygons.check_polygons(sheet, choices)
    tell(0.55, "checking", total // 3, total)
    check_names(sheet, spec.required, unique=True)
    if choices.kind == "areas":
        tree = Tree(sheet, force)
        tree.check()
        sheet.fields["parent"] = tree.parent
    tell(0.8, "writing", 0, total)
    kept = sheet.kept(choices)
    needs = _needs(spec.required, mapping, crs)
    _write(choices.kind, sheet, kept, crs.used)
    results.write_preview(Path("preview.geojson"), sheet, [])
    lon, lat = sheet.places()
    sheet.issues.write(
        Path("issues.csv"), sheet.numbers, sheet.text("code").tolist(), sheet.text("name").tolist(), lon, lat
    )
    draft = Draft(
        kind=choices.kind,
        format=rows.format,
        layers=rows.layers,
        layer=rows.layer,
        columns=tuple(
            Column(name, _sample(as_text(column[:200])), mapping.get(name, ""))
            for name, column in rows.columns.items()
        ),
        fields=tuple(spec.fields),
        encoding=rows.encoding,
        crs=crs,
        rows=total,
        taken=len(kept),
        row_offset=rows.row_offset,
        counts=sheet.issues.counts,
        rows_by_worst=sheet.issues.rows_by_worst,
        bounds=_bounds(sheet),
        tiers={} if sheet.tiers is None else _count(sheet.tiers.label),
        tier_labels={} if sheet.tiers is None else sheet.tiers.meaning,
        needs=needs,
        result=spec.result,
        repaired=0,
        notes=tuple(rows.notes),
    )
    Path("draft.json").write_bytes(msgspec.json.encode(draft))
    return draft


def guess_crs(rows: Rows, chosen: str | None, force: InForce) -> Crs:
    used = placing.usual_name(chosen or rows.declared or "EPSG:4326")
    return Crs(used, rows.declared)


def _column(sheet: Sheet, name: str) -> list[str] | None:
    found = sheet.fields.get(name)
    return None if found is None else found.tolist()


def _needs(required: tuple[str, ...], mapping: Mapping[str, str], crs: Crs) -> tuple[str, ...]:
    needs = []
    if any(name not in mapping.values() for name in required):
        needs.append("columns")
    if crs.ambiguous:
        needs.append("crs")
    return tuple(needs)


def _sample(values: NDArray[np.object_]) -> tuple[str, ...]:
    told = [str(value)[:80] for value in values.tolist() if value]
    return tuple(dict.fromkeys(told))[:_SAMPLES]


def _count(labels: NDArray[np.object_]) -> dict[str, int]:
    found, count = np.unique(labels.astype(str), return_counts=True)
    return {name: int(n) for name, n in zip(found.tolist(), count.tolist(), strict=True) if name}


def _bounds(sheet: Sheet) -> tuple[float, float, float, float] | None:
    known = sheet.known()
    if sheet.shapes is None or not len(known):
        return None
    west, south, east, north = shapely.total_bounds(sheet.shapes[known]).tolist()
    return west, south, east, north


def _write(kind: str, sheet: Sheet, kept: NDArray[np.int64], crs: str) -> None:
    assert sheet.shapes is not None
    if kind == "areas":
        assert sheet.tiers is not None
        columns: dict[str, NDArray[np.object_] | NDArray[np.int32]] = {
            name: np.where(sheet.text(name)[kept] == "", None, sheet.text(name)[kept])
            for name in ("code", "name", "parent", "chief", "workers", "beat", "valid_from", "valid_to")
        }
        columns["tier"] = sheet.tiers.tier[kept]
        columns["label"] = sheet.tiers.label[kept]
        columns["source_crs"] = np.full(len(kept), crs, dtype=object)
        results.write_gpkg(Path("result.gpkg"), columns, sheet.shapes[kept])
    else:
        text = {name: sheet.text(name)[kept].tolist() for name in ("code", "name", "station", "grids")}
        rows = [dict(zip(text, values, strict=True)) for values in zip(*text.values(), strict=True)]
        results.write_geojson(Path("result.geojson"), rows, sheet.shapes[kept])
