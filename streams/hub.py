"""Fan-out in the web process: which channels there are, and who watches them.

A channel exists while somebody watches it. Viewers that take nothing at all are let go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from streams.channel import Channel, Seat, Viewer
from streams.wire import IDLE, Span, StreamState, Variant

__all__ = ["Hub"]


class Hub:
    """All channels that somebody watches.

    Args:
        on_open: Called with a channel when its first viewer comes.
        on_shut: Called with a channel when its last viewer has left.
        encode: Applied once to each piece of media before its viewers get it.
        most_waiting: Bytes waiting for one viewer past which it is skipped.
        most_stuck_s: A viewer that takes nothing for so long is closed.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        on_open: Callable[[Channel], None],
        on_shut: Callable[[Channel], None],
        *,
        encode: Callable[[bytes], bytes] = lambda payload: payload,
        most_waiting: int = 4 << 20,
        most_stuck_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_open = on_open
        self._on_shut = on_shut
        self._encode = encode
        self._most_waiting = most_waiting
        self._most_stuck_s = most_stuck_s
        self._clock = clock
        self._numbers: dict[int, Channel] = {}
        self._live: dict[tuple[str, Variant], Channel] = {}
        self._states: dict[str, StreamState] = {}
        self._next = 0
        self._skips = 0
        self.closed_slow = 0
        """Viewers let go because they took nothing."""

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._numbers.values()))

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def viewers(self) -> int:
        """How many watch anything."""
        return sum(len(channel.seats) for channel in self._numbers.values())

    @property
    def skips(self) -> int:
        """How often a viewer was skipped to the next key frame."""
        return self._skips + sum(channel.skips for channel in self._numbers.values())

    @property
    def cached_bytes(self) -> int:
        """What is kept for later viewers."""
        return sum(channel.cached_bytes for channel in self._numbers.values())

    def state(self, camera_id: str) -> StreamState:
        """Return how a camera's own stream is doing."""
        return self._states.get(camera_id, IDLE)

    def active(self) -> list[str]:
        """Return the cameras whose streams are not idle."""
        return list(self._states)

    def join(
        self, camera_id: str, viewer: Viewer, variant: Variant, span: Span | None = None
    ) -> tuple[Channel, Seat]:
        """Take a viewer in; a recording is played for it alone."""
        channel = None if span is not None else self._live.get((camera_id, variant))
        fresh = channel is None
        if channel is None:
            self._next += 1
            channel = Channel(self._next, camera_id, variant, span, self._encode, self._most_waiting)
            self._numbers[channel.number] = channel
            if span is None:
                self._live[camera_id, variant] = channel
                state = self.state(camera_id)
                if state.state in ("lost", "refused"):
                    channel.change(state)
        seat = channel.join(viewer, self._clock())
        if fresh:
            self._on_open(channel)
        return channel, seat

    def leave(self, channel: Channel, seat: Seat) -> None:
        """Let a viewer go; harmless when it has left."""
        channel.leave(seat)
        if not channel.seats:
            self._shut(channel)

    def take(self, number: int, flags: int, payload: bytes) -> None:
        """Take media off a link; what belongs to no channel any more is dropped."""
        channel = self._numbers.get(number)
        if channel is not None:
            channel.take(flags, payload)

    def camera_changed(self, camera_id: str, state: StreamState) -> None:
        """Take the state of a camera's own stream."""
        if state.state == "idle":
            self._states.pop(camera_id, None)
        else:
            self._states[camera_id] = state
        channel = self._live.get((camera_id, "source"))
        if channel is not None:
            channel.change(state)

    def channel_changed(self, number: int, state: StreamState) -> None:
        """Take the state of one channel alone: of what is encoded anew, or of a recording."""
        channel = self._numbers.get(number)
        if channel is not None:
            channel.change(state)

    def drop(self, camera_id: str, reason: str) -> None:
        """Close every viewer of a camera."""
        self._states.pop(camera_id, None)
        for channel in self:
            if channel.camera_id == camera_id:
                self._close(channel, reason)

    def close(self, reason: str) -> None:
        """Close every viewer."""
        for channel in self:
            self._close(channel, reason)
        self._states.clear()

    def sweep(self) -> None:
        """Close the viewers that take nothing; call it about once a second."""
        now_s = self._clock()
        for channel in self:
            for seat in channel.stuck(now_s, self._most_stuck_s):
                self.closed_slow += 1
                self.leave(channel, seat)
                seat.viewer.closed("slow")

    def _close(self, channel: Channel, reason: str) -> None:
        seats, channel.seats = channel.seats, []
        self._shut(channel)
        for seat in seats:
            seat.viewer.closed(reason)

    def _shut(self, channel: Channel) -> None:
        if self._numbers.pop(channel.number, None) is None:
            return
        self._skips += channel.skips
        if channel.span is None:
            self._live.pop((channel.camera_id, channel.variant), None)
        self._on_shut(channel)
