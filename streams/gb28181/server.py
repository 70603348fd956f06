"""The SIP server that devices register with.

It lets in who knows its password, believes a device only from the address it registered at, and hands on what
devices report. What it asks of devices is in `caller`, `catalogue`, `subscriptions` and `dialogs`.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

import structlog

from streams.errors import NotAllowed, StreamError
from streams.gb28181 import manscdp, sip
from streams.gb28181.allowance import Allowance
from streams.gb28181.caller import Caller
from streams.gb28181.catalogue import Catalogues
from streams.gb28181.dialogs import Dialogs
from streams.gb28181.digest import Gatekeeper
from streams.gb28181.manscdp import Document, MalformedXml
from streams.gb28181.messages import DeviceState, DialogEnded, GbAlarm, GbCatalog, GbConfig
from streams.gb28181.registry import Registry
from streams.gb28181.sip import Request
from streams.gb28181.sockets import Peer
from streams.gb28181.subscriptions import Kind, Subscriptions, is_over
from streams.gb28181.transport import Endpoint, Hooks
from streams.source import Admission

log = structlog.get_logger("streams.gb28181")

_EXPIRES: Final = re.compile(r";\s*expires\s*=\s*(\d{1,9})", re.IGNORECASE)
_ID: Final = re.compile(r"[0-9]{20}")
_PLAYED_OUT: Final = "121"
_TICK_S: Final = 1.0
_NOTICE_EVERY_S: Final = 60.0
_REFUSALS: Final = 50
_REFUSALS_PER_S: Final = 1.0
_ALARMS: Final = 20
_ALARMS_PER_S: Final = 1.0
_MOST_TASKS: Final = 20_000


class Notes(Protocol):
    """Who is told."""

    def device(self, state: DeviceState) -> None:
        """A device came, went or was refused."""

    def catalog(self, catalog: GbCatalog) -> None:
        """A catalogue is new or has changed."""

    def alarm(self, alarm: GbAlarm) -> None:
        """A device reports an alarm."""

    def ended(self, ended: DialogEnded) -> None:
        """A device ended a session."""


class GbServer:
    """The server.

    Args:
        config: How and for whom.
        notes: Who is told.
        t1_s: First retransmission interval.
    """

    def __init__(self, config: GbConfig, notes: Notes, *, t1_s: float = 0.5) -> None:
        self.config = config
        self._notes = notes
        self._passwords = {device.device_id: device.password for device in config.devices}
        self._admit = _admission(config)
        self.endpoint = Endpoint(Hooks(self._request, stray=self._stray, admit=self._admitted), t1_s=t1_s)
        self.registry = Registry(config, notes.device)
        self.caller = Caller(config, self.endpoint, self.registry)
        self.catalogues = Catalogues(self.caller, notes.catalog)
        self.subscriptions = Subscriptions(self.caller)
        self.dialogs = Dialogs(self.caller, self.endpoint, notes.ended)
        self._gate = Gatekeeper(self.caller.realm, config.digest)
        self._alarms = Allowance(_ALARMS, _ALARMS_PER_S)
        self._notices = Allowance(1, 1 / _NOTICE_EVERY_S)
        self._refusals = Allowance(_REFUSALS, _REFUSALS_PER_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.endpoint.port

    async def start(self) -> None:
        """Listen, take back what the run before knew, and end what it left open.

        Raises:
            OSError: The port is taken.
        """
        await self.endpoint.listen(self.config.host, self.config.port)
        restored = self.registry.restore(self._passwords)
        for device_id in self.dialogs.restore():
            self._spawn(self.dialogs.settle(device_id))
        for device_id in restored:
            self._spawn(self._greet(device_id))
        self._ticker = asyncio.get_running_loop().create_task(self._tick())
        log.info("GB/T 28181 server listens", host=self.config.host, port=self.port)

    async def stop(self) -> None:
        """End every session and close the port."""
        if self._ticker is not None:
            self._ticker.cancel()
        for task in self._tasks:
            task.cancel()
        self.catalogues.close()
        await self.dialogs.close()
        self.registry.save()
        await self.endpoint.close()

    def configure(self, config: GbConfig) -> bool:
        """Take other devices and times; return False when that needs a new server."""
        fixed = ("host", "port", "public_host", "server_id", "realm", "folder", "digest", "catalogs_at_once")
        if any(getattr(config, name) != getattr(self.config, name) for name in fixed):
            return False
        passwords = {device.device_id: device.password for device in config.devices}
        for device_id, password in self._passwords.items():
            if passwords.get(device_id) != password:
                self._spawn(self._remove(device_id))
        self.config = self.caller.config = config
        self.registry.configure(config)
        self._passwords = passwords
        self._admit = _admission(config)
        return True

    def figures(self) -> dict[str, float]:
        """Return what is worth watching."""
        counters = self.endpoint.counters
        return {
            "gb_port": self.port,
            "gb_devices_online": len(self.registry),
            "gb_dialogs_open": len(self.dialogs),
            "gb_subscriptions": len(self.subscriptions),
            "gb_messages_received_total": counters.received,
            "gb_messages_malformed_total": counters.malformed,
            "gb_messages_repeated_total": counters.repeated,
            "gb_messages_refused_total": counters.refused,
            "gb_alarms_dropped_total": self._alarms.refused,
            "gb_retransmissions_total": counters.retransmitted,
        }

    def _request(self, request: Request, peer: Peer) -> None:
        method = request.method
        if method == "REGISTER":
            self._register(request, peer)
        elif method in ("MESSAGE", "NOTIFY"):
            self._message(request, peer)
        elif method == "BYE":
            ended = self.dialogs.device_bye(request.call_id, peer.host)
            self.endpoint.reply(request, peer, sip.answer(request, 200 if ended else 481))
        elif method == "OPTIONS":
            self.endpoint.reply(request, peer, sip.answer(request, 200))
        elif method in ("CANCEL", "INFO"):
            self.endpoint.reply(request, peer, sip.answer(request, 481))
        elif method == "INVITE":
            self.endpoint.reply(request, peer, sip.answer(request, 488))
        elif method != "ACK":
            allow = [("allow", "REGISTER, MESSAGE, NOTIFY, BYE, OPTIONS")]
            self.endpoint.reply(request, peer, sip.answer(request, 405, allow))

    def _register(self, request: Request, peer: Peer) -> None:
        device_id = request.from_user
        if not _ID.fullmatch(device_id):
            self.endpoint.reply(request, peer, sip.answer(request, 403))
            return
        password = self._passwords.get(device_id)
        header = request.get("authorization")
        verdict = self._gate.judge(header, "REGISTER", device_id, password, peer.host)
        if verdict in ("challenge", "stale"):
            challenges = self._gate.challenges(device_id, peer.host, stale=verdict == "stale")
            self.endpoint.reply(request, peer, sip.answer(request, 401, challenges))
        elif verdict != "good":
            unknown = password is None
            status = self.config.unknown_device_code if unknown else 403
            self.endpoint.reply(request, peer, sip.answer(request, status))
            self._notice(device_id, "unknown_device" if unknown else "bad_password", peer)
        else:
            expires_s = min(_expires(request), self.config.register_expires_s)
            contact = [("contact", value) for value in request.all("contact")[:1]]
            date = datetime.now(manscdp.CHINA).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            extra = [*contact, ("date", date), ("expires", str(expires_s))]
            self.endpoint.reply(request, peer, sip.answer(request, 200, extra))
            if expires_s == 0:
                self._gone([device_id] if self.registry.unregister(device_id, "unregistered") else [])
            elif self.registry.register(device_id, peer, expires_s):
                log.info("device registered", device_id=device_id, peer=str(peer), transport=peer.transport)
                self._spawn(self._greet(device_id))
            else:
                self._spawn(self.dialogs.settle(device_id))

    def _message(self, request: Request, peer: Peer) -> None:
        device_id = request.from_user
        if not self.registry.heard(device_id, peer):
            # The device then registers again; nobody else learns anything.
            self.endpoint.reply(request, peer, sip.answer(request, 403))
            return
        if request.method == "NOTIFY" and is_over(request):
            self.subscriptions.ended(device_id, request.call_id)
            if not request.body:
                self.endpoint.reply(request, peer, sip.answer(request, 200))
                return
        try:
            document = manscdp.parse(request.body)
        except MalformedXml:
            self.endpoint.reply(request, peer, sip.answer(request, 400))
            return
        self.endpoint.reply(request, peer, sip.answer(request, 200))
        self._dispatch(device_id, document, request)

    def _dispatch(self, device_id: str, document: Document, request: Request) -> None:
        if document.root == "Response":
            if not self.caller.take(device_id, document) and document.command == "Catalog":
                self.catalogues.take(device_id, document)
        elif document.root != "Notify":
            return
        elif document.command == "Catalog":
            self.catalogues.take(device_id, document)
        elif document.command == "Alarm":
            if self._alarms.may(device_id):
                self._notes.alarm(manscdp.alarm(document, device_id, datetime.now(UTC)))
            if request.method == "MESSAGE":
                result = manscdp.tags(("Result", "OK"))
                body = manscdp.build("Response", "Alarm", document.device_id, result, sn=document.sn)
                self._spawn(self.caller.message(device_id, body))
        elif document.command == "MediaStatus" and document.text("NotifyType") == _PLAYED_OUT:
            self.dialogs.played_out(device_id, document.device_id, request.call_id)

    def _admitted(self, host: str) -> bool:
        return self._admit(host)

    def _stray(self, response: sip.Response, peer: Peer) -> None:
        self.dialogs.stray(response, peer)

    async def _greet(self, device_id: str) -> None:
        """Do what is due when a device has come online."""
        await self.dialogs.settle(device_id)
        if self.config.query_on_register:
            with suppress(StreamError):
                await self._describe(device_id)
            with suppress(StreamError):
                await self.catalogues.ask(device_id)
        if self.config.subscribe:
            await self.subscriptions.begin(device_id)

    async def _describe(self, device_id: str) -> None:
        answered = await self.caller.ask(device_id, "DeviceInfo", device_id)
        said = answered.pages[0]
        self.registry.describe(
            device_id, said.text("Manufacturer"), said.text("Model"), said.text("Firmware")
        )

    async def _remove(self, device_id: str) -> None:
        """Send away a device that is no longer ours, or whose password has changed."""
        await self.dialogs.drop_device(device_id, "removed")
        if self.registry.unregister(device_id, "removed"):
            self._gone([device_id])
        self.catalogues.forget(device_id)

    def _gone(self, device_ids: list[str]) -> None:
        for device_id in device_ids:
            log.info("device gone", device_id=device_id)
            self.subscriptions.forget(device_id)

    async def _tick(self) -> None:
        every_s = min(_TICK_S, self.config.keepalive_s / 4)
        while True:
            await asyncio.sleep(every_s)
            try:
                self._gone(self.registry.tick())
                for device_id, kind in self.subscriptions.due():
                    self._spawn(self._refresh(device_id, kind))
            except Exception:  # without this the clock would stand still for good
                log.exception("tick failed")

    async def _refresh(self, device_id: str, kind: Kind) -> None:
        await self.subscriptions.refresh(device_id, kind)
        if kind == "Catalog" and self.config.query_on_register:
            if not self.subscriptions.accepted(device_id, kind):
                await self.catalogues.ask(device_id)

    def _notice(self, device_id: str, reason: str, peer: Peer) -> None:
        """Tell of a refused device, once a minute: it tries again every few seconds, for ever."""
        # Ids can be made up without end, so all of them together are bounded as well.
        if self._notices.may(f"{device_id} {reason}") and self._refusals.may(""):
            log.warning("device refused", device_id=device_id, reason=reason, peer=str(peer))
            self._notes.device(
                DeviceState(
                    device_id=device_id,
                    online=False,
                    reason=reason,
                    address=str(peer),
                    transport=peer.transport,
                )
            )

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if len(self._tasks) >= _MOST_TASKS:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except StreamError as error:
        log.debug("a device did not do as asked", reason=str(error))
    except Exception:  # one device's trouble must not end the service of all the others
        log.exception("background work failed")


def _admission(config: GbConfig) -> Callable[[str], bool]:
    admission = Admission(config.networks)

    @lru_cache(maxsize=65_536)
    def admit(host: str) -> bool:
        try:
            admission.check_address(host)
        except NotAllowed:
            return False
        return True

    return admit if config.networks else lambda host: True


def _expires(request: Request) -> int:
    found = _EXPIRES.search(request.get("contact"))
    text = found[1] if found else request.get("expires")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 3600
