"""The travel fields of open incidents and of places asked for again and again, kept as long as they matter.

One reverse search per place and means of travel; after that the arrival time of a unit costs a snap and a
look-up, so every position report of an assigned unit can update it.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from command.district import Approaches, District
from command.incidents import Incident

KEPT: Final = 128
"""Most places whose fields are held; a field is up to two megabytes in a city of 90,000 junctions."""


class ApproachBook:
    """Travel fields by place, the least recently asked dropped first.

    Args:
        district: Returns the district as it is now; after an import the fields are made anew.
    """

    def __init__(self, district: Callable[[], District]) -> None:
        self._district = district
        self._made_for: District | None = None
        self._held: OrderedDict[tuple[float, float], Approaches] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, incident: Incident) -> Approaches:
        """Return the fields to an incident's place."""
        return self.at(incident.lon, incident.lat)

    def at(self, lon: float, lat: float) -> Approaches:
        """Return the fields to a point, in degrees WGS-84."""
        district = self._district()
        if district is not self._made_for:
            self._held.clear()
            self._made_for = district
        place = (lon, lat)
        found = self._held.pop(place, None) or Approaches(district, lon, lat)
        self._held[place] = found
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return found
