"""Where more responders or cameras would help most: the quick answer at once, the best one when it is found.

The search for the best runs in a process of its own, for a moment in a village and up to a time limit in a city.
Each account has one at a time, the service a few; a new question ends the account's old one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import structlog

from command.clock import Clock
from command.coverage import Moment
from command.errors import NotFound, Unavailable
from command.ids import new_id
from gis.coverage.exact import solve_apart
from gis.coverage.siting import Choices, Post
from gis.errors import ToolFailed

log = structlog.get_logger("siting")

What = Literal["responder", "camera"]
State = Literal["running", "done", "cancelled", "failed"]
TIME_LIMIT_S: Final = 30.0
AT_ONCE: Final = 2
KEPT: Final = 32
RANGE_M: Final = 80.0
"""How far a new camera is taken to see unless somebody says."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        what: Who or what is to be placed.
        posts: How many.
        minutes: Within how many minutes responders count.
        range_m: How far a camera sees.
        grids: Whose roads count.
    """

    what: What
    posts: int
    minutes: int
    range_m: float
    grids: frozenset[str]


@dataclass(slots=True, eq=False)
class Job:
    """One question and how far its answer is.

    Attributes:
        id: Its name.
        user_id: Whose it is.
        question: What was asked.
        moment: What it was asked of.
        posts: The best answer so far.
        greedy_m: What the quick answer brings, metres of road.
        gain_m: What `posts` bring.
        bound_m: No answer can bring more; None while nobody knows.
        proven: `posts` are the best there are.
        state: Running while something better may come.
        took_s: Seconds until the state became what it is.
        detail: Why it failed.
    """

    id: str
    user_id: str
    question: Question
    moment: Moment
    posts: Sequence[Post]
    greedy_m: float
    gain_m: float
    bound_m: float | None = None
    proven: bool = False
    state: State = "running"
    took_s: float | None = None
    detail: str | None = None
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def gap(self) -> float | None:
        """Share 0 to 1 of the bound that `posts` may fall short of; None while nobody knows."""
        if self.bound_m is None:
            return None
        return 0.0 if self.bound_m <= 0 else max(0.0, 1.0 - self.gain_m / self.bound_m)


class Siting:
    """Takes questions and keeps their answers.

    Args:
        clock: Time.
        time_limit_s: How long the best answer is looked for.
    """

    def __init__(self, clock: Clock, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._clock = clock
        self._time_limit_s = time_limit_s
        self._jobs: dict[str, Job] = {}

    async def start(self, user_id: str, moment: Moment, question: Question) -> Job:
        """Answer quickly, and begin to look for the best.

        Raises:
            Unavailable: As many others as may be at once are being answered.
        """
        for old in list(self._jobs.values()):
            if old.user_id == user_id and old.state == "running":
                await self._end(old)
        if sum(job.state == "running" for job in self._jobs.values()) >= AT_ONCE:
            raise Unavailable("Others are being answered; ask again in half a minute.")
        # Reserved before anything is awaited: two at the same moment do not both take the last place.
        job = Job(new_id("s"), user_id, question, moment, (), 0.0, 0.0)
        self._jobs[job.id] = job
        while len(self._jobs) > KEPT:
            self._jobs.pop(next(key for key, one in self._jobs.items() if one.state != "running"))
        started = self._clock.monotonic()
        try:
            found = await asyncio.to_thread(_choices, moment, question)
        except BaseException:
            self._jobs.pop(job.id, None)
            raise
        if found is None:
            job.state, job.bound_m, job.proven, job.took_s = "done", 0.0, True, 0.0
            return job
        greedy = found.greedy(question.posts)
        job.posts = found.posts(greedy)
        job.greedy_m = job.gain_m = found.gain_m(greedy)
        job.task = asyncio.create_task(self._improve(job, found, started))
        return job

    async def _improve(self, job: Job, found: Choices, started: float) -> None:
        try:
            best = await solve_apart(found, job.question.posts, self._time_limit_s)
            chosen = found.greedy(job.question.posts, np.array(best.chosen, dtype=np.intp))
            gain_m = found.gain_m(chosen)
            if gain_m >= job.gain_m:
                job.posts, job.gain_m = found.posts(chosen), gain_m
            job.bound_m = max(best.bound_m, job.gain_m)
            job.proven = best.proven
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "cancelled"
            raise
        except ToolFailed as error:
            log.warning("no best places", reason=str(error))
            job.state, job.detail = "failed", error.reason
        except Exception as error:
            log.exception("no best places")
            job.state, job.detail = "failed", type(error).__name__
        finally:
            job.took_s = round(self._clock.monotonic() - started, 2)

    def job(self, user_id: str, job_id: str) -> Job:
        """Return a question of this account.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        found = self._jobs.get(job_id)
        if found is None or found.user_id != user_id:
            raise NotFound("siting", job_id)
        return found

    async def cancel(self, user_id: str, job_id: str) -> None:
        """End a search; what was found stays. Raises NotFound."""
        await self._end(self.job(user_id, job_id))

    async def close(self) -> None:
        """End everything."""
        for job in self._jobs.values():
            await self._end(job)

    async def _end(self, job: Job) -> None:
        if job.task is not None and not job.task.done():
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)
        if job.state == "running":
            job.state = "cancelled"


def _choices(moment: Moment, question: Question) -> Choices | None:
    if question.what == "camera":
        return moment.camera_choices(question.range_m, question.grids)
    return moment.responder_choices(question.minutes, question.grids)
