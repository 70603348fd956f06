"""The feed as a client reads it: one picture, kept by the contract's rules, and who wants to know of changes.

One connection serves the colleague's desk and all simulated units: it is the second dispatcher's own console.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from command.demo.simulator.clients import SignedIn
from command.demo.simulator.timing import Timing
from command.logs import get_logger

log = get_logger(__name__)

TOPICS: Final = ("incidents", "responders", "messages", "presence")
SILENT_S: Final = 12.0
MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_PAUSES_S: Final = (0.5, 10.0)

Entity = dict[str, Any]
Listener = Callable[[str, Mapping[str, Any]], None]
"""Told of each event: its type and its data. ``("snapshot", {})`` after a whole new picture,
``("presence", {})`` when somebody came, went or looked elsewhere."""


class Picture:
    """The board as this client knows it."""

    def __init__(self) -> None:
        self.incidents: dict[str, Entity] = {}
        self.assignments: dict[str, Entity] = {}
        self.responders: dict[str, Entity] = {}
        self.messages: dict[str, Entity] = {}
        self.presence: list[Entity] = []
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Tell this one of every change from now on."""
        self._listeners.append(listener)

    def replace(self, board: Mapping[str, Mapping[str, Entity]]) -> None:
        """Take a snapshot."""
        for kind in ("incidents", "assignments", "responders", "messages"):
            setattr(self, kind, dict(board.get(kind, {})))
        self._tell("snapshot", {})

    def apply(self, type_: str, data: Mapping[str, Any]) -> None:
        """Take an event: null deletes, anything else is put."""
        for kind, changed in data.get("changes", {}).items():
            entities: dict[str, Entity] | None = getattr(self, kind, None)
            if entities is None:
                continue
            for key, entity in changed.items():
                if entity is None:
                    entities.pop(key, None)
                else:
                    entities[key] = entity
        self._tell(type_, data)

    def meet(self, users: list[Entity]) -> None:
        """Take the list of who is here."""
        self.presence = users
        self._tell("presence", {})

    def _tell(self, type_: str, data: Mapping[str, Any]) -> None:
        for listener in self._listeners:
            try:
                listener(type_, data)
            except Exception:
                log.exception("listener failed", type=type_)


class Feed:
    """Keeps the picture current.

    Args:
        account: Whose console this is.
        url: Of the service.
        picture: Where it goes.
        timing: To wait with.
    """

    def __init__(self, account: SignedIn, url: str, picture: Picture, timing: Timing) -> None:
        self.ready = asyncio.Event()
        """Set once there is a picture."""
        self.reconnects = 0
        self._account = account
        self._url = "ws" + url.removeprefix("http") + "/api/v1/feed"
        self._picture = picture
        self._timing = timing
        self._epoch: str | None = None
        self._seq = 0
        self._socket: ClientConnection | None = None
        self._rng = random.Random()

    async def run(self) -> None:
        """Read until cancelled; come back after every loss, never faster than the pauses allow."""
        pause = _PAUSES_S[0]
        while True:
            started = self._timing.now()
            try:
                if await self._account.sign_in():
                    await self._session()
            except (OSError, TimeoutError, ConnectionClosed):
                pass
            except InvalidStatus as refused:
                if refused.response.status_code in (401, 403):
                    self._account.forget()
            except (WebSocketException, msgspec.DecodeError, KeyError) as error:
                log.warning("feed broken off", error=type(error).__name__)
            finally:
                self._socket = None
            self.reconnects += 1
            if self._timing.now() - started > 30.0:
                pause = _PAUSES_S[0]
            await self._timing.sleep(pause * self._rng.uniform(0.7, 1.3))
            pause = min(2 * pause, _PAUSES_S[1])

    async def look_at(self, incident_id: str | None) -> None:
        """Show the others what this desk has open."""
        if self._socket is None:
            return
        viewing = None if incident_id is None else {"kind": "incident", "id": incident_id}
        try:
            await self._socket.send(msgspec.json.encode({"type": "view", "viewing": viewing}).decode())
        except ConnectionClosed:
            pass

    async def _session(self) -> None:
        async with connect(
            self._url,
            additional_headers=self._account.headers(),
            compression=None,
            proxy=None,
            max_size=MAX_FRAME_BYTES,
            close_timeout=0.5,
        ) as socket:
            hello: dict[str, object] = {"type": "hello", "protocol": 1, "topics": TOPICS, "page": "console"}
            if self._epoch is not None:
                hello |= {"epoch": self._epoch, "last_seq": self._seq}
            await socket.send(msgspec.json.encode(hello).decode())
            self._socket = socket
            while True:
                async with asyncio.timeout(SILENT_S):
                    frame = await socket.recv()
                if isinstance(frame, str) and not self.take(msgspec.json.decode(frame)):
                    self._epoch = None  # not in step any more: a snapshot, please
                    return
                if socket.close_code == 4001:
                    self._account.forget()

    def take(self, frame: Mapping[str, Any]) -> bool:
        """Take one text frame in.

        Returns:
            False when frames are missing and the picture must be fetched anew.
        """
        kind, epoch = frame["frame"], frame["epoch"]
        if kind == "snapshot":
            self._epoch, self._seq = epoch, frame["seq"]
            self._picture.replace(frame["board"])
            self.ready.set()
            return True
        if epoch != self._epoch:
            return False
        if kind == "event":
            if frame["seq"] <= self._seq:
                return True
            if frame["prev"] != self._seq:
                return False
            self._seq = frame["seq"]
            self._picture.apply(frame["type"], frame["data"])
        elif kind in ("heartbeat", "resume"):
            return bool(frame["seq"] == self._seq)
        elif kind == "presence":
            self._picture.meet(frame["users"])
        return True
