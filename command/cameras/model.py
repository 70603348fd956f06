"""What a camera of the registry is, and the small things said of it."""

import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from command.errors import Malformed, NotFound, StaleVersion

if TYPE_CHECKING:
    from command.board import Picture

Network = Literal["xueliang", "bureau", "social"]
NETWORKS: Final[tuple[Network, ...]] = get_args(Network)
Fault = Literal[
    "signal_lost",
    "unauthorized",
    "black",
    "no_signal",
    "frozen",
    "blurred",
    "covered",
    "colour_cast",
    "noise",
    "moved",
]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


class Status(StrEnum):
    """How a camera is, as the last checks left it."""

    UNKNOWN = "unknown"
    """Never looked at, or it has no source."""
    LIVE = "live"
    DEGRADED = "degraded"
    """A picture comes, and something is wrong with it."""
    STALE = "stale"
    """The last checks failed, not often enough to call it offline."""
    OFFLINE = "offline"
    DISABLED = "disabled"
    """Switched off by hand: nothing is pulled or checked."""

    @classmethod
    def _missing_(cls, value: object) -> "Status | None":
        # What logs and checkpoints called it before pictures were judged.
        return cls.LIVE if value == "online" else None


WATCHABLE: Final = frozenset({Status.LIVE, Status.DEGRADED})
"""A picture comes: what counts as online (在线)."""


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """One camera of the registry. Angles in degrees, clockwise from north; field meanings: ``docs/events.md``."""

    id: str
    name: str
    lon: float
    lat: float
    gb_id: str | None = None
    network: Network = "xueliang"
    site_type: str | None = None
    azimuth: float | None = None
    fov: float | None = None
    height_m: float | None = None
    tilt: float | None = None
    range_m: float | None = None
    ptz: bool = False
    grid: str | None = None
    area: str | None = None
    station: str | None = None
    tour_groups: tuple[str, ...] = ()
    source: str | None = None
    enabled: bool = True
    status: Status = Status.UNKNOWN
    fault: Fault | None = None
    fault_since: str | None = None
    version: int = 1


def camera_of(picture: "Picture", camera_id: str, expected_version: int | None = None) -> Camera:
    """Return the camera.

    Raises:
        NotFound: It is not in the registry.
        StaleVersion: It is no longer at ``expected_version``.
    """
    found = picture.cameras.get(camera_id)
    if found is None:
        raise NotFound("camera", camera_id)
    check_version(found.version, expected_version)
    return found


def check_version(actual: int, expected: int | None) -> None:
    """Refuse a change that was decided on another version.

    Raises:
        StaleVersion: ``expected`` is given and not the actual one.
    """
    if expected is not None and expected != actual:
        raise StaleVersion(expected, actual)


_INVISIBLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_text(field: str, text: str, most: int, *, least: int = 1) -> str:
    """Return a name stripped, if people can read it and it is what it looks like.

    Raises:
        Malformed: Too short, too long, or with characters that control a terminal, a line or its direction.
    """
    stripped = text.strip()
    if not least <= len(stripped) <= most:
        raise Malformed(field, f"{least} to {most} characters" if least else f"at most {most} characters")
    for character in stripped:
        if character in _BIDI or unicodedata.category(character) in _INVISIBLE:
            raise Malformed(field, f"the character U+{ord(character):04X} is not allowed in it")
    return stripped
