"""Where neighbours of one tier do not fit: shapes that overlap, and ground between them that nobody has.

In a clean division every stretch of border stands twice, once in each direction. Stretches that do not are few, so
they are found by sorting and only they are looked at as geometry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from gis.crs import Floats, LocalMetric, by_columns
from gis.intake.rows import Shapes

NOISE_M: Final = 0.05
"""Corners closer than this are the same corner, drawn twice."""
LEAST_WIDTH_M: Final = 0.1
LEAST_AREA_M2: Final = 1.0
GAP_WIDTH_M: Final = 20.0
"""Uncovered ground narrower than this is a gap between neighbours, anything wider a hole."""
MOST_LOOSE: Final = 400_000
"""Stretches of border without a partner up to which gaps are looked for; beyond, every border is a gap."""
_THREADS: Final = 2
_CHUNK: Final = 20_000

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two shapes with common ground.

    Attributes:
        a: Index of the first.
        b: Of the second.
        shape: The common ground, degrees.
        area_m2: Its area.
        share: Of the smaller of the two.
    """

    a: int
    b: int
    shape: BaseGeometry
    area_m2: float
    share: float


@dataclass(frozen=True, slots=True)
class Bare:
    """Ground between shapes that none of them has.

    Attributes:
        neighbours: Indices of the shapes about it.
        shape: The ground, degrees.
        area_m2: Its area.
        width_m: About how wide it is.
    """

    neighbours: tuple[int, ...]
    shape: BaseGeometry
    area_m2: float
    width_m: float

    @property
    def is_gap(self) -> bool:
        """A gap rather than a hole."""
        return self.width_m < GAP_WIDTH_M


@dataclass(frozen=True, slots=True)
class Fit:
    """What is wrong with the borders of one tier; ``gaps_sought`` is False where there were too many faults."""

    overlaps: list[Overlap]
    bare: list[Bare]
    gaps_sought: bool = True


class Ground:
    """Degrees in metres about a place, for areas and widths."""

    def __init__(self, shapes: Shapes) -> None:
        west, south, east, north = shapely.total_bounds(shapes).tolist()
        self.lon, self.lat = (west + east) / 2.0, (south + north) / 2.0
        self.frame = LocalMetric(self.lon, self.lat)
        x, y = self.frame.to_xy([self.lon + 1e-3, self.lon], [self.lat, self.lat + 1e-3])
        self.m_per_deg = (float(x[0]) / 1e-3, float(y[1]) / 1e-3)
        """Metres of a degree east and north at the middle, for thresholds only."""

    def flat(self, shapes: Shapes) -> Shapes:
        """The shapes in metres."""
        return shapely.transform(shapes, by_columns(self.frame.to_xy))

    def degrees(self, metres: float) -> float:
        """A length in degrees that is nowhere more than this many metres."""
        return metres / max(self.m_per_deg)


def examine(shapes: Shapes, tell: Callable[[float], None] = lambda _share: None) -> Fit:
    """Find overlaps and bare ground.

    Args:
        shapes: Valid polygons and multipolygons, degrees.
        tell: Told the share that is done.
    """
    if len(shapes) < 2 and not _has_holes(shapes):
        return Fit([], [])
    ground = Ground(shapes)
    loose = loose_ends(shapes, ground)
    tell(0.4)
    owners = np.unique(loose.owner)
    overlaps = _overlaps(shapes, owners, ground)
    tell(0.8)
    if len(loose.owner) > MOST_LOOSE:
        return Fit(overlaps, [], gaps_sought=False)
    bare = _bare(shapes, loose, ground)
    return Fit(overlaps, bare)


def _has_holes(shapes: Shapes) -> bool:
    return bool((shapely.get_num_interior_rings(shapely.get_parts(shapes)) > 0).any())


# -- stretches of border without a partner ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loose:
    """Stretches of border that no neighbour has in the other direction: both ends, degrees, and whose they are."""

    start: Floats
    end: Floats
    owner: Numbers


def loose_ends(shapes: Shapes, ground: Ground) -> Loose:
    """Find the stretches without a partner; corners a hand's breadth apart count as one where there are many."""
    corners, ring, owner, inner = _rings(shapes)
    joined = ring[1:] == ring[:-1]
    # A shell runs with its ground to the left and a hole with it to the right, however they were drawn.
    turned = _clockwise(corners, ring) != inner
    against = turned[ring[:-1]]
    found = _unpaired(_corner_ids_exact(corners), joined, against)
    if len(found) > len(shapes) // 4 + 1000:
        found = _unpaired(_corner_ids_near(corners, ground), joined, against)
    return Loose(corners[:-1][found], corners[1:][found], owner[ring[:-1][found]])


def _rings(shapes: Shapes) -> tuple[Floats, Numbers, Numbers, NDArray[np.bool_]]:
    """Corners of all rings, the ring each belongs to, and of each ring its owner and whether it is a hole."""
    simple = shapely.get_num_interior_rings(shapes) == 0  # -1 for multipolygons
    plain, others = np.flatnonzero(simple), np.flatnonzero(~simple)
    # Most shapes are one ring; only the others have to be taken apart, which copies them.
    corners, ring = shapely.get_coordinates(shapes[plain], return_index=True)
    parts, part_owner = shapely.get_parts(shapes[others], return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    more, more_ring = shapely.get_coordinates(rings, return_index=True)
    inner = np.r_[False, ring_part[1:] == ring_part[:-1]][: len(ring_part)]
    return (
        np.concatenate((corners, more)),
        np.concatenate((ring, more_ring + len(plain))),
        np.concatenate((plain, others[part_owner[ring_part]])),
        np.concatenate((np.zeros(len(plain), dtype=bool), inner)),
    )


def _clockwise(corners: Floats, ring: Numbers) -> NDArray[np.bool_]:
    """Which rings run clockwise."""
    start = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    # About a corner of its own: the product of two longitudes leaves nothing of a narrow ring.
    x, y = (corners[:, n] - corners[start, n][ring] for n in (0, 1))
    cross = np.zeros(len(corners))
    cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    cross[np.r_[start[1:], len(corners)] - 1] = 0.0
    return np.asarray(np.add.reduceat(cross, start) < 0.0)


def _corner_ids_exact(corners: Floats) -> NDArray[np.uint64]:
    """A number for each place; equal places have equal numbers."""
    bits = np.ascontiguousarray(corners + 0.0).view(np.uint64)
    with np.errstate(over="ignore"):
        mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= (mixed >> np.uint64(29)) + bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0xFF51AFD7ED558CCD)
    return mixed ^ (mixed >> np.uint64(33))


def _corner_ids_near(corners: Floats, ground: Ground) -> NDArray[np.uint64]:
    """The same where corners a hand's breadth apart are one."""
    group = _groups(corners, ground)
    with np.errstate(over="ignore"):
        ids = group.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(ids ^ (ids >> np.uint64(31)), dtype=np.uint64)


def _groups(corners: Floats, ground: Ground) -> Numbers:
    """Number the places of corners, those a hand's breadth apart being one."""
    single, which = np.unique(_corner_ids_exact(corners), return_inverse=True)
    first = np.zeros(len(single), dtype=np.int64)
    first[which] = np.arange(len(which))
    tree = cKDTree(corners[first] * ground.m_per_deg, balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(NOISE_M, output_type="ndarray")
    links = coo_array(
        (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(single),) * 2
    )
    _, group = connected_components(links, directed=False)
    return np.asarray(group[which], dtype=np.int64)


def _unpaired(ids: NDArray[np.uint64], joined: NDArray[np.bool_], against: NDArray[np.bool_]) -> Numbers:
    """Stretches (by their first corner) that do not stand exactly twice, once in each direction."""
    a, b = ids[:-1], ids[1:]
    real = np.flatnonzero(joined & (a != b))
    a, b = a[real], b[real]
    with np.errstate(over="ignore"):
        key = (a ^ b) * np.uint64(0x9E3779B97F4A7C15) + (a + b)
    forward = np.where((a < b) != against[real], np.int8(1), np.int8(-1))
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    count = np.diff(np.r_[starts, len(ordered)])
    balance = (
        np.add.reduceat(forward[order].astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)
    )
    alone = np.repeat((count != 2) | (balance != 0), count)
    return np.sort(real[order[alone]])


# -- common ground ----------------------------------------------------------------------------------------


def _overlaps(shapes: Shapes, owners: Numbers, ground: Ground) -> list[Overlap]:
    tree = shapely.STRtree(shapes)
    hits = np.concatenate(
        [part for part in _in_parts(lambda some: _hits(tree, shapes, some), owners)], axis=1
    )
    a, b = np.minimum(hits[0], hits[1]), np.maximum(hits[0], hits[1])
    if not len(a):
        return []
    pairs = np.unique(np.column_stack((a, b))[a != b], axis=0)
    found: list[Overlap] = []
    for some, common in _in_parts_of(lambda some: _common(shapes, some), pairs):
        flat = ground.flat(common)
        area = shapely.area(flat)
        # Both rings of an overlap count, so this is its mean width where it is long.
        width = 2.0 * area / np.maximum(shapely.length(flat), 1e-9)
        real = np.flatnonzero((area >= LEAST_AREA_M2) & (width >= LEAST_WIDTH_M))
        if not len(real):
            continue
        sizes = np.minimum(*(shapely.area(ground.flat(shapes[some[real, n]])) for n in (0, 1)))
        for n, size in zip(real.tolist(), sizes.tolist(), strict=True):
            share = float(area[n]) / size if size > 0 else 1.0
            found.append(
                Overlap(int(some[n, 0]), int(some[n, 1]), common[n], float(area[n]), min(1.0, share))
            )
    return found


def _hits(tree: shapely.STRtree, shapes: Shapes, some: Numbers) -> Numbers:
    hits = tree.query(shapes[some], predicate="intersects")
    return np.vstack((some[hits[0]], hits[1]))


def _common(shapes: Shapes, pairs: Numbers) -> Shapes:
    return shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])


def _in_parts(work: Callable[[Numbers], Numbers], numbers: Numbers) -> list[Numbers]:
    parts = [numbers[n : n + _CHUNK] for n in range(0, len(numbers), _CHUNK)] or [numbers]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, parts))


def _in_parts_of(work: Callable[[Numbers], Shapes], pairs: Numbers) -> Iterator[tuple[Numbers, Shapes]]:
    parts = [pairs[n : n + _CHUNK] for n in range(0, len(pairs), _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from zip(parts, pool.map(work, parts), strict=True)


# -- bare ground ------------------------------------------------------------------------------------------


def _bare(shapes: Shapes, loose: Loose, ground: Ground) -> list[Bare]:
    """Cut the plane along the loose stretches and keep the faces that no shape covers."""
    if not len(loose.owner):
        return []
    noded = shapely.union_all(shapely.line_merge(_tight(loose, ground)))
    faces = shapely.get_parts(shapely.polygonize([noded]))
    if not len(faces):
        return []
    inside = shapely.point_on_surface(faces)
    tree = shapely.STRtree(shapes)
    covered = np.unique(tree.query(inside, predicate="intersects")[0])
    bare = np.delete(faces, covered)
    flat = ground.flat(bare)
    area = shapely.area(flat)
    width = 2.0 * area / np.maximum(shapely.length(flat), 1e-9)
    real = np.flatnonzero((area >= LEAST_AREA_M2) & (width >= LEAST_WIDTH_M))
    about = tree.query(bare[real], predicate="dwithin", distance=ground.degrees(2 * NOISE_M))
    found = []
    for n, face in enumerate(real.tolist()):
        near = tuple(int(one) for one in np.sort(about[1][about[0] == n]))
        found.append(Bare(near, bare[face], float(area[face]), float(width[face])))
    return found


def _tight(loose: Loose, ground: Ground) -> BaseGeometry:
    """The loose stretches with nothing between those that almost touch: the ground about a slit would stay whole.

    Corners that are almost one become one, and a stretch that runs past the corner of another runs through it.
    """
    ends = np.concatenate((loose.start, loose.end))
    _, first, group = np.unique(_groups(ends, ground), return_index=True, return_inverse=True)
    corners = ends[first]
    pair = np.unique(np.sort(group.reshape(2, -1).T, axis=1), axis=0)
    pair = pair[pair[:, 0] != pair[:, 1]]
    start, end = corners[pair[:, 0]], corners[pair[:, 1]]
    straight: Shapes = np.asarray(shapely.linestrings(np.stack((start, end), axis=1)))
    tree = shapely.STRtree(straight)
    corner, stretch = tree.query(
        shapely.points(corners), predicate="dwithin", distance=ground.degrees(NOISE_M)
    )
    passed = (corner != pair[stretch, 0]) & (corner != pair[stretch, 1])
    corner, stretch = corner[passed], stretch[passed]
    along = ((corners[corner] - start[stretch]) * (end - start)[stretch]).sum(axis=1)
    count = len(pair)
    owner = np.concatenate((np.arange(count), stretch, np.arange(count)))
    place = np.concatenate((np.full(count, -np.inf), along, np.full(count, np.inf)))
    order = np.lexsort((place, owner))
    points = np.concatenate((start, corners[corner], end))[order]
    through: Shapes = np.asarray(shapely.linestrings(points, indices=owner[order]))
    return shapely.MultiLineString(through.tolist())


# -- repair -----------------------------------------------------------------------------------------------


def cleaned(shapes: Shapes, snap_m: float) -> tuple[Shapes, Numbers]:
    """Give neighbours common borders: ground two of them have goes to one, narrow gaps are closed.

    Only shapes with a fault and their neighbours are touched.

    Args:
        shapes: Valid polygons and multipolygons, degrees.
        snap_m: Gaps up to this many metres wide are closed.

    Returns:
        The shapes, and which of them changed. One that would vanish keeps its shape.
    """
    ground = Ground(shapes)
    gap = ground.degrees(snap_m)
    faulty = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes, gap_width=gap)))
    if not len(faulty):
        return shapes, faulty
    tree = shapely.STRtree(shapes)
    hits = tree.query(shapes[faulty], predicate="dwithin", distance=gap)
    links = coo_array(
        (np.ones(hits.shape[1], dtype=np.int8), (faulty[hits[0]], hits[1])), shape=(len(shapes),) * 2
    )
    _, group = connected_components(links, directed=False)
    result = shapes.copy()
    involved = np.unique(np.concatenate((faulty, hits[1])))
    for one in np.unique(group[faulty]).tolist():
        members = involved[group[involved] == one]
        mended = shapely.coverage_clean(  # type: ignore[attr-defined]  # newer than the stubs
            shapes[members], gap_width=gap, snapping_distance=min(ground.degrees(NOISE_M / 5.0), gap)
        )
        gone = shapely.is_empty(mended) | shapely.is_missing(mended)
        result[members[~gone]] = mended[~gone]
    changed = involved[
        ~shapely.equals_exact(shapely.normalize(result[involved]), shapely.normalize(shapes[involved]), 0.0)
    ]
    return result, changed
