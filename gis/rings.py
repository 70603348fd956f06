"""Vertices of polygons: find one, put one in, move it, take it out. No ring is changed in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

Shape = Polygon | MultiPolygon
Point = tuple[float, float]
Ring = NDArray[np.float64]
"""(n, 2) float64, lon/lat degrees, the first vertex again at the end."""

SAME_DEG = 1e-7
"""Two vertices no farther apart than this, 1 cm, are one: files round their coordinates."""


def rings_of(shape: Shape) -> Iterator[Ring]:
    """The outer and inner rings of a shape."""
    for part in shapely.get_parts(shape):
        for ring in (part.exterior, *part.interiors):
            yield shapely.get_coordinates(ring)


def reshaped(shape: Shape, change: Callable[[Ring], Ring]) -> Shape:
    """The shape with each of its rings changed; the very same one where `change` gives every ring back."""
    parts = []
    changed = False
    for part in shapely.get_parts(shape):
        old = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
        new = [change(ring) for ring in old]
        changed |= any(a is not b for a, b in zip(old, new, strict=True))
        parts.append(Polygon(new[0], new[1:]))
    if not changed:
        return shape
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def vertices_at(ring: Ring, at: Point) -> list[int]:
    """Numbers of the vertices at a place; more than one where outlines drawn apart were united.

    >>> vertices_at(shapely.get_coordinates(shapely.box(0, 0, 1, 1)), (1.0, 1.0 + 4e-8))
    [1]
    """
    numbers: list[int] = np.flatnonzero(np.hypot(*(ring[:-1] - at).T) <= SAME_DEG).tolist()
    return numbers


def edge_at(ring: Ring, at: Point) -> int | None:
    """Number of the edge that passes a place (edge i runs from vertex i to the next), or None."""
    start, along = ring[:-1], np.diff(ring, axis=0)
    squared = np.maximum((along**2).sum(axis=1), 1e-300)
    share = np.clip(((at - start) * along).sum(axis=1) / squared, 0.0, 1.0)
    away = np.hypot(*(start + share[:, None] * along - at).T)
    nearest = int(away.argmin())
    return nearest if away[nearest] <= SAME_DEG else None


def with_vertex(ring: Ring, at: Point) -> Ring:
    """The ring with a vertex where it passes a place; the very same ring where it has one or does not pass."""
    edge = edge_at(ring, at)
    if edge is None or vertices_at(ring, at):
        return ring
    longer: Ring = np.vstack([ring[: edge + 1], np.array([at]), ring[edge + 1 :]])
    return longer


def moved(ring: Ring, numbers: Sequence[int], to: Point) -> Ring:
    """The ring with these vertices elsewhere; neighbours that come to lie on the same place become one."""
    open_ = ring[:-1].copy()
    open_[list(numbers)] = to
    kept: Ring = open_[(open_ != np.roll(open_, 1, axis=0)).any(axis=1)]
    return closed(kept)


def without(ring: Ring, numbers: Sequence[int]) -> Ring:
    """The ring without these vertices."""
    return closed(np.delete(ring[:-1], list(numbers), axis=0))


def closed(ring: Ring) -> Ring:
    """The ring with its first vertex again at the end."""
    whole: Ring = np.vstack([ring, ring[:1]])
    return whole


def beside(ring: Ring, numbers: Sequence[int]) -> list[Point]:
    """The vertices before and after these."""
    last = len(ring) - 1
    around = {(number + step) % last for number in numbers for step in (-1, 1)} - set(numbers)
    return [(float(ring[number, 0]), float(ring[number, 1])) for number in sorted(around)]
