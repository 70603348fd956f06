"""Everything that `gis` can refuse, as one tree.

GisError
├── BadFile          a file that cannot be read as what it claims to be
├── CrsMismatch      a coordinate reference system is unknown, or does not fit its coordinates
├── UnknownArea      no area or beat has this code
├── AreaConflict     the areas contradict each other (same code twice, a parent that is missing)
├── BadShape         a drawn shape that is none: too few points, off the earth, a ring that crosses itself
├── EditRefused      an edit of outlines makes no sense, or would break one of them
├── NoRoads          a road file without one road that the profile may use
└── ToolFailed       an outside program (the tile builder, the file reader) failed or took too long
"""

from __future__ import annotations


class GisError(Exception):
    """Base of every error raised by `gis`."""


class BadFile(GisError):
    """A file cannot be read.

    Args:
        path: The file as the caller named it.
        where: The place inside it ("row 12", "layer roads", "header"), or "file" for the whole.
        reason: What is wrong, one sentence for a person.
    """

    def __init__(self, path: str, where: str, reason: str) -> None:
        super().__init__(f"{path}: {where}: {reason}")
        self.path = path
        self.where = where
        self.reason = reason


class CrsMismatch(GisError):
    """A coordinate reference system is unknown or contradicts the coordinates."""


class UnknownArea(GisError, LookupError):
    """No area or beat has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no area has the code {code!r}")
        self.code = code


class AreaConflict(GisError):
    """Areas or beats contradict each other."""


class BadShape(GisError):
    """A shape drawn on the map is none; the text says why."""


class EditRefused(GisError):
    """An edit of outlines cannot be carried out.

    Args:
        reason: A word for programs: not_on_border, junction, overlap, gap, outside_parent, invalid, …
        detail: One sentence for a person.
        at: Where, lon/lat degrees, or None where there is no one place.
        keys: Codes of the areas concerned.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        at: tuple[float, float] | None = None,
        keys: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.at = at
        self.keys = keys


class NoRoads(GisError):
    """A road file holds nothing that the profile may use."""


class ToolFailed(GisError):
    """An outside program failed or ran past its time limit."""

    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(f"{tool}: {reason}")
        self.tool = tool
        self.reason = reason
