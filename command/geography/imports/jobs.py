"""One file on its way into the district, and what is remembered of it between restarts."""

import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from gis.intake import Choices, Draft, Progress

State = Literal["reading", "ready", "applying", "applied", "failed", "cancelled", "undone"]
AT_WORK: Final = ("reading", "applying")
RECORD: Final = "job.json"
UPLOAD: Final = "upload"
WORK: Final = "work"


class Told(msgspec.Struct, frozen=True):
    """Why a job failed, in the form of every other error."""

    error: str
    detail: str
    detail_zh: str | None = None


class Job(msgspec.Struct, kw_only=True):
    """One file and what became of it.

    Attributes:
        id: Random; names its folder.
        kind: What the file holds: areas, beats, …, roads.
        filename: As the sender called it; shown, never used as a path.
        size: Bytes.
        state: Where it stands.
        by: User id of who brought it.
        by_name: Their name.
        started_at: RFC 3339 UTC.
        finished_at: When it was applied, undone, failed or cancelled.
        choices: How it is read; what was not chosen is guessed.
        draft: What was found; None while it is read, and for roads.
        progress: Of the work at hand.
        error: Why it failed.
        revision: The revision it made, for what is kept as files.
        counts: What applying it did: taken, new, changed, left out.
    """

    id: str
    kind: str
    filename: str
    size: int
    state: State
    by: str
    by_name: str
    started_at: str
    finished_at: str | None = None
    choices: Choices
    draft: Draft | None = None
    progress: Progress | None = None
    error: Told | None = None
    revision: int | None = None
    counts: dict[str, int] = {}

    @property
    def at_work(self) -> bool:
        """Whether something is being done with it now."""
        return self.state in AT_WORK

    def save(self, folder: Path) -> None:
        """Write it into its folder, whole or not at all."""
        part = folder / f".{RECORD}"
        part.write_bytes(msgspec.json.encode(self))
        os.replace(part, folder / RECORD)


def load_job(folder: Path) -> Job | None:
    """Read a job back; None where the folder holds none that this version understands."""
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=Job)
    except (OSError, msgspec.MsgspecError):
        return None
