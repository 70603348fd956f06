"""Features of a collection: chosen, put on pages, written."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from command.accounts.access import Principal
from command.api.ogc.collections import sees_every_incident
from command.api.ogc.links import GEOJSON, Place, both, link
from command.api.ogc.query import CRS84_URI, Query, in_span
from command.api.services import Json, Services
from command.clock import rfc3339
from command.layers import INCIDENTS, Cell, Item, Layer, Sight, of_incident
from command.layers.extras import extras_of, free_names
from command.store import schema
from command.store.glance import incidents_between
from gis.projecting import Target, geojson


@dataclass(frozen=True, slots=True)
class Page:
    """Some features of a collection, by id.

    Attributes:
        matched: How many there are on all pages; None where only reading them all would tell.
        earlier: There are some before.
        later: There are some after.
        extras: Names of what a centre's own files say beyond our fields, the same on all pages.
    """

    items: Sequence[Item]
    matched: int | None
    earlier: bool
    later: bool
    extras: Sequence[str] = ()


async def page_of(s: Services, me: Principal, layer: Layer, query: Query) -> Page:
    """Return a page of the features that somebody may see."""
    sight = s.layers.sight(me)
    if layer is INCIDENTS:
        return await _incidents(s, me, sight, query)

    def read() -> Page:
        items = _chosen(layer, s.layers.items(layer, sight), query)
        return replace(_cut(items, query), extras=s.layers.extras(layer))

    return await asyncio.to_thread(read)


async def feature_of(s: Services, me: Principal, layer: Layer, key: str) -> tuple[Item | None, Sequence[str]]:
    """Return one feature, None where there is none that somebody may see; and `Page.extras`."""
    sight = s.layers.sight(me)
    if layer is INCIDENTS:
        return await s.layers.incident(sight, key), ()
    return await asyncio.to_thread(lambda: (s.layers.item(layer, sight, key), s.layers.extras(layer)))


def _chosen(layer: Layer, items: Sequence[Item], query: Query) -> Sequence[Item]:
    if query.boxes is not None:
        items = [item for item in items if item.meets(query.boxes)]
    if query.span is not None and layer.span is not None:
        items = [item for item in items if in_span(layer, item.thing, query.span)]
    for name, value in query.wanted.items():
        get = layer.filters[name].get
        items = [item for item in items if get(item.thing) == value]
    return items


def _cut(items: Sequence[Item], query: Query) -> Page:
    if query.before is not None:
        end = bisect_left(items, query.before, key=lambda item: item.id)
        start = max(0, end - query.limit)
    else:
        start = 0 if query.after is None else bisect_right(items, query.after, key=lambda item: item.id)
        end = start + query.limit
    return Page(items[start:end], len(items), earlier=start > 0, later=end < len(items))


async def _incidents(s: Services, me: Principal, sight: Sight, query: Query) -> Page:
    """Read incidents from the table: years of them are not on the board."""
    table = schema.incidents.c
    conditions: list[sa.ColumnElement[bool]] = [table[name] == value for name, value in query.wanted.items()]
    if query.boxes is not None:
        conditions.append(
            sa.or_(
                *(
                    sa.and_(table.lon.between(west, east), table.lat.between(south, north))
                    for west, south, east, north in query.boxes
                )
            )
        )
    if query.span is not None:
        start, end = query.span
        conditions += [] if start is None else [table.reported_at >= start]
        conditions += [] if end is None else [table.reported_at <= end]
    backwards = query.before is not None
    edge = query.before if backwards else query.after

    def read(connection: sa.Connection) -> tuple[list[Item], bool, int | None]:
        beyond = [] if edge is None else [table.id < edge if backwards else table.id > edge]
        found: list[Item] = []
        more = False
        for incident in incidents_between(connection, None, None, *conditions, *beyond, backwards=backwards):
            if sight.sees("incidents", incident):
                if len(found) == query.limit:
                    more = True
                    break
                found.append(of_incident(incident))
        counted = sa.select(sa.func.count()).select_from(schema.incidents).where(*conditions)
        whole = sees_every_incident(s, me)
        return found, more, int(connection.execute(counted).scalar_one()) if whole else None

    items, more, matched = await s.database.read(read)
    if backwards:
        return Page(items[::-1], matched, earlier=more, later=True)
    return Page(items, matched, earlier=edge is not None, later=more)


def feature(layer: Layer, item: Item, crs: Target, extras: Sequence[str] = ()) -> Json:
    """Return a thing as GeoJSON."""
    more = extras_of(item) if extras else {}
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": None if item.at is None else geojson(item.at, crs),
        "properties": {
            **{fld.name: _value(fld.get(item.thing)) for fld in layer.fields},
            **{free: more.get(name) for free, name in zip(free_names(layer, extras), extras, strict=True)},
        },
    }


def _value(cell: Cell) -> object:
    return list(cell) if isinstance(cell, tuple) else cell


def collection(
    s: Services, layer: Layer, page: Page, query: Query, given: Mapping[str, str], place: Place
) -> Json:
    """Return a page as GeoJSON, with the links to its neighbours."""
    return {
        "type": "FeatureCollection",
        "links": page_links(layer, page, given, place),
        "timeStamp": rfc3339(s.clock.now()),
        **({} if page.matched is None else {"numberMatched": page.matched}),
        "numberReturned": len(page.items),
        "features": [feature(layer, item, query.crs, page.extras) for item in page.items],
    }


def page_links(layer: Layer, page: Page, given: Mapping[str, str], place: Place) -> list[Json]:
    """Return the links of a page: itself, its other form, the one before and the one after, its collection."""
    path, title = f"/collections/{layer.id}/items", f"{layer.title} {layer.title_en}"
    rest = {name: value for name, value in given.items() if name not in ("f", "cursor")}
    forms = ("html", "json") if place.html else ("json", "html")

    def at(form: str, cursor: str | None) -> str:
        return place.with_query(path, {**rest, "cursor": cursor, "f": form})

    here = given.get("cursor")
    kinds = {"json": GEOJSON, "html": "text/html"}
    links = [
        link(at(forms[0], here), "self", kinds[forms[0]], title),
        link(at(forms[1], here), "alternate", kinds[forms[1]], title),
    ]
    if page.items and page.later:
        cursor = f"after.{page.items[-1].id}"
        links.append(link(at(forms[0], cursor), "next", kinds[forms[0]], "下一页 Next page"))
    if page.items and page.earlier:
        cursor = f"before.{page.items[0].id}"
        links.append(link(at(forms[0], cursor), "prev", kinds[forms[0]], "上一页 Previous page"))
    links.append(link(place.url(f"/collections/{layer.id}"), "collection", "application/json", title))
    return links


def one(layer: Layer, item: Item, extras: Sequence[str], query: Query, place: Place) -> Json:
    """Return one feature as GeoJSON with its links."""
    path = f"/collections/{layer.id}/items/{item.id}"
    title = f"{layer.title} {layer.title_en}"
    crs = None if query.crs_uri == CRS84_URI else query.crs_uri
    links = both(place, path, title, machine=GEOJSON)
    if crs is not None:
        # The same coordinates again, wherever the link is followed from.
        links = [{**one, "href": f"{one['href']}&crs={crs}"} for one in links]
    parent = link(place.url(f"/collections/{layer.id}"), "collection", "application/json", title)
    return {**feature(layer, item, query.crs, extras), "links": [*links, parent]}
