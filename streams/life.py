"""When a camera is tried, when it counts as late or lost, and when it is left alone: decisions without waiting.

`Life` is told what happened and when; it answers with the state to show and the moment of the next try. All
times are monotonic seconds given by the caller, so a clock that jumps changes nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from streams.errors import Busy, NotAllowed, StreamError, Unauthorized, Unsupported
from streams.wire import IDLE, StreamState, VideoSettings

__all__ = ["Life"]

_AGE_SHARE = 4.0
_LATE_GAPS = 3.0
_GAP_WEIGHT = 1 / 16


class Life:
    """The life of one camera's stream.

    The wait between two tries doubles from `backoff_first_s` to `backoff_most_s`, yet stays below a quarter of
    the time that has passed since the trouble began (and five first waits): a short outage is over soon after
    the camera is back, and a long one costs few tries. Each wait is drawn between half of it and the whole, so
    that cameras behind one switch do not come back in step. Only pictures over `settle_s` end the trouble.

    Args:
        settings: Bounds and times.
        on_change: Called with each new state.
        draw: A number in [0, 1).
    """

    def __init__(
        self,
        settings: VideoSettings,
        on_change: Callable[[StreamState], None],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._on_change = on_change
        self._draw = draw
        self.state = IDLE
        self.failures = 0
        """Tries that failed since pictures last came for long enough."""
        self.refused = False
        """It is not tried again before its source changes."""
        self._trouble_s = -math.inf
        self._ended_s = -math.inf
        self._first_s: float | None = None
        self._last_s = -math.inf
        self._gap_s = 0.0

    def opening(self, now_s: float) -> None:
        """A try begins."""
        if now_s - self._ended_s > 2 * self._settings.backoff_most_s:
            self.failures = 0  # nobody watched meanwhile: what was wrong then says little about now
        self._first_s = None
        self._gap_s = 0.0
        # The last reason stays until there is a picture: "connecting" alone would hide what is being repaired.
        self._show(StreamState(state="connecting", reason=self.state.reason, detail=self.state.detail))

    def picture(self, now_s: float) -> None:
        """A picture came."""
        if self._first_s is None:
            self._first_s = now_s
        else:
            self._gap_s += (now_s - self._last_s - self._gap_s) * _GAP_WEIGHT
        self._last_s = now_s
        if self.state.state != "live":
            self._show(StreamState(state="live"))

    def tick(self, now_s: float) -> None:
        """Look whether pictures are late; call it several times a second."""
        if self._first_s is None or self.state.state not in ("live", "late"):
            return
        quiet_s = now_s - self._last_s
        # A camera set to a picture every two seconds is not late by nature.
        if quiet_s > max(self._settings.late_s, _LATE_GAPS * self._gap_s):
            self._show(StreamState(state="late", late_s=float(math.floor(quiet_s * 2) / 2)))

    def failed(self, now_s: float, error: StreamError, *, final: bool = False) -> float | None:
        """A try ended; return the seconds until the next one, or None when there must be none.

        Args:
            now_s: When.
            error: Why.
            final: It is not to be tried again, whatever the reason.
        """
        if self._first_s is not None and self._last_s - self._first_s >= self._settings.settle_s:
            self.failures = 0
        self._first_s = None
        self._ended_s = now_s
        if self.failures == 0:
            self._trouble_s = now_s
        if final:
            self.refused = True
            self._show(StreamState(state="lost", reason=error.code, detail=str(error) or None))
            return None
        if isinstance(error, (Unauthorized, NotAllowed)):
            # Trying again with the same password locks the account of many a recorder.
            self.refused = True
            self.failures += 1
            self._show(StreamState(state="refused", reason=error.code, detail=str(error) or None))
            return None
        wait_s = self._wait_s(now_s, error)
        self.failures += 1
        self._show(
            StreamState(
                state="no_capacity" if isinstance(error, Busy) else "lost",
                reason=error.code,
                detail=str(error) or None,
                retry_s=round(wait_s, 1),
            )
        )
        return wait_s

    def stopped(self, now_s: float) -> None:
        """Nobody watches any more. What has been learnt of the camera stays for a while."""
        self._first_s = None
        self._ended_s = now_s
        if not self.refused:
            self._show(IDLE)

    def disabled(self) -> None:
        """It is switched off by hand."""
        self._first_s = None
        self._show(StreamState(state="refused", reason="disabled"))

    def forget(self) -> None:
        """Its source changed: nothing that was learnt holds."""
        self.failures = 0
        self.refused = False
        self._first_s = None
        self._show(IDLE)

    def _wait_s(self, now_s: float, error: StreamError) -> float:
        first_s, most_s = self._settings.backoff_first_s, self._settings.backoff_most_s
        if isinstance(error, Unsupported):
            longest_s = most_s  # it takes somebody who sets the device up differently
        else:
            if isinstance(error, Busy):
                first_s *= 4
            longest_s = min(
                most_s,
                first_s * 2 ** min(self.failures, 16),
                max(4 * first_s, (now_s - self._trouble_s) / _AGE_SHARE),
            )
        return longest_s * (0.5 + 0.5 * self._draw())

    def _show(self, state: StreamState) -> None:
        if state != self.state:
            self.state = state
            self._on_change(state)
