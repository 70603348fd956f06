"""Fan-out in the web process: what a worker sends once reaches everybody who watches.

A `Channel` is one variant of one camera. It keeps what a later viewer needs to start at once (config, init
segment, the group of pictures so far) and hands each piece of media, as one shared ``bytes`` object, to its
viewers. A viewer that does not keep up is skipped to the next key frame instead of being queued for; one that
takes nothing at all is let go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from streams.wire import CONFIG, FRAGMENT, IDLE, INIT, KEY, Span, StreamState, Variant

__all__ = ["Channel", "Hub", "Seat", "Viewer"]

MOST_CACHED: Final = 1500
"""Fragments of one group that are kept for later viewers; a longer one makes them wait for the next key frame."""
MOST_CACHED_BYTES: Final = 12 << 20
_NEW: Final = StreamState(state="connecting")


class Viewer(Protocol):
    """One browser's tile. Nothing here blocks or raises."""

    def text(self, message: bytes) -> None:
        """Take a JSON message: a config or a state."""

    def media(self, payload: bytes) -> None:
        """Take an init segment or whole fragments, as the hub's ``encode`` made them; shared with others."""

    def buffered(self) -> int:
        """Return the bytes that were taken and have not left yet."""

    def closed(self, reason: str) -> None:
        """Hear that nothing more will come: ``slow``, ``gone`` (the camera was removed) or ``stopped``."""


class Seat:
    """One viewer's place in a channel.

    Attributes:
        waiting: It gets nothing before the next key frame.
        skips: How often it was skipped to one.
    """

    __slots__ = ("configured", "sent", "since_s", "skips", "taken", "viewer", "waiting")

    def __init__(self, viewer: Viewer, now_s: float) -> None:
        self.viewer = viewer
        self.configured = False
        self.waiting = True
        self.skips = 0
        self.sent = 0
        self.taken = 0
        self.since_s = now_s

    def stuck_s(self, now_s: float) -> float:
        """Return for how long the viewer has taken nothing although something waits for it."""
        buffered = self.viewer.buffered()
        taken = self.sent - buffered
        if buffered == 0 or taken > self.taken:
            self.taken = taken
            self.since_s = now_s
        return now_s - self.since_s


class Channel:
    """One variant of one camera, and who watches it.

    Args:
        number: What its media carries on the link.
        camera_id: Which camera.
        variant: As the camera sends it, or encoded anew.
        span: A stretch of a recording instead of the present.
        encode: Applied once to each piece of media that goes out.
        most_waiting: Bytes waiting for one viewer past which it is skipped.
    """

    def __init__(
        self,
        number: int,
        camera_id: str,
        variant: Variant,
        span: Span | None,
        encode: Callable[[bytes], bytes],
        most_waiting: int,
    ) -> None:
        self.number = number
        self.camera_id = camera_id
        self.variant: Variant = variant
        self.span = span
        self.seats: list[Seat] = []
        self.skips = 0
        self._encode = encode
        self._most_waiting = most_waiting
        self._config: bytes | None = None
        self._init: bytes | None = None
        self._group: list[bytes] = []
        self._group_bytes = 0
        self._state = _NEW

    @property
    def state(self) -> StreamState:
        """How its stream is doing."""
        return self._state

    @property
    def cached_bytes(self) -> int:
        """What is kept for later viewers."""
        return self._group_bytes

    def join(self, viewer: Viewer, now_s: float) -> Seat:
        """Take a viewer in and give it all there is: config, init segment, the group so far, the state."""
        seat = Seat(viewer, now_s)
        if self._config is not None:
            self._give_config(seat, self._config)
            if self._init is not None:
                self._give(seat, self._encode(self._init))
                if self._group:
                    self._give(seat, self._encode(b"".join(self._group)))
                    seat.waiting = False
        self._tell(seat, self._state)
        self.seats = [*self.seats, seat]  # a new list: a viewer may come or go while one is being walked
        return seat

    def leave(self, seat: Seat) -> None:
        """Let a viewer go."""
        self.seats = [other for other in self.seats if other is not seat]

    def take(self, flags: int, payload: bytes) -> None:
        """Take what the worker sends and pass it on."""
        if flags & FRAGMENT:
            key = bool(flags & KEY)
            if self._init is not None:
                self._cache(payload, key)
                self._fan_out(payload, key)
        elif flags & CONFIG:
            self._forget()
            self._config = payload
            for seat in self.seats:
                self._give_config(seat, payload)
        elif flags & INIT:
            self._init = payload
            self._drop_group()
            encoded = self._encode(payload)
            for seat in self.seats:
                seat.waiting = True  # nothing of the old track after the new init segment
                self._give(seat, encoded)

    def change(self, state: StreamState) -> None:
        """Take a state and tell everybody.

        What is cached of a stream that broke off is dropped: a frozen picture must not look live to whoever
        joins now.
        """
        if state == self._state:
            return
        self._state = state
        if state.state not in ("live", "late"):
            self._forget()
        for seat in self.seats:
            self._tell(seat, state)

    def stuck(self, now_s: float, most_s: float) -> list[Seat]:
        """Return the seats whose viewers have taken nothing for too long."""
        return [seat for seat in self.seats if seat.stuck_s(now_s) >= most_s]

    def _fan_out(self, payload: bytes, key: bool) -> None:
        encoded: bytes | None = None
        most = self._most_waiting
        for seat in self.seats:
            viewer = seat.viewer
            if seat.waiting:
                if not key or viewer.buffered() > most // 2:
                    continue
                seat.waiting = False
            elif viewer.buffered() > most:
                seat.waiting = True
                seat.skips += 1
                self.skips += 1
                continue
            if encoded is None:
                encoded = self._encode(payload)
            seat.sent += len(encoded)
            viewer.media(encoded)

    def _cache(self, payload: bytes, key: bool) -> None:
        if key:
            self._group = [payload]
            self._group_bytes = len(payload)
        elif self._group:
            self._group.append(payload)
            self._group_bytes += len(payload)
            # The beginning alone would show later viewers a picture that stands still and then jumps.
            if len(self._group) > MOST_CACHED or self._group_bytes > MOST_CACHED_BYTES:
                self._drop_group()

    def _drop_group(self) -> None:
        self._group = []
        self._group_bytes = 0

    def _forget(self) -> None:
        self._config = self._init = None
        self._drop_group()

    @staticmethod
    def _give(seat: Seat, encoded: bytes) -> None:
        seat.sent += len(encoded)
        seat.viewer.media(encoded)

    @staticmethod
    def _give_config(seat: Seat, message: bytes) -> None:
        seat.configured = True
        seat.sent += len(message)
        seat.viewer.text(message)

    @staticmethod
    def _tell(seat: Seat, state: StreamState) -> None:
        # A tile that has shown nothing yet knows by itself that it is connecting.
        if state.state == "idle" or (state.state == "connecting" and not seat.configured):
            return
        message = msgspec.json.encode(state)
        seat.sent += len(message)
        seat.viewer.text(message)


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
