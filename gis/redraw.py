"""An edit of the division as a whole: outlines, attributes, from which day on, and what else follows from it.

Pure: an index and a list of steps go in, the areas to be written come out, or `EditRefused` with what is wrong
and where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any, Final

import shapely

from gis.areas import Area, AreaIndex, Beat
from gis.division import GRID, versions_of
from gis.errors import AreaConflict, EditRefused
from gis.rings import SAME_DEG
from gis.soundness import StepRefused, check, tried
from gis.topology import Merge, Mesh, Piece, Reparent, Split, Step, pieces_of

EDITABLE: Final = frozenset(
    {"name", "label", "chief", "workers", "beat", "households", "kind", "posts", "valid_from", "valid_to"}
)
"""Attributes that `Attributes` may change; the parent is changed by `Reparent`, which moves outlines too."""
_BEAT: Final = "beat "
"""Stands before the key of a beat in the mesh: an area may have the same code."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Give an area other attributes: names of `EDITABLE` and their values."""

    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Named(Split):
    """A split whose new part gets a name."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One area before and after; None where it was not or is no more."""

    code: str
    before: Area | None
    after: Area | None

    @property
    def tier(self) -> int:
        """Of the area, as it is or was."""
        area = self.after or self.before
        return 0 if area is None else area.tier

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that differ; empty for one that is new or gone."""
        if self.before is None or self.after is None:
            return ()
        return different(self.before, self.after)

    @property
    def same_ground(self) -> bool:
        """Whether only vertices came or went on a border that runs as before: a neighbour has a corner there."""
        if self.before is None or self.after is None or self.fields != ("geometry",):
            return False
        moved = shapely.symmetric_difference(self.before.geometry, self.after.geometry)
        return bool(moved.area <= SAME_DEG * self.before.geometry.length)


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What an edit comes to.

    Attributes:
        areas: All areas to be written, with all their versions.
        beats: All beats.
        changes: What differs on the day from which the edit holds, by code.
        moved_beats: Codes of the beats whose outlines moved along.
        codes: Grids and divisions that others mention, and by which they are to be mentioned from now on.
    """

    areas: tuple[Area, ...]
    beats: tuple[Beat, ...]
    changes: tuple[Change, ...]
    moved_beats: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]


def redraw(
    index: AreaIndex, steps: Sequence[Step | Attributes], *, today: date, valid_from: date | None = None
) -> Redrawn:
    """Carry out an edit.

    Args:
        index: The areas in force, with all their versions.
        steps: In order.
        today: The day in the district.
        valid_from: First day on which it holds: what is there now stays as an older version that ends the day
            before. None corrects what is there, as if it had always been so.

    Raises:
        StepRefused: A step makes no sense; says which and why.
        EditRefused: The outcome would be broken; says what, and where on the map.
    """
    later = valid_from is not None and valid_from > today
    base = index.on_day(valid_from) if later and valid_from is not None else index
    mesh = Mesh([*pieces_of(base.areas), *(Piece(_BEAT + b.code, 0, None, b.geometry) for b in base.beats)])
    named = {area.code: area for area in base.areas}
    codes: dict[str, tuple[str, ...]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Attributes):
            _describe(named, step, number)
            continue
        tried(mesh, step, number)
        if isinstance(step, Split):
            _name_split(named, step, codes)
        elif isinstance(step, Merge):
            _name_merge(named, step, codes, keeps=later)
        elif isinstance(step, Reparent):
            named[step.key] = replace(named[step.key], parent=step.parent)
    check(mesh)
    for piece in mesh.now.values():
        if piece.tier > 0 and (area := named[piece.key]) is not None:
            if area.geometry is not piece.shape or area.parent != piece.parent:
                named[piece.key] = replace(area, geometry=piece.shape, parent=piece.parent)
    before = {area.code: area for area in base.areas}
    changes = [
        Change(code, before.get(code), named.get(code))
        for code in sorted(before.keys() | named.keys())
        if before.get(code) is not named.get(code)
    ]
    changes = [change for change in changes if change.before is None or change.after is None or change.fields]
    beats = base.beats if later else tuple(_beat(beat, mesh, codes) for beat in base.beats)
    return Redrawn(
        areas=_written(index.every, changes, valid_from),
        beats=beats,
        changes=tuple(changes),
        moved_beats=tuple(
            a.code for a, b in zip(base.beats, beats, strict=True) if a.geometry is not b.geometry
        ),
        codes=codes,
    )


def different(a: Area, b: Area) -> tuple[str, ...]:
    """Names of the fields in which two versions of an area differ."""
    return tuple(
        field.name
        for field in fields(Area)
        if (
            not a.geometry.equals_exact(b.geometry, 1e-9)
            if field.name == "geometry"
            else getattr(a, field.name) != getattr(b, field.name)
        )
    )


def next_code(index: AreaIndex, code: str, taken: Iterable[str] = ()) -> str:
    """The code for a part that is split from an area: the next number among its sisters.

    >>> from shapely import box
    >>> areas = [Area(f"34010100{n}", "格", 4, None, "网格", box(n, 0, n + 1, 1)) for n in (1, 2)]
    >>> next_code(AreaIndex(areas), "340101001")
    '340101003'
    """
    known = {area.code for area in index.every} | set(taken)
    stem, digits = code[:-3], code[-3:]
    if len(code) > 3 and digits.isdigit():
        sisters = [int(other[-3:]) for other in known if other[:-3] == stem and other[-3:].isdigit()]
        free = next((n for n in range(max(sisters) + 1, 1000)), None)
        if free is not None:
            return f"{stem}{free:03d}"
    return next(other for n in range(2, len(known) + 3) if (other := f"{code}-{n}") not in known)


def _describe(named: dict[str, Area], step: Attributes, number: int) -> None:
    area = named.get(step.code)
    if area is None:
        raise StepRefused(
            EditRefused("unknown", f"there is no area {step.code!r}", keys=(step.code,)), number
        )
    unknown = sorted(step.values.keys() - EDITABLE)
    if unknown:
        detail = f"{', '.join(unknown)} cannot be changed"
        raise StepRefused(EditRefused("unknown_field", detail, keys=(step.code,)), number)
    new = replace(area, **step.values)
    if new.valid_from is not None and new.valid_to is not None and new.valid_to < new.valid_from:
        refused = EditRefused("bad_period", "it would end before it begins", keys=(step.code,))
        raise StepRefused(refused, number)
    named[step.code] = new


def _name_split(named: dict[str, Area], step: Split, codes: dict[str, tuple[str, ...]]) -> None:
    old = named[step.key]
    named[step.new_key] = replace(
        old,
        code=step.new_key,
        name=(step.name if isinstance(step, Named) else "") or f"{old.name}（新）",
        # Whom it belongs to and how many live there is for people to say.
        chief=None,
        workers=(),
        households=None,
        extra=None,
        posts=1,
    )
    codes[step.key] = (*codes.get(step.key, (step.key,)), step.new_key)


def _name_merge(
    named: dict[str, Area], step: Merge, codes: dict[str, tuple[str, ...]], *, keeps: bool
) -> None:
    keep, gone = named[step.keep], named.pop(step.gone)
    counts = [area.households for area in (keep, gone) if area.households is not None]
    named[step.keep] = replace(
        keep,
        workers=tuple(dict.fromkeys((*keep.workers, *gone.workers))),
        chief=keep.chief or gone.chief,
        households=sum(counts) if counts else None,
        posts=keep.posts + gone.posts if keep.tier == GRID else keep.posts,
    )
    for code, parts in codes.items():
        codes[code] = tuple(dict.fromkeys(step.keep if part == step.gone else part for part in parts))
    # What goes only later is still mentioned until then.
    codes[step.gone] = (step.gone, step.keep) if keeps else (step.keep,)


def _beat(beat: Beat, mesh: Mesh, codes: Mapping[str, tuple[str, ...]]) -> Beat:
    shape = mesh.now[_BEAT + beat.code].shape
    grids = recoded(beat.grids, codes)
    return (
        beat if shape is beat.geometry and grids == beat.grids else replace(beat, geometry=shape, grids=grids)
    )


def recoded(grids: Iterable[str], codes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Codes by which the same ground is mentioned after an edit.

    >>> recoded(["1", "2", "3"], {"2": ("1",), "3": ("3", "4")})
    ('1', '3', '4')
    """
    return tuple(dict.fromkeys(new for code in grids for new in codes.get(code, (code,))))


def _written(every: Iterable[Area], changes: Iterable[Change], valid_from: date | None) -> tuple[Area, ...]:
    """All versions with the changed ones in their place, or beside them where they hold from a day on."""
    replaced: dict[int, list[Area]] = {}
    added: list[Area] = []
    for change in changes:
        before, after = change.before, change.after
        older = before is not None and (before.valid_from or date.min) < (valid_from or date.min)
        older = older and not change.same_ground
        if after is not None and (before is None or older):
            after = replace(after, valid_from=valid_from or after.valid_from)
        if before is None:
            added += [after] if after is not None else []
            continue
        ended = [replace(before, valid_to=valid_from - timedelta(days=1))] if older and valid_from else []
        replaced[id(before)] = ended + ([after] if after is not None else [])
    areas = [new for area in every for new in replaced.get(id(area), [area])] + added
    try:
        versions_of(areas)
    except AreaConflict as error:
        raise EditRefused("bad_period", str(error)) from None
    return tuple(areas)
