"""GB/T 28181 channels in a media process: their invitations go through the process that speaks SIP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from weakref import WeakValueDictionary

from streams.errors import Unsupported
from streams.gb28181.media import PsReader
from streams.gb28181.messages import Bye, DialogEnded, InviteAnswer, InviteRequest
from streams.link import Link
from streams.media import Reader
from streams.source import CameraSpec, Source
from streams.wire import Span, VideoSettings

__all__ = ["Inviting", "RecordingReaders"]

_INVITE_S: Final = 20.0


class Inviting:
    """Makes readers of channels, and tells them when a device ends a dialog.

    Args:
        link: To the web process, which passes on what is asked.
        name: Of this process.
        settings: Bounds and times.
    """

    def __init__(self, link: Link, name: str, settings: VideoSettings) -> None:
        self._link = link
        self._name = name
        self._settings = settings
        self._readers: WeakValueDictionary[str, PsReader] = WeakValueDictionary()
        link.serve("ended", DialogEnded, self._ended)

    def reader(self, spec: CameraSpec, span: Span | None = None) -> Reader:
        """Return a reader of a channel's present, or of what its device has recorded.

        Raises:
            Unsupported: There is no process that speaks SIP.
        """
        config = self._settings.gb
        if config is None:
            raise Unsupported("GB/T 28181 is switched off")
        reader = PsReader(
            spec.source,
            invite=self._invite,
            bye=self._bye,
            camera_id=spec.id,
            owner=self._name,
            host=config.host,
            ports=self._settings.gb_media_ports,
            stall_s=self._settings.stall_s,
            start=None if span is None else datetime.fromtimestamp(span.start_s, UTC),
            end=None if span is None else datetime.fromtimestamp(span.end_s, UTC),
        )
        self._readers[reader.dialog_id] = reader
        return reader

    async def _invite(self, request: InviteRequest) -> InviteAnswer:
        return await self._link.call("invite", request, InviteAnswer, timeout_s=_INVITE_S)

    async def _bye(self, dialog_id: str) -> None:
        await self._link.call("bye", Bye(dialog_id=dialog_id), bool)

    def _ended(self, ended: DialogEnded) -> None:
        reader = self._readers.get(ended.dialog_id)
        if reader is not None:
            reader.ended(ended.reason)


class RecordingReaders:
    """Readers of one stretch of a recording.

    Args:
        inviting: Makes them.
        span: The stretch.
    """

    def __init__(self, inviting: Inviting, span: Span) -> None:
        self._inviting = inviting
        self._span = span

    def reader(self, spec: CameraSpec) -> Reader:
        """See `streams.pull.Readers`."""
        return self._inviting.reader(spec, self._span)

    def refused(self, spec: CameraSpec, error: Unsupported) -> bool:
        """See `streams.pull.Readers`."""
        del spec, error
        return False

    def host(self, source: Source) -> str | None:
        """See `streams.pull.Readers`."""
        return source.device_id
