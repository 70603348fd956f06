"""How names are written and said: the folding of characters, their readings, and what somebody typed.

Names and what is typed are folded alike, so the folding need not be right, only the same on both sides.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.traditional import SIMPLIFIED, TRADITIONAL

LONGEST: Final = 64
"""Of what is typed, no more than so many letters count."""
_SIMPLE: Final = str.maketrans(TRADITIONAL, SIMPLIFIED)
_APART: Final = str.maketrans("'’`", "   ")
_VOWELS: Final = frozenset("aeiou")


def fold(text: str) -> str:
    """Return the text in one way of writing, without anything that is neither letter nor digit.

    Simplified characters, lower case, half width, no accents.

    >>> fold("東門路 12號（A座）"), fold("Röckle Straße"), fold("ＫＴＶ")
    ('东门路12号a座', 'rocklestrasse', 'ktv')
    """
    return "".join(filter(str.isalnum, _decomposed(text)))


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text).casefold().translate(_SIMPLE)


def fold_all(texts: list[str]) -> NDArray[np.uint32]:
    """Fold many texts at once.

    Args:
        texts: Any; a line break inside one counts as a space.

    Returns:
        (n,) code points of all folded texts in order, a line feed before each of them and one at the end.
    """
    joined = "\n".join(["", *(text.replace("\n", " ") if "\n" in text else text for text in texts), ""])
    data = _decomposed(joined).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(data, dtype=np.uint32)
    seen = np.flatnonzero(np.bincount(codes)) if len(codes) else codes
    wanted = np.zeros(int(seen[-1]) + 1 if len(seen) else 1, dtype=np.bool_)
    wanted[[code for code in seen.tolist() if code == 10 or chr(code).isalnum()]] = True
    return codes[wanted[codes]]


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed.

    Attributes:
        text: Folded.
        breaks: Where in it a word ended: no syllable goes across.
        words: The words of it, each folded; one without spaces.
    """

    text: str
    breaks: frozenset[int]
    words: tuple[str, ...]

    @property
    def sounds(self) -> bool:
        """Whether there are Latin letters in it, which may be pinyin."""
        return any(is_latin(c) for c in self.text)


def typed(query: str) -> Typed:
    """Read what was typed; spaces and apostrophes keep syllables apart.

    >>> typed("Xi'an Lu").text, sorted(typed("Xi'an Lu").breaks), typed("Xi'an Lu").words
    ('xianlu', [2, 4], ('xian', 'lu'))
    """
    words = [folded for word in query.split() if (folded := fold(word))]
    parts = [folded for part in query.translate(_APART).split() if (folded := fold(part))]
    text = "".join(parts)[:LONGEST]
    ends = np.cumsum([len(part) for part in parts]).tolist()[:-1]
    return Typed(text, frozenset(end for end in ends if end < len(text)), tuple(words))


def is_latin(character: str) -> bool:
    """Say whether a folded character is a Latin letter that pinyin is written with."""
    return "a" <= character <= "z"


@lru_cache(maxsize=32_768)
def readings(character: str) -> tuple[str, ...]:
    """Return every reading of a character without tones, the usual first; none for what is no character.

    ``ü`` is read as ``u`` and as ``v``, as people type it.

    >>> readings("重"), readings("绿"), readings("a")
    (('zhong', 'chong', 'tong'), ('lu', 'lv'), ())
    """
    # The dictionary takes a moment to load, which the start of a service need not wait for.
    from pypinyin.pinyin_dict import pinyin_dict

    found: dict[str, None] = {}
    for spelt in pinyin_dict.get(ord(character), "").split(","):
        plain = "".join(c for c in unicodedata.normalize("NFD", spelt) if c.isascii() and c.isalpha())
        if not _VOWELS.intersection(plain):
            continue
        found[plain] = None
        if "̈" in unicodedata.normalize("NFD", spelt):
            found[plain.replace("u", "v")] = None
    return tuple(found)


def alike(sound: str) -> str:
    """Return a sound as those say it who do not tell zh from z, n from l, or ang from an.

    >>> alike("zhang") == alike("zan"), alike("nan") == alike("lan"), alike("shen") == alike("sheng")
    (True, True, True)
    """
    if sound[1:2] == "h" and sound[0] in "zcs":
        sound = sound[0] + sound[2:]
    if sound.endswith("ng"):
        sound = sound[:-1]
    return "l" + sound[1:] if sound.startswith("n") else sound
