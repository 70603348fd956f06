"""Who watched which camera, when and why. Reading this record is recorded too."""

import base64
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.errors import Malformed
from command.policy import check_moment

router = APIRouter(tags=["viewings"])
Auditor = Annotated[Principal, Depends(require("audit.view"))]


@router.get("/viewings")
async def list_viewings(
    me: Auditor,
    s: ServicesOf,
    camera_id: Annotated[str | None, Query(max_length=64)] = None,
    user_id: Annotated[str | None, Query(max_length=64)] = None,
    incident_id: Annotated[str | None, Query(max_length=64)] = None,
    since: str | None = None,
    until: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Json:
    """List viewings, the newest first. Reading them is recorded."""
    asked = {
        "camera_id": camera_id,
        "user_id": user_id,
        "incident_id": incident_id,
        "since": None if since is None else check_moment(since, "since"),
        "until": None if until is None else check_moment(until, "until"),
    }
    before = None if cursor is None else _cursor(cursor)
    said = {name: value for name, value in asked.items() if value is not None}
    await s.audit.record(me.user_id, "viewings.read", data={**said, "limit": limit})
    found = await s.viewings.list(**asked, before=before, limit=limit + 1)
    items = []
    for viewing in found[:limit]:
        camera = s.board.cameras.get(viewing.camera_id)
        items.append({**asdict(viewing), "camera_name": None if camera is None else camera.name})
    more = len(found) > limit
    last = found[limit - 1] if more else None
    token = (
        None if last is None else base64.urlsafe_b64encode(f"{last.started_at}|{last.id}".encode()).decode()
    )
    return {"items": items, "next": token}


def _cursor(text: str) -> tuple[str, str]:
    try:
        at, key = base64.urlsafe_b64decode(text.encode()).decode().split("|")
    except ValueError:
        raise Malformed("cursor", "not a cursor of this list") from None
    return at, key
