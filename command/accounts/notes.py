"""Records from a terminal beside a running service: handed over as small files, entered by it, which alone writes.

A command leaves its note and goes on only once the service has taken it, so what is not recorded does not happen. A
note can say that layers were taken out and nothing else, and whose file it is says who: the reader of a note
believes its owner, not its text.
"""

import asyncio
import os
import pwd
import stat
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
import structlog

from command.accounts.audit import AuditLog
from command.errors import Unavailable, YipingError

log = structlog.get_logger("notes")

FOLDER: Final = "audit-notes"
"""In the data folder; made by the service, so that without one nothing waits in vain."""
ACTION: Final = "data.exported"
CLI: Final = "cli"
_MOST_BYTES: Final = 16_384
_MOST_A_ROUND: Final = 100
ROUND_S: Final = 1.0
_LOOK_S: Final = 0.05


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was taken out: layer and area, how, how much, to where, and by which login."""

    layer: str
    area: str
    format: str
    crs: str
    rows: int
    since: str | None
    until: str | None
    file: str
    login: str | None

    def facts(self, uid: int) -> dict[str, object]:
        """Return the entry's data; `uid` is of whoever ran the command."""
        return {
            "format": self.format,
            "crs": self.crs,
            "rows": self.rows,
            "from": self.since,
            "to": self.until,
            "file": self.file,
            "os_user": user_name(uid),
            "login": self.login,
        }


def user_name(uid: int) -> str:
    """Return the operating system's name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def login_name() -> str | None:
    """Return who signed in to the machine, where that is another than who runs the command; None: not known."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return os.getlogin()
    except OSError:
        return None


def hand_over(folder: Path, note: Note, wait_s: float) -> None:
    """Leave a note and wait until the service has entered it. Blocking.

    Raises:
        Unavailable: It was not entered; the note is taken back.
    """
    path = folder / f"{uuid4().hex}.json"
    part = path.with_suffix(".part")
    try:
        part.write_bytes(msgspec.json.encode(note))
        part.chmod(0o644)  # the service may be another user; it says nothing secret
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(
            f"The data folder is in use, and no record could be left for it in {folder} "
            f"({error.strerror}); nothing was taken out."
        ) from error
    until = time.monotonic() + wait_s
    while path.exists():
        if time.monotonic() > until:
            try:
                path.unlink()
            except FileNotFoundError:
                return
            raise Unavailable(
                f"The running service did not record it within {wait_s:g} s; nothing was taken out."
            )
        time.sleep(_LOOK_S)


class Notes:
    """The service's side: enters what is left.

    Args:
        folder: Where notes are left; made when running.
        audit: The record.
    """

    def __init__(self, folder: Path, audit: AuditLog) -> None:
        self._folder = folder
        self._audit = audit

    async def run(self) -> None:
        """Look each second until cancelled."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        while True:
            try:
                await self.round()
            except (YipingError, OSError) as error:
                log.warning("records left by commands could not be entered", reason=str(error))
            await asyncio.sleep(ROUND_S)

    async def round(self) -> None:
        """Enter what is there, each before it is removed: a crash in between enters it twice, never not at all."""
        for path in await asyncio.to_thread(_waiting, self._folder):
            found = await asyncio.to_thread(_read, path)
            if found is None:
                log.warning("no record", file=path.name)
            else:
                note, uid = found
                await self._audit.record(CLI, ACTION, f"{note.layer}:{note.area}", data=note.facts(uid))
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _waiting(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        found = sorted(entry.path for entry in entries if entry.name.endswith(".json"))
    return [Path(path) for path in found[:_MOST_A_ROUND]]


def _read(path: Path) -> tuple[Note, int] | None:
    """Return a note and its owner; None for what is none, among it links and pipes."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            return None
        try:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=Note), status.st_uid
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
