"""Answers to idempotency keys where nothing goes through the desk: a clip begun twice would be two clips."""

from collections import OrderedDict
from typing import Final

from command.desk import Key
from command.errors import IdempotencyReuse

MOST: Final = 2_000

Answer = dict[str, object]


class Answers:
    """The latest answers, by who asked and with which key; they live as long as the process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[str, Answer]] = OrderedDict()

    def known(self, user_id: str, key: Key) -> Answer | None:
        """Return what was answered before; None for a new wish, or one without a key.

        Raises:
            IdempotencyReuse: The key was used for another request.
        """
        if key.key is None:
            return None
        found = self._kept.get((user_id, key.key))
        if found is None:
            return None
        if found[0] != key.fingerprint:
            raise IdempotencyReuse
        return found[1]

    def keep(self, user_id: str, key: Key, answer: Answer) -> Answer:
        """Remember an answer and return it."""
        if key.key is not None:
            self._kept[user_id, key.key] = key.fingerprint, answer
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return answer
