"""Least-cost paths over a raster, and the smooth lines they become.

Streams, country roads and area borders all come from the same idea: spread over a cost surface and follow the
way back. Paths that meet share their cells, so junctions arise by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.synthetic.plane import Floats, Frame, Ints, smooth


@dataclass(frozen=True, slots=True)
class Spread:
    """What a spread found: cost, the cell one step back (negative at a source) and the source, (n,) each."""

    cost: Floats
    back: Ints
    source: Ints

    def way(self, cell: int) -> list[int]:
        """Return the cells from ``cell`` back to its source, both included; empty when unreachable."""
        if not np.isfinite(self.cost[cell]):
            return []
        cells = [cell]
        while (prev := int(self.back[cells[-1]])) >= 0:
            cells.append(prev)
        return cells


class Lattice:
    """The graph of a raster's cells, each joined to sixteen others, with extra links such as bridges."""

    def __init__(self, frame: Frame, extra: Sequence[tuple[int, int]] = ()) -> None:
        self.frame = frame
        index = np.arange(frame.rows * frame.cols, dtype=np.int32).reshape(frame.shape)
        pairs = []
        for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (1, -2), (2, 1), (2, -1)):
            low, high = index[: frame.rows - dr], index[dr:]
            a, b = (low[:, : frame.cols - dc], high[:, dc:]) if dc >= 0 else (low[:, -dc:], high[:, :dc])
            pairs.append((a.ravel(), b.ravel(), float(np.hypot(dr, dc) * frame.cell)))
        self._plain = sum(a.size for a, _, _ in pairs)
        ends = np.array(extra, dtype=np.int64).reshape(-1, 2)
        span = np.hypot(*(frame.points(ends[:, 0]) - frame.points(ends[:, 1])).T) * 2.0
        self.u = np.concatenate([a for a, _, _ in pairs] + [ends[:, 0]])
        self.v = np.concatenate([b for _, b, _ in pairs] + [ends[:, 1]])
        self.length = np.concatenate([np.full(a.size, d) for a, _, d in pairs] + [span])
        # The sparse structure never changes; only its data is filled in anew for each spread.
        n, m = frame.rows * frame.cols, self.u.size
        both = np.concatenate([self.u, self.v]), np.concatenate([self.v, self.u])
        order = csr_array((np.arange(1, 2 * m + 1), both), shape=(n, n))
        self._take = (order.data - 1) % m
        self._indices, self._indptr = order.indices, order.indptr

    def _weights(self, cost: Floats, zones: Ints | None) -> Floats:
        flat = cost.ravel()
        weight = self.length * 0.5 * (flat[self.u] + flat[self.v])
        weight[self._plain :] = self.length[self._plain :]
        if zones is not None:
            label = zones.ravel()
            weight[label[self.u] != label[self.v]] = np.inf
        return np.asarray(weight)

    def spread(
        self,
        cost: Floats,
        sources: Iterable[int],
        *,
        zones: Ints | None = None,
        limit: float = np.inf,
    ) -> Spread:
        """Spread from source cells until everything reachable has its nearest source.

        Args:
            cost: Cost per metre of each cell, raster-shaped; infinite cells are never entered.
            sources: Flat cell indices.
            zones: Optional labels; no step joins cells of different labels.
            limit: Stop at this cost.
        """
        n = self.frame.rows * self.frame.cols
        graph = csr_array((self._weights(cost, zones)[self._take], self._indices, self._indptr), shape=(n, n))
        found = dijkstra(
            graph,
            indices=np.array(sorted(set(sources))),
            min_only=True,
            return_predecessors=True,
            limit=limit,
        )
        return Spread(found[0], found[1].astype(np.int64), found[2].astype(np.int64))

    def neighbours(self, cost: Floats, found: Spread) -> list[tuple[float, int, int]]:
        """Return where the fronts of two sources meet most cheaply: (cost, cell, cell), cheapest first."""
        weight = self._weights(cost, None)
        a, b = found.source[self.u], found.source[self.v]
        total = found.cost[self.u] + weight + found.cost[self.v]
        at = np.flatnonzero((a != b) & np.isfinite(total))
        low, high = np.minimum(a[at], b[at]), np.maximum(a[at], b[at])
        order = np.lexsort((total[at], high, low))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        best = at[order[first]]
        best = best[np.argsort(total[best], kind="stable")]
        return [(float(total[k]), int(self.u[k]), int(self.v[k])) for k in best]


@dataclass(frozen=True, slots=True)
class Chain:
    """A smooth line between two junctions; ``rank`` 0 is the most important."""

    rank: int
    points: Floats


class Traces:
    """Paths over cells, gathered with ranks, turned into smooth chains that share their ends."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.links: dict[tuple[int, int], int] = {}
        self.at: dict[int, list[int]] = defaultdict(list)

    def add(self, cells: list[int], rank: int) -> None:
        """Record a path; where paths share a link the more important rank stays."""
        for a, b in pairwise(cells):
            key = (min(a, b), max(a, b))
            old = self.links.get(key)
            if old is None:
                self.at[a].append(b)
                self.at[b].append(a)
            if old is None or rank < old:
                self.links[key] = rank

    def used(self) -> Ints:
        """Return the cells on any path, sorted."""
        return np.array(sorted(self.at), dtype=np.int64)

    def chains(self, rounds: int) -> list[Chain]:
        """Return one smooth chain per run between junctions; junctions closer than 1.6 cells become one."""
        runs = self._runs()
        ends = {cell for run, _ in runs for cell in (run[0], run[-1])}
        group = {cell: cell for cell in ends}

        def find(cell: int) -> int:
            while group[cell] != cell:
                cell = group[cell]
            return cell

        for run, _ in runs:
            if len(run) == 2 and len(self.at[run[0]]) > 2 and len(self.at[run[-1]]) > 2:
                a, b = (self.frame.points(np.array([c]))[0] for c in (run[0], run[-1]))
                if np.hypot(*(a - b)) < 1.6 * self.frame.cell:
                    group[find(run[0])] = find(run[-1])
        members: dict[int, list[int]] = defaultdict(list)
        for cell in sorted(ends):
            members[find(cell)].append(cell)
        place = {
            c: self.frame.points(np.array(cells)).mean(axis=0) for cells in members.values() for c in cells
        }
        chains = []
        for run, rank in runs:
            if len(run) == 2 and find(run[0]) == find(run[-1]):
                continue
            points = self.frame.points(np.array(run))
            points[0], points[-1] = place[run[0]], place[run[-1]]
            chains.append(Chain(rank, smooth(points, rounds)))
        return chains

    def _runs(self) -> list[tuple[list[int], int]]:
        def rank(a: int, b: int) -> int:
            return self.links[(min(a, b), max(a, b))]

        def is_end(cell: int) -> bool:
            near = self.at[cell]
            return len(near) != 2 or rank(cell, near[0]) != rank(cell, near[1])

        seen: set[tuple[int, int]] = set()
        runs = []
        for start in sorted(self.at):
            if not is_end(start):
                continue
            for step in self.at[start]:
                if (min(start, step), max(start, step)) in seen:
                    continue
                run = [start, step]
                seen.add((min(start, step), max(start, step)))
                while not is_end(run[-1]):
                    a, b = self.at[run[-1]]
                    ahead = b if a == run[-2] else a
                    seen.add((min(run[-1], ahead), max(run[-1], ahead)))
                    run.append(ahead)
                runs.append((run, rank(start, step)))
        return runs
