"""What a leader takes away of the coverage: a table, and a page with a map that opens without any network.

Neither holds positions or names of responders: a file goes on to people whom nobody asked.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

import xlsxwriter

from command.coverage import Moment
from command.report_words import WORDS
from gis.areas import GRID, Area
from gis.coverage.page import Cell, Page, Row, Scale
from gis.coverage.rollup import Figures
from gis.nearest import ROAD

Language = Literal["zh-CN", "en"]
Value = str | int | float | None
COLOURS: Final = ("#ecd9a0", "#a3a27f", "#5f7f88", "#355a78", "#1d3a5f")
"""Sand is a gap, dark is covered, as on the screen."""
REACH_STEPS: Final = (0.5, 0.8, 0.9995)
SEEN_STEPS: Final = (0.01, 0.05, 0.2)
SIMPLIFY_M: Final = 5.0
ENOUGH: Final = 0.5


@dataclass(frozen=True, slots=True)
class Report:
    """The coverage of some areas at one moment.

    Attributes:
        moment: As it was measured.
        areas: Those above first; the first is what the report is about.
        minutes: Within how many minutes.
        made_by: Name of whoever asked.
        made_at: When.
        zone: In which moments are told.
        language: Of the words.
    """

    moment: Moment
    areas: Sequence[Area]
    minutes: int
    made_by: str
    made_at: datetime
    zone: ZoneInfo
    language: Language

    def word(self, key: str, **facts: object) -> str:
        """Return a text of the report's language."""
        return WORDS[self.language][key].format(**facts)

    def local(self, at: datetime) -> str:
        """Return a moment as people read it."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def figures(self) -> Mapping[str, Figures]:
        """The figures by code; takes some 50 ms the first time."""
        return self.moment.figures(self.minutes)

    def in_tree(self) -> list[Area]:
        """Return the areas as a tree is read: each above those below it."""
        chosen = {area.code for area in self.areas}
        below: dict[str | None, list[Area]] = {}
        for area in self.areas:
            below.setdefault(area.parent if area.parent in chosen else None, []).append(area)
        found: list[Area] = []
        waiting = below.get(None, [])[::-1]
        while waiting:
            area = waiting.pop()
            found.append(area)
            waiting += below.get(area.code, [])[::-1]
        return found


COLUMNS: Final = (
    "code",
    "name",
    "tier",
    "grids",
    "staffed",
    "on_duty",
    "road_km",
    "reach_3",
    "reach_5",
    "reach_10",
    "reached",
    "measured",
    "median_min",
    "p90_min",
    "area_km2",
    "seen",
    "watched",
)
"""Keys of the table's columns; the heads are ``column.KEY`` of the words."""


def values(report: Report, area: Area) -> list[Value]:
    """Return a row of the table, in the order of `COLUMNS`; shares are 0 to 1, None is unknown."""
    one = report.figures[area.code]
    return [
        area.code,
        area.name,
        area.label,
        one.grids,
        one.staffed,
        one.on_duty,
        round(one.road_m / 1000, 3) if report.moment.method == ROAD else None,
        *(_rounded(one.reach[60 * minutes]) for minutes in (3, 5, 10)),
        one.reached[60 * report.minutes],
        one.measured,
        None if one.median_s is None else round(one.median_s / 60, 1),
        None if one.p90_s is None else round(one.p90_s / 60, 1),
        round(one.area_m2 / 1e6, 4),
        _rounded(one.seen),
        one.watched,
    ]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def heads(report: Report) -> list[str]:
    """Return the heads of the table."""
    return [report.word(f"column.{key}", m=report.minutes) for key in COLUMNS]


def as_csv(report: Report) -> bytes:
    """Return the table as CSV that a spreadsheet opens with its letters right."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads(report))
    for area in report.in_tree():
        writer.writerow([_plain(value) for value in values(report, area)])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(report: Report) -> bytes:
    """Return the table as a workbook: figures stay figures, shares are percentages, texts are never formulas."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet(report.word("sheet"))
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        share = book.add_format({"num_format": "0.00%"})
        note = book.add_format({"text_wrap": True, "valign": "top"})
        for column, text in enumerate(heads(report)):
            sheet.write_string(0, column, text, head)
        for row, area in enumerate(report.in_tree(), start=1):
            sheet.set_row(row, None, None, {"level": min(area.tier - 1, 7)})
            for column, (key, value) in enumerate(zip(COLUMNS, values(report, area), strict=True)):
                if isinstance(value, str):
                    sheet.write_string(row, column, value)
                elif value is not None:
                    sheet.write_number(row, column, value, share if _is_share(key) else None)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, len(report.areas), len(COLUMNS) - 1)
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 1, 22)
        sheet.set_column(2, len(COLUMNS) - 1, 12)
        about = book.add_worksheet(report.word("notes"))
        about.set_column(0, 0, 22)
        about.set_column(1, 1, 90)
        for row, (what, text) in enumerate((*facts(report), *notes(report))):
            about.write_string(row, 0, what, note)
            about.write_string(row, 1, text, note)
    return out.getvalue()


def _is_share(key: str) -> bool:
    return key in ("reach_3", "reach_5", "reach_10", "seen")


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """Return what the report is about, of which moment, and who made it."""
    word, moment = report.word, report.moment
    return (
        (word("fact.area"), report.areas[0].name),
        (word("fact.at"), report.local(moment.at)),
        (word("fact.made"), f"{report.local(report.made_at)} {report.made_by}"),
        (word("fact.method"), word("method.road" if moment.method == ROAD else "method.line")),
        (word("fact.people"), word("people", n=len(moment.people))),
    )


def notes(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the definitions: terms and what they mean."""
    m = report.minutes
    return tuple((report.word(f"note.{name}", m=m), report.word(f"note.{name}.text", m=m)) for name in NOTES)


def _plain(value: Value) -> Value:
    """A text that a spreadsheet would take for a formula is kept a text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def page_of(report: Report) -> Page:
    """Return all that stands on the page with the map."""
    word, moment, figures = report.word, report.moment, report.figures
    top = report.areas[0]
    one = figures[top.code]
    key, minutes = 60 * report.minutes, report.minutes
    grids = [area for area in report.areas if area.tier == GRID]
    far = [g for g in grids if (share := figures[g.code].reach[key]) is not None and share < ENOUGH]
    scales, classes = _scales(report, grids)
    index = moment.areas
    shapes = {
        feature["id"]: feature
        for tier in sorted({area.tier for area in report.areas})
        for feature in index.feature_collection(tier=tier, simplify_m=SIMPLIFY_M)["features"]
    }
    above = sorted((area for area in report.areas if area.tier != GRID), key=lambda area: -area.tier)
    codes = frozenset(grid.code for grid in grids)
    return Page(
        language=report.language,
        title=word("title", name=top.name, far=len(far), m=minutes, all=len(grids)),
        facts=facts(report),
        cards=(
            _rate(report, "staffed", one.staffed, one.grids),
            _rate(report, "on_duty", one.on_duty, one.grids),
            _rate(report, "reach", one.reached[key], one.measured),
            _rate(report, "seen", one.watched, one.grids),
            (
                word("card.time"),
                word("minutes", n=_minutes(one.median_s)),
                word("card.time.below", n=_minutes(one.p90_s)),
            ),
            (
                word("card.cameras"),
                f"{moment.cameras.working} / {moment.cameras.total}",
                word("card.cameras.below", n=moment.cameras.undirected),
            ),
        ),
        scales=scales,
        grids=[
            Cell(grid.name, shapes[grid.code]["geometry"], classes[grid.code], _lines(report, grid))
            for grid in grids
        ],
        borders=[
            {"type": "Feature", "properties": {}, "geometry": shapes[area.code]["geometry"]} for area in above
        ],
        bounds=_bounds(index.area(top.code)),
        gaps=moment.gaps(minutes, codes)["features"],
        gaps_label=word("gaps", m=minutes),
        columns=heads(report),
        rows=[
            Row(area.tier, tuple(_cell(k, v) for k, v in zip(COLUMNS, values(report, area), strict=True)))
            for area in report.in_tree()
        ],
        filter_label=word("filter"),
        notes_title=word("notes"),
        notes=notes(report),
    )


NOTES: Final = ("staffed", "on_duty", "reach", "time", "seen", "gaps", "people")


def _bounds(area: Area) -> tuple[float, float, float, float]:
    west, south, east, north = area.geometry.bounds
    return float(west), float(south), float(east), float(north)


def _minutes(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds / 60:.1f}"


def _rate(report: Report, key: str, n: int, d: int) -> tuple[str, str, str]:
    title = report.word(f"card.{key}", m=report.minutes)
    return title, f"{100 * n / d:.2f}%" if d else "—", f"{n} / {d}　{report.word(f'card.{key}.below')}"


def _percent(share: float | None, digits: int = 1) -> str:
    return "—" if share is None else f"{100 * share:.{digits}f}%"


def _cell(key: str, value: Value) -> str:
    if value is None:
        return "—"
    if isinstance(value, float) and _is_share(key):
        return _percent(value, 2 if key == "seen" else 1)
    return str(value)


def _lines(report: Report, grid: Area) -> tuple[tuple[str, str], ...]:
    one, word = report.figures[grid.code], report.word
    return (
        (word("line.worker"), word(f"class.on_duty.{_duty(one)}")),
        (word("card.reach", m=report.minutes), _percent(one.reach[60 * report.minutes])),
        ("P50 / P90", f"{_minutes(one.median_s)} / {_minutes(one.p90_s)}"),
        (word("card.seen"), _percent(one.seen, 2) if one.watched else word("unseen")),
    )


def _scales(report: Report, grids: Sequence[Area]) -> tuple[tuple[Scale, ...], dict[str, tuple[int, ...]]]:
    """Return the four ways to colour the grids, and the class of each grid in each of them."""
    word, figures, key = report.word, report.figures, 60 * report.minutes
    classes: dict[str, tuple[int, ...]] = {}
    for grid in grids:
        one = figures[grid.code]
        classes[grid.code] = (
            _step(one.reach[key], REACH_STEPS),
            1 if one.staffed else 0,
            _duty(one),
            max(1, _step(one.seen, SEEN_STEPS)) if one.watched else 0,
        )
    kinds = (("reach", COLOURS), ("staffed", COLOURS[::4]), ("on_duty", COLOURS[::2]), ("seen", COLOURS))
    scales = tuple(
        Scale(
            word(f"card.{name}", m=report.minutes),
            tuple(
                (colour, word(f"class.{name}.{n}"), sum(found[place] == n for found in classes.values()))
                for n, colour in enumerate(colours)
            ),
        )
        for place, (name, colours) in enumerate(kinds)
    )
    return scales, classes


def _duty(grid: Figures) -> int:
    """Return 2 where the grid's worker is on duty, 1 where it has one, else 0."""
    return 2 if grid.on_duty else int(grid.staffed > 0)


def _step(share: float | None, steps: tuple[float, ...]) -> int:
    """Return the class of a share: 0 nothing, then by the upper ends, and -1 where there is nothing to be covered.

    >>> [_step(share, (0.5, 0.8)) for share in (None, 0.0, 0.2, 0.5, 1.0)]
    [-1, 0, 1, 2, 3]
    """
    if share is None:
        return -1
    return 0 if share < 0.0005 else 1 + sum(share >= step for step in steps)
