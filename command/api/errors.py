"""The one place where failures become HTTP: one table, one body.

Body: ``{"error": code, "detail": sentence, "request_id": id}`` and what the error adds (`winner`, `field`,
`version`, …). What is the caller's fault is logged at info; what is ours once, with its traceback, by
`command.api.security`, which sees every request.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from command import errors, logs
from gis import errors as gis_errors
from streams import errors as stream_errors

STATUS: Final[Mapping[type[Exception], int]] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Malformed: 422,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.YipingError: 500,
    gis_errors.UnknownArea: 404,
    gis_errors.AreaConflict: 409,
    gis_errors.BadFile: 422,
    gis_errors.EditRefused: 422,
    gis_errors.CrsMismatch: 422,
    gis_errors.NoRoads: 422,
    gis_errors.ToolFailed: 503,
    gis_errors.GisError: 500,
    stream_errors.NotAllowed: 422,
    stream_errors.Unsupported: 422,
    stream_errors.NoSuchCamera: 404,
    stream_errors.StreamError: 503,
}
"""Error → status; the nearest class in the error's ancestry counts."""

_GIS_CODES: Final[Mapping[type[Exception], str]] = {
    gis_errors.UnknownArea: "not_found",
    gis_errors.AreaConflict: "area_conflict",
    gis_errors.BadFile: "bad_file",
    gis_errors.EditRefused: "edit_refused",
    gis_errors.CrsMismatch: "crs_mismatch",
    gis_errors.NoRoads: "no_roads",
    gis_errors.ToolFailed: "tool_failed",
}
_HTTP_CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "malformed",
    429: "too_many_requests",
    503: "unavailable",
}
_RETRY_S: Final = 2
_PLACES: Final = frozenset({"body", "query", "path", "header", "cookie"})

log = logs.get_logger(__name__)


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error; 500 for one that is not in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def error_response(
    status: int,
    code: str,
    detail: str,
    *,
    extras: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the one error body with this status."""
    body = {**(extras or {}), "error": code, "detail": detail, "request_id": logs.request_id.get()}
    return JSONResponse(body, status, headers={"cache-control": "no-store", **(headers or {})})


def response_of(error: Exception) -> JSONResponse:
    """Return the answer for one of our errors (`YipingError`, `GisError` or `StreamError`)."""
    status = status_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooManyRequests):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    elif status == 503:
        headers["retry-after"] = str(_RETRY_S)
    if isinstance(error, errors.YipingError):
        return error_response(status, error.code, error.detail, extras=error.extras, headers=headers)
    if isinstance(error, stream_errors.StreamError):
        return error_response(status, error.code, str(error) or error.code, headers=headers)
    code = next((_GIS_CODES[kind] for kind in type(error).__mro__ if kind in _GIS_CODES), "gis_error")
    return error_response(status, code, _gis_detail(error), headers=headers)


def install(app: FastAPI) -> None:
    """Make the app answer every failure in the one form."""
    app.add_exception_handler(errors.YipingError, _ours)
    app.add_exception_handler(gis_errors.GisError, _ours)
    app.add_exception_handler(stream_errors.StreamError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _internal)


def unexpected() -> JSONResponse:
    """Return the answer for an error that nobody expected; it tells nothing about it."""
    return error_response(500, "internal", "Something went wrong here; it has been noted.")


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    status = status_of(error)
    facts = {"status": status, "error": getattr(error, "code", type(error).__name__), "detail": str(error)}
    # A camera that is down is a state of the world, not a failure of ours.
    if status >= 500 and not isinstance(error, stream_errors.StreamError):
        log.error("request failed", exc_info=error, **facts)
    else:
        log.info("request refused", **facts)
    return response_of(error)


async def _internal(_request: Request, _error: Exception) -> JSONResponse:
    # The framework raises it again after answering; the middleware logs it there, once.
    return unexpected()


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # what it is registered for
    first: Mapping[str, Any] = error.errors()[0] if error.errors() else {}
    place = [str(part) for part in first.get("loc", ())]
    if place and place[0] in _PLACES:
        place = place[1:]
    # A syntax error's place is an offset into the text, which names no field.
    field = "" if first.get("type") == "json_invalid" else ".".join(place)
    detail = str(first.get("msg", "The request makes no sense."))
    log.info("request refused", status=422, error="malformed", field=field, detail=detail)
    return error_response(422, errors.Malformed.code, detail, extras={"field": field})


async def _framework(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # what it is registered for
    code = _HTTP_CODES.get(error.status_code, "error")
    log.info("request refused", status=error.status_code, error=code)
    return error_response(error.status_code, code, str(error.detail), headers=error.headers)


def _gis_detail(error: Exception) -> str:
    # Paths of this machine are nobody's business.
    if isinstance(error, gis_errors.BadFile):
        return f"{error.where}: {error.reason}"
    if isinstance(error, gis_errors.ToolFailed):
        return f"{error.tool} failed."
    return str(error)
