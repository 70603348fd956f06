"""What is wrong with a file's rows, kept in columns until it is written."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.intake.model import SEVERITIES, Severity

RANK: Final[dict[Severity, int]] = {"note": 1, "warning": 2, "error": 3}
MOST_PER_CODE: Final = 100_000
"""Issues of one code that are written out; a row has few of a kind, pairs of rows could have any number."""
MOST_SHOWN: Final = 200
"""Characters of a code or name that are written: one may be as long as the file."""
COLUMNS: Final = (
    "row",
    "code",
    "name",
    "severity",
    "issue",
    "detail_zh",
    "detail_en",
    "lon",
    "lat",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong with one row.

    ``index`` counts rows of the table from 0, -1 is the file as a whole; the place is in WGS-84 degrees.
    """

    index: int
    severity: Severity
    code: str
    zh: str
    en: str
    lon: float | None = None
    lat: float | None = None


class Issues:
    """All issues of a file.

    Args:
        rows: How many rows the file has.
    """

    def __init__(self, rows: int) -> None:
        self.worst: NDArray[np.int8] = np.zeros(rows, dtype=np.int8)
        self._issues: list[Issue] = []
        self._counts: Counter[str] = Counter()

    def add(self, issue: Issue) -> None:
        """Add one."""
        self._counts[issue.severity] += 1
        self._counts[issue.code] += 1
        if issue.index >= 0:
            self.worst[issue.index] = max(self.worst[issue.index], RANK[issue.severity])
        if self._counts[issue.code] <= MOST_PER_CODE:
            self._issues.append(issue)

    def add_rows(
        self,
        indices: Iterable[int] | NDArray[np.integer],
        severity: Severity,
        code: str,
        zh: str | Sequence[str],
        en: str | Sequence[str],
    ) -> None:
        """Add one to each of some rows, with one text for all or one a row."""
        for n, index in enumerate(np.asarray(list(indices), dtype=np.int64).tolist()):
            self.add(
                Issue(
                    index,
                    severity,
                    code,
                    zh if isinstance(zh, str) else zh[n],
                    en if isinstance(en, str) else en[n],
                )
            )

    @property
    def counts(self) -> dict[str, int]:
        """Issues by severity (all three, even when zero) and by code."""
        return {**dict.fromkeys(SEVERITIES, 0), **self._counts}

    @property
    def rows_by_worst(self) -> dict[str, int]:
        """Rows by their worst severity; those with notes only are good."""
        errors = int(np.count_nonzero(self.worst == RANK["error"]))
        warnings = int(np.count_nonzero(self.worst == RANK["warning"]))
        return {"good": len(self.worst) - errors - warnings, "warning": warnings, "error": errors}

    def write(
        self,
        path: Path,
        numbers: NDArray[np.int64],
        codes: Sequence[str],
        names: Sequence[str],
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
    ) -> None:
        """Write them as CSV by row, worst first; a row's own place stands in where an issue names none.

        Args:
            path: To write to.
            numbers: Row numbers as the file counts them.
            codes: Code of each row.
            names: Name of each row.
            lon: A point of each row in WGS-84 degrees, nan where there is none.
            lat: The same.
        """
        place = np.column_stack((lon, lat)).round(7).tolist()
        order = sorted(self._issues, key=lambda issue: (issue.index, -RANK[issue.severity]))
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(COLUMNS)
            for issue in order:
                known = issue.index >= 0
                x, y = (issue.lon, issue.lat) if issue.lon is not None else (None, None)
                if x is None and known:
                    x, y = place[issue.index]
                table.writerow(
                    (
                        int(numbers[issue.index]) if known else 0,
                        inert(codes[issue.index][:MOST_SHOWN]) if known else "",
                        inert(names[issue.index][:MOST_SHOWN]) if known else "",
                        issue.severity,
                        issue.code,
                        inert(issue.zh),
                        inert(issue.en),
                        "" if x is None or x != x else round(x, 7),
                        "" if y is None or y != y else round(y, 7),
                    )
                )


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
