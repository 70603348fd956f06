"""What became of the customer's basemaps, read from the history of the district's files."""

from __future__ import annotations

from dataclasses import dataclass

from command.basemap.model import FILE, SLOTS, Slot, SourceUnreadable, TileSource, read_sources
from command.geography.revisions import Revision, Revisions


@dataclass(frozen=True, slots=True)
class Turn:
    """One basemap took the place of another.

    Attributes:
        revision: By which.
        slot: Where.
        before: What was there, or None for nothing.
        after: What came, or None for nothing.
        kept: What was there can be put back.
    """

    revision: Revision
    slot: Slot
    before: TileSource | None
    after: TileSource | None
    kept: bool


def turns_of(revisions: Revisions) -> list[Turn]:
    """Return the turns, newest first, as far back as the replaced files are kept.

    Raises:
        SourceUnreadable: What is in force cannot be read.
    """
    after = read_sources(revisions.in_force(FILE).parent)
    found: list[Turn] = []
    for revision in revisions.history():
        if FILE not in revision.files:
            continue
        before: dict[Slot, TileSource] = {}
        if FILE not in revision.absent:
            path = revisions.before(revision.number, FILE)
            if path is None:
                break  # no longer kept, and so are the older ones
            try:
                before = read_sources(path.parent)
            except SourceUnreadable:
                break
        for slot in SLOTS:
            was = before.get(slot)
            if was != after.get(slot):
                kept = was is not None and (
                    was.file is None or revisions.before(revision.number, was.file) is not None
                )
                found.append(Turn(revision, slot, was, after.get(slot), kept))
        after = before
    return found
