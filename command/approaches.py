"""The travel fields of open incidents, kept as long as they matter.

One reverse search per incident and means of travel; after that the arrival time of a unit costs a snap and a
look-up, so every position report of an assigned unit can update it.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from command.district import Approaches, District
from command.incidents import Incident

KEPT: Final = 256
"""Most incidents whose fields are held; a large county's field is under a megabyte."""


class ApproachBook:
    """Travel fields by incident, the least recently asked dropped first.

    Args:
        district: Returns the district as it is now; after an import the fields are made anew.
    """

    def __init__(self, district: Callable[[], District]) -> None:
        self._district = district
        self._made_for: District | None = None
        self._held: OrderedDict[str, Approaches] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def of(self, incident: Incident) -> Approaches:
        """Return the fields to an incident's place."""
        district = self._district()
        if district is not self._made_for:
            self._held.clear()
            self._made_for = district
        found = self._held.pop(incident.id, None)
        if found is None or (found.lon, found.lat) != (incident.lon, incident.lat):
            found = Approaches(district, incident.lon, incident.lat)
        self._held[incident.id] = found
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        return found

    def forget(self, incident_id: str) -> None:
        """Drop the fields of an incident that is over."""
        self._held.pop(incident_id, None)
