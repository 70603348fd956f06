"""What our other processes say to the one that speaks GB/T 28181, and what it tells them.

Calls: ``configure`` `GbConfig` → bool · ``invite`` `InviteRequest` → `InviteAnswer` · ``bye`` `Bye` → bool ·
``release`` `Release` → int · ``control`` `PlaybackControl` → bool · ``move`` `MoveOrder` → bool · ``preset``
`PresetOrder` → bool · ``presets`` `ChannelOrder` → list[`GbPreset`] · ``catalog`` `CatalogOrder` → `GbCatalog` ·
``records`` `RecordsRequest` → list[`Recording`] · ``devices`` None → list[`DeviceState`] · ``figures`` None →
dict[str, float].

Notes from it: ``device`` `DeviceState` · ``catalog`` `GbCatalog` · ``alarm`` `GbAlarm` · ``ended`` `DialogEnded`.
"""

from datetime import datetime
from typing import Literal

import msgspec

Transport = Literal["udp", "tcp_passive"]


class GbDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that may register. The password shows in no ``repr``.

    Attributes:
        device_id: Its 20 digits.
        password: For SIP Digest; empty: nobody can register as this device.
        name: For people.
    """

    device_id: str
    password: str
    name: str = ""

    def __repr__(self) -> str:
        """Name the device without its password."""
        return f"GbDevice({self.device_id})"


class GbConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the SIP server listens, who it is and whom it lets in.

    Attributes:
        host: Address to listen on, UDP and TCP.
        port: The same port for both; 0 takes a free one (see the figure ``gb_port``).
        public_host: Address that devices are told; empty takes ``host``, or the one on the way to the device.
        server_id: Our 20 digits.
        realm: SIP domain, by custom the first ten digits of ``server_id``; empty takes those.
        devices: Who may register.
        folder: Where registrations and open dialogs are kept for the next start; empty keeps none.
        keepalive_s: Interval at which devices send Keepalive.
        keepalives_missed: After how many missing ones a device counts as offline.
        register_expires_s: Longest registration granted.
        digest: Algorithms offered, best first. More than one confuses old devices.
        unknown_device_code: Answer to a device that is not in ``devices`` (403 or 404).
        networks: CIDR blocks devices may speak from; empty allows all.
        query_on_register: Ask for the catalogue when a device comes online.
        subscribe: Subscribe to catalogue changes and alarms; devices without it are asked for the catalogue.
        catalogs_at_once: Catalogue queries under way at a time: more lose answers on UDP.
        answer_s: How long a device may take to answer a request.
        invite_s: How long it may take to answer an INVITE.
    """

    host: str = "0.0.0.0"
    port: int = 5060
    public_host: str = ""
    server_id: str
    realm: str = ""
    devices: tuple[GbDevice, ...] = ()
    folder: str = ""
    keepalive_s: float = 60.0
    keepalives_missed: int = 3
    register_expires_s: int = 3600
    digest: tuple[Literal["MD5", "SHA-256"], ...] = ("MD5",)
    unknown_device_code: Literal[403, 404] = 403
    networks: tuple[str, ...] = ()
    query_on_register: bool = True
    subscribe: bool = True
    catalogs_at_once: int = 20
    answer_s: float = 6.0
    invite_s: float = 8.0


class InviteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a device to send a channel's media to a port that already listens.

    Attributes:
        dialog_id: Chosen by the caller, unique, so that it can say `Bye` also when no answer reached it.
        camera_id: The registry's id, for logs.
        owner: Which of our processes receives; `Release` ends everything of one owner. A new live request of
            the same owner for the same camera ends the one before it.
        device_id: Who is asked.
        channel_id: For what.
        media_host: Address the device sends to; empty leaves that to the server.
        media_port: Port the device sends to.
        transport: UDP, or TCP where the device connects to us.
        start: Playback from here (aware); None for live.
        end: Playback to here (aware).
    """

    dialog_id: str
    camera_id: str
    device_id: str
    channel_id: str
    media_port: int
    media_host: str = ""
    owner: str = ""
    transport: Transport = "udp"
    start: datetime | None = None
    end: datetime | None = None


class InviteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The device will send.

    Attributes:
        dialog_id: As asked.
        ssrc: What the RTP packets carry.
        senders: Addresses the packets may come from.
    """

    dialog_id: str
    ssrc: int
    senders: tuple[str, ...]


class Bye(msgspec.Struct, frozen=True, kw_only=True):
    """End a dialog, or take back an INVITE that has no answer yet. One that is unknown is no error."""

    dialog_id: str


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """End all dialogs of one of our processes: it died."""

    owner: str


class DialogEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The device ended the dialog: a playback reached its end, or the device hung up."""

    dialog_id: str
    camera_id: str
    reason: str


class PlaybackControl(msgspec.Struct, frozen=True, kw_only=True):
    """Pause, continue, or change the speed or place of a playback.

    Attributes:
        dialog_id: Of the playback.
        action: What to do; ``play`` also changes speed and place.
        speed: 1 is real time; 0.25 … 16.
        position_s: Seconds from the start of the playback; None stays.
    """

    dialog_id: str
    action: Literal["pause", "play"]
    speed: float = 1.0
    position_s: float | None = None


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a camera moves, each −1 … 1; all 0 stops it.

    Attributes:
        pan: Right is positive.
        tilt: Up is positive.
        zoom: In is positive.
    """

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


class MoveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Move a channel; it stops by itself ``hold_s`` after the last order."""

    device_id: str
    channel_id: str
    motion: Motion
    hold_s: float = 1.0


class PresetOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Go to, save or remove a preset, 1 … 255."""

    device_id: str
    channel_id: str
    preset: int
    action: Literal["call", "save", "remove"] = "call"


class ChannelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Ask something about one channel."""

    device_id: str
    channel_id: str


class GbPreset(msgspec.Struct, frozen=True, kw_only=True):
    """A preset as the device names it."""

    preset: int
    name: str


class CatalogOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a device for its channels."""

    device_id: str


class GbChannel(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a device's catalogue: a camera, or a folder of its tree.

    Attributes:
        channel_id: 20 digits, or fewer for an administrative division.
        name: As the device has it.
        parent_id: The entry above; empty at the top.
        camera: It has a picture (type 131 or 132); False: a folder, an alarm input, the recorder itself.
        online: As the device says.
        civil_code: Administrative division.
        lon: Degrees, as the device says; None without.
        lat: Degrees.
        ptz_type: 1 dome, 2 half dome, 3 fixed bullet, 4 remote-controlled bullet; 0 unsaid.
        manufacturer: As the device says.
        model: As the device says.
        address: Where it hangs, as the device says.
    """

    channel_id: str
    name: str = ""
    parent_id: str = ""
    camera: bool = True
    online: bool = True
    civil_code: str = ""
    lon: float | None = None
    lat: float | None = None
    ptz_type: int = 0
    manufacturer: str = ""
    model: str = ""
    address: str = ""


class GbCatalog(msgspec.Struct, frozen=True, kw_only=True):
    """What a device's catalogue holds, or how it changed.

    Attributes:
        device_id: Whose.
        channels: Entries, new or as they are now.
        removed: Entries that are gone.
        complete: ``channels`` is all there is; False: only what changed, or a device that did not finish.
    """

    device_id: str
    channels: tuple[GbChannel, ...]
    removed: tuple[str, ...] = ()
    complete: bool = True


class RecordsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what a device has recorded of a channel between two instants (aware)."""

    device_id: str
    channel_id: str
    start: datetime
    end: datetime


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One piece a device has recorded.

    Attributes:
        start: Aware, UTC.
        end: Aware, UTC.
        name: As the device has it.
        file_path: As the device has it.
        size: Bytes; None unsaid.
    """

    start: datetime
    end: datetime
    name: str = ""
    file_path: str = ""
    size: int | None = None


class GbAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm a device reports.

    Attributes:
        device_id: The device that told us.
        channel_id: The alarm input or camera it is about.
        priority: 1 highest … 4; 0 unsaid.
        method: 1 phone, 2 device, 3 message, 4 GPS, 5 video, 6 device fault, 7 other; 0 unsaid.
        kind: AlarmType of the standard, which depends on ``method``; 0 unsaid.
        at: When it happened, aware, by the device's clock; now when it says nothing usable.
        description: In the device's words.
        lon: Degrees; None without.
        lat: Degrees.
    """

    device_id: str
    channel_id: str
    priority: int
    method: int
    kind: int
    at: datetime
    description: str = ""
    lon: float | None = None
    lat: float | None = None


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a device is there.

    Attributes:
        device_id: Which.
        online: Registered, and heard of lately.
        reason: ``registered``, ``unregistered``, ``expired``, ``keepalive``, ``removed``, ``restored``,
            ``unknown_device`` or ``bad_password``.
        address: Where it speaks from, ``host:port``; empty when offline.
        transport: How.
        manufacturer: From DeviceInfo, once it answered.
        model: From DeviceInfo.
        firmware: From DeviceInfo.
    """

    device_id: str
    online: bool
    reason: str
    address: str = ""
    transport: Literal["udp", "tcp"] = "udp"
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
