"""The sweep: every camera's picture, one after the other, evenly, for ever.

`Schedule` says whose turn it is, a grab gets the key frame, `Examiner` looks at it in a thread, `Machine` decides
what it means. A check that hangs holds one place for as long as a grab may take, and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import structlog

from streams.errors import Busy, NoSuchCamera, NotAllowed, Stalled, StreamError, Unauthorized
from streams.health.clock import Clock, SystemClock
from streams.health.examine import Examined, Examiner, Seen
from streams.health.machine import Condition, Finding, Machine, Step
from streams.health.messages import HealthConfig, HealthReport, Still
from streams.health.references import Memory, recall, remember
from streams.health.schedule import Schedule
from streams.media import KeyFrame
from streams.source import CameraSpec

log = structlog.get_logger("streams.health")

T = TypeVar("T")
_OLDEST_S: Final = 60.0
_GOODBYE_S: Final = 2.0
_INVITED_S: Final = 25.0
_STALE_LOOKS: Final = 10.0

Grab = Callable[[CameraSpec, float], Awaitable[KeyFrame]]
"""Gets one key frame of a camera within so many seconds, or raises a `StreamError`."""


@dataclass(slots=True)
class _Camera:
    spec: CameraSpec
    condition: Condition
    since: datetime | None = None
    recalled: bool = False
    elsewhere: bool = False
    seen: Seen | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sweep:
    """Checks all cameras.

    Args:
        config: First configuration.
        grab: Gets a key frame.
        report: Hears of every check.
        pool: Where pictures are examined; one thread.
        clock: Time.
    """

    def __init__(
        self,
        config: HealthConfig,
        grab: Grab,
        report: Callable[[HealthReport], None],
        pool: Executor | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._config = config
        self._grab = grab
        self._report = report
        self._pool = pool
        self._clock = SystemClock() if clock is None else clock
        self._examiner = Examiner(Path(config.folder), config.interval_s)
        self._machine = Machine(config.confirm, config.interval_s)
        self._movable = frozenset(config.movable)
        self._cameras: dict[str, _Camera] = {}
        self._schedule = self._new_schedule()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._checks = 0
        self._failures = 0
        self._last_s = 0.0
        self.configure(config)

    def configure(self, config: HealthConfig) -> None:
        """Take a configuration; what is known of cameras that stay is kept."""
        before, now_s = self._config, self._clock.now_s()
        self._config = config
        self._movable = frozenset(config.movable)
        if config.folder != before.folder or config.interval_s != before.interval_s:
            self._examiner = Examiner(Path(config.folder), config.interval_s)
        self._machine = Machine(config.confirm, config.interval_s)
        if _pace(config) != _pace(before):
            self._retire()
        wanted = {spec.id: spec for spec in config.cameras if spec.enabled}
        registered = {spec.id for spec in config.cameras}
        for id in [id for id in self._cameras if id not in wanted]:
            del self._cameras[id]
            if id not in registered:
                self._forget_later(id)
        admission = (config.networks, config.protocols, config.files)
        all_anew = admission != (before.networks, before.protocols, before.files)
        changed = []
        for id, spec in wanted.items():
            known = self._cameras.get(id)
            if known is None:
                self._cameras[id] = _Camera(spec, Condition(checked_s=now_s))
            elif known.spec.source != spec.source or all_anew:
                known.elsewhere = known.elsewhere or _view(known.spec) != _view(spec)
                known.spec = spec
                changed.append(id)
        hosts = {id: _host(spec) for id, spec in wanted.items()}
        self._schedule.configure(hosts, now_s, changed)
        self._wake.set()

    async def run(self) -> None:
        """Check until cancelled."""
        looked_s = self._clock.now_s()
        try:
            while True:
                self._wake.clear()
                schedule = self._schedule
                now_s = self._clock.now_s()
                if now_s - looked_s >= self._config.interval_s / _STALE_LOOKS:
                    looked_s = now_s
                    self._look_for_stale()
                for id in schedule.begin(now_s):
                    task = asyncio.ensure_future(self._turn(schedule, id))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                next_s = looked_s + self._config.interval_s / _STALE_LOOKS
                turn_s = schedule.next_s()
                if turn_s is not None:
                    next_s = min(next_s, turn_s)
                timer = self._clock.after(max(0.0, next_s - now_s), self._wake.set)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def check(self, camera_id: str) -> HealthReport:
        """Check a camera now.

        Raises:
            NoSuchCamera: There is none.
        """
        camera = self._camera(camera_id)
        async with camera.lock:
            step, report = await self._check(camera)
        if not step.held:
            self._schedule.release(camera_id, self._clock.now_s())
            self._wake.set()
        self._report(report)
        return report

    async def accept_reference(self, camera_id: str) -> HealthReport:
        """Take what a camera shows now as its reference, and its last fault as a false alarm.

        Raises:
            StreamError: It shows nothing now.
        """
        camera = self._camera(camera_id)
        async with camera.lock:
            frame = await self._get(camera.spec)
            memory = await self._in_pool(lambda: recall(self._examiner.files, camera_id))
            self._recalled(camera, memory)
            wrong = camera.condition.fault or (camera.condition.doubt or ("live", None))[1]
            if wrong is not None and wrong not in ("signal_lost", "unauthorized"):
                memory.tolerate(wrong)
            step = self._machine.accept(camera.condition, self._clock.now_s())
            at = self._clock.utc()
            self._stepped(camera, step, at)
            memory.status, memory.fault = camera.condition.status, camera.condition.fault
            memory.since = None if camera.since is None else camera.since.timestamp()
            try:
                examined = await self._in_pool(lambda: self._examiner.accept(camera_id, frame, memory))
            except OSError as error:
                raise StreamError(f"the reference cannot be kept: {error.strerror or error}") from None
            camera.seen = examined.seen
            report = self._said(camera, step, at, examined, None)
        self._report(report)
        return report

    async def still(self, camera_id: str, frame: KeyFrame | None, width: int) -> Still:
        """Return a camera's picture as JPEG.

        Raises:
            StreamError: There is none.
        """
        if frame is None:
            frame = await self._get(self._camera(camera_id).spec)
        found = frame
        return await self._in_pool(lambda: self._examiner.still(camera_id, found, width))

    def figures(self) -> dict[str, float]:
        """Return figures for monitoring."""
        by_status: dict[str, float] = {}
        for camera in self._cameras.values():
            name = f"cameras_{camera.condition.status}"
            by_status[name] = by_status.get(name, 0.0) + 1.0
        return {
            "cameras": float(len(self._cameras)),
            "checks": float(self._checks),
            "failures": float(self._failures),
            "running": float(self._schedule.running),
            "late_s": self._schedule.late_s(self._clock.now_s()),
            **by_status,
        }

    def _camera(self, camera_id: str) -> _Camera:
        camera = self._cameras.get(camera_id)
        if camera is None:
            raise NoSuchCamera("there is no such camera, or it is switched off")
        return camera

    def _new_schedule(self) -> Schedule:
        config = self._config
        return Schedule(config.interval_s, config.parallel, config.per_host_per_s, self._clock.now_s())

    def _retire(self) -> None:
        """Begin another schedule; checks under way finish in the old one."""
        self._schedule = self._new_schedule()

    def _forget_later(self, id: str) -> None:
        work = asyncio.ensure_future(self._in_pool(lambda: self._examiner.forget(id)))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    async def _turn(self, schedule: Schedule, id: str) -> None:
        camera = self._cameras.get(id)
        again_s: float | None = None
        held = failed = False
        try:
            if camera is not None:
                async with camera.lock:
                    step, report = await self._check(camera)
                failed = report.reason not in (None, Busy.code)
                held = step.held
                if step.soon:
                    again_s = min(self._config.soon_s, self._config.interval_s)
                if self._cameras.get(id) is camera:
                    self._report(report)
        except Exception:  # one camera must not end the sweep of all the others
            log.exception("check failed", camera_id=id)
        finally:
            schedule.finish(id, self._clock.now_s(), again_s=again_s, held=held, failed=failed)
            self._wake.set()

    async def _check(self, camera: _Camera) -> tuple[Step, HealthReport]:
        id = camera.spec.id
        error: StreamError | None = None
        examined: Examined | None = None
        self._checks += 1
        try:
            if camera.elsewhere:
                await self._in_pool(lambda: self._examiner.forget(id))
                camera.elsewhere, camera.seen = False, None
            if not camera.recalled:
                self._recalled(camera, await self._in_pool(lambda: recall(self._examiner.files, id)))
            frame = await self._get(camera.spec)
            self._refuse_old(camera, frame)
            examined = await self._examine(camera, frame)
            camera.seen = examined.seen
            finding = Finding("picture", examined.verdict.fault, examined.verdict.slow)
        except Unauthorized as failure:
            error, finding = failure, Finding("refused")
        except NotAllowed as failure:
            error, finding = failure, Finding("barred")
        except Busy as failure:
            error, finding = failure, Finding("busy")
        except StreamError as failure:
            error, finding = failure, Finding("lost")
        self._failures += error is not None
        step = self._machine.check(camera.condition, finding, self._clock.now_s())
        at = self._clock.utc()
        self._stepped(camera, step, at)
        if step.transition:
            await self._in_pool(lambda: self._keep_status(camera))
        return step, self._said(camera, step, at, examined, error)

    async def _examine(self, camera: _Camera, frame: KeyFrame) -> Examined:
        return await self._in_pool(
            lambda: self._examiner.examine(
                camera.spec.id,
                frame,
                camera.seen,
                camera.condition.status,
                movable=camera.spec.id in self._movable,
            )
        )

    async def _get(self, spec: CameraSpec) -> KeyFrame:
        """Grab a key frame; a grab that neither ends nor can be cancelled is left behind."""
        within_s = self._config.grab_s
        if spec.source.protocol == "gb28181":
            within_s = max(within_s, _INVITED_S)
        task = asyncio.ensure_future(self._grab(spec, within_s))
        done = asyncio.Event()
        task.add_done_callback(lambda _: done.set())
        timer = self._clock.after(within_s + _GOODBYE_S, done.set)
        try:
            await done.wait()
            if task.done():
                return task.result()
            raise Stalled(f"no key frame within {within_s:g} s")
        finally:
            timer.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_GOODBYE_S)
                task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def _refuse_old(self, camera: _Camera, frame: KeyFrame) -> None:
        age_s = (self._clock.utc() - frame.taken_at).total_seconds()
        if age_s > _OLDEST_S:
            raise Stalled(f"the last key frame is {age_s:.0f} s old")

    def _recalled(self, camera: _Camera, memory: Memory) -> None:
        if camera.recalled:
            return
        camera.recalled = True
        if camera.condition.status == "unknown" and memory.status not in ("unknown", "stale"):
            camera.condition = Condition(
                status=memory.status, fault=memory.fault, checked_s=self._clock.now_s()
            )
            camera.since = None if memory.since is None else datetime.fromtimestamp(memory.since, UTC)

    def _stepped(self, camera: _Camera, step: Step, at: datetime) -> None:
        camera.condition = step.condition
        if step.transition:
            camera.since = at

    def _keep_status(self, camera: _Camera) -> None:
        files, id = self._examiner.files, camera.spec.id
        memory = recall(files, id)
        memory.status, memory.fault = camera.condition.status, camera.condition.fault
        memory.since = None if camera.since is None else camera.since.timestamp()
        try:
            remember(files, id, memory)
        except OSError as error:
            log.error("a camera's status cannot be kept", camera_id=id, reason=str(error))

    def _said(
        self,
        camera: _Camera,
        step: Step,
        at: datetime,
        examined: Examined | None,
        error: StreamError | None,
    ) -> HealthReport:
        condition = step.condition
        doubt = condition.doubt
        return HealthReport(
            camera_id=camera.spec.id,
            at=at,
            status=condition.status,
            fault=condition.fault,
            since=camera.since,
            transition=step.transition,
            light=None if examined is None else examined.light,
            measures={} if examined is None else {k: round(v, 4) for k, v in examined.numbers.items()},
            suspected=condition.fault if doubt is None else doubt[1],
            reason=None if error is None else error.code,
            detail=None if error is None else str(error)[:500],
            pictured=examined is not None and examined.pictured,
            has_reference=examined is not None and examined.has_reference,
        )

    def _look_for_stale(self) -> None:
        now_s, at = self._clock.now_s(), self._clock.utc()
        for camera in list(self._cameras.values()):
            step = self._machine.wait(camera.condition, now_s)
            if step.transition:
                self._stepped(camera, step, at)
                self._report(self._said(camera, step, at, None, None))

    async def _in_pool(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _pace(config: HealthConfig) -> tuple[float, int, float]:
    return config.interval_s, config.parallel, config.per_host_per_s


def _host(spec: CameraSpec) -> str:
    return spec.source.device_id or spec.source.host


def _view(spec: CameraSpec) -> tuple[str | None, ...]:
    """What makes it another camera, whose references are worth nothing here."""
    source = spec.source
    return source.protocol, source.host, source.path, source.device_id, source.channel_id
