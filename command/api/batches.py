"""A list of reports as columns: ten thousand of them should cost the parsing and little else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from command.api.trackers import MILLISECONDS_FROM, MPS_KMH, PositionIn, Unreadable, position
from command.telemetry.state import Verdict, code

__all__ = ["Batch", "readable_batch"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Readable reports in columns, units as in `Report`, NaN where the sender does not know."""

    places: Sequence[int]
    """Where in the request each report stood."""
    units: Sequence[int]
    lon: Floats
    lat: Floats
    fix_at: Floats
    speed_kmh: Floats
    heading_deg: Floats
    accuracy_m: Floats
    battery: Floats
    refusals: list[dict[str, object]]


def readable_batch(
    messages: Sequence[tuple[int, PositionIn]],
    received_at: float,
    unit_of: Callable[[str | None, str | None], int | None],
) -> Batch:
    """Turn reports into columns.

    Args:
        messages: Places and reports.
        received_at: The time of a report that names none.
        unit_of: (device_id, responder_id) to unit; asked once for each pair. It may raise `Unreadable` for a pair
            that names nobody; whatever else it raises ends the batch.
    """
    refusals: list[dict[str, object]] = []
    known: dict[tuple[str | None, str | None], int | dict[str, object]] = {}
    kept: list[PositionIn] = []
    places: list[int] = []
    units: list[int] = []
    times: list[float] = []
    for place, message in messages:
        who = (message.device_id, message.responder_id)
        unit = known.get(who)
        if unit is None:
            unit = known[who] = _resolve(unit_of, *who)
        if isinstance(unit, dict):
            refusals.append({"index": place, **unit})
            continue
        at = message.fix_at if message.fix_at is not None else message.timestamp
        if at is None:
            at = received_at
        elif type(at) is not float and type(at) is not int:
            try:
                at = position(message, received_at).fix_at
            except Unreadable as error:
                refusals.append({"index": place, "reason": "malformed", "field": error.field})
                continue
        kept.append(message)
        places.append(place)
        units.append(unit)
        times.append(float(at))
    fix_at = np.array(times, np.float64)
    fix_at[fix_at >= MILLISECONDS_FROM] /= 1000
    speed = _column([m.speed_kmh for m in kept])
    metres_per_s = _column([m.speed for m in kept])
    heading, other_heading = _column([m.heading_deg for m in kept]), _column([m.heading for m in kept])
    accuracy, other_accuracy = _column([m.accuracy_m for m in kept]), _column([m.accuracy for m in kept])
    battery = _column([m.battery for m in kept])
    heading = np.where(np.isnan(heading), other_heading, heading)
    with np.errstate(invalid="ignore"):
        return Batch(
            places,
            units,
            np.array([m.lon for m in kept], np.float64),
            np.array([m.lat for m in kept], np.float64),
            fix_at,
            np.where(np.isnan(speed), metres_per_s * MPS_KMH, speed),
            np.where(heading < 0, np.nan, heading),
            np.where(np.isnan(accuracy), other_accuracy, accuracy),
            np.where(battery > 1, battery / 100, battery),
            refusals,
        )


def _resolve(
    unit_of: Callable[[str | None, str | None], int | None], device_id: str | None, responder_id: str | None
) -> int | dict[str, object]:
    try:
        unit = unit_of(device_id, responder_id)
    except Unreadable as error:
        return {"reason": "malformed", "field": error.field}
    return {"reason": code(Verdict.UNKNOWN_UNIT)} if unit is None else unit


def _column(values: list[float | None]) -> Floats:
    return np.array(values, np.float64)  # None becomes NaN
