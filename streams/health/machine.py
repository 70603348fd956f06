"""From verdicts to a status: what a camera is said to be changes only when several checks agree. Pure.

::

    unknown ──healthy──▶ live ◀──healthy──▶ degraded(fault)        stale: not checked for three intervals;
       └──────────────────┴──no picture──▶ offline(signal_lost)    the next check leads out of it again

Every arrow but the first needs `confirm` checks in a row, and more of them for a camera that keeps changing its
mind. A check that disagrees with the status is repeated soon, so that a fault is known after seconds although a
camera's turn comes every five minutes.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from streams.health.messages import Fault, Status

_SLOW_FACTOR: Final = 6
_MOST_FLAPS: Final = 6
_QUICK_INTERVALS: Final = 6.0
STALE_INTERVALS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says.

    Attributes:
        kind: ``picture``: there was one; ``lost``: there was none; ``refused``: the device does not accept our
            credentials; ``barred``: we may not open it; ``busy``: no session was free, which says nothing about
            the camera.
        fault: Of the picture.
        slow: The fault needs many checks, and sooner ones do not help.
    """

    kind: Literal["picture", "lost", "refused", "barred", "busy"]
    fault: Fault | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What a camera is said to be, and what is held against it.

    Attributes:
        status: ``stale`` covers the one below until the next check.
        fault: Confirmed.
        under: Status and fault before it went stale.
        checked_s: Last check that said something.
        changed_s: Last change.
        doubt: What the last checks say instead.
        doubts: How many of them in a row.
        odd: How many checks in a row said anything but the status.
        flaps: Changes that came soon after another.
        held: It is not checked before its source changes, and so does not go stale.
    """

    status: Status = "unknown"
    fault: Fault | None = None
    under: tuple[Status, Fault | None] | None = None
    checked_s: float = 0.0
    changed_s: float | None = None
    doubt: tuple[Status, Fault | None] | None = None
    doubts: int = 0
    odd: int = 0
    flaps: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one check.

    Attributes:
        condition: From now on.
        transition: Status or fault changed.
        soon: Repeat the check soon.
        held: Do not repeat it before the camera's source changes.
    """

    condition: Condition
    transition: bool
    soon: bool = False
    held: bool = False


class Machine:
    """The rules, with their settings.

    Args:
        confirm: Checks in a row that must agree.
        interval_s: Between two checks of a camera.
    """

    def __init__(self, confirm: int, interval_s: float) -> None:
        self._confirm = max(1, confirm)
        self._interval_s = interval_s

    def check(self, before: Condition, finding: Finding, now_s: float) -> Step:
        """Take what a check says."""
        if finding.kind == "busy":
            return Step(before, False)
        held = finding.kind in ("refused", "barred")
        aim = _aim(finding)
        status, fault = (
            before.under if before.status == "stale" and before.under else (before.status, before.fault)
        )
        awake = replace(before, status=status, fault=fault, under=None, checked_s=now_s, held=held)
        woken = before.status == "stale"
        if aim == (status, fault):
            return Step(replace(awake, doubt=None, doubts=0, odd=0), woken, held=held)
        doubts = before.doubts + 1 if before.doubt == aim else 1
        doubtful = replace(awake, doubt=aim, doubts=doubts, odd=before.odd + 1)
        if held or (status == "unknown" and aim[0] == "live"):
            return Step(self._changed(doubtful, aim, now_s), True, held=held)
        needed = self._confirm * (_SLOW_FACTOR if finding.slow else 1) + before.flaps // 2
        if doubts >= needed or (not finding.slow and status != "degraded" and doubtful.odd >= 2 * needed):
            return Step(self._changed(doubtful, aim, now_s), True)
        return Step(doubtful, woken, soon=not finding.slow)

    def accept(self, before: Condition, now_s: float) -> Step:
        """Take a person's word that the camera is well."""
        if before.status == "live":
            return Step(replace(before, doubt=None, doubts=0, odd=0, checked_s=now_s), False)
        return Step(self._changed(before, ("live", None), now_s), True)

    def wait(self, before: Condition, now_s: float) -> Step:
        """Take that time has passed without a check."""
        if (
            before.status == "stale"
            or before.held
            or now_s - before.checked_s <= STALE_INTERVALS * self._interval_s
        ):
            return Step(before, False)
        stale = replace(before, status="stale", fault=None, under=(before.status, before.fault))
        return Step(replace(stale, doubt=None, doubts=0, odd=0), True)

    def _changed(self, before: Condition, aim: tuple[Status, Fault | None], now_s: float) -> Condition:
        quick = (
            before.changed_s is not None and now_s - before.changed_s <= _QUICK_INTERVALS * self._interval_s
        )
        return Condition(
            status=aim[0],
            fault=aim[1],
            checked_s=now_s,
            changed_s=now_s,
            held=before.held,
            flaps=min(_MOST_FLAPS, before.flaps + 1) if quick else 0,
        )


def _aim(finding: Finding) -> tuple[Status, Fault | None]:
    if finding.kind in ("lost", "barred"):
        return "offline", "signal_lost"
    if finding.kind == "refused":
        return "offline", "unauthorized"
    return ("live", None) if finding.fault is None else ("degraded", finding.fault)
