"""Which of a unit's last fixes is believed: a pure function of their set, so arrival order cannot matter.

Reports come late, twice and out of order, and receivers now and then place a car in another county. A unit
therefore keeps its `WINDOW` newest fixes of acceptable accuracy, ordered by fix time, and the marker is read
off that window:

- while trusted, each fix that could have been reached at `MAX_SPEED_KMH` becomes the marker;
- one that could not (a *jump*), or a fix of poor accuracy in between, makes the unit *suspect*: the marker
stays;
- `GOOD_FIXES` good fixes in a row, each within reach of the one before, restore it at the newest of them.

A window that is full has forgotten what came before it; it starts at the first three fixes that agree, so a
jump that slid to its front is not believed for that. Everything is vectorised over units.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FIX",
    "FIX_FIELDS",
    "GOOD_FIXES",
    "MAX_ACCURACY_M",
    "MAX_SPEED_KMH",
    "NEVER",
    "WINDOW",
    "Belief",
    "believe",
    "merge",
    "newest",
    "reachable",
    "tie_keys",
]

WINDOW: Final = 8
GOOD_FIXES: Final = 3
MAX_SPEED_KMH: Final = 250.0
MAX_ACCURACY_M: Final = 200.0
_MAX_SPEED_MPS: Final = MAX_SPEED_KMH / 3.6
_METRES_PER_UNIT: Final = 6_371_008.8 * np.pi / 180 * 1e-7
# Two fixes of the same second say nothing about speed; their noise would.
_MIN_STEP_S: Final = 1.0

NEVER: Final = -np.inf

FIX: Final = np.dtype(
    [
        ("at", "f8"),  # seconds since 1970, whole milliseconds; -inf marks an empty slot
        ("lon", "i4"),  # 1e-7 degrees
        ("lat", "i4"),
        ("accuracy", "f4"),  # metres, NaN unknown
        ("speed", "f4"),  # km/h, NaN unknown
        ("heading", "f4"),  # degrees clockwise from north, NaN unknown
        ("battery", "f4"),  # 0 … 1, NaN unknown
    ]
)
"""One position fix."""
FIX_FIELDS: Final = list(FIX.names or ())


class Belief(NamedTuple):
    """What windows say, one element per unit."""

    marker: NDArray[np.intp]
    """Index of the believed fix in its window; -1 for an empty window."""
    suspect: NDArray[np.bool_]
    calm: NDArray[np.bool_]
    """All neighbours agree and nothing bad lies between: the next good fix needs no second look."""


def reachable(
    lon0: NDArray[np.int32],
    lat0: NDArray[np.int32],
    at0: NDArray[np.float64],
    lon1: NDArray[np.int32],
    lat1: NDArray[np.int32],
    at1: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether the second fix can be reached from the first at `MAX_SPEED_KMH`.

    Args:
        lon0: Longitude of the first fix, 1e-7 degrees WGS-84; the others alike.
        lat0: Its latitude.
        at0: Its time, seconds; -inf for "no fix before", from which everything is reachable.
        lon1: Longitude of the second fix.
        lat1: Its latitude.
        at1: Its time.

    Returns:
        One boolean per pair. The distance is equirectangular, within 0.5 % below 100 km, which is ample for a
        limit.
    """
    mean_lat = (lat0.astype(np.float64) + lat1) * (0.5e-7 * np.pi / 180)
    east = (lon1.astype(np.float64) - lon0) * np.cos(mean_lat)
    north = lat1.astype(np.float64) - lat0
    with np.errstate(invalid="ignore"):  # empty slot to empty slot: NaN, hence not reachable
        limit = np.maximum(at1 - at0, _MIN_STEP_S) * (_MAX_SPEED_MPS / _METRES_PER_UNIT)
    near: NDArray[np.bool_] = east * east + north * north <= limit * limit
    return near


def tie_keys(fixes: NDArray[np.void]) -> tuple[NDArray[Any], ...]:
    """Keys, least significant first, that order fixes of one moment: best accuracy last."""
    accuracy = np.where(np.isnan(fixes["accuracy"]), np.inf, fixes["accuracy"])
    rest = [np.nan_to_num(fixes[name], nan=-1.0) for name in ("battery", "speed", "heading")]
    return (*rest, fixes["lat"], fixes["lon"], -accuracy)


def newest(one: NDArray[np.void], other: NDArray[np.void]) -> NDArray[np.void]:
    """The newer fix of each pair, by `tie_keys` when they are of one moment."""
    pairs = np.stack([one, other], axis=1)
    order = np.lexsort((*tie_keys(pairs), pairs["at"]), axis=-1)
    return np.take_along_axis(pairs, order, axis=1)[:, -1]


def merge(windows: NDArray[np.void], fresh: NDArray[np.void]) -> NDArray[np.void]:
    """Merge new fixes into windows: the `WINDOW` newest of distinct time.

    Args:
        windows: (n, WINDOW) `FIX`.
        fresh: (n, m) `FIX`, empty slots at -inf.

    Returns:
        (n, WINDOW) `FIX`, ascending by time, empty slots first.
    """
    everything = np.concatenate([windows, fresh], axis=1)
    order = np.lexsort((*tie_keys(everything), everything["at"]), axis=-1)
    everything = np.take_along_axis(everything, order, axis=1)
    at = everything["at"]
    twice = np.zeros(at.shape, np.bool_)
    twice[:, :-1] = (at[:, :-1] == at[:, 1:]) & (at[:, :-1] > NEVER)
    if twice.any():
        everything["at"][twice] = NEVER
        everything = np.take_along_axis(
            everything, np.argsort(everything["at"], axis=1, kind="stable"), axis=1
        )
    return everything[:, -WINDOW:]


def believe(windows: NDArray[np.void], bad_at: NDArray[np.float64]) -> Belief:
    """Read markers off windows.

    Args:
        windows: (n, WINDOW) `FIX`, ascending, empty slots first.
        bad_at: (n,) time of the newest fix of poor accuracy, -inf for none.
    """
    n = len(windows)
    at, lon, lat = windows["at"], windows["lon"], windows["lat"]
    filled = at > NEVER
    # "agrees[:, i]": fix i is within reach of fix i-1.
    agrees = np.zeros(at.shape, np.bool_)
    agrees[:, 1:] = filled[:, :-1] & reachable(
        lon[:, :-1], lat[:, :-1], at[:, :-1], lon[:, 1:], lat[:, 1:], np.where(filled[:, 1:], at[:, 1:], 0.0)
    )
    full = filled[:, 0]
    first = np.argmax(filled, axis=1)
    runs = agrees[:, 1:-1] & agrees[:, 2:]
    first = np.where(full & runs.any(axis=1), np.argmax(runs, axis=1), first)

    everyone = np.arange(n)
    anchor = np.where(filled.any(axis=1), first, -1)
    suspect = np.zeros(n, np.bool_)
    streak = np.zeros(n, np.int8)
    previous_at = at[everyone, first]
    for i in range(1, WINDOW):
        live = filled[:, i] & (i > first) & (anchor >= 0)
        if not live.any():
            continue
        # A poor fix between this one and the one before breaks trust and any streak.
        broken = live & (bad_at > previous_at) & (bad_at <= at[:, i])
        suspect |= broken
        streak[broken] = 0
        from_anchor = reachable(
            lon[everyone, anchor], lat[everyone, anchor], at[everyone, anchor], lon[:, i], lat[:, i], at[:, i]
        )
        follows = live & ~suspect & from_anchor
        jumps = live & ~suspect & ~from_anchor
        doubted = live & suspect
        continues = doubted & (agrees[:, i] & ~broken | from_anchor)
        streak = np.where(
            doubted, np.where(continues, np.where(agrees[:, i] | broken, streak, 0) + 1, 0), streak
        )
        restored = doubted & (streak >= GOOD_FIXES)
        anchor = np.where(follows | restored, i, anchor)
        suspect = (suspect | jumps) & ~restored
        streak[jumps | restored] = 0
        previous_at = np.where(live, at[:, i], previous_at)
    newest_at = at[:, -1]
    suspect |= (bad_at > newest_at) & (anchor >= 0)
    gaps_agree = (agrees | ~filled | (np.arange(WINDOW) == np.argmax(filled, axis=1)[:, None])).all(axis=1)
    calm = ~suspect & gaps_agree & (bad_at <= at[:, 0])
    return Belief(anchor, suspect, calm)
