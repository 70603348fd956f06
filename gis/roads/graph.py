"""The road graph of one extract for one means of travel: immutable, saved as arrays, shared by threads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.columns import load_columns, save_columns
from gis.crs import LocalMetric
from gis.errors import BadFile, NoRoads
from gis.roads.build import RoadArrays, build_arrays, centre, edge_lines
from gis.roads.field import ReverseField, SearchMatrix
from gis.roads.profiles import PROFILES, Profile
from gis.roads.read import RoadFacts, read_roads
from gis.roads.snap import MAX_OFFSET_M, Snapper, Snaps

_FORMAT = 2


class RoadGraph:
    """Roads, their travel times and permitted turns.

    Args:
        arrays: What `gis.roads.build` made, or a file gave back.
        profile: Name of the means of travel the times are for.
        max_offset_m: A point farther than this from every road is unreachable.
    """

    def __init__(self, arrays: RoadArrays, profile: str, *, max_offset_m: float = MAX_OFFSET_M) -> None:
        self.arrays = arrays
        self.profile = profile
        self.max_offset_m = max_offset_m
        self.frame = LocalMetric(*centre(arrays.lon, arrays.lat))
        x, y = self.frame.to_xy(arrays.lon, arrays.lat)
        self.lines: NDArray[np.object_] = edge_lines(x, y, arrays.start)
        self.matrix = SearchMatrix(arrays)
        self._snapper = Snapper(self.frame, self.lines, arrays.snappable)

    @classmethod
    def from_pbf(
        cls, path: Path | str, profile: Profile = PROFILES["car"], *, max_offset_m: float = MAX_OFFSET_M
    ) -> RoadGraph:
        """Read an OpenStreetMap extract.

        Args:
            path: `.osm.pbf` file.
            profile: Who travels; one of `PROFILES`.
            max_offset_m: A point farther than this from every road is unreachable.

        Raises:
            BadFile: The file cannot be read.
            NoRoads: It holds no road for this profile.
        """
        return cls.from_facts(read_roads(path, profile), profile, source=str(path), max_offset_m=max_offset_m)

    @classmethod
    def from_facts(
        cls, facts: RoadFacts, profile: Profile, *, source: str = "facts", max_offset_m: float = MAX_OFFSET_M
    ) -> RoadGraph:
        """Build from facts already read. Raises NoRoads when there is no way among them."""
        if not facts.ways:
            raise NoRoads(f"{source} holds no road for the profile {profile.name}")
        return cls(build_arrays(facts, profile), profile.name, max_offset_m=max_offset_m)

    @property
    def junctions(self) -> int:
        """Number of places where roads meet or end."""
        return self.arrays.junctions

    @property
    def edges(self) -> int:
        """Number of stretches of road between junctions."""
        return len(self.arrays.length_m)

    @property
    def length_km(self) -> float:
        """Length of all roads."""
        return float(self.arrays.length_m.sum()) / 1000.0

    @property
    def skipped(self) -> dict[str, int]:
        """What reading left out, by reason: conditional restrictions, restrictions over a way and others."""
        return dict(self.arrays.skipped)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) of the roads, degrees."""
        lon, lat = self.arrays.lon, self.arrays.lat
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    def snap(self, lon: ArrayLike, lat: ArrayLike, *, max_offset_m: float | None = None) -> Snaps:
        """Put points onto the nearest road of the largest strongly connected part.

        Args:
            lon: (n,) degrees, EPSG:4326; a plain number counts as one point.
            lat: (n,) degrees.
            max_offset_m: Instead of the graph's own limit.

        Returns:
            Edge, fraction and distance of each; edge -1 beyond the limit. Of equally near edges the smallest
            number. Empty in, empty out.
        """
        return self._snapper.snap(lon, lat, self.max_offset_m if max_offset_m is None else max_offset_m)

    def snap_one(self, lon: float, lat: float) -> tuple[int, float, float] | None:
        """(edge, fraction, offset_m) of one point without arrays, or None when no road is near enough."""
        return self._snapper.snap_one(lon, lat, self.max_offset_m)

    def edges_within(self, shape: shapely.Geometry, metres: float) -> NDArray[np.int32]:
        """Numbers of the edges that take part in routing within so many metres of a shape in `frame`."""
        return self._snapper.edges_within(shape, metres)

    def closed(self, lanes: ArrayLike) -> RoadGraph:
        """This graph as if some lanes were not there: for searches, routes, snapping and coverage.

        The view shares the trees and the geometry and keeps every number of an edge, a lane and a vertex, so it
        takes milliseconds and its fields, snaps and samples fit those of the graph. Nobody is put onto an edge
        whose lanes are all closed. What the closure cuts off stays as it is: from there, there is no way.

        Args:
            lanes: Lane numbers: 2e along the drawing direction of edge e, 2e + 1 against it; repeats and lanes
                that may not be travelled anyhow are allowed. `gis.roads.closures.lanes_hit` finds them. An edge
                as a whole is both of its lanes.

        Returns:
            Another graph; this one stays as it is, also when it is a view itself. The very same graph when
            there is nothing to close.

        Raises:
            IndexError: There is no such lane.
        """
        a = self.arrays
        listed = np.asarray(lanes, dtype=np.int64).ravel()
        if listed.size and (listed.min() < 0 or listed.max() >= len(a.lane_head)):
            raise IndexError(f"lanes are 0 to {len(a.lane_head) - 1}")
        shut = np.zeros(len(a.lane_head), dtype=np.bool_)
        shut[listed] = True
        shut &= a.lane_head < a.vertices
        if not shut.any():
            return self
        stays = ~shut[a.out_lane]
        before = np.concatenate([[0], np.cumsum(stays)])
        lane_head = np.where(shut, np.int32(a.vertices), a.lane_head)
        other = object.__new__(RoadGraph)
        other.arrays = replace(
            a,
            lane_s=np.where(shut, 0.0, a.lane_s),
            lane_head=lane_head,
            out_start=before[a.out_start],
            out_lane=a.out_lane[stays],
            out_head=a.out_head[stays],
            out_s=a.out_s[stays],
        )
        other.profile, other.max_offset_m = self.profile, self.max_offset_m
        other.frame, other.lines = self.frame, self.lines
        other.matrix = self.matrix.without(shut)
        other._snapper = self._snapper.without((lane_head.reshape(-1, 2) == a.vertices).all(axis=1))
        return other

    def field_to(self, lon: float, lat: float, *, limit_s: float = np.inf) -> ReverseField:
        """Travel time from everywhere to one point, by a single search against the traffic.

        Args:
            lon: Of the destination, degrees.
            lat: Degrees.
            limit_s: Farther places count as unreachable; a limit makes the search shorter.

        Returns:
            A field that can be asked any number of times. When no road is near the point everything is
            unreachable (`field.reachable` is False).
        """
        return ReverseField(self, lon, lat, limit_s=limit_s)

    def save(self, path: Path | str) -> None:
        """Write the graph to a `.npz` file, whole or not at all."""
        a = self.arrays
        header = {
            "format": _FORMAT,
            "profile": self.profile,
            "max_offset_m": self.max_offset_m,
            "names": list(a.names),
            "junctions": a.junctions,
            "skipped": a.skipped,
        }
        text = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), dtype=np.uint8)
        save_columns(path, header=text, **{name: getattr(a, name) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path | str) -> RoadGraph:
        """Read what `save` wrote.

        Raises:
            BadFile: It is not a road graph, or one of another format.
        """
        found = load_columns(path, "a road graph", ("header",))
        try:
            header = json.loads(found["header"].tobytes())
        except ValueError as error:
            raise BadFile(str(path), "file", "not a road graph") from error
        stored = {name: found[name] for name in _ARRAYS if name in found}
        if header.get("format") == 1:
            # Made before turns cost anything; the same roads, only simpler.
            stored["out_head"] = stored["lane_head"][stored["out_lane"]]
            stored["out_s"] = np.zeros(len(stored["out_lane"]))
            stored["roundabout"] = np.zeros(len(stored["length_m"]), dtype=np.bool_)
            header["junctions"] = len(stored["out_start"]) - 1
        elif header.get("format") != _FORMAT:
            raise BadFile(str(path), "header", f"road graph format {header.get('format')}, need {_FORMAT}")
        if missing := [name for name in _ARRAYS if name not in stored]:
            raise BadFile(str(path), "file", f"the road graph lacks {', '.join(missing)}")
        arrays = RoadArrays(
            names=tuple(header["names"]),
            junctions=header["junctions"],
            skipped=header["skipped"],
            **stored,
        )
        return cls(arrays, header["profile"], max_offset_m=header["max_offset_m"])


_ARRAYS = (
    "lon",
    "lat",
    "start",
    "length_m",
    "name",
    "way",
    "ferry",
    "roundabout",
    "lane_s",
    "lane_head",
    "out_start",
    "out_lane",
    "out_head",
    "out_s",
    "snappable",
)
