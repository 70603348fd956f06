"""From a sink to the web process: one muxer, its ring, and the channels that get what comes out.

When the web process does not keep up, what waits for it on the link is bounded: a camera then leaves out
fragments up to its next key frame, each by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from streams.fmp4 import Config, Fragment, Muxer
from streams.link import Link
from streams.ring import Budget, Ring
from streams.wire import CONFIG, FRAGMENT, INIT, KEY

__all__ = ["Counters", "Output"]


@dataclass(slots=True)
class Counters:
    """What a process has done since it started."""

    pictures: int = 0
    bytes: int = 0
    skipped: int = 0
    opens: int = 0
    failures: int = 0


class Output:
    """What browsers get of one camera, in one coding.

    Args:
        link: To the web process.
        budget: For the ring.
        keep_s: Seconds kept for clips; 0: only what a later viewer starts from.
        most_waiting: Bytes waiting on the link past which fragments are left out.
        counters: Of the process.
    """

    def __init__(
        self, link: Link, budget: Budget, keep_s: float, most_waiting: int, counters: Counters
    ) -> None:
        self._link = link
        self._most_waiting = most_waiting
        self._counters = counters
        self._channels: tuple[int, ...] = ()
        self._config: bytes | None = None
        self._skipping = False
        self._session: _Session | None = None
        self.ring = Ring(budget, keep_s)

    @property
    def config(self) -> bytes | None:
        """What a browser must be told first, as JSON; None while there is no stream."""
        return self._config

    def sink(self) -> Muxer:
        """Return a muxer for a new session; the one before it is over."""
        self.off()
        session = self._session = _Session(self)
        return Muxer(session.config, session.init, session.fragment)

    def off(self) -> None:
        """The stream broke off."""
        if self._session is not None:
            self._session.output = None
            self._session = None
        self._config = None
        self._skipping = False
        self.ring.pause()

    def close(self) -> None:
        """Drop everything."""
        self.off()
        self._channels = ()
        self.ring.clear()

    def join(self, channel: int) -> None:
        """Send a channel what there is, and from now on what comes."""
        if channel in self._channels:
            return
        if self._config is not None:
            self._link.media(channel, CONFIG, self._config)
            if self.ring.init is not None:
                self._link.media(channel, INIT, self.ring.init)
                flags = FRAGMENT | KEY
                for data in self.ring.present():
                    self._send(channel, flags, data)
                    flags = FRAGMENT
        self._channels = (*self._channels, channel)

    def leave(self, channel: int) -> None:
        """Send a channel nothing any more."""
        self._channels = tuple(other for other in self._channels if other != channel)

    def take_config(self, config: Config) -> None:
        """Take what the muxer says of what follows."""
        self._config = msgspec.json.encode(
            {
                "codec": config.codec,
                "audio": config.audio,
                "mime": config.mime,
                "width": config.width,
                "height": config.height,
            }
        )
        for channel in self._channels:
            self._link.media(channel, CONFIG, self._config)

    def take_init(self, init: bytes) -> None:
        """Take an init segment."""
        self.ring.begin(init)
        for channel in self._channels:
            self._link.media(channel, INIT, init)

    def take_fragment(self, fragment: Fragment) -> None:
        """Take a fragment and send it to whoever watches."""
        data, key = fragment.data, fragment.key
        self.ring.add(data, key=key, at_s=time.monotonic(), at_unix_s=time.time())
        if not self._channels:
            return
        waiting = self._link.buffered()
        if self._skipping:
            if not key or waiting > self._most_waiting // 2:
                self._counters.skipped += 1
                return
            self._skipping = False
        elif waiting > self._most_waiting:
            self._skipping = True
            self._counters.skipped += 1
            return
        flags = FRAGMENT | KEY if key else FRAGMENT
        for channel in self._channels:
            self._send(channel, flags, data)

    def _send(self, channel: int, flags: int, data: bytes) -> None:
        self._counters.bytes += len(data)
        self._link.media(channel, flags, data)


class _Session:
    """What a muxer delivers to; whoever still writes to it when the stream broke off reaches nobody."""

    __slots__ = ("output",)

    def __init__(self, output: Output) -> None:
        self.output: Output | None = output

    def config(self, config: Config) -> None:
        if self.output is not None:
            self.output.take_config(config)

    def init(self, init: bytes) -> None:
        if self.output is not None:
            self.output.take_init(init)

    def fragment(self, fragment: Fragment) -> None:
        if self.output is not None:
            self.output.take_fragment(fragment)
