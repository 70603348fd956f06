"""What the registry and the roster find wrong with rows that can be read, told as the issues of a draft."""

import csv
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from command.geography.imports.issues import Issue, add_issues
from command.row_faults import RowFault
from gis.intake import Draft
from gis.intake.issues import inert

PREVIEW: Final = "preview.geojson"


def judge(folder: Path, draft: Draft, faults: Iterable[RowFault]) -> Draft:
    """Add faults to the issues and the preview of a draft, under the columns and rows of the file that was sent.

    Args:
        folder: Of the draft, with its result.
        draft: As it was read.
        faults: What is wrong beyond that.

    Returns:
        The draft with the new counts.
    """
    with (folder / draft.result).open(encoding="utf-8-sig", newline="") as stream:
        rows = {int(row["row"]): row for row in csv.DictReader(stream)}
    called = {column.field: column.name for column in draft.columns if column.field}
    issues = [_issue(fault, rows[fault.row], called) for fault in faults]
    if issues:
        _mark(folder / PREVIEW, {issue.row for issue in issues})
    return add_issues(folder, draft, issues)


def counts_of(draft: Draft, before: Mapping[str, object]) -> dict[str, int]:
    """Count what applying did, given what was there before under each id."""
    new = sum(held is None for held in before.values())
    return {
        "rows": draft.rows,
        "taken": len(before),
        "new": new,
        "changed": len(before) - new,
        "left_out": draft.rows - len(before),
    }


def _mark(preview: Path, rows: Collection[int]) -> None:
    """Show on the map that these rows cannot be taken; it holds a few thousand at most."""
    document = json.loads(preview.read_bytes())
    for feature in document["features"]:
        if feature["properties"].get("row") in rows:
            feature["properties"]["worst"] = "error"
    preview.write_text(json.dumps(document, ensure_ascii=False), "utf-8")


def _issue(fault: RowFault, cells: Mapping[str, str], called: Mapping[str, str]) -> Issue:
    column = called.get(fault.field, fault.field)
    lon, lat = cells.get("lon"), cells.get("lat")
    return Issue(
        row=fault.row,
        severity="error",
        issue=fault.issue,
        detail_zh=inert(f"{column}：{fault.zh}"),
        detail_en=inert(f"{column}: {fault.en}"),
        code=inert(cells.get("gb_id") or ""),
        name=inert(cells.get("name") or ""),
        lon=float(lon) if lon else None,
        lat=float(lat) if lat else None,
    )
