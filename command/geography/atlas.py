"""The district in force. Whoever works longer than one request holds the atlas, or follows it, never a district."""

from collections.abc import Callable

from command.district import District


class Atlas:
    """One reference that everybody shares; replacing it is one assignment, so nobody sees half a district.

    Args:
        district: As it was loaded at the start.
    """

    def __init__(self, district: District) -> None:
        self._district = district
        self._followers: list[Callable[[District], None]] = []

    @property
    def district(self) -> District:
        """The district in force now."""
        return self._district

    def follow(self, follower: Callable[[District], None]) -> None:
        """Have `follower` called with each district that comes into force, in the event loop; it must be quick."""
        self._followers.append(follower)

    def replace(self, district: District) -> None:
        """Put another district in force and tell those who follow. Only from the event loop's thread."""
        self._district = district
        for follower in self._followers:
            follower(district)
