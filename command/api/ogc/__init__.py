"""OGC API – Features under ``/ogc``: Part 1 (core, GeoJSON, HTML, OpenAPI 3.0) and Part 2 (reference systems)."""

from command.api.ogc.access import Passes
from command.api.ogc.routes import router

__all__ = ["Passes", "router"]
