"""The sessions that are open, written down: those that a run before left open can then be ended."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from streams.errors import Busy
from streams.gb28181.registry import read_file, write_file
from streams.gb28181.sockets import Peer

_CSEQ_GAP: Final = 1_000
_SSRCS: Final = 9_999


class Dialog(msgspec.Struct, kw_only=True):
    """One session, as it is kept on disk."""

    dialog_id: str
    camera_id: str
    owner: str
    device_id: str
    channel_id: str
    live: bool
    host: str
    port: int
    transport: Literal["udp", "tcp"]
    call_id: str
    from_: str
    to: str
    cseq: int
    ssrc: str
    playback_cseq: int = 0

    @property
    def peer(self) -> Peer:
        """Where the device was when it was invited."""
        return Peer(self.transport, self.host, self.port)


class Book:
    """Sessions, and the numbers they use.

    Args:
        folder: Where they are kept; empty: nowhere.
        server_id: Our 20 digits.

    Attributes:
        open: Sessions by id.
        stale: Sessions of runs before that have not been ended yet, by device.
    """

    def __init__(self, folder: str, server_id: str) -> None:
        self.open: dict[str, Dialog] = {}
        self.stale: dict[str, list[Dialog]] = {}
        self._path = Path(folder) / "gb_dialogs.json" if folder else None
        self._domain = server_id[3:8]
        self._ssrcs: set[str] = set()
        self._counter = 0

    @property
    def numbers(self) -> int:
        """SSRCs in use."""
        return len(self._ssrcs)

    def restore(self) -> list[str]:
        """Read the sessions of the run before; return their devices."""
        for dialog in (read_file(self._path, list[Dialog]) if self._path else None) or []:
            dialog.cseq += _CSEQ_GAP  # more may have been said than was written down
            self.stale.setdefault(dialog.device_id, []).append(dialog)
        return list(self.stale)

    def add(self, dialog: Dialog) -> None:
        """Take a session that has been opened."""
        self.open[dialog.dialog_id] = dialog
        self._save()

    def close(self, dialog_id: str) -> Dialog | None:
        """Take out a session; return it if there was one."""
        dialog = self.open.pop(dialog_id, None)
        if dialog is not None:
            self.free(dialog.ssrc)
            self._save()
        return dialog

    def settled(self, dialog: Dialog) -> None:
        """Take out a session of a run before."""
        remaining = self.stale.get(dialog.device_id, [])
        if dialog in remaining:
            remaining.remove(dialog)
        if not remaining:
            self.stale.pop(dialog.device_id, None)
        self._save()

    def take_ssrc(self, *, live: bool) -> str:
        """Return ten digits: 0 live or 1 recorded, five of our domain, a number that is free.

        Raises:
            Busy: None is free.
        """
        head = f"{0 if live else 1}{self._domain}"
        for _ in range(_SSRCS):
            self._counter = self._counter % _SSRCS + 1
            ssrc = f"{head}{self._counter:04d}"
            if ssrc not in self._ssrcs:
                self._ssrcs.add(ssrc)
                return ssrc
        raise Busy("no free SSRC")

    def free(self, ssrc: str) -> None:
        """Give a number back; it is used again only after all others."""
        self._ssrcs.discard(ssrc)

    def forget_file(self) -> None:
        """Write nothing any more."""
        self._path = None

    def _save(self) -> None:
        if self._path is not None:
            stale = [dialog for dialogs in self.stale.values() for dialog in dialogs]
            write_file(self._path, [*self.open.values(), *stale])
