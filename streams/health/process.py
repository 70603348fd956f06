"""The process that looks at every camera's picture: ``python -m streams.worker --role health``."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import cv2
import structlog

from streams.errors import Busy, StreamError, Unsupported
from streams.health.messages import (
    CheckOrder,
    HealthConfig,
    HealthReport,
    KeyFrameOrder,
    ReferenceOrder,
    Still,
    StillOrder,
)
from streams.health.sweep import Sweep
from streams.libav.slots import Slots
from streams.link import Link
from streams.media import KeyFrame
from streams.readers import CameraReaders
from streams.rtsp.grab import first_key_frame
from streams.source import Admission, CameraSpec
from streams.wire import VideoSettings

__all__ = ["run"]

log = structlog.get_logger("streams.health")

_FOREIGN_PLACES: Final = 2
_OURS: Final = frozenset({"failed", "worker_lost"})


async def run(link: Link) -> None:
    """Serve until cancelled; see `streams.health.messages` for what is served and asked."""
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(1, thread_name_prefix="examine") as pool:
        role = _Role(link, pool)
        link.serve("configure", HealthConfig, role.configure)
        link.serve("check", CheckOrder, role.check)
        link.serve("accept_reference", ReferenceOrder, role.accept_reference)
        link.serve("still", StillOrder, role.still)
        link.serve("figures", type(None), role.figures)
        await role.run()


class _Role:
    def __init__(self, link: Link, pool: ThreadPoolExecutor) -> None:
        self._link = link
        self._pool = pool
        self._sweep: Sweep | None = None
        self._configured = asyncio.Event()
        self._readers: CameraReaders | None = None

    async def run(self) -> None:
        await self._configured.wait()
        await self._ready().run()

    def configure(self, config: HealthConfig) -> None:
        settings = VideoSettings(
            networks=config.networks, protocols=config.protocols, files=config.files, connect_s=5.0
        )
        admission = Admission(
            config.networks, config.protocols, None if config.files is None else Path(config.files)
        )
        self._readers = CameraReaders(settings, admission, Slots(_FOREIGN_PLACES))
        if self._sweep is None:
            self._sweep = Sweep(config, self._grab, self._report, self._pool)
            self._configured.set()
        else:
            self._sweep.configure(config)

    async def check(self, order: CheckOrder) -> HealthReport:
        return await self._ready().check(order.camera_id)

    async def accept_reference(self, order: ReferenceOrder) -> HealthReport:
        return await self._ready().accept_reference(order.camera_id)

    async def still(self, order: StillOrder) -> Still:
        return await self._ready().still(order.camera_id, order.frame, order.width)

    def figures(self, _: None) -> dict[str, float]:
        return {} if self._sweep is None else self._sweep.figures()

    def _ready(self) -> Sweep:
        if self._sweep is None:
            raise StreamError("not configured yet")
        return self._sweep

    def _report(self, report: HealthReport) -> None:
        self._link.note("report", report)

    async def _grab(self, spec: CameraSpec, within_s: float) -> KeyFrame:
        """Take the key frame that is there because somebody watches, else open the camera for one."""
        invited = spec.source.protocol == "gb28181"
        answer: Any = KeyFrame | None
        found: KeyFrame | None = None
        try:
            order = KeyFrameOrder(camera_id=spec.id)
            found = await self._link.call("key_frame", order, answer, timeout_s=within_s)
        except StreamError as error:
            if not invited:
                # Whatever ails the process that pulls it: the camera is asked itself.
                log.debug("no key frame from the hub", camera_id=spec.id, reason=str(error))
            elif error.code in _OURS:
                raise Busy(str(error)) from None
            else:
                raise
        if found is not None:
            return found
        if invited:
            raise Busy("the channel's own process did not invite it")
        readers = self._readers
        assert readers is not None
        try:
            return await first_key_frame(readers.reader(spec), within_s)
        except Unsupported as error:
            if not readers.refused(spec, error):
                raise
            return await first_key_frame(readers.reader(spec), within_s)
