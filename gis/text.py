"""Finding names the way people type them: characters, pinyin, or the initials of the pinyin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

_MAX_VARIANTS = 16


@lru_cache(maxsize=65_536)
def _usual(text: str) -> tuple[str, ...]:
    """The usual reading of each character."""
    # Its dictionary takes a second to load, which the start of a service need not wait for.
    from pypinyin import lazy_pinyin

    # pypinyin documents that `errors` may return a list, one entry a letter; its annotation forgot.
    return tuple(lazy_pinyin(text, errors=_letters))  # type: ignore[arg-type]


@lru_cache(maxsize=65_536)
def _readings(text: str) -> tuple[tuple[str, ...], ...]:
    """Every reading of each character."""
    from pypinyin import Style, pinyin

    found = pinyin(text, style=Style.NORMAL, heteronym=True, errors=_letters)  # type: ignore[arg-type]
    return tuple(map(tuple, found))


@dataclass(frozen=True, slots=True)
class PinyinKeys:
    """How a name sounds.

    Attributes:
        full: Pinyin without tones or spaces, the usual reading first; several where a character has several.
        initials: First letters, in the same manner.
    """

    full: tuple[str, ...]
    initials: tuple[str, ...]


def _letters(text: str) -> list[str]:
    return list(text)


def pinyin_keys(name: str) -> PinyinKeys:
    """Pinyin of a name with the other readings of its characters, at most sixteen.

    Latin letters and digits stand for themselves in lower case; everything else is left out.

    >>> keys = pinyin_keys("朝阳路")
    >>> "chaoyanglu" in keys.full, "zyl" in keys.initials
    (True, True)
    >>> pinyin_keys("")
    PinyinKeys(full=(), initials=())
    """
    text = "".join(c for c in name.lower() if c.isalnum())
    if not text:
        return PinyinKeys((), ())
    choices: list[list[str]] = []
    variants = 1
    for first, others in zip(_usual(text), _readings(text), strict=True):
        distinct = list(dict.fromkeys([first, *others]))
        # A long name with many readings would multiply without end: beyond the limit the usual one must do.
        if variants * len(distinct) > _MAX_VARIANTS:
            distinct = distinct[:1]
        variants *= len(distinct)
        choices.append(distinct)
    spelt = list(product(*choices))
    full = dict.fromkeys("".join(syllables) for syllables in spelt)
    initials = dict.fromkeys("".join(syllable[0] for syllable in syllables) for syllables in spelt)
    return PinyinKeys(tuple(full), tuple(initials))


@dataclass(frozen=True, slots=True)
class Match:
    """One hit: the number of the name in the order given, the name, and how good (0 is best)."""

    number: int
    name: str
    rank: int


class NameIndex:
    """Names in memory, searched by characters, pinyin and initials.

    Args:
        names: Any; equal names stay apart.

    >>> index = NameIndex(["人民路", "人民医院", "新人民路小学"])
    >>> [match.name for match in index.search("rmy")]
    ['人民医院']
    >>> [match.name for match in index.search("人民")]
    ['人民路', '人民医院', '新人民路小学']
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._folded = [name.lower() for name in self.names]
        keys = [pinyin_keys(name) for name in self.names]
        # One line of text a name: a plain "in" is then the whole test, and it runs in C.
        self._full = ["|" + "|".join(key.full) for key in keys]
        self._initials = ["|" + "|".join(key.initials) for key in keys]

    def __len__(self) -> int:
        return len(self.names)

    def search(self, query: str, *, limit: int = 10) -> list[Match]:
        """Names that hold the query as characters, or whose pinyin or initials begin with it.

        Args:
            query: Characters, pinyin with or without spaces, or initials; case does not matter.
            limit: At most so many.

        Returns:
            Best first: the same name, then names that begin with the query, then those that hold it, then
            initials, then pinyin; the shorter first, equal ones in the order given. A query without letters
            finds nothing.
        """
        text = query.strip().lower()
        letters = "".join(c for c in text if c.isalnum())
        if not letters:
            return []
        found: dict[int, int] = {}
        for number, name in enumerate(self._folded):
            if text in name:
                found[number] = 0 if name == text else 1 if name.startswith(text) else 2
        if letters.isascii():
            for rank, keys in ((3, self._initials), (4, self._full)):
                start = "|" + letters
                for number, line in enumerate(keys):
                    if start in line:
                        found.setdefault(number, rank)
        best = sorted(found.items(), key=lambda item: (item[1], len(self.names[item[0]]), item[0]))
        return [Match(number, self.names[number], rank) for number, rank in best[:limit]]
