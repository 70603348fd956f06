"""Outlines that hang together: what is done to a border is done to every area along it, of whatever tier.

Areas come from files that know nothing of each other, so a border that two share is only two lists of equal
numbers. `Mesh` treats them as one: a vertex is moved, put in or taken out in all areas that have it, and an
edge that merely passes there is given the vertex first. `gis.soundness` then says what the edit broke.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon

from gis import outlines, rings
from gis.areas import Area
from gis.errors import EditRefused
from gis.rings import SAME_DEG, Point, Ring, Shape


@dataclass(frozen=True, slots=True)
class Piece:
    """One outline of the mesh. `tier` 0 is laid over the others and has no parent (police beats)."""

    key: str
    tier: int
    parent: str | None
    shape: Shape


@dataclass(frozen=True, slots=True)
class Move:
    """Put what is at one place to another: a vertex, or the point of an edge, which becomes one."""

    at: Point
    to: Point


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a vertex into the border that passes here."""

    at: Point


@dataclass(frozen=True, slots=True)
class Delete:
    """Take the vertex here out of the border."""

    at: Point


@dataclass(frozen=True, slots=True)
class Split:
    """Cut an area in two along a line; the larger part keeps the key, the western one of equals."""

    key: str
    line: tuple[Point, ...]
    new_key: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Make one of two neighbours with the same parent; what was below the one that goes comes below the other."""

    keep: str
    gone: str


@dataclass(frozen=True, slots=True)
class Reparent:
    """Give an area to another parent: the outlines above lose and gain it."""

    key: str
    parent: str


_Change = Callable[[Ring], Ring]
Step = Move | Insert | Delete | Split | Merge | Reparent


def pieces_of(areas: Iterable[Area]) -> list[Piece]:
    """Areas as pieces of a mesh."""
    return [Piece(area.code, area.tier, area.parent, area.geometry) for area in areas]


class Mesh:
    """Outlines being edited.

    Args:
        pieces: All that may share a border, of every tier.

    Attributes:
        before: The pieces as given, by key.
        now: As they are after the steps so far.

    >>> west, east = Piece("W", 4, None, shapely.box(0, 0, 1, 1)), Piece("E", 4, None, shapely.box(1, 0, 2, 1))
    >>> mesh = Mesh([west, east])
    >>> mesh.take(Move((1.0, 1.0), (1.2, 1.0)))
    >>> [round(mesh.now[key].shape.area, 3) for key in ("W", "E")]
    [1.1, 0.9]
    """

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.before: Mapping[str, Piece] = {piece.key: piece for piece in pieces}
        self.now: dict[str, Piece] = dict(self.before)
        self._origins: dict[str, frozenset[str]] = {}
        self._touched: set[str] = set()
        self._keys = list(self.before)
        self._tree = shapely.STRtree([piece.shape for piece in self.before.values()])

    @property
    def changed(self) -> frozenset[str]:
        """Keys of what is new, gone or not as it was."""
        return frozenset(self._touched)

    def take(self, step: Step) -> None:
        """Carry out a step.

        Raises:
            EditRefused: It makes no sense here; says why and where. The mesh is then of no further use.
        """
        match step:
            case Move():
                self._move(_finite(step.at), _finite(step.to))
            case Insert():
                self._node(self._along(_finite(step.at)), step.at)
            case Delete():
                self._delete(_finite(step.at))
            case Split():
                self._split(step)
            case Merge():
                self._merge(step)
            case Reparent():
                self._reparent(step)

    def piece(self, key: str) -> Piece:
        """The piece with this key as it is now. Raises EditRefused."""
        if key not in self.now:
            raise EditRefused("unknown", f"there is no area {key!r}", keys=(key,))
        return self.now[key]

    def near(self, shape: shapely.Geometry) -> list[str]:
        """Keys of the pieces that touch something, in order."""
        hits = self._tree.query(shape, predicate="dwithin", distance=SAME_DEG)
        unchanged = {self._keys[n] for n in hits.tolist()} - self._touched
        other = {
            key
            for key in self._touched
            if key in self.now and shapely.dwithin(self.now[key].shape, shape, SAME_DEG)
        }
        return sorted(unchanged | other)

    def sharing(self, key: str) -> dict[Point, tuple[str, ...]]:
        """The vertices of a piece that others have too, with the keys of those others."""
        shape = self.piece(key).shape
        corners = list(
            dict.fromkeys((lon, lat) for ring in rings.rings_of(shape) for lon, lat in ring[:-1].tolist())
        )
        points = shapely.points(corners)
        found: dict[Point, list[str]] = {}
        for other in self.near(shape):
            if other != key:
                border = self.now[other].shape.boundary
                shapely.prepare(border)
                for number in np.flatnonzero(shapely.dwithin(border, points, SAME_DEG)).tolist():
                    found.setdefault(corners[number], []).append(other)
        return {corner: tuple(keys) for corner, keys in found.items()}

    # -- vertices ---------------------------------------------------------------------------------

    def _along(self, at: Point) -> list[str]:
        """Keys of the pieces whose border passes here. Raises EditRefused where there is none."""
        point = shapely.Point(at)
        keys = [
            key for key in self.near(point) if shapely.dwithin(self.now[key].shape.boundary, point, SAME_DEG)
        ]
        if not keys:
            raise EditRefused("not_on_border", "no border passes here", at)
        return keys

    def _node(self, keys: Iterable[str], at: Point) -> None:
        for key in keys:
            self._reshape(key, lambda ring: rings.with_vertex(ring, at))

    def _gather(self, at: Point) -> tuple[list[str], list[Point]]:
        """Give all that pass here the vertex, and along their edges from it each other's vertices.

        Returns:
            Who they are, and the vertices next to it.
        """
        keys = self._along(at)
        self._node(keys, at)
        for beside in self._beside(keys, at):
            edge = LineString([at, beside])
            for vertex in self._vertices_on(edge):
                self._node(keys, vertex)
        return keys, self._beside(keys, at)

    def _vertices_on(self, edge: LineString) -> list[Point]:
        corners = np.vstack([shapely.get_coordinates(self.now[key].shape) for key in self.near(edge)])
        west, south, east, north = edge.buffer(SAME_DEG).bounds
        x, y = corners.T
        inside = corners[(west <= x) & (x <= east) & (south <= y) & (y <= north)]
        touching = inside[shapely.dwithin(edge, shapely.points(inside), SAME_DEG)]
        return [(lon, lat) for lon, lat in np.unique(touching, axis=0).tolist()]

    def _beside(self, keys: Iterable[str], at: Point) -> list[Point]:
        found: list[Point] = []
        for key in keys:
            for ring in rings.rings_of(self.now[key].shape):
                for point in rings.beside(ring, rings.vertices_at(ring, at)):
                    if all(np.hypot(point[0] - a, point[1] - b) > SAME_DEG for a, b in found):
                        found.append(point)
        return found

    def _move(self, at: Point, to: Point) -> None:
        keys, _ = self._gather(at)
        for key in keys:
            self._reshape(key, partial(_moved_in, at=at, to=to, key=key))

    def _delete(self, at: Point) -> None:
        keys, beside = self._gather(at)
        if len(beside) > 2:
            raise EditRefused("junction", "several borders meet here", at, tuple(keys))
        for key in keys:
            self._reshape(key, partial(_deleted_in, at=at, key=key))

    def _put(self, piece: Piece) -> None:
        self.now[piece.key] = piece
        self._touched.add(piece.key)

    def _reshape(self, key: str, change: _Change) -> None:
        piece = self.now[key]
        shape = rings.reshaped(piece.shape, change)
        if shape is not piece.shape:
            self._put(replace(piece, shape=shape))

    # -- areas ------------------------------------------------------------------------------------

    def _split(self, step: Split) -> None:
        if step.new_key in self.now:
            raise EditRefused("code_taken", f"{step.new_key!r} is taken", keys=(step.new_key,))
        if any(piece.parent == step.key for piece in self.now.values()):
            raise EditRefused("has_children", "it has areas below; split those", keys=(step.key,))
        if len(step.line) < 2:
            raise EditRefused("not_split", "a line has two points at least", keys=(step.key,))
        border = self.piece(step.key).shape.boundary
        for end in (_finite(step.line[0]), _finite(step.line[-1])):
            # An end that lies on the border is no crossing, unless the border has a vertex there.
            if shapely.dwithin(border, shapely.Point(end), SAME_DEG):
                self._node(self._along(end), end)
        piece = self.now[step.key]
        first, second = _halves(piece, LineString([_finite(point) for point in step.line]))
        old = {tuple(vertex) for vertex in shapely.get_coordinates(piece.shape).tolist()}
        self._put(replace(piece, shape=first))
        self._put(replace(piece, key=step.new_key, shape=second))
        self._origins[step.new_key] = self.origin(step.key)
        for vertex in map(tuple, shapely.get_coordinates(second).tolist()):
            if vertex not in old and shapely.dwithin(border, shapely.Point(vertex), SAME_DEG):
                self._node(self._along(vertex), vertex)

    def _merge(self, step: Merge) -> None:
        keep, gone = self.piece(step.keep), self.piece(step.gone)
        keys = (keep.key, gone.key)
        if keep.key == gone.key or keep.tier != gone.tier or keep.parent != gone.parent:
            raise EditRefused("other_parent", "only two areas below the same one can be merged", keys=keys)
        if not outlines.share_border(keep.shape, gone.shape):
            raise EditRefused("not_neighbours", "they share no border", keys=keys)
        self._put(replace(keep, shape=_union(keep.shape, gone.shape)))
        self._origins[keep.key] = self.origin(keep.key) | self.origin(gone.key)
        del self.now[gone.key]
        self._touched.add(gone.key)
        for piece in list(self.now.values()):
            if piece.parent == gone.key:
                self._put(replace(piece, parent=keep.key))

    def _reparent(self, step: Reparent) -> None:
        piece, new = self.piece(step.key), self.piece(step.parent)
        if new.tier >= piece.tier:
            raise EditRefused("other_parent", "an area belongs below a higher tier", keys=(step.key, new.key))
        losing, gaining = self._above(piece), [new, *self._above(new)]
        common = {one.key for one in losing} & {one.key for one in gaining}
        for one in losing:
            if one.key not in common:
                rest = _areal(shapely.difference(one.shape, piece.shape))
                if rest is None:
                    raise EditRefused(
                        "nothing_left", f"nothing would be left of {one.key!r}", keys=(one.key,)
                    )
                self._put(replace(one, shape=rest))
        for one in gaining:
            if one.key not in common:
                self._put(replace(one, shape=_union(one.shape, piece.shape)))
        self._put(replace(piece, parent=step.parent))

    def _above(self, piece: Piece) -> list[Piece]:
        found: list[Piece] = []
        while piece.parent is not None and piece.parent in self.now and len(found) < 9:
            piece = self.now[piece.parent]
            found.append(piece)
        return found

    def origin(self, key: str) -> frozenset[str]:
        """Keys of the pieces before that a piece was made of."""
        return self._origins.get(key, frozenset({key}))


def _finite(at: Point) -> Point:
    if not (np.isfinite(at).all() and abs(at[0]) <= 180 and abs(at[1]) <= 90):
        raise EditRefused("not_finite", "these are no degrees of longitude and latitude")
    return float(at[0]), float(at[1])


def _moved_in(ring: Ring, at: Point, to: Point, key: str) -> Ring:
    numbers = rings.vertices_at(ring, at)
    return _corners(rings.moved(ring, numbers, to), at, key) if numbers else ring


def _deleted_in(ring: Ring, at: Point, key: str) -> Ring:
    numbers = rings.vertices_at(ring, at)
    return _corners(rings.without(ring, numbers), at, key) if numbers else ring


def _corners(ring: Ring, at: Point, key: str) -> Ring:
    if len(ring) < 4:
        raise EditRefused("too_few_vertices", "a border needs three corners", at, (key,))
    return ring


def _halves(piece: Piece, line: LineString) -> tuple[Shape, Shape]:
    """The two parts of a piece on either side of a line: the one that keeps the key, and the other."""
    whole: list[Polygon] = []
    cut: list[Polygon] = []
    for part in shapely.get_parts(piece.shape):
        faces = shapely.get_parts(shapely.polygonize([shapely.union(part.boundary, line)]))
        inside = [face for face in faces if part.contains(face.representative_point())]
        if len(inside) > 1:
            cut += inside
        else:
            whole.append(part)
    if len(cut) < 2:
        raise EditRefused("not_split", "the line does not cut through the area", keys=(piece.key,))
    if len(cut) > 2:
        middle = cut[2].representative_point()
        raise EditRefused(
            "too_many_parts", "the line cuts more than two parts", (middle.x, middle.y), (piece.key,)
        )
    first, second = sorted(cut, key=lambda face: (-round(face.area, 15), face.bounds[0]))
    kept = _areal(shapely.multipolygons([first, *whole]))
    assert kept is not None  # it holds at least the face
    return kept, second


def _union(a: Shape, b: Shape) -> Shape:
    united = shapely.union(a, shapely.snap(b, a, SAME_DEG))
    sliver = SAME_DEG * a.length
    parts = [
        Polygon(part.exterior, [hole for hole in part.interiors if Polygon(hole).area > sliver])
        for part in shapely.get_parts(united)
        if isinstance(part, Polygon) and part.area > sliver
    ]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _areal(shape: shapely.Geometry) -> Shape | None:
    parts: Sequence[Polygon] = [
        part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and part.area > 0
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)
