"""How many pictures may be encoded anew at the same time.

Encoding costs ten to twenty times what passing a stream on costs. Past the limit a viewer is told that there is
no capacity, instead of every picture becoming late.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from streams.errors import Busy


class Slots:
    """A counter with a ceiling.

    Args:
        most: How many may be taken at once; 0: none.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            Busy: All are taken.
        """
        if self.taken >= self.most:
            raise Busy(f"all {self.most} places for encoding are taken")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
