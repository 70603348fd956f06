"""What a layer is: one kind of thing on the map, with the facts of it that leave the house.

Exports and the interface for map programs show the same things under the same names, so both are made from
these. A field that is not listed here does not go out: no reporter's contact, nobody's number, no camera's source.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gis.projecting import Box, Geometry, meets

FieldKind = Literal["text", "integer", "number", "flag", "moment", "day", "list"]
Cell = str | int | float | bool | tuple[str, ...] | None
Shape = Literal["Point", "MultiPolygon", "Any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of a thing.

    Attributes:
        name: As importers know it, where they do.
        kind: Moments are RFC 3339 in UTC, days ISO 8601.
        title: In words.
        get: Takes it from the thing.
        filters: May be asked for: only things of which it has a given value.
    """

    name: str
    kind: FieldKind
    title: str
    get: Callable[[Any], Cell]
    filters: bool = False


Span = tuple[str | None, str | None]
"""From when to when, RFC 3339; None is open."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of thing.

    Attributes:
        id: Plain name.
        title: What people call it, in Chinese and in English.
        about: One English sentence.
        shape: Of its geometry.
        permissions: Whoever has one of them may ask; what each one sees is decided thing by thing.
        fields: In the order in which they are written.
        span: When a thing was; None where things are without time.
    """

    id: str
    title: str
    title_en: str
    about: str
    shape: Shape
    permissions: tuple[str, ...]
    fields: tuple[Field, ...]
    span: Callable[[Any], Span] | None = None

    @property
    def filters(self) -> dict[str, Field]:
        """Fields that may be asked for, by name."""
        return {field.name: field for field in self.fields if field.filters}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a layer.

    Attributes:
        id: Unique in its layer, the same tomorrow.
        thing: What the layer's fields take facts from.
        codes: Divisions it lies in or belongs to; None among them where one is not known.
        at: Where it stands, WGS-84; None where that is unknown or not to be known.
        box: Of an outline; a point is its own.
    """

    id: str
    thing: Any
    codes: tuple[str | None, ...]
    at: Geometry | None
    box: Box | None = None

    def meets(self, boxes: Sequence[Box]) -> bool:
        """Say whether it has a point in one of the boxes, their rims included."""
        if self.box is not None:
            west, south, east, north = self.box
            if all(west > e or east < w or south > n or north < s for w, s, e, n in boxes):
                return False
        return meets(self.at, boxes)

    def lies_in(self, root: str) -> bool:
        """Say whether it lies in the division whose code, without filling zeros, this is."""
        return any(code is not None and code.startswith(root) for code in self.codes)
