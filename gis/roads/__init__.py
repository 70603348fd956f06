"""Roads: an OpenStreetMap extract turned into travel times and routes.

`RoadGraph.from_pbf(path)` reads the extract, `graph.field_to(lon, lat)` tells how long it takes from anywhere
to there by one search, `field.route(lon, lat)` draws one of those ways, `graph.closed(lanes)` is the same
graph with roads closed.
"""

from gis.roads.closures import Blockage, edges_hit, lanes_hit
from gis.roads.field import ReverseField
from gis.roads.graph import RoadGraph
from gis.roads.profiles import PROFILES, Profile
from gis.roads.routes import Route, Step
from gis.roads.snap import Snaps

__all__ = [
    "PROFILES",
    "Blockage",
    "Profile",
    "ReverseField",
    "RoadGraph",
    "Route",
    "Snaps",
    "Step",
    "edges_hit",
    "lanes_hit",
]
