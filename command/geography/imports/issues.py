"""The list of issues that a draft leaves: read page by page, and added to by those who know a kind better."""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from gis.intake import Draft, Severity

FILE: Final = "issues.csv"
_RANK: Final = {"error": 3, "warning": 2, "note": 1}


class Issue(msgspec.Struct, frozen=True):
    """One thing wrong with one row.

    Attributes:
        row: As the file counts them, from 1; 0 is the file as a whole.
        code: Code of the row, as far as it has one.
        name: Its name.
        severity: error: cannot be taken; warning: taken if asked for; note.
        issue: A word for programs.
        detail_zh: For a person.
        detail_en: The same.
        lon: Where on the map, WGS-84 degrees.
        lat: The same.
    """

    row: int
    severity: Severity
    issue: str
    detail_zh: str
    detail_en: str
    code: str = ""
    name: str = ""
    lon: float | None = None
    lat: float | None = None


def read_issues(
    path: Path, cursor: int, limit: int, *, severity: str | None = None, code: str | None = None
) -> tuple[list[Issue], int | None]:
    """Return a page of the issues by row, and where the next one begins.

    Args:
        path: The list.
        cursor: 0, or what the last page said.
        limit: Most to return.
        severity: Only these.
        code: Only these (the issue's word).
    """
    found: list[Issue] = []
    for number, issue in enumerate(_all(path)):
        if number < cursor or severity not in (None, issue.severity) or code not in (None, issue.issue):
            continue
        if len(found) == limit:
            return found, number
        found.append(issue)
    return found, None


def add_issues(folder: Path, draft: Draft, issues: Iterable[Issue]) -> Draft:
    """Add issues to those of a draft, and return the draft with the new counts."""
    extra = list(issues)
    if not extra:
        return draft
    path = folder / FILE
    both = sorted([*_all(path), *extra], key=lambda issue: (issue.row, -_RANK[issue.severity]))
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.writer(stream)
        columns = ("row", "code", "name", "severity", "issue", "detail_zh", "detail_en", "lon", "lat")
        table.writerow(columns)
        for issue in both:
            values = (getattr(issue, name) for name in columns)
            table.writerow(["" if value is None else value for value in values])
    os.replace(part, path)
    counts = Counter(draft.counts)
    for issue in extra:
        counts[issue.severity] += 1
        counts[issue.issue] += 1
    worst: dict[int, str] = {}
    for issue in both:
        if issue.row and _RANK[issue.severity] > _RANK.get(worst.get(issue.row, ""), 0):
            worst[issue.row] = issue.severity
    by_worst = Counter(worst.values())
    refused = len({issue.row for issue in extra if issue.severity == "error"})
    good = draft.rows - by_worst["error"] - by_worst["warning"]
    return msgspec.structs.replace(
        draft,
        taken=max(0, draft.taken - refused),
        counts=dict(counts),
        rows_by_worst={"good": good, "warning": by_worst["warning"], "error": by_worst["error"]},
    )


def _all(path: Path) -> Iterator[Issue]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            yield Issue(
                row=int(row["row"]),
                severity=_severity(row["severity"]),
                issue=row["issue"],
                detail_zh=row["detail_zh"],
                detail_en=row["detail_en"],
                code=row["code"],
                name=row["name"],
                lon=float(row["lon"]) if row["lon"] else None,
                lat=float(row["lat"]) if row["lat"] else None,
            )


def _severity(word: str) -> Severity:
    return "error" if word == "error" else "warning" if word == "warning" else "note"
