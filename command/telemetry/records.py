"""The binary telemetry frame: a header and sixteen bytes a unit, absolute values (docs/telemetry.md)."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from command.telemetry.trust import NEVER
from command.telemetry.units import UnitTable

__all__ = [
    "HEADER",
    "MAGIC",
    "OFFLINE_S",
    "RECORD",
    "SNAPSHOT",
    "STALE_S",
    "UPLINK",
    "UPLINK_RECORD",
    "VERSION",
    "Status",
    "header",
    "records",
    "status_flags",
]

MAGIC: Final = 0x5459
VERSION: Final = 1
SNAPSHOT: Final = 1
"""Header flag: a full picture of the client's view; units that are not in it are to be forgotten."""
UPLINK: Final = 2
"""Header flag: reports from a gateway (`UPLINK_RECORD`), not positions for a map."""
STALE_S: Final = 30.0
OFFLINE_S: Final = 300.0
_AGE_STEP_S: Final = 2.0
_AGE_STEPS: Final = 511

HEADER: Final = struct.Struct("<HBBIQd")
"""magic, version, flags, count, rev, as_of."""

RECORD: Final = np.dtype(
    [("unit", "<u4"), ("lon", "<i4"), ("lat", "<i4"), ("heading", "u1"), ("speed", "u1"), ("status", "<u2")]
)
UPLINK_RECORD: Final = np.dtype(
    [
        ("unit", "<u4"),
        ("lon", "<i4"),
        ("lat", "<i4"),
        ("age_ms", "<u4"),  # how long before the header's as_of the fix was taken
        ("heading", "u1"),  # degrees x 256 / 360; unknown where the speed is
        ("speed", "u1"),  # km/h, 255 unknown
        ("accuracy", "u1"),  # 2 m steps, 255 unknown
        ("battery", "u1"),  # percent, 255 unknown
    ]
)


class Status:
    """Bits of a record's status; bits 7 … 15 are the fix's age at `as_of` in steps of 2 s."""

    ON_DUTY = 1
    BUSY = 2
    STALE = 4
    OFFLINE = 8
    SUSPECT = 16
    NO_HEADING = 32
    GONE = 64


def header(flags: int, count: int, rev: int, as_of: float) -> bytes:
    """The 24 bytes before the records."""
    return HEADER.pack(MAGIC, VERSION, flags, count, rev, as_of)


def status_flags(units: UnitTable, rows: NDArray[np.intp] | slice, now: float) -> NDArray[np.uint16]:
    """Flag bits of rows, without the age: what must be sent again when it changes.

    Args:
        units: The table.
        rows: Which rows.
        now: Seconds since 1970; staleness is measured against the fix, not against its arrival.
    """
    age = now - units.fix_at[rows]
    flags = units.on_duty[rows] * np.uint16(Status.ON_DUTY)
    flags |= units.busy[rows] * np.uint16(Status.BUSY)
    flags |= (age > STALE_S) * np.uint16(Status.STALE)
    flags |= (age > OFFLINE_S) * np.uint16(Status.OFFLINE)
    flags |= units.suspect[rows] * np.uint16(Status.SUSPECT)
    flags |= np.isnan(units.heading[rows]) * np.uint16(Status.NO_HEADING)
    flags |= units.gone[rows] * np.uint16(Status.GONE)
    return flags


def records(units: UnitTable, rows: NDArray[np.intp], now: float) -> NDArray[np.void]:
    """The records of rows, in their order.

    Returns:
        (n,) `RECORD`. A unit that went off duty has position 0, 0 and the GONE flag and nothing else.
    """
    out = np.empty(len(rows), RECORD)
    out["unit"] = units.unit[rows]
    out["lon"] = units.lon[rows]
    out["lat"] = units.lat[rows]
    # Unknown values are replaced before the cast: casting NaN to an integer is undefined.
    out["heading"] = np.nan_to_num(units.heading[rows] * np.float32(256 / 360) + np.float32(0.5)).astype(
        np.int32
    )
    out["speed"] = np.nan_to_num(np.minimum(units.speed[rows] + np.float32(0.5), 254), nan=255).astype(
        np.int32
    )
    fix_at = units.fix_at[rows]
    age = np.where(fix_at > NEVER, np.clip((now - fix_at) / _AGE_STEP_S, 0, _AGE_STEPS), 0).astype(np.uint16)
    status = status_flags(units, rows, now) | age << 7
    gone = units.gone[rows]
    if gone.any():
        status[gone] = Status.GONE
    out["status"] = status
    return out
