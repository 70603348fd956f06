"""Pictures as they come: one WebSocket a tile, joined to the camera's channel in `streams.hub`.

The server speaks first and alone. Text frames are JSON: the config that goes with the init segment that follows it,
or a state and its reason. Binary frames are an init segment or whole fragments, ready for a SourceBuffer.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from command.accounts.access import Principal
from command.accounts.sessions import Session
from command.api.feed_messages import refuse
from command.api.frames import AsgiSink, frame_sink
from command.api.security import origin_allowed, session_of
from command.api.services import Services
from command.cameras import Camera
from command.errors import StorageFull, Unavailable, YipingError
from command.framing import FrameSink, text_frame
from command.logs import get_logger
from command.store.viewings import Kind
from streams.errors import NoSuchCamera, StreamError
from streams.service import Watch

SESSION_ENDED: Final = 4001
FORBIDDEN: Final = 4003
NO_CAMERA: Final = 4004
LAGGING: Final = 4008
GOING_AWAY: Final = 1012
_CLOSED: Final = {"slow": LAGGING, "gone": NO_CAMERA, "stopped": GOING_AWAY}
MOST_TILES: Final = 128
"""Open tiles of one session: eight walls of sixteen."""
CHECK_S: Final = 2.0
"""How often an open tile is asked whether it still may be open."""

router = APIRouter(tags=["live"])
log = get_logger(__name__)
Purpose = Literal["watch", "incident", "tour", "control"]


class SocketViewer:
    """A tile's connection, as the hub sees it. Media arrives framed already (`command.framing`)."""

    __slots__ = ("_sink", "media")

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self.media = sink.write

    def text(self, message: bytes) -> None:
        """Send a JSON message."""
        self._sink.write(text_frame(message))

    def buffered(self) -> int:
        """Return the bytes the kernel has not taken yet."""
        return self._sink.buffered()

    def closed(self, reason: str) -> None:
        """Close the connection: nothing more will come."""
        self._sink.close(_CLOSED.get(reason, GOING_AWAY), reason)


@router.websocket("/cameras/{camera_id}/live")
async def live(
    websocket: WebSocket,
    camera_id: str,
    h265: bool = False,
    purpose: Purpose = "watch",
    incident_id: Annotated[str | None, Query(max_length=64)] = None,
) -> None:
    """Send a camera's pictures and sound until either side leaves."""

    def join(s: Services, viewer: SocketViewer) -> Watch:
        return s.video.watch(camera_id, viewer, h265=h265)

    await _serve(websocket, camera_id, "live", purpose, incident_id, join)


@router.websocket("/cameras/{camera_id}/playback")
async def playback(
    websocket: WebSocket,
    camera_id: str,
    start: datetime,
    end: datetime,
    h265: bool = False,
    incident_id: Annotated[str | None, Query(max_length=64)] = None,
) -> None:
    """Send what the camera's device recorded between two instants, from the beginning."""

    def join(s: Services, viewer: SocketViewer) -> Watch:
        return s.video.watch_recording(camera_id, viewer, start, end, h265=h265)

    if start.tzinfo is None or end.tzinfo is None or not start < end:
        await refuse(websocket, FORBIDDEN, "start and end")
        return
    await _serve(websocket, camera_id, "playback", "playback", incident_id, join)


async def _serve(
    websocket: WebSocket,
    camera_id: str,
    kind: Literal["live", "playback"],
    purpose: str,
    incident_id: str | None,
    join: Callable[[Services, SocketViewer], Watch],
) -> None:
    s: Services = websocket.app.state.services
    if not origin_allowed(websocket):
        await refuse(websocket, FORBIDDEN, "origin")  # before accept: the handshake is answered with 403
        return
    session = session_of(websocket)
    await websocket.accept()
    if session is None:
        await refuse(websocket, SESSION_ENDED, "sign in")
        return
    camera = s.board.cameras.get(camera_id)
    if not may_watch(s, session.principal, camera, kind):
        await refuse(websocket, NO_CAMERA, "no such camera")
        return
    if s.video_desk.tiles[session.id] >= MOST_TILES:
        await refuse(websocket, LAGGING, "too many tiles")
        return
    s.video_desk.tiles[session.id] += 1
    try:
        await _show(websocket, session, camera, camera_id, kind, purpose, incident_id, join)
    finally:
        s.video_desk.tiles[session.id] -= 1
        if not s.video_desk.tiles[session.id]:
            del s.video_desk.tiles[session.id]


async def _show(
    websocket: WebSocket,
    session: Session,
    camera: Camera | None,
    camera_id: str,
    kind: Literal["live", "playback"],
    purpose: str,
    incident_id: str | None,
    join: Callable[[Services, SocketViewer], Watch],
) -> None:
    s: Services = websocket.app.state.services
    # Who watched is written down before the first picture goes out.
    viewing = await record_viewing(
        s, session.principal, camera_id, kind, purpose=purpose, incident_id=incident_id
    )
    sink = frame_sink(websocket)
    forget = s.sessions.watch(session.id, lambda: sink.close(SESSION_ENDED, "session ended"))
    try:
        watch = join(s, SocketViewer(sink))
    except StreamError as error:
        # One that has a source is only not known to the processes yet: whoever asks again will see it.
        soon = isinstance(error, NoSuchCamera) and camera is not None and camera.source is not None
        sink.close(GOING_AWAY if soon else NO_CAMERA, error.code)
        await _until_gone(websocket, lambda: None, sink)
    else:
        try:
            await _until_gone(websocket, lambda: _objection(s, session, camera_id, kind), sink)
        finally:
            watch.close()
    finally:
        forget()
        if viewing is not None:
            with contextlib.suppress(YipingError):  # a full disk: the start will say that it was cut
                await s.viewings.end(viewing)
        if isinstance(sink, AsgiSink):
            await sink.stop()


async def record_viewing(
    s: Services, me: Principal, camera_id: str, kind: Kind, *, purpose: str, incident_id: str | None
) -> str | None:
    """Write down that somebody begins to watch; returns the viewing's id.

    A full disk must not take the picture from a dispatcher: the service's own log then holds the record.
    """
    try:
        return await s.viewings.start(me, camera_id, kind, purpose=purpose, incident_id=incident_id)
    except (StorageFull, Unavailable) as error:
        log.error(
            "viewing not recorded",
            user=me.user_id,
            camera=camera_id,
            kind=kind,
            purpose=purpose,
            incident=incident_id,
            reason=error.detail,
        )
        return None


def may_watch(s: Services, me: Principal, camera: Camera | None, kind: str) -> bool:
    """Say whether the camera exists for somebody, and whether they may see what it shows, or showed."""
    if camera is None or not s.sees(me, "cameras", camera):
        return False
    permission = "camera.view" if kind == "live" else "clip.view"
    return s.access.may(me, permission, "cameras", camera, s.lookup)


def _objection(s: Services, session: Session, camera_id: str, kind: str) -> tuple[int, str] | None:
    """Return with what code and reason an open tile must be closed, or None."""
    if not s.sessions.alive(session.id):
        return SESSION_ENDED, "session ended"
    if not may_watch(s, session.principal, s.board.cameras.get(camera_id), kind):
        return NO_CAMERA, "no such camera"
    return None


async def _until_gone(
    websocket: WebSocket, objection: Callable[[], tuple[int, str] | None], sink: FrameSink
) -> None:
    """Wait until the peer leaves; closes the connection when there is an objection to it."""
    receiving = asyncio.ensure_future(_next(websocket))
    try:
        while True:
            done, _ = await asyncio.wait({receiving}, timeout=CHECK_S)
            if done:
                if not receiving.result():
                    return
                receiving = asyncio.ensure_future(_next(websocket))
            # Also when it said something: a client that keeps talking is asked no less often.
            if (found := objection()) is not None:
                sink.close(*found)
    finally:
        receiving.cancel()


async def _next(websocket: WebSocket) -> bool:
    """Take a message of the client, which has nothing to say; False when it left."""
    try:
        message = await websocket.receive()
        return bool(message["type"] != "websocket.disconnect")
    except (RuntimeError, WebSocketDisconnect):
        return False
