"""Where more responders or cameras would help most, with the best answer looked for in the background."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from command.api.coverage import Viewer, grids_of, moment_for, post_row, visible
from command.api.services import Json, ServicesOf
from command.clock import rfc3339
from command.siting import RANGE_M, Job, Question, What

router = APIRouter(tags=["coverage"])


class SitingBody(BaseModel):
    """What is to be placed."""

    model_config = ConfigDict(extra="forbid")

    what: What = "responder"
    posts: int = Field(default=3, ge=1, le=30)
    minutes: int = Field(default=5, ge=1, le=30)
    range_m: float = Field(default=RANGE_M, ge=10, le=2000, allow_inf_nan=False)
    kinds: str | None = Field(default=None, max_length=200)
    area: str | None = Field(default=None, max_length=40)
    free: bool = False


@router.post("/coverage/siting", status_code=201)
async def start(me: Viewer, s: ServicesOf, body: SitingBody) -> Json:
    """Answer quickly and look for the best in the background; ends the asker's earlier search."""
    moment = await moment_for(s, body.kinds, free=body.free)
    areas = visible(s, me, moment.areas, body.area)
    question = Question(body.what, body.posts, body.minutes, body.range_m, grids_of(areas))
    return _wire(await s.siting.start(me.user_id, moment, question))


@router.get("/coverage/siting/{siting_id}")
async def read(siting_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Return the best answer so far, and how far it may be from the best there is."""
    return _wire(s.siting.job(me.user_id, siting_id))


@router.delete("/coverage/siting/{siting_id}", status_code=204)
async def cancel(siting_id: str, me: Viewer, s: ServicesOf) -> Response:
    """End a search; the best answer so far stays."""
    await s.siting.cancel(me.user_id, siting_id)
    return Response(status_code=204)


def _wire(job: Job) -> Json:
    return {
        "id": job.id,
        "what": job.question.what,
        "minutes": job.question.minutes,
        "posts": job.question.posts,
        "range_m": job.question.range_m,
        "as_of": rfc3339(job.moment.at),
        "method": job.moment.method,
        "state": job.state,
        "proven": job.proven,
        "items": [post_row(job.moment, post) for post in job.posts],
        "gain_m": round(job.gain_m),
        "greedy_m": round(job.greedy_m),
        "bound_m": None if job.bound_m is None else round(job.bound_m),
        "gap": None if job.gap is None else round(job.gap, 4),
        "took_s": job.took_s,
        "detail": job.detail,
    }
