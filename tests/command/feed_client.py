"""A client of the feed that follows the public contract and nothing else; tests hold the server to it."""

from __future__ import annotations

from typing import Any

import msgspec

from command.framing import TEXT, split_frame

Board = dict[str, dict[str, Any]]


class FeedClient:
    """Keeps a board from the frames it is given; `resync` tells that it must reconnect with its cursor.

    `fresh` tells that it must reconnect without one, because what it holds may be of another history.
    """

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.seq = 0
        self.board: Board = {}
        self.started = False
        self.resync = True
        self.applied = 0

    def hello(self) -> dict[str, Any]:
        hello: dict[str, Any] = {"type": "hello", "protocol": 1}
        if self.epoch is not None:
            hello |= {"epoch": self.epoch, "last_seq": self.seq}
        return hello

    def connected(self) -> None:
        """A new connection: only a snapshot or a resume may come first."""
        self.started = False
        self.resync = False

    def receive_frame(self, frame: bytes) -> None:
        opcode, payload = split_frame(frame)
        if opcode == TEXT:
            self.receive(msgspec.json.decode(payload))

    def receive(self, message: dict[str, Any]) -> None:
        if self.resync:
            return
        kind = message["frame"]
        if kind == "snapshot":
            self.epoch, self.seq, self.board = message["epoch"], message["seq"], message["board"]
            self.started = True
        elif message["epoch"] != self.epoch:
            self.resync = True
        elif kind == "resume":
            self.started = True
            self.resync = message["seq"] != self.seq
        elif not self.started:
            self.resync = True
        elif kind == "heartbeat":
            self.resync = message["seq"] != self.seq
        elif kind == "event":
            if message["seq"] <= self.seq:
                return
            if message["prev"] != self.seq:
                self.resync = True
                return
            self.apply(message["data"]["changes"])
            self.seq = message["seq"]
            self.applied += 1

    def apply(self, changes: Board) -> None:
        for kind, entities in changes.items():
            held = self.board.setdefault(kind, {})
            for id, entity in entities.items():
                if entity is None:
                    held.pop(id, None)
                else:
                    held[id] = entity
