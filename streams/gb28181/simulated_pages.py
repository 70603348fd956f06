"""What a simulated device says it has: channels and recordings, as items of MANSCDP lists."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from streams.gb28181 import manscdp
from streams.gb28181.messages import Recording


class SimulatedChannel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a simulated catalogue."""

    channel_id: str
    name: str
    parent_id: str = ""
    civil_code: str = ""
    online: bool = True
    lon: float | None = None
    lat: float | None = None
    ptz_type: int = 1
    manufacturer: str = "Simulated"
    model: str = "SIM-CH"
    address: str = ""

    def details(self, device_id: str) -> str:
        """Return everything but the id as XML."""
        return manscdp.tags(
            ("Name", self.name),
            ("Manufacturer", self.manufacturer),
            ("Model", self.model),
            ("Owner", "Owner"),
            ("CivilCode", self.civil_code),
            ("Address", self.address),
            ("Parental", 0),
            ("ParentID", self.parent_id or device_id),
            ("SafetyWay", 0),
            ("RegisterWay", 1),
            ("Secrecy", 0),
            ("Status", "ON" if self.online else "OFF"),
            ("Longitude", self.lon),
            ("Latitude", self.lat),
            ("PTZType", self.ptz_type),
        )


def catalog_items(channels: Iterable[SimulatedChannel], device_id: str) -> list[str]:
    """Return the items of a catalogue."""
    return [manscdp.tags(("DeviceID", entry.channel_id)) + entry.details(device_id) for entry in channels]


def record_items(
    channel_id: str, pieces: Sequence[Recording], start: datetime | None, end: datetime | None
) -> list[str]:
    """Return the items of the recordings that touch a stretch of time."""
    return [
        manscdp.tags(
            ("DeviceID", channel_id),
            ("Name", piece.name),
            ("FilePath", piece.file_path),
            ("Address", "Address"),
            ("StartTime", manscdp.wire_time(piece.start)),
            ("EndTime", manscdp.wire_time(piece.end)),
            ("Secrecy", 0),
            ("Type", "time"),
            ("FileSize", piece.size),
        )
        for piece in pieces
        if (start is None or piece.end > start) and (end is None or piece.start < end)
    ]
