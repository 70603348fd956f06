"""The same resources for people: plain pages from this machine, without a script."""

from collections.abc import Iterable, Mapping
from html import escape

from command.api.ogc.features import Page, page_links
from command.api.ogc.links import ROOT, Place
from command.api.services import Json
from command.layers import Cell, Item, Layer
from command.layers.extras import extras_of
from gis.projecting import Geometry

_HEAD = (
    '<!doctype html>\n<html lang="zh-CN" data-theme="light"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title>'
    '<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/css/ogc.css">'
    '<link rel="icon" href="/static/field-icon.svg" type="image/svg+xml">'
    "</head><body>\n<header><nav>{trail}</nav><h1>{title}</h1></header>\n<main>\n"
)


def _whole(title: str, trail: Iterable[tuple[str, str]], body: str, links: object) -> str:
    crumbs = " › ".join(f'<a href="{escape(href)}">{escape(text)}</a>' for text, href in trail)
    return _HEAD.format(title=escape(title), trail=crumbs) + body + _links(links) + "</main></body></html>\n"


def _links(links: object) -> str:
    assert isinstance(links, list)
    rows = "".join(
        f'<li><a rel="{escape(one["rel"])}" href="{escape(one["href"])}">{escape(one["title"])}</a> '
        f"<small>{escape(one['rel'])} · {escape(one['type'])}</small></li>"
        for one in links
    )
    return f"<section><h2>链接 Links</h2><ul>{rows}</ul></section>\n"


def landing(content: Json) -> str:
    """Return the landing page."""
    return _whole(
        str(content["title"]), (), f"<p>{escape(str(content['description']))}</p>\n", content["links"]
    )


def conformance(content: Json) -> str:
    """Return the list of what is conformed to."""
    classes = content["conformsTo"]
    assert isinstance(classes, list)
    rows = "".join(f"<li><code>{escape(one)}</code></li>" for one in classes)
    title = "符合的标准 Conformance"
    return _whole(title, (("一屏", ROOT),), f"<ul>{rows}</ul>\n", content["links"])


def collections(content: Json) -> str:
    """Return the list of collections."""
    found = content["collections"]
    assert isinstance(found, list)
    rows = "".join(
        f'<li><a href="{ROOT}/collections/{escape(one["id"])}">{escape(one["title"])}</a> '
        f"<small>{escape(one['description'])}</small></li>"
        for one in found
    )
    crs = _list("坐标系 Coordinate reference systems", content["crs"])
    title = str(content["title"])
    return _whole(title, (("一屏", ROOT),), f"<ul>{rows}</ul>\n{crs}", content["links"])


def collection(content: Json) -> str:
    """Return what a collection says of itself."""
    body = f"<p>{escape(str(content['description']))}</p>\n"
    facts = {
        "id": content["id"],
        "itemType": content["itemType"],
        "extent": content.get("extent", ""),
        "storageCrs": content["storageCrs"],
    }
    body += _facts(facts) + _list("坐标系 Coordinate reference systems", content["crs"])
    return _whole(str(content["title"]), _trail(), body, content["links"])


def items(layer: Layer, page: Page, given: Mapping[str, str], place: Place, stamp: str) -> str:
    """Return a page of features as a table."""
    matched = "?" if page.matched is None else page.matched
    counts = f"<p>{len(page.items)} / {matched} · {escape(stamp)}</p>\n"
    head = "".join(
        f"<th>{escape(fld.title)}<br><small>{escape(fld.name)}</small></th>" for fld in layer.fields
    )
    rows = "".join(_row(layer, item, place) for item in page.items)
    table = (
        f'<div class="wide"><table><thead><tr><th>id</th><th>位置<br><small>geometry</small></th>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>\n"
    )
    links = page_links(layer, page, given, place)
    turning = "".join(
        f'<a class="turn" rel="{one["rel"]}" href="{escape(str(one["href"]))}">{escape(str(one["title"]))}</a>'
        for one in links
        if one["rel"] in ("next", "prev")
    )
    title = f"{layer.title} {layer.title_en}"
    return _whole(title, _trail(layer), counts + table + f"<p>{turning}</p>\n", links)


def feature(layer: Layer, item: Item, content: Json) -> str:
    """Return one feature."""
    facts: dict[str, object] = {"id": item.id, "geometry": content["geometry"] or "–"}
    facts |= {f"{fld.title} {fld.name}": _shown(fld.get(item.thing)) for fld in layer.fields}
    facts |= extras_of(item)
    return _whole(f"{layer.title} {item.id}", _trail(layer), _facts(facts), content["links"])


def definition(content: Json, place: Place) -> str:
    """Return the description of the interface: its resources and their parameters."""
    paths, components = content["paths"], content["components"]
    assert isinstance(paths, dict)
    assert isinstance(components, dict)
    known = components["parameters"]
    body = ""
    for path, methods in paths.items():
        said = methods["get"]
        parameters = [
            known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
            for one in said.get("parameters", ())
        ]
        rows = "".join(
            f"<li><code>{escape(one['name'])}</code> {escape(one.get('description', ''))}</li>"
            for one in parameters
        )
        body += f"<h2><code>GET {escape(path)}</code></h2><p>{escape(said['summary'])}</p><ul>{rows}</ul>\n"
    links: list[Json] = [
        {"href": place.url("/api", f="html"), "rel": "self", "type": "text/html", "title": "HTML"},
        {
            "href": place.url("/api", f="json"),
            "rel": "alternate",
            "type": "application/json",
            "title": "JSON",
        },
    ]
    return _whole("接口说明 API definition", (("一屏", ROOT),), body, links)


def _trail(layer: Layer | None = None) -> list[tuple[str, str]]:
    trail = [("一屏", ROOT), ("图层 Collections", f"{ROOT}/collections")]
    if layer is not None:
        trail.append((f"{layer.title} {layer.title_en}", f"{ROOT}/collections/{layer.id}"))
        trail.append(("items", f"{ROOT}/collections/{layer.id}/items"))
    return trail


def _row(layer: Layer, item: Item, place: Place) -> str:
    cells = "".join(f"<td>{escape(_shown(fld.get(item.thing)))}</td>" for fld in layer.fields)
    href = escape(place.url(f"/collections/{layer.id}/items/{item.id}"))
    return (
        f'<tr><td><a href="{href}">{escape(item.id)}</a></td><td>{escape(_where(item.at))}</td>{cells}</tr>'
    )


def _where(at: Geometry | None) -> str:
    if at is None:
        return "–"
    return f"{at[0]:.6f}, {at[1]:.6f}" if isinstance(at, tuple) else str(at.geom_type)


def _shown(cell: Cell) -> str:
    if isinstance(cell, tuple):
        return "、".join(cell)
    return "" if cell is None else str(cell)


def _facts(facts: Mapping[str, object]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>\n"


def _list(title: str, texts: object) -> str:
    assert isinstance(texts, list)
    rows = "".join(f"<li><code>{escape(one)}</code></li>" for one in texts)
    return f"<h2>{title}</h2><ul>{rows}</ul>\n"
