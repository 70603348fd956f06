"""Which reader reads which camera.

RTSP goes through our own reader. What it cannot speak, as it says itself, goes through FFmpeg in a process of
its own, and so does everything else that is not GB/T 28181; which of the two a camera needs is remembered until
its source changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from streams.errors import UdpOnly, Unsupported
from streams.libav.reader import LibavReader
from streams.libav.slots import Slots
from streams.media import Reader
from streams.rtsp import RtspReader
from streams.source import Admission, CameraSpec, Source
from streams.wire import VideoSettings

__all__ = ["CameraReaders", "GbReaders"]

_FFMPEG: Final = frozenset({"rtsp", "rtsps", "rtmp", "http-flv", "hls", "file"})
_MOST_REMEMBERED: Final = 20_000

GbReaders = Callable[[CameraSpec], Reader]
"""Makes a reader for a GB/T 28181 channel."""


class CameraReaders:
    """Readers for every protocol.

    Args:
        settings: Bounds and times.
        admission: What may be opened.
        slots: Places for encoding, for codings that no browser shows.
        gb: Makes readers of GB/T 28181 channels.
    """

    def __init__(
        self, settings: VideoSettings, admission: Admission, slots: Slots, gb: GbReaders | None = None
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._slots = slots
        self._gb = gb
        self._second: dict[str, tuple[Source, Source]] = {}  # as it is set, and as FFmpeg gets it

    def reader(self, spec: CameraSpec) -> Reader:
        """Return a reader for one try.

        Raises:
            NotAllowed: The protocol is not allowed.
            Unsupported: Nobody here speaks it.
        """
        source, settings = spec.source, self._settings
        self._admission.check_protocol(source.protocol)
        if source.protocol == "gb28181":
            if self._gb is None:
                raise Unsupported("GB/T 28181 is switched off")
            return self._gb(spec)
        if self.fast(spec):
            return RtspReader(source, self._admission, stall_s=settings.stall_s, connect_s=settings.connect_s)
        if source.protocol not in _FFMPEG:
            raise Unsupported(f"nobody here reads {source.protocol}")
        known = self._second.get(spec.id)
        return LibavReader(
            source if known is None or known[0] != source else known[1],
            self._admission,
            self._slots,
            stall_s=settings.stall_s,
            height_px=settings.transcode_height_px,
        )

    def fast(self, spec: CameraSpec) -> bool:
        """Return whether a camera is read by our own RTSP reader."""
        source = spec.source
        if source.protocol != "rtsp" or source.transport != "tcp":
            return False
        known = self._second.get(spec.id)
        return known is None or known[0] != source

    def refused(self, spec: CameraSpec, error: Unsupported) -> bool:
        """Hear that the last reader could not speak it; return whether another one may."""
        if not self.fast(spec):
            return False
        if len(self._second) >= _MOST_REMEMBERED:
            self._second.clear()
        source = spec.source
        udp = isinstance(error, UdpOnly)
        self._second[spec.id] = source, msgspec.structs.replace(source, transport="udp") if udp else source
        return True

    def forget(self, camera_id: str) -> None:
        """Forget what was learnt of a camera that is gone."""
        self._second.pop(camera_id, None)

    def host(self, source: Source) -> str | None:
        """Return what sessions are counted by; None: they need not be."""
        if source.protocol == "file":
            return None
        return source.device_id or source.host
