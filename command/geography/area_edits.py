"""Edits of the areas on the map, put in force as revisions of the district's files.

What an edit comes to is worked out in `gis.redraw`; here it is held against the revision that it was drawn on,
written, and everything that mentions the areas follows: beats, departments, the responsibility list, people.
"""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

from command.desk import Command, Desk
from command.district import AREAS, BEATS, DEPARTMENTS, RULES, District
from command.errors import Malformed, StaleVersion
from command.events import Actor
from command.geography.keeper import Keeper
from command.geography.responsibility import Responsibility, write_departments, write_rules
from command.geography.revisions import Change, Revision
from command.geography.staffing import decide_recode
from gis.area_files import load_versions, write_areas
from gis.areas import Area, AreaIndex
from gis.errors import EditRefused
from gis.files import write_beats
from gis.redraw import Attributes, Redrawn, different, redraw
from gis.soundness import StepRefused
from gis.topology import Merge, Reparent, Split, Step

FILES: Final = frozenset({AREAS, BEATS, RULES, DEPARTMENTS})
"""What an edit may change; another revision of one of these makes it stale."""
NAMED: Final = 3
"""Most areas that the history's line names."""
LOOKED_BACK: Final = 50
"""Most revisions in the history of one area."""


class NotDrawn(Malformed):
    """The edit cannot be carried out; says which step, why, where on the map and at which areas."""

    code: ClassVar[str] = "edit_refused"

    def __init__(self, error: EditRefused, step: int | None = None) -> None:
        super().__init__(
            "" if step is None else f"steps.{step}", f"{error.detail[:1].upper()}{error.detail[1:]}."
        )
        self.error = error
        self.step = step

    def in_list(self, numbers: Sequence[int]) -> "NotDrawn":
        """Return the same for a list in which the steps stand under other numbers."""
        return NotDrawn(self.error, None if self.step is None else numbers[self.step])

    @property
    def extras(self) -> Mapping[str, object]:
        """Reason, place and areas, for the map to show."""
        return {
            **super().extras,
            "step": self.step,
            "reason": self.error.reason,
            "at": None if self.error.at is None else [round(x, 7) for x in self.error.at],
            "areas": [key for key in self.error.keys if not key.startswith("beat ")],
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody wants changed.

    Attributes:
        base: Revision that it was drawn on.
        steps: In order.
        valid_from: First day on which it holds; None corrects what is there.
        note: For the history; "" has one written.
    """

    base: int
    steps: Sequence[Step | Attributes]
    valid_from: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AreaChange:
    """What a revision did to one area: `before` or `after` is None where it was not or is no more."""

    revision: Revision
    before: Area | None
    after: Area | None
    fields: tuple[str, ...]


class AreaEdits:
    """Edits of the areas.

    Args:
        keeper: Puts files in force.
        desk: Where people follow.
        today: The day in the district.
    """

    def __init__(self, keeper: Keeper, desk: Desk, today: Callable[[], date]) -> None:
        self._keeper = keeper
        self._desk = desk
        self._today = today

    @property
    def revision(self) -> int:
        """The revision in force, to be named by an edit drawn on it."""
        return self._keeper.revisions.current

    async def tried(self, edit: Edit) -> Redrawn:
        """Work out what an edit comes to and change nothing.

        Raises:
            NotDrawn: It makes no sense, or would break outlines.
            StaleVersion: The areas are others by now.
        """
        _, redrawn = await asyncio.to_thread(self._redrawn, edit)
        return redrawn

    async def put(
        self, edit: Edit, actor: Actor, allowed: Callable[[Redrawn], None] = lambda _redrawn: None
    ) -> tuple[Redrawn, Revision | None]:
        """Put an edit in force.

        Args:
            edit: What is wanted.
            actor: Who wants it.
            allowed: Raises where the actor may not change that.

        Returns:
            What it came to, and the revision; None where it changed nothing.

        Raises:
            NotDrawn: As `tried`; nothing was changed.
            StaleVersion: As `tried`.
        """
        expected, redrawn = await asyncio.to_thread(self._redrawn, edit)
        allowed(redrawn)
        if not redrawn.changes:
            return redrawn, None
        district = self._keeper.atlas.district
        # Beside where the files go, so that they are moved there in one step.
        beside = self._keeper.revisions.in_force(AREAS).parent
        await asyncio.to_thread(beside.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".edit-", dir=beside) as folder:
            files = await asyncio.to_thread(_write, Path(folder), district, redrawn)
            change = Change("areas", edit.note or _note(redrawn), actor.id, actor.name, _counts(redrawn))
            areas = await asyncio.to_thread(AreaIndex, redrawn.areas, redrawn.beats, on=self._today())
            revision = await self._keeper.put(files, change, actor, expected=expected, areas=areas)
        codes = {old: new for old, new in redrawn.codes.items() if old not in new}
        if codes:
            gone = {old: new[0] for old, new in codes.items()}
            await self._desk.submit(
                Command(actor, lambda picture, context: decide_recode(picture, gone, context))
            )
        return redrawn, revision

    def _redrawn(self, edit: Edit) -> tuple[int, Redrawn]:
        expected = self._expected(edit.base)
        index = self._keeper.atlas.district.areas
        try:
            return expected, redraw(index, edit.steps, today=self._today(), valid_from=edit.valid_from)
        except EditRefused as error:
            raise NotDrawn(error, error.step if isinstance(error, StepRefused) else None) from None

    def _expected(self, base: int) -> int:
        """The revision to be replaced: later ones that left the areas alone do no harm."""
        revisions = self._keeper.revisions
        current = revisions.current
        if base > current or any(FILES & set(revisions.get(n).files) for n in range(base + 1, current + 1)):
            raise StaleVersion(base, current)
        return current

    def history(self, code: str) -> list[AreaChange]:
        """What revisions did to an area, newest first, as far back as replaced files are kept."""
        revisions = self._keeper.revisions
        after = load_versions(revisions.in_force(AREAS), code)
        found: list[AreaChange] = []
        for revision in [one for one in revisions.history() if AREAS in one.files][:LOOKED_BACK]:
            if AREAS in revision.absent:
                before: list[Area] = []
            else:
                path = revisions.before(revision.number, AREAS)
                if path is None:
                    break
                before = load_versions(path, code)
            found += _compared(revision, before, after)
            after = before
        return found


def _compared(revision: Revision, before: Sequence[Area], after: Sequence[Area]) -> list[AreaChange]:
    """What differs between an area's versions in two files; the newest of each tell what happened."""
    old, new = (versions[-1] if versions else None for versions in (before, after))
    if old is None and new is None:
        return []
    if old is None or new is None:
        return [AreaChange(revision, old, new, ())]
    names = different(old, new)
    return [AreaChange(revision, old, new, names)] if names else []


def _write(folder: Path, district: District, redrawn: Redrawn) -> dict[str, Path | None]:
    """Write the files that changed."""
    files: dict[str, Path | None] = {AREAS: folder / AREAS}
    write_areas(folder / AREAS, redrawn.areas)
    if redrawn.beats != district.areas.beats:
        write_beats(folder / BEATS, redrawn.beats)
        files[BEATS] = folder / BEATS
    old: Responsibility = district.responsibility
    new = old.recoded(redrawn.codes)
    if new.rules != old.rules:
        write_rules(folder / RULES, new.rules)
        files[RULES] = folder / RULES
    if new.departments != old.departments:
        write_departments(folder / DEPARTMENTS, new.departments)
        files[DEPARTMENTS] = folder / DEPARTMENTS
    return files


def _counts(redrawn: Redrawn) -> dict[str, int]:
    told = [change for change in redrawn.changes if not change.same_ground]
    new = sum(change.before is None for change in told)
    gone = sum(change.after is None for change in told)
    return {"changed": len(told) - new - gone, "new": new, "gone": gone}


def _note(redrawn: Redrawn) -> str:
    """One line for the history, in the language of the district."""
    kinds: dict[str, list[str]] = {"划出": [], "并入": [], "调整边界": [], "修改": []}
    for change in sorted(redrawn.changes, key=lambda one: -one.tier):
        if change.before is None and change.after is not None:
            kinds["划出"].append(change.after.name)
        elif change.after is None and change.before is not None:
            kinds["并入"].append(change.before.name)
        elif change.after is not None and not change.same_ground:
            kinds["调整边界" if change.fields == ("geometry",) else "修改"].append(change.after.name)
    return "；".join(
        f"{word}：{'、'.join(names[:NAMED])}{f' 等 {len(names)} 个' if len(names) > NAMED else ''}"
        for word, names in kinds.items()
        if names
    )


def named_areas(steps: Sequence[Step | Attributes]) -> set[str]:
    """Codes that the steps themselves name."""
    codes: set[str] = set()
    for step in steps:
        match step:
            case Attributes(code=code) | Split(key=code):
                codes.add(code)
            case Merge():
                codes |= {step.keep, step.gone}
            case Reparent():
                codes |= {step.key, step.parent}
    return codes
