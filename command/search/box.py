"""The box itself: everything that can be found, kept up to date, and the answers.

Areas, beats, roads, house numbers and places stand on one shelf that is built beside the start, and anew in a
thread when another district comes into force. People, cameras and incidents stand on a second one; what changes
among them goes to a small third that is built anew when somebody asks. When the third has grown large, the second
is built anew in a thread.

Looking is work for some milliseconds, so the service has it done in one thread of the box's own (`ask`). What
the event loop hears meanwhile waits in a queue that this thread empties before it looks: the shelves belong to
whoever holds the lock, and the loop never does.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import structlog

from command.board import Board
from command.cameras import Camera
from command.district import District
from command.errors import Unavailable
from command.events import Event
from command.incidents import Incident
from command.responders import Responder
from command.search.answers import Allowed, Answers, Hit
from command.search.ground import fixed_things, frame_of, same_names, still_fits
from command.search.picks import Picks
from command.search.things import Box, Key, Shelf, Thing, Type

log = structlog.get_logger("search")

P = ParamSpec("P")
R = TypeVar("R")
TYPE_OF: Final[dict[str, Type]] = {"responders": "responder", "cameras": "camera", "incidents": "incident"}
KIND_OF: Final[dict[str, str]] = {kind: plural for plural, kind in TYPE_OF.items()}
MOST_WAITING: Final = 64
"""More who ask at once are turned away: they would wait for a second and more."""
_MOST_CHANGED: Final = 256


class Search:
    """The box.

    Args:
        board: People, cameras and incidents.
        district: Areas, roads, house numbers and places; see `take_district`.
        picks: Where it is remembered what was picked; None: in memory.
    """

    def __init__(self, board: Board, district: District, picks: Path | None = None) -> None:
        self._board = board
        self._district = district
        self._frame = frame_of(district)
        self.picks = Picks(picks)
        self._live: dict[Key, Thing] = {}
        """The event loop's own: what it compares with."""
        for plural, kind in TYPE_OF.items():
            for entity in board.kind(plural).values():
                self._live[kind, entity.id] = _thing(entity)
        self._heard: deque[tuple[Key, Thing | None]] = deque()
        self._looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search")
        self._waiting = 0
        self._tidying = asyncio.Lock()
        self._came: District | None = None
        self._came_into_force = asyncio.Event()
        # From here on: only for who holds the lock.
        self._lock = threading.RLock()
        self._known = dict(self._live)
        self._fixed: Shelf | None = None
        self._base = Shelf((), self._frame)
        self._late = Shelf((), self._frame)
        self._changed: set[Key] = set()
        """On the late shelf, or gone, since the base was built."""
        self._unseen: set[Key] = set()
        """Of those, the ones the shelves do not know of yet."""

    # -- from the event loop ------------------------------------------------------------------------------

    async def ask(
        self,
        query: str,
        allowed: Allowed,
        limit: int = 20,
        *,
        view: Box | None = None,
        types: Collection[Type] | None = None,
    ) -> list[Hit]:
        """Find as `find` does, beside the event loop.

        Raises:
            Unavailable: Too many ask at once.
        """
        return await self._aside(self.find, query, allowed, limit, view=view, types=types)

    async def choose(self, kind: Type, key: str) -> None:
        """Remember as `pick` does, beside the event loop, and keep it on disk now and then."""
        await self._aside(self.pick, kind, key)

    async def _aside(self, do: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many are searching at once; try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._looking, lambda: do(*args, **named))
        finally:
            self._waiting -= 1

    def apply(self, event: Event) -> None:
        """Follow people, cameras and incidents; a change that touches no name or place costs a comparison."""
        for plural, kind in TYPE_OF.items():
            for key in event.changes.get(plural, ()):
                entity = self._board.kind(plural).get(key)
                thing = None if entity is None else _thing(entity)
                if thing == self._live.get((kind, key)):
                    continue
                if thing is None:
                    del self._live[kind, key]
                else:
                    self._live[kind, key] = thing
                self._heard.append(((kind, key), thing))

    def knows(self, kind: Type, key: str) -> bool:
        """Say whether there is such a thing to be found."""
        if (kind, key) in self._live:
            return True
        fixed = self._fixed
        return fixed is not None and fixed.number_of((kind, key)) is not None

    def take_district(self, district: District) -> None:
        """Find what another district holds, soon: `run` sees to it. Until then what the old one held is found."""
        self._came = district
        self._came_into_force.set()

    async def run(self) -> None:
        """Follow the district until cancelled."""
        while True:
            await self._came_into_force.wait()
            self._came_into_force.clear()
            if (district := self._came) is not None:
                await asyncio.to_thread(self.follow, district)

    @property
    def untidy(self) -> bool:
        """Whether so much has changed that `tidy` is worth its while."""
        return len(self._changed) + len(self._unseen) + len(self._heard) > _MOST_CHANGED

    async def tidy(self) -> None:
        """Index people, cameras and incidents anew in a thread; what changes meanwhile is not lost."""
        async with self._tidying:
            if self.untidy:  # else somebody else just did it
                await asyncio.to_thread(self._tidy)

    # -- in a thread --------------------------------------------------------------------------------------

    @property
    def warmed(self) -> bool:
        """Whether everything is indexed."""
        return self._fixed is not None

    def warm(self) -> None:
        """Index everything, if that was not done; seconds for a large county, so it is done in a thread."""
        with self._lock:
            if self._fixed is not None:
                return
            self._hear()
            base = Shelf(list(self._known.values()), self._frame)
            fixed = Shelf(fixed_things(self._district), self._frame)
            self._unseen, self._changed = set(), set()
            self._base, self._late, self._fixed = base, Shelf((), self._frame), fixed
            self._favour(self.picks.keys(), fixed, base)
        log.info(
            "names indexed", names=len(fixed) + len(base), index_mb=round(fixed.index.size_bytes / 1e6, 1)
        )

    def follow(self, district: District) -> None:
        """Find what this district holds from now on; the names are indexed before anything is replaced."""
        with self._lock:
            if self._fixed is None or same_names(self._district, district):
                self._district = district
                if self._fixed is None:
                    self._frame = frame_of(district)
                return
            frame = self._frame
        fits = still_fits(frame, district)
        frame = frame if fits else frame_of(district)
        fixed = Shelf(fixed_things(district), frame)
        with self._lock:
            self._district, self._fixed, self._frame = district, fixed, frame
            self._favour(self.picks.keys(), fixed)
            if not fits:  # the first import into an empty folder: distances were taken from nowhere
                self._hear()
                self._base, self._late = Shelf(list(self._known.values()), frame), Shelf((), frame)
                self._unseen, self._changed = set(), set()
                self._favour(self.picks.keys(), self._base)
        log.info("names of another district indexed", names=len(fixed))

    def _tidy(self) -> None:
        with self._lock:
            self._hear()
            before, frame = dict(self._known), self._frame
        base = Shelf(list(before.values()), frame)
        with self._lock:
            if frame is not self._frame:
                return
            self._hear()
            touched = self._changed | self._unseen
            self._unseen = {key for key in touched if self._known.get(key) != before.get(key)}
            self._changed = set()
            self._base, self._late = base, Shelf((), frame)
            self._favour(self.picks.keys(), base)

    def pick(self, kind: Type, key: str) -> None:
        """Remember that somebody chose this of what was found."""
        self.warm()
        with self._lock:
            changed = self.picks.keys() if self.picks.note((kind, key)) else [(kind, key)]
            self._favour(changed, *self._shelves())
            if self.picks.due:
                self.picks.save()

    def find(
        self,
        query: str,
        allowed: Allowed,
        limit: int = 20,
        *,
        view: Box | None = None,
        types: Collection[Type] | None = None,
    ) -> list[Hit]:
        """Return the best matches.

        Args:
            query: Part of a name or an address in characters, pinyin, initials or a mixture; a number or its
                beginning; coordinates; "X附近的摄像头".
            allowed: Asked of each before it counts.
            limit: Most hits.
            view: What is seen, (west, south, east, north) in degrees: nearer things come first.
            types: Only these; None: all.

        Returns:
            The best first: by how the name fits, by type, by nearness and by use; equal ones by type and id.
        """
        text = query.strip()
        if not text or limit < 1:
            return []
        self.warm()
        with self._lock:
            self._refresh()
            answers = Answers(tuple(self._shelves()), self._district, self._frame, self._board, allowed, view)
            return answers.find(text, limit, types)

    # -- keeping up ---------------------------------------------------------------------------------------

    def _shelves(self) -> Iterator[Shelf]:
        assert self._fixed is not None  # `find` has warmed it
        return (shelf for shelf in (self._fixed, self._base, self._late) if len(shelf))

    def _hear(self) -> None:
        """Take in what the event loop has heard since."""
        while self._heard:
            key, thing = self._heard.popleft()
            if thing is None:
                self._known.pop(key, None)
            else:
                self._known[key] = thing
            self._unseen.add(key)

    def _refresh(self) -> None:
        self._hear()
        if not self._unseen:
            return
        for key in self._unseen:
            self._base.drop(key)
        self._changed |= self._unseen
        self._unseen = set()
        self._late = Shelf([self._known[key] for key in self._changed if key in self._known], self._frame)
        self._favour(self.picks.keys(), self._late)

    def _favour(self, keys: Iterable[Key], *shelves: Shelf) -> None:
        for key in keys:
            for shelf in shelves:
                shelf.favour(key, self.picks.bonus(key))


def _thing(entity: object) -> Thing:
    if isinstance(entity, Camera):
        numbers = (entity.gb_id,) if entity.gb_id else ()
        return Thing("camera", entity.id, entity.name, (), numbers, entity.lon, entity.lat)
    if isinstance(entity, Incident):
        words = (entity.address,) if entity.address else ()
        return Thing("incident", entity.id, entity.title, words, (entity.code,), entity.lon, entity.lat)
    assert isinstance(entity, Responder)
    # Where somebody is stands in the telemetry lane, and not here.
    return Thing("responder", entity.id, entity.name)
