"""What the health process and the web process tell each other over their `Link`.

Served by the health process: ``configure`` (`HealthConfig`), ``check`` (`CheckOrder` → `HealthReport`),
``accept_reference`` (`ReferenceOrder` → `HealthReport`), ``still`` (`StillOrder` → `Still`), ``figures``
(None → dict of name to number).

Called by it: ``key_frame`` (`KeyFrameOrder` → `KeyFrame` or None), for every check. The web process answers from
its hub when somebody watches the camera, so that a check opens no second session. It answers None when nobody
does: the health process then opens the camera itself, except for a GB/T 28181 channel, which only its own process
can invite. Noted by it: ``report`` (`HealthReport`), once per check.
"""

from datetime import datetime
from typing import Literal

import msgspec

from streams.media import KeyFrame
from streams.source import CameraSpec

Status = Literal["unknown", "live", "degraded", "stale", "offline"]
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
Light = Literal["day", "dusk", "night", "ir"]


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the sweep needs; a later one replaces the earlier one whole.

    Attributes:
        cameras: All cameras; the ones that are not enabled are skipped.
        folder: Where pictures and references are kept, one small set of files per camera.
        movable: Ids of cameras that pan and tilt: these are never called moved, covered or blurred by comparison.
        interval_s: Between two checks of a camera.
        parallel: Most sessions open at once.
        per_host_per_s: Most sessions opened per second at one host, recorder or GB/T 28181 device.
        confirm: Checks in a row that must agree before a status changes.
        grab_s: Longest wait for a key frame.
        networks: CIDR blocks cameras may be in.
        protocols: Protocols that may be used.
        files: Folder below which ``file`` sources live.
        soon_s: Before a check that disagrees with what is known is repeated.
    """

    cameras: tuple[CameraSpec, ...] = ()
    folder: str = ""
    movable: tuple[str, ...] = ()
    interval_s: float = 300.0
    parallel: int = 65
    per_host_per_s: float = 2.0
    confirm: int = 2
    grab_s: float = 12.0
    networks: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ("rtsp", "gb28181")
    files: str | None = None
    soon_s: float = 20.0


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found, and what that makes of the camera.

    Attributes:
        camera_id: The registry's id.
        at: When it was checked (or, for ``stale``, when that was noticed), aware UTC.
        status: After this check; changes only when `confirm` checks agree.
        fault: Confirmed fault; None while the camera is live, stale or unknown.
        since: When status and fault last changed; None before the first change.
        transition: Whether status or fault changed with this report.
        light: By which reference the picture was judged; None without a picture.
        measures: Name to value, what the verdict rests on; empty without a picture.
        suspected: What this check alone would say; equals `fault` once confirmed.
        reason: Error code of a failed grab (`streams.errors`), or None.
        detail: The error's text, without credentials.
        pictured: Whether this check renewed the camera's thumbnail.
        has_reference: Whether there is a reference for this light.
    """

    camera_id: str
    at: datetime
    status: Status
    fault: Fault | None
    since: datetime | None = None
    transition: bool = False
    light: Light | None = None
    measures: dict[str, float] = {}
    suspected: Fault | None = None
    reason: str | None = None
    detail: str | None = None
    pictured: bool = False
    has_reference: bool = False


class CheckOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Check a camera now, ahead of its turn."""

    camera_id: str


class ReferenceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The last alarm was false: what the camera shows now becomes its reference."""

    camera_id: str


class KeyFrameOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Give the present key frame of a camera if it is there without opening a session."""

    camera_id: str


class StillOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Decode a picture.

    Attributes:
        camera_id: Whose.
        frame: What to decode; None grabs one now.
        width: Most pixels across; 0 leaves the size.
    """

    camera_id: str
    frame: KeyFrame | None = None
    width: int = 0


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """One picture as JPEG."""

    jpeg: bytes
    taken_at: datetime
    width: int
    height: int
