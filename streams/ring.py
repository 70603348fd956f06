"""The last seconds of every watched camera, kept for clips and for viewers who come back.

A `Ring` holds whole groups of pictures, each from a key frame on; a clip can only begin with one. What all rings
of a process hold together is bounded by a `Budget`: past it the oldest group of the largest ring goes first, so
that one camera in high definition does not push out twenty small ones.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

__all__ = ["MOST_FRAGMENTS", "Budget", "Follower", "Group", "Ring"]

MOST_FRAGMENTS: Final = 3000
"""Of one group: two minutes of 25 pictures a second. A longer one is dropped up to the next key frame."""


@dataclass(slots=True)
class Group:
    """A key frame and what follows it up to the next.

    Attributes:
        init: The init segment it belongs to.
        start_s: When its key frame came, monotonic.
        end_s: When its last fragment came, monotonic.
        fragments: The key frame's fragment first.
        times: When each of them came, in seconds since 1970.
        size: Bytes of the fragments.
    """

    init: bytes
    start_s: float
    end_s: float
    fragments: list[bytes] = field(default_factory=list)
    times: array[float] = field(default_factory=lambda: array("d"))
    size: int = 0


class Follower(Protocol):
    """Somebody who takes what comes from now on, beside the ring. Never blocks, never raises."""

    def init(self, data: bytes) -> None:
        """Take a new init segment: what follows belongs to it."""

    def fragment(self, data: bytes, at_unix_s: float, *, key: bool) -> None:
        """Take a fragment."""


class Budget:
    """What all rings of a process may hold.

    Args:
        most: In bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self._rings: set[Ring] = set()

    def enter(self, ring: Ring) -> None:
        """Count a ring in."""
        self._rings.add(ring)

    def leave(self, ring: Ring) -> None:
        """Count a ring out; it must be empty."""
        self._rings.discard(ring)

    def add(self, size: int) -> None:
        """Count bytes that were added, and make room if that was too much."""
        self.held += size
        while self.held > self.most:
            largest = max(self._rings, key=lambda ring: (len(ring) > 1, ring.size))
            if not largest.drop_oldest():
                return


class Ring:
    """The last seconds of one camera.

    Args:
        budget: Shared with the others.
        keep_s: Seconds that are kept; 0: only the present group.
    """

    def __init__(self, budget: Budget, keep_s: float) -> None:
        self._budget = budget
        self._keep_s = keep_s
        self._groups: deque[Group] = deque()
        self._open = False
        self._followers: tuple[Follower, ...] = ()
        self.init: bytes | None = None
        """The init segment that holds now."""
        self.size = 0
        """Bytes of all groups."""
        budget.enter(self)

    def __len__(self) -> int:
        return len(self._groups)

    def groups(self) -> list[Group]:
        """Return what is there, oldest first. The last group goes on growing."""
        return list(self._groups)

    def present(self) -> list[bytes]:
        """Return the fragments since the last key frame; none while waiting for the next one."""
        return self._groups[-1].fragments if self._open else []

    def begin(self, init: bytes) -> None:
        """Take a new init segment; what is kept of the old one stays for clips."""
        self.init = init
        self._open = False
        for follower in self._followers:
            follower.init(init)

    def add(self, data: bytes, *, key: bool, at_s: float, at_unix_s: float) -> None:
        """Take a fragment."""
        if self.init is None:
            return
        if key:
            self._groups.append(Group(self.init, at_s, at_s))
            self._open = True
            self._trim(at_s)
        if self._open:
            group = self._groups[-1]
            if len(group.fragments) >= MOST_FRAGMENTS:
                # Its beginning is good for a clip; what follows needs what would be left out.
                self._open = False
            else:
                group.fragments.append(data)
                group.times.append(at_unix_s)
                group.end_s = at_s
                group.size += len(data)
                self.size += len(data)
                self._budget.add(len(data))
        for follower in self._followers:
            follower.fragment(data, at_unix_s, key=key)

    def follow(self, follower: Follower) -> None:
        """Hand on what comes from now on."""
        self._followers = (*self._followers, follower)

    def unfollow(self, follower: Follower) -> None:
        """Stop handing on."""
        self._followers = tuple(other for other in self._followers if other is not follower)

    def drop_oldest(self) -> bool:
        """Drop the oldest group; return whether there was one."""
        if not self._groups:
            return False
        if len(self._groups) == 1:
            self._open = False
        group = self._groups.popleft()
        self.size -= group.size
        self._budget.held -= group.size
        return True

    def pause(self) -> None:
        """The stream broke off: what is kept stays, nothing is added before the next init segment."""
        self.init = None
        self._open = False

    def empty(self) -> None:
        """Drop what is kept."""
        while self.drop_oldest():
            pass

    def clear(self) -> None:
        """Drop everything and leave the budget."""
        self.empty()
        self.init = None
        self._budget.leave(self)

    def _trim(self, now_s: float) -> None:
        # The group that spans the edge stays, so that the whole time asked for is there.
        while len(self._groups) > 1 and self._groups[1].start_s <= now_s - self._keep_s:
            self.drop_oldest()
