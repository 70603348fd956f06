"""Where one more responder would help most: greedy, quick enough to be asked live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.coverage.reach import Reach
from gis.coverage.search import ForwardMatrix, Seeds

Floats = NDArray[np.float64]

CANDIDATES = 160
"""Junctions that are tried."""
CHUNK = 16
"""Searches whose answers are in memory at once."""


@dataclass(frozen=True, slots=True)
class Post:
    """A place for one more.

    Attributes:
        lon: Of a road junction, degrees, EPSG:4326.
        lat: Degrees.
        gain_m: Road that comes within reach, metres, on top of what the posts before it gain.
        grids: Index of each grid that gains → metres gained there.
    """

    lon: float
    lat: float
    gain_m: float
    grids: dict[int, float]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Places that were tried, and what each of them would bring.

    Attributes:
        lon: (k,) degrees, EPSG:4326.
        lat: (k,) degrees.
        gains: (k, m) 1 where a place brings a missed piece of road.
        weight: (m,) metres of road each piece stands for.
        grid: (m,) index of the grid it lies in.
        grids: How many grids there are.
    """

    lon: Floats
    lat: Floats
    gains: csr_array
    weight: Floats
    grid: NDArray[np.int32]
    grids: int

    def greedy(self, posts: int, among: NDArray[np.intp] | None = None) -> list[int]:
        """Choose one after the other, each the best given those before it.

        Args:
            posts: At most so many.
            among: Choose only from these places; None for all.

        Returns:
            Their numbers, each gaining something; equal gains go to the smaller number.
        """
        left = self.weight.copy()
        able = np.ones(len(self.lon), dtype=np.bool_)
        if among is not None:
            able[:] = False
            able[among] = True
        chosen: list[int] = []
        while len(chosen) < posts and able.any():
            gain = np.where(able, self.gains @ left, -1.0)
            best = int(np.argmax(gain))
            if gain[best] <= 1e-6:
                break
            chosen.append(best)
            left[self._got(best)] = 0.0
        return chosen

    def posts(self, chosen: Sequence[int]) -> list[Post]:
        """The chosen places with what each gains on top of those before it."""
        left = self.weight.copy()
        found = []
        for best in chosen:
            got = self._got(best)
            by_grid = np.bincount(self.grid[got], weights=left[got], minlength=self.grids)
            gain_m = float(left[got].sum())
            gained = {n: float(by_grid[n]) for n in np.flatnonzero(by_grid).tolist()}
            found.append(Post(float(self.lon[best]), float(self.lat[best]), gain_m, gained))
            left[got] = 0.0
        return found

    def gain_m(self, chosen: Sequence[int]) -> float:
        """What these places bring together, metres."""
        covered = np.zeros(len(self.weight), dtype=np.bool_)
        for one in chosen:
            covered[self._got(one)] = True
        return float(self.weight[covered].sum())

    def _got(self, one: int) -> NDArray[np.intp]:
        start, end = self.gains.indptr[one], self.gains.indptr[one + 1]
        return np.asarray(self.gains.indices[start:end], dtype=np.intp)


def choices(
    reach: Reach, limit_s: float, *, among: NDArray[np.bool_] | None = None, candidates: int = CANDIDATES
) -> Choices | None:
    """Try junctions near the road out of reach, most of it first, each timed from where it stands.

    Args:
        reach: Who is where now.
        limit_s: Within what time, seconds.
        among: (samples,) the road that counts; None for all.
        candidates: How many junctions to try.

    Returns:
        None when nothing is out of reach, and in a district without roads.
    """
    ground = reach.ground
    beyond = reach.seconds > limit_s
    missed = np.flatnonzero(beyond if among is None else beyond & among)
    if ground.base is None or not missed.size:
        return None
    matrix = ground.network(ground.base).matrix
    tried = _candidates(reach, matrix, missed, limit_s, candidates)
    if not tried.size:
        return None
    gains = _gains(reach, matrix, missed, tried, limit_s)
    lon, lat = _vertex_lonlat(matrix)
    samples = ground.samples
    return Choices(lon[tried], lat[tried], gains, samples.weight[missed], samples.grid[missed], samples.grids)


def one_more(
    reach: Reach,
    limit_s: float,
    *,
    posts: int = 1,
    among: NDArray[np.bool_] | None = None,
    candidates: int = CANDIDATES,
) -> list[Post]:
    """Choose where more responders would bring the most road within reach, one after the other.

    Greedy: each choice is the best given those before it, and all of them together reach at least 63 % of what
    the best choice of as many could.

    Args:
        reach: Who is where now.
        limit_s: Within what time, seconds.
        posts: How many to choose.
        among: (samples,) the road that counts; None for all.
        candidates: How many junctions to try.

    Returns:
        At most `posts`, each gaining something; equal gains go to the smaller junction number. Empty when
        nothing is out of reach, and in a district without roads.
    """
    found = choices(reach, limit_s, among=among, candidates=candidates)
    return [] if found is None else found.posts(found.greedy(posts))


def _vertex_lonlat(matrix: ForwardMatrix) -> tuple[Floats, Floats]:
    """Where each vertex lies, from the ends of the edges that lead there; nan for one nothing leads to."""
    arrays = matrix.graph.arrays
    lon, lat = np.full(arrays.vertices + 1, np.nan), np.full(arrays.vertices + 1, np.nan)
    first, last = arrays.start[:-1], arrays.start[1:] - 1
    for head, at in ((arrays.lane_head[1::2], first), (arrays.lane_head[0::2], last)):
        lon[head], lat[head] = arrays.lon[at], arrays.lat[at]
    return lon[:-1], lat[:-1]


def _candidates(
    reach: Reach, matrix: ForwardMatrix, missed: NDArray[np.intp], limit_s: float, most: int
) -> NDArray[np.intp]:
    """Junctions spread over the road out of reach: one for each square, those with most about them first."""
    samples, arrays = reach.ground.samples, matrix.graph.arrays
    snappable = np.flatnonzero(arrays.snappable & ~arrays.ferry)
    lanes = np.concatenate([2 * snappable, 2 * snappable + 1])
    heads = np.unique(arrays.lane_head[lanes])
    heads = heads[heads < arrays.vertices]
    lon, lat = _vertex_lonlat(matrix)
    x, y = samples.frame.to_xy(lon[heads], lat[heads])
    # A fifth of the way one drives in the time at 40 km/h: the squares overlap in what is reached from them.
    side = max(limit_s * 11.0 / 5.0, 200.0)
    mx, my = samples.x[missed], samples.y[missed]
    west, south = float(mx.min()) - side, float(my.min()) - side
    across = int((float(mx.max()) - west) / side) + 2
    up = int((float(my.max()) - south) / side) + 2

    def square(ex: Floats, ny: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return ((ex - west) / side).astype(np.int64), ((ny - south) / side).astype(np.int64)

    column, row = square(mx, my)
    road = np.zeros((up + 2, across + 2))
    np.add.at(road, (row + 1, column + 1), samples.weight[missed])
    about = sum(road[i : up + i, j : across + j] for i in range(3) for j in range(3))
    inside = np.flatnonzero((x >= west) & (y >= south) & (x < west + across * side) & (y < south + up * side))
    heads, x, y = heads[inside], x[inside], y[inside]
    column, row = square(x, y)
    off = np.hypot((x - west) / side - column - 0.5, (y - south) / side - row - 0.5)
    number = row * across + column
    order = np.lexsort((heads, off, number))
    once = order[np.concatenate([[True], np.diff(number[order]) > 0])] if len(order) else order
    weight = np.asarray(about)[row[once], column[once]]
    best = np.lexsort((heads[once], -weight))[:most]
    return np.sort(heads[once[best[weight[best] > 0]]]).astype(np.intp)


def _gains(
    reach: Reach, matrix: ForwardMatrix, missed: NDArray[np.intp], tried: NDArray[np.intp], limit_s: float
) -> csr_array:
    """(candidates, missed) 1 where the candidate brings the sample within reach."""
    samples, arrays = reach.ground.samples, matrix.graph.arrays
    # Timed from where a unit sent there would be put on the road, so that the gain is what it will be.
    lon, lat = _vertex_lonlat(matrix)
    snaps = matrix.graph.snap(lon[tried], lat[tried])
    graph, n = _with_rows(matrix, matrix.seeds(snaps), len(tried))
    edge, part = samples.edge[missed], samples.fraction[missed]
    edges, of = np.unique(edge, return_inverse=True)
    ahead, back = part * arrays.lane_s[2 * edge], (1.0 - part) * arrays.lane_s[2 * edge + 1]
    reached = []
    for first in range(0, len(tried), CHUNK):
        rows = np.arange(first, min(first + CHUNK, len(tried)))
        vertex_s = dijkstra(graph, indices=n + rows, limit=limit_s)[:, :n]
        for number, row in zip(rows.tolist(), vertex_s, strict=True):
            entry = matrix.lane_entry_s(row)
            own = int(snaps.edge[number])
            at_edge = np.isfinite(entry[2 * edges]) | np.isfinite(entry[2 * edges + 1]) | (edges == own)
            near = np.flatnonzero(at_edge[of])
            seconds = np.fmin(entry[2 * edge[near]] + ahead[near], entry[2 * edge[near] + 1] + back[near])
            apart = part[near] - snaps.fraction[number]
            lane = 2 * own + (apart < 0)
            straight = (edge[near] == own) & (arrays.lane_head[lane] < arrays.vertices)
            along = np.where(straight, np.abs(apart) * arrays.lane_s[lane], np.inf)
            reached.append(near[np.fmin(seconds, along) <= limit_s])
    indptr = np.concatenate([[0], np.cumsum([len(hit) for hit in reached])])
    indices = np.concatenate(reached) if reached else np.zeros(0, np.intp)
    return csr_array((np.ones(len(indices)), indices, indptr), shape=(len(reached), len(missed)))


def _with_rows(matrix: ForwardMatrix, seeds: Seeds, sources: int) -> tuple[csr_array, int]:
    """The graph with one more row for each source, and the number of the first of them."""
    n, size = matrix.vertices, matrix.vertices + sources
    order = np.lexsort((seeds.seconds, seeds.vertex, seeds.source))
    tails = np.concatenate([matrix.tail, seeds.source[order] + np.int32(n)])
    heads = np.concatenate([matrix.head, seeds.vertex[order]])
    data = np.concatenate([matrix.seconds, seeds.seconds[order]])
    start = np.searchsorted(tails, np.arange(size + 1)).astype(np.int32)
    return csr_array((data, heads, start), shape=(size, size)), n
