"""A layer as a file: which things, which facts, and what is said about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from command.accounts.visibility import significant
from command.clock import rfc3339
from command.errors import Malformed
from command.layers.catalogue import cells
from command.layers.extras import extras_of, free_names, names_of
from command.layers.model import Item, Layer
from gis.errors import BadFile
from gis.layer_files import Column, Datum, Format, LayerTable, write_layer


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to take out.

    Attributes:
        form: Kind of file.
        datum: Of its coordinates.
        area: Only what lies in this division; None: in all.
        since: Of incidents: reported at or after.
        until: Of incidents: reported before.
    """

    layer: Layer
    form: Format
    datum: Datum = "WGS-84"
    area: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def check(self) -> None:
        """Raise Malformed where the moments make no sense for it."""
        timed = self.layer.span is not None
        for name, moment in (("from", self.since), ("to", self.until)):
            if moment is not None and not timed:
                raise Malformed(name, f"{self.layer.id} have no times to choose by")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise Malformed("to", "after from")

    def filename(self, made_at: datetime) -> str:
        """Return a name that is safe anywhere and says what is inside."""
        area = re.sub(r"[^0-9A-Za-z]", "", self.area or "")[:24]
        parts = ["yiping", self.layer.id, area, made_at.strftime("%Y%m%d-%H%M")]
        parts.append("gcj02" if self.datum == "GCJ-02" else "")
        return "-".join(part for part in parts if part) + f".{self.form}"


def within(items: Iterable[Item], area: str | None) -> list[Item]:
    """Return the things that lie in a division; all of them for None."""
    if area is None:
        return list(items)
    root = significant(area)
    return [item for item in items if item.lies_in(root)]


def write(
    path: Path, wish: Wish, items: Sequence[Item], *, made_by: str, made_at: datetime, zone: ZoneInfo
) -> None:
    """Write things as a file. Blocking.

    Raises:
        Malformed: More than the kind of file holds.
        OSError: It cannot be written.
    """
    layer, names = wish.layer, names_of(items)
    columns = [Column(field.name, field.kind, field.title) for field in layer.fields]
    columns += [
        Column(free, "text", name) for free, name in zip(free_names(layer, names), names, strict=True)
    ]
    rows = cells(layer, (item.thing for item in items))
    if names:
        rows = [(*row, *map(extras_of(item).get, names)) for row, item in zip(rows, items, strict=True)]
    table = LayerTable(
        name=layer.id,
        title=layer.title,
        shape=layer.shape,
        columns=columns,
        rows=rows,
        shapes=[item.at for item in items],
        facts=_facts(wish, len(items), made_by, made_at),
        zone=zone,
    )
    try:
        write_layer(path, table, wish.form, wish.datum)
    except BadFile as error:
        raise Malformed("format", error.reason) from None


def _facts(wish: Wish, count: int, made_by: str, made_at: datetime) -> Mapping[str, str]:
    said = {"made_at": rfc3339(made_at), "made_by": made_by, "count": str(count)}
    for name, value in (("area", wish.area), ("from", wish.since), ("to", wish.until)):
        if value is not None:
            said[name] = value if isinstance(value, str) else rfc3339(value)
    return said
