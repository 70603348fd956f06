"""What a centre's own files say of areas beyond our fields, under the names it gave them there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from command.layers.model import Item, Layer
from gis.areas import Area

_TAKEN: Final = frozenset(
    {"bbox", "crs", "fid", "geom", "geometry", "id", "lat", "lon", "ogc_fid", "rowid", "type", "wkt"}
)
"""Names that file formats and programs use themselves."""


def extras_of(item: Item) -> Mapping[str, str]:
    """Return what else is known of a thing; empty for all but areas."""
    return item.thing.extras if isinstance(item.thing, Area) else {}


def names_of(items: Iterable[Item]) -> tuple[str, ...]:
    """Return the names that any of the things has, in the order in which they come."""
    found: dict[str, None] = {}
    for item in items:
        if isinstance(item.thing, Area) and item.thing.extra is not None:
            found.update(dict.fromkeys(item.thing.extras))
    return tuple(found)


def free_names(layer: Layer, names: Sequence[str]) -> list[str]:
    """Return the names under which they go out: their own, with _ behind one that is taken.

    Upper and lower case are the same to some formats. A name's outcome does not depend on how many others there
    are, unless they differ in case alone.
    """
    taken = {field.name.casefold() for field in layer.fields} | _TAKEN
    free = []
    for name in names:
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        free.append(name)
    return free
