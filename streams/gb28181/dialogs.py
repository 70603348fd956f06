"""Sessions with devices: INVITE, ACK, BYE and CANCEL, and what becomes of them when one side forgets.

A device keeps sending until it is told to stop, and has only so many sessions. So every open dialog is written
down, those of a run that ended without saying BYE are ended first, and an answer that comes after we gave up is
acknowledged and ended at once.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

import structlog

from streams.errors import Busy, Ended, StreamError, Unreachable, Unsupported
from streams.gb28181 import sdp, sip
from streams.gb28181.book import Book, Dialog
from streams.gb28181.caller import Caller, refusal
from streams.gb28181.messages import DialogEnded, InviteAnswer, InviteRequest, PlaybackControl
from streams.gb28181.sip import Request, Response
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint

log = structlog.get_logger("streams.gb28181")

_MOST_DIALOGS: Final = 2_000
_MOST_GIVEN_UP: Final = 1_000
_SETTLE_S: Final = 2.0
_CLOSE_S: Final = 1.0


@dataclass(slots=True)
class _Inviting:
    dialog: Dialog
    request: Request
    taken_back: bool = False


class Dialogs:
    """All sessions.

    Args:
        caller: Composes requests.
        endpoint: Our SIP port.
        on_ended: Called when a device ends a session.
    """

    def __init__(self, caller: Caller, endpoint: Endpoint, on_ended: Callable[[DialogEnded], None]) -> None:
        self._caller = caller
        self._endpoint = endpoint
        self._on_ended = on_ended
        self.book = Book(caller.config.folder, caller.config.server_id)
        self._inviting: dict[str, _Inviting] = {}
        self._preparing: dict[str, bool] = {}
        self._settling: dict[str, asyncio.Future[list[None]]] = {}
        self._given_up: OrderedDict[str, Dialog] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self.book.open)

    def restore(self) -> list[str]:
        """Read the sessions of the run before; return the devices to `settle` with."""
        return self.book.restore()

    async def settle(self, device_id: str) -> None:
        """End what a run before left open at a device; what cannot be told now is told when it comes back."""
        stale = self.book.stale.get(device_id)
        if not stale:
            return
        settling = self._settling.get(device_id)
        if settling is None:
            work = asyncio.gather(*(self._settle(dialog) for dialog in list(stale)))
            settling = self._settling[device_id] = asyncio.ensure_future(work)
            settling.add_done_callback(lambda _: self._settling.pop(device_id, None))
        await asyncio.shield(settling)

    async def invite(self, wanted: InviteRequest) -> InviteAnswer:
        """Ask a device to send.

        Raises:
            Busy: It has no free session, or we have none.
            Unreachable: It is not there, refuses or does not answer.
            Unsupported: It wants to send something that is no program stream.
            Ended: The caller said `bye` meanwhile.
        """
        id = wanted.dialog_id
        if id in self.book.open or id in self._inviting or id in self._preparing:
            raise Busy(f"dialog {id} exists")
        if len(self.book.open) + len(self._inviting) + len(self._preparing) >= _MOST_DIALOGS:
            raise Busy("too many sessions with devices are open")
        live = wanted.start is None
        self._preparing[id] = False
        try:
            await asyncio.gather(self.settle(wanted.device_id), self._replace(wanted, live=live))
        finally:
            taken_back = self._preparing.pop(id)
        if taken_back:
            raise Ended("taken back")
        peer = self._caller.peer(wanted.device_id)
        ssrc = self.book.take_ssrc(live=live)
        request = self._compose(wanted, peer, ssrc)
        dialog = Dialog(
            dialog_id=wanted.dialog_id,
            camera_id=wanted.camera_id,
            owner=wanted.owner,
            device_id=wanted.device_id,
            channel_id=wanted.channel_id,
            live=live,
            host=peer.host,
            port=peer.port,
            transport=peer.transport,
            call_id=request.call_id,
            from_=request.get("from"),
            to=request.get("to"),
            cseq=request.cseq[0],
            ssrc=ssrc,
        )
        inviting = self._inviting[wanted.dialog_id] = _Inviting(dialog, request)
        try:
            response = await self._endpoint.request(request, peer, self._caller.config.invite_s)
        except BaseException:
            self._give_up(inviting)
            raise
        finally:
            del self._inviting[wanted.dialog_id]
        if response.status >= 300:
            self.book.free(ssrc)
            raise Ended("taken back") if inviting.taken_back else refusal("INVITE", response)
        dialog.to = sip.clean(response.get("to"))
        self._acknowledge(dialog)
        self.book.add(dialog)
        if inviting.taken_back:
            await self.bye(dialog.dialog_id)
            raise Ended("taken back")
        answered = sdp.read(response.body)
        if answered.codings and "PS" not in answered.codings:
            await self.bye(dialog.dialog_id)
            raise Unsupported(f"the device sends {answered.codings[0]}, not a program stream")
        senders = dict.fromkeys(host for host in (peer.host, answered.host) if host)
        number = int(ssrc) if answered.ssrc is None else answered.ssrc
        return InviteAnswer(dialog_id=dialog.dialog_id, ssrc=number, senders=tuple(senders))

    async def bye(self, dialog_id: str) -> bool:
        """End a session, or take back its INVITE; return whether there was one."""
        if dialog_id in self._preparing:
            self._preparing[dialog_id] = True
            return True
        inviting = self._inviting.get(dialog_id)
        if inviting is not None:
            inviting.taken_back = True
            self._spawn(self._cancel(inviting))
            return True
        dialog = self.book.close(dialog_id)
        if dialog is None:
            return False
        await self._quiet_bye(dialog)
        return True

    async def release(self, owner: str) -> int:
        """End every session of one owner; return how many there were."""
        ids = [id for id, dialog in self.book.open.items() if dialog.owner == owner]
        ids += [id for id, inviting in self._inviting.items() if inviting.dialog.owner == owner]
        await asyncio.gather(*(self.bye(id) for id in ids))
        return len(ids)

    async def drop_device(self, device_id: str, reason: str) -> None:
        """End every session with a device."""
        for id, dialog in list(self.book.open.items()):
            if dialog.device_id == device_id:
                self._on_ended(DialogEnded(dialog_id=id, camera_id=dialog.camera_id, reason=reason))
                await self.bye(id)

    async def control(self, order: PlaybackControl) -> None:
        """Pause, continue or change a playback.

        Raises:
            Busy: The device has no room.
            Unreachable: There is no such playback, or the device refuses.
        """
        dialog = self.book.open.get(order.dialog_id)
        if dialog is None or dialog.live:
            raise Unreachable("no such playback")
        dialog.playback_cseq += 1
        if order.action == "pause":
            lines = ["PAUSE MANSRTSP/1.0", f"CSeq: {dialog.playback_cseq}", "PauseTime: now"]
        else:
            at = "now" if order.position_s is None else f"{order.position_s:g}"
            lines = ["PLAY MANSRTSP/1.0", f"CSeq: {dialog.playback_cseq}"]
            lines += [f"Scale: {order.speed:g}", f"Range: npt={at}-"]
        body = ("\r\n".join(lines) + "\r\n\r\n").encode()
        peer = self._peer(dialog)
        request = self._inside(dialog, "INFO", peer, content_type="Application/MANSRTSP", body=body)
        await self._caller.request(request, peer)

    def device_bye(self, call_id: str, host: str) -> bool:
        """Take a BYE from an address; return whether there was such a session."""
        for id, dialog in self.book.open.items():
            if dialog.call_id == call_id and host in (dialog.host, self._peer(dialog).host):
                self.book.close(id)
                self._on_ended(
                    DialogEnded(dialog_id=id, camera_id=dialog.camera_id, reason="the device hung up")
                )
                return True
        return False

    def played_out(self, device_id: str, channel_id: str, call_id: str) -> None:
        """Take a device's word that a playback has reached its end."""
        playbacks = [
            dialog for dialog in self.book.open.values() if dialog.device_id == device_id and not dialog.live
        ]
        named = [dialog for dialog in playbacks if dialog.call_id == call_id]
        for dialog in named or [other for other in playbacks if other.channel_id == channel_id][:1]:
            self._on_ended(
                DialogEnded(dialog_id=dialog.dialog_id, camera_id=dialog.camera_id, reason="played out")
            )
            self.book.close(dialog.dialog_id)
            self._spawn(self._quiet_bye(dialog))

    def stray(self, response: Response, peer: Peer) -> None:
        """Take an answer to an INVITE that was given up: the device would send for nobody."""
        dialog = self._given_up.pop(response.call_id, None)
        if dialog is None or peer.host != dialog.host:
            return
        dialog.to = sip.clean(response.get("to"))
        self._acknowledge(dialog)
        self._spawn(self._quiet_bye(dialog))

    async def close(self) -> None:
        """End everything, within a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*(self.bye(id) for id in [*self.book.open, *self._inviting]))
        for task in self._tasks:
            task.cancel()
        for settling in self._settling.values():
            settling.cancel()

    async def _replace(self, wanted: InviteRequest, *, live: bool) -> None:
        """End the live session that the same owner had for the same camera: it has been started again."""
        if live and wanted.owner:
            for id, dialog in list(self.book.open.items()):
                if dialog.live and (dialog.owner, dialog.camera_id) == (wanted.owner, wanted.camera_id):
                    await self.bye(id)

    async def _settle(self, dialog: Dialog) -> None:
        peer = self._peer(dialog)
        if not self._endpoint.connected(peer):
            return
        with contextlib.suppress(Unreachable):
            await self._say_bye(dialog, _SETTLE_S)
            self.book.settled(dialog)
            log.info("ended a session of the run before", camera_id=dialog.camera_id)

    def _give_up(self, inviting: _Inviting) -> None:
        dialog = inviting.dialog
        self.book.free(dialog.ssrc)
        self._given_up[dialog.call_id] = dialog
        while len(self._given_up) > _MOST_GIVEN_UP:
            self._given_up.popitem(last=False)
        self._spawn(self._cancel(inviting))

    async def _cancel(self, inviting: _Inviting) -> None:
        invite, peer = inviting.request, inviting.dialog.peer
        headers = [(name, invite.get(name)) for name in ("via", "from", "to", "call-id")]
        headers += [("cseq", f"{invite.cseq[0]} CANCEL"), ("max-forwards", "70")]
        with contextlib.suppress(StreamError):
            await self._endpoint.request(
                Request(headers, b"", "CANCEL", invite.uri), peer, self._caller.config.answer_s
            )

    def _acknowledge(self, dialog: Dialog) -> None:
        ack = self._inside(dialog, "ACK", dialog.peer, cseq=dialog.cseq)
        self._endpoint.send(ack, dialog.peer)

    async def _say_bye(self, dialog: Dialog, timeout_s: float) -> None:
        peer = self._peer(dialog)
        await self._endpoint.request(self._inside(dialog, "BYE", peer), peer, timeout_s)

    async def _quiet_bye(self, dialog: Dialog) -> None:
        with contextlib.suppress(StreamError):  # a device that is gone has forgotten the session as well
            await self._say_bye(dialog, self._caller.config.answer_s)

    def _inside(
        self,
        dialog: Dialog,
        method: str,
        peer: Peer,
        *,
        cseq: int = 0,
        content_type: str = "",
        body: bytes = b"",
    ) -> Request:
        if not cseq:
            dialog.cseq += 1
            cseq = dialog.cseq
        return self._caller.compose(
            method,
            dialog.channel_id,
            peer,
            call_id=dialog.call_id,
            cseq=cseq,
            from_=dialog.from_,
            to=dialog.to,
            content_type=content_type,
            body=body,
        )

    def _compose(self, wanted: InviteRequest, peer: Peer, ssrc: str) -> Request:
        server_id = self._caller.config.server_id
        host = wanted.media_host or self._caller.public_host(peer)
        return self._caller.compose(
            "INVITE",
            wanted.channel_id,
            peer,
            content_type="APPLICATION/SDP",
            body=sdp.offer(wanted, server_id, host, ssrc),
            extra=[("subject", f"{wanted.channel_id}:{ssrc},{server_id}:0")],
        )

    def _peer(self, dialog: Dialog) -> Peer:
        """Return where the device is now, or else where it was."""
        try:
            return self._caller.peer(dialog.device_id)
        except Unreachable:
            return dialog.peer

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
