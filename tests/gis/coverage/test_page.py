"""The exported page takes every word as a word, whatever it looks like."""

from __future__ import annotations

import json
import re

import shapely

from gis.coverage.page import Cell, Page, Row, Scale, render

HOSTILE = "</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}"


def page(word: str) -> str:
    box = json.loads(shapely.to_geojson(shapely.box(117.0, 34.0, 117.1, 34.1)))
    return render(
        Page(
            language="zh-CN",
            title=word,
            facts=[(word, word)],
            cards=[(word, word, word)],
            scales=[Scale(word, (("#ecd9a0", word, 0), ("#1d3a5f", word, 1)))],
            grids=[Cell(word, box, (1,), ((word, word),))],
            borders=[],
            bounds=(117.0, 34.0, 117.1, 34.1),
            gaps=[],
            gaps_label=word,
            columns=[word],
            rows=[Row(4, (word, word))],
            filter_label=word,
            notes_title=word,
            notes=[(word, word)],
        ),
        "/* leaflet {{ not a template }} */",
        ".a { background: url(images/layers.png) }",
    )


def test_words_are_no_markup_and_no_template() -> None:
    text = page(HOSTILE)
    assert "<img" not in text
    assert "49" not in re.sub(r"[0-9a-f]{32}", "", text)  # names that folium makes up
    assert text.count("{{ 7 * 7 }}") >= 12
    assert text.count("</script>") == page("x").count("</script>")
    assert "/* leaflet {{ not a template }} */" in text
    assert "url(" not in text
