"""The cameras' side door: what the video processes report becomes facts, and wishes become orders to them.

`streams` knows cameras by id and source. Here its reports meet the registry: a confirmed fault becomes an event, a
device's channel a camera, an alarm a suggestion, a finished file a clip on the incident's timeline. Reports are
taken in at once and worked off in order, so nothing a camera does can hold up the loop.
"""

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from command.accounts.access import Principal
from command.camera_operations import CameraOperations
from command.cameras import Camera, Seen
from command.clock import Clock, rfc3339
from command.desk import NO_KEY, Key, Outcome
from command.district import District
from command.errors import Malformed, StorageFull, YipingError
from command.events import SYSTEM, Actor
from command.framing import binary_frame
from command.ids import new_id
from command.operations import Operations
from command.settings import Settings
from command.store.clips import Clip, Clips
from command.store.sources import Sources
from command.video.answers import Answers
from command.video.channels import camera_of
from command.video.wiring import FOLDER, video_settings
from streams.clips import ClipDone, ClipOrder
from streams.errors import StreamError
from streams.gb28181.messages import DeviceState, GbAlarm, GbCatalog, GbChannel
from streams.health.messages import HealthReport
from streams.service import Video
from streams.source import CameraSpec, Source
from streams.wire import StreamState

log = structlog.get_logger("video")

WAITING: Final = 20_000
"""Most reports waiting to become facts; past it the newest are dropped, and the next sweep brings them again."""
PLAYED: Final = 10_000
PLAYED_S: Final = 600.0
"""Pieces of a clip asked for within this time of the last one belong to the same viewing."""
_GB_BYTES: Final = 1 << 30
_ALARM_METHODS: Final = {
    1: "phone",
    2: "device",
    3: "message",
    4: "position",
    5: "video",
    6: "device_fault",
    7: "other",
}
_BYTES_PER_S: Final = 512 << 10
"""What a clip is assumed to need until it is there: four megabits a second."""


class VideoDesk:
    """Joins `streams` to the board.

    Args:
        settings: All settings.
        operations: What can be done.
        sources: Where cameras are, with passwords.
        clips: The list of clips.
        clock: Time.
        district: Returns the district as it is now.

    Attributes:
        video: The video processes.
        devices: GB/T 28181 devices as they last were, by id.
        answers: What was answered to idempotency keys.
        tiles: Open tiles of each session.
    """

    def __init__(
        self,
        settings: Settings,
        operations: Operations,
        sources: Sources,
        clips: Clips,
        clock: Clock,
        district: Callable[[], District],
    ) -> None:
        self.clips = clips
        self.devices: dict[str, DeviceState] = {}
        self._settings = settings
        self._operations = operations
        self._sources = sources
        self._clock = clock
        self._district = district
        self.answers = Answers()
        self.tiles: Counter[str] = Counter()
        self._started = False
        self._promised: dict[str, float] = {}
        self._judging: Counter[str] = Counter()
        self._played: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._waiting: asyncio.Queue[Callable[[], Awaitable[object]]] = asyncio.Queue(WAITING)
        self.video = Video(
            video_settings(settings), self, (settings.data_dir / FOLDER).resolve(), encode=binary_frame
        )

    @property
    def _cameras(self) -> CameraOperations:
        return self._operations.cameras

    async def run(self) -> None:
        """Run until cancelled; a centre without cameras to open runs no processes for them."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._give_up_clips())
                group.create_task(self._sources.follow(self._configure))
                group.create_task(self._sources.follow_devices(self.video.configure_devices))
                group.create_task(self._work())
        finally:
            if self._started:
                await self.video.stop()

    async def _configure(self, cameras: list[CameraSpec]) -> None:
        board = self._operations.board.cameras
        self.video.configure(cameras, (key for key, camera in board.items() if camera.ptz))
        if cameras or self._settings.video.gb.enabled:
            await self.ensure_started()

    async def ensure_started(self) -> None:
        """Start the processes unless they have been."""
        if not self._started:
            self._started = True
            await self.video.start()

    async def _give_up_clips(self) -> None:
        try:
            if settled := await self.clips.interrupt_all():
                log.warning("clips interrupted by the last stop", clips=len(settled))
            for clip in settled:
                await self._note_kept(clip)
        except YipingError as error:  # a full disk: they stay "recording" until the next start
            log.warning("interrupted clips could not be marked", reason=error.detail)

    # What the processes report (`streams.service.VideoEvents`)

    def state(self, camera_id: str, state: StreamState) -> None:
        """A watched camera's stream changed; whoever watches has been told already."""

    def health(self, report: HealthReport) -> None:
        """A camera's picture was looked at."""
        camera = self._operations.board.cameras.get(report.camera_id)
        if camera is None:
            return
        self._cameras.looked[report.camera_id] = report
        if report.camera_id in self._judging:
            return  # what it says now is what a person said, in whose name it will be written down
        if report.status == "unknown" or (camera.status, camera.fault) == (report.status, report.fault):
            return
        self._later(lambda: self._cameras.health_changed(report.camera_id, report.status, report.fault))

    def alarm(self, alarm: GbAlarm) -> None:
        """A device reports an alarm."""
        camera = self._by_number(alarm.channel_id)
        seen = Seen(
            kind=_ALARM_METHODS.get(alarm.method, "other"),
            camera_id=None if camera is None else camera.id,
            device_id=alarm.device_id,
            at=rfc3339(alarm.at),
            lon=alarm.lon,
            lat=alarm.lat,
            text=alarm.description[:200],
        )
        self._later(lambda: self._cameras.raise_alarm(seen))

    def catalog(self, catalog: GbCatalog) -> None:
        """A device's catalogue was read or changed: its channels become cameras, none is taken away by itself."""
        if catalog.removed:
            log.info("channels left a catalogue", device=catalog.device_id, channels=catalog.removed[:20])
        found = [channel for channel in catalog.channels if channel.camera and len(channel.channel_id) == 20]
        if found:
            self._later(lambda: self._take_channels(catalog.device_id, found))

    def device(self, device: DeviceState) -> None:
        """A device came, went, or could not register."""
        if device.reason not in ("unknown_device", "bad_password"):
            self.devices[device.device_id] = device

    def clip(self, done: ClipDone) -> None:
        """A clip is finished, or failed."""
        self._promised.pop(done.clip_id, None)
        self._later(lambda: self._finish_clip(done))

    # Wishes

    async def keep(
        self,
        me: Principal,
        camera: Camera,
        *,
        before_s: float,
        after_s: float,
        incident_id: str | None,
        note: str,
    ) -> Clip:
        """Begin a clip: what is still held of the past, and what comes.

        Returns:
            The clip; one that the camera's process cannot begin has failed already.

        Raises:
            StorageFull: The disk, or the part of it that clips may take, is full.
        """
        room = await self.room_for(1, before_s=before_s, after_s=after_s)
        clip = Clip(
            id=new_id("k"),
            camera_id=camera.id,
            incident_id=incident_id,
            state="recording",
            reason=None,
            note=note,
            created_by=me.user_id,
            created_by_name=me.name,
            created_at=rfc3339(self._clock.now()),
            started_at=None,
            ended_at=None,
            size=0,
            manifests=(),
        )
        self._promised[clip.id] = (before_s + after_s) * _BYTES_PER_S
        try:
            path = await self.clips.begin(clip)
        except BaseException:
            del self._promised[clip.id]
            raise
        order = ClipOrder(
            clip_id=clip.id,
            camera_id=camera.id,
            path=str(path.resolve()),
            before_s=before_s,
            after_s=after_s,
            most_bytes=math.floor(min(room, 4 * _GB_BYTES)),
        )
        try:
            await self.video.record(order)
        except StreamError as error:
            self._promised.pop(clip.id, None)
            failed = ClipDone(clip_id=clip.id, camera_id=camera.id, reason=error.code, detail=str(error))
            return await self.clips.finish(failed) or clip
        return clip

    async def room_for(self, clips: int, *, before_s: float, after_s: float) -> float:
        """Return the bytes that clips may still take, if some more of this length find room.

        Raises:
            Malformed: They would be too long.
            StorageFull: They would not find room. What is being written counts as long as it may become.
        """
        limits = self._settings.video.clips
        if before_s + after_s > limits.longest_s:
            raise Malformed("after_s", f"a clip is at most {limits.longest_s:g} seconds long")
        room = limits.most_gb * _GB_BYTES - await self.clips.taken_bytes() - sum(self._promised.values())
        if room < clips * (before_s + after_s) * _BYTES_PER_S:
            raise StorageFull("Clips take all the room they may; older ones must go first.")
        return room

    async def false_alarm(self, actor: Actor, camera_id: str, key: Key = NO_KEY) -> Outcome:
        """Take a person's word that nothing is wrong: the present picture is what the camera is compared with.

        Raises:
            StreamError: It shows nothing at present.
            IllegalTransition: It has no fault that a picture shows.
        """
        self._judging[camera_id] += 1
        try:
            await self.video.accept_reference(camera_id)
            return await self._cameras.false_alarm(actor, camera_id, key=key)
        finally:
            self._judging[camera_id] -= 1
            self._judging += Counter()  # forgets the noughts

    def played_anew(self, user_id: str, clip_id: str) -> bool:
        """Say whether playing a clip is a viewing of its own: a player asks for one file in many pieces."""
        now_s = self._clock.monotonic()
        last_s = self._played.pop((user_id, clip_id), -math.inf)
        self._played[user_id, clip_id] = now_s
        while len(self._played) > PLAYED:
            self._played.popitem(last=False)
        return now_s - last_s > PLAYED_S

    async def purge(self, now: str) -> int:
        """Delete the clips that are due; returns how many."""
        del now
        oldest = self._clock.now() - timedelta(days=self._settings.video.clips.days)
        return await self.clips.purge(rfc3339(oldest))

    # Working off

    def _later(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            self._waiting.put_nowait(work)
        except asyncio.QueueFull:
            log.error("a report was dropped: too many are waiting")

    async def _work(self) -> None:
        while True:
            work = await self._waiting.get()
            try:
                await work()
            except YipingError as error:  # a full disk, a camera that was just removed
                log.warning("a report could not be written down", reason=error.detail)
            except Exception:  # one bad report must not end the taking in of all others
                log.exception("a report could not be written down")

    async def _finish_clip(self, done: ClipDone) -> None:
        if done.reason is not None:  # said first: writing it down may fail for the same reason
            log.warning("clip failed", clip=done.clip_id, reason=done.reason, detail=done.detail)
        clip = await self.clips.finish(done)
        if clip is not None:
            await self._note_kept(clip)

    async def _note_kept(self, clip: Clip) -> None:
        if clip.incident_id is None or clip.started_at is None or clip.ended_at is None:
            return
        await self._cameras.keep_clip(
            SYSTEM,
            clip.incident_id,
            clip_id=clip.id,
            camera_id=clip.camera_id,
            start=clip.started_at,
            end=clip.ended_at,
        )

    async def _take_channels(self, device_id: str, channels: Sequence[GbChannel]) -> None:
        """Enter channels nobody has registered; those that are known keep what people said of them.

        A camera that came from a list without a source is what its number says: it gets the channel as its source.
        """
        board = self._operations.board.cameras
        known = {camera.gb_id: camera for camera in board.values() if camera.gb_id}
        entered: list[Camera] = []
        given: dict[str, Source] = {}
        for channel in channels:
            camera = known.get(channel.channel_id) or camera_of(channel, self._district())
            if camera is None or camera.id in given:
                continue
            if (on_board := board.get(camera.id)) is not None and (on_board is not camera or camera.source):
                continue
            entered.append(camera)
            given[camera.id] = Source(protocol="gb28181", device_id=device_id, channel_id=channel.channel_id)
        if entered:
            await self._cameras.register(SYSTEM, entered, sources=given)
            log.info("channels became cameras", device=device_id, cameras=len(entered))

    def _by_number(self, gb_id: str) -> Camera | None:
        return next((c for c in self._operations.board.cameras.values() if c.gb_id == gb_id), None)
