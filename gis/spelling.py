"""From what was typed to patterns: for each character of a name, which characters may stand there.

A pattern has one class for each character of a stretch of a name, so its length says where a match ends. Pinyin,
initials, mixtures of both with characters, and slips of ear or finger are all nothing but wider classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.text import Typed, alike, is_latin, readings

Class = NDArray[np.int32]
"""Numbers of the characters that may stand at one place, at least one."""
Pattern = list[Class | None]
"""None: any character of the same name."""
_Steps = Callable[[int], Iterator[tuple[int, Class]]]

MOST_PATTERNS: Final = 24
"""However a text may be cut into syllables, no more ways than these are tried; the longest syllables first."""
LONGEST_SYLLABLE: Final = 6
LONGEST_MISWRITTEN: Final = 20
"""Longer texts have too many places where the slip may be."""
_TWO_LETTERS: Final = frozenset({"zh", "ch", "sh"})


class Speller:
    """The patterns of typed texts over one set of characters.

    Args:
        alphabet: The characters that occur in the names; a character's place is its number.
    """

    def __init__(self, alphabet: Sequence[str]) -> None:
        self._number = {character: number for number, character in enumerate(alphabet)}
        syllables: dict[str, list[int]] = {}
        initials: dict[str, list[int]] = {}
        beginnings: dict[str, list[int]] = {}
        alikes: dict[str, list[int]] = {}
        for number, character in enumerate(alphabet):
            sounds = readings(character)
            for sound in sounds:
                syllables.setdefault(sound, []).append(number)
            for start in {sound[:n] for sound in sounds for n in range(1, len(sound) + 1)}:
                beginnings.setdefault(start, []).append(number)
                if len(start) == 1 or start in _TWO_LETTERS:
                    initials.setdefault(start, []).append(number)
            for key in {alike(sound) for sound in sounds}:
                alikes.setdefault(key, []).append(number)
            if is_latin(character):
                initials.setdefault(character, []).append(number)
                beginnings.setdefault(character, []).append(number)
        self._syllables = _frozen(syllables)
        self._initials = _frozen(initials)
        self._beginnings = _frozen(beginnings)
        self._alikes = _frozen(alikes)
        self._shortened: dict[str, list[str]] = {}
        for sound in syllables:
            for shorter in _shortened(sound):
                self._shortened.setdefault(shorter, []).append(sound)

    # -- as it is written and said ----------------------------------------------------------------------

    def literal(self, text: str) -> Pattern | None:
        """Return the pattern of the characters themselves; None where one of them occurs in no name."""
        numbers = [self._number.get(character) for character in text]
        if not numbers or None in numbers:
            return None
        return [np.array([number], dtype=np.int32) for number in numbers]

    def initials(self, typed: Typed) -> Pattern | None:
        """Return the pattern that takes every letter for the beginning of a syllable."""
        pattern: Pattern = []
        for character in typed.text:
            found = self._initials.get(character) if is_latin(character) else self._written(character)
            if found is None:
                return None
            pattern.append(found)
        return pattern or None

    def full(self, typed: Typed) -> list[Pattern]:
        """Return the ways to cut the letters into whole syllables."""
        return self._cut(typed, self._syllables, self._written)

    def begun(self, typed: Typed) -> list[Pattern]:
        """Return the ways to cut the letters into syllables of which the last is still being typed."""
        return self._cut(typed, self._syllables, self._written, last=self._beginnings)

    def mixed(self, typed: Typed) -> list[Pattern]:
        """Return the ways to cut the letters into syllables and initials in any order."""
        return self._cut(typed, self._syllables, self._written, last=self._beginnings, also=self._initials)

    # -- as it may have been meant ----------------------------------------------------------------------

    def misheard(self, typed: Typed) -> list[Pattern]:
        """Return the patterns of what sounds alike: another character, or z for zh, n for l, an for ang."""
        return self._cut(typed, self._alikes, self._homophones, key=alike)

    def miswritten(self, text: str) -> list[Pattern]:
        """Return the patterns of a text with one character wrong, missing, too many, or two changed round."""
        if not 3 <= len(text) <= LONGEST_MISWRITTEN:
            return []
        whole: Pattern = []
        for character in text:
            number = self._number.get(character)
            whole.append(None if number is None else np.array([number], dtype=np.int32))
        strangers = sum(one is None for one in whole)
        if strangers > 1:
            return []
        patterns: list[Pattern] = []
        for at in range(len(whole)):
            if strangers and whole[at] is not None:
                continue  # the one that no name knows is the one that is wrong
            patterns.append([*whole[:at], None, *whole[at + 1 :]])
            if len(whole) > 3:
                patterns.append([*whole[:at], *whole[at + 1 :]])
        if not strangers:
            for at in range(1, len(whole)):
                patterns.append([*whole[:at], None, *whole[at:]])
                patterns.append([*whole[: at - 1], whole[at], whole[at - 1], *whole[at + 1 :]])
        return patterns

    def misspelt(self, typed: Typed) -> list[Pattern]:
        """Return the patterns of letters of which one is wrong, missing, too many, or two changed round."""
        text, length = typed.text, len(typed.text)
        if sum(map(is_latin, text)) < 3:
            return []

        # Two places for each letter: before the slip and after it.
        def steps(place: int) -> Iterator[tuple[int, Class]]:
            at, slipped = divmod(place, 2)
            if not is_latin(text[at]):
                found = self._written(text[at])
                if found is not None:
                    yield place + 2, found
                return
            for end in _ends(typed, at):
                piece = text[at:end]
                found = self._syllables.get(piece)
                if found is None and end == length:
                    found = self._beginnings.get(piece)
                if found is not None:
                    yield end * 2 + slipped, found
                if not slipped and (near := self._near(piece)) is not None:
                    yield end * 2 + 1, near

        return list(_walk(0, length * 2 + 1, length * 2, steps))

    # -- pieces ---------------------------------------------------------------------------------------------

    def _written(self, character: str) -> Class | None:
        number = self._number.get(character)
        return None if number is None else np.array([number], dtype=np.int32)

    def _homophones(self, character: str) -> Class | None:
        found = [self._alikes[key] for key in map(alike, readings(character)) if key in self._alikes]
        return np.unique(np.concatenate(found)) if found else self._written(character)

    def _near(self, piece: str) -> Class | None:
        """Characters with a sound that is one slip away from these letters."""
        if len(piece) < 2:
            return None
        sounds = {sound for shorter in (piece, *_shortened(piece)) for sound in self._around(shorter)}
        found = [self._syllables[sound] for sound in sounds if sound != piece and _one_slip(piece, sound)]
        return np.unique(np.concatenate(found)) if found else None

    def _around(self, letters: str) -> Iterable[str]:
        if letters in self._syllables:
            yield letters
        yield from self._shortened.get(letters, ())

    def _cut(
        self,
        typed: Typed,
        syllables: dict[str, Class],
        character: Callable[[str], Class | None],
        *,
        last: dict[str, Class] | None = None,
        also: dict[str, Class] | None = None,
        key: Callable[[str], str] = str,
    ) -> list[Pattern]:
        text, length = typed.text, len(typed.text)
        if not text:
            return []

        def steps(at: int) -> Iterator[tuple[int, Class]]:
            if not is_latin(text[at]):
                found = character(text[at])
                if found is not None:
                    yield at + 1, found
                return
            for end in _ends(typed, at):
                piece = text[at:end]
                found = None
                if last is not None and end == length:
                    found = last.get(piece)
                elif also is not None and end - at == 1:
                    found = also.get(piece)  # holds the syllables of one letter too
                else:
                    found = syllables.get(key(piece))
                    if found is None and also is not None and piece in _TWO_LETTERS:
                        found = also.get(piece)
                if found is not None:
                    yield end, found

        return list(_walk(0, length, length, steps))


def _ends(typed: Typed, at: int) -> Iterator[int]:
    """Where a syllable that begins here may end, the longest first."""
    end = at
    while (
        end < len(typed.text)
        and end - at < LONGEST_SYLLABLE
        and is_latin(typed.text[end])
        and (end == at or end not in typed.breaks)
    ):
        end += 1
    yield from range(end, at, -1)


def _walk(start: int, end: int, last: int, steps: _Steps) -> Iterator[Pattern]:
    """Yield the patterns along all ways from start to end, at most `MOST_PATTERNS`; dead ends are tried once."""
    dead: set[int] = set()
    found = 0
    way: Pattern = []

    def onwards(place: int) -> Iterator[Pattern]:
        nonlocal found
        if place == end:
            found += 1
            yield list(way)
            return
        if place >= last or place in dead:
            return
        before = found
        for further, characters in steps(place):
            way.append(characters)
            yield from onwards(further)
            way.pop()
            if found >= MOST_PATTERNS:
                return
        if found == before:
            dead.add(place)

    yield from onwards(start)


def _shortened(letters: str) -> set[str]:
    return {letters[:at] + letters[at + 1 :] for at in range(len(letters))}


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two neighbours are changed round."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    if one[at + 1 :] == other[at + 1 :]:
        return True
    return one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]


def _frozen(numbers: dict[str, list[int]]) -> dict[str, Class]:
    return {key: np.array(found, dtype=np.int32) for key, found in numbers.items()}
