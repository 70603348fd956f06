"""Changing areas on the map: what one may take hold of, trying an edit, putting it in force, and looking back."""

import asyncio
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.areas import area_row
from command.api.revisions import told
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.errors import Forbidden, Malformed, NotFound
from command.geography.area_edits import AreaChange, AreaEdits, Edit, NotDrawn, named_areas
from command.geography.days import today_in
from gis.areas import Area, AreaIndex
from gis.outlines import area_km2, exact_geometry
from gis.redraw import Attributes, Named, Redrawn, next_code
from gis.topology import Delete, Insert, Merge, Mesh, Move, Piece, Reparent, Step, pieces_of

router = APIRouter(tags=["geography"])
Geographer = Annotated[Principal, Depends(require("areas.manage"))]

STEPS: Final = 1_000
"""Most steps in one edit."""
Place = Annotated[
    tuple[
        Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)],
        Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)],
    ],
    Field(description="lon, lat in degrees, WGS-84"),
]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\s,;、|]+$")]
Name = Annotated[str, Field(min_length=1, max_length=60)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MoveBody(_Body):
    """Move what is at one place of a border to another, in all areas along it."""

    op: Literal["move"]
    at: Place
    to: Place

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        return [Move(self.at, self.to)]


class InsertBody(_Body):
    """Put a vertex into a border."""

    op: Literal["insert"]
    at: Place

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        return [Insert(self.at)]


class DeleteBody(_Body):
    """Take a vertex out of a border."""

    op: Literal["delete"]
    at: Place

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        return [Delete(self.at)]


class SplitBody(_Body):
    """Cut an area along a line; the larger part keeps the code."""

    op: Literal["split"]
    code: Code
    line: list[Place] = Field(min_length=2, max_length=1_000)
    new_code: Code
    new_name: Name

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        return [Named(self.code, tuple(self.line), self.new_code, self.new_name)]


class MergeBody(_Body):
    """Make one of two neighbours."""

    op: Literal["merge"]
    keep: Code
    gone: Code

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        return [Merge(self.keep, self.gone)]


class Fields(_Body):
    """Attributes to be changed; what is left out stays, null empties what may be empty."""

    name: Name | None = None
    label: Name | None = None
    chief: Annotated[str, Field(max_length=60)] | None = None
    workers: list[Name] | None = Field(default=None, max_length=50)
    beat: Code | None = None
    households: int | None = Field(default=None, ge=0, le=10_000_000)
    kind: Literal["general", "dedicated"] | None = None
    posts: int | None = Field(default=None, ge=0, le=50)
    valid_from: date | None = None
    valid_to: date | None = None
    parent: Code | None = None

    def values(self) -> dict[str, object]:
        """Return what was said, as the geometry knows it.

        Raises:
            Malformed: Something was emptied that may not be empty.
        """
        said = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("name", "label", "workers", "kind", "posts", "parent"):
            if name in said and said[name] is None:
                raise Malformed(f"fields.{name}", "must not be null")
        if said.get("chief") == "":
            said["chief"] = None
        if "workers" in said:
            said["workers"] = tuple(said["workers"])
        return said


class SetBody(_Body):
    """Give an area other attributes; another parent moves the outlines above too."""

    op: Literal["set"]
    code: Code
    fields: Fields

    def step(self) -> list[Step | Attributes]:
        """Return it as the geometry knows it."""
        values = self.fields.values()
        parent = values.pop("parent", None)
        steps: list[Step | Attributes] = [Reparent(self.code, str(parent))] if parent is not None else []
        return [*steps, Attributes(self.code, values)] if values else steps


StepBody = Annotated[
    MoveBody | InsertBody | DeleteBody | SplitBody | MergeBody | SetBody, Field(discriminator="op")
]


class EditBody(_Body):
    """An edit of the areas."""

    base_revision: int = Field(ge=0)
    steps: list[StepBody] = Field(min_length=1, max_length=STEPS)
    valid_from: date | None = None
    note: str = Field(default="", max_length=200)
    dry_run: bool = False


@router.get("/geography/areas/{code}/editable")
async def editable(code: str, me: Geographer, s: ServicesOf) -> Json:
    """Return an area, all that share its border, and the vertices they share, to every digit."""
    edits = _edits(s)
    revision = edits.revision
    index = s.district.areas
    area = _known(s, me, code)

    def read() -> Json:
        beats = [Piece(f"beat {beat.code}", 0, None, beat.geometry) for beat in index.beats]
        mesh = Mesh([*pieces_of(index.areas), *beats])
        shared = mesh.sharing(code)
        others = sorted({key for keys in shared.values() for key in keys})
        return {
            "revision": revision,
            "area": {
                **area_row(s, area),
                "extras": area.extras,
                "geometry": exact_geometry(area.geometry),
            },
            "neighbours": [
                _neighbour(index, mesh.now[key], code, editable=s.access.covers(me, key)) for key in others
            ],
            "shared": [
                {"at": list(at), "areas": [key for key in keys if key in index]}
                for at, keys in shared.items()
            ],
            "next_code": next_code(index, code),
            "today": _today(s).isoformat(),
        }

    return await asyncio.to_thread(read)


def _neighbour(index: AreaIndex, piece: Piece, code: str, *, editable: bool) -> Json:
    beat = piece.tier == 0
    return {
        "code": piece.key.removeprefix("beat ") if beat else piece.key,
        "name": index.beat(piece.key.removeprefix("beat ")).name if beat else index.area(piece.key).name,
        "tier": piece.tier,
        "parent": piece.parent,
        "kind": "beat" if beat else "area",
        "editable": beat or editable,
        "mergeable": not beat
        and piece.tier == index.area(code).tier
        and piece.parent == index.area(code).parent,
        "geometry": exact_geometry(piece.shape),
    }


@router.post("/geography/edits")
async def edit_areas(body: EditBody, me: Geographer, s: ServicesOf) -> Json:
    """Carry out an edit, or with `dry_run` say what it would come to."""
    steps: list[Step | Attributes] = []
    numbers: list[int] = []
    for number, one in enumerate(body.steps):
        for step in one.step():
            steps.append(step)
            numbers.append(number)
    edit = Edit(body.base_revision, steps, body.valid_from, body.note)
    for code in sorted(named_areas(steps)):
        if code in s.district.areas and not s.access.covers(me, code):
            raise NotFound("area", code)
    edits = _edits(s)

    def allowed(redrawn: Redrawn) -> None:
        strange = [change.code for change in redrawn.changes if not s.access.covers(me, change.code)]
        if strange:
            raise Forbidden(f"The border is shared with {', '.join(strange[:3])}, which you may not change.")

    try:
        if body.dry_run:
            redrawn = await edits.tried(edit)
            allowed(redrawn)
            return _outcome(redrawn, None, dry_run=True)
        redrawn, revision = await edits.put(edit, me.actor, allowed)
    except NotDrawn as error:
        raise error.in_list(numbers) from None
    return _outcome(redrawn, None if revision is None else revision.number, dry_run=False)


@router.get("/geography/areas/{code}/history")
async def read_history(code: str, me: Geographer, s: ServicesOf) -> Json:
    """Return an area's versions by day, and what revisions changed about it, the newest first."""
    edits = _edits(s)
    index = s.district.areas
    if not s.access.covers(me, code):
        raise NotFound("area", code)
    changes = await asyncio.to_thread(edits.history, code)
    versions = index.history(code) if any(area.code == code for area in index.every) else ()
    if not versions and not changes:
        raise NotFound("area", code)
    return {
        "code": code,
        "today": _today(s).isoformat(),
        "versions": [version_row(version) for version in versions],
        "changes": [_change_row(change) for change in changes],
    }


def version_row(area: Area) -> Json:
    """Return one version of an area, with its outline."""
    return {
        **area.facts(),
        "extras": area.extras,
        "area_km2": round(area_km2(area.geometry), 6),
        "geometry": exact_geometry(area.geometry),
    }


def _change_row(change: AreaChange) -> Json:
    return {
        **told(change.revision),
        "fields": list(change.fields),
        "before": None if change.before is None else version_row(change.before),
        "after": None if change.after is None else version_row(change.after),
    }


def _outcome(redrawn: Redrawn, revision: int | None, *, dry_run: bool) -> Json:
    return {
        "revision": revision,
        "dry_run": dry_run,
        "changes": [
            {
                "code": change.code,
                "fields": list(change.fields),
                "same_ground": change.same_ground,
                "before": None if change.before is None else version_row(change.before),
                "after": None if change.after is None else version_row(change.after),
            }
            for change in redrawn.changes
        ],
        "beats": list(redrawn.moved_beats),
        "gone": {old: list(new) for old, new in redrawn.codes.items() if old not in new},
    }


def _known(s: Services, me: Principal, code: str) -> Area:
    if code not in s.district.areas or not s.access.covers(me, code):
        raise NotFound("area", code)
    return s.district.areas.area(code)


def _today(s: Services) -> date:
    return today_in(s.clock, s.settings.district.timezone)


def _edits(s: Services) -> AreaEdits:
    return AreaEdits(s.keeper, s.desk, lambda: _today(s))
