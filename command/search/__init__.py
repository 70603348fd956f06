"""One box over areas, roads, places, people, cameras and incidents."""

from command.search.box import KIND_OF, Allowed, Hit, Search
from command.search.things import TYPES, Box, Type

__all__ = ["KIND_OF", "TYPES", "Allowed", "Box", "Hit", "Search", "Type"]
