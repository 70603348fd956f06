"""Finding names the way people type them: any part of them in characters, pinyin, initials or a mixture.

The names stand in one row of numbers, a number for each character that occurs. For each of them there is a list
of where it stands. A typed text becomes patterns (`gis.spelling`); the rarest class of a pattern gives the places
to look at, and the others strike out what does not fit. So a character that can be read in three ways costs
nothing, nor does a slip, and a new set of names is ready in the time of a sort.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.spelling import Class, Pattern, Speller
from gis.text import LONGEST, Typed, fold_all, is_latin, typed

Stage = Literal["written", "heard", "slipped"]
"""What counts as found: characters, pinyin and initials as typed; what sounds alike; one slip."""
STAGES: Final[tuple[Stage, ...]] = ("written", "heard", "slipped")

# Smaller is better. Where in the name, and by which reading; the gaps are what nearness and use may close.
WHOLE, BEGINNING, INSIDE = 0.0, 14.0, 26.0
LITERAL, SOUND, BEGUN, INITIALS, MIXED, WORDS, HEARD, SLIPPED = 0.0, 20.0, 26.0, 26.0, 34.0, 34.0, 46.0, 60.0
_LENGTH, _MOST_LENGTH = 0.5, 8.0
_PAD: Final = LONGEST + 2
_MOST_WORDS: Final = 4
_SEPARATOR: Final = "\n"

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Match:
    """One hit: the number of the name in the order given, the name, and how good (0 is best)."""

    number: int
    name: str
    score: float


class NameIndex:
    """Names in memory.

    Args:
        lines: Any texts; equal ones stay apart.
        owners: (n,) which thing each line belongs to, 0 and up; each its own without.
        penalties: (n,) added to the score of what a line finds; none without.
        inner_from: (n,) a line is found by its middle only with so many characters; 1 without.

    >>> index = NameIndex(["人民路", "人民医院", "新人民路小学"])
    >>> [match.name for match in index.search("rmy")]
    ['人民医院']
    >>> [match.name for match in index.search("人民")]
    ['人民路', '人民医院', '新人民路小学']
    >>> [match.name for match in index.search("民yiyuan")], [match.name for match in index.search("醫院")]
    (['人民医院'], ['人民医院'])
    """

    def __init__(
        self,
        lines: Iterable[str],
        owners: ArrayLike | None = None,
        penalties: ArrayLike | None = None,
        inner_from: ArrayLike | None = None,
    ) -> None:
        names = list(lines)
        count = len(names)
        codes = fold_all(names)
        self._owner = np.arange(count, dtype=np.int32) if owners is None else np.asarray(owners, np.int32)
        self.things = int(self._owner.max()) + 1 if count else 0
        self._penalty = (
            np.zeros(count, np.float32) if penalties is None else np.asarray(penalties, np.float32)
        )
        self._inner = np.ones(count, np.int32) if inner_from is None else np.asarray(inner_from, np.int32)
        # The separator is the smallest of all code points that are kept, so its number is 0.
        seen = np.flatnonzero(np.bincount(codes))
        number = np.zeros(int(seen[-1]) + 1, dtype=np.int32)
        number[seen] = np.arange(len(seen))
        small = np.uint16 if len(seen) <= np.iinfo(np.uint16).max else np.int32
        row = number[codes].astype(small)
        gaps = np.flatnonzero(row == 0)
        self._begin = (gaps[:-1] + 1 + _PAD).astype(np.int32)
        self._length = np.diff(gaps).astype(np.int32) - 1
        self._row = np.concatenate([np.zeros(_PAD, small), row, np.zeros(_PAD, small)])
        self._line = np.repeat(np.arange(count, dtype=np.int32), self._length + 1)
        # Radix sort: for each character, in order, where it stands.
        self._places = (np.argsort(row, kind="stable") + _PAD).astype(np.int32)
        self._from = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(seen)))])
        self._often = np.diff(self._from)
        self._speller = Speller([chr(code) for code in seen.tolist()])
        self._names: Sequence[str] = names if owners is None else ()

    def __len__(self) -> int:
        return len(self._owner)

    @property
    def size_bytes(self) -> int:
        """Memory of the row and its lists; the names themselves are not kept when owners were given."""
        rows = (self._row, self._line, self._places, self._begin, self._length, self._owner, self._penalty)
        return sum(row.nbytes for row in rows) + self._inner.nbytes

    def search(self, query: str, *, limit: int = 10, stage: Stage = "written") -> list[Match]:
        """Return the best names, the best first; equal ones in the order given.

        Args:
            query: Characters, pinyin with or without spaces, initials, or a mixture; case does not matter.
            limit: At most so many.
            stage: What counts as found; a later stage leaves out what the earlier ones found.
        """
        scores = self.scores(typed(query), stage)
        found = np.flatnonzero(np.isfinite(scores))
        best = found[np.argsort(scores[found], kind="stable")][:limit]
        return [Match(n, self._names[n] if self._names else "", float(scores[n])) for n in best.tolist()]

    def scores(self, query: Typed, stage: Stage = "written") -> Floats:
        """Return how well each thing fits.

        Args:
            query: From `gis.text.typed`.
            stage: See `Stage`.

        Returns:
            (things,) smaller is better, infinite for what does not fit.
        """
        best = np.full(self.things, np.inf, dtype=np.float32)
        if not query.text:
            return best
        if stage == "written":
            self._written(query, best)
        elif stage == "heard":
            for pattern in self._speller.misheard(query):
                self._note(pattern, HEARD, best)
        else:
            for pattern in self._speller.miswritten(query.text) if not query.text.isdigit() else ():
                self._note(pattern, SLIPPED, best)
            for pattern in self._speller.misspelt(query):
                self._note(pattern, SLIPPED, best)
        return best

    def _written(self, query: Typed, best: Floats) -> None:
        speller = self._speller
        self._note(speller.literal(query.text), LITERAL, best)
        if query.sounds:
            # One letter stands in half of all names: it finds only those that begin with it.
            inner = len(query.text) > 1
            for pattern in speller.full(query):
                self._note(pattern, SOUND, best, inner=inner)
            for pattern in speller.begun(query):
                self._note(pattern, BEGUN, best, inner=inner)
            self._note(speller.initials(query), INITIALS, best, inner=inner)
            if len(query.text) > 2:
                for pattern in speller.mixed(query):
                    self._note(pattern, MIXED, best)
        # Letters apart are initials, which were looked for already.
        words = [word for word in query.words if len(word) > 1 or not is_latin(word)]
        if len(query.words) > 1 and words:
            each = [self.scores(Typed(word, frozenset(), ())) for word in words[:_MOST_WORDS]]
            np.minimum(best, np.mean(each, axis=0, dtype=np.float32) + np.float32(WORDS), out=best)

    def _note(self, pattern: Pattern | None, kind: float, best: Floats, *, inner: bool = True) -> None:
        """Enter what a pattern finds, with ``inner`` also in the middle of a name."""
        if pattern is None:
            return
        starts = self._starts(pattern)
        if not len(starts):
            return
        lines = self._line[starts - _PAD - 1]
        inside = starts != self._begin[lines]
        least = self._inner[lines] if inner else len(pattern) + 1
        kept = ~inside | (len(pattern) >= least)
        if not kept.all():
            lines, inside = lines[kept], inside[kept]
        spare = self._length[lines] - len(pattern)
        scores = np.where(inside, np.float32(INSIDE), np.float32(BEGINNING))
        scores[spare == 0] = WHOLE
        scores += np.minimum(spare * np.float32(_LENGTH), np.float32(_MOST_LENGTH))
        scores += self._penalty[lines] + np.float32(kind)
        np.minimum.at(best, self._owner[lines], scores)

    def _starts(self, pattern: Pattern) -> Ints:
        """Return where in the row a pattern begins."""
        known = [(int(self._often[one].sum()), at, one) for at, one in enumerate(pattern) if one is not None]
        if not known or len(pattern) >= _PAD:
            return np.empty(0, np.int32)
        known.sort(key=lambda part: part[:2])
        _, at, rarest = known[0]
        starts = self._standing(rarest) - np.int32(at)
        for _, at, one in known[1:]:
            if not len(starts):
                return starts
            here = self._row[starts + at]
            if len(one) == 1:
                starts = starts[here == one[0]]
            else:
                wanted = np.zeros(len(self._often), np.bool_)
                wanted[one] = True
                starts = starts[wanted[here]]
        for at, free in enumerate(pattern):
            if free is None:
                starts = starts[self._row[starts + at] != 0]
        return starts

    def _standing(self, characters: Class) -> Ints:
        if len(characters) == 1:
            one = int(characters[0])
            return self._places[self._from[one] : self._from[one + 1]]
        parts = [self._places[self._from[one] : self._from[one + 1]] for one in characters.tolist()]
        return np.concatenate(parts)
