"""The text frames of the feed, encoded once per distinct view instead of once per client."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from command.feed_views import Changes, Entry, View, is_whole, shared_changes
from command.framing import text_frame

if TYPE_CHECKING:
    from command.events import Event

__all__ = ["FeedFrames", "Recent"]

_CACHED_EVENTS: Final = 4096
_encode: Final = msgspec.json.Encoder().encode

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The last few values by key; the oldest entry makes room."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[K, V] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def __getitem__(self, key: K) -> V:
        return self._held[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._held[key] = value
        if len(self._held) > self._size:
            self._held.popitem(last=False)

    def get(self, key: K) -> V | None:
        """The value, or None."""
        return self._held.get(key)


class FeedFrames:
    """Builds and remembers frames.

    Args:
        epoch: Goes into every frame.

    Attributes:
        encodes: How many values were encoded: what sharing is measured by.
    """

    def __init__(self, epoch: str) -> None:
        self.encodes = 0
        self._epoch = epoch
        self._epoch_json = _encode(epoch)
        self._tails: Recent[tuple[int, str, frozenset[str]], bytes | None] = Recent(_CACHED_EVENTS)
        self._events: Recent[tuple[int, str, frozenset[str], int], bytes] = Recent(_CACHED_EVENTS)

    def encode(self, value: object) -> bytes:
        """JSON, counted."""
        self.encodes += 1
        return _encode(value)

    def snapshot(self, seq: int, body: bytes, server_time: str) -> bytes:
        """A snapshot frame around an encoded board."""
        return text_frame(b"".join((self._start("snapshot", seq, server_time), b',"board":', body, b"}")))

    def resume(self, seq: int, server_time: str) -> bytes:
        """A resume frame."""
        return text_frame(self._start("resume", seq, server_time) + b"}")

    def heartbeat(self, seq: int, server_time: str) -> bytes:
        """A heartbeat naming the last event sent to one client."""
        return text_frame(self._start("heartbeat", seq, server_time) + b"}")

    def note(self, type: str, **fields: object) -> bytes:
        """A frame beside the events (presence, ETA): absolute values, no sequence number."""
        return text_frame(_encode({"frame": type, "type": type, "epoch": self._epoch, **fields}))

    def sees(self, entry: Entry, view: View) -> bool:
        """Whether a shared view sees anything of an event."""
        return self._tail(entry, view) is not None

    def event(self, entry: Entry, view: View, prev: int) -> bytes | None:
        """The event frame of a shared view; clients that stand at the same place get the same object."""
        tail = self._tail(entry, view)
        if tail is None:
            return None
        assert view.share is not None
        key = (entry.event.seq, view.share, view.topics, prev)
        frame = self._events.get(key)
        if frame is None:
            frame = self._events[key] = self._join(entry.event.seq, prev, tail)
        return frame

    def own_event(self, event: Event, changes: Changes, prev: int) -> bytes | None:
        """The event frame of one client that sees just these changes; None when it sees nothing."""
        tail = self._encode_tail(event, changes)
        return None if tail is None else self._join(event.seq, prev, tail)

    def _tail(self, entry: Entry, view: View) -> bytes | None:
        """Everything of an event frame after `prev`."""
        assert view.share is not None
        key = (entry.event.seq, view.share, view.topics)
        if key not in self._tails:
            self._tails[key] = self._encode_tail(entry.event, shared_changes(entry, view))
        return self._tails[key]

    def _encode_tail(self, event: Event, changes: Changes) -> bytes | None:
        if not changes:
            return None
        # A note may be about the part that was left out, so facts go along only when nothing was.
        data: dict[str, Any] = (
            {**event.data, "changes": changes} if is_whole(changes, event) else {"changes": changes}
        )
        return b',"at":%b,"type":%b,"data":%b}' % (_encode(event.at), _encode(event.type), self.encode(data))

    def _join(self, seq: int, prev: int, tail: bytes) -> bytes:
        head = b'{"frame":"event","epoch":%b,"seq":%d,"prev":%d' % (self._epoch_json, seq, prev)
        return text_frame(head + tail)

    def _start(self, type: str, seq: int, server_time: str) -> bytes:
        start = {"frame": type, "type": type, "epoch": self._epoch, "seq": seq, "server_time": server_time}
        return _encode(start)[:-1]
