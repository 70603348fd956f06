"""What trackers send, read into reports: OsmAnd and Traccar Client, OwnTracks, and our own JSON.

Pure functions from bytes to `Report`; a report that cannot be read names the field. Speeds differ by
protocol: the OsmAnd query counts in knots, as Traccar reads it, Traccar Client's JSON in m/s, OwnTracks in
km/h.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from command.telemetry.state import Report

__all__ = [
    "PositionIn",
    "Sent",
    "Unreadable",
    "form_fields",
    "osmand",
    "owntracks",
    "position",
    "traccar_json",
]

_KNOT_KMH: Final = 1.852
MPS_KMH: Final = 3.6
# Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000.
MILLISECONDS_FROM: Final = 1e11


class Unreadable(Exception):
    """A report that makes no sense; `field` is the part to look at."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


class Sent(NamedTuple):
    """A report and the name its sender gives itself."""

    device_id: str | None
    report: Report


def form_fields(query: bytes) -> dict[str, str]:
    """The fields of a query string or form body; of a repeated one the last."""
    text = query.decode("utf-8", "replace")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    pairs = (part.partition("=") for part in text.split("&"))
    return {name: value for name, _, value in pairs}


def osmand(fields: dict[str, str], received_at: float) -> Sent:
    """Read an OsmAnd request.

    Fields: `id` or `deviceid`, `lat`, `lon`; optional `timestamp`, `speed` (knots), `bearing` or `heading`,
    `accuracy` (m), `batt`.

    Raises:
        Unreadable: A coordinate is missing or not a number.
    """
    if "location" in fields and "lat" not in fields:
        lat, _, lon = fields["location"].partition(",")
        fields = {**fields, "lat": lat, "lon": lon}
    return Sent(
        fields.get("id") or fields.get("deviceid"),
        Report(
            _number(fields, "lon"),
            _number(fields, "lat"),
            _moment(fields.get("timestamp") or None, received_at, "timestamp"),
            _optional(fields, "speed") * _KNOT_KMH,
            _optional(fields, "bearing", "heading"),
            _optional(fields, "accuracy", "hdop_m"),
            _share(_optional(fields, "batt", "battery")),
        ),
    )


class _Coords(msgspec.Struct):
    latitude: float
    longitude: float
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None


class _Battery(msgspec.Struct):
    level: float | None = None


class _Location(msgspec.Struct):
    coords: _Coords
    timestamp: str | float | None = None
    battery: _Battery | None = None


class _TraccarClient(msgspec.Struct):
    location: _Location
    device_id: str | int | None = None


class _OwnTracks(msgspec.Struct):
    _type: str | None = None
    lat: float | None = None
    lon: float | None = None
    tst: float | None = None
    acc: float | None = None
    vel: float | None = None
    cog: float | None = None
    batt: float | None = None


class PositionIn(msgspec.Struct):
    """One report to `POST /api/v1/positions`; the second name of a value is what browsers call it."""

    lon: float
    lat: float
    device_id: str | None = None
    responder_id: str | None = None
    fix_at: str | float | None = None
    timestamp: str | float | None = None
    speed_kmh: float | None = None
    speed: float | None = None
    """m/s"""
    heading_deg: float | None = None
    heading: float | None = None
    accuracy_m: float | None = None
    accuracy: float | None = None
    battery: float | None = None


_decode_traccar: Final = msgspec.json.Decoder(_TraccarClient).decode
_decode_owntracks: Final = msgspec.json.Decoder(_OwnTracks).decode


def traccar_json(body: bytes, received_at: float) -> Sent:
    """Read the JSON of Traccar Client 9 and later.

    Raises:
        Unreadable: It is not that JSON; the path of the offending value is named.
    """
    try:
        message = _decode_traccar(body)
    except msgspec.DecodeError as error:
        raise unreadable(error) from None
    coords, battery = message.location.coords, message.location.battery
    report = Report(
        coords.longitude,
        coords.latitude,
        _moment(message.location.timestamp, received_at, "timestamp"),
        _or_nan(coords.speed) * MPS_KMH,
        _unless_negative(coords.heading),
        _or_nan(coords.accuracy),
        _share(_or_nan(battery.level if battery else None)),
    )
    return Sent(None if message.device_id is None else str(message.device_id), report)


def owntracks(body: bytes, received_at: float) -> Report | None:
    """Read an OwnTracks message; None for anything that is not a location (they are answered and dropped)."""
    if not body.strip():
        return None
    try:
        message = _decode_owntracks(body)
    except msgspec.ValidationError as error:
        raise unreadable(error) from None
    except msgspec.DecodeError:
        return None
    if message._type != "location":
        return None
    if message.lat is None or message.lon is None:
        raise Unreadable("lat" if message.lat is None else "lon", "missing")
    at = received_at if message.tst is None else message.tst
    return Report(
        message.lon,
        message.lat,
        at,
        _or_nan(message.vel),
        _unless_negative(message.cog),
        _or_nan(message.acc),
        _share(_or_nan(message.batt), percent=True),
    )


def position(message: PositionIn, received_at: float) -> Report:
    """Read one of our own reports.

    Raises:
        Unreadable: Its time cannot be read.
    """
    at = message.fix_at if message.fix_at is not None else message.timestamp
    speed = message.speed_kmh if message.speed_kmh is not None else _or_nan(message.speed) * MPS_KMH
    heading = message.heading_deg if message.heading_deg is not None else message.heading
    accuracy = message.accuracy_m if message.accuracy_m is not None else message.accuracy
    return Report(
        message.lon,
        message.lat,
        received_at if at is None else _moment(at, received_at, "fix_at"),
        speed,
        _unless_negative(heading),
        _or_nan(accuracy),
        _share(_or_nan(message.battery)),
    )


_PATH: Final = re.compile(r"\$(?:\[\d+\]|\[\.\.\.\])?\.?([\w.]*)")
_MISSING: Final = re.compile(r"required field `(\w+)`")


def unreadable(error: msgspec.DecodeError) -> Unreadable:
    """Say which field a decoder stumbled over."""
    text = str(error)
    missing = _MISSING.search(text)
    path = _PATH.search(text)
    field = missing.group(1) if missing else path.group(1) if path and path.group(1) else "body"
    return Unreadable(field.rpartition(".")[2], text)


def _number(fields: dict[str, str], name: str) -> float:
    try:
        return float(fields[name])
    except KeyError:
        raise Unreadable(name, "missing") from None
    except ValueError:
        raise Unreadable(name, "not a number") from None


def _optional(fields: dict[str, str], *names: str) -> float:
    for name in names:
        if name in fields:
            try:
                return float(fields[name])
            except ValueError:
                return math.nan
    return math.nan


def _moment(value: str | float | None, received_at: float, field: str) -> float:
    """Seconds since 1970 from seconds, milliseconds or an ISO time (UTC when it names no offset)."""
    if value is None:
        return received_at
    try:
        number = float(value)
    except ValueError:
        try:
            at = datetime.fromisoformat(str(value))
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise Unreadable(field, "neither seconds, milliseconds nor an ISO time") from None
    return number / 1000 if number >= MILLISECONDS_FROM else number


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _unless_negative(value: float | None) -> float:
    return math.nan if value is None or value < 0 else value


def _share(value: float, *, percent: bool = False) -> float:
    return value / 100 if percent or value > 1 else value
