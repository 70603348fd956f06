"""Many entities are entered a few hundred at a time: each is an event that every screen takes."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 500
"""Entered in one command."""


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Return the items in order, as many at a time as one command may enter.

    >>> [len(some) for some in portions(range(1_200))]
    [500, 500, 200]
    """
    for first in range(0, len(items), AT_ONCE):
        yield items[first : first + AT_ONCE]
