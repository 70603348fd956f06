"""Addresses of the resources, and which of their two forms somebody wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request

from command.api.services import Json, services_of

ROOT: Final = "/ogc"
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_MACHINE: Final = ("application/json", "application/geo+json", "application/vnd.oai.openapi+json")


class NotAcceptable(Exception):
    """Neither JSON nor HTML is wanted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request came to.

    Attributes:
        base: Address of the landing page, without a slash at the end.
        html: The answer is for people.
    """

    base: str
    html: bool

    def url(self, path: str = "", **query: str | int | None) -> str:
        """Return an address below the landing page; parameters that are None are left out."""
        return self.with_query(path, query)

    def with_query(self, path: str, query: Mapping[str, str | int | None]) -> str:
        """Return an address whose parameters have names that are none in Python."""
        said = urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.base}{quote(path)}" + (f"?{said}" if said else "")


def place_of(request: Request) -> Place:
    """Return where a request came to, by the name that it came under.

    Raises:
        NotAcceptable: Its `Accept` allows neither form.
    """
    secure = services_of(request).settings.security.https
    scheme = "https" if secure else request.url.scheme
    base = f"{scheme}://{request.headers['host']}{ROOT}"
    wanted = request.query_params.get("f")
    html = wanted == "html" if wanted is not None else _for_people(request.headers.get("accept", "*/*"))
    return Place(base, html)


def _for_people(accept: str) -> bool:
    """Read an `Accept` header: True for HTML, False for JSON, which goes first among equals."""
    share = {"html": 0.0, "json": 0.0}
    for part in accept.split(","):
        kind, _, rest = part.strip().lower().partition(";")
        kind = kind.strip()
        weight = _weight(rest)
        if kind in ("text/html", "application/xhtml+xml", "text/*"):
            share["html"] = max(share["html"], weight)
        elif kind in (*_MACHINE, "application/*"):
            share["json"] = max(share["json"], weight)
        elif kind == "*/*":
            # A browser says so too, after what it likes better.
            share = {name: max(value, weight * 0.999) for name, value in share.items()}
    if not any(share.values()):
        raise NotAcceptable
    return share["html"] > share["json"]


def _weight(parameters: str) -> float:
    for one in parameters.split(";"):
        name, _, value = one.strip().partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


def link(href: str, rel: str, kind: str, title: str) -> Json:
    """Return a link as every resource lists them."""
    return {"href": href, "rel": rel, "type": kind, "title": title}


def both(place: Place, path: str, title: str, *, machine: str = JSON) -> list[Json]:
    """Return the links of a resource to itself and to its other form."""
    as_json = link(place.url(path, f="json"), "alternate" if place.html else "self", machine, title)
    as_html = link(place.url(path, f="html"), "self" if place.html else "alternate", HTML, title)
    return [as_html, as_json] if place.html else [as_json, as_html]
