"""The description of the interface for machines: OpenAPI 3.0, with the collections that the asker may read."""

from collections.abc import Sequence
from typing import Any, Final

from command import __version__
from command.api.ogc.query import CRS84_URI, CRS_URIS, DEFAULT_LIMIT, MOST_LIMIT
from command.layers import Field, Layer

Doc = dict[str, Any]
"""A part of an OpenAPI document."""

_TYPES: Final = {"flag": "boolean", "integer": "integer", "number": "number"}
_FAILURES: Final = {
    "400": "A parameter is unknown or its value makes no sense.",
    "401": "Nobody is signed in.",
    "404": "There is no such thing, or none that you may see.",
    "406": "Neither JSON nor HTML is accepted.",
    "429": "Too many wrong passwords.",
    "500": "Something went wrong here.",
}


def definition(base: str, layers: Sequence[Layer]) -> Doc:
    """Return the document.

    Args:
        base: Address of the landing page.
        layers: Collections to describe.
    """
    paths: Doc = {
        "/": _get("landing", "Landing page", "LandingPage"),
        "/conformance": _get("conformance", "What the interface conforms to", "ConfClasses"),
        "/api": _get(
            "api", "This description", "Definition", machine="application/vnd.oai.openapi+json;version=3.0"
        ),
        "/collections": _get("collections", "The collections", "Collections"),
    }
    for layer in layers:
        name, path = layer.title_en, f"/collections/{layer.id}"
        key = "".join(word.capitalize() for word in layer.id.split("_"))
        paths[path] = _get(f"describe{key}", f"{name}: what they are", "Collection")
        paths[f"{path}/items"] = _get(
            f"get{key}",
            f"{name}: {layer.about}",
            "FeatureCollection",
            parameters=[
                *(_ref(one) for one in ("limit", "cursor", "bbox", "bbox-crs", "datetime", "crs")),
                *(_filter(field) for field in layer.filters.values()),
            ],
            machine="application/geo+json",
            headers=True,
        )
        paths[f"{path}/items/{{featureId}}"] = _get(
            f"get{key}Feature",
            f"{name}: one of them",
            "Feature",
            parameters=[_ref("featureId"), _ref("crs")],
            machine="application/geo+json",
            headers=True,
        )
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "一屏 OGC API – Features",
            "version": __version__,
            "description": "Layers of the district for map programs, with the reader's permissions.",
        },
        "servers": [{"url": base}],
        "security": [{"session": []}, {"password": []}, {"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "yiping_session"},
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "parameters": _parameters(),
            "headers": {
                "Content-Crs": {
                    "description": "The reference system of the coordinates, in angle brackets.",
                    "schema": {"type": "string"},
                }
            },
            "responses": {
                f"Failure{status}": {
                    "description": text,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Exception"}}},
                }
                for status, text in _FAILURES.items()
            },
            "schemas": _schemas(),
        },
    }


def _ref(name: str) -> Doc:
    return {"$ref": f"#/components/parameters/{name}"}


def _get(
    operation: str,
    summary: str,
    schema: str,
    *,
    parameters: Sequence[Doc] = (),
    machine: str = "application/json",
    headers: bool = False,
) -> Doc:
    good: Doc = {
        "description": summary,
        "content": {
            machine: {"schema": {"$ref": f"#/components/schemas/{schema}"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
    if headers:
        good["headers"] = {"Content-Crs": {"$ref": "#/components/headers/Content-Crs"}}
    failures = {status: {"$ref": f"#/components/responses/Failure{status}"} for status in _FAILURES}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "parameters": [_ref("f"), *parameters],
            "responses": {"200": good, **failures},
        }
    }


def _filter(field: Field) -> Doc:
    return {
        "name": field.name,
        "in": "query",
        "required": False,
        "description": f"Only features with this value ({field.title}).",
        "schema": {"type": _TYPES.get(field.kind, "string")},
        "style": "form",
        "explode": False,
    }


def _parameters() -> Doc:
    uris = list(CRS_URIS)

    def crs(name: str, text: str) -> Doc:
        schema = {"type": "string", "format": "uri", "enum": uris, "default": CRS84_URI}
        return _query(name, text, schema)

    return {
        "f": _query(
            "f",
            "json or html; otherwise the Accept header decides.",
            {"type": "string", "enum": ["json", "html"]},
        ),
        "limit": _query(
            "limit",
            "At most so many features; fewer come where the server gives no more at once.",
            {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
        ),
        "cursor": _query("cursor", "Where a page begins; from the links next and prev.", {"type": "string"}),
        "bbox": _query(
            "bbox",
            "Only features that meet this box: four numbers, or six with heights.",
            {
                "type": "array",
                "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                "items": {"type": "number"},
            },
        ),
        "bbox-crs": crs("bbox-crs", "Reference system of the box."),
        "datetime": _query(
            "datetime",
            "Only features of this moment or interval (RFC 3339, .. for open ends). What has no time is always in.",
            {"type": "string"},
        ),
        "crs": crs("crs", "Reference system of the answer."),
        "featureId": {
            "name": "featureId",
            "in": "path",
            "required": True,
            "description": "Id of a feature.",
            "schema": {"type": "string"},
        },
    }


def _query(name: str, text: str, schema: Doc) -> Doc:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "schema": schema,
        "style": "form",
        "explode": False,
    }


def _schemas() -> Doc:
    links = {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}
    texts = {"type": "array", "items": {"type": "string"}}
    collection = {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "itemType": {"type": "string"},
        "extent": {"type": "object"},
        "crs": texts,
        "storageCrs": {"type": "string", "format": "uri"},
        "links": links,
    }
    feature = {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string"},
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object", "nullable": True},
        "links": links,
    }
    return {
        "Link": _object(("href",), {name: {"type": "string"} for name in ("href", "rel", "type", "title")}),
        "LandingPage": _object(
            ("links",), {"title": {"type": "string"}, "description": {"type": "string"}, "links": links}
        ),
        "ConfClasses": _object(("conformsTo",), {"conformsTo": texts, "links": links}),
        "Definition": {"type": "object"},
        "Collection": _object(("id", "links"), collection),
        "Collections": _object(
            ("links", "collections"),
            {
                "title": {"type": "string"},
                "links": links,
                "crs": texts,
                "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
            },
        ),
        "Feature": _object(("type", "geometry", "properties"), feature),
        "FeatureCollection": _object(
            ("type", "features"),
            {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
                "links": links,
                "timeStamp": {"type": "string", "format": "date-time"},
                "numberMatched": {"type": "integer", "minimum": 0},
                "numberReturned": {"type": "integer", "minimum": 0},
            },
        ),
        "Exception": _object(("code",), {"code": {"type": "string"}, "description": {"type": "string"}}),
    }


def _object(required: Sequence[str], properties: Doc) -> Doc:
    return {"type": "object", "required": list(required), "properties": properties}
