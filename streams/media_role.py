"""The media process: its cameras, and what the web process may ask of it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
import structlog

from streams.clips import ClipOrder
from streams.errors import Busy, NoSuchCamera, Unreachable, by_code
from streams.inviting import Inviting, RecordingReaders
from streams.libav.slots import Slots
from streams.link import Link
from streams.media import KeyFrame
from streams.probing import probe
from streams.readers import CameraReaders
from streams.recording import Recording, refuse
from streams.source import Admission, CameraSpec
from streams.watched import Watched, Worker
from streams.wire import (
    Beat,
    CameraChanges,
    KeyFrameWish,
    MediaSetup,
    Probe,
    ProbeOrder,
    WatchOrder,
)
from streams.worker import beats, own_figures

__all__ = ["MediaRole", "place_of", "run"]

log = structlog.get_logger("streams.media")

_TICK_S: Final = 0.1
_LOOK_S: Final = 0.1
_MOST_CLIPS: Final = 64
_CLOSE_S: Final = 1.5


def place_of(camera_id: str, places: int) -> int:
    """Return which of the media processes a camera belongs to; the same one in every run."""
    return crc32(camera_id.encode("utf-8", "surrogatepass")) % places


async def run(link: Link) -> None:
    """Do the work of a media process."""
    role = MediaRole(link)
    try:
        await asyncio.gather(role.ticks(), beats(link, role.beat))
    finally:
        await role.close()


class MediaRole:
    """All cameras of one media process.

    Args:
        link: To the web process.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._worker: Worker | None = None
        self._admission = Admission(())
        self._readers: CameraReaders | None = None
        self._inviting: Inviting | None = None
        self._specs: dict[str, CameraSpec] = {}
        self._cameras: dict[str, Watched] = {}
        self._recordings: dict[int, Watched] = {}
        self._channels: dict[int, Watched] = {}
        self._clips: dict[asyncio.Task[None], Recording] = {}
        self._closing: set[asyncio.Task[None]] = set()
        link.serve("setup", MediaSetup, self.setup)
        link.serve("cameras", CameraChanges, self.change)
        link.serve("watch", WatchOrder, self.watch)
        link.serve("unwatch", int, self.unwatch)
        link.serve("retry", str, self.retry)
        link.serve("key_frame", KeyFrameWish, self.key_frame)
        link.serve("probe", ProbeOrder, self.probe)
        link.serve("record", ClipOrder, self.record)

    async def setup(self, setup: MediaSetup) -> bool:
        """Take the settings; comes once, before everything else."""
        settings = setup.settings
        self._admission = Admission(
            settings.networks, settings.protocols, None if settings.files is None else Path(settings.files)
        )
        slots = Slots(setup.transcodes)
        self._inviting = Inviting(self._link, setup.name, settings)
        self._readers = CameraReaders(settings, self._admission, slots, self._inviting.reader)
        self._worker = Worker(self._link, settings, self._readers, self._permit, slots)
        return True

    def change(self, changes: CameraChanges) -> None:
        """Take cameras that were added or changed, and let go of those that are gone."""
        for spec in changes.put:
            before = self._specs.get(spec.id)
            self._specs[spec.id] = spec
            camera = self._cameras.get(spec.id)
            if camera is not None and spec != before:
                camera.pull.respec(spec)
        for camera_id in changes.drop:
            self._specs.pop(camera_id, None)
            if self._readers is not None:
                self._readers.forget(camera_id)
            camera = self._cameras.pop(camera_id, None)
            for clip in self._clips.values():
                if clip.camera_id == camera_id:
                    clip.stop()
            if camera is not None:
                self._let_go(camera)

    def watch(self, order: WatchOrder) -> None:
        """Send a channel what it asks for."""
        spec = self._specs.get(order.camera_id)
        worker = self._worker
        if spec is None or worker is None or order.channel in self._channels:
            return  # it was removed meanwhile, of which the web process knows
        if order.span is None:
            camera = self._camera(spec, worker)
        else:
            assert self._inviting is not None
            readers = RecordingReaders(self._inviting, order.span)
            camera = Watched(spec, worker, order.channel, readers)
            self._recordings[order.channel] = camera
        self._channels[order.channel] = camera
        camera.watch(order)

    def unwatch(self, channel: int) -> None:
        """Send a channel nothing any more."""
        camera = self._channels.pop(channel, None)
        if camera is not None:
            camera.unwatch(channel)
        recording = self._recordings.pop(channel, None)
        if recording is not None:
            self._let_go(recording)

    def retry(self, camera_id: str) -> None:
        """Try a camera again now."""
        camera = self._cameras.get(camera_id)
        if camera is not None:
            camera.pull.retry()

    async def key_frame(self, wish: KeyFrameWish) -> KeyFrame | None:
        """Return a camera's latest key frame.

        Raises:
            NoSuchCamera: It is not one of ours.
            StreamError: Why there is none, where the camera was opened for it.
        """
        spec = self._specs.get(wish.camera_id)
        worker = self._worker
        if spec is None or worker is None:
            raise NoSuchCamera(wish.camera_id)
        camera = self._cameras.get(wish.camera_id)
        found = None if camera is None else camera.key_frame()
        if found is not None or not wish.open:
            return found
        camera = self._camera(spec, worker)
        alone = not camera.pull.running
        camera.pull.hold()
        try:
            until_s = time.monotonic() + wish.wait_s
            while time.monotonic() < until_s:
                await asyncio.sleep(_LOOK_S)  # first: what it says now may be of the try before
                found = camera.key_frame()
                if found is not None:
                    return found
                state = camera.pull.state
                if state.state in ("lost", "refused", "no_capacity"):
                    raise by_code(state.reason or "")(state.detail or state.state)
            raise Unreachable(f"no picture within {wish.wait_s:g} s")
        finally:
            camera.pull.release(at_once=alone)

    async def probe(self, order: ProbeOrder) -> Probe:
        """Try a source."""
        assert self._readers is not None
        return await probe(order.source, self._readers, self._permit)

    def record(self, order: ClipOrder) -> bool:
        """Begin a clip; a note tells what came of it.

        Raises:
            NoSuchCamera: It is not one of ours.
            Busy: Too many are being written.
            ClipFailed: It could not be written.
        """
        spec, worker = self._specs.get(order.camera_id), self._worker
        if spec is None or worker is None:
            raise NoSuchCamera(order.camera_id)
        if len(self._clips) >= _MOST_CLIPS:
            raise Busy(f"{_MOST_CLIPS} clips are being written")
        refuse(order)
        recording = Recording(order, self._camera(spec, worker))
        task = asyncio.get_running_loop().create_task(self._write(recording))
        self._clips[task] = recording
        task.add_done_callback(lambda done: self._clips.pop(done, None))
        return True

    async def ticks(self) -> None:
        """Do what is due, several times a second."""
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = time.monotonic()
            for camera_id, camera in tuple(self._cameras.items()):
                camera.tick(now_s)
                if camera.forgettable(now_s):
                    del self._cameras[camera_id]
                    self._let_go(camera)
            for camera in tuple(self._recordings.values()):
                camera.tick(now_s)

    def beat(self) -> Beat:
        """Return what this process does."""
        cameras = [*self._cameras.values(), *self._recordings.values()]
        worker = self._worker
        if worker is None:
            return own_figures()
        return msgspec.structs.replace(
            own_figures(),
            streams=sum(camera.pull.running for camera in cameras),
            live=sum(camera.pull.state.state == "live" for camera in cameras),
            ring_bytes=worker.budget.held,
            transcodes=worker.slots.taken,
            **dataclasses.asdict(worker.counters),
        )

    async def close(self) -> None:
        """End every session; a clip that is being written stays as it is, unfinished."""
        for task in tuple(self._clips):
            task.cancel()
        for camera in (*self._cameras.values(), *self._recordings.values()):
            self._let_go(camera)
        if self._closing:
            await asyncio.wait(self._closing, timeout=_CLOSE_S)

    async def _write(self, recording: Recording) -> None:
        try:
            done = await recording.run()
        except Exception as error:
            log.exception("clip failed")
            done = recording.failed("failed", type(error).__name__)
        self._link.note("clip", done)

    def _camera(self, spec: CameraSpec, worker: Worker) -> Watched:
        camera = self._cameras.get(spec.id)
        if camera is None:
            camera = self._cameras[spec.id] = Watched(spec, worker)
        return camera

    def _let_go(self, camera: Watched) -> None:
        task = asyncio.get_running_loop().create_task(camera.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _permit(self, host: str) -> None:
        wait_s = await self._link.call("open_turn", host, float)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
