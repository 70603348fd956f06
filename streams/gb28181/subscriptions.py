"""Standing subscriptions to a device's catalogue changes and alarms.

They are refreshed at four fifths of their life. Many devices refuse a refresh within its dialog and take a new
subscription: so that is tried when the refresh fails. One that knows no subscriptions is asked again rarely.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from streams.errors import StreamError
from streams.gb28181 import manscdp
from streams.gb28181.caller import Caller
from streams.gb28181.sip import Request

log = structlog.get_logger("streams.gb28181")

Kind = Literal["Catalog", "Alarm"]
KINDS: Final[tuple[Kind, ...]] = ("Catalog", "Alarm")
_EVENTS: Final[dict[Kind, str]] = {"Catalog": "Catalog", "Alarm": "presence"}
_WANTED_S: Final = 3600
_LEAST_S: Final = 60
_REFUSED_S: Final = 1800.0
_AT_ONCE: Final = 20


@dataclass(slots=True)
class _Subscription:
    call_id: str = ""
    from_: str = ""
    to: str = ""
    event_id: int = 0
    due_at: float = 0.0
    accepted: bool = False


class Subscriptions:
    """Subscriptions at all devices.

    Args:
        caller: Composes and sends requests.
        clock: Monotonic seconds.
    """

    def __init__(self, caller: Caller, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._caller = caller
        self._clock = clock
        self._held: dict[tuple[str, Kind], _Subscription] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._busy: set[tuple[str, Kind]] = set()

    def __len__(self) -> int:
        return sum(held.accepted for held in self._held.values())

    def accepted(self, device_id: str, kind: Kind) -> bool:
        """Whether a device has taken the subscription."""
        held = self._held.get((device_id, kind))
        return held is not None and held.accepted

    async def begin(self, device_id: str) -> None:
        """Subscribe at a device that has come online."""
        for kind in KINDS:
            self._held[device_id, kind] = _Subscription()
            await self.refresh(device_id, kind)

    def forget(self, device_id: str) -> None:
        """Drop what a device that is gone had accepted."""
        for kind in KINDS:
            self._held.pop((device_id, kind), None)

    def due(self) -> list[tuple[str, Kind]]:
        """Return what has to be refreshed now."""
        now = self._clock()
        return [key for key, held in self._held.items() if held.due_at <= now and key not in self._busy]

    async def refresh(self, device_id: str, kind: Kind) -> None:
        """Subscribe, or refresh, at one device; a refusal is no error."""
        key = (device_id, kind)
        held = self._held.get(key)
        if held is None or key in self._busy:
            return
        self._busy.add(key)
        try:
            async with self._gate:
                if held.accepted and await self._subscribe(device_id, kind, held, fresh=False):
                    return
                held.accepted = await self._subscribe(device_id, kind, held, fresh=True)
                if not held.accepted:
                    held.due_at = self._clock() + _REFUSED_S
        finally:
            self._busy.discard(key)

    def ended(self, device_id: str, call_id: str) -> None:
        """Take a device's word that a subscription is over; it is asked for again at once."""
        for kind in KINDS:
            held = self._held.get((device_id, kind))
            if held is not None and held.call_id == call_id and held.accepted:
                held.accepted = False
                held.due_at = self._clock()

    async def _subscribe(self, device_id: str, kind: Kind, held: _Subscription, *, fresh: bool) -> bool:
        if fresh:
            held.call_id = held.from_ = held.to = ""
            held.event_id = int(manscdp.new_sn())
        try:
            peer = self._caller.peer(device_id)
            request = self._compose(device_id, kind, held)
            response = await self._caller.request(request, peer)
        except StreamError as error:
            log.debug("subscription refused", device_id=device_id, kind=kind, reason=str(error))
            return False
        held.call_id, held.from_, held.to = request.call_id, request.get("from"), response.get("to")
        granted = response.get("expires")
        lasts_s = int(granted) if granted.isascii() and granted.isdigit() and len(granted) < 8 else _WANTED_S
        held.due_at = self._clock() + max(_LEAST_S, min(lasts_s, _WANTED_S)) * 0.8
        return lasts_s > 0

    def _compose(self, device_id: str, kind: Kind, held: _Subscription) -> Request:
        if kind == "Alarm":
            inner = manscdp.tags(
                ("StartAlarmPriority", 0),
                ("EndAlarmPriority", 0),
                ("AlarmMethod", 0),
            )
        else:
            inner = ""
        return self._caller.compose(
            "SUBSCRIBE",
            device_id,
            self._caller.peer(device_id),
            call_id=held.call_id,
            from_=held.from_,
            to=held.to,
            content_type=manscdp.CONTENT_TYPE,
            body=manscdp.build("Query", kind, device_id, inner),
            extra=[("event", f"{_EVENTS[kind]};id={held.event_id}"), ("expires", str(_WANTED_S))],
        )


def is_over(notify: Request) -> bool:
    """Whether a NOTIFY says that its subscription has ended."""
    return notify.get("subscription-state").lower().startswith("terminated")
