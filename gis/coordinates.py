"""A point that somebody typed or pasted: decimal degrees or degrees, minutes and seconds, in any of our datums."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from gis.crs import BD09, GCJ02, WGS84, lonlat_from

BBox = tuple[float, float, float, float]

_DATUMS: Final = (
    (re.compile(r"[(\[]?\s*(?:gcj\W?0?2|gcj|高德|腾讯|火星)(?:坐标系?)?\s*[)\]]?", re.IGNORECASE), GCJ02),
    (re.compile(r"[(\[]?\s*(?:bd\W?0?9(?:ll)?|百度)(?:坐标系?)?\s*[)\]]?", re.IGNORECASE), BD09),
    (re.compile(r"[(\[]?\s*(?:wgs\W?84|cgcs2000|epsg:4326|gps)(?:坐标系?)?\s*[)\]]?", re.IGNORECASE), WGS84),
)
_WORDS: Final = (
    ("东经", "E"), ("西经", "W"), ("北纬", "N"), ("南纬", "S"),
    ("经度", "E"), ("纬度", "N"), ("longitude", "E"), ("latitude", "N"), ("lng", "E"), ("lon", "E"), ("lat", "N"),
    ("度", "°"), ("分", "'"), ("秒", '"'), ("º", "°"), ("’", "'"), ("′", "'"), ("”", '"'), ("″", '"'), ("''", '"'),
)  # fmt: skip
_ANGLE: Final = re.compile(
    r"""\s*(?P<before>[NSEW])?\s*[:=]?\s*(?P<degrees>[+-]?\d{1,3}(?:\.\d{1,15})?)\s*°?
    (?:(?<=°)\s*(?P<minutes>\d{1,2}(?:\.\d{1,12})?)\s*'\s*(?:(?P<seconds>\d{1,2}(?:\.\d{1,10})?)\s*"?)?)?
    \s*(?P<after>[NSEW](?![A-Z]))?\s*""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TypedPoint:
    """A point, WGS-84 degrees, and the datum it was given in (`gis.crs`)."""

    lon: float
    lat: float
    datum: str


def read_point(text: str, bounds: BBox | None = None) -> TypedPoint | None:
    r"""Read a point.

    Args:
        text: "106.91,37.23", "37.23 106.91", "106°54'36\"E 37°13'48\"N", "东经106.91° 北纬37.23°", each with a
            datum's name before or after it, or without: WGS-84.
        bounds: (west, south, east, north) of where one is. Two bare numbers are lon, lat, unless only the other
            way round is on the globe or, with bounds, within five degrees of them.

    Returns:
        None for anything else; a bare pair of whole numbers is not a point either.

    >>> read_point("106.91,37.23")
    TypedPoint(lon=106.91, lat=37.23, datum='EPSG:4326')
    >>> read_point("37.23 106.91") == read_point("106°54'36\"E 37°13'48\"N")
    True
    >>> point = read_point("116.410244, 39.916404 GCJ-02")
    >>> f"{point.lon:.4f} {point.lat:.4f} {point.datum}"
    '116.4040 39.9150 GCJ-02'
    >>> read_point("人民路 12"), read_point("340604 001"), read_point("200,95")
    (None, None, None)
    """
    rest, datum = unicodedata.normalize("NFKC", text.replace("″", '"').replace("′", "'")).strip(), WGS84
    for pattern, name in _DATUMS:
        shorter = pattern.sub(" ", rest, count=1)
        if shorter != rest:
            rest, datum = shorter.strip(" :;,"), name
            break
    for word, sign in _WORDS:
        rest = re.sub(re.escape(word), sign, rest, flags=re.IGNORECASE)
    first = _ANGLE.match(rest)
    if first is None:
        return None
    gap = re.compile(r"\s*[,;、/]\s*|").match(rest, first.end())
    assert gap is not None  # it matches nothing too
    second = _ANGLE.fullmatch(rest, gap.end())
    if second is None or not (
        gap.group() or rest[first.end() - 1].isspace() or first["after"] or second["before"]
    ):
        return None
    if not any(mark in rest for mark in ".°NSEWnsew"):
        return None
    a, b = _degrees(first), _degrees(second)
    if a is None or b is None:
        return None
    point = _ordered(a, _axis(first), b, _axis(second), bounds)
    if point is None:
        return None
    lon, lat = lonlat_from(datum, *point)
    # A tenth of a millimetre: what is beyond is the noise of minutes and seconds.
    return TypedPoint(round(float(lon), 9), round(float(lat), 9), datum)


def _degrees(found: re.Match[str]) -> float | None:
    minutes, seconds = float(found["minutes"] or 0), float(found["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    value = float(found["degrees"])
    size = abs(value) + minutes / 60 + seconds / 3600
    side = (found["before"] or found["after"] or "").upper()
    return -size if side in ("S", "W") or found["degrees"].startswith("-") else size


def _axis(found: re.Match[str]) -> str | None:
    side = (found["before"] or found["after"] or "").upper()
    return ("lat" if side in "NS" else "lon") if side else None


def _ordered(
    a: float, axis_a: str | None, b: float, axis_b: str | None, bounds: BBox | None
) -> tuple[float, float] | None:
    """Lon and lat, or None where both say the same axis or nothing fits the globe."""
    if axis_a is not None and axis_a == axis_b:
        return None
    straight, crossed = (a, b), (b, a)
    if axis_a is not None or axis_b is not None:
        choices = [straight if axis_a == "lon" or axis_b == "lat" else crossed]
    else:
        choices = [straight, crossed]
        if bounds is not None:
            west, south, east, north = bounds
            choices.sort(key=lambda p: not (west - 5 <= p[0] <= east + 5 and south - 5 <= p[1] <= north + 5))
    return next((p for p in choices if abs(p[0]) <= 180 and abs(p[1]) <= 90), None)
