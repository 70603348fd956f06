"""Who may see what of the events: views, and what of one event a view lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from command.events import Event

__all__ = [
    "KINDS",
    "TOPICS",
    "TOPIC_OF_KIND",
    "Changes",
    "Entity",
    "Entry",
    "View",
    "is_whole",
    "shared_changes",
]

TOPIC_OF_KIND: Final[Mapping[str, str]] = {
    "incidents": "incidents",
    "assignments": "incidents",
    "responders": "responders",
    "cameras": "cameras",
    "messages": "messages",
    "tours": "cameras",
    "layouts": "cameras",
    "alarms": "cameras",
    "geography": "incidents",
    "closures": "incidents",
}
KINDS: Final = tuple(TOPIC_OF_KIND)
# Telemetry and presence travel beside the events but are asked for, and allowed, in the same list.
TOPICS: Final = frozenset(TOPIC_OF_KIND.values()) | {"telemetry", "presence"}

Entity: TypeAlias = Mapping[str, Any]
Changes: TypeAlias = Mapping[str, Mapping[str, Entity | None]]
"""Kind → id → the whole new value, or None where the entity is gone or out of sight."""


class View(Protocol):
    """What one viewer may see; fails closed: a kind whose topic is not in `topics` is never sent."""

    @property
    def topics(self) -> frozenset[str]:
        """The topics that are both asked for and allowed."""

    @property
    def share(self) -> str | None:
        """Viewers with equal `share` and `topics` see exactly the same and share encoded frames.

        A shared view's `sees` must depend on the entity's value alone. None marks a view that looks elsewhere
        too ("incidents I am assigned to"): it is filtered per client and starts from a snapshot unless
        nothing happened.
        """

    @property
    def unrestricted(self) -> bool:
        """True when `sees` is always True, which spares asking."""

    def sees(self, kind: str, id: str, entity: Entity) -> bool:
        """Whether this viewer may see this value of the entity."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the tail with the values it replaced, which tell what a viewer could see before."""

    event: Event
    before: Mapping[str, Mapping[str, Entity | None]]


def shared_changes(entry: Entry, view: View) -> dict[str, dict[str, Entity | None]]:
    """What of an event a shared view sees; an entity that stopped being visible becomes None."""
    visible: dict[str, dict[str, Entity | None]] = {}
    for kind, changed in entry.event.data.get("changes", {}).items():
        if TOPIC_OF_KIND.get(kind) not in view.topics:
            continue
        for id, entity in changed.items():
            before = entry.before[kind][id]
            if entity is not None and (view.unrestricted or view.sees(kind, id, entity)):
                visible.setdefault(kind, {})[id] = entity
            elif before is not None and (view.unrestricted or view.sees(kind, id, before)):
                visible.setdefault(kind, {})[id] = None
    return visible


def is_whole(changes: Changes, event: Event) -> bool:
    """Whether nothing of the event was left out or made None for this viewer."""
    return all(
        len(changes.get(kind, ())) == len(changed)
        and all(changes[kind][id] is not None or entity is None for id, entity in changed.items())
        for kind, changed in event.data.get("changes", {}).items()
    )
