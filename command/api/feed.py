"""`WS /api/v1/feed`: a thin shell that carries `command.feed` and the telemetry tick over sockets.

Reading is one coroutine per connection; writing is plain calls, made by whoever has something to tell. One
housekeeping task beats hearts, ends revoked sessions, retries clients whose socket was full and cuts those
that do not read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from starlette.websockets import WebSocket

from command.api.feed_messages import POLICY, Hello, ViewChange, decode, receive_text, refuse
from command.api.frames import AsgiSink, frame_sink
from command.clock import Clock, rfc3339
from command.feed import LAGGING, PROTOCOL, TOPICS, Cursor, Feed, Subscription, View
from command.framing import FrameSink
from command.presence import Presence, Seat
from command.telemetry.tick import BEHIND_BYTES, Allow, Bbox, MapClient, Ticker

__all__ = ["FeedHub", "Viewer"]

SESSION_ENDED: Final = 4001
FORBIDDEN: Final = 4003
_MESSAGES_PER_S: Final = 20.0
_HELLO_S: Final = 5.0
_HEARTBEAT_S: Final = 5.0
_SESSION_CHECK_S: Final = 2.0
_STALLED_S: Final = 8.0
_HOUSEKEEPING_S: Final = 0.25

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who a connection belongs to and what they may see; the accounts make it."""

    session_id: str
    user_id: str
    name: str
    role: str
    responder_id: str | None
    view: Callable[[frozenset[str]], View]
    """Topics asked for → what this viewer sees of them; topics that are not allowed are left out."""
    units: Allow | None = None
    """Which units' positions the viewer may see; None for all."""


@dataclass(eq=False, slots=True)
class _Connection:
    viewer: Viewer
    sink: FrameSink
    subscription: Subscription
    seat: Seat | None
    beat_at: float
    check_at: float
    map: MapClient | None = None
    bbox: Bbox | None = None
    stalled_since: float | None = None
    stalled_bytes: int = 0
    closed: bool = False

    def flush(self) -> None:
        """Write queued frames while the socket takes them."""
        if self.closed:
            return
        if self.subscription.lagging:
            self.close(LAGGING, "lagging")
            return
        while self.sink.buffered() <= BEHIND_BYTES:
            frame = self.subscription.pop()
            if frame is None:
                return
            self.sink.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Close once."""
        if not self.closed:
            self.closed = True
            self.sink.close(code, reason)


class FeedHub:
    """All open feeds.

    Args:
        feed: The events.
        ticker: The positions; None leaves telemetry out.
        presence: Who is here.
        clock: The time.
        authenticate: The viewer behind a handshake, or None.
        still_valid: Whether a viewer's session still stands; asked every two seconds.
        origin_allowed: Whether the handshake's `Origin` may connect.
    """

    def __init__(
        self,
        feed: Feed,
        ticker: Ticker | None,
        presence: Presence,
        clock: Clock,
        *,
        authenticate: Callable[[WebSocket], Viewer | Awaitable[Viewer | None] | None],
        still_valid: Callable[[Viewer], bool],
        origin_allowed: Callable[[WebSocket], bool],
    ) -> None:
        self.feed = feed
        self.ticker = ticker
        self.presence = presence
        self._clock = clock
        self._authenticate = authenticate
        self._still_valid = still_valid
        self._origin_allowed = origin_allowed
        self._connections: dict[_Connection, None] = {}
        self._presence_sent = -1
        self.cut_off = 0

    def __len__(self) -> int:
        return len(self._connections)

    @contextlib.asynccontextmanager
    async def running(self, *, tick_hz: float = 5.0) -> AsyncIterator[None]:
        """Run the housekeeping and the tick for as long as the service lives."""
        async with asyncio.TaskGroup() as tasks:
            own = [tasks.create_task(self._housekeeping())]
            if self.ticker is not None:
                own.append(tasks.create_task(self._ticking(self.ticker, tick_hz)))
            try:
                yield
            finally:
                for task in own:
                    task.cancel()

    def publish_eta(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Send arrival estimates of assignments under way to everybody who may see the assignment.

        Args:
            items: `{assignment_id, eta_s, distance_m, eta_method, as_of}` each, all that are under way.
        """
        estimates = list(items)
        shared: dict[tuple[str, frozenset[str]], bytes] = {}
        for connection in self._connections:
            view = connection.subscription.view
            if "incidents" not in view.topics:
                continue
            key = (view.share or "", view.topics)
            frame = shared.get(key) if view.share else None
            if frame is None:
                seen = [item for item in estimates if self._sees_assignment(view, str(item["assignment_id"]))]
                frame = self.feed.note_frame("eta", items=seen)
                if view.share:
                    shared[key] = frame
            connection.subscription.push(frame)

    def end_session(self, session_id: str) -> None:
        """Close the feeds of a session at once, when the accounts know that it ended."""
        for connection in list(self._connections):
            if connection.viewer.session_id == session_id:
                connection.close(SESSION_ENDED, "session ended")

    async def endpoint(self, websocket: WebSocket) -> None:
        """The WebSocket endpoint."""
        if not self._origin_allowed(websocket):
            await refuse(websocket, FORBIDDEN, "origin")  # before accept: the handshake is answered with 403
            return
        viewer = self._authenticate(websocket)
        if isinstance(viewer, Awaitable):
            viewer = await viewer
        await websocket.accept()
        if viewer is None:
            await refuse(websocket, SESSION_ENDED, "sign in")
            return
        hello = await self._hello(websocket)
        if hello is None:
            return
        view = viewer.view(_known_topics(hello.topics))
        if not view.topics:
            await refuse(websocket, FORBIDDEN, "no topic allowed")
            return
        sink = frame_sink(websocket)
        connection = self._open(viewer, view, hello, sink)
        try:
            await self._read(websocket, connection)
        finally:
            self._close(connection)
            if isinstance(sink, AsgiSink):
                await sink.stop()

    async def _hello(self, websocket: WebSocket) -> Hello | None:
        try:
            async with asyncio.timeout(_HELLO_S):
                text = await receive_text(websocket)
        except TimeoutError:
            await refuse(websocket, POLICY, "no hello")
            return None
        if text is None:
            return None
        try:
            message = decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            await refuse(websocket, POLICY, f"not a hello: {error}"[:120])
            return None
        if not isinstance(message, Hello) or message.protocol != PROTOCOL:
            await refuse(websocket, POLICY, f"this server speaks protocol {PROTOCOL}")
            return None
        return message

    def _open(self, viewer: Viewer, view: View, hello: Hello, sink: FrameSink) -> _Connection:
        now = self._clock.monotonic()
        cursor = None
        if hello.epoch is not None and hello.last_seq is not None:
            cursor = Cursor(hello.epoch, hello.last_seq)
        seat = None
        if viewer.role != "wall":
            seat = Seat(
                viewer.user_id, viewer.name, viewer.role, hello.page, viewer.responder_id, self._time()
            )
        connection = _Connection(
            viewer, sink, self.feed.subscribe(view, cursor, self._time()), seat, now + _HEARTBEAT_S, now
        )
        connection.bbox = hello.bbox
        connection.subscription.wake = connection.flush
        self._connections[connection] = None
        connection.subscription.heartbeat(self._time())
        connection.flush()
        if seat is not None:
            self.presence.join(seat, now)
        if "presence" in view.topics:
            connection.subscription.push(self.feed.note_frame("presence", users=self.presence.rows()))
        self._point_map(connection)
        return connection

    def _close(self, connection: _Connection) -> None:
        connection.closed = True
        self._connections.pop(connection, None)
        self.feed.unsubscribe(connection.subscription)
        if connection.map is not None and self.ticker is not None:
            self.ticker.detach(connection.map)
        if connection.seat is not None:
            self.presence.leave(connection.seat, self._clock.monotonic())

    async def _read(self, websocket: WebSocket, connection: _Connection) -> None:
        allowance, counted_at = _MESSAGES_PER_S, self._clock.monotonic()
        while (text := await receive_text(websocket)) is not None:
            now = self._clock.monotonic()
            allowance = min(_MESSAGES_PER_S, allowance + (now - counted_at) * _MESSAGES_PER_S) - 1
            counted_at = now
            if allowance < 0:
                connection.close(POLICY, "too many messages")
                return
            try:
                message = decode(text)
            except (msgspec.DecodeError, RecursionError) as error:
                connection.close(POLICY, f"not understood: {error}"[:120])
                return
            if isinstance(message, ViewChange):
                self._change(connection, message)

    def _change(self, connection: _Connection, message: ViewChange) -> None:
        if message.viewing is not msgspec.UNSET and connection.seat is not None:
            viewing = message.viewing
            shown = None if viewing is None else {k: viewing.get(k, "")[:64] for k in ("kind", "id")}
            self.presence.view(connection.seat, shown)
        if message.topics is not msgspec.UNSET:
            view = connection.viewer.view(_known_topics(message.topics))
            if not view.topics:
                connection.close(FORBIDDEN, "no topic allowed")
                return
            self.feed.unsubscribe(connection.subscription)
            connection.subscription = self.feed.subscribe(view, None, self._time())
            connection.subscription.wake = connection.flush
            connection.flush()
            self._point_map(connection)
        if message.bbox is not msgspec.UNSET:
            connection.bbox = message.bbox
            if connection.map is not None and self.ticker is not None:
                self.ticker.look(connection.map, message.bbox)
        if message.follow is not msgspec.UNSET and connection.map is not None and self.ticker is not None:
            self.ticker.follow(connection.map, message.follow)

    def _point_map(self, connection: _Connection) -> None:
        if self.ticker is None:
            return
        wanted = "telemetry" in connection.subscription.view.topics
        if wanted and connection.map is None:
            connection.map = self.ticker.attach(connection.sink, connection.bbox, connection.viewer.units)
        elif not wanted and connection.map is not None:
            self.ticker.detach(connection.map)
            connection.map = None

    def _sees_assignment(self, view: View, assignment_id: str) -> bool:
        entity = self.feed.entity("assignments", assignment_id)
        return entity is not None and (view.unrestricted or view.sees("assignments", assignment_id, entity))

    async def _ticking(self, ticker: Ticker, hz: float) -> None:
        loop = asyncio.get_running_loop()
        half = 0.5 / hz
        due, whole = loop.time(), True
        while True:
            due += half
            if due < loop.time() - 1.0:  # the machine slept: no burst of ticks to catch up
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))
            try:
                now = self._clock.now().timestamp()
                if whole:
                    ticker.tick(now)
                else:
                    ticker.half_tick(now)
            except Exception:  # a broken hook must not stop the map
                log.exception("telemetry.tick_failed")
            whole = not whole

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            try:
                self.keep_house()
            except Exception:
                log.exception("feed.housekeeping_failed")

    def keep_house(self) -> None:
        """One round: presence, heartbeats, sessions, full sockets."""
        now = self._clock.monotonic()
        if self._presence_sent != self.presence.version:
            self._presence_sent = self.presence.version
            frame = self.feed.note_frame("presence", users=self.presence.rows())
            for connection in self._connections:
                if "presence" in connection.subscription.view.topics:
                    connection.subscription.push(frame)
        server_time = self._time()
        for connection in list(self._connections):
            if connection.closed:
                continue
            if now >= connection.check_at:
                connection.check_at = now + _SESSION_CHECK_S
                if not self._still_valid(connection.viewer):
                    connection.close(SESSION_ENDED, "session ended")
                    continue
            # A client on a thin line that takes a big snapshot slowly is alive; one that takes nothing is
            # not.
            waiting = connection.sink.buffered()
            if waiting <= BEHIND_BYTES:
                connection.stalled_since = None
            elif connection.stalled_since is None or waiting < connection.stalled_bytes:
                connection.stalled_since, connection.stalled_bytes = now, waiting
            elif now - connection.stalled_since > _STALLED_S:
                self.cut_off += 1
                connection.close(LAGGING, "not reading")
                continue
            connection.flush()
            if now >= connection.beat_at:
                connection.beat_at = now + _HEARTBEAT_S
                connection.subscription.heartbeat(server_time)

    def _time(self) -> str:
        return rfc3339(self._clock.now())


def _known_topics(asked: list[str] | None) -> frozenset[str]:
    return TOPICS if asked is None else TOPICS & frozenset(asked)
