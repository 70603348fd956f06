"""What a GB/T 28181 device says of its channels, as cameras of the registry."""

from typing import Final

from command.accounts.visibility import significant
from command.cameras import Camera, checked_text
from command.district import District
from command.errors import Malformed
from streams.gb28181.messages import GbChannel

_MOVABLE_TYPES: Final = frozenset({1, 2, 4})


def camera_of(channel: GbChannel, district: District) -> Camera | None:
    """Return the camera a channel describes, or None where nobody could say even roughly where it is.

    Many devices know their division but not their place: such a camera stands in the middle of it, in no grid,
    until somebody puts it where it hangs.
    """
    areas = district.areas
    lon, lat, grid = channel.lon, channel.lat, None
    area = significant(channel.civil_code) if channel.civil_code else ""
    if lon is not None and lat is not None and _is_place(lon, lat):
        found = areas.locate(lon, lat).areas
        grid, area = found.get(4), found.get(3) or found.get(2) or area
    elif area in areas:
        lon, lat = areas.label_point(area)
    elif (bounds := district.bounds) is not None:
        lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    else:
        return None
    try:
        name = checked_text("name", channel.name.strip() or channel.channel_id, 80)
    except Malformed:
        name = channel.channel_id
    return Camera(
        id=f"c_{channel.channel_id}",
        name=name,
        lon=lon,
        lat=lat,
        gb_id=channel.channel_id,
        grid=grid,
        area=area if area in areas else None,
        ptz=channel.ptz_type in _MOVABLE_TYPES,
        source="gb28181",
    )


def _is_place(lon: float, lat: float) -> bool:
    """Say whether a device's place is one: many send zeros."""
    return -180 <= lon <= 180 and -90 <= lat <= 90 and (abs(lon) > 1e-6 or abs(lat) > 1e-6)
