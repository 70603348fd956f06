"""A device that speaks ONVIF: for tests, and for a demonstration without hardware. `Quirks` make it misbehave."""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from xml.sax.saxutils import escape

from aiohttp import web
from lxml import etree  # type: ignore[import-untyped]

_CLOCK_SLACK: Final = timedelta(seconds=30)
_NAMESPACES: Final = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"'
)
_WSSE: Final = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_WSU: Final = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
_OPEN: Final = frozenset({"GetSystemDateAndTime"})


class Movable(Protocol):
    """What a profile moves."""

    @property
    def presets(self) -> Mapping[int, str]:
        """Number → name of the stored positions."""

    def move(self, pan: float, tilt: float, zoom: float) -> None:
        """Start to move."""

    def step(self, pan: float, tilt: float, zoom: float) -> None:
        """Turn by a part of the range."""

    def stop(self) -> None:
        """Stop."""

    def goto(self, number: int) -> bool:
        """Look where a stored position looks."""

    def store(self, number: int, name: str = "") -> bool:
        """Store the present position."""


@dataclass(frozen=True, slots=True)
class SimulatedProfile:
    """One profile.

    Attributes:
        token: Its token.
        name: Its name.
        path: Of its stream, without the leading slash.
        codec: As it says itself.
        width: Pixels.
        height: Pixels.
        head: What moves it, if anything does.
    """

    token: str
    name: str
    path: str
    codec: str = "H264"
    width: int = 640
    height: int = 360
    head: Movable | None = None


@dataclass(slots=True)
class Quirks:
    """What a device does wrong; may be changed while it runs.

    Attributes:
        host: It says that its services and streams are at this host.
        slow_s: How long it thinks.
        answer: It says this, whatever it is asked.
        redirect: It sends everybody there.
        clock_off_s: By how much its clock is fast.
        no_services: It does not know GetServices.
        no_ptz: It cannot be moved at all.
        bare: Its profiles say nothing of their coding.
        own_tokens: It numbers new presets itself.
    """

    host: str = ""
    slow_s: float = 0.0
    answer: bytes | None = None
    redirect: str = ""
    clock_off_s: float = 0.0
    no_services: bool = False
    no_ptz: bool = False
    bare: bool = False
    own_tokens: bool = False


class _Refusal(Exception):
    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


class SimulatedOnvif:
    """One device with its profiles.

    Args:
        profiles: How it offers its pictures.
        rtsp_port: Of their streams.
        username: Account; None lets everybody in.
        password: Its password.
        host: Address to listen on.
        quirks: What it does wrong.
    """

    def __init__(
        self,
        profiles: Sequence[SimulatedProfile],
        *,
        rtsp_port: int,
        username: str | None = None,
        password: str = "",
        host: str = "127.0.0.1",
        quirks: Quirks | None = None,
    ) -> None:
        self.profiles = {profile.token: profile for profile in profiles}
        self.quirks = quirks or Quirks()
        self.asked: list[str] = []
        """The last methods that were called."""
        self.port = 0
        self._rtsp_port = rtsp_port
        self._username = username
        self._password = password
        self._host = host
        self._runner: web.AppRunner | None = None
        self._holds: dict[str, asyncio.TimerHandle] = {}
        self._seen: dict[str, None] = {}

    async def start(self, port: int = 0) -> int:
        """Listen; returns the port.

        Raises:
            OSError: The port is taken.
        """
        application = web.Application(client_max_size=256 << 10)
        application.router.add_post("/onvif/{service}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, port)
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self.port = int(self._runner.addresses[0][1])
        return self.port

    async def stop(self) -> None:
        """Close the port; what moves stops."""
        for handle in self._holds.values():
            handle.cancel()
        self._holds.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.Response:
        quirks = self.quirks
        if quirks.slow_s:
            await asyncio.sleep(quirks.slow_s)
        if quirks.redirect:
            return web.Response(status=307, headers={"Location": quirks.redirect})
        if quirks.answer is not None:
            return web.Response(body=quirks.answer, content_type="application/soap+xml")
        try:
            envelope = etree.fromstring(await request.read(), _parser())
            body = envelope.find("{*}Body")
            if body is None or len(body) == 0:
                raise _Refusal("ter:WellFormed", "no body")
            method = etree.QName(body[0]).localname
            self.asked = [*self.asked[-99:], method]
            if method not in _OPEN:
                self._check(envelope)
            handler = getattr(self, f"_on_{_snake(method)}", None)
            if handler is None:
                raise _Refusal("ter:ActionNotSupported", "Optional Action Not Implemented", 500)
            return _answer(handler(body[0]))
        except _Refusal as refusal:
            return _fault(refusal)
        except (etree.XMLSyntaxError, ValueError) as error:
            return _fault(_Refusal("ter:WellFormed", type(error).__name__))

    def _check(self, envelope: Any) -> None:
        """Check the UsernameToken: password digest, fresh, and not heard before."""
        if self._username is None:
            return
        token = envelope.find(f".//{_WSSE}UsernameToken")
        if token is None:
            raise _Refusal("ter:NotAuthorized", "Sender not Authorized")
        nonce = base64.b64decode(token.findtext(f"{_WSSE}Nonce") or "")
        created = token.findtext(f"{_WSU}Created") or ""
        digest = hashlib.sha1(
            nonce + created.encode() + self._password.encode(), usedforsecurity=False
        ).digest()
        given = base64.b64decode(token.findtext(f"{_WSSE}Password") or "")
        at = datetime.fromisoformat(created.replace("Z", "+00:00"))
        key = f"{nonce.hex()}{created}"
        if (
            token.findtext(f"{_WSSE}Username") != self._username
            or not hmac.compare_digest(digest, given)
            or abs(at - self._now()) > _CLOCK_SLACK
            or key in self._seen
        ):
            raise _Refusal("ter:NotAuthorized", "Sender not Authorized")
        self._seen[key] = None
        while len(self._seen) > 1000:
            del self._seen[next(iter(self._seen))]

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.quirks.clock_off_s)

    def _url(self, service: str) -> str:
        return f"http://{self.quirks.host or self._host}:{self.port}/onvif/{service}"

    # Device

    def _on_get_system_date_and_time(self, _asked: Any) -> str:
        now = self._now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
            "<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _on_get_device_information(self, _asked: Any) -> str:
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Simulated</tds:Manufacturer>"
            "<tds:Model>SIM-PTZ</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>"
            "<tds:SerialNumber>1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _on_get_services(self, _asked: Any) -> str:
        if self.quirks.no_services:
            raise _Refusal("ter:ActionNotSupported", "Optional Action Not Implemented", 500)
        rows = [
            ("http://www.onvif.org/ver10/device/wsdl", "device_service"),
            ("http://www.onvif.org/ver10/media/wsdl", "media_service"),
        ]
        if not self.quirks.no_ptz:
            rows.append(("http://www.onvif.org/ver20/ptz/wsdl", "ptz_service"))
        services = "".join(
            f"<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{self._url(name)}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for space, name in rows
        )
        return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"

    def _on_get_capabilities(self, _asked: Any) -> str:
        ptz = f"<tt:PTZ><tt:XAddr>{self._url('ptz_service')}</tt:XAddr></tt:PTZ>"
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Device><tt:XAddr>{self._url('device_service')}</tt:XAddr></tt:Device>"
            f"<tt:Media><tt:XAddr>{self._url('media_service')}</tt:XAddr><tt:StreamingCapabilities/></tt:Media>"
            f"{'' if self.quirks.no_ptz else ptz}</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    # Media

    def _on_get_profiles(self, _asked: Any) -> str:
        rows = "".join(map(self._profile, self.profiles.values()))
        return f"<trt:GetProfilesResponse>{rows}</trt:GetProfilesResponse>"

    def _profile(self, profile: SimulatedProfile) -> str:
        coding = ptz = ""
        if not self.quirks.bare:
            coding = (
                f'<tt:VideoEncoderConfiguration token="e_{escape(profile.token)}"><tt:Name>main</tt:Name>'
                f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{escape(profile.codec)}</tt:Encoding>"
                f"<tt:Resolution><tt:Width>{profile.width}</tt:Width><tt:Height>{profile.height}</tt:Height>"
                "</tt:Resolution><tt:Quality>3</tt:Quality></tt:VideoEncoderConfiguration>"
            )
        if profile.head is not None and not self.quirks.no_ptz:
            ptz = (
                f'<tt:PTZConfiguration token="p_{escape(profile.token)}"><tt:Name>ptz</tt:Name>'
                "<tt:UseCount>1</tt:UseCount><tt:NodeToken>node</tt:NodeToken></tt:PTZConfiguration>"
            )
        return (
            f'<trt:Profiles token="{escape(profile.token)}" fixed="true"><tt:Name>{escape(profile.name)}</tt:Name>'
            f"{coding}{ptz}</trt:Profiles>"
        )

    def _on_get_stream_uri(self, asked: Any) -> str:
        profile = self._asked_profile(asked)
        host = self.quirks.host or self._host
        uri = escape(f"rtsp://{host}:{self._rtsp_port}/{profile.path}")
        return (
            f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{uri}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
            "<tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
        )

    # Motion

    def _on_get_nodes(self, _asked: Any) -> str:
        return (
            '<tptz:GetNodesResponse><tptz:PTZNode token="node" FixedHomePosition="false"><tt:Name>node</tt:Name>'
            "<tt:SupportedPTZSpaces/><tt:MaximumNumberOfPresets>32</tt:MaximumNumberOfPresets>"
            "<tt:HomeSupported>false</tt:HomeSupported></tptz:PTZNode></tptz:GetNodesResponse>"
        )

    def _on_continuous_move(self, asked: Any) -> str:
        profile = self._asked_profile(asked)
        head = self._head(profile)
        head.move(*_vector(asked.find("{*}Velocity")))
        hold_s = _seconds(asked.findtext("{*}Timeout") or "PT1S")
        self._release(profile.token)
        self._holds[profile.token] = asyncio.get_running_loop().call_later(hold_s, head.stop)
        return "<tptz:ContinuousMoveResponse/>"

    def _on_relative_move(self, asked: Any) -> str:
        profile = self._asked_profile(asked)
        self._release(profile.token)
        self._head(profile).step(*_vector(asked.find("{*}Translation")))
        return "<tptz:RelativeMoveResponse/>"

    def _on_stop(self, asked: Any) -> str:
        profile = self._asked_profile(asked)
        self._release(profile.token)
        self._head(profile).stop()
        return "<tptz:StopResponse/>"

    def _on_get_presets(self, asked: Any) -> str:
        rows = "".join(
            f'<tptz:Preset token="{number}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>'
            for number, name in self._head(self._asked_profile(asked)).presets.items()
        )
        return f"<tptz:GetPresetsResponse>{rows}</tptz:GetPresetsResponse>"

    def _on_goto_preset(self, asked: Any) -> str:
        token = asked.findtext("{*}PresetToken") or ""
        if not token.isdigit() or not self._head(self._asked_profile(asked)).goto(int(token)):
            raise _Refusal("ter:NoToken", "no such preset")
        return "<tptz:GotoPresetResponse/>"

    def _on_set_preset(self, asked: Any) -> str:
        head = self._head(self._asked_profile(asked))
        token, name = asked.findtext("{*}PresetToken"), asked.findtext("{*}PresetName") or ""
        wanted = token or name
        taken = set(head.presets)
        number = int(wanted) if wanted.isdigit() else next(n for n in range(1, 999) if n not in taken)
        if self.quirks.own_tokens and token is not None and number not in taken:
            raise _Refusal("ter:NoToken", "no such preset")
        if not head.store(number, "" if name.isdigit() else name):
            raise _Refusal("ter:TooManyPresets", "no room")
        return (
            f"<tptz:SetPresetResponse><tptz:PresetToken>{number}</tptz:PresetToken></tptz:SetPresetResponse>"
        )

    def _asked_profile(self, asked: Any) -> SimulatedProfile:
        profile = self.profiles.get(asked.findtext("{*}ProfileToken") or "")
        if profile is None:
            raise _Refusal("ter:NoProfile", "no such profile")
        return profile

    def _head(self, profile: SimulatedProfile) -> Movable:
        if profile.head is None or self.quirks.no_ptz:
            raise _Refusal("ter:NoPTZProfile", "no PTZ")
        return profile.head

    def _release(self, token: str) -> None:
        handle = self._holds.pop(token, None)
        if handle is not None:
            handle.cancel()


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)


def _answer(inner: str, status: int = 200) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {_NAMESPACES}><s:Body>{inner}</s:Body></s:Envelope>'
    return web.Response(text=text, status=status, content_type="application/soap+xml", charset="utf-8")


def _fault(refusal: _Refusal) -> web.Response:
    inner = (
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>{refusal.code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{escape(str(refusal))}</s:Text></s:Reason></s:Fault>'
    )
    return _answer(inner, refusal.status)


def _vector(part: Any) -> tuple[float, float, float]:
    def number(name: str, axis: str) -> float:
        found = None if part is None else part.find(f"{{*}}{name}")
        return 0.0 if found is None else float(found.get(axis) or 0)

    return number("PanTilt", "x"), number("PanTilt", "y"), number("Zoom", "x")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text)
    return 1.0 if found is None else 60 * int(found[1] or 0) + float(found[2] or 0)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
