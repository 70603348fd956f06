"""What desks picked from the box before: it comes a little higher the next time.

Counts of things, never of people: who picked is not kept. Bounded; when it is full, or one count grows large,
all are halved and what falls below one is forgotten, so that yesterday's flood does not rule for ever.
"""

import json
import math
import os
from pathlib import Path
from typing import Final, cast

from command.search.things import ORDER, Key, Type

MOST: Final = 1_024
_MOST_COUNT: Final = 64.0
_MOST_BONUS, _BONUS = 12.0, 3.0
_SAVE_AFTER: Final = 32


class Picks:
    """The counts.

    Args:
        path: Where they are kept; None keeps them in memory. A file that cannot be read counts as none.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._unsaved = 0
        self._counts: dict[Key, float] = _read(path) if path is not None and path.exists() else {}

    def __len__(self) -> int:
        return len(self._counts)

    def keys(self) -> list[Key]:
        """Return what was picked."""
        return list(self._counts)

    def note(self, key: Key) -> bool:
        """Count one pick; returns whether all counts changed by it."""
        self._counts[key] = self._counts.get(key, 0.0) + 1.0
        self._unsaved += 1
        if self._counts[key] <= _MOST_COUNT and len(self._counts) <= MOST:
            return False
        halved = {other: count / 2 for other, count in self._counts.items()}
        self._counts = {other: count for other, count in halved.items() if count >= 1.0 or other == key}
        return True

    def bonus(self, key: Key) -> float:
        """Return how many points a thing comes higher."""
        return min(_MOST_BONUS, _BONUS * math.log2(1.0 + self._counts.get(key, 0.0)))

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return self._path is not None and self._unsaved >= _SAVE_AFTER

    def save(self) -> None:
        """Write the counts, whole or not at all. Losing them loses nothing but an order."""
        if self._path is None or not self._unsaved:
            return
        self._unsaved = 0
        rows = [[*key, round(count, 2)] for key, count in list(self._counts.items())]
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        os.replace(part, self._path)


def _read(path: Path) -> dict[Key, float]:
    try:
        rows = json.loads(path.read_text("utf-8"))
        counts = {(str(kind), str(key)): float(count) for kind, key, count in rows}
    except (OSError, ValueError, TypeError):
        return {}
    known = [(key, count) for key, count in counts.items() if key[0] in ORDER and 0 < count <= _MOST_COUNT]
    return {(cast("Type", kind), key): count for (kind, key), count in known[:MOST]}
