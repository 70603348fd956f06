"""The process that speaks GB/T 28181: our other processes ask it over a `Link`, and it tells them."""

import asyncio
from typing import Final

import structlog

from streams.errors import StreamError, Unreachable
from streams.gb28181 import manscdp, ptz
from streams.gb28181.messages import (
    Bye,
    CatalogOrder,
    ChannelOrder,
    DeviceState,
    DialogEnded,
    GbAlarm,
    GbCatalog,
    GbConfig,
    GbPreset,
    InviteAnswer,
    InviteRequest,
    Motion,
    MoveOrder,
    PlaybackControl,
    PresetOrder,
    Recording,
    RecordsRequest,
    Release,
)
from streams.gb28181.server import GbServer
from streams.link import Link

log = structlog.get_logger("streams.gb28181")

_MOST_HOLD_S: Final = 30.0
_MOST_UNREAD_BYTES: Final = 32 << 20


async def run(link: Link) -> None:
    """Serve until cancelled, or until the other end is gone."""
    process = _Process(link)
    try:
        await asyncio.Event().wait()
    finally:
        await process.stop()


class _Process:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._server: GbServer | None = None
        self._untold = 0
        self._changing = asyncio.Lock()
        self._holds: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._stops: set[asyncio.Task[None]] = set()
        link.serve("configure", GbConfig, self._configure)
        link.serve("invite", InviteRequest, self._invite)
        link.serve("bye", Bye, self._bye)
        link.serve("release", Release, self._release)
        link.serve("control", PlaybackControl, self._control)
        link.serve("move", MoveOrder, self._move)
        link.serve("preset", PresetOrder, self._preset)
        link.serve("presets", ChannelOrder, self._presets)
        link.serve("catalog", CatalogOrder, self._catalog)
        link.serve("records", RecordsRequest, self._records)
        link.serve("devices", type(None), self._devices)
        link.serve("figures", type(None), self._figures)

    # What the server tells.

    def device(self, state: DeviceState) -> None:
        self._tell("device", state)

    def catalog(self, catalog: GbCatalog) -> None:
        self._tell("catalog", catalog)

    def alarm(self, alarm: GbAlarm) -> None:
        self._tell("alarm", alarm)

    def ended(self, ended: DialogEnded) -> None:
        self._tell("ended", ended)

    def _tell(self, name: str, value: object) -> None:
        if self._link.buffered() > _MOST_UNREAD_BYTES:
            self._untold += 1  # the other end hangs, and is about to be ended
            return
        self._link.note(name, value)

    # What the other processes ask.

    async def stop(self) -> None:
        for handle in self._holds.values():
            handle.cancel()
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()

    async def _configure(self, config: GbConfig) -> bool:
        async with self._changing:
            if self._server is not None and self._server.configure(config):
                return True
            await self.stop()
            server = GbServer(config, self)
            try:
                await server.start()
            except OSError as error:
                await server.stop()
                raise Unreachable(f"cannot listen on port {config.port}: {error.strerror}") from None
            self._server = server
            return True

    @property
    def _running(self) -> GbServer:
        if self._server is None:
            raise Unreachable("the GB/T 28181 server is not configured")
        return self._server

    async def _invite(self, request: InviteRequest) -> InviteAnswer:
        return await self._running.dialogs.invite(request)

    async def _bye(self, bye: Bye) -> bool:
        return await self._running.dialogs.bye(bye.dialog_id)

    async def _release(self, release: Release) -> int:
        return await self._running.dialogs.release(release.owner)

    async def _control(self, order: PlaybackControl) -> bool:
        await self._running.dialogs.control(order)
        return True

    async def _move(self, order: MoveOrder) -> bool:
        channel = (order.device_id, order.channel_id)
        if (handle := self._holds.pop(channel, None)) is not None:
            handle.cancel()
        motion = order.motion
        await self._ptz(*channel, ptz.move(motion))
        if motion.pan or motion.tilt or motion.zoom:
            # The device moves until it is told to stop: that must not hang on whoever asked still being there.
            hold_s = max(0.05, min(order.hold_s, _MOST_HOLD_S))
            if (handle := self._holds.pop(channel, None)) is not None:
                handle.cancel()
            self._holds[channel] = asyncio.get_running_loop().call_later(hold_s, self._halt, channel)
        return True

    async def _preset(self, order: PresetOrder) -> bool:
        try:
            command = ptz.preset(order.preset, order.action)
        except ValueError as error:
            raise Unreachable(str(error)) from None
        await self._ptz(order.device_id, order.channel_id, command)
        return True

    async def _presets(self, order: ChannelOrder) -> list[GbPreset]:
        answered = await self._running.caller.ask(order.device_id, "PresetQuery", order.channel_id)
        return [preset for page in answered.pages for preset in manscdp.presets(page)]

    async def _catalog(self, order: CatalogOrder) -> GbCatalog:
        return await self._running.catalogues.ask(order.device_id)

    async def _records(self, request: RecordsRequest) -> list[Recording]:
        inner = manscdp.tags(
            ("StartTime", manscdp.wire_time(request.start)),
            ("EndTime", manscdp.wire_time(request.end)),
            ("Secrecy", 0),
            ("Type", "all"),
        )
        answered = await self._running.caller.ask(request.device_id, "RecordInfo", request.channel_id, inner)
        found = {
            (piece.start, piece.end): piece for page in answered.pages for piece in manscdp.recordings(page)
        }
        return [found[times] for times in sorted(found)]

    def _devices(self, _: None) -> list[DeviceState]:
        return self._running.registry.states()

    def _figures(self, _: None) -> dict[str, float]:
        if self._server is None:
            return {}
        return self._server.figures() | {"gb_notes_dropped_total": self._untold}

    async def _ptz(self, device_id: str, channel_id: str, command: str) -> None:
        inner = manscdp.tags(("PTZCmd", command))
        body = manscdp.build("Control", "DeviceControl", channel_id, inner)
        await self._running.caller.message(device_id, body)

    def _halt(self, channel: tuple[str, str]) -> None:
        self._holds.pop(channel, None)
        task = asyncio.get_running_loop().create_task(self._stop_moving(channel))
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)

    async def _stop_moving(self, channel: tuple[str, str]) -> None:
        try:
            await self._ptz(*channel, ptz.move(Motion()))
        except StreamError as error:
            log.warning("a camera could not be stopped", channel_id=channel[1], reason=str(error))
