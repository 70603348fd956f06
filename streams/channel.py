"""One variant of one camera in the web process: what a worker sends once reaches everybody who watches it.

A `Channel` keeps what a later viewer needs to start at once (config, init segment, the group of pictures so far)
and hands each piece of media, as one shared ``bytes`` object, to its viewers. A viewer that does not keep up is
skipped to the next key frame instead of being queued for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from streams.wire import CONFIG, FRAGMENT, INIT, KEY, Span, StreamState, Variant

__all__ = ["Channel", "Seat", "Viewer"]

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
