"""The tracker protocols as phones and vehicle gateways speak them, and the phones' way to the service.

Phones share a few kept-open connections and wait for each answer; what does not fit into the queue while the
service is away is dropped oldest first, as a phone's own buffer would.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
from collections import deque
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

from command.demo.simulator.people import Fix, Person
from command.demo.simulator.rates import Trackers
from command.demo.simulator.timing import Timing, moment

KNOT_KMH: Final = 1.852
ANSWER_S: Final = 15.0
PAUSES_S: Final = (0.5, 10.0)

_HEADER: Final = struct.Struct("<HBBIQd")
_RECORD: Final = struct.Struct("<IiiIBBBB")
_MAGIC: Final = 0x5459
_VERSION: Final = 1
_UPLINK: Final = 2


def osmand(device_id: str, fix: Fix) -> str:
    """Return the query of an OsmAnd request: speed in knots, time in milliseconds, battery in percent."""
    return urlencode(
        {
            "id": device_id,
            "lat": f"{fix.lat:.7f}",
            "lon": f"{fix.lon:.7f}",
            "timestamp": int(fix.at * 1000),
            "speed": f"{fix.speed_kmh / KNOT_KMH:.2f}",
            "bearing": f"{fix.heading_deg:.1f}",
            "accuracy": f"{fix.accuracy_m:.1f}",
            "batt": round(fix.battery * 100, 1),
        }
    )


def traccar(device_id: str, fix: Fix) -> bytes:
    """Return the JSON of Traccar Client: speed in m/s, ISO time, battery 0 to 1."""
    message = {
        "device_id": device_id,
        "location": {
            "timestamp": moment(fix.at),
            "coords": {
                "latitude": round(fix.lat, 7),
                "longitude": round(fix.lon, 7),
                "accuracy": round(fix.accuracy_m, 1),
                "speed": round(fix.speed_kmh / 3.6, 2),
                "heading": round(fix.heading_deg, 1),
            },
            "battery": {"level": round(fix.battery, 3), "is_charging": False},
        },
    }
    return json.dumps(message, separators=(",", ":")).encode()


def owntracks(device_id: str, fix: Fix) -> bytes:
    """Return the JSON of OwnTracks: whole km/h, whole seconds, battery in percent."""
    message = {
        "_type": "location",
        "tid": device_id[-2:],
        "lat": round(fix.lat, 7),
        "lon": round(fix.lon, 7),
        "tst": int(fix.at),
        "acc": round(fix.accuracy_m),
        "vel": round(fix.speed_kmh),
        "cog": round(fix.heading_deg) % 360,
        "batt": max(2, round(fix.battery * 100)),
    }
    return json.dumps(message, separators=(",", ":")).encode()


def gateway_frame(rows: Sequence[tuple[int, Fix]], rev: int, as_of: float) -> bytes:
    """Return the binary frame of a vehicle gateway (docs/telemetry.md): a header, then 20 bytes a unit."""
    parts = [_HEADER.pack(_MAGIC, _VERSION, _UPLINK, len(rows), rev, as_of)]
    for unit, fix in rows:
        parts.append(
            _RECORD.pack(
                unit,
                round(fix.lon * 1e7),
                round(fix.lat * 1e7),
                max(0, round((as_of - fix.at) * 1000)),
                round(fix.heading_deg * 256 / 360) % 256,
                min(254, round(fix.speed_kmh)),
                min(254, round(fix.accuracy_m / 2)),
                round(fix.battery * 100),
            )
        )
    return b"".join(parts)


class Phones:
    """Reports of phones over a few kept-open HTTP connections.

    Args:
        url: Of the service.
        rates: Shares of the protocols, connections, queue.
        timing: To wait with.
        rng: Chance.
    """

    def __init__(self, url: str, rates: Trackers, timing: Timing, rng: random.Random) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._host_header = parts.netloc
        self._rates = rates
        self._timing = timing
        self._rng = rng
        self._queue: deque[bytes] = deque(maxlen=rates.queue)
        self._work = asyncio.Event()
        self._protocols: dict[str, str] = {}
        self.accepted = 0
        self.refused = 0
        self.lost = 0

    def protocol(self, person: Person) -> str:
        """Return which protocol a phone speaks; it never changes its mind."""
        if person.id not in self._protocols:
            shares = (self._rates.osmand, self._rates.traccar, self._rates.owntracks)
            self._protocols[person.id] = self._rng.choices(("osmand", "traccar", "owntracks"), shares)[0]
        return self._protocols[person.id]

    def send(self, person: Person, fix: Fix) -> None:
        """Queue one report."""
        if len(self._queue) == self._queue.maxlen:
            self.lost += 1
        self._queue.append(self.request(person, fix))
        self._work.set()

    def request(self, person: Person, fix: Fix) -> bytes:
        """Return the whole HTTP request of one report."""
        protocol = self.protocol(person)
        bearer = f"Authorization: Bearer {person.token}"
        if protocol == "osmand":
            return self._http("GET", f"/tracker/osmand?{osmand(person.device_id, fix)}", bearer, b"")
        if protocol == "traccar":
            return self._http("POST", "/tracker/osmand", bearer, traccar(person.device_id, fix))
        pair = base64.b64encode(f"{person.device_id}:{person.token}".encode()).decode()
        body = owntracks(person.device_id, fix)
        return self._http("POST", "/tracker/owntracks", f"Authorization: Basic {pair}", body)

    def _http(self, method: str, target: str, authorization: str, body: bytes) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host_header}", authorization]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def run(self) -> None:
        """Keep the connections busy until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._rates.connections):
                tasks.create_task(self._connection())

    async def _connection(self) -> None:
        pause = PAUSES_S[0]
        while True:
            writer: asyncio.StreamWriter | None = None
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
                while True:
                    request = await self._next()
                    try:
                        writer.write(request)
                        async with asyncio.timeout(ANSWER_S):
                            status, body = await _answer(reader)
                    except (OSError, EOFError, TimeoutError, ValueError):
                        self._queue.appendleft(request)
                        raise
                    pause = PAUSES_S[0]
                    if status == 200 and not body.startswith(b'{"accepted":0'):
                        self.accepted += 1
                    else:
                        self.refused += 1
                    if status in (429, 503):
                        break
            except (OSError, EOFError, TimeoutError, ValueError):
                pass
            finally:
                if writer is not None:
                    writer.close()
            await self._timing.sleep(pause * self._rng.uniform(0.7, 1.3))
            pause = min(2 * pause, PAUSES_S[1])

    async def _next(self) -> bytes:
        while not self._queue:
            self._work.clear()
            await self._work.wait()
        return self._queue.popleft()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one HTTP answer.

    Raises:
        EOFError: The service closed the connection.
        ValueError: It is no answer.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        if line[:15].lower() == b"content-length:":
            length = int(line[15:])
    return int(head[9:12]), await reader.readexactly(length)
