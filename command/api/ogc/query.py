"""What a request for features asks for, read strictly: what is not understood is refused with 400."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from fastapi import Request

from command.clock import rfc3339
from command.layers import Cell, Field, Layer
from command.layers.model import Span
from gis.errors import CrsMismatch
from gis.projecting import CRS84, Box, Target, box_in, target

CRS84_URI: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
CRS_URIS: Final[Mapping[str, Target]] = {
    CRS84_URI: CRS84,
    **{f"{_EPSG}{number}": target(f"EPSG:{number}") for number in (4326, 4490, 3857)},
}
"""Reference systems in which features are given, by the URI that names them; the first one is the default."""
STORAGE_CRS: Final = CRS84_URI

DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 5_000
_LONGEST: Final = 400
_FULL_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
_FORMATS: Final = ("json", "html")


class BadQuery(Exception):
    """A parameter is unknown, or its value makes no sense; answered with 400.

    Args:
        name: Of the parameter.
        detail: What is wrong.
    """

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Query:
    """What features are asked for.

    Attributes:
        limit: At most so many.
        after: Only those whose id follows this one.
        before: The last ones whose id comes before this one.
        boxes: Only those that meet one of them; None: wherever. Degrees, WGS-84.
        span: Only those of this time; None: of any.
        wanted: Only those of which these fields have these values.
        crs: In which coordinates are answered.
        crs_uri: Its name.
    """

    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    boxes: Sequence[Box] | None = None
    span: Span | None = None
    wanted: Mapping[str, Cell] = field(default_factory=dict)
    crs: Target = CRS84
    crs_uri: str = CRS84_URI


def parameters(request: Request, allowed: Iterable[str]) -> dict[str, str]:
    """Return the parameters of a request.

    Raises:
        BadQuery: One is not among those allowed, or stands there twice.
    """
    known = {"f", *allowed}
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise BadQuery(
                name[:40], f"there is no such parameter here; known are {', '.join(sorted(known))}"
            )
        if name in found:
            raise BadQuery(name, "is given twice")
        if len(value) > _LONGEST:
            raise BadQuery(name, "is too long")
        found[name] = value
    if "f" in found and found["f"] not in _FORMATS:
        raise BadQuery("f", f"is one of {', '.join(_FORMATS)}")
    return found


OWN: Final = ("limit", "cursor", "bbox", "bbox-crs", "datetime", "crs")
"""Parameters of every collection's items; the fields that filter come on top."""


def read_query(given: Mapping[str, str], layer: Layer) -> Query:
    """Read what features of a layer are asked for.

    Raises:
        BadQuery: A value makes no sense.
    """
    after, before = _cursor(given.get("cursor"))
    crs_uri = given.get("crs", CRS84_URI)
    box_crs = crs_named("bbox-crs", given.get("bbox-crs", CRS84_URI))
    return Query(
        limit=_limit(given.get("limit")),
        after=after,
        before=before,
        boxes=None if "bbox" not in given else _boxes(given["bbox"], box_crs),
        span=None if "datetime" not in given else _span(given["datetime"]),
        wanted={name: _value(fld, given[name]) for name, fld in layer.filters.items() if name in given},
        crs=crs_named("crs", crs_uri),
        crs_uri=crs_uri,
    )


def crs_named(parameter: str, uri: str) -> Target:
    """Return a reference system. Raises BadQuery for one that is not offered."""
    try:
        return CRS_URIS[uri]
    except KeyError:
        raise BadQuery(parameter, f"is one of {', '.join(CRS_URIS)}") from None


def in_span(layer: Layer, thing: object, span: Span | None) -> bool:
    """Say whether a thing was at some moment of a span; a thing without time is always."""
    if span is None or layer.span is None:
        return True
    start, end = layer.span(thing)
    return (span[1] is None or start is None or start <= span[1]) and (
        span[0] is None or end is None or end >= span[0]
    )


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise BadQuery("limit", "is a whole number from 1")
    # More than is given at once is no mistake; fewer come, and a link to the next ones.
    return min(int(text), MOST_LIMIT)


def _cursor(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    side, _, key = text.partition(".")
    if side not in ("after", "before") or not key:
        raise BadQuery("cursor", "comes from the links next and prev, and from nowhere else")
    return (key, None) if side == "after" else (None, key)


def _boxes(text: str, crs: Target) -> list[Box]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise BadQuery("bbox", "is four numbers, or six with heights, which are passed over")
    if len(numbers) == 6:
        numbers = [numbers[n] for n in (0, 1, 3, 4)]
    try:
        west, south, east, north = box_in(crs, numbers)
    except CrsMismatch as error:
        raise BadQuery("bbox", str(error)) from None
    if south > north:
        raise BadQuery("bbox", "its first corner is the southern one")
    if west <= east:
        return [(west, south, east, north)]
    # Over the date line.
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def _span(text: str) -> Span:
    start, slash, end = text.partition("/")
    if not slash:
        first, last = _moments(text)
        return rfc3339(first), rfc3339(last)
    opening = None if start in ("", "..") else _moments(start)[0]
    closing = None if end in ("", "..") else _moments(end)[1]
    if opening is None and closing is None:
        raise BadQuery("datetime", "has a beginning, an end, or both")
    if opening is not None and closing is not None and opening > closing:
        raise BadQuery("datetime", "ends before it begins")
    return (
        None if opening is None else rfc3339(opening),
        None if closing is None else rfc3339(closing),
    )


def _moments(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last moment that a text names: a moment, or a whole day in UTC."""
    try:
        if _FULL_DATE.fullmatch(text):
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day, day + timedelta(days=1) - timedelta(milliseconds=1)
        if _DATE_TIME.fullmatch(text):
            at = datetime.fromisoformat(text.upper()).astimezone(UTC)
            return at, at
    except (ValueError, OverflowError):
        pass
    raise BadQuery(
        "datetime", "is a moment such as 2026-11-22T03:00:00Z, or two of them with a slash between"
    )


def _value(fld: Field, text: str) -> Cell:
    if fld.kind == "flag":
        if text not in ("true", "false"):
            raise BadQuery(fld.name, "is true or false")
        return text == "true"
    if fld.kind in ("integer", "number"):
        try:
            return int(text) if fld.kind == "integer" else float(text)
        except ValueError:
            raise BadQuery(fld.name, "is a number") from None
    return text
