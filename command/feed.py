"""The event feed without sockets: who has seen which event, and what each client may see of it.

A client starts from a snapshot of the picture and follows it by events that carry whole new values, so the
only questions are which events a client lacks and whether it may see them. `Feed` keeps the picture in wire
form, reduced by the very rule the clients run, and a tail of recent events; a `Subscription` is one client's
cursor with its bounded queue of ready-made frames. A snapshot and its cursor are taken in one synchronous
call: nothing can slip in between.

Frames are encoded once per distinct view, not once per client, because most consoles look at the same thing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from command.feed_frames import FeedFrames, Recent
from command.feed_views import KINDS, TOPIC_OF_KIND, TOPICS, Entity, Entry, View

if TYPE_CHECKING:
    from command.events import Event

__all__ = [
    "KINDS",
    "LAGGING",
    "PROTOCOL",
    "QUEUE_EVENTS",
    "TOPICS",
    "TOPIC_OF_KIND",
    "Cursor",
    "Feed",
    "Subscription",
    "View",
]

PROTOCOL: Final = 1
LAGGING: Final = 4008
QUEUE_EVENTS: Final = 256
_QUEUE_BYTES: Final = 1 << 20
# A backlog may fill only half of the queue, so that a client that resumes is not cut off by the next burst.
_BACKLOG_EVENTS: Final = 128
# A cached snapshot followed by a few events equals a fresh one, so five hundred reconnects cost one encoding. Only
# within one second: pages tell people of events, and what happened before they were opened is no news.
_SNAPSHOT_REUSE_EVENTS: Final = 32
_CACHED_SNAPSHOTS: Final = 32


class Picture(Protocol):
    """What the feed needs of the board: its position in the log and its wire form."""

    @property
    def seq(self) -> int:
        """The sequence number of the last event applied."""

    def wire(self) -> Mapping[str, Mapping[str, Any]]:
        """Kind → id → JSON-able entity."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a returning client stands."""

    epoch: str
    seq: int


class Feed:
    """The picture in wire form, the recent events and everybody who follows them.

    Args:
        epoch: Names this history of sequence numbers; a restored backup starts another.
        board: The picture to start from. Events that are replayed at start-up may be published too: clients
            of the previous process can then resume.
        keep: How many recent events are kept for resuming.
    """

    def __init__(self, epoch: str, board: Picture, keep: int = 20_000) -> None:
        self.epoch = epoch
        self.seq = board.seq
        self.frames = FeedFrames(epoch)
        self._picture: dict[str, dict[str, Entity]] = {kind: {} for kind in KINDS}
        for kind, entities in board.wire().items():
            self._picture.setdefault(kind, {}).update(entities)
        self._tail: deque[Entry] = deque(maxlen=keep)
        self._subscriptions: dict[Subscription, None] = {}
        self._snapshots: Recent[tuple[str, frozenset[str]], _Snapshot] = Recent(_CACHED_SNAPSHOTS)
        self._kinds: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def entity(self, kind: str, id: str) -> Entity | None:
        """The current wire value of one entity."""
        return self._picture.get(kind, {}).get(id)

    def publish(self, event: Event) -> None:
        """Apply a committed event to the picture and offer it to every subscription.

        Raises:
            ValueError: The event's number does not follow the last one.
        """
        if event.seq != self.seq + 1:
            raise ValueError(f"event {event.seq} does not follow {self.seq}")
        before: dict[str, dict[str, Entity | None]] = {}
        for kind, changed in event.data.get("changes", {}).items():
            entities = self._picture.setdefault(kind, {})
            before[kind] = {id: entities.get(id) for id in changed}
            for id, entity in changed.items():
                if entity is None:
                    entities.pop(id, None)
                else:
                    entities[id] = entity
            self._kinds.pop(kind, None)
        self.seq = event.seq
        entry = Entry(event, before)
        self._tail.append(entry)
        for subscription in list(self._subscriptions):
            subscription.offer(entry)

    def subscribe(
        self, view: View, cursor: Cursor | None, server_time: str, wake: Callable[[], None] = lambda: None
    ) -> Subscription:
        """Start (or resume) a client: its first frames are queued when this returns.

        Args:
            view: What the client asked for and may see.
            cursor: Its position, when it comes back; None or an unusable one leads to a snapshot.
            server_time: RFC 3339 UTC, for the first frame.
            wake: Called whenever frames were queued or the subscription was given up as lagging.
        """
        subscription = Subscription(self, view, wake)
        backlog = self._resumable(view, cursor)
        if cursor is not None and backlog is not None:
            subscription.begin(cursor.seq, self.frames.resume(cursor.seq, server_time))
            if view.share is None:
                subscription.shown = {
                    (k, id) for k, entities in self._visible(view).items() for id in entities
                }
        else:
            backlog = self._send_snapshot(subscription, server_time)
        self._subscriptions[subscription] = None
        for entry in backlog:
            subscription.offer(entry)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a client; harmless when it is unknown already."""
        self._subscriptions.pop(subscription, None)

    def _since(self, seq: int) -> Iterator[Entry]:
        newer = next(
            (i for i, entry in enumerate(reversed(self._tail)) if entry.event.seq <= seq), len(self._tail)
        )
        return islice(self._tail, len(self._tail) - newer, None)

    def _resumable(self, view: View, cursor: Cursor | None) -> list[Entry] | None:
        """The events the client lacks, or None when it needs a snapshot."""
        if cursor is None or cursor.epoch != self.epoch or not 0 <= cursor.seq <= self.seq:
            return None
        if cursor.seq == self.seq:
            return []
        if view.share is None or not self._tail or self._tail[0].event.seq > cursor.seq + 1:
            return None
        missed = [entry for entry in self._since(cursor.seq) if self.frames.sees(entry, view)]
        return missed if len(missed) <= _BACKLOG_EVENTS else None

    def _send_snapshot(self, subscription: Subscription, server_time: str) -> list[Entry]:
        view = subscription.view
        if view.share is None:
            visible = self._visible(view)
            subscription.shown = {(kind, id) for kind, entities in visible.items() for id in entities}
            body = self.frames.encode(visible)
            subscription.begin(self.seq, self.frames.snapshot(self.seq, body, server_time))
            return []
        key = (view.share, view.topics)
        cached = self._snapshots.get(key)
        second = server_time[:19]
        if cached is None or not self._covers(cached, second):
            cached = self._snapshots[key] = _Snapshot(self.seq, self._snapshot_body(view))
        if cached.second != second:  # one frame object serves everybody of this second
            cached.second = second
            cached.frame = self.frames.snapshot(cached.seq, cached.body, server_time)
        subscription.begin(cached.seq, cached.frame)
        return list(self._since(cached.seq))

    def _covers(self, cached: _Snapshot, second: str) -> bool:
        """Whether the tail still holds every event after a snapshot, and only a few of this second."""
        if cached.seq == self.seq:
            return True
        return (
            cached.second == second
            and self.seq - cached.seq <= min(_SNAPSHOT_REUSE_EVENTS, len(self._tail))
            and self._tail[0].event.seq <= cached.seq + 1
        )

    def _visible(self, view: View) -> dict[str, dict[str, Entity]]:
        return {
            kind: {
                id: entity
                for id, entity in entities.items()
                if view.unrestricted or view.sees(kind, id, entity)
            }
            if TOPIC_OF_KIND.get(kind) in view.topics
            else {}
            for kind, entities in self._picture.items()
        }

    def _snapshot_body(self, view: View) -> bytes:
        if not view.unrestricted:
            return self.frames.encode(self._visible(view))
        parts: list[bytes] = []
        for kind, entities in self._picture.items():
            body = b"{}"
            if TOPIC_OF_KIND.get(kind) in view.topics:
                # Cameras and areas hardly ever change while incidents do: each kind keeps its own encoding.
                if kind not in self._kinds:
                    self._kinds[kind] = self.frames.encode(entities)
                body = self._kinds[kind]
            parts.append(b'"' + kind.encode() + b'":' + body)
        return b"{" + b",".join(parts) + b"}"

    def heartbeat_frame(self, seq: int, server_time: str) -> bytes:
        """A heartbeat naming the last event sent to one client."""
        return self.frames.heartbeat(seq, server_time)

    def note_frame(self, type: str, **fields: object) -> bytes:
        """A frame beside the events (presence, ETA): absolute values, no sequence number."""
        return self.frames.note(type, **fields)


@dataclass(slots=True)
class _Snapshot:
    seq: int
    body: bytes
    second: str = ""
    frame: bytes = b""


class Subscription:
    """One client's cursor and its queue of frames; made by `Feed.subscribe`.

    The owner takes frames from `pop` as fast as its socket drains. A client that lets the queue run full is
    given up (`lagging`): its frames are dropped and the owner closes it with 4008, after which it comes back
    with its cursor.
    """

    def __init__(self, feed: Feed, view: View, wake: Callable[[], None]) -> None:
        self.view = view
        self.lagging = False
        self.sent_seq = 0
        self.shown: set[tuple[str, str]] = set()
        self._feed = feed
        self.wake = wake
        self._pending: deque[bytes] = deque()
        # Bytes of queued frames besides the first, which is as big as the picture and queued only once.
        self._pending_bytes = 0
        self._first: bytes | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, seq: int, frame: bytes) -> None:
        """Queue the first frame: the client now stands at `seq`."""
        self.sent_seq = seq
        self._first = frame
        self._pending.append(frame)

    def offer(self, entry: Entry) -> None:
        """Queue what this client may see of an event; overflowing the queue gives the client up."""
        if self.lagging or entry.event.seq <= self.sent_seq:
            return
        if self.view.share is not None:
            frame = self._feed.frames.event(entry, self.view, self.sent_seq)
        else:
            frame = self._feed.frames.own_event(entry.event, self._own_changes(entry.event), self.sent_seq)
        if frame is None:
            return
        if len(self._pending) >= QUEUE_EVENTS or self._pending_bytes > _QUEUE_BYTES:
            self.give_up()
            return
        self.sent_seq = entry.event.seq
        self._push(frame)

    def push(self, frame: bytes) -> bool:
        """Queue an absolute frame (presence, ETA); skipped while the client is behind, the next heals it."""
        if self.lagging or len(self._pending) >= QUEUE_EVENTS // 2:
            return False
        self._push(frame)
        return True

    def heartbeat(self, server_time: str) -> None:
        """Queue a heartbeat naming the last event queued before it."""
        self.push(self._feed.heartbeat_frame(self.sent_seq, server_time))

    def pop(self) -> bytes | None:
        """The next frame to write, or None."""
        if not self._pending:
            return None
        frame = self._pending.popleft()
        if frame is self._first:
            self._first = None
        else:
            self._pending_bytes -= len(frame)
        return frame

    def give_up(self) -> None:
        """Drop the queue and mark the client as lagging."""
        self.lagging = True
        self._pending.clear()
        self._pending_bytes = 0
        self._feed.unsubscribe(self)
        self.wake()

    def _push(self, frame: bytes) -> None:
        self._pending.append(frame)
        self._pending_bytes += len(frame)
        self.wake()

    def _own_changes(self, event: Event) -> dict[str, dict[str, Entity | None]]:
        visible: dict[str, dict[str, Entity | None]] = {}
        for kind, changed in event.data.get("changes", {}).items():
            if TOPIC_OF_KIND.get(kind) not in self.view.topics:
                continue
            for id, entity in changed.items():
                if entity is not None and self.view.sees(kind, id, entity):
                    visible.setdefault(kind, {})[id] = entity
                    self.shown.add((kind, id))
                elif (kind, id) in self.shown:
                    visible.setdefault(kind, {})[id] = None
                    self.shown.discard((kind, id))
        return visible
