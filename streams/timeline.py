"""Times for a file or a browser from the times a camera sends.

A camera gives each picture the time at which it is shown, in the order in which it is decoded, by a clock that
may be set at any moment. A player wants the time of decoding as well, always rising, and gives up on what comes
after a gap of more than twice the duration it was told: it then waits for the next key frame. Neither can wait for
later pictures.

With at most ``depth`` pictures decoded before one that is shown earlier, the decoding times are the presentation
times in order, ``depth`` places late. They come out of a heap that starts with that many made-up times.
"""

from collections import deque
from heapq import heappushpop
from typing import Final, NamedTuple

from streams.media import CLOCK_HZ

USUAL_STEP: Final = CLOCK_HZ // 25
MOST_DEPTH: Final = 16
_JUMP: Final = CLOCK_HZ // 2
_STEPS_TO_JUMP: Final = 8
_LONGEST_STEP: Final = 10 * CLOCK_HZ
_SHORTEST_STEP: Final = CLOCK_HZ // 1000
_STEPS_REMEMBERED: Final = 9


class Place(NamedTuple):
    """Where a picture goes, in 1/90,000 s."""

    pts: int
    dts: int
    duration: int


class Timeline:
    """Places pictures one after the other.

    Args:
        depth: Pictures by which output order may trail decoding order.

    Attributes:
        depth: The same, as it is in force.
        needed: The depth that the pictures turned out to need; more than ``depth`` once they came out of order.
            Decoding times rise all the same, but some are later than the presentation.
        latest: The latest presentation time so far.
        duration: How long a picture lasts, as far as can be told from the last ones.
    """

    def __init__(self, depth: int = 0) -> None:
        self.depth = self.needed = min(depth, MOST_DEPTH)
        self.latest = self.depth * USUAL_STEP
        self.duration = USUAL_STEP
        self._offset: int | None = None
        self._heap: list[int] = []
        self._last_dts = -1
        self._last_due = 0
        self._behind = 0
        self._steps: deque[int] = deque(maxlen=_STEPS_REMEMBERED)
        self._recent: deque[int] = deque(maxlen=MOST_DEPTH)

    def restart(self, depth: int) -> None:
        """Use another depth from the next picture on, which begins a new sequence: times of decoding start anew."""
        self.depth = min(depth, MOST_DEPTH)
        self._last_dts = -1
        self._heap = []
        self._recent.clear()

    def place(self, timestamp: int) -> Place:
        """Return where the next picture in decoding order goes.

        Args:
            timestamp: Its presentation time by the camera's clock.
        """
        if self._offset is None:
            self._offset = self.latest - timestamp
        pts = timestamp + self._offset
        ahead = pts - self.latest
        duration = self.duration
        if ahead > 0:
            self._behind = 0
            if ahead > _JUMP and ahead > _STEPS_TO_JUMP * duration:
                pts = self._jump(timestamp, ahead)
            self.latest = pts
        elif ahead < -_SHORTEST_STEP:
            self._behind += 1
            if self._behind > MOST_DEPTH or ahead < -MOST_DEPTH * max(duration, USUAL_STEP):
                pts = self.latest = self._jump(timestamp, 0)
        dts = self._begin(pts) if self._last_dts < 0 else self._next(pts, duration)
        if dts > pts:
            if ahead < -_SHORTEST_STEP:
                self._out_of_order(pts)
            else:  # two pictures of one time
                pts = self.latest = dts
        self._last_dts = dts
        self._recent.append(pts)
        return Place(pts, dts, self.duration)

    def _begin(self, pts: int) -> int:
        self._heap = [pts - number * self.duration for number in range(self.depth, 0, -1)]
        self._last_due = heappushpop(self._heap, pts)
        return max(self._last_due, 0)

    def _next(self, pts: int, told: int) -> int:
        """Return the next time of decoding, when the player was told that the last picture lasts ``told``."""
        due = heappushpop(self._heap, pts)
        step = due - self._last_due
        if step > 0:
            self._last_due = due
            self._learn(step)
        return max(min(due, self._last_dts + told * 15 // 8), self._last_dts + 1)

    def _jump(self, timestamp: int, ahead: int) -> int:
        """Let a picture whose time has jumped follow the last one."""
        if ahead:
            self._learn(ahead)
        self._behind = 0
        pts = self.latest + self._stride()
        self._offset = pts - timestamp
        return pts

    def _stride(self) -> int:
        """Return by how much a picture is usually later than all before it: those between them follow it."""
        longest = self.duration
        if self.depth:
            latest: int | None = None
            for pts in self._recent:
                if latest is not None:
                    longest = max(longest, min(pts - latest, MOST_DEPTH * self.duration))
                latest = pts if latest is None else max(latest, pts)
        return longest

    def _learn(self, step: int) -> None:
        if step > _LONGEST_STEP:
            return
        steps = self._steps
        steps.append(step)
        if step != self.duration:
            self.duration = max(sorted(steps)[len(steps) // 2], _SHORTEST_STEP)

    def _out_of_order(self, pts: int) -> None:
        count = sum(1 for other in self._recent if other > pts)
        self.needed = max(self.needed, count)
