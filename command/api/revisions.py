"""The history of the district's files: who changed what when, and taking it back."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.geography.revisions import Revision, Revisions

router = APIRouter(tags=["geography"])
Geographer = Annotated[Principal, Depends(require("areas.manage"))]


@router.get("/geography/revisions")
async def list_revisions(me: Geographer, s: ServicesOf) -> Json:
    """List the changes of the district's files, newest first."""
    del me
    # Each is a file, and what may be undone is asked of all that came later.
    rows = await asyncio.to_thread(
        lambda: [_row(s.keeper.revisions, one) for one in s.keeper.revisions.history()]
    )
    return {"items": rows, "next": None}


@router.post("/geography/revisions/{number}/undo")
async def undo_revision(number: int, me: Geographer, s: ServicesOf) -> Json:
    """Bring back the files that a revision replaced, as a revision of its own."""
    done = await s.keeper.undo(number, me.actor)
    s.imports.follow_undo(await asyncio.to_thread(s.keeper.revisions.get, number), done)
    await s.audit.record(me.user_id, "geography.undone", str(number))
    return await asyncio.to_thread(_row, s.keeper.revisions, done)


def told(revision: Revision) -> Json:
    """Return which revision it is, and who did what when."""
    return {
        "revision": revision.number,
        "at": revision.at,
        "by_name": revision.change.by_name,
        "what": revision.change.what,
        "note": revision.change.note,
    }


def _row(revisions: Revisions, revision: Revision) -> Json:
    reason = revisions.why_not_undo(revision.number)
    return {
        **told(revision),
        "counts": dict(revision.change.counts),
        "files": list(revision.files),
        "undoes": revision.undoes,
        "undoable": reason is None,
        "why_not": reason,
    }
