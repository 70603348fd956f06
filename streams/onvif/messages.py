"""What an ONVIF device says of itself."""

import msgspec

from streams.source import Source


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


class OnvifConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the process may connect to: CIDR blocks."""

    networks: tuple[str, ...] = ()


class OnvifQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a device what it is; see `streams.onvif.probe.probe`."""

    host: str
    port: int = 0
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Say whom it asks without the credentials."""
        return f"OnvifQuestion({self.host}:{self.port})"


class OnvifTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A camera to move; its source says by which port and profile."""

    camera_id: str
    source: Source


class OnvifMove(msgspec.Struct, frozen=True, kw_only=True):
    """Move at speeds from -1 to 1 (right, up and in are positive); all zero stops."""

    target: OnvifTarget
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


class OnvifRecall(msgspec.Struct, frozen=True, kw_only=True):
    """Send a camera to a preset by number, or save where it looks now as one."""

    target: OnvifTarget
    number: int
    save: bool = False
