"""The process that speaks ONVIF: probing devices and moving cameras.

It has a process of its own because SOAP is a large library that reads what strangers send, and because loading it
would make pictures stutter.

Served: ``configure`` (`OnvifConfig`), ``probe`` (`OnvifQuestion` → `OnvifDevice`), ``move`` (`OnvifMove`),
``preset`` (`OnvifRecall`), ``presets`` (`OnvifTarget` → list of `OnvifPreset`).
"""

import asyncio
import time
from typing import Final

from streams.errors import Busy
from streams.link import Link
from streams.onvif.messages import (
    OnvifConfig,
    OnvifDevice,
    OnvifMove,
    OnvifPreset,
    OnvifQuestion,
    OnvifRecall,
    OnvifTarget,
)
from streams.onvif.probe import probe
from streams.onvif.steering import Steering
from streams.source import Admission, Source

__all__ = ["OnvifRole", "run"]

_IDLE_S: Final = 60.0
"""A camera not moved for so long is let go of."""
_TICK_S: Final = 5.0
_MOST: Final = 256


async def run(link: Link) -> None:
    """Do the work of the process until cancelled."""
    role = OnvifRole(link)
    try:
        while True:
            await asyncio.sleep(_TICK_S)
            await role.tidy(time.monotonic())
    finally:
        await role.close()


class OnvifRole:
    """The cameras that are being moved, each with its connection.

    Args:
        link: To the web process.
    """

    def __init__(self, link: Link) -> None:
        self._admission = Admission(())
        self._steered: dict[str, tuple[Source, Steering, float]] = {}
        link.serve("configure", OnvifConfig, self.configure)
        link.serve("probe", OnvifQuestion, self.probe)
        link.serve("move", OnvifMove, self.move)
        link.serve("preset", OnvifRecall, self.preset)
        link.serve("presets", OnvifTarget, self.presets)

    def configure(self, config: OnvifConfig) -> bool:
        """Hear what may be connected to."""
        self._admission = Admission(config.networks)
        return True

    async def probe(self, question: OnvifQuestion) -> OnvifDevice:
        """Ask a device what it is."""
        return await probe(
            question.host, question.port, question.username, question.password, self._admission
        )

    async def move(self, order: OnvifMove) -> bool:
        """Move a camera, or stop it."""
        steering = await self._steering(order.target)
        if order.pan or order.tilt or order.zoom:
            await steering.move(order.pan, order.tilt, order.zoom)
        else:
            await steering.stop()
        return True

    async def preset(self, order: OnvifRecall) -> bool:
        """Send a camera to a preset, or save one."""
        steering = await self._steering(order.target)
        if order.save:
            await steering.save(order.number)
        else:
            await steering.goto(order.number)
        return True

    async def presets(self, target: OnvifTarget) -> list[OnvifPreset]:
        """List a camera's presets."""
        return await (await self._steering(target)).presets()

    async def tidy(self, now_s: float) -> None:
        """Let go of cameras that nobody moves any more."""
        for camera_id, (_, steering, used_s) in tuple(self._steered.items()):
            if now_s - used_s > _IDLE_S:
                del self._steered[camera_id]
                await steering.close()

    async def close(self) -> None:
        """Let go of all."""
        for _, steering, _ in self._steered.values():
            await steering.close()
        self._steered.clear()

    async def _steering(self, target: OnvifTarget) -> Steering:
        known = self._steered.get(target.camera_id)
        if known is not None and known[0] != target.source:
            del self._steered[target.camera_id]
            await known[1].close()
            known = None
        if known is None and len(self._steered) >= _MOST:
            raise Busy("too many cameras are being moved")
        steering = Steering(target.source, self._admission) if known is None else known[1]
        self._steered[target.camera_id] = target.source, steering, time.monotonic()
        return steering
