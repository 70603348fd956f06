"""What can be found, and shelves of it: names with an index, a place in metres each, and how they rank."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from gis.crs import LocalMetric
from gis.names import NameIndex, Stage
from gis.text import LONGEST, Typed

Type = Literal["incident", "area", "beat", "responder", "road", "address", "place", "camera", "point"]
TYPES: Final[tuple[Type, ...]] = get_args(Type)
"""What is found; of equally good ones those of an earlier type come first."""
ORDER: Final = {kind: number for number, kind in enumerate(TYPES)}
Key = tuple[Type, str]
Box = tuple[float, float, float, float]
"""West, south, east and north; a point is a box without width."""

# Points of a ranking; `gis.names` gives those for how well a name fits: 14 between a whole name and a beginning.
_TYPE_POINTS: Final = {
    "incident": 0.0, "area": 1.0, "beat": 1.2, "responder": 1.5, "road": 2.0, "address": 2.2, "place": 2.5,
    "camera": 3.5, "point": 0.0,
}  # fmt: skip
_UNASKED_HOUSE: Final = 14.0
"""House numbers come last where no number was typed: else every name of a road would find all its houses."""
_HOUSE_ENDING: Final = "号"
_UNTYPED_ENDING: Final = 1.0
_MOST_AWAY, _AWAY, _AWAY_FROM_M = 10.0, 2.2, 300.0
_NOWHERE: Final = 5.0
"""For what has no place, such as a person: neither near nor far."""
_OTHER_WORDS, _NUMBER = 8.0, 2.0
_NUMBER_INNER: Final = 4
"""So many digits find a number by its middle or its end; fewer only by its beginning."""
_STEPS: Final = 8.0
_NUMBER_BITS: Final = 32

Floats = NDArray[np.float64]


class Thing(msgspec.Struct, frozen=True, gc=False):
    """One thing to be found.

    Attributes:
        more: Further words it is known by: addresses.
        numbers: Codes it is known by.
        lon: Degrees, or None where it has no place.
        lat: Degrees.
    """

    type: Type
    id: str
    name: str
    more: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None

    @property
    def key(self) -> Key:
        """Type and id; unique."""
        return self.type, self.id


class Ranked(msgspec.Struct, frozen=True, order=True, gc=False):
    """One candidate; in their order the best comes first, and no two are equal."""

    points: int
    order: int
    id: str
    thing: Thing = msgspec.field()


class Shelf:
    """Things with their index. Only what was dropped, and what is often picked, changes afterwards.

    Args:
        things: Any order, no key twice.
        frame: In which distances are taken.
    """

    def __init__(self, things: Sequence[Thing], frame: LocalMetric) -> None:
        self.things = sorted(things, key=_place)
        count = len(self.things)
        lines, owners, penalties, inner = [], [], [], []
        for number, thing in enumerate(self.things):
            lines.append(thing.name)
            owners.append(number)
            penalties.append(0.0)
            inner.append(1)
            for texts, penalty, needed in (
                (thing.more, _OTHER_WORDS, 1),
                (thing.numbers, _NUMBER, _NUMBER_INNER),
            ):
                lines += texts
                owners += [number] * len(texts)
                penalties += [penalty] * len(texts)
                inner += [needed] * len(texts)
        self.index = NameIndex(lines, owners, penalties, inner)
        nan = float("nan")
        lon = np.array([nan if thing.lon is None else thing.lon for thing in self.things])
        lat = np.array([nan if thing.lat is None else thing.lat for thing in self.things])
        x, y = frame.to_xy(lon, lat) if count else (lon, lat)
        # What lies on the other side of the globe is projected to infinity: as good as nowhere.
        placed = np.isfinite(x) & np.isfinite(y)
        self._x, self._y = np.where(placed, x, nan), np.where(placed, y, nan)
        self._type = np.array([ORDER[thing.type] for thing in self.things], dtype=np.int8)
        self._points = np.array([_TYPE_POINTS[thing.type] for thing in self.things], dtype=np.float32)
        self._bonus = np.zeros(count, dtype=np.float32)
        self._gone = np.zeros(count, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.things)

    def number_of(self, key: Key) -> int | None:
        """Return where a thing stands, or None."""
        wanted = (ORDER[key[0]], key[1])
        low, high = 0, len(self.things)
        while low < high:
            middle = (low + high) // 2
            if _place(self.things[middle]) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.things) and self.things[low].key == key else None

    def drop(self, key: Key) -> None:
        """Find a thing no more."""
        number = self.number_of(key)
        if number is not None:
            self._gone[number] = True

    def favour(self, key: Key, bonus: float) -> None:
        """Rank a thing higher by so many points."""
        number = self.number_of(key)
        if number is not None:
            self._bonus[number] = bonus

    def fitting(
        self, query: Typed, stage: Stage, near: Box | None, types: Collection[Type] | None
    ) -> Iterator[Ranked]:
        """Yield what fits, the best first, each once; sorted only as far as it is asked for.

        Args:
            query: What was typed.
            stage: What counts as found.
            near: In metres of the frame: what is seen. None: everything is equally near.
            types: Only these; None: all.
        """
        scores = self.index.scores(query, stage)[: len(self.things)]
        ended = _with_ending(query) if stage == "written" else None
        if ended is not None:
            # 人民路 12 is number 12 before it is the beginning of number 120.
            other = self.index.scores(ended, stage)[: len(self.things)] + np.float32(_UNTYPED_ENDING)
            scores = np.minimum(scores, other)
        found = np.flatnonzero(np.isfinite(scores) & self._among(types))
        points = scores[found] + self._points[found] - self._bonus[found]
        if not any(letter.isdigit() for letter in query.text):
            points = points + np.where(self._type[found] == ORDER["address"], _UNASKED_HOUSE, 0.0)
        if near is not None:
            away = self._away_m(near, found)
            far = np.minimum(_AWAY * np.log1p(away / _AWAY_FROM_M), _MOST_AWAY)
            points = points + np.where(np.isnan(away), _NOWHERE, far)
        steps = np.rint((points + 64.0) * _STEPS).astype(np.int64)
        yield from self._sorted(steps, found)

    def around(
        self, near: Box, within_m: float, query: Typed | None, types: Collection[Type] | None
    ) -> Iterator[tuple[float, Thing]]:
        """Yield (metres, thing) of what lies about a place, the nearest first.

        Args:
            near: In metres of the frame.
            within_m: Nothing farther away.
            query: Only what fits it as written; None: everything.
            types: Only these; None: all.
        """
        kept = self._among(types)
        if query is not None:
            kept = kept & np.isfinite(self.index.scores(query)[: len(self.things)])
        found = np.flatnonzero(kept)
        away = self._away_m(near, found)
        close = away <= within_m
        metres = np.rint(away[close]).astype(np.int64)
        for ranked in self._sorted(metres, found[close]):
            yield float(ranked.points), ranked.thing

    def _among(self, types: Collection[Type] | None) -> NDArray[np.bool_]:
        kept = ~self._gone
        if types is None:
            return kept
        wanted = np.zeros(len(TYPES), dtype=np.bool_)
        wanted[[ORDER[kind] for kind in types]] = True
        return kept & wanted[self._type]

    def _away_m(self, near: Box, numbers: NDArray[np.int64]) -> Floats:
        west, south, east, north = near
        x, y = self._x[numbers], self._y[numbers]
        dx = np.maximum(np.maximum(west - x, x - east), 0.0)
        dy = np.maximum(np.maximum(south - y, y - north), 0.0)
        return np.hypot(dx, dy)

    def _sorted(self, points: NDArray[np.int64], numbers: NDArray[np.int64]) -> Iterator[Ranked]:
        # One whole number holds points and place, so that every order is the same order.
        keys = (points << _NUMBER_BITS) | numbers
        done, piece = 0, 64
        while done < len(keys):
            upto = min(done + piece, len(keys))
            if upto < len(keys):
                keys[done:] = np.partition(keys[done:], upto - done - 1)
            keys[done:upto].sort()
            for key in keys[done:upto].tolist():
                thing = self.things[key & 0xFFFFFFFF]
                yield Ranked(key >> _NUMBER_BITS, ORDER[thing.type], thing.id, thing)
            done, piece = upto, piece * 4


def _with_ending(query: Typed) -> Typed | None:
    """Return what was typed with the word for a number behind it; None where it does not end in a number."""
    text = query.text
    if not text[-1:].isdigit() or text.isdigit() or len(text) >= LONGEST:
        return None
    return Typed(text + _HOUSE_ENDING, query.breaks, ())


def _place(thing: Thing) -> tuple[int, str]:
    return ORDER[thing.type], thing.id
