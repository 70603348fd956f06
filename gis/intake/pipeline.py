"""One draft from the first byte to the last result, in the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.apart.messages import refuse
from gis.intake import (
    datum,
    fields,
    ground,
    hiding,
    keeping,
    placing,
    points,
    polygons,
    reading,
    texts,
    tiers,
)
from gis.intake.fields import KindSpec
from gis.intake.inforce import InForce
from gis.intake.issues import RANK, Issue, Issues
from gis.intake.model import Choices, Column, Crs, Draft, Request, Why
from gis.intake.outcome import write_results
from gis.intake.rows import Rows, as_text, long_numbers
from gis.intake.table import Sheet, canonical
from gis.intake.tree import Tree, check_names
from gis.intake.unpack import unpack
from gis.intake.values import check_values

Tell = Callable[[float, str, int, int], None]
"""(share, stage, rows done, rows in all)."""
_SAMPLES: Final = 3
_LOOK: Final = 200
MOST_CELL_CHARS: Final = 10_000
_CODES: Final = ("code", "gb_id", "device_id", "channel_id", "parent", "beat", "grid")
_TEXT: Final = ("name", "parent", "chief", "workers", "station", "address", "department", "category")


def run(request: Request, force: InForce, tell: Tell) -> Draft:
    """Make a draft in the current folder.

    Raises:
        Refused: The file cannot be drafted at all.
    """
    # Coordinates that are no numbers are found and named by row; arithmetic on them needs no warning.
    with np.errstate(invalid="ignore"):
        return _run(request, force, tell)


def _run(request: Request, force: InForce, tell: Tell) -> Draft:
    choices, spec = request.choices, fields.SPECS[request.choices.kind]
    if choices.mode == "merge" and force.damaged:
        raise refuse(
            "in_force_damaged",
            "现行数据无法读取，不能合并；可整体替换",
            "cannot be merged: what is in force cannot be read; it can be replaced",
        )
    tell(0.0, "unpacking", 0, 0)
    found = unpack(request.files, request.source)
    tell(0.05, "reading", 0, 0)
    rows = reading.read(found, choices)
    total = len(rows)
    tell(0.3, "guessing", 0, total)
    texts.undo_wrong_reading(rows, choices)
    mapping = fields.guess(rows.columns, spec, choices.mapping)
    fields.guess_by_values(rows.columns, mapping, choices.kind, chosen=choices.mapping or {})
    sheet = Sheet(canonical(rows.columns, mapping), rows.numbers, None, Issues(total))
    garbled = texts.check_text(rows, sheet, _TEXT, chosen=choices.encoding is not None)
    _check_digits(rows, sheet, mapping)
    _check_length(sheet)
    crs = _place(rows, sheet, choices, spec, force)
    tell(0.4, "checking", 0, total)
    needs = _needs(
        spec,
        mapping,
        crs,
        garbled=garbled,
        shapeless=spec.shape in ("polygon", "point", "spot") and sheet.shapes is None,
    )
    mended = 0
    if spec.shape == "polygon":
        mended = _check_areas(sheet, choices, spec, force, rows, tell)
        if choices.kind == "areas" and sheet.tiers is not None and (sheet.tiers.tier == 0).any():
            needs = (*needs, "tiers")
    else:
        _check_rows(sheet, choices, spec, force)
    private, stay = _keep(sheet, rows, choices, mapping, force)
    tell(0.85, "writing", 0, total)
    kept = sheet.kept(choices)
    some = {name: column[:_LOOK] for name, column in rows.columns.items()}
    hidden = hiding.hidden_columns(some, mapping, spec)
    write_results(request, spec, sheet, kept, crs.used, force)
    draft = Draft(
        kind=choices.kind,
        format=rows.format,
        layers=rows.layers,
        layer=rows.layer,
        columns=tuple(
            Column(
                name,
                _sample(as_text(column), hide=name in hidden),
                mapping.get(name, ""),
                private=name in private,
                kept=name in stay,
            )
            for name, column in some.items()
        ),
        fields=tuple(spec.fields),
        encoding=hiding.plain_samples(rows.encoding, spec),
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
        repaired=mended,
        notes=tuple(rows.notes),
    )
    Path("draft.json").write_bytes(msgspec.json.encode(draft))
    return draft


def _keep(
    sheet: Sheet, rows: Rows, choices: Choices, mapping: Mapping[str, str], force: InForce
) -> tuple[frozenset[str], frozenset[str]]:
    """Keep the columns that mean no field, where that is wanted; returns those that look private, and the kept."""
    if choices.kind not in keeping.KINDS or not choices.keep_columns:
        return frozenset(), frozenset()
    private = keeping.private_columns(rows.columns, mapping)
    known: tuple[str, ...] = ()
    if choices.mode == "merge" and force.table is not None and "extra" in force.table.column_names:
        known = keeping.names_in(as_text(force.table.column("extra")).tolist())
    stay, left = keeping.chosen(rows.columns, mapping, private, choices.keep_private, known)
    if left:
        rows.notes.append(
            Why(
                f"最多保留 {keeping.MOST_COLUMNS} 列，未保留：{'、'.join(left)[:200]}",
                f"at most {keeping.MOST_COLUMNS} columns are kept; left out: {', '.join(left)[:200]}",
            )
        )
    sheet.extra = keeping.keep(sheet, rows.columns, stay)
    return private, frozenset(stay)


# -- where it is ------------------------------------------------------------------------------------------


def _place(rows: Rows, sheet: Sheet, choices: Choices, spec: KindSpec, force: InForce) -> Crs:
    """Guess the reference system and move every shape to WGS-84."""
    if rows.cut is not None:
        sheet.issues.add(Issue(-1, "error", "truncated_file", rows.cut.why.zh, rows.cut.why.en))
    raw = rows.shapes if rows.shapes is not None else points.shapes_of_table(rows, sheet)
    if raw is None or spec.shape == "":
        return Crs("", rows.declared)
    rows.shapes = raw
    coordinates = shapely.get_coordinates(raw)
    coordinates = coordinates[np.isfinite(coordinates).all(axis=1)]
    sample = coordinates[:: max(1, len(coordinates) // datum.SAMPLE)]
    crs = datum.guess(
        datum.Evidence(sample[:, 0], sample[:, 1], _middles(sheet, raw, choices.kind), force),
        rows.declared,
        rows.format,
        choices.crs,
    )
    placed = placing.place(raw, crs.used)
    sheet.shapes = placed.shapes
    polygons.check_presence(rows, placed, sheet, needed=spec.shape == "polygon")
    rows.shapes = None  # may be a copy of everything
    if spec.shape == "spot":
        points.check_spots(sheet)
    elif spec.shape in ("point", "maybe"):
        sheet.shapes = points.as_points(sheet.shapes)
    return crs


def _middles(sheet: Sheet, raw: NDArray[np.object_], kind: str) -> Mapping[str, tuple[float, float]]:
    """Code → a middle point, for areas whose codes may be in force already."""
    if kind != "areas" or "code" not in sheet.fields:
        return {}
    some = np.arange(0, len(raw), max(1, len(raw) // datum.SAMPLE))
    x, y = datum.middle_of(raw[some]).T
    codes = sheet.text("code")[some]
    return {
        code: (float(a), float(b))
        for code, a, b in zip(codes.tolist(), x, y, strict=True)
        if code and np.isfinite(a) and np.isfinite(b)
    }


# -- what is wrong with it --------------------------------------------------------------------------------


def _check_digits(rows: Rows, sheet: Sheet, mapping: Mapping[str, str]) -> None:
    """Report codes that were kept as numbers, which have only fifteen digits: the last ones are lost."""
    for column, field in mapping.items():
        if field not in _CODES:
            continue
        lost = np.union1d(rows.lossy.get(column, np.zeros(0, np.int64)), long_numbers(rows.columns[column]))
        sheet.issues.add_rows(
            lost,
            "error",
            "bad_value",
            f"“{column}”的数字太长，存成数值已丢失末尾几位；请把该列设为文本",
            f"{column!r} has more digits than a number keeps; make the column text",
        )


def _check_length(sheet: Sheet) -> None:
    """Report cells that are longer than anything of theirs: shapes as text alone may be long."""
    for name, texts_ in sheet.fields.items():
        if name == "wkt":
            continue
        long = [n for n, text in enumerate(texts_.tolist()) if len(text) > MOST_CELL_CHARS]
        sheet.issues.add_rows(
            long,
            "error",
            "bad_value",
            f"“{name}”超过 {MOST_CELL_CHARS:,} 个字",
            f"{name} has more than {MOST_CELL_CHARS:,} characters",
        )


def _check_areas(
    sheet: Sheet, choices: Choices, spec: KindSpec, force: InForce, rows: Rows, tell: Tell
) -> int:
    total = len(sheet)
    if sheet.shapes is None:
        sheet.shapes = np.full(total, None, dtype=object)
        sheet.issues.add_rows(range(total), "error", "no_geometry", "没有图形", "there is no shape")
    tree = None
    if choices.kind == "areas":
        check_values(sheet)
        sheet.tiers = tiers.assign(
            _column(sheet, "tier"),
            _column(sheet, "label"),
            sheet.text("code").tolist(),
            sheet.text("name").tolist(),
            choices.tier_labels,
            choices.default_tier,
        )
        unknown = np.flatnonzero(sheet.tiers.tier == 0)
        told = [str(word) or "—" for word in sheet.tiers.label[unknown].tolist()]
        sheet.issues.add_rows(
            unknown,
            "error",
            "bad_value",
            [f"层级 {word!r} 不知对应 1 至 4 的哪一级" for word in told],
            [f"nothing says which of the four tiers {word!r} is" for word in told],
        )
    mended = polygons.check_polygons(sheet, choices)
    tell(0.45, "checking", 0, total)
    check_names(sheet, spec.required, unique=True)
    if choices.kind == "areas":
        tree = Tree(sheet, force)
        tree.check()
        sheet.fields["parent"] = tree.parent
    else:
        points.check_codes(sheet, force, choices.kind)
    stage = "repairing" if choices.repair else "checking"
    tell(0.5, stage, total // 4, total)

    def within(share: float) -> None:
        tell(0.5 + 0.35 * share, stage, int(total * (0.25 + 0.75 * share)), total)

    changed, notes = ground.check_ground(sheet, choices, force, tree, within)
    rows.notes.extend(notes)
    return mended + changed


def _check_rows(sheet: Sheet, choices: Choices, spec: KindSpec, force: InForce) -> None:
    check_names(sheet, spec.required, unique="code" in spec.fields)
    points.check_codes(sheet, force, choices.kind)
    if spec.shape in ("point", "spot") and sheet.shapes is None:
        sheet.issues.add_rows(range(len(sheet)), "error", "no_geometry", "没有位置", "there is no place")
    elif spec.shape in ("point", "spot", "maybe") and sheet.shapes is not None:
        points.check_points(sheet, force, needed=spec.shape != "maybe")
    elif spec.shape == "any":
        sheet.fields["grids"] = points.grids_under(sheet, force)
        bare = np.flatnonzero((sheet.fields["grids"] == "") & (sheet.issues.worst < RANK["error"]))
        sheet.issues.add_rows(bare, "error", "missing_field", "没有基础网格", "there are no base grids")


def _needs(
    spec: KindSpec, mapping: Mapping[str, str], crs: Crs, *, garbled: bool, shapeless: bool
) -> tuple[str, ...]:
    needs = []
    if shapeless or any(name not in mapping.values() for name in spec.required):
        needs.append("columns")
    if crs.ambiguous:
        needs.append("crs")
    if garbled:
        needs.append("encoding")
    return tuple(needs)


# -- what it looks like -----------------------------------------------------------------------------------


def _column(sheet: Sheet, name: str) -> list[str] | None:
    found = sheet.fields.get(name)
    return None if found is None else found.tolist()


def _sample(values: NDArray[np.object_], *, hide: bool) -> tuple[str, ...]:
    told = [hiding.MASK if hide else str(value)[:80] for value in values.tolist() if value]
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
