"""The resources of OGC API – Features, Parts 1 and 2, for QGIS, GDAL and whatever else reads it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from command.api import errors
from command.api.ogc import pages
from command.api.ogc.access import Reader
from command.api.ogc.collections import described, listed, offered, offered_one
from command.api.ogc.definition import definition
from command.api.ogc.features import collection, feature_of, one, page_of
from command.api.ogc.links import (
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    ROOT,
    NotAcceptable,
    Place,
    both,
    link,
    place_of,
)
from command.api.ogc.query import CRS84_URI, OWN, BadQuery, Query, crs_named, parameters, read_query
from command.api.services import Json, ServicesOf
from command.clock import rfc3339
from command.errors import NotFound, YipingError
from command.layers import Layer

_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features-"
CONFORMS_TO: Final = (
    f"{_FEATURES}1/1.0/conf/core",
    f"{_FEATURES}1/1.0/conf/oas30",
    f"{_FEATURES}1/1.0/conf/html",
    f"{_FEATURES}1/1.0/conf/geojson",
    f"{_FEATURES}2/1.0/conf/crs",
)
"""Each of them has its tests."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OgcRoute(APIRoute):
    """A route whose failures have the form and the status that the standard asks for."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await inner(request)
            except BadQuery as error:
                response = _failure(400, "InvalidParameterValue", str(error))
            except NotAcceptable:
                response = _failure(406, "NotAcceptable", "The resources are JSON and HTML.")
            except YipingError as error:
                response = _ours(error)
            except HTTPException as error:
                response = _failure(error.status_code, "HttpError", str(error.detail))
            response.headers.setdefault("cache-control", "private, no-store")
            response.headers["vary"] = "accept, authorization, cookie"
            return response

        return handler


router = APIRouter(prefix=ROOT, route_class=OgcRoute, include_in_schema=False)


def _ours(error: YipingError) -> Response:
    whole = errors.response_of(error)
    headers = {name: value for name, value in whole.headers.items() if name == "retry-after"}
    if whole.status_code == 401:
        # What makes QGIS, GDAL and browsers ask for a name and a password.
        headers["www-authenticate"] = 'Basic realm="Yiping", charset="UTF-8"'
    status = 400 if whole.status_code == 422 else whole.status_code
    return _failure(status, error.code, error.detail, headers)


def _failure(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    said = {"code": code, "description": detail}
    return errors.error_response(status, code, detail, extras=said, headers=headers)


async def _plain(request: Request) -> Place:
    """Return where a request came to that takes no parameter but the form."""
    parameters(request, ())
    return place_of(request)


At = Annotated[Place, Depends(_plain)]


def _answer(content: Json | dict[str, Any], kind: str = JSON, crs: str | None = None) -> Response:
    headers = {} if crs is None else {"content-crs": f"<{crs}>"}
    return Response(msgspec.json.encode(content), media_type=kind, headers=headers)


def _page(text: str, crs: str | None = None) -> Response:
    return HTMLResponse(text, headers={} if crs is None else {"content-crs": f"<{crs}>"})


@router.get("")
@router.get("/")
async def landing(_me: Reader, s: ServicesOf, at: At) -> Response:
    """Say what there is."""
    content: Json = {
        "title": f"{s.district.about.name} · 一屏",
        "description": "区县的区划、网格、警格、地点、摄像头、事件与处置力量，按读者的权限提供。"
        " Layers of the district, with the reader's permissions.",
        "links": [
            *both(at, "", "一屏"),
            link(at.url("/api", f="json"), "service-desc", OPENAPI, "接口说明 API definition"),
            link(at.url("/api", f="html"), "service-doc", HTML, "接口说明 API documentation"),
            link(at.url("/conformance"), "conformance", JSON, "符合的标准 Conformance"),
            link(at.url("/collections"), "data", JSON, "图层 Collections"),
        ],
    }
    return _page(pages.landing(content)) if at.html else _answer(content)


@router.get("/conformance")
async def conformance(_me: Reader, at: At) -> Response:
    """Say which parts of the standard are kept."""
    content: Json = {
        "conformsTo": list(CONFORMS_TO),
        "links": both(at, "/conformance", "符合的标准 Conformance"),
    }
    return _page(pages.conformance(content)) if at.html else _answer(content)


@router.get("/api")
async def api(me: Reader, s: ServicesOf, at: At) -> Response:
    """Describe the interface for machines."""
    content = definition(at.base, offered(s, me))
    return _page(pages.definition(content, at)) if at.html else _answer(content, OPENAPI)


@router.get("/collections")
async def collections(me: Reader, s: ServicesOf, at: At) -> Response:
    """List the collections that exist for the reader."""
    content = await listed(s, me, at)
    return _page(pages.collections(content)) if at.html else _answer(content)


@router.get("/collections/{collection_id}")
async def describe(collection_id: str, me: Reader, s: ServicesOf, at: At) -> Response:
    """Say what a collection is."""
    content = await described(s, me, offered_one(s, me, collection_id), at)
    return _page(pages.collection(content)) if at.html else _answer(content)


@router.get("/collections/{collection_id}/items")
async def items(collection_id: str, request: Request, me: Reader, s: ServicesOf) -> Response:
    """Return features, a page at a time."""
    layer = offered_one(s, me, collection_id)
    given = parameters(request, (*OWN, *layer.filters))
    query, at = read_query(given, layer), place_of(request)
    page = await page_of(s, me, layer, query)
    if at.html:
        text = await asyncio.to_thread(pages.items, layer, page, given, at, rfc3339(s.clock.now()))
        return _page(text, query.crs_uri)

    def written() -> bytes:
        return msgspec.json.encode(collection(s, layer, page, query, given, at))

    body = await asyncio.to_thread(written)
    return Response(body, media_type=GEOJSON, headers={"content-crs": f"<{query.crs_uri}>"})


@router.get("/collections/{collection_id}/items/{feature_id}")
async def item(collection_id: str, feature_id: str, request: Request, me: Reader, s: ServicesOf) -> Response:
    """Return one feature."""
    layer: Layer = offered_one(s, me, collection_id)
    given = parameters(request, ("crs",))
    uri = given.get("crs", CRS84_URI)
    query, at = Query(crs=crs_named("crs", uri), crs_uri=uri), place_of(request)
    found, extras = await feature_of(s, me, layer, feature_id)
    if found is None:
        raise NotFound("feature", feature_id)
    content = one(layer, found, extras, query, at)
    if at.html:
        return _page(pages.feature(layer, found, content), uri)
    return _answer(content, GEOJSON, uri)
