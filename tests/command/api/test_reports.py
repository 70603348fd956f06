"""What is taken away of the coverage: the same figures, harmless in a spreadsheet and a browser, and recorded."""

from __future__ import annotations

import csv
import io
import re

from python_calamine import CalamineWorkbook

from command.report_words import WORDS
from command.reports import COLUMNS, _plain
from command.resources import static_dir
from tests.command.api.test_coverage import ask, by_code
from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G8, Centre


async def test_the_table_has_the_figures_of_the_screen(centre: Centre) -> None:
    screen = by_code(await ask(centre))
    answer = await centre.get("leader", "/reports/coverage.csv")
    assert answer.status_code == 200
    assert re.search(r'filename="coverage-340604-\d{8}-\d{4}\.csv"', answer.headers["content-disposition"])
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heads, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert len(heads) == len(COLUMNS)
    assert [row[0] for row in rows] == sorted(screen)  # as a tree is read
    table = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    for code, row in screen.items():
        assert int(table[code]["staffed"]) == row["staffed"]
        assert float(table[code]["reach_5"]) == row["reach"]["5"]
    town = await centre.get("town", "/reports/coverage.csv")
    assert {row[:9] for row in town.text.splitlines()[1:]} == {"340604001"}
    entries = (await centre.get("leader", "/audit")).json()["items"]
    taken = [entry for entry in entries if entry["action"] == "report.exported"]
    assert [entry["object"] for entry in taken] == ["coverage:340604001", f"coverage:{COUNTY}"]


async def test_the_workbook_has_the_same_figures(centre: Centre) -> None:
    screen = by_code(await ask(centre))
    answer = await centre.get("leader", "/reports/coverage.xlsx")
    assert answer.status_code == 200
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    heads, *rows = book.get_sheet_by_name("网格覆盖").to_python()
    assert len(heads) == len(COLUMNS)
    table = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    assert set(table) == set(screen)
    assert table[COUNTY]["staffed"] == screen[COUNTY]["staffed"]
    assert table[COUNTY]["reach_3"] == screen[COUNTY]["reach"]["3"]
    assert [row[0] for row in book.get_sheet_by_name("指标口径").to_python()[1:3]] == ["数据时间", "制作"]


async def test_the_page_names_no_other_place_and_nobody(centre: Centre) -> None:
    answer = await centre.get("leader", "/reports/coverage.html", minutes=3)
    assert answer.status_code == 200
    page = answer.text
    leaflet = (static_dir() / "vendor" / "leaflet" / "leaflet.js").read_text("utf-8")
    assert leaflet in page
    assert "Redistributions in binary form" in page  # its licence goes with it
    assert not re.search(r"""\b(?:src|href)\s*=|url\(|@import""", page.replace(leaflet, ""))
    assert "八格县网格覆盖" in page
    assert "带班领导 程远山" in page  # who made it
    assert "周巧云" not in page
    assert page.count('"classes":') == 8
    english = (await centre.get("leader", "/reports/coverage.html", lang="en", area=G1)).text
    assert "beyond 5 minutes" in english
    assert english.count('"classes":') == 1
    error(await centre.get("town", "/reports/coverage.html", area=G8), 404, "not_found")
    error(await centre.get("admin", "/reports/coverage.html"), 403, "forbidden")


def test_both_languages_have_every_word() -> None:
    chinese, english = (set(words) for words in WORDS.values())
    assert chinese == english


def test_no_cell_is_a_formula() -> None:
    assert [_plain(value) for value in ("=1+1", "@x", "三桥镇", -3)] == ["'=1+1", "'@x", "三桥镇", -3]
