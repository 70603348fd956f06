"""What passing from one lane to the next costs, and which of them may follow each other.

A *vertex* is a state at the end of a lane. Lanes that end in one junction share a vertex where it makes no
difference which of them somebody came by. Where it does – a turn costs time there, or is forbidden – each has its
own, from which nobody turns round on the spot unless there is no other way on. So the search stays as small as the
costs allow: in a town about twice the number of junctions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.roads.profiles import TurnCosts
from gis.roads.read import TurnRestriction

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# What a way past a forbidden turn may save: without this the fastest way past "no left turn" is straight on, round
# on the spot and back. Who drives half a minute before turning round, and back again, has found a place for it.
_DODGE_S = 60.0
_MOST_VIA_LANES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """The lanes of a graph before turns are known; all (2m,) in lane order.

    Attributes:
        tail: Junction where the lane begins.
        head: Junction where it ends.
        seconds: To travel it, infinite where forbidden.
        kmh: Speed.
        way: OSM way id.
        ferry: Whether it is one.
        roundabout: Whether it is part of one.
        first_deg: Heading on its first metres, clockwise from north.
        last_deg: Heading on its last metres.
        wait_s: What passing the node at its end costs, whatever comes next.
        boarding_s: What entering it costs from a lane that is no ferry.
        junctions: Number of junctions.
    """

    tail: Ints
    head: Ints
    seconds: Floats
    kmh: Floats
    way: Longs
    ferry: Flags
    roundabout: Flags
    first_deg: Floats
    last_deg: Floats
    wait_s: Floats
    boarding_s: Floats
    junctions: int


@dataclass(frozen=True, slots=True, eq=False)
class TurnTable:
    """Where each lane ends and what may follow; see `gis.roads.build.RoadArrays`."""

    lane_head: Ints
    out_start: Longs
    out_lane: Ints
    out_head: Ints
    out_s: Floats


def turn_seconds(costs: TurnCosts, turn_deg: Floats, in_kmh: Floats, out_kmh: Floats) -> Floats:
    """Time lost in a turn: slowing down to what the bend allows, speeding up again, giving way.

    Args:
        costs: Of the means of travel.
        turn_deg: Change of heading, -180 to 180, positive to the right.
        in_kmh: Speed before it.
        out_kmh: Speed after it.

    >>> turn_seconds(TurnCosts(), np.array([0.0, 90.0, -90.0]), np.full(3, 50.0), np.full(3, 50.0)).round(1)
    array([0. , 2.8, 4.8])
    """
    bend = np.abs(turn_deg)
    corner = np.interp(bend, costs.bend_deg, costs.bend_kmh) / 3.6
    lost = np.zeros(len(bend))
    for kmh in (in_kmh, out_kmh):
        v = np.maximum(kmh / 3.6, 0.1)
        lost += np.maximum(v - corner, 0.0) ** 2 / (2.0 * costs.braking_m_s2 * v)
    gives_way = (turn_deg < -costs.gives_way_deg) & (np.maximum(in_kmh, out_kmh) >= costs.gives_way_kmh)
    lost += np.where(gives_way, costs.gives_way_s, 0.0)
    # Class speeds are averages over junctions and all: a small loss is in them already.
    seconds: Floats = np.clip(lost - costs.included_s, 0.0, costs.most_s)
    return seconds


def build_turns(
    lanes: Lanes,
    restrictions: list[TurnRestriction],
    junction_of_node: dict[int, int],
    costs: TurnCosts | None,
    skipped: Counter[str],
) -> TurnTable:
    """Work out the vertices and what follows each; counts restrictions without effect in `skipped`."""
    return _Builder(lanes, costs).build(restrictions, junction_of_node, skipped)


class _Builder:
    """The pairs of lanes that meet, and what becomes of them."""

    def __init__(self, lanes: Lanes, costs: TurnCosts | None) -> None:
        self.lanes = lanes
        self.open = np.isfinite(lanes.seconds)
        leaving = np.flatnonzero(self.open)
        self.leaving = leaving[np.argsort(lanes.tail[leaving], kind="stable")]
        self.leaving_start = np.searchsorted(lanes.tail[self.leaving], np.arange(lanes.junctions + 1))
        arriving = leaving[np.argsort(lanes.head[leaving], kind="stable")]
        self.arriving = arriving
        self.arriving_start = np.searchsorted(lanes.head[arriving], np.arange(lanes.junctions + 1))

        # Every pair (before, after), by the first; those of a lane are pair_start[lane] to pair_start[lane + 1].
        count = np.where(self.open, np.diff(self.leaving_start)[lanes.head], 0)
        self.pair_start = np.concatenate([[0], np.cumsum(count)])
        self.before = np.repeat(np.arange(len(count)), count)
        nth = np.arange(len(self.before)) - np.repeat(self.pair_start[:-1], count)
        self.after = self.leaving[self.leaving_start[lanes.head[self.before]] + nth]
        self.round = self.after == self.before ^ 1
        self.turn_s = self._turn_seconds(costs)
        self.cost = self.turn_s + np.where(lanes.ferry[self.before], 0.0, lanes.boarding_s[self.after])
        self.allowed = np.ones(len(self.before), dtype=np.bool_)

    def _turn_seconds(self, costs: TurnCosts | None) -> Floats:
        """(pairs,) seconds of each turn; nothing where a road only bends, on a roundabout and on the water."""
        lanes, before, after = self.lanes, self.before, self.after
        if costs is None:
            return np.zeros(len(before))
        ends = np.concatenate([lanes.tail[0::2], lanes.head[0::2]])
        arms = np.bincount(ends, minlength=lanes.junctions)
        turn = (lanes.first_deg[after] - lanes.last_deg[before] + 180.0) % 360.0 - 180.0
        lost = turn_seconds(costs, turn, lanes.kmh[before], lanes.kmh[after])
        free = (arms[lanes.head[before]] < 3) | lanes.ferry[before] | lanes.ferry[after] | self.round
        free |= lanes.roundabout[before] & lanes.roundabout[after]
        return np.where(free, 0.0, lost)

    def pairs(self, lane: int) -> slice:
        """Where the pairs of a lane are."""
        return slice(int(self.pair_start[lane]), int(self.pair_start[lane + 1]))

    def build(
        self, restrictions: list[TurnRestriction], junction_of_node: dict[int, int], skipped: Counter[str]
    ) -> TurnTable:
        """See `build_turns`."""
        lanes = self.lanes
        chains = _Chains(self)
        bound = self._restrict(restrictions, junction_of_node, chains, skipped)
        own = self._would_dodge(bound)
        own[self.before[(self.cost > 0.0) & ~self.round]] = True
        own[list(bound)] = True
        own &= self.open
        self._forbid_turning_round(own)

        vertex, vertices = self._number(own)
        shared = np.flatnonzero(self.open & ~own)
        first = shared[
            np.unique(vertex[shared], return_index=True)[1]
        ]  # one lane speaks for those it shares with
        speaks = own.copy()
        speaks[first] = True
        kept = speaks[self.before] & self.allowed
        before, after = self.before[kept], self.after[kept]
        tails = [vertex[before]]
        heads = [vertex[after]]
        follows = [after]
        seconds = [self.cost[kept] + lanes.wait_s[before]]
        vertices = chains.add(vertex, vertices, tails, heads, follows, seconds)

        tail, lane = np.concatenate(tails), np.concatenate(follows)
        order = np.lexsort((lane, tail))
        lane_head = np.where(self.open, vertex, vertices).astype(np.int32)
        return TurnTable(
            lane_head,
            np.searchsorted(tail[order], np.arange(vertices + 1)).astype(np.int64),
            lane[order].astype(np.int32),
            np.concatenate(heads)[order].astype(np.int32),
            np.concatenate(seconds)[order],
        )

    def _number(self, own: Flags) -> tuple[Longs, int]:
        """(lanes,) vertex of each open lane, shared ones first, and how many there are."""
        lanes = self.lanes
        vertex = np.full(len(own), -1, dtype=np.int64)
        shared = np.flatnonzero(self.open & ~own)
        waits, level = np.unique(lanes.wait_s[shared], return_inverse=True)
        _, place = np.unique(
            lanes.head[shared].astype(np.int64) * max(len(waits), 1) + level, return_inverse=True
        )
        vertex[shared] = place
        count = int(place.max()) + 1 if len(shared) else 0
        alone = np.flatnonzero(own)
        vertex[alone] = count + np.arange(len(alone))
        return vertex, count + len(alone)

    def _forbid_turning_round(self, own: Flags) -> None:
        """Lanes with a vertex of their own do not turn round unless that is the only way on."""
        onward = np.bincount(self.before[self.allowed & ~self.round], minlength=len(own)) > 0
        self.allowed &= ~(self.round & (own & onward)[self.before])

    def _would_dodge(self, bound: set[int]) -> Flags:
        """Lanes after which turning round would pay: it saves a dear or a forbidden turn at a junction before.

        There and back takes time, so only short lanes count, but several may follow each other.
        """
        lanes = self.lanes
        there_and_back = lanes.seconds + lanes.seconds.reshape(-1, 2)[:, ::-1].ravel()
        saves = np.zeros(lanes.junctions)
        np.maximum.at(saves, lanes.head[self.before], self.turn_s)
        saves[lanes.head[list(bound)]] = _DODGE_S
        while True:
            left = saves[lanes.tail] - there_and_back
            dodges: Flags = self.open & (left > 0.0)
            before = saves.copy()
            np.maximum.at(saves, lanes.head[dodges], left[dodges])
            if np.array_equal(before, saves):
                return dodges

    def leaving_from(self, junction: int) -> list[int]:
        found: list[int] = self.leaving[
            self.leaving_start[junction] : self.leaving_start[junction + 1]
        ].tolist()
        return found

    def arriving_at(self, junction: int) -> list[int]:
        found: list[int] = self.arriving[
            self.arriving_start[junction] : self.arriving_start[junction + 1]
        ].tolist()
        return found

    def _restrict(
        self,
        restrictions: list[TurnRestriction],
        junction_of_node: dict[int, int],
        chains: _Chains,
        skipped: Counter[str],
    ) -> set[int]:
        """Take away forbidden pairs; returns the lanes that are bound by a restriction."""
        lanes = self.lanes
        forbidden: dict[int, set[int]] = defaultdict(set)
        only: dict[int, set[int]] = defaultdict(set)
        bound: set[int] = set()
        lanes_of_way: dict[int, list[int]] | None = None
        for restriction in restrictions:
            if restriction.via_ways:
                if lanes_of_way is None:
                    wanted = {
                        way for one in restrictions if one.via_ways for way in (one.from_way, *one.via_ways)
                    }
                    lanes_of_way = _by_way(lanes.way, self.open, wanted)
                touched = chains.restrict(restriction, lanes_of_way)
                bound |= touched
                if not touched:
                    skipped["restriction_without_effect"] += 1
                continue
            junction = junction_of_node.get(restriction.via_node)
            into, out = [], []
            if junction is not None:
                into = [k for k in self.arriving_at(junction) if lanes.way[k] == restriction.from_way]
                out = [k for k in self.leaving_from(junction) if lanes.way[k] == restriction.to_way]
            if not into or not out:
                skipped["restriction_without_effect"] += 1
                continue
            for lane in into:
                turns = out
                if restriction.kind == "no_u_turn" and restriction.from_way == restriction.to_way:
                    turns = [after for after in out if after == lane ^ 1]
                (only if restriction.only else forbidden)[lane].update(turns)
        for lane in sorted({*forbidden, *only}):
            part = self.pairs(lane)
            self.allowed[part] &= ~np.isin(self.after[part], sorted(forbidden[lane]))
            if only[lane]:
                self.allowed[part] &= np.isin(self.after[part], sorted(only[lane]))
            bound.add(lane)
        return bound


class _Chains:
    """Restrictions over whole ways: on the way, whoever came by the bound lane is in a state of their own.

    A chain is the bound lane and the lanes after it: (from, via, …). Each has a vertex beside its last lane's.
    """

    def __init__(self, turns: _Builder) -> None:
        self._turns = turns
        self._forbidden: dict[tuple[int, ...], set[int]] = defaultdict(set)
        self._only: dict[tuple[int, ...], set[int]] = defaultdict(set)
        self._vertex: dict[tuple[int, ...], int] = {}

    def restrict(self, restriction: TurnRestriction, lanes_of_way: dict[int, list[int]]) -> set[int]:
        """Enter one restriction; returns the lanes it binds, none when the ways do not meet so."""
        lanes = self._turns.lanes
        touched: set[int] = set()
        for start in lanes_of_way.get(restriction.from_way, []):
            for chain in self._walk((start,), restriction.via_ways):
                turns = [
                    k
                    for k in self._turns.leaving_from(int(lanes.head[chain[-1]]))
                    if lanes.way[k] == restriction.to_way and k not in chain and k ^ 1 not in chain[1:]
                ]
                if not turns:
                    continue
                (self._only if restriction.only else self._forbidden)[chain].update(turns)
                for size in range(2, len(chain) + 1):
                    self._vertex.setdefault(chain[:size], -1)
                touched.update(chain)
        return touched

    def _walk(self, chain: tuple[int, ...], ways: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Every way on from a chain over these ways in this order, each to any of its junctions."""
        lanes = self._turns.lanes
        found = [] if ways else [chain]
        if len(chain) > _MOST_VIA_LANES:
            return found
        for lane in self._turns.leaving_from(int(lanes.head[chain[-1]])):
            if lane == chain[-1] ^ 1 or lane in chain:
                continue
            if ways and lanes.way[lane] == ways[0]:
                found += self._walk((*chain, lane), ways[1:])
            elif len(chain) > 1 and lanes.way[lane] == lanes.way[chain[-1]]:
                found += self._walk((*chain, lane), ways)
        return found

    def add(
        self,
        vertex: Longs,
        vertices: int,
        tails: list[Longs],
        heads: list[Longs],
        follows: list[Longs],
        seconds: list[Floats],
    ) -> int:
        """Append the chains' vertices, and lead the bound lanes into them; returns the number of vertices."""
        if not self._vertex:
            return vertices
        turns = self._turns
        for chain in sorted(self._vertex):
            self._vertex[chain] = vertices
            vertices += 1
        head_of = {chain: number for chain, number in self._vertex.items() if len(chain) == 2}
        for k, (before, after) in enumerate(
            zip(self._before(tails[0], vertex), follows[0].tolist(), strict=True)
        ):
            if (before, after) in head_of:
                heads[0][k] = head_of[before, after]
        for chain, number in sorted(self._vertex.items()):
            part = turns.pairs(chain[-1])
            after = turns.after[part]
            keep = turns.allowed[part] & ~np.isin(after, sorted(self._forbidden[chain]))
            if self._only[chain]:
                keep &= np.isin(after, sorted(self._only[chain]))
            after = after[keep]
            tails.append(np.full(len(after), number, dtype=np.int64))
            follows.append(after)
            heads.append(
                np.array(
                    [
                        self._vertex.get((*chain, k), head_of.get((chain[-1], k), int(vertex[k])))
                        for k in after.tolist()
                    ],
                    dtype=np.int64,
                )
            )
            seconds.append(turns.cost[part][keep] + turns.lanes.wait_s[chain[-1]])
        return vertices

    def _before(self, tails: Longs, vertex: Longs) -> list[int]:
        """The bound lane whose own vertex each arc leaves, -1 for others."""
        lane_at = np.full(int(vertex.max()) + 1, -1, dtype=np.int64)
        starts = sorted({chain[0] for chain in self._vertex})
        lane_at[vertex[starts]] = starts
        found: list[int] = lane_at[tails].tolist()
        return found


def _by_way(way: Longs, open_: Flags, wanted: set[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for lane in np.flatnonzero(open_ & np.isin(way, sorted(wanted))).tolist():
        found[int(way[lane])].append(lane)
    return found
