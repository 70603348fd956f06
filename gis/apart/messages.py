"""What a process that reads a stranger's file says of it, a line of JSON each."""

from __future__ import annotations

import msgspec

from gis.errors import BadFile


class Progress(msgspec.Struct, frozen=True):
    """How far the work on a file is.

    Attributes:
        share: 0 to 1, never falling.
        stage: What is being done, in a word of whoever does it; "waiting" before the process has begun.
        done: Of this stage, where it is counted.
        total: Of this stage, 0 while unknown.
    """

    share: float
    stage: str
    done: int = 0
    total: int = 0


class Refusal(msgspec.Struct, frozen=True):
    """Why a file was refused whole. ``code`` is for programs, ``where`` names the place in the file."""

    code: str
    detail: str
    detail_zh: str
    where: str = "file"


class Refused(BadFile):
    """A file that cannot be used at all.

    Args:
        path: What to call the file.
        refusal: Why.
    """

    def __init__(self, path: str, refusal: Refusal) -> None:
        super().__init__(path, refusal.where, refusal.detail)
        self.refusal = refusal
        self.code = refusal.code
        self.detail = refusal.detail
        self.detail_zh = refusal.detail_zh


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the worker: exactly one of the three."""

    progress: Progress | None = None
    error: Refusal | None = None
    done: bool = False


def refuse(code: str, zh: str, en: str, where: str = "file") -> Refused:
    """Make the error that ends the work on a file; the parent names the file."""
    return Refused("", Refusal(code, en, zh, where))
