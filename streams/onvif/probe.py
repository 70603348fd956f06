"""Asking a device what it is and how it offers its pictures."""

from typing import Any, Final
from urllib.parse import urlsplit

from streams.errors import StreamError, Unsupported
from streams.onvif.messages import OnvifDevice, OnvifProfile
from streams.onvif.wire import Connection
from streams.source import Admission

_MOST_PROFILES: Final = 64
_MOST_TEXT: Final = 120


async def probe(
    host: str,
    port: int,
    username: str | None,
    password: str | None,
    admission: Admission,
    *,
    timeout_s: float = 5.0,
) -> OnvifDevice:
    """Ask a device for its profiles.

    Args:
        host: Name or address.
        port: Of its ONVIF service; 0 is 80.
        username: Account, or None.
        password: Its password, or None.
        admission: Where we may look.
        timeout_s: For each of its answers.

    Raises:
        NotAllowed: The address is outside what the administrator allows.
        Unauthorized: The device refuses the credentials.
        Unsupported: It has no pictures by ONVIF.
        Unreachable: No answer, or not one of ONVIF.
    """
    address = await admission.resolve(host)
    async with Connection(address, port or 80, username, password, timeout_s=timeout_s) as device:
        await device.open()
        about = await device.call("devicemgmt", "GetDeviceInformation")
        found = await device.call("media", "GetProfiles") or []
        profiles = [
            await _profile(device, each, host) for each in list(found)[:_MOST_PROFILES] if _token(each)
        ]
        if not profiles:
            raise Unsupported("the device has no profile")
        return OnvifDevice(
            manufacturer=_text(about, "Manufacturer"),
            model=_text(about, "Model"),
            firmware=_text(about, "FirmwareVersion"),
            profiles=tuple(profiles),
            ptz=any(profile.ptz for profile in profiles),
        )


async def _profile(device: Connection, said: Any, host: str) -> OnvifProfile:
    coding = getattr(said, "VideoEncoderConfiguration", None)
    resolution = getattr(coding, "Resolution", None)
    token = _token(said)
    path, port = None, 0
    try:
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        answer = await device.call("media", "GetStreamUri", StreamSetup=setup, ProfileToken=token)
        path, port = stream_path(str(getattr(answer, "Uri", "") or ""), device.address, host)
    except Unsupported:
        pass
    except StreamError as error:
        if error.code == "unauthorized":
            raise
    encoding = getattr(coding, "Encoding", None)
    return OnvifProfile(
        token=token,
        name=_text(said, "Name") or token,
        codec=None if encoding is None else str(encoding).lower().replace(".", "")[:20],
        width=_number(resolution, "Width"),
        height=_number(resolution, "Height"),
        path=path,
        port=port,
        ptz=device.has("ptz") and getattr(said, "PTZConfiguration", None) is not None,
    )


def stream_path(uri: str, address: str, host: str) -> tuple[str | None, int]:
    """Reduce a stream's address to path and port; None when it is none, or at another host.

    >>> stream_path("rtsp://192.0.2.7:554/ch1/main?x=1", "192.0.2.7", "cam.example")
    ('ch1/main?x=1', 554)
    >>> stream_path("rtsp://198.51.100.9/ch1", "192.0.2.7", "cam.example")
    (None, 0)
    """
    try:
        parts = urlsplit(uri.strip())
        named, port = parts.hostname, parts.port
    except ValueError:
        return None, 0
    if parts.scheme not in ("rtsp", "rtsps") or named not in (address, host.strip("[]").lower()):
        return None, 0
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    if len(path) > 500 or any(ord(character) <= 32 for character in path):
        return None, 0
    return path, port or (554 if parts.scheme == "rtsp" else 322)


def _token(said: Any) -> str:
    token = getattr(said, "token", None)
    return str(token)[:100] if token else ""


def _text(said: Any, name: str) -> str:
    value = getattr(said, name, None)
    return "" if value is None else " ".join(str(value).split())[:_MOST_TEXT]


def _number(said: Any, name: str) -> int | None:
    try:
        number = int(getattr(said, name, ""))
    except (TypeError, ValueError):
        return None
    return number if 0 < number < 100_000 else None
