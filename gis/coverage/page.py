"""A page that shows coverage on a map, made by folium, which opens from a file without any network.

folium's own page names ten files on other hosts. Here Leaflet stands in the page, its pictures are left out, and
nothing else is asked for. Every word comes from the caller; nothing in it is read as markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

NO_DATA = "#c9d0da"
"""Of a grid that has nothing to be covered."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to colour the grids.

    Attributes:
        title: What is measured.
        classes: (colour as ``#rrggbb``, label, number of grids), the gaps first.
    """

    title: str
    classes: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One grid on the map.

    Attributes:
        name: Its name.
        geometry: GeoJSON, lon/lat degrees.
        classes: Its class in each scale, -1 where there is nothing to be covered.
        lines: (what, figure) that are shown over it.
    """

    name: str
    geometry: Mapping[str, Any]
    classes: tuple[int, ...]
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; ``tier`` 1 to 4 indents it."""

    tier: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that stands on the page.

    Attributes:
        language: Of the words, such as ``zh-CN``.
        title: The sentence at the top; also the title of the window.
        facts: (what, value): place, moment, who made it.
        cards: (title, figure, below it).
        scales: The first is shown at first.
        grids: The map.
        borders: GeoJSON features of the areas above, the uppermost last.
        bounds: west, south, east, north in degrees.
        gaps: GeoJSON features of what is out of reach.
        gaps_label: What they are called.
        columns: Heads of the table.
        rows: The table.
        filter_label: Of the box that filters the table by name.
        notes_title: Above the definitions.
        notes: (term, what it means).
    """

    language: str
    title: str
    facts: Sequence[tuple[str, str]]
    cards: Sequence[tuple[str, str, str]]
    scales: Sequence[Scale]
    grids: Sequence[Cell]
    borders: Sequence[Mapping[str, Any]]
    bounds: tuple[float, float, float, float]
    gaps: Sequence[Mapping[str, Any]]
    gaps_label: str
    columns: Sequence[str]
    rows: Sequence[Row]
    filter_label: str
    notes_title: str
    notes: Sequence[tuple[str, str]]


def render(page: Page, leaflet_js: str, leaflet_css: str) -> str:
    """Return the page as one HTML file.

    Args:
        page: What it shows.
        leaflet_js: Leaflet itself.
        leaflet_css: Its styles.
    """
    # folium takes half a second to import, and most services never make a page.
    import folium
    from branca.element import Element, Figure, MacroElement
    from folium.template import Template

    class Marks(MacroElement):
        """Where our script and what stands below the map go: after the map's own."""

        _template = Template(
            "{% macro html(this, kwargs) %}@@below@@{% endmacro %}"
            "{% macro script(this, kwargs) %}@@script@@{% endmacro %}"
        )

    west, south, east, north = page.bounds
    figure = Figure(title="@@title@@")
    drawn = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        prefer_canvas=True,
        attribution_control=False,
        zoom_snap=0.25,
    )
    drawn.default_js, drawn.default_css = [], []
    figure.add_child(drawn)
    layers = [drawn.get_name()]
    for features in (_outlines(page.grids), page.borders, page.gaps):
        layer = folium.GeoJson({"type": "FeatureCollection", "features": list(features)}, smooth_factor=0.5)
        layer.add_to(drawn)
        layers.append(layer.get_name())
    drawn.fit_bounds([[south, west], [north, east]], padding=(12, 12))
    figure.header.add_child(Element("@@styles@@"))
    figure.header.add_child(Element("@@leaflet@@"))
    figure.html.add_child(Element("@@above@@"), index=0)
    drawn.add_child(Marks())  # type: ignore[no-untyped-call]
    text: str = figure.render()
    # What goes through folium is read as a template, more than once; nothing but numbers does.
    parts = {
        "title": escape(page.title),
        "styles": f"<style>{_styles_alone(leaflet_css)}{_own('page.css')}</style>",
        "leaflet": f"<script>{leaflet_js}</script>",
        "above": _above(page),
        "below": _below(page),
        "script": _script(page, layers),
    }
    text = text.replace("<html>", f'<html lang="{escape(page.language)}">', 1)
    return re.sub("@@([a-z]+)@@", lambda mark: parts[mark[1]], text)


def _outlines(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """The grids without words: their numbers say which is which."""
    return [
        {"type": "Feature", "properties": {"n": n}, "geometry": cell.geometry} for n, cell in enumerate(cells)
    ]


def _styles_alone(css: str) -> str:
    """Leaflet's styles without the pictures they name: a layer button and a marker that the page has none of.

    >>> _styles_alone(".a { background-image: url(images/layers.png); }")
    '.a { background-image: none; }'
    """
    return re.sub(r"url\([^)]*\)", "none", css)


def _above(page: Page) -> str:
    facts = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for what, value in page.facts
    )
    cards = "".join(
        f"<section><h2>{escape(title)}</h2><b>{escape(figure)}</b><p>{escape(below)}</p></section>"
        for title, figure, below in page.cards
    )
    buttons = "".join(
        f'<button type="button" data-scale="{n}" aria-pressed="{"false" if n else "true"}">'
        f"{escape(scale.title)}</button>"
        for n, scale in enumerate(page.scales)
    )
    legends = "".join(
        f'<ul data-scale="{n}"{" hidden" if n else ""}>'
        + "".join(
            f'<li><i style="background:{escape(colour)}"></i>{escape(label)}<b>{count}</b></li>'
            for colour, label, count in scale.classes
        )
        + "</ul>"
        for n, scale in enumerate(page.scales)
    )
    return (
        f'<main><header><h1>{escape(page.title)}</h1><dl class="facts">{facts}</dl></header>'
        f'<div class="cards">{cards}</div>'
        f'<div class="bar"><nav>{buttons}</nav><label><input type="checkbox" id="gaps" checked>'
        f'{escape(page.gaps_label)}</label></div><div class="ground"><div class="legend">{legends}</div>'
    )


def _below(page: Page) -> str:
    heads = "".join(f"<th>{escape(column)}</th>" for column in page.columns)
    rows = "".join(
        f'<tr class="t{row.tier}">' + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells) + "</tr>"
        for row in page.rows
    )
    notes = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in page.notes)
    return (
        f'</div><div class="table"><label class="filter">{escape(page.filter_label)}'
        f'<input type="search" id="filter"></label>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<section class="notes"><h2>{escape(page.notes_title)}</h2><dl>{notes}</dl></section></main>'
    )


def _script(page: Page, layers: Sequence[str]) -> str:
    known = {
        "colours": [[colour for colour, _, _ in scale.classes] for scale in page.scales],
        "none": NO_DATA,
        "grids": [{"name": cell.name, "classes": cell.classes, "lines": cell.lines} for cell in page.grids],
    }
    text = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"{_own('page.js')}\ncoveragePage({', '.join(layers)}, {text});\n"


def _own(name: str) -> str:
    return (resources.files("gis.coverage") / name).read_text("utf-8")
