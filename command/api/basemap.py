"""The customer's basemaps: what there is and how it is, single tiles, trying others, and keeping them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from command.accounts.access import Principal
from command.api.revisions import told
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.basemap import Slot, Tile, TileSource
from command.basemap.fetch import Pattern, TileRefused
from command.basemap.prepare import Wish
from command.basemap.trials import Trial
from command.clock import rfc3339
from command.errors import Forbidden, Malformed, Unavailable
from gis.errors import BadFile
from gis.tiles.pmtiles import PmTiles

router = APIRouter(tags=["geography"])
tiles_router = APIRouter(include_in_schema=False)
Viewer = Annotated[Principal, Depends(require("view.map", "areas.manage"))]
Geographer = Annotated[Principal, Depends(require("areas.manage"))]
FileName = Annotated[str, Query(min_length=1, max_length=200)]

_A_DAY_S: Final = 86_400
_SOON_S: Final = 30
_BLOCK_BYTES: Final = 1 << 20


class WishBody(BaseModel):
    """What is said of a basemap."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=60)
    attribution: str = Field(default="", max_length=120)
    crs: str = Field(default="WGS-84", max_length=20)
    min_zoom: int | None = Field(default=None, ge=0, le=22)
    max_zoom: int | None = Field(default=None, ge=0, le=22)
    preferred: bool = False


class SourceBody(WishBody):
    """A tile server. Its address may hold a key: it is sealed and never shown again."""

    url: str = Field(min_length=1, max_length=2_000)


class SlotBody(WishBody):
    """What is said of a basemap on trial, and what it is for."""

    slot: Slot = "custom"


class TrialBody(SlotBody):
    """A tile server to be tried."""

    url: str = Field(min_length=1, max_length=2_000)


@router.get("/basemap/sources")
async def list_sources(me: Viewer, s: ServicesOf) -> Json:
    """List the customer's basemaps, how they are drawn, and whether they answer."""
    keeps = s.access.allows(me, "areas.manage")
    rows = [_row(s, source, keeps=keeps) for source in s.basemap.sources]
    own = s.district.basemap
    found: Json = {"items": rows, "next": None, "own": await asyncio.to_thread(_version, own)}
    if keeps:
        found["ours"] = await asyncio.to_thread(_about, own)
        found["most_archive_bytes"] = s.settings.basemap.max_archive_bytes
    return found


@router.put("/basemap/sources/{slot}")
async def put_source(slot: Slot, body: SourceBody, me: Geographer, s: ServicesOf) -> Json:
    """Put a tile server in force, after one look at a tile of the district."""
    _demand_whole(s, me)
    wish = Wish(slot, **body.model_dump(exclude={"url"}))
    source, revision = await s.basemap_office.put_address(body.url, wish, me.actor)
    await s.audit.record(me.user_id, "basemap.put", slot, data={"host": source.host, "crs": source.datum})
    await s.basemap.load()
    return {**_row(s, source, keeps=True), "revision": revision.number}


@router.delete("/basemap/sources/{slot}")
async def drop_source(slot: Slot, me: Geographer, s: ServicesOf) -> Json:
    """Take a basemap away; its revision can be undone."""
    _demand_whole(s, me)
    revision = await s.basemap_office.remove(slot, me.actor)
    await s.audit.record(me.user_id, "basemap.dropped", slot)
    await s.basemap.load()
    return {"revision": revision.number}


@router.get("/basemap/history")
async def list_history(me: Geographer, s: ServicesOf) -> Json:
    """List what took whose place, newest first; what was there can be put back while it is kept."""
    del me
    rows: list[Json] = [
        {
            **told(turn.revision),
            "slot": turn.slot,
            "before": _facts(turn.before),
            "after": _facts(turn.after),
            "kept": turn.kept,
        }
        for turn in await s.basemap_office.history()
    ]
    return {"items": rows, "next": None}


@router.post("/basemap/history/{revision}/{slot}/restore")
async def put_back(revision: int, slot: Slot, me: Geographer, s: ServicesOf) -> Json:
    """Put in force again what a revision replaced in a slot, whatever came later."""
    _demand_whole(s, me)
    source, done = await s.basemap_office.put_back(revision, slot, me.actor)
    await s.audit.record(me.user_id, "basemap.restored", slot, data={"before_revision": revision})
    await s.basemap.load()
    return {**_row(s, source, keeps=True), "revision": done.number}


@router.post("/basemap/archives", status_code=201)
async def upload_archive(request: Request, filename: FileName, me: Geographer, s: ServicesOf) -> Json:
    """Take a PMTiles archive, which is the body itself, and put it on trial."""
    _demand_whole(s, me)
    declared = request.headers.get("content-length", "0")
    try:
        trial = await s.basemap_trials.upload(filename, int(declared), _blocks(request), me.actor)
    except ClientDisconnect:
        raise Malformed("file", "is cut short") from None  # to nobody; or it grew too large, which is said
    await s.audit.record(
        me.user_id, "basemap.uploaded", trial.id, data={"filename": trial.filename, "size": trial.size}
    )
    return _trial_row(trial)


@router.post("/basemap/trials", status_code=201)
async def try_address(body: TrialBody, me: Geographer, s: ServicesOf) -> Json:
    """Put a tile server on trial: a few tiles in the middle of the district are asked for."""
    _demand_whole(s, me)
    wish = Wish(**body.model_dump(exclude={"url"}))
    trial = await s.basemap_trials.enter(body.url, wish, me.actor)
    data = {"host": Pattern(body.url).host, "crs": wish.crs}
    await s.audit.record(me.user_id, "basemap.tried", trial.id, data=data)
    return _trial_row(trial)


@router.get("/basemap/trials")
async def list_trials(me: Geographer, s: ServicesOf) -> Json:
    """List what is on trial, newest first."""
    rows = [{**_trial_row(trial), "mine": trial.by == me.actor.id} for trial in s.basemap_trials.list()]
    return {"items": rows, "next": None}


@router.get("/basemap/trials/{trial_id}")
async def read_trial(trial_id: str, me: Geographer, s: ServicesOf) -> Json:
    """Read what is on trial and how its tiles come."""
    del me
    return _trial_row(s.basemap_trials.get(trial_id))


@router.put("/basemap/trials/{trial_id}")
async def try_again(trial_id: str, body: SlotBody, me: Geographer, s: ServicesOf) -> Json:
    """Try the same otherwise: another datum, other zooms."""
    del me
    return _trial_row(await s.basemap_trials.again(trial_id, Wish(**body.model_dump())))


@router.post("/basemap/trials/{trial_id}/apply")
async def apply_trial(trial_id: str, me: Geographer, s: ServicesOf) -> Json:
    """Put it in force; the trial is over then."""
    _demand_whole(s, me)
    source, revision = await s.basemap_trials.apply(trial_id, me.actor)
    data = {"host": source.host, "file": source.file, "crs": source.datum}
    await s.audit.record(me.user_id, "basemap.put", source.slot, data=data)
    await s.basemap.load()
    return {**_row(s, source, keeps=True), "revision": revision.number}


@router.delete("/basemap/trials/{trial_id}", status_code=204)
async def drop_trial(trial_id: str, me: Geographer, s: ServicesOf) -> None:
    """End a trial; nothing of it stays."""
    await s.basemap_trials.drop(s.basemap_trials.get(trial_id).id)
    await s.audit.record(me.user_id, "basemap.trial_dropped", trial_id)


@tiles_router.get("/basemap/trials/{trial_id}/{z}/{x}/{y}")
async def trial_tile(trial_id: str, z: int, x: int, y: int, me: Geographer, s: ServicesOf) -> Response:
    """Return one tile of what is on trial, as it would be shown."""
    del me
    return await _answer(s.basemap_trials.tile(trial_id, z, x, y))


@tiles_router.get("/basemap/{slot}/{z}/{x}/{y}")
async def tile(slot: Slot, z: int, x: int, y: int, me: Viewer, s: ServicesOf) -> Response:
    """Return one tile, from here: the browser never learns where it came from."""
    del me
    return await _answer(s.basemap.tile(slot, z, x, y))


async def _answer(wanted: Awaitable[Tile]) -> Response:
    try:
        found = await wanted
    except TileRefused:
        # Why stands in the list of sources; a map asks for forty of these at once.
        raise Unavailable("The basemap does not answer.") from None
    fresh_s = _A_DAY_S if found.age_s is None else _SOON_S
    headers = {"cache-control": f"private, max-age={fresh_s}"}
    if found.age_s is not None:
        headers["x-tile-age-s"] = f"{found.age_s:.0f}"
    if found.packed:
        headers["content-encoding"] = "gzip"
    return Response(found.content, media_type=found.media_type, headers=headers)


async def _blocks(request: Request) -> AsyncIterator[bytes]:
    """Give out the body in pieces worth a trip to the disk."""
    kept = bytearray()
    async for piece in request.stream():
        kept += piece
        if len(kept) >= _BLOCK_BYTES:
            yield bytes(kept)
            kept.clear()
    yield bytes(kept)


def _demand_whole(s: Services, me: Principal) -> None:
    if me.area is not None and not s.access.covers(me, None):
        raise Forbidden("The basemap is the whole district's; this account has a part of it.")


def _version(path: Path | None) -> str | None:
    """Return what tells our own basemap from the one before it; None where there is none."""
    if path is None:
        return None
    stat = path.stat()
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _about(path: Path | None) -> Json | None:
    """Return what is known of our own basemap; None where there is none, or it cannot be read."""
    if path is None:
        return None
    try:
        tiles = PmTiles(path)
    except BadFile:
        return None
    tiles.close()
    stat = path.stat()
    return {
        "size": stat.st_size,
        "at": rfc3339(datetime.fromtimestamp(stat.st_mtime, UTC)),
        "min_zoom": tiles.header.min_zoom,
        "max_zoom": tiles.header.max_zoom,
    }


def _row(s: Services, source: TileSource, *, keeps: bool) -> Json:
    """Return a source as everybody may know it; where it comes from only for those who keep it."""
    known = source.slot in {one.slot for one in s.basemap.sources}
    row = _drawn(source)
    row["health"] = asdict(s.basemap.health(source.slot)) if known else None
    if keeps:
        row["origin"] = source.host or source.file
        row["size"] = s.basemap.size(source.slot) if known else None
    return row


def _trial_row(trial: Trial) -> Json:
    source, fault = trial.source, trial.fault
    return {
        "id": trial.id,
        "at": trial.at,
        "by_name": trial.by_name,
        "filename": trial.filename,
        "size": trial.size,
        "wish": asdict(trial.wish),
        "source": None
        if source is None
        else {
            **_drawn(source),
            "tiles": f"/basemap/trials/{trial.id}",
            "health": asdict(trial.tiles.health(source.slot)),
        },
        "fault": None if fault is None else {**fault.extras, "detail": fault.detail},
        "looks": [asdict(look) for look in trial.looks],
    }


def _facts(source: TileSource | None) -> Json | None:
    return None if source is None else {**_drawn(source), "origin": source.host or source.file}


def _drawn(source: TileSource) -> Json:
    """Return what a map must know to draw it."""
    return {
        "slot": source.slot,
        "version": source.version,
        "name": source.name,
        "attribution": source.attribution,
        "crs": source.datum,
        "content": source.content,
        "schema": source.schema,
        "layers": list(source.layers),
        "side_px": source.side_px,
        "min_zoom": source.min_zoom,
        "max_zoom": source.max_zoom,
        "bounds": source.bounds,
        "preferred": source.preferred,
    }
