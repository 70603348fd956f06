"""Which camera's turn it is. Pure: it is told the time, and starts nothing itself.

Every camera has its own place in the interval, found from its id, so the load is even and stays so when cameras
come and go. A camera waits in one place only: in line by time, behind its host, behind the cameras that hang, or
under way. So nothing grows while the sweep is slower than it should be; it just goes round more slowly.
"""

import hashlib
import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

_PER_HOST: Final = 4

Place = Literal["line", "host", "lane", "running", "held"]


@dataclass(slots=True)
class _Host:
    free_s: float = 0.0
    cameras: int = 0
    running: int = 0
    waiting: deque[str] = field(default_factory=deque)


@dataclass(slots=True)
class _Turn:
    host: str
    phase: float
    due_s: float = 0.0
    place: Place = "line"
    number: int = 0
    doubtful: bool = False
    in_lane: bool = False
    gone: bool = False
    reserved: bool = False
    moves_to: str | None = None


class Schedule:
    """Turns of all cameras.

    Args:
        interval_s: Between two checks of a camera.
        parallel: Most checks under way.
        per_host_per_s: Most checks started per second at one host.
        now_s: The time.
    """

    def __init__(self, interval_s: float, parallel: int, per_host_per_s: float, now_s: float) -> None:
        self._interval_s = interval_s
        self._parallel = max(1, parallel)
        self._gap_s = 1.0 / per_host_per_s
        self._begun_s = now_s
        self._turns: dict[str, _Turn] = {}
        self._hosts: dict[str, _Host] = {}
        self._line: list[tuple[float, int, str]] = []
        self._number = 0
        # Cameras that did not answer last time may hold half of the places, so that they cannot hold all.
        self._lane_most = max(1, self._parallel // 2)
        self._lane_running = 0
        self._lane: deque[str] = deque()
        self.running = 0
        """Checks under way."""

    def __len__(self) -> int:
        return len(self._turns)

    def configure(self, hosts: Mapping[str, str], now_s: float, changed: Iterable[str] = ()) -> None:
        """Take the full set of cameras.

        Args:
            hosts: Camera to host.
            now_s: The time.
            changed: Those whose source is new: they are checked again even if held.
        """
        for id, turn in list(self._turns.items()):
            if id not in hosts:
                self._drop(id, turn)
        again = set(changed)
        for id, host in hosts.items():
            known = self._turns.get(id)
            if known is None:
                turn = self._turns[id] = _Turn(host, _phase(id) * self._interval_s)
                self._join(host)
                self._enter(id, turn, self._next_place(turn, now_s))
            elif known.place == "running":
                known.gone = False
                known.moves_to = host if known.host != host or id in again else None
            elif known.host != host or id in again:
                self._leave(id, known)
                self._move(known, host)
                self._enter(id, known, now_s)

    def begin(self, now_s: float) -> Iterator[str]:
        """Yield the cameras to check now; each must be told to `finish` later."""
        while self.running < self._parallel:
            id = self._pop(now_s)
            if id is None:
                return
            turn = self._turns[id]
            host = self._hosts[turn.host]
            if host.running >= _PER_HOST:
                turn.place = "host"
                host.waiting.append(id)
            elif turn.doubtful and self._lane_running >= self._lane_most:
                turn.place = "lane"
                self._lane.append(id)
            elif host.free_s > now_s + 1e-9 and not turn.reserved:
                turn.reserved = True
                self._enter(id, turn, host.free_s)
                host.free_s += self._gap_s
            else:
                if not turn.reserved:
                    host.free_s = now_s + self._gap_s
                turn.place, turn.reserved = "running", False
                turn.in_lane = turn.doubtful
                self._lane_running += turn.in_lane
                host.running += 1
                self.running += 1
                yield id

    def finish(
        self, id: str, now_s: float, *, again_s: float | None = None, held: bool = False, failed: bool = False
    ) -> None:
        """Take back a camera that `begin` gave out.

        Args:
            id: Which.
            now_s: The time.
            again_s: Check it again after so long, instead of at its next turn.
            held: Do not check it again until it is configured anew.
            failed: It did not answer.
        """
        turn = self._turns[id]
        host = self._hosts[turn.host]
        self.running -= 1
        host.running -= 1
        if turn.in_lane:
            self._lane_running -= 1
        turn.in_lane = False
        turn.doubtful = failed
        if host.waiting:
            self._awake(host.waiting.popleft(), now_s)
        if self._lane and self._lane_running < self._lane_most:
            self._awake(self._lane.popleft(), now_s)
        if turn.gone:
            del self._turns[id]
            self._part(turn.host)
        elif turn.moves_to is not None:
            self._move(turn, turn.moves_to)
            self._enter(id, turn, now_s)
        elif held:
            turn.place = "held"
        else:
            due = self._next_place(turn, now_s) if again_s is None else now_s + again_s
            self._enter(id, turn, due)

    def urge(self, id: str, now_s: float) -> None:
        """Check a camera next, held or not; nothing happens if it is unknown or under way."""
        turn = self._turns.get(id)
        if turn is not None and turn.place != "running":
            self._leave(id, turn)
            self._enter(id, turn, min(now_s, self._begun_s))

    def release(self, id: str, now_s: float) -> None:
        """Give a held camera its regular turns back."""
        turn = self._turns.get(id)
        if turn is not None and turn.place == "held":
            self._enter(id, turn, self._next_place(turn, now_s))

    def late_s(self, now_s: float) -> float:
        """Return by how much the first in line is late; 0 if it is not."""
        self._prune()
        return max(0.0, now_s - self._line[0][0]) if self._line else 0.0

    def next_s(self) -> float | None:
        """Return when the next turn comes, or None while there is none or no room."""
        self._prune()
        if not self._line or self.running >= self._parallel:
            return None
        return self._line[0][0]

    def _next_place(self, turn: _Turn, now_s: float) -> float:
        rounds = (now_s - self._begun_s - turn.phase) // self._interval_s + 1
        return self._begun_s + turn.phase + max(0.0, rounds) * self._interval_s

    def _enter(self, id: str, turn: _Turn, due_s: float) -> None:
        self._number += 1
        turn.place, turn.due_s, turn.number = "line", due_s, self._number
        heapq.heappush(self._line, (due_s, self._number, id))

    def _leave(self, id: str, turn: _Turn) -> None:
        if turn.place == "host":
            self._hosts[turn.host].waiting.remove(id)
        elif turn.place == "lane":
            self._lane.remove(id)
        turn.number = 0
        turn.reserved = False

    def _drop(self, id: str, turn: _Turn) -> None:
        if turn.place == "running":
            turn.gone, turn.moves_to = True, None
            return
        self._leave(id, turn)
        del self._turns[id]
        self._part(turn.host)

    def _move(self, turn: _Turn, host: str) -> None:
        self._join(host)
        self._part(turn.host)
        turn.host, turn.doubtful, turn.moves_to = host, False, None

    def _join(self, name: str) -> None:
        self._hosts.setdefault(name, _Host()).cameras += 1

    def _part(self, name: str) -> None:
        host = self._hosts[name]
        host.cameras -= 1
        if not host.cameras:
            del self._hosts[name]

    def _awake(self, id: str, now_s: float) -> None:
        self._enter(id, self._turns[id], min(now_s, self._turns[id].due_s))

    def _pop(self, now_s: float) -> str | None:
        self._prune()
        if self._line and self._line[0][0] <= now_s + 1e-9:
            return heapq.heappop(self._line)[2]
        return None

    def _prune(self) -> None:
        """Drop entries whose camera has moved to another place since."""
        while self._line:
            _, number, id = self._line[0]
            turn = self._turns.get(id)
            if turn is not None and turn.place == "line" and turn.number == number:
                return
            heapq.heappop(self._line)


def _phase(id: str) -> float:
    """A camera's place in the interval, 0 to 1: the same after every restart."""
    digest = hashlib.blake2b(id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
