"""Every change of the district's files, with what it replaced, so that each can be looked up and taken back.

The files in force stand in the district folder under their plain names. A change is prepared beside them in
``revisions/<number>/``, written down, and then moved into place; what it replaces stays in that folder. A
crash between two moves is finished at the next start: the written plan says what is still to be moved.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from command.clock import Clock, rfc3339
from command.errors import Conflict, NotFound, StaleVersion

FOLDER: Final = "revisions"
KEPT: Final = 50
"""Newest revisions whose replaced files are kept; of older ones only the record remains."""
_RECORD: Final = "revision.json"
_BEFORE: Final = "before"
_NEW: Final = "new"


class NotUndoable(Conflict):
    """A later revision changed the same files, or what was replaced is no longer kept."""

    code: ClassVar[str] = "not_undoable"


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to the geography.

    Attributes:
        what: Kind of thing changed: areas, beats, places, roads, …
        note: One line for the history.
        by: Id of who did it.
        by_name: Their name.
        counts: How many of what, for the history.
    """

    what: str
    note: str
    by: str
    by_name: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Revision:
    """One change in force, or taken back.

    Attributes:
        number: From 1.
        at: RFC 3339 UTC.
        files: Names of the files changed.
        absent: Of these, the ones that did not exist before.
        removed: Of these, the ones that no longer exist after.
        undoes: Number of the revision that this one takes back.
    """

    number: int
    at: str
    change: Change
    files: tuple[str, ...]
    absent: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    undoes: int | None = None


class Revisions:
    """The history of one district folder. Not for two threads at once.

    Args:
        folder: The district folder; made when first needed.
        clock: Time of the records.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._district = folder
        self._folder = folder / FOLDER
        self._clock = clock
        self._finish()

    @property
    def current(self) -> int:
        """Number of the newest revision; 0 before the first."""
        return max(self._numbers(), default=0)

    def history(self) -> list[Revision]:
        """All revisions, newest first."""
        return [self.get(number) for number in sorted(self._numbers(), reverse=True)]

    def get(self, number: int) -> Revision:
        """Return one revision.

        Raises:
            NotFound: There is none with this number.
        """
        path = self._folder / f"{number:06d}" / _RECORD
        try:
            stored = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise NotFound("revision", str(number)) from None
        return Revision(
            number=stored["number"],
            at=stored["at"],
            change=Change(**stored["change"]),
            files=tuple(stored["files"]),
            absent=tuple(stored["absent"]),
            removed=tuple(stored["removed"]),
            undoes=stored["undoes"],
        )

    def why_not_undo(self, number: int) -> str | None:
        """Say why a revision cannot be taken back; None where it can."""
        mine = self.get(number)
        for later in sorted(n for n in self._numbers() if n > number):
            other = self.get(later)
            if set(other.files) & set(mine.files):
                return (
                    f"revision {later} changed {', '.join(sorted(set(other.files) & set(mine.files)))} since"
                )
        kept = self._folder / f"{number:06d}" / _BEFORE
        if any(not (kept / name).exists() for name in mine.files if name not in mine.absent):
            return "what it replaced is no longer kept"
        return None

    def commit(
        self,
        files: Mapping[str, Path | None],
        change: Change,
        *,
        expected: int | None = None,
        undoes: int | None = None,
    ) -> Revision:
        """Put files in force.

        Args:
            files: Plain name → the new file, which is moved away from where it is; None takes the file out.
            change: Who, what and why.
            expected: The revision it was made from; another one in force meanwhile refuses it.
            undoes: Number of the revision that is taken back.

        Raises:
            StaleVersion: `expected` is not the current revision.
            OSError: Disk full or the like; the old files stay in force.
        """
        current = self.current
        if expected is not None and expected != current:
            raise StaleVersion(expected, current)
        revision = Revision(
            number=current + 1,
            at=rfc3339(self._clock.now()),
            change=change,
            files=tuple(sorted(files)),
            absent=tuple(sorted(name for name in files if not (self._district / name).exists())),
            removed=tuple(sorted(name for name, path in files.items() if path is None)),
            undoes=undoes,
        )
        part = self._folder / f".part-{revision.number:06d}"
        shutil.rmtree(part, ignore_errors=True)
        (part / _NEW).mkdir(parents=True)
        (part / _BEFORE).mkdir()
        try:
            for name in files:
                if name not in revision.absent:
                    link(self._district / name, part / _BEFORE / name)
            for name, path in files.items():
                if path is not None:
                    _move(path, part / _NEW / name)
            text = json.dumps(asdict(revision), ensure_ascii=False, indent=1)
            (part / _RECORD).write_text(text, "utf-8")
            for path in part.rglob("*"):
                _sync(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        # From here on the change is decided: a crash is finished by `_finish`.
        os.replace(part, self._folder / f"{revision.number:06d}")
        _sync(self._folder)
        self._put(revision)
        self._forget()
        return revision

    def undo(self, number: int, change: Change) -> Revision:
        """Take a revision back, as a revision of its own.

        Raises:
            NotFound: There is none with this number.
            NotUndoable: It cannot be taken back any more; says why.
        """
        mine = self.get(number)
        if (reason := self.why_not_undo(number)) is not None:
            raise NotUndoable(f"Revision {number} cannot be undone: {reason}.")
        return self.commit(self.restored(mine), change, undoes=number)

    def restored(self, revision: Revision) -> dict[str, Path | None]:
        """Copies of the files as they were before a revision, fit for `commit` or for a look."""
        before = self._folder / f"{revision.number:06d}" / _BEFORE
        files: dict[str, Path | None] = {}
        for name in revision.files:
            if name in revision.absent:
                files[name] = None
                continue
            copy = self._folder / f".restored-{name}"
            copy.unlink(missing_ok=True)
            link(before / name, copy)
            files[name] = copy
        return files

    def in_force(self, name: str) -> Path:
        """The file in force under this name, whether there is one or not."""
        return self._district / name

    def before(self, number: int, name: str) -> Path | None:
        """The file that a revision replaced, to be looked at; None where it is not kept or was not there."""
        path = self._folder / f"{number:06d}" / _BEFORE / name
        return path if path.exists() else None

    def _numbers(self) -> Iterable[int]:
        if not self._folder.exists():
            return []
        return [int(path.name) for path in self._folder.iterdir() if path.name.isdigit()]

    def _finish(self) -> None:
        """Move what a crash left unmoved, and clear away what it left unfinished."""
        if not self._folder.exists():
            return
        for path in self._folder.glob(".*"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        if self.current:
            self._put(self.get(self.current))

    def _put(self, revision: Revision) -> None:
        new = self._folder / f"{revision.number:06d}" / _NEW
        for name in revision.files:
            if name in revision.removed:
                (self._district / name).unlink(missing_ok=True)
            elif (new / name).exists():
                os.replace(new / name, self._district / name)
        _sync(self._district)
        shutil.rmtree(new, ignore_errors=True)

    def _forget(self) -> None:
        for number in sorted(self._numbers(), reverse=True)[KEPT:]:
            shutil.rmtree(self._folder / f"{number:06d}" / _BEFORE, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """A second name for a file that is never written in place; a copy where the disk has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
        source.unlink()
    target.chmod(0o644)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
