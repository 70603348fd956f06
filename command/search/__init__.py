"""One box over areas, roads, places, people, cameras and incidents."""

from command.search.answers import Allowed, Hit
from command.search.box import KIND_OF, Search
from command.search.things import TYPES, Box, Type

__all__ = ["KIND_OF", "TYPES", "Allowed", "Box", "Hit", "Search", "Type"]
