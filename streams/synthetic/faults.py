"""What can be wrong with a drawn camera, and when."""

import random
from typing import Final, Literal, get_args

import msgspec

PictureFault = Literal["frozen", "black", "no_signal", "covered", "blurred", "noise", "colour_cast", "moved"]
LinkFault = Literal["down", "stall", "drop", "unauthorized", "lying_sdp", "byte_flips"]
FaultKind = Literal[PictureFault, LinkFault]

PICTURE_FAULTS: Final[frozenset[str]] = frozenset(get_args(PictureFault))
_SLOT_S: Final = 5400.0
# What happens how often, and for how long: a broken link mends itself sooner than a dirty lens.
_KINDS: Final[tuple[tuple[FaultKind, float, float, float], ...]] = (
    ("down", 34, 180, 1500),
    ("stall", 6, 120, 600),
    ("unauthorized", 4, 900, 2400),
    ("frozen", 8, 1500, 4200),
    ("black", 6, 1500, 4200),
    ("no_signal", 6, 1500, 4200),
    ("covered", 9, 1800, 4800),
    ("blurred", 11, 1800, 4800),
    ("noise", 6, 1500, 4200),
    ("colour_cast", 6, 1500, 4200),
    ("moved", 6, 2400, 5000),
)
_MEAN_S: Final = sum(weight * (low + high) / 2 for _, weight, low, high in _KINDS) / sum(k[1] for k in _KINDS)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with a camera.

    Attributes:
        kind: What.
        since: Seconds since 1970; a frozen picture is the one of this moment.
    """

    kind: FaultKind
    since: float = 0.0


class Schedule:
    """Faults that come and go by themselves; the same seed, the same faults at the same times.

    Args:
        seed: Source of chance.
        share: Of the cameras that are faulty at any time, about.
    """

    def __init__(self, seed: int, share: float) -> None:
        self._seed = seed
        self._often = min(1.0, share * _SLOT_S / _MEAN_S)

    def fault(self, number: int, at: float) -> Fault | None:
        """Return what is wrong with a camera at a time."""
        slot = int(at // _SLOT_S)
        for which in (slot, slot - 1):
            found = self._in_slot(number, which)
            if found is not None and found[0].since <= at < found[0].since + found[1]:
                return found[0]
        return None

    def _in_slot(self, number: int, slot: int) -> tuple[Fault, float] | None:
        chance = random.Random(f"{self._seed}/{number}/{slot}")
        if chance.random() >= self._often:
            return None
        kind, _, low, high = chance.choices(_KINDS, [weight for _, weight, _, _ in _KINDS])[0]
        since = slot * _SLOT_S + chance.uniform(0, _SLOT_S)
        return Fault(kind=kind, since=round(since, 1)), chance.uniform(low, high)
