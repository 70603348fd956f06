"""Tours (轮巡) and layouts: which cameras stand on a wall of tiles, one after the other or side by side."""

import re
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from command.cameras.model import check_version, checked_text
from command.errors import Malformed, NotFound
from command.events import Context, Fact

if TYPE_CHECKING:
    from command.board import Picture

Split = Literal[1, 4, 9, 16]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
MOST_CAMERAS: Final = 500
MOST_KEPT: Final = 500
"""Tours, and layouts, a centre may keep."""
DWELL_S: Final = (3.0, 3600.0)
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class Tour(msgspec.Struct, frozen=True, kw_only=True):
    """Cameras shown in turn, ``split`` at a time, each turn ``dwell_s`` long."""

    id: str
    name: str
    group: str | None = None
    camera_ids: tuple[str, ...] = ()
    dwell_s: float = 15.0
    split: Split = 4
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    enabled: bool = True
    updated_by: str | None = None
    updated_at: str | None = None
    version: int = 1


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which camera stands in which tile; None: an empty one."""

    id: str
    name: str
    split: Split = 4
    cells: tuple[str | None, ...] = ()
    updated_by: str | None = None
    updated_at: str | None = None
    version: int = 1


def decide_save_tour(
    picture: "Picture", tour: Tour, context: Context, *, expected_version: int | None = None
) -> list[Fact]:
    """Keep a tour under its id, new or changed.

    Raises:
        Malformed: A name, number, moment or camera makes no sense; the field is named.
        StaleVersion: Somebody else changed it first.
    """
    name = checked_text("name", tour.name, 80)
    group = checked_text("group", tour.group, 40) if tour.group is not None else None
    if len(tour.camera_ids) > MOST_CAMERAS:
        raise Malformed("camera_ids", f"at most {MOST_CAMERAS}")
    _check_cameras(picture, "camera_ids", tour.camera_ids)
    if not DWELL_S[0] <= tour.dwell_s <= DWELL_S[1]:
        raise Malformed("dwell_s", f"{DWELL_S[0]:g} to {DWELL_S[1]:g} seconds")
    if (tour.from_ is None) != (tour.to is None):
        raise Malformed("to" if tour.to is None else "from", "a window has a beginning and an end")
    for field, moment in (("from", tour.from_), ("to", tour.to)):
        if moment is not None and _CLOCK.fullmatch(moment) is None:
            raise Malformed(field, "a time of day such as 08:30")
    old = picture.tours.get(tour.id)
    wanted = msgspec.structs.replace(tour, name=name, group=group)
    entity = _next(old, wanted, len(picture.tours), context, expected_version)
    if entity is None:
        return []
    return [Fact("tour.saved", (("tours", tour.id, entity),), {"tour_id": tour.id})]


def decide_remove_tour(picture: "Picture", tour_id: str, context: Context) -> list[Fact]:
    """Forget a tour.

    Raises:
        NotFound: No such tour.
    """
    del context
    if tour_id not in picture.tours:
        raise NotFound("tour", tour_id)
    return [Fact("tour.removed", (("tours", tour_id, None),), {"tour_id": tour_id})]


def decide_save_layout(
    picture: "Picture", layout: Layout, context: Context, *, expected_version: int | None = None
) -> list[Fact]:
    """Keep a layout under its id, new or changed.

    Raises:
        Malformed: The name, the number of cells or a camera makes no sense.
        StaleVersion: Somebody else changed it first.
    """
    name = checked_text("name", layout.name, 80)
    if len(layout.cells) != layout.split:
        raise Malformed("cells", f"a wall of {layout.split} has {layout.split} cells")
    _check_cameras(picture, "cells", tuple(key for key in layout.cells if key is not None))
    old = picture.layouts.get(layout.id)
    wanted = msgspec.structs.replace(layout, name=name)
    entity = _next(old, wanted, len(picture.layouts), context, expected_version)
    if entity is None:
        return []
    return [Fact("layout.saved", (("layouts", layout.id, entity),), {"layout_id": layout.id})]


def decide_remove_layout(picture: "Picture", layout_id: str, context: Context) -> list[Fact]:
    """Forget a layout.

    Raises:
        NotFound: No such layout.
    """
    del context
    if layout_id not in picture.layouts:
        raise NotFound("layout", layout_id)
    return [Fact("layout.removed", (("layouts", layout_id, None),), {"layout_id": layout_id})]


def _check_cameras(picture: "Picture", field: str, ids: tuple[str, ...]) -> None:
    for camera_id in ids:
        if camera_id not in picture.cameras:
            raise Malformed(field, f"there is no camera {camera_id[:64]!r}")


def _next(
    old: Tour | Layout | None,
    wanted: Tour | Layout,
    kept: int,
    context: Context,
    expected_version: int | None,
) -> Tour | Layout | None:
    """Return the entity to keep, or None where it is kept so already."""
    stamp = {"updated_by": context.actor.name, "updated_at": context.at}
    if old is None:
        if kept >= MOST_KEPT:
            raise Malformed("", f"at most {MOST_KEPT} are kept")
        return msgspec.structs.replace(wanted, version=1, **stamp)
    check_version(old.version, expected_version)
    same = msgspec.structs.replace(
        wanted, version=old.version, updated_by=old.updated_by, updated_at=old.updated_at
    )
    if same == old:
        return None
    return msgspec.structs.replace(wanted, version=old.version + 1, **stamp)
