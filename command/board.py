"""The board: the whole live picture in memory, changed by events alone.

`Board.apply` is the reducer. The browser runs the same one (``static/src/board.js``), and the golden files in
``tests/golden`` hold the two together. Recovery is start-up: the same reducer over the stored board and the log.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, ValuesView
from typing import Any, Final, Protocol

import msgspec

from command.assignments import Assignment
from command.cameras import Alarm, Camera, Layout, Tour
from command.closures import Closure
from command.events import KINDS, Event, Fact
from command.geography.model import Geography
from command.incidents import Incident
from command.messages import Message
from command.responders import Responder

Entity = Incident | Assignment | Responder | Camera | Message | Tour | Layout | Alarm | Geography | Closure

ENTITIES: Final[Mapping[str, type[Entity]]] = {
    "incidents": Incident,
    "assignments": Assignment,
    "responders": Responder,
    "cameras": Camera,
    "messages": Message,
    "tours": Tour,
    "layouts": Layout,
    "alarms": Alarm,
    "geography": Geography,
    "closures": Closure,
}


class Picture(Protocol):
    """What a decision may read: the board, or the board with a batch's earlier decisions laid over it."""

    @property
    def incidents(self) -> Mapping[str, Incident]:
        """By id."""
        ...

    @property
    def assignments(self) -> Mapping[str, Assignment]:
        """By id."""
        ...

    @property
    def responders(self) -> Mapping[str, Responder]:
        """By id."""
        ...

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """By id."""
        ...

    @property
    def messages(self) -> Mapping[str, Message]:
        """By id."""
        ...

    @property
    def tours(self) -> Mapping[str, Tour]:
        """By id."""
        ...

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """By id."""
        ...

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """By id."""
        ...

    @property
    def geography(self) -> Mapping[str, Geography]:
        """By id; there is one."""
        ...

    @property
    def closures(self) -> Mapping[str, Closure]:
        """By id."""
        ...


class Board:
    """Entities by kind and id, and the place in the log that they show.

    Args:
        epoch: Identity of the log. It changes when a log is replaced (a restore), never at a restart.
        seq: Sequence number of the last event applied; 0 before the first.
    """

    def __init__(self, epoch: str, seq: int = 0) -> None:
        self.epoch = epoch
        self.seq = seq
        self.incidents: dict[str, Incident] = {}
        self.assignments: dict[str, Assignment] = {}
        self.responders: dict[str, Responder] = {}
        self.cameras: dict[str, Camera] = {}
        self.messages: dict[str, Message] = {}
        self.tours: dict[str, Tour] = {}
        self.layouts: dict[str, Layout] = {}
        self.alarms: dict[str, Alarm] = {}
        self.geography: dict[str, Geography] = {}
        self.closures: dict[str, Closure] = {}
        self._kinds: dict[str, dict[str, Any]] = {
            "incidents": self.incidents,
            "assignments": self.assignments,
            "responders": self.responders,
            "cameras": self.cameras,
            "messages": self.messages,
            "tours": self.tours,
            "layouts": self.layouts,
            "alarms": self.alarms,
            "geography": self.geography,
            "closures": self.closures,
        }

    def kind(self, name: str) -> Mapping[str, Entity]:
        """Return the entities of a kind by id.

        Raises:
            KeyError: No such kind.
        """
        return self._kinds[name]

    def apply(self, event: Event) -> None:
        """Put or remove every entity that the event names.

        Args:
            event: The next one in the log.

        Raises:
            ValueError: The event does not follow the last one applied: the log has a hole or the order broke.
        """
        if event.seq != self.seq + 1:
            raise ValueError(f"event {event.seq} does not follow {self.seq}")
        for kind, entities in event.changes.items():
            held = self._kinds[kind]
            entity_type = ENTITIES[kind]
            for key, value in entities.items():
                if value is None:
                    held.pop(key, None)
                else:
                    held[key] = msgspec.convert(value, entity_type)
        self.seq = event.seq

    def wire(self, visible: Callable[[str, Mapping[str, Any]], bool] | None = None) -> dict[str, Any]:
        """Return kind → id → JSON-able entity.

        Args:
            visible: Asked with (kind, entity) for each; None shows everything.
        """
        out: dict[str, Any] = {}
        for kind in KINDS:
            rows = {key: msgspec.to_builtins(entity) for key, entity in self._kinds[kind].items()}
            if visible is not None:
                rows = {key: row for key, row in rows.items() if visible(kind, row)}
            out[kind] = rows
        return out

    def dump(self) -> bytes:
        """Return the board as JSON for a checkpoint; `load` reads it back."""
        return msgspec.json.encode({"epoch": self.epoch, "seq": self.seq, **self._kinds})

    @classmethod
    def load(cls, stored: bytes) -> "Board":
        """Read a checkpoint.

        Raises:
            msgspec.ValidationError: It is not a board of this version.
        """
        held = msgspec.json.decode(stored, type=_Stored)
        board = cls(held.epoch, held.seq)
        for kind in KINDS:
            board._kinds[kind].update(getattr(held, kind))
        return board


class _Stored(msgspec.Struct):
    epoch: str
    seq: int
    incidents: dict[str, Incident]
    assignments: dict[str, Assignment]
    responders: dict[str, Responder]
    cameras: dict[str, Camera]
    messages: dict[str, Message]
    # Checkpoints of earlier versions have no such kinds.
    tours: dict[str, Tour] = {}
    layouts: dict[str, Layout] = {}
    alarms: dict[str, Alarm] = {}
    geography: dict[str, Geography] = {}
    closures: dict[str, Closure] = {}


class _Over(Mapping[str, Any]):
    """Entities of one kind with changes laid over them; None in the changes: it is gone."""

    __slots__ = ("_below", "changes")

    def __init__(self, below: Mapping[str, Any]) -> None:
        self._below = below
        self.changes: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        found = self.changes.get(key, _AS_BELOW)
        if found is _AS_BELOW:
            return self._below[key]
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        found = self.changes.get(key, _AS_BELOW)
        if found is _AS_BELOW:
            return self._below.get(key, default)
        return default if found is None else found

    def __contains__(self, key: object) -> bool:
        found = self.changes.get(key, _AS_BELOW)  # type: ignore[call-overload]  # any key may be asked for
        return key in self._below if found is _AS_BELOW else found is not None

    def __iter__(self) -> Iterator[str]:
        for key in self._below:
            if self.changes.get(key, _AS_BELOW) is not None:
                yield key
        for key, entity in self.changes.items():
            if entity is not None and key not in self._below:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def values(self) -> ValuesView[Any]:
        # Most kinds of most groups are untouched, and some decisions look at thousands of entities.
        return super().values() if self.changes else self._below.values()


_AS_BELOW: Final = object()


class Draft:
    """The board as it will be once a batch has been committed; readers never see it.

    A group commit decides many commands before the first is on disk. Each must see the ones before it, and
    nobody else may see any of them until they are durable.
    """

    def __init__(self, board: Board) -> None:
        self._hold({kind: _Over(board.kind(kind)) for kind in KINDS})

    def _hold(self, over: dict[str, _Over]) -> None:
        self._over = over
        self.incidents: Mapping[str, Incident] = self._over["incidents"]
        self.assignments: Mapping[str, Assignment] = self._over["assignments"]
        self.responders: Mapping[str, Responder] = self._over["responders"]
        self.cameras: Mapping[str, Camera] = self._over["cameras"]
        self.messages: Mapping[str, Message] = self._over["messages"]
        self.tours: Mapping[str, Tour] = self._over["tours"]
        self.layouts: Mapping[str, Layout] = self._over["layouts"]
        self.alarms: Mapping[str, Alarm] = self._over["alarms"]
        self.geography: Mapping[str, Geography] = self._over["geography"]
        self.closures: Mapping[str, Closure] = self._over["closures"]

    def trial(self, facts: Iterable[Fact]) -> "Draft":
        """Return the picture with these facts over it; this one stays without them until `lay`."""
        found = object.__new__(Draft)
        found._hold({kind: _Over(held) for kind, held in self._over.items()})
        found.lay(facts)
        return found

    def lay(self, facts: Iterable[Fact]) -> None:
        """Lay decided facts over the picture; what they remove is gone for the decisions that follow."""
        for fact in facts:
            for kind, key, entity in fact.changes:
                self._over[kind].changes[key] = entity
