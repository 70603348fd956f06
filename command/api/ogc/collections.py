"""What each collection says of itself."""

import asyncio

import sqlalchemy as sa

from command.accounts.access import Principal
from command.api.ogc.links import GEOJSON, HTML, Place, both, link
from command.api.ogc.query import CRS84_URI, CRS_URIS, STORAGE_CRS
from command.api.services import Json, Services
from command.errors import NotFound
from command.layers import INCIDENTS, SHARED, Layer
from command.store import schema

GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


def offered(s: Services, me: Principal) -> list[Layer]:
    """Return the collections that exist for somebody."""
    return [layer for layer in SHARED.values() if any(s.access.allows(me, one) for one in layer.permissions)]


def offered_one(s: Services, me: Principal, collection_id: str) -> Layer:
    """Return one of them.

    Raises:
        NotFound: There is none with this id, or it is not for this person.
    """
    found = next((layer for layer in offered(s, me) if layer.id == collection_id), None)
    if found is None:
        raise NotFound("collection", collection_id)
    return found


async def described(s: Services, me: Principal, layer: Layer, place: Place) -> Json:
    """Return the metadata of a collection."""
    path = f"/collections/{layer.id}"
    title = f"{layer.title} {layer.title_en}"
    extent = await _extent(s, me, layer)
    return {
        "id": layer.id,
        "title": title,
        "description": layer.about,
        "itemType": "feature",
        **({} if extent is None else {"extent": extent}),
        "crs": list(CRS_URIS),
        "storageCrs": STORAGE_CRS,
        "links": [
            *both(place, path, title),
            link(place.url(f"{path}/items", f="json"), "items", GEOJSON, title),
            link(place.url(f"{path}/items", f="html"), "items", HTML, title),
        ],
    }


async def _extent(s: Services, me: Principal, layer: Layer) -> Json | None:
    """Return where and when the features are, as far as it can be told without reading all of them."""
    sight = s.layers.sight(me)
    if layer is not INCIDENTS:
        box = await asyncio.to_thread(s.layers.extent, layer, sight)
        return None if box is None else {"spatial": {"bbox": [list(box)], "crs": CRS84_URI}}
    table = schema.incidents.c
    if not sees_every_incident(s, me):
        # The box around others' incidents would tell of them.
        return {"temporal": {"interval": [[None, None]], "trs": GREGORIAN}}
    query = sa.select(
        sa.func.min(table.lon),
        sa.func.min(table.lat),
        sa.func.max(table.lon),
        sa.func.max(table.lat),
        sa.func.min(table.reported_at),
    )
    *corners, first = await s.database.read(lambda connection: tuple(connection.execute(query).one()))
    if first is None:
        return None
    return {
        "spatial": {"bbox": [corners], "crs": CRS84_URI},
        "temporal": {"interval": [[first, None]], "trs": GREGORIAN},
    }


def sees_every_incident(s: Services, me: Principal) -> bool:
    """Say whether no incident is hidden from somebody."""
    return s.access.scope(me, "view.map") == "all" and s.access.viewer(me).area is None


async def listed(s: Services, me: Principal, place: Place) -> Json:
    """Return all collections that exist for somebody."""
    title = "图层 Collections"
    return {
        "title": title,
        "links": both(place, "/collections", title),
        "crs": list(CRS_URIS),
        "collections": [await described(s, me, layer, place) for layer in offered(s, me)],
    }
