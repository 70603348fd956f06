"""Drawn cameras as the media of simulated devices."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from streams.gb28181.adts import RATES
from streams.gb28181.ps_mux import adts
from streams.gb28181.simulated_media import AccessUnit, SoundPacket
from streams.media import CLOCK_HZ
from streams.synthetic.encoder import Encoder
from streams.synthetic.packets import Unit

_MOST_WAITING: Final = 100


class _Waiting:
    """Keeps what a slow receiver has not taken yet; past a bound it goes on with the next key frame."""

    def __init__(self) -> None:
        self.units: asyncio.Queue[Unit] = asyncio.Queue()
        self._skipping = False

    def unit(self, unit: Unit) -> None:
        self._skipping = (self._skipping or self.units.qsize() >= _MOST_WAITING) and not (
            unit.key and self.units.qsize() < _MOST_WAITING
        )
        if not self._skipping:
            self.units.put_nowait(unit)


async def drawn(encoder: Encoder) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
    """Yield what an encoder draws, from a key frame on, while somebody takes it."""
    waiting = _Waiting()
    encoder.join(waiting)
    profile = encoder.profile
    try:
        while True:
            unit = await waiting.units.get()
            if unit.track == 0:
                yield AccessUnit(profile.codec, unit.nals, unit.timestamp, unit.key)
            elif profile.audio == "aac":
                frame = adts(unit.nals[0], RATES.index(encoder.sound_rate), 1)
                yield SoundPacket("aac", frame, round(unit.at * CLOCK_HZ))
            elif profile.audio == "pcma":
                yield SoundPacket("pcma", unit.nals[0], round(unit.at * CLOCK_HZ))
    finally:
        encoder.leave(waiting)
