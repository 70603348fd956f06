"""Tours (轮巡) and layouts of cameras: kept for all, shown to each without the cameras they may not see."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf, wire
from command.cameras import Layout, Tour
from command.errors import Forbidden, Malformed, NotFound

router = APIRouter(tags=["tours"])
Viewer = Annotated[Principal, Depends(require("camera.view"))]
Keeper = Annotated[Principal, Depends(require("video.manage"))]
Id = Annotated[str, InPath(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Split = Literal[1, 4, 9, 16]


class TourBody(BaseModel):
    """A tour: cameras shown in turn."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    group: str | None = Field(default=None, max_length=40)
    camera_ids: list[str] = Field(default_factory=list, max_length=500)
    dwell_s: float = Field(default=15, ge=3, le=3600)
    split: Split = 4
    from_: str | None = Field(default=None, alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    to: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    enabled: bool = True
    expected_version: int | None = Field(default=None, ge=1)


class LayoutBody(BaseModel):
    """A wall of tiles; null: an empty one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    split: Split = 4
    cells: list[str | None] = Field(max_length=16)
    expected_version: int | None = Field(default=None, ge=1)


@router.get("/tours")
async def list_tours(me: Viewer, s: ServicesOf) -> Json:
    """List the tours, each without the cameras that the asker may not see; one without any other is left out."""
    rows = [row for tour in s.board.tours.values() if (row := _tour(s, me, tour)) is not None]
    return {"items": sorted(rows, key=lambda row: (str(row["name"]), str(row["id"]))), "next": None}


@router.put("/tours/{tour_id}")
async def save_tour(tour_id: Id, body: TourBody, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Keep a tour, new or changed."""
    old = s.board.tours.get(tour_id)
    if old is not None:
        _all_seen(s, me, old.camera_ids)
    _known(s, me, "camera_ids", body.camera_ids)
    said = body.model_dump(exclude={"camera_ids", "expected_version"})
    tour = Tour(id=tour_id, camera_ids=tuple(body.camera_ids), **said)
    outcome = await s.operations.cameras.save_tour(
        me.actor, tour, expected_version=body.expected_version, key=key
    )
    return outcome.answer


@router.delete("/tours/{tour_id}")
async def remove_tour(tour_id: Id, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Forget a tour."""
    old = s.board.tours.get(tour_id)
    if old is None or _tour(s, me, old) is None:
        raise NotFound("tour", tour_id)
    _all_seen(s, me, old.camera_ids)
    return (await s.operations.cameras.remove_tour(me.actor, tour_id, key=key)).answer


@router.get("/layouts")
async def list_layouts(me: Viewer, s: ServicesOf) -> Json:
    """List the layouts; a tile with a camera that the asker may not see is empty."""
    rows = [row for layout in s.board.layouts.values() if (row := _layout(s, me, layout)) is not None]
    return {"items": sorted(rows, key=lambda row: (str(row["name"]), str(row["id"]))), "next": None}


@router.put("/layouts/{layout_id}")
async def save_layout(layout_id: Id, body: LayoutBody, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Keep a layout, new or changed."""
    old = s.board.layouts.get(layout_id)
    if old is not None:
        _all_seen(s, me, old.cells)
    _known(s, me, "cells", body.cells)
    layout = Layout(id=layout_id, name=body.name, split=body.split, cells=tuple(body.cells))
    outcome = await s.operations.cameras.save_layout(
        me.actor, layout, expected_version=body.expected_version, key=key
    )
    return outcome.answer


@router.delete("/layouts/{layout_id}")
async def remove_layout(layout_id: Id, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Forget a layout."""
    old = s.board.layouts.get(layout_id)
    if old is None or _layout(s, me, old) is None:
        raise NotFound("layout", layout_id)
    _all_seen(s, me, old.cells)
    return (await s.operations.cameras.remove_layout(me.actor, layout_id, key=key)).answer


def _tour(s: Services, me: Principal, tour: Tour) -> Json | None:
    seen = [key for key in tour.camera_ids if _sees(s, me, key)]
    if tour.camera_ids and not seen:
        return None
    return {**wire(tour), "camera_ids": seen}


def _layout(s: Services, me: Principal, layout: Layout) -> Json | None:
    cells = [key if key is not None and _sees(s, me, key) else None for key in layout.cells]
    if any(layout.cells) and not any(cells):
        return None
    return {**wire(layout), "cells": cells}


def _sees(s: Services, me: Principal, camera_id: str) -> bool:
    camera = s.board.cameras.get(camera_id)
    return camera is not None and s.sees(me, "cameras", camera)


def _all_seen(s: Services, me: Principal, ids: tuple[str | None, ...]) -> None:
    """Refuse to change what the asker sees in part only: the rest would be lost without anybody noticing."""
    if not all(_sees(s, me, key) for key in ids if key is not None):
        raise Forbidden("It shows cameras outside your area; keep one of your own.")


def _known(s: Services, me: Principal, field: str, ids: list[str] | list[str | None]) -> None:
    for key in ids:
        if key is not None and not _sees(s, me, key):
            raise Malformed(field, f"there is no camera {key[:64]!r}")
