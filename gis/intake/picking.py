"""Which rows of a file are taken, as a person says it: in a word, or as numbers and stretches of them."""

from collections.abc import Iterable
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Word = Literal["good", "warned", "all"]
"""See `gis.intake.Choices.rows`."""
MOST_STRETCHES: Final = 200_000
_LAST: Final = 2**31 - 1

Stretch = tuple[int, int]


def word(text: str) -> Word | None:
    """Return the word that this is, if it is one."""
    return next((known for known in get_args(Word) if known == text), None)


def stretches(said: Iterable[int | Stretch]) -> tuple[Stretch, ...]:
    """Return numbers and stretches in order, without doubles, those that touch as one.

    Args:
        said: Row numbers from 1, and (first, last) with both ends.

    Raises:
        ValueError: One runs backwards or is no row's number, or they are too many.

    >>> stretches([9, (1, 3), 4, (3, 5)])
    ((1, 5), (9, 9))
    """
    found: list[Stretch] = []
    for first, last in sorted((one, one) if isinstance(one, int) else one for one in said):
        if not 1 <= first <= last <= _LAST:
            raise ValueError(f"{first}-{last} are no rows: they count from 1, the smaller number first")
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    if len(found) > MOST_STRETCHES:
        raise ValueError(f"more than {MOST_STRETCHES:,} separate stretches of rows")
    return tuple(found)


def parse(text: str) -> tuple[Stretch, ...]:
    """Read rows as they are written by hand.

    Raises:
        ValueError: It is not that; says what is wrong.

    >>> parse("1-5, 9")
    ((1, 5), (9, 9))
    """
    said: list[Stretch] = []
    for part in text.replace("，", ",").split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()) or max(len(first), len(last)) > 10:
            raise ValueError(f"{part.strip()!r} is neither a row's number nor a stretch such as 1-5")
        said.append((int(first), int(last or first)))
    return stretches(said)


def among(numbers: NDArray[np.int64], said: Iterable[int | Stretch]) -> NDArray[np.bool_]:
    """Say of each row number whether it is among those.

    >>> among(np.array([1, 2, 7]), [(2, 7)]).tolist()
    [False, True, True]
    """
    found = np.array(stretches(said), dtype=np.int64).reshape(-1, 2)
    at = np.searchsorted(found[:, 0], numbers, side="right") - 1
    inside = at >= 0
    inside[inside] = numbers[inside] <= found[at[inside], 1]
    return np.asarray(inside, dtype=np.bool_)
