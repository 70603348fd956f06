"""A simulated camera or recorder that speaks GB/T 28181: for tests, and for a demonstration without hardware.

It registers over UDP or TCP, answers what a platform asks, and sends real media. `Faults` make it misbehave.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
import structlog

from streams.errors import StreamError, Unauthorized, Unreachable
from streams.gb28181 import digest, manscdp, ptz, sip
from streams.gb28181.manscdp import Document, MalformedXml
from streams.gb28181.messages import Motion, Recording
from streams.gb28181.simulated_media import Faults, Media, Sender
from streams.gb28181.simulated_pages import SimulatedChannel, catalog_items, record_items
from streams.gb28181.simulated_sessions import SimulatedSessions
from streams.gb28181.sip import Request
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint, Hooks

log = structlog.get_logger("streams.gb28181.simulated")

_ANSWER_S: Final = 8.0
_PAGE: Final = 4


class SimulatedDevice:
    """One device.

    Args:
        device_id: Its 20 digits.
        password: What it proves to know.
        server: Address of the platform's SIP port.
        server_id: The platform's 20 digits.
        channels: What its catalogue holds.
        media: Opens what a channel shows; None: it refuses to send.
        transport: How it speaks SIP.
        host: Address it uses itself.
        keepalive_s: How often it says that it lives; 0 never.
        expires_s: Registration it asks for.
        recordings: What it has recorded, by channel.
        on_motion: Called with (channel, motion) for each PTZ command.
        on_preset: Called with (channel, preset, action).
        faults: What it does wrong.
        seed: Of chance.
        t1_s: First retransmission interval.
    """

    def __init__(
        self,
        device_id: str,
        password: str,
        server: tuple[str, int],
        server_id: str,
        *,
        channels: Sequence[SimulatedChannel] = (),
        media: Media | None = None,
        transport: Literal["udp", "tcp"] = "udp",
        host: str = "127.0.0.1",
        keepalive_s: float = 60.0,
        expires_s: int = 3600,
        recordings: dict[str, Sequence[Recording]] | None = None,
        on_motion: Callable[[str, Motion], None] | None = None,
        on_preset: Callable[[str, int, str], None] | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        t1_s: float = 0.5,
    ) -> None:
        self.device_id = device_id
        self.channels = {channel.channel_id: channel for channel in channels}
        self.faults = faults or Faults()
        self.asked: list[str] = []
        """Methods and commands that came, in order."""
        self._password = password
        self._server = server
        self._server_id = server_id
        self._transport: Literal["udp", "tcp"] = transport
        self._host = host
        self._keepalive_s = keepalive_s
        self._expires_s = expires_s
        self._recordings = recordings or {}
        self._presets: dict[str, dict[int, str]] = {}
        self._on_motion = on_motion or (lambda channel, motion: None)
        self._on_preset = on_preset or (lambda channel, preset, action: None)
        self._draw = random.Random(seed)
        self._endpoint = Endpoint(Hooks(self._request), t1_s=t1_s)
        self._peer = Peer(transport, *server)
        self._cseq = 0
        self._register_call = f"{secrets.token_hex(8)}@{host}"
        self._sessions = SimulatedSessions(
            self._endpoint,
            self.channels,
            media,
            self.faults,
            host,
            self._draw,
            spawn=self._spawn,
            on_played_out=self._played_out,
        )
        self._subscriptions: dict[str, Request] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def sessions(self) -> dict[str, Sender]:
        """Sessions that send now, by Call-ID."""
        return self._sessions.sending

    async def start(self) -> None:
        """Register and begin to say that it lives.

        Raises:
            Unauthorized: The platform refuses the device.
            Unreachable: It does not answer.
        """
        if self._transport == "tcp":
            try:
                self._peer = await self._endpoint.connect(*self._server)
            except OSError as error:
                raise Unreachable(f"no connection: {error}") from None
        else:
            await self._endpoint.listen(self._host, 0, tcp=False)
        await self.register()
        if self._keepalive_s:
            self._spawn(self._stay_alive())

    async def stop(self, *, unregister: bool = True) -> None:
        """Stop sending and close; without ``unregister`` as if the power were cut."""
        for task in self._tasks:
            task.cancel()
        if unregister:
            with suppress(StreamError):
                await self.register(0)
        await self._endpoint.close()

    async def register(self, expires_s: int | None = None) -> None:
        """Register, refresh or (0) unregister.

        Raises:
            Unauthorized: The platform refuses the device.
            Unreachable: It does not answer.
        """
        expires = ("expires", str(self._expires_s if expires_s is None else expires_s))
        uri = f"sip:{self._server_id}@{self._server_id[:10]}"
        request = self._compose("REGISTER", [expires], to_us=True, call_id=self._register_call, uri=uri)
        response = await self._endpoint.request(request, self._peer, _ANSWER_S)
        if response.status == 401:
            challenge = digest.parameters(response.get("www-authenticate"))
            proof = digest.authorization(challenge, self.device_id, self._password, "REGISTER", uri)
            extra = [expires, ("authorization", proof)]
            request = self._compose("REGISTER", extra, to_us=True, call_id=self._register_call, uri=uri)
            response = await self._endpoint.request(request, self._peer, _ANSWER_S)
        if response.status != 200:
            raise Unauthorized(f"REGISTER: {response.status} {response.reason}")

    async def keepalive(self) -> None:
        """Say that it lives; one that is not known any more registers again."""
        inner = manscdp.tags(("Status", "OK"))
        if await self.tell("MESSAGE", manscdp.build("Notify", "Keepalive", self.device_id, inner)) == 403:
            await self.register()

    async def alarm(
        self,
        channel_id: str,
        *,
        priority: int = 1,
        method: int = 5,
        kind: int = 2,
        description: str = "",
        at: datetime | None = None,
        lon: float | None = None,
        lat: float | None = None,
    ) -> int:
        """Report an alarm; return the platform's status."""
        inner = manscdp.tags(
            ("AlarmPriority", priority),
            ("AlarmMethod", method),
            ("AlarmTime", manscdp.wire_time(at or datetime.now(UTC))),
            ("AlarmDescription", description),
            ("Longitude", lon),
            ("Latitude", lat),
        )
        inner += f"<Info>\r\n<AlarmType>{kind}</AlarmType>\r\n</Info>\r\n"
        return await self.tell("MESSAGE", manscdp.build("Notify", "Alarm", channel_id, inner))

    async def announce(self, event: manscdp.CatalogEvent, channel: SimulatedChannel) -> int:
        """Report a change of the catalogue to whoever subscribed; return the status, 0 without anybody."""
        if event == "DEL":
            self.channels.pop(channel.channel_id, None)
        else:
            online = channel.online if event in ("ADD", "UPDATE") else event == "ON"
            self.channels[channel.channel_id] = msgspec.structs.replace(channel, online=online)
        subscription = self._subscriptions.get("Catalog")
        if subscription is None:
            return 0
        item = manscdp.tags(("DeviceID", channel.channel_id), ("Event", event))
        if event in ("ADD", "UPDATE"):
            item += channel.details(self.device_id)
        inner = manscdp.page("DeviceList", 1, [item])
        body = manscdp.build("Notify", "Catalog", self.device_id, inner)
        extra = [("event", subscription.get("event")), ("subscription-state", "active;expires=3600")]
        return await self.tell("NOTIFY", body, extra, call_id=subscription.call_id)

    async def tell(
        self, method: str, body: bytes, extra: Sequence[tuple[str, str]] = (), *, call_id: str = ""
    ) -> int:
        """Send the platform a message; return its status."""
        headers = [*extra, ("content-type", manscdp.CONTENT_TYPE)]
        request = self._compose(method, headers, call_id=call_id, body=body)
        return (await self._endpoint.request(request, self._peer, _ANSWER_S)).status

    # What the platform asks.

    def _request(self, request: Request, peer: Peer) -> None:
        if self.faults.hang:
            return
        self.asked.append(request.method)
        if self._sessions.take(request, peer):
            return
        if request.method in ("MESSAGE", "SUBSCRIBE"):
            self._message(request, peer)
        else:
            self._endpoint.reply(request, peer, sip.answer(request, 405))

    def _message(self, request: Request, peer: Peer) -> None:
        try:
            document = manscdp.parse(request.body)
        except MalformedXml:
            self._endpoint.reply(request, peer, sip.answer(request, 400))
            return
        self.asked.append(document.command)
        if request.method == "SUBSCRIBE":
            if self.faults.refuse_subscribe:
                self._endpoint.reply(request, peer, sip.answer(request, 489))
                return
            self._subscriptions[document.command] = request
            self._endpoint.reply(
                request, peer, sip.answer(request, 200, [("expires", request.get("expires"))])
            )
            return
        self._endpoint.reply(request, peer, sip.answer(request, 200))
        if document.root == "Control":
            self._control(document)
        elif document.root == "Query":
            self._spawn(self._answer(document))

    def _control(self, document: Document) -> None:
        command = ptz.read(document.text("PTZCmd"))
        if command is None:
            return
        if command.motion is not None:
            self._on_motion(document.device_id, command.motion)
            return
        presets = self._presets.setdefault(document.device_id, {})
        if command.action == "save":
            presets[command.preset] = f"预置位{command.preset}"
        elif command.action == "remove":
            presets.pop(command.preset, None)
        self._on_preset(document.device_id, command.preset, command.action)

    async def _answer(self, document: Document) -> None:
        command, sn = document.command, document.sn
        if command == "Catalog":
            await self._pages(document, "DeviceList", catalog_items(self.channels.values(), self.device_id))
        elif command == "RecordInfo":
            start = manscdp.read_time(document.text("StartTime"))
            end = manscdp.read_time(document.text("EndTime"))
            pieces = self._recordings.get(document.device_id, ())
            await self._pages(document, "RecordList", record_items(document.device_id, pieces, start, end))
        elif command == "PresetQuery":
            presets = sorted(self._presets.get(document.device_id, {}).items())
            items = [manscdp.tags(("PresetID", number), ("PresetName", name)) for number, name in presets]
            await self._pages(document, "PresetList", items)
        elif command == "DeviceInfo":
            inner = manscdp.tags(
                ("Result", "OK"),
                ("DeviceName", "模拟设备"),
                ("Manufacturer", "Simulated"),
                ("Model", "SIM-1"),
                ("Firmware", "1.0"),
                ("Channel", len(self.channels)),
            )
            await self.tell("MESSAGE", manscdp.build("Response", command, self.device_id, inner, sn=sn))

    async def _pages(self, document: Document, list_name: str, items: Sequence[str]) -> None:
        for page in manscdp.pages(items, _PAGE):
            if self.faults.lose_pages and self._draw.random() < self.faults.lose_pages:
                continue
            inner = manscdp.page(list_name, len(items), page)
            body = manscdp.build("Response", document.command, document.device_id, inner, sn=document.sn)
            await self.tell("MESSAGE", body)

    async def _played_out(self, call_id: str, channel_id: str) -> None:
        body = manscdp.build("Notify", "MediaStatus", channel_id, manscdp.tags(("NotifyType", 121)))
        await self.tell("MESSAGE", body, call_id=call_id)

    async def _stay_alive(self) -> None:
        refresh_at = asyncio.get_running_loop().time() + self._expires_s / 2
        while True:
            await asyncio.sleep(self._keepalive_s)
            with suppress(StreamError):
                await self.keepalive()
                if asyncio.get_running_loop().time() >= refresh_at:
                    await self.register()
                    refresh_at = asyncio.get_running_loop().time() + self._expires_s / 2

    @property
    def _contact(self) -> str:
        return f"<sip:{self.device_id}@{self._host}:{self._endpoint.port}>"

    def _compose(
        self,
        method: str,
        extra: Sequence[tuple[str, str]],
        *,
        to_us: bool = False,
        call_id: str = "",
        uri: str = "",
        body: bytes = b"",
    ) -> Request:
        self._cseq += 1
        realm = self._server_id[:10]
        via = f"SIP/2.0/{self._transport.upper()} {self._host}:{self._endpoint.port};rport"
        headers = [
            ("via", f"{via};branch={sip.new_branch()}"),
            ("from", f"<sip:{self.device_id}@{realm}>;tag={sip.new_tag()}"),
            ("to", f"<sip:{self.device_id if to_us else self._server_id}@{realm}>"),
            ("call-id", call_id or f"{secrets.token_hex(8)}@{self._host}"),
            ("cseq", f"{self._cseq} {method}"),
            ("contact", self._contact),
            ("max-forwards", "70"),
            *extra,
        ]
        return Request(headers, body, method, uri or f"sip:{self._server_id}@{realm}")

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("a simulated device did not get through", device_id=self.device_id, reason=str(error))
