"""What an ONVIF device says of itself."""

import msgspec


class OnvifProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One way a device offers its pictures.

    Attributes:
        token: By which the device knows it.
        name: As the device calls it.
        codec: ``h264``, ``h265``, ``jpeg``, as the device says in lower case; None unsaid.
        width: Pixels; None unsaid.
        height: Pixels; None unsaid.
        path: Of its RTSP stream, query included; None when the device offers none, or one at another host.
        port: Of its RTSP stream; 0 without a path.
        ptz: It can be moved.
    """

    token: str
    name: str
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    path: str | None = None
    port: int = 0
    ptz: bool = False


class OnvifDevice(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says it is.

    Attributes:
        manufacturer: Its maker.
        model: Its model.
        firmware: Its version.
        profiles: How it offers its pictures.
        ptz: It can be moved.
    """

    manufacturer: str
    model: str
    firmware: str
    profiles: tuple[OnvifProfile, ...]
    ptz: bool


class OnvifPreset(msgspec.Struct, frozen=True, kw_only=True):
    """A stored position.

    Attributes:
        number: From 1; the device's own where it counts, else its place in the list.
        name: As the device calls it.
        token: By which the device knows it.
    """

    number: int
    name: str
    token: str
