"""Where files are brought in: holds the jobs, has one drafted at a time, applies and takes back."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from command.clock import Clock, rfc3339
from command.errors import Conflict, NotFound, YipingError
from command.events import Actor
from command.geography.imports.appliers import Applier
from command.geography.imports.jobs import UPLOAD, WORK, Job, State, Told, load_job
from command.geography.revisions import Revision
from command.ids import new_id
from gis.errors import GisError
from gis.intake import Choices, Progress
from gis.intake.model import Rows

log = structlog.get_logger("imports")

Before = tuple[Choices, State, Told | None]
"""Choices, state and error of a job before it was read again."""

KEPT: Final = 40
"""Finished jobs that are remembered, with the file they came from."""


class WrongState(Conflict):
    """The job is not where this could be done."""

    code = "wrong_state"


class Undecided(Conflict):
    """Something about the file has to be decided by a person first.

    Attributes:
        needs: What: "crs", "encoding", "columns", "tiers".
    """

    code = "undecided"

    def __init__(self, needs: tuple[str, ...]) -> None:
        super().__init__(f"Decide first: {', '.join(needs)}.")
        self.needs = needs


class RowsLeft(Conflict):
    """All rows or nothing was asked for, and some cannot be taken."""

    code = "rows_left"

    def __init__(self, rows: int) -> None:
        super().__init__(f"{rows} row(s) have errors, so not all can be taken; say which, or mend the file.")
        self.detail_zh = f"有 {rows} 行存在错误，无法全部导入；请指明导入哪些行，或修改文件。"


class Imports:
    """The files on their way in.

    Args:
        folder: Where uploads and drafts are kept; made when first needed.
        appliers: How each kind is read and put in force.
        clock: Time of the records.
    """

    def __init__(self, folder: Path, appliers: Mapping[str, Applier], clock: Clock) -> None:
        self._folder = folder
        self._appliers = appliers
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        # A draft may take a gigabyte: one at a time.
        self._turn = asyncio.Semaphore(1)
        self._recall()

    # -- looking ------------------------------------------------------------------------------------------

    def list(self) -> list[Job]:
        """All jobs, newest first."""
        return sorted(self._jobs.values(), key=lambda job: (job.started_at, job.id), reverse=True)

    def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            NotFound: There is none with this id.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFound("import", job_id) from None

    def file(self, job_id: str, name: str) -> Path:
        """Return a file that the draft wrote.

        Raises:
            NotFound: There is no such job, or it has no such file (yet).
        """
        path = self._home(self.get(job_id)) / WORK / name
        if not path.is_file():
            raise NotFound("file", name)
        return path

    # -- doing --------------------------------------------------------------------------------------------

    def place_for_upload(self) -> Path:
        """Return a new file to write an upload to; `begin` takes it over."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f".upload-{new_id('u')}"

    def begin(self, kind: str, filename: str, upload: Path, actor: Actor, choices: Choices) -> Job:
        """Take a file over and begin to read it.

        Args:
            kind: A key of the appliers.
            filename: What the sender calls it.
            upload: The file; moved away from where it is.
            actor: Who brings it.
            choices: How to read it.
        """
        job = Job(
            id=new_id("i"),
            kind=kind,
            filename=filename[:200],
            size=upload.stat().st_size,
            state="reading",
            by=actor.id,
            by_name=actor.name,
            started_at=rfc3339(self._clock.now()),
            choices=choices,
        )
        home = self._home(job)
        home.mkdir(parents=True)
        shutil.move(upload, home / UPLOAD)
        self._jobs[job.id] = job
        self._start(job, self._draft(job))
        self._forget()
        return job

    def redraft(self, job_id: str, choices: Choices) -> Job:
        """Read a file again, otherwise.

        Raises:
            NotFound: There is no such job.
            WrongState: It is at work, or done with.
        """
        job = self._expect(job_id, "ready", "failed")
        before = (job.choices, job.state, job.error)
        job.choices, job.state, job.error = choices, "reading", None
        self._start(job, self._draft(job), before)
        return job

    def apply(self, job_id: str, actor: Actor, rows: Rows | None = None) -> Job:
        """Put what was found in force, or an explicit part of it.

        Raises:
            NotFound: There is no such job.
            WrongState: It was not read, is at work, or done with.
        """
        job = self._expect(job_id, "ready")
        job.state, job.error = "applying", None
        self._start(job, self._apply(job, actor, rows))
        return job

    def cancel(self, job_id: str) -> Job:
        """Stop what is being done with a job; nothing of it stays. Without work at hand nothing changes.

        A file that was only being read again is as it was before that.
        """
        job = self.get(job_id)
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()
        return job

    async def undo(self, job_id: str, actor: Actor) -> Job:
        """Take back what a job did.

        Raises:
            WrongState: It was not applied.
            NotUndoable: Others have changed the same since.
        """
        job = self._expect(job_id, "applied")
        await self._appliers[job.kind].undo(job, self._home(job) / WORK, actor)
        self._finish(job, "undone")
        return job

    def follow_undo(self, undone: Revision, by: Revision) -> None:
        """Keep the jobs in step with a revision that was taken back, or taken back and then restored.

        Args:
            undone: What was taken back.
            by: The revision that did it.
        """
        for job in self._jobs.values():
            if job.revision == undone.number and job.state == "applied":
                self._finish(job, "undone")
            elif job.revision == undone.undoes and job.revision is not None and job.state == "undone":
                job.revision = by.number
                self._finish(job, "applied")

    async def remove(self, job_id: str) -> None:
        """Forget a job and its files; what it put in force stays."""
        job = self.get(job_id)
        if (task := self._tasks.get(job_id)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        del self._jobs[job.id]
        await asyncio.to_thread(shutil.rmtree, self._home(job), True)

    async def wait(self, job_id: str) -> Job:
        """Wait until nothing is being done with a job."""
        while (task := self._tasks.get(job_id)) is not None:
            await asyncio.gather(task, return_exceptions=True)
        return self.get(job_id)

    async def close(self) -> None:
        """Stop everything at work, at shutdown."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the work -----------------------------------------------------------------------------------------

    def _start(self, job: Job, work: Coroutine[object, object, None], before: Before | None = None) -> None:
        job.save(self._home(job))
        task = asyncio.create_task(self._guard(job, work, before))
        self._tasks[job.id] = task

        def ended(_task: asyncio.Task[None]) -> None:
            if self._tasks.get(job.id) is not task:
                return  # another one has begun with the same job
            del self._tasks[job.id]
            if job.at_work:  # cancelled before it had begun
                work.close()
                self._finish(job, "cancelled" if job.state == "reading" else "ready")

        task.add_done_callback(ended)

    async def _guard(self, job: Job, work: Coroutine[object, object, None], before: Before | None) -> None:
        """Whatever becomes of the work, the job says so."""
        was = job.state
        try:
            await work
        except asyncio.CancelledError:
            if before is not None and job.draft is not None:
                job.choices, state, job.error = before
                self._finish(job, state)
                return
            self._finish(job, "cancelled" if was == "reading" else "ready")
            if was == "reading":
                shutil.rmtree(self._home(job) / WORK, ignore_errors=True)
        except (YipingError, GisError, OSError) as error:
            detail = getattr(error, "detail", None) or str(error)
            job.error = Told(getattr(error, "code", "failed"), detail, getattr(error, "detail_zh", None))
            log.info("import failed", job=job.id, kind=job.kind, error=job.error.error, detail=detail)
            self._finish(job, "failed" if was == "reading" else "ready")
        except Exception as error:
            log.exception("import broke off", job=job.id, kind=job.kind)
            job.error = Told("internal", f"{type(error).__name__}")
            self._finish(job, "failed")

    async def _draft(self, job: Job) -> None:
        async with self._turn:
            home = self._home(job)
            job.draft = await self._appliers[job.kind].draft(
                home / UPLOAD, home / WORK, job, self._progress(job)
            )
        job.state = "ready"
        job.progress = None
        job.save(home)

    async def _apply(self, job: Job, actor: Actor, rows: Rows | None) -> None:
        applier, home = self._appliers[job.kind], self._home(job)
        async with self._turn:
            if rows is not None and rows != job.choices.rows:
                job.choices = msgspec.structs.replace(job.choices, rows=rows)
                job.draft = await applier.draft(home / UPLOAD, home / WORK, job, self._progress(job))
            if job.draft is not None and job.draft.needs:
                raise Undecided(job.draft.needs)
            if job.draft is not None and job.choices.rows == "all" and job.draft.rows_by_worst["error"]:
                raise RowsLeft(job.draft.rows_by_worst["error"])
            done = await applier.apply(job, home / WORK, actor, self._progress(job))
        job.revision, job.counts = done.revision, dict(done.counts)
        self._finish(job, "applied")

    def _progress(self, job: Job) -> Callable[[Progress], None]:
        def tell(progress: Progress) -> None:
            job.progress = progress

        return tell

    def _finish(self, job: Job, state: State) -> None:
        job.state = state
        job.progress = None
        job.finished_at = None if state == "ready" else rfc3339(self._clock.now())
        if self._home(job).exists():
            with contextlib.suppress(OSError):  # a full disk: the job is right in memory
                job.save(self._home(job))

    def _expect(self, job_id: str, *states: str) -> Job:
        job = self.get(job_id)
        if job.state not in states:
            raise WrongState(f"The import is {job.state}; this needs one that is {' or '.join(states)}.")
        return job

    def _home(self, job: Job) -> Path:
        return self._folder / job.id

    def _recall(self) -> None:
        """Read the jobs of earlier runs; what was at work then was interrupted."""
        if not self._folder.exists():
            return
        for path in self._folder.iterdir():
            job = load_job(path) if path.is_dir() else None
            if job is None or job.kind not in self._appliers:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
                continue
            self._jobs[job.id] = job
            for leftover in (path / WORK).glob(".*"):  # of a draft that was never done
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            if job.at_work:
                job.error = Told("interrupted", "The service was stopped while this was at work.")
                self._finish(job, "failed")

    def _forget(self) -> None:
        for job in [job for job in self.list() if not job.at_work][KEPT:]:
            del self._jobs[job.id]
            shutil.rmtree(self._home(job), ignore_errors=True)
