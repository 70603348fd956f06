"""Bringing files in: upload, look, choose, apply, take back."""

import asyncio
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.errors import Forbidden, Malformed, NotFound
from command.geography.imports import KINDS, Job, issues
from gis.intake import Choices, picking
from gis.intake.fields import SPECS
from gis.intake.keeping import KINDS as KEEPING
from gis.intake.model import Rows

router = APIRouter(tags=["geography"])
Importer = Annotated[Principal, Depends(require("areas.manage", "camera.manage", "responders.manage"))]

PERMISSION_OF: Final = {"cameras": "camera.manage", "responders": "responders.manage"}
"""What a kind needs, where it is not `areas.manage`."""
TIERS: Final = (1, 2, 3, 4)
PREVIEW: Final = "preview.geojson"
MOST_ISSUES: Final = 500


class ChoicesBody(BaseModel):
    """How to read the file; what is left out is guessed (`gis.intake.Choices`)."""

    model_config = ConfigDict(extra="forbid")

    layer: str | None = Field(default=None, max_length=200)
    encoding: str | None = Field(default=None, max_length=40)
    crs: str | None = Field(default=None, max_length=60)
    mapping: dict[str, str] | None = Field(default=None, max_length=200)
    tier_labels: dict[str, int] = Field(default_factory=dict, max_length=100)
    default_tier: int | None = Field(default=None, ge=1, le=4)
    repair: list[str] = Field(default_factory=list, max_length=2)
    snap_m: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    rows: str | list[int | tuple[int, int]] = "good"
    keep_columns: bool = False
    keep_private: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=200)
    mode: str = "replace"


class DraftBody(BaseModel):
    """Other choices for a file that is there already."""

    model_config = ConfigDict(extra="forbid")

    choices: ChoicesBody


class ApplyBody(BaseModel):
    """Which rows; left out: those that the draft took."""

    model_config = ConfigDict(extra="forbid")

    rows: str | list[int | tuple[int, int]] | None = None


@router.post("/imports", status_code=201)
async def begin_import(request: Request, me: Importer, s: ServicesOf) -> Json:
    """Take a file (form fields ``kind`` and ``file``, optionally ``choices`` as JSON) and begin to read it."""
    # Read by hand, after the permission: a stranger's upload is not even spooled.
    try:
        form = await request.form(max_files=1, max_fields=4)
    except (HTTPException, MultiPartException) as error:
        raise Malformed("file", "a form with the fields kind and file") from error
    try:
        kind, file, said = form.get("kind"), form.get("file"), form.get("choices")
        if not isinstance(kind, str) or kind not in KINDS:
            raise Malformed("kind", f"one of {', '.join(KINDS)}")
        if not isinstance(file, UploadFile):
            raise Malformed("file", "a file")
        _demand(s, me, kind)
        choices = _choices(kind, ChoicesBody.model_validate_json(said) if isinstance(said, str) else None)
        upload = s.imports.place_for_upload()
        try:
            with upload.open("wb") as target:
                while block := await file.read(1 << 20):
                    target.write(block)
            job = s.imports.begin(kind, file.filename or "file", upload, me.actor, choices)
        finally:
            upload.unlink(missing_ok=True)
    finally:
        await form.close()
    await s.audit.record(me.user_id, "import.begun", job.id, data={"kind": kind, "filename": job.filename})
    return row_of(job)


@router.get("/imports")
async def list_imports(me: Importer, s: ServicesOf) -> Json:
    """List the imports of the kinds that the asker may bring in, newest first."""
    items = [row_of(job) for job in s.imports.list() if _may(s, me, job.kind)]
    return {"items": items, "next": None}


@router.get("/imports/kinds")
async def list_kinds(me: Importer, s: ServicesOf) -> Json:
    """List the kinds that the asker may bring in, the columns that are understood, and how much is in force."""
    return {"items": [_kind_row(s, kind) for kind in KINDS if _may(s, me, kind)], "next": None}


@router.get("/imports/{import_id}")
async def read_import(import_id: str, me: Importer, s: ServicesOf) -> Json:
    """Read where an import stands; while it is at work, ask again each second."""
    return row_of(_job(s, me, import_id))


@router.post("/imports/{import_id}/draft")
async def redraft(import_id: str, body: DraftBody, me: Importer, s: ServicesOf) -> Json:
    """Read the file again with other choices."""
    job = _job(s, me, import_id)
    return row_of(s.imports.redraft(job.id, _choices(job.kind, body.choices)))


@router.post("/imports/{import_id}/apply")
async def apply_import(import_id: str, body: ApplyBody, me: Importer, s: ServicesOf) -> Json:
    """Put what was found in force: the rows that the draft took, or those named."""
    job = _job(s, me, import_id)
    rows = None if body.rows is None else _rows(body.rows)
    job = s.imports.apply(job.id, me.actor, rows)
    await s.audit.record(me.user_id, "import.applied", job.id, data={"kind": job.kind})
    return row_of(job)


@router.post("/imports/{import_id}/cancel")
async def cancel_import(import_id: str, me: Importer, s: ServicesOf) -> Json:
    """Stop what is being done with it; nothing of that stays."""
    job = _job(s, me, import_id)
    s.imports.cancel(job.id)
    return row_of(await s.imports.wait(job.id))


@router.post("/imports/{import_id}/undo")
async def undo_import(import_id: str, me: Importer, s: ServicesOf) -> Json:
    """Take back what it did."""
    job = _job(s, me, import_id)
    job = await s.imports.undo(job.id, me.actor)
    await s.audit.record(me.user_id, "import.undone", job.id, data={"kind": job.kind})
    return row_of(job)


@router.delete("/imports/{import_id}", status_code=204)
async def forget_import(import_id: str, me: Importer, s: ServicesOf) -> None:
    """Forget an import and its file; what it put in force stays."""
    await s.imports.remove(_job(s, me, import_id).id)


@router.get("/imports/{import_id}/preview.geojson")
async def preview(import_id: str, me: Importer, s: ServicesOf) -> Response:
    """Return what the draft would bring in, simplified, with what is wrong with each."""
    job = _job(s, me, import_id)
    return FileResponse(s.imports.file(job.id, PREVIEW), media_type="application/geo+json")


@router.get("/imports/{import_id}/issues.csv")
async def download_issues(import_id: str, me: Importer, s: ServicesOf) -> Response:
    """Download every issue of every row, as a table."""
    job = _job(s, me, import_id)
    name = f"issues-{job.id}.csv"
    return FileResponse(s.imports.file(job.id, issues.FILE), media_type="text/csv", filename=name)


@router.get("/imports/{import_id}/issues")
async def list_issues(
    import_id: str,
    me: Importer,
    s: ServicesOf,
    cursor: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ISSUES)] = 100,
    severity: str | None = None,
    code: str | None = None,
) -> Json:
    """List the issues by row."""
    job = _job(s, me, import_id)
    path = s.imports.file(job.id, issues.FILE)
    items, more = await asyncio.to_thread(
        issues.read_issues, path, cursor, limit, severity=severity, code=code
    )
    return {"items": [msgspec.to_builtins(item) for item in items], "next": str(more) if more else None}


def row_of(job: Job) -> Json:
    """Return an import as it goes over the wire."""
    row: Json = msgspec.to_builtins(job)
    del row["by"]
    return row


def _kind_row(s: Services, kind: str) -> Json:
    district = s.district
    now = {
        "areas": len(district.areas),
        "beats": len(district.areas.beats),
        "places": len(district.places),
        "checkpoints": len(district.checkpoints),
        "rules": len(district.rules),
        "departments": len(district.departments),
        "cameras": len(s.board.cameras),
        "responders": len(s.board.responders),
    }
    row: Json = {"kind": kind, "now": now.get(kind)}
    if (spec := SPECS.get(kind)) is not None:
        row["fields"] = [
            {"name": name, "header": others[0] if others else name, "required": name in spec.required}
            for name, others in spec.fields.items()
        ]
    if kind == "areas":
        row["tiers"] = {str(tier): len(district.areas.of_tier(tier)) for tier in TIERS}
    return row


def _may(s: Services, me: Principal, kind: str) -> bool:
    return s.access.allows(me, PERMISSION_OF.get(kind, "areas.manage"))


def _demand(s: Services, me: Principal, kind: str) -> None:
    if not _may(s, me, kind):
        raise Forbidden()
    if me.area is not None and not s.access.covers(me, None):
        raise Forbidden("Files are brought in for the whole district; this account has a part of it.")


def _job(s: Services, me: Principal, import_id: str) -> Job:
    job = s.imports.get(import_id)
    if not _may(s, me, job.kind):
        raise NotFound("import", import_id)
    return job


def _choices(kind: str, body: ChoicesBody | None) -> Choices:
    if body is None:
        return Choices(kind=kind)
    said = {**body.model_dump(exclude_unset=True), "kind": kind}
    if body.keep_columns and kind not in KEEPING:
        raise Malformed("keep_columns", f"only of {', '.join(sorted(KEEPING))}")
    if "rows" in said:
        said["rows"] = _rows(body.rows)
    try:
        return msgspec.convert(said, Choices)
    except msgspec.ValidationError as error:
        raise Malformed("choices", str(error)) from error


def _rows(rows: str | list[int | tuple[int, int]]) -> Rows:
    if isinstance(rows, list):
        try:
            return picking.stretches(rows)
        except ValueError as error:
            raise Malformed("rows", str(error)) from error
    if (word := picking.word(rows)) is None:
        raise Malformed("rows", "good, warned, all, or a list of numbers and [first, last]")
    return word
