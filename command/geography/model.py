"""What the board knows of the geography: only which revision is in force, so that every page asks for it anew."""

from typing import TYPE_CHECKING, Final

import msgspec

from command.events import Context, Fact

if TYPE_CHECKING:
    from command.board import Picture

THE_DISTRICT: Final = "district"
"""There is one geography, so it has one id."""


class Geography(msgspec.Struct, frozen=True, kw_only=True):
    """The revision of the district's files that is in force.

    Attributes:
        id: Always `THE_DISTRICT`.
        revision: Number of the newest revision; 0 is what was there before there were any.
        changed: Files that this revision changed, by name.
        at: When it came into force, RFC 3339 UTC.
        by: Name of whoever changed it.
    """

    id: str = THE_DISTRICT
    revision: int
    changed: tuple[str, ...] = ()
    at: str
    by: str
    version: int = 1


def decide_changed(
    picture: "Picture", revision: int, changed: tuple[str, ...], note: str, context: Context
) -> list[Fact]:
    """Say that another revision is in force; nothing where everybody knows."""
    old = picture.geography.get(THE_DISTRICT)
    if old is not None and old.revision == revision:
        return []
    return _told(old, revision, changed, note, context)


def decide_day(picture: "Picture", revision: int, context: Context) -> list[Fact]:
    """Say that other areas hold from today on, though no file was changed."""
    old = picture.geography.get(THE_DISTRICT)
    return _told(old, revision, ("areas.gpkg",), context.at, context)


def _told(
    old: Geography | None, revision: int, changed: tuple[str, ...], note: str, context: Context
) -> list[Fact]:
    entity = Geography(
        revision=revision,
        changed=changed,
        at=context.at,
        by=context.actor.name,
        version=1 if old is None else old.version + 1,
    )
    return [Fact("geography.changed", (("geography", THE_DISTRICT, entity),), {"note": note})]
