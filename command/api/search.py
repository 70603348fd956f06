"""One search box over everything the asker may see."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, ServicesOf

router = APIRouter(tags=["search"])
Viewer = Annotated[Principal, Depends(require("view.map"))]
KIND_OF = {"responder": "responders", "camera": "cameras", "incident": "incidents"}


@router.get("/search")
async def search(
    me: Viewer,
    s: ServicesOf,
    q: Annotated[str, Query(max_length=80)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Json:
    """Find areas, places, people, cameras and incidents by characters, pinyin, initials or number."""

    def allowed(kind: str, key: str) -> bool:
        if kind == "area":
            return s.access.covers(me, key)
        if kind == "place":
            return True
        entity = s.board.kind(KIND_OF[kind]).get(key)
        return entity is not None and s.sees(me, KIND_OF[kind], entity)

    return {"items": [asdict(hit) for hit in s.search.find(q, allowed, limit)], "next": None}
