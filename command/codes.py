"""Incident numbers: short enough to say on the radio, unique within the year."""

from datetime import datetime

from command.board import Board
from command.clock import parse_rfc3339


class CodeBook:
    """Incident numbers: prefix, month and day in the district's time zone, and a count within the day.

    Args:
        prefix: Letters before the number.
        board: To go on after the highest number of the day that it shows.
    """

    def __init__(self, prefix: str, board: Board) -> None:
        self._prefix = prefix
        self._board = board
        self._day = ""
        self._last = 0

    def next(self, now: datetime) -> str:
        """Return the next number for a moment in local time; a refused commit leaves a gap, never a double."""
        day = f"{now:%m%d}"
        if day != self._day:
            start = f"{self._prefix}-{day}-"
            taken = [
                int(incident.code.rsplit("-", 1)[1])
                for incident in self._board.incidents.values()
                if incident.code.startswith(start)
                # The year of the local day: in UTC the first hours of January are still the old year's.
                and parse_rfc3339(incident.reported_at).astimezone(now.tzinfo).year == now.year
            ]
            self._day, self._last = day, max(taken, default=0)
        self._last += 1
        return f"{self._prefix}-{day}-{self._last:04d}"
