"""Who is here: signed-in people by page, with what they look at and which desk they sit at.

Presence is absolute and tiny, so the whole list is sent whenever it changes. Console users get the smallest
free desk number (席位) and keep it through a reload or a short loss of network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Presence", "Seat"]

_KEEP_DESK_S: Final = 60.0


@dataclass(slots=True)
class Seat:
    """One connection's part in the list."""

    user_id: str
    name: str
    role: str
    page: str
    responder_id: str | None
    since: str
    viewing: Mapping[str, str] | None = None


class Presence:
    """The people behind the open feeds; several connections of one user on one page count once."""

    def __init__(self) -> None:
        self._seats: dict[int, Seat] = {}
        self._desks: dict[str, int] = {}
        self._left_at: dict[str, float] = {}
        self.version = 0

    def join(self, seat: Seat, monotonic: float) -> None:
        """Add a connection.

        Args:
            seat: Who, and on which page.
            monotonic: Seconds; decides which desks of people who left are free again.
        """
        self._seats[id(seat)] = seat
        if seat.page == "console" and seat.user_id not in self._desks:
            for user_id, left_at in list(self._left_at.items()):
                if monotonic - left_at > _KEEP_DESK_S:
                    del self._left_at[user_id], self._desks[user_id]
            taken = set(self._desks.values())
            self._desks[seat.user_id] = next(n for n in range(1, len(taken) + 2) if n not in taken)
        if seat.page == "console":
            self._left_at.pop(seat.user_id, None)
        self.version += 1

    def leave(self, seat: Seat, monotonic: float) -> None:
        """Remove a connection; harmless twice."""
        if self._seats.pop(id(seat), None) is None:
            return
        if seat.page == "console" and not any(
            s.user_id == seat.user_id and s.page == "console" for s in self._seats.values()
        ):
            self._left_at[seat.user_id] = monotonic
        self.version += 1

    def view(self, seat: Seat, viewing: Mapping[str, str] | None) -> None:
        """Note what somebody looks at now."""
        if seat.viewing != viewing:
            seat.viewing = viewing
            self.version += 1

    def rows(self) -> list[dict[str, object]]:
        """The list as it goes on the wire, oldest first; the latest connection tells what a user views."""
        people: dict[tuple[str, str], dict[str, object]] = {}
        for seat in self._seats.values():
            person = people.setdefault(
                (seat.user_id, seat.page),
                {
                    "user_id": seat.user_id,
                    "name": seat.name,
                    "role": seat.role,
                    "page": seat.page,
                    "desk": self._desks.get(seat.user_id) if seat.page == "console" else None,
                    "responder_id": seat.responder_id,
                    "viewing": None,
                    "since": seat.since,
                },
            )
            if seat.viewing is not None:
                person["viewing"] = dict(seat.viewing)
        return list(people.values())
