"""How long the nearest responder takes to every stretch of road.

Times are kept as metres of road by whole second of travel for each grid. Shares within any time, medians and
other quantiles, and the same for villages and townships, are sums over that table.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gis.areas import AreaIndex
from gis.coverage.samples import ground_samples, on_graph, road_samples
from gis.coverage.search import ForwardMatrix, Seeds, TwoNearest
from gis.nearest import ROAD, STRAIGHT_LINE, Method, straight_line_s
from gis.roads.graph import RoadGraph
from gis.roads.snap import SAME_SPOT, Snaps, walk_s

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

HORIZON_S = 1800
"""Travel times beyond half an hour count as out of reach."""


class Times:
    """Metres of road by travel time, for n areas.

    Attributes:
        metres: (n, HORIZON_S + 2) float64; column k holds the road reached in more than k - 1 and at most k
            seconds, the last one what is out of reach. Square metres of ground in a district without roads.
    """

    def __init__(self, metres: Floats) -> None:
        self.metres = metres

    @cached_property
    def grown(self) -> Floats:
        """(n, HORIZON_S + 2) road reached in at most k seconds; the last column is all of it."""
        grown: Floats = np.cumsum(self.metres, axis=1)
        return grown

    @property
    def total(self) -> Floats:
        """(n,) all road of an area."""
        total: Floats = self.grown[:, -1]
        return total

    def within(self, seconds: int) -> Floats:
        """(n,) road reached in at most so many whole seconds."""
        if seconds < 0:
            return np.zeros(len(self.metres))
        reached: Floats = self.grown[:, min(seconds, HORIZON_S)]
        return reached

    def share(self, seconds: int) -> Floats:
        """(n,) share 0 to 1 of the road reached in at most so many seconds; nan in an area without road.

        >>> table = np.zeros((2, HORIZON_S + 2))
        >>> table[0, [100, 400]] = 750.0, 250.0
        >>> Times(table).share(300).tolist()
        [0.75, nan]
        """
        total = self.total
        with np.errstate(invalid="ignore"):
            return np.where(total > 0, self.within(seconds) / total, np.nan)

    def quantile(self, share: float) -> Floats:
        """(n,) whole seconds in which this share of the road is reached; nan where it never is.

        >>> table = np.zeros((1, HORIZON_S + 2))
        >>> table[0, [100, 400, HORIZON_S + 1]] = 500.0, 400.0, 100.0
        >>> Times(table).quantile(0.5).tolist(), Times(table).quantile(0.95).tolist()
        ([100.0], [nan])
        """
        grown = self.grown
        wanted = share * grown[:, -1:]
        # Sums of many small lengths: a share that is met but for rounding is met.
        second = np.argmax(grown >= wanted * (1.0 - 1e-12), axis=1).astype(np.float64)
        return np.where((grown[:, -1] <= 0) | (second > HORIZON_S), np.nan, second)

    def merged(self, members: Sequence[NDArray[np.intp]]) -> Times:
        """The table of areas that consist of these rows, in the order of `members`."""
        rows = np.empty((len(members), self.metres.shape[1]))
        for row, chosen in zip(rows, members, strict=True):
            if len(chosen) == 1:
                row[:] = self.metres[chosen[0]]
            else:
                self.metres[chosen].sum(axis=0, out=row)
        return Times(rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Network:
    """One means of travel: its graph, and where on it the samples lie, by edge."""

    matrix: ForwardMatrix
    edge: Ints
    fraction: Floats
    order: NDArray[np.intp]
    """Samples on this graph, sorted by edge."""
    sorted_edge: Ints


class Ground:
    """The samples of a district and the roads that lead to them; made once, asked again and again.

    Args:
        areas: Whose grids are measured.
        graphs: Road graphs by means of travel. The samples lie on the one for cars, else on the first. None of
            them: a lattice over the ground, timed by the straight line.
    """

    def __init__(self, areas: AreaIndex, graphs: Mapping[str, RoadGraph]) -> None:
        self.graphs = dict(graphs)
        self._all_open = self.graphs
        self._open_networks: dict[str, _Network] = {}  # shared by all views of this ground
        self.base = "car" if "car" in self.graphs else next(iter(self.graphs), None)
        self.samples = (
            ground_samples(areas) if self.base is None else road_samples(self.graphs[self.base], areas)
        )
        self._networks: dict[str, _Network] = {}

    def with_closures(self, graphs: Mapping[str, RoadGraph]) -> Ground:
        """The same samples while roads are closed; milliseconds, where making them takes seconds.

        Args:
            graphs: Views (`RoadGraph.closed`) of the graphs this ground was first made with, by the same names;
                those graphs themselves open every road again.
        """
        other = copy.copy(self)
        other.graphs = dict(graphs)
        other._networks = {}
        return other

    @property
    def method(self) -> Method:
        """Whether times are by road or by the straight line."""
        return ROAD if self.base is not None else STRAIGHT_LINE

    def network(self, profile: str) -> _Network:
        """The network of a means of travel, made when first asked for."""
        if profile not in self._open_networks:
            # A stretch of road keeps its place while it is closed.
            graph, samples = self._all_open[profile], self.samples
            edge, fraction = samples.edge, samples.fraction
            if profile != self.base:
                edge, fraction = on_graph(samples, graph)
            order = np.argsort(edge, kind="stable")
            order = order[np.searchsorted(edge[order], 0) :]
            self._open_networks[profile] = _Network(ForwardMatrix(graph), edge, fraction, order, edge[order])
        if profile not in self._networks:
            network, graph = self._open_networks[profile], self.graphs[profile]
            if graph is not network.matrix.graph:
                network = replace(network, matrix=network.matrix.on(graph))
            self._networks[profile] = network
        return self._networks[profile]

    def profile_for(self, wanted: str) -> str:
        """The graph used for a means of travel: its own, else the one the samples lie on."""
        return wanted if wanted in self.graphs else self.base or wanted

    def reach(self, lon: ArrayLike, lat: ArrayLike, profiles: Sequence[str] | str = "car") -> Reach:
        """Time every sample from the nearest of n responders.

        Args:
            lon: (n,) degrees, EPSG:4326; nan for a responder without position, who reaches nothing.
            lat: (n,) degrees.
            profiles: (n,) means of travel, or one for all.

        Returns:
            Travel times; without responders everything is out of reach.
        """
        x, y = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        names = [profiles] * len(x) if isinstance(profiles, str) else list(profiles)
        return Reach(self, x, y, [self.profile_for(name) for name in names])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What the first search of one means of travel leaves for the second."""

    network: _Network
    unit: NDArray[np.intp]
    snaps: Snaps
    seeds: Seeds
    vertex_s: Floats
    vertex: Ints


class Reach:
    """Travel times of one moment's responders to all samples.

    Attributes:
        seconds: (samples,) float64 from the nearest responder, infinite out of reach.
        units: Number of responders.
        off_road: (units,) whether a responder stands near no road and so reaches nothing.
    """

    def __init__(self, ground: Ground, lon: Floats, lat: Floats, profiles: Sequence[str]) -> None:
        self.ground = ground
        self.units = len(lon)
        self._lon, self._lat = lon, lat
        self._searches: list[_Search] = []
        self.off_road = ~(np.isfinite(lon) & np.isfinite(lat))
        self.seconds: Floats = np.full(len(ground.samples), np.inf)
        if ground.base is None:
            self.seconds = self.two_nearest.first_s
            return
        who = np.asarray(profiles, dtype=np.str_)
        for name in sorted(set(profiles)):
            self._search(name, np.flatnonzero(who == name))

    def _search(self, profile: str, unit: NDArray[np.intp]) -> None:
        network = self.ground.network(profile)
        snaps = network.matrix.graph.snap(self._lon[unit], self._lat[unit])
        self.off_road[unit[snaps.edge < 0]] = True
        seeds = network.matrix.seeds(snaps)
        vertex_s, vertex = network.matrix.search(seeds, len(unit))
        search = _Search(network, unit, snaps, seeds, vertex_s, vertex)
        self._searches.append(search)
        entry = network.matrix.lane_entry_s(vertex_s)
        lane_s = network.matrix.graph.arrays.lane_s
        edge, part = network.edge, network.fraction
        # Edge -1 reads some other edge here; its fraction is nan, and fmin passes over it.
        by_road = np.fmin(
            entry[2 * edge] + part * lane_s[2 * edge],
            entry[2 * edge + 1] + (1.0 - part) * lane_s[2 * edge + 1],
        )
        self.seconds = np.fmin(self.seconds, by_road)
        at, along, _ = _along_own_edge(search)
        np.minimum.at(self.seconds, at, along)

    @cached_property
    def times(self) -> Times:
        """Metres of road by travel time of every grid."""
        return self._table(self.seconds, self.ground.samples.weight, self.ground.samples.grid)

    def _table(self, seconds: Floats, weight: Floats, grid: Ints) -> Times:
        width = HORIZON_S + 2
        column = np.minimum(np.ceil(seconds), HORIZON_S + 1).astype(np.int64)
        grids = self.ground.samples.grids
        cell = grid.astype(np.int64) * width + column
        table = np.bincount(cell, weights=weight, minlength=grids * width).astype(np.float64, copy=False)
        return Times(table.reshape(grids, width))

    @cached_property
    def two_nearest(self) -> TwoNearest:
        """The two nearest responders of every sample, by their numbers; made when first asked for."""
        samples = self.ground.samples
        found = TwoNearest(len(samples))
        if self.ground.base is None:
            self._by_straight_line(found)
            return found
        for search in self._searches:
            network, matrix = search.network, search.network.matrix
            pairs = matrix.two_nearest(search.seeds, len(search.unit), search.vertex_s, search.vertex)
            entry = matrix.lane_entries(pairs)
            unit = np.append(search.unit, -1).astype(np.int32)  # number -1, nobody, reads the last
            lane_s, part = matrix.graph.arrays.lane_s, network.fraction
            for lane, share in ((2 * network.edge, part), (2 * network.edge + 1, 1.0 - part)):
                on_way = share * lane_s[lane]
                for entry_s, who in ((entry.first_s, entry.first), (entry.second_s, entry.second)):
                    found.offer_all(entry_s[lane] + on_way, unit[who[lane]])
            at, along, who = _along_own_edge(search)
            found.offer(at, along, who)
        return found

    def _by_straight_line(self, found: TwoNearest) -> None:
        known = np.flatnonzero(~self.off_road)
        if not known.size:
            return
        samples = self.ground.samples
        x, y = samples.frame.to_xy(self._lon[known], self._lat[known])
        tree, spots = cKDTree(np.column_stack([x, y])), np.column_stack([samples.x, samples.y])
        found_m, found_n = tree.query(spots, k=2)
        metres, who = np.asarray(found_m), np.asarray(found_n)
        unit = np.append(known, -1).astype(np.int32)  # a second that is not there reads the last
        seconds = np.where(np.isfinite(metres), straight_line_s(metres), np.inf)
        found.first_s, found.first = seconds[:, 0], unit[who[:, 0]]
        found.second_s, found.second = seconds[:, 1], unit[who[:, 1]]

    def seconds_without(self, unit: int) -> Floats:
        """(samples,) seconds as if this responder were not there; no new search.

        Raises:
            IndexError: There is no responder of this number.
        """
        if not 0 <= unit < self.units:
            raise IndexError(unit)
        best = self.two_nearest
        return np.where(best.first == unit, best.second_s, self.seconds)

    def times_without(self, unit: int) -> Times:
        """`times` as if this responder were not there. Raises IndexError."""
        seconds = self.seconds_without(unit)
        samples = self.ground.samples
        changed = np.flatnonzero(self.two_nearest.first == unit)
        grid, weight = samples.grid[changed], samples.weight[changed]
        lost = self._table(self.seconds[changed], weight, grid).metres
        kept = self._table(seconds[changed], weight, grid).metres
        return Times(np.maximum(self.times.metres - lost + kept, 0.0))


def _along_own_edge(search: _Search) -> tuple[NDArray[np.intp], Floats, Ints]:
    """Samples on the very edge a responder stands on: which, seconds straight along it, and the responder."""
    network, snaps = search.network, search.snaps
    here = np.flatnonzero(snaps.edge >= 0)
    first = np.searchsorted(network.sorted_edge, snaps.edge[here], side="left")
    count = np.searchsorted(network.sorted_edge, snaps.edge[here], side="right") - first
    local = np.repeat(here, count)
    nth = np.arange(len(local)) - np.repeat(np.cumsum(count) - count, count)
    at = network.order[np.repeat(first, count) + nth]
    apart = network.fraction[at] - snaps.fraction[local]
    lane = 2 * snaps.edge[local] + (apart < 0)
    arrays = network.matrix.graph.arrays
    seconds = np.abs(apart) * arrays.lane_s[lane] + walk_s(snaps.offset_m[local])
    passable = (arrays.lane_head[lane] < arrays.vertices) | (np.abs(apart) <= SAME_SPOT)
    seconds = np.where(passable, seconds, np.inf)
    return at, seconds, search.unit[local].astype(np.int32)
