"""What an edit of outlines must not break: whole outlines, no overlap, no gap, nothing outside its parent.

Files are not perfect to begin with, so what counts is only what an edit made worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.errors import GEOSException

from gis.errors import EditRefused
from gis.rings import SAME_DEG, Point, Shape
from gis.topology import Mesh, Piece, Step

_PLACE = re.compile(r"\[(-?[\d.eE+-]+) (-?[\d.eE+-]+)")


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit made of the pieces.

    Attributes:
        changed: Pieces that are new or other than before, by key.
        gone: Keys of those that are no more, sorted.
    """

    changed: dict[str, Piece]
    gone: tuple[str, ...]


class StepRefused(EditRefused):
    """As `EditRefused`, with the number of the step (from 0) that could not be carried out."""

    def __init__(self, error: EditRefused, step: int) -> None:
        super().__init__(error.reason, error.detail, error.at, error.keys)
        self.step = step


def edited(pieces: Iterable[Piece], steps: Sequence[Step]) -> Edited:
    """Carry out steps one after the other and check the outcome.

    Args:
        pieces: All outlines that may share a border, of every tier.
        steps: In order.

    Raises:
        StepRefused: A step makes no sense where it stands.
        EditRefused: The outcome would be broken.
    """
    mesh = Mesh(pieces)
    for number, step in enumerate(steps):
        tried(mesh, step, number)
    check(mesh)
    changed = {key: mesh.now[key] for key in sorted(mesh.changed) if key in mesh.now}
    return Edited(changed, tuple(sorted(mesh.before.keys() - mesh.now.keys())))


def tried(mesh: Mesh, step: Step, number: int) -> None:
    """Carry out one step of a list; raises StepRefused with its number."""
    try:
        mesh.take(step)
    except EditRefused as error:
        raise StepRefused(error, number) from None
    except GEOSException as error:  # an earlier step left a border that crosses itself
        refused = EditRefused("invalid", f"a border crosses itself: {error}")
        raise StepRefused(refused, number) from None


def check(mesh: Mesh) -> None:
    """Raise EditRefused for the first thing that the steps broke; says what and where."""
    changed = {key: mesh.now[key] for key in sorted(mesh.changed) if key in mesh.now}
    children, children_before = _by_parent(mesh.now.values()), _by_parent(mesh.before.values())
    for piece in changed.values():
        _check_whole(piece)
    for piece in changed.values():
        if piece.tier > 0:
            _check_overlap(mesh, piece)
            _check_inside(mesh, piece)
            for child in children.get(piece.key, ()):
                if child.key not in changed:
                    _check_inside(mesh, child)
    above = {piece.parent for piece in changed.values()} | changed.keys()
    above |= {mesh.before[key].parent for key in mesh.changed if key in mesh.before}
    for key in sorted(key for key in above if key in children and key in mesh.now):
        covered = [piece for one in sorted(mesh.origin(key)) for piece in children_before.get(one, ())]
        _check_filled(mesh, mesh.now[key], children[key], covered)


def _by_parent(pieces: Iterable[Piece]) -> dict[str, list[Piece]]:
    found: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.parent is not None:
            found.setdefault(piece.parent, []).append(piece)
    return found


def _check_whole(piece: Piece) -> None:
    if piece.shape.is_empty or piece.shape.area <= 0:
        raise EditRefused("invalid", "nothing is left of it", keys=(piece.key,))
    if not piece.shape.is_valid:
        why = shapely.is_valid_reason(piece.shape)
        place = _PLACE.search(why)
        at = (float(place[1]), float(place[2])) if place else None
        raise EditRefused("invalid", f"its border crosses itself: {why}", at, (piece.key,))


def _check_overlap(mesh: Mesh, piece: Piece) -> None:
    for key in mesh.near(piece.shape):
        other = mesh.now[key]
        if key == piece.key or other.tier != piece.tier:
            continue
        common = shapely.intersection(piece.shape, other.shape)
        known = 0.0
        if not mesh.origin(piece.key) & mesh.origin(key):  # the halves of a split come from one
            known = shapely.intersection(_before(mesh, piece.key), _before(mesh, key)).area
        if common.area > known + _slack(piece.shape, other.shape):
            raise EditRefused("overlap", "two areas would overlap", _place_of(common), (piece.key, key))


def _check_inside(mesh: Mesh, piece: Piece) -> None:
    parent = None if piece.parent is None else mesh.now.get(piece.parent)
    if parent is None:
        return
    outside = shapely.difference(piece.shape, parent.shape)
    known = 0.0
    if any(mesh.before[key].parent in mesh.origin(parent.key) for key in mesh.origin(piece.key)):
        known = shapely.difference(_before(mesh, piece.key), _before(mesh, parent.key)).area
    if outside.area > known + _slack(piece.shape, parent.shape):
        keys = (piece.key, parent.key)
        raise EditRefused("outside_parent", "it would leave the area above", _place_of(outside), keys)


def _check_filled(
    mesh: Mesh, parent: Piece, children: Iterable[Piece], children_before: Iterable[Piece]
) -> None:
    """The part of a parent that no child covers must not grow."""
    empty = shapely.difference(parent.shape, _united(children))
    was_empty = shapely.difference(_before(mesh, parent.key), _united(children_before))
    if empty.area > was_empty.area + _slack(parent.shape):
        place = _place_of(shapely.difference(empty, was_empty))
        raise EditRefused("gap", "a gap would open between areas", place, (parent.key,))


def _united(pieces: Iterable[Piece]) -> shapely.Geometry:
    return shapely.union_all([piece.shape for piece in pieces])


def _before(mesh: Mesh, key: str) -> shapely.Geometry:
    return shapely.union_all([mesh.before[one].shape for one in sorted(mesh.origin(key))])


def _slack(*shapes: Shape) -> float:
    """Square degrees that borders drawn one centimetre apart may differ by."""
    return SAME_DEG * float(np.min([shape.length for shape in shapes]))


def _place_of(shape: shapely.Geometry) -> Point | None:
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    if not parts:
        return None
    point = max(parts, key=lambda part: part.area).representative_point()
    return point.x, point.y
