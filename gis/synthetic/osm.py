"""The OpenStreetMap extract: basemap and routing data in one PBF file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.osm.mutable import Node, Relation, Way

from gis.synthetic.plane import Floats, Projection

Tags = dict[str, str]


class Extract:
    """Collects tagged points, lines and polygons in metres and writes them as nodes, ways and relations.

    Vertices with equal coordinates become one node; that is how roads are joined.
    """

    def __init__(self) -> None:
        self._index: dict[tuple[float, float], int] = {}
        self._places: list[tuple[float, float]] = []
        self._tags: dict[int, Tags] = {}
        self._ways: list[tuple[list[int], Tags]] = []
        self._relations: list[tuple[list[tuple[str, int, str]], Tags]] = []

    def node(self, xy: Iterable[float]) -> int:
        """Return the id of the node at a point, making it when needed."""
        x, y = xy
        key = (round(float(x), 2), round(float(y), 2))
        return self._index.setdefault(key, len(self._index) + 1)

    def point(self, xy: Iterable[float], tags: Tags) -> None:
        """Add a tagged node."""
        self._tags.setdefault(self.node(xy), {}).update(tags)

    def line(self, coords: Iterable[Iterable[float]], tags: Tags) -> int:
        """Add a way and return its id; 0 when fewer than two different nodes remain."""
        refs: list[int] = []
        for xy in coords:
            node = self.node(xy)
            if not refs or refs[-1] != node:
                refs.append(node)
        if len(refs) < 2:
            return 0
        self._ways.append((refs, tags))
        return len(self._ways)

    def refs(self, way: int) -> list[int]:
        """Return the nodes of a way."""
        return self._ways[way - 1][0]

    def oneway(self, way: int) -> bool:
        """Return whether a way may be driven one way only."""
        return "oneway" in self._ways[way - 1][1]

    def place(self, node: int) -> tuple[float, float]:
        """Return where a node lies, in metres."""
        if len(self._places) < len(self._index):
            self._places = list(self._index)
        return self._places[node - 1]

    def polygon(self, shape: shapely.Polygon, tags: Tags) -> None:
        """Add a polygon: a closed way, or a multipolygon relation when it has holes."""
        if not shape.interiors:
            self.line(shape.exterior.coords, tags)
            return
        members = [("w", self.line(shape.exterior.coords, {}), "outer")]
        members += [("w", self.line(ring.coords, {}), "inner") for ring in shape.interiors]
        self._relations.append(([m for m in members if m[1]], {"type": "multipolygon", **tags}))

    def restriction(self, start: int, via: int, end: int, kind: str) -> None:
        """Forbid (or demand) the turn from one way into another at a node."""
        members = [("w", start, "from"), ("n", via, "via"), ("w", end, "to")]
        self._relations.append((members, {"type": "restriction", "restriction": kind}))

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes, ways and relations there are."""
        return {"nodes": len(self._index), "ways": len(self._ways), "relations": len(self._relations)}

    def write(self, path: Path, projection: Projection) -> None:
        """Write everything, replacing the file."""
        xy: Floats = np.array(list(self._index), dtype=np.float64)
        degrees = projection.degrees(xy).tolist()
        path.unlink(missing_ok=True)
        with osmium.SimpleWriter(str(path)) as writer:
            for k, location in enumerate(degrees, start=1):
                writer.add_node(Node(id=k, version=1, location=tuple(location), tags=self._tags.get(k, {})))
            for k, (refs, tags) in enumerate(self._ways, start=1):
                writer.add_way(Way(id=k, version=1, nodes=refs, tags=tags))
            for k, (members, tags) in enumerate(self._relations, start=1):
                writer.add_relation(Relation(id=k, version=1, members=members, tags=tags))
