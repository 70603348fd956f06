"""Police vehicles report through one gateway that packs many units into one binary frame a second."""

from __future__ import annotations

import asyncio
import json
from collections import deque

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from command.demo.simulator.people import Fix, Person
from command.demo.simulator.rates import Trackers
from command.demo.simulator.timing import Timing
from command.demo.simulator.trackers import ANSWER_S, PAUSES_S, Phones, gateway_frame


class Gateway:
    """The police vehicles' gateway: one socket, one frame a second.

    Args:
        url: Of the service.
        token: An integration token.
        rates: How often.
        timing: Time.
    """

    def __init__(self, url: str, token: str, rates: Trackers, timing: Timing) -> None:
        self._url = "ws" + url.rstrip("/").removeprefix("http") + "/api/v1/gateway"
        self._token = token
        self._rates = rates
        self._timing = timing
        self._rows: deque[tuple[int, Fix]] = deque(maxlen=rates.queue)
        self.frames = 0
        self.accepted = 0

    def send(self, person: Person, fix: Fix) -> None:
        """Queue one report."""
        self._rows.append((person.unit, fix))

    async def run(self) -> None:
        """Send what is queued until cancelled."""
        pause = PAUSES_S[0]
        while True:
            began = self.frames
            try:
                await self._session()
            except (OSError, TimeoutError, ConnectionClosed, WebSocketException, ValueError):
                pass
            pause = PAUSES_S[0] if self.frames > began else min(2 * pause, PAUSES_S[1])
            await self._timing.sleep(pause)

    async def _session(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with connect(
            self._url, additional_headers=headers, compression=None, proxy=None, close_timeout=0.5
        ) as socket:
            while True:
                await self._timing.sleep(self._rates.gateway_every_s)
                if not self._rows:
                    continue
                rows = list(self._rows)
                self._rows.clear()
                await socket.send(gateway_frame(rows, self.frames, self._timing.now()))
                async with asyncio.timeout(ANSWER_S):
                    answer = json.loads(await socket.recv())
                self.frames += 1
                self.accepted += int(answer.get("accepted", 0))


class Radio:
    """Gives each fix to what carries it: vehicles to the gateway, everybody else to a phone."""

    def __init__(self, phones: Phones, gateway: Gateway | None) -> None:
        self.phones = phones
        self.gateway = gateway

    def send(self, person: Person, fix: Fix) -> None:
        """Take a fix; never waits."""
        if self.gateway is not None and person.kind == "police" and person.profile == "car":
            self.gateway.send(person, fix)
        else:
            self.phones.send(person, fix)
