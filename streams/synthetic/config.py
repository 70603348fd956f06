"""What a farm of drawn cameras is told, as JSON on its standard input."""

from typing import Literal

import msgspec

from streams.synthetic.profiles import ProfileName


class FarmCamera(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One drawn camera.

    Attributes:
        path: Below the port, without the leading slash, e.g. ``cam/1``.
        site: Type of its site, or the kind of the scene; decides what is seen.
        seed: Which scene of that kind; cameras with the same share their pictures.
        profile: How it codes.
        udp_only: It refuses RTP inside the RTSP connection.
        recorder: Recorder it sits behind; its sessions are limited.
        ptz: It can be turned, see `Farm.head`; its pictures are its own.
    """

    path: str
    site: str = "junction"
    seed: int = 0
    profile: ProfileName = "h264"
    udp_only: bool = False
    recorder: str = ""
    ptz: bool = False


class GbChannel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel of a GB/T 28181 device: a camera of the farm under another number.

    Attributes:
        channel_id: Its 20 digits.
        name: In the catalogue.
        path: Of the camera.
        lon: Degrees, WGS-84.
        lat: Degrees.
    """

    channel_id: str
    name: str
    path: str
    lon: float | None = None
    lat: float | None = None


class GbRecorder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One GB/T 28181 device that registers with a platform. The password shows in no ``repr``.

    Attributes:
        device_id: Its 20 digits.
        password: What it proves to know.
        channels: What its catalogue holds.
        transport: How it speaks SIP.
    """

    device_id: str
    password: str
    channels: tuple[GbChannel, ...] = ()
    transport: Literal["udp", "tcp"] = "udp"

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"GbRecorder({self.device_id}, {len(self.channels)} channels)"


class GbPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """Where the devices register.

    Attributes:
        host: Address.
        port: SIP port.
        server_id: The platform's 20 digits.
    """

    host: str
    port: int
    server_id: str


class FarmConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole farm. The password shows in no ``repr``.

    Attributes:
        cameras: The cameras.
        username: Account all of them have.
        password: Its password.
        host: Address to listen on.
        port: RTSP port; another one is taken when it is not free.
        onvif_port: Port for moving the cameras that can be turned, likewise; None: no such service.
        seed: Of the faults.
        fault_share: Share of the cameras that are faulty by themselves at any time.
        alarms_per_hour: Alarms that the GB/T 28181 devices report.
        zone: Time zone of all clocks.
        platform: Where the GB/T 28181 devices register; None: they stay silent.
        recorders: These devices.
    """

    cameras: tuple[FarmCamera, ...]
    username: str
    password: str
    host: str = "127.0.0.1"
    port: int = 0
    onvif_port: int | None = None
    seed: int = 0
    fault_share: float = 0.0
    alarms_per_hour: float = 0.0
    zone: str = "Asia/Shanghai"
    platform: GbPlatform | None = None
    recorders: tuple[GbRecorder, ...] = ()

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"FarmConfig({len(self.cameras)} cameras, {len(self.recorders)} recorders)"


def profile_token(path: str) -> str:
    """Return the ONVIF profile under which the farm moves a camera."""
    return f"profile_{path.rpartition('/')[2]}"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one line a farm writes when it serves.

    Attributes:
        port: RTSP.
        onvif_port: ONVIF, or None.
    """

    port: int
    onvif_port: int | None = None
