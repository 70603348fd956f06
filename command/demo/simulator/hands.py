"""Which incidents people have their hands on, so that the simulated desk keeps its own off them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from command.demo.simulator.clients import Account
from command.demo.simulator.feed import Entity, Picture
from command.demo.simulator.timing import Timing

NOT_A_TOUCH: Final = (
    "incident.reported",
    "incident.attached",
    "incident.handling",
    "incident.handled",
    "incident.returned",
    "incident.self_closed",
    "incident.evaluated",
)
TAKEN_AWAY: Final = ("assignment.recalled", "assignment.reassigned", "assignment.arrival_refused")


class Desk(Account, Protocol):
    """An account that knows who it is."""

    @property
    def user_id(self) -> str:
        """The account's id; empty before it signed in."""
        ...

    @property
    def name(self) -> str:
        """The account's name; empty before it signed in."""
        ...


class Hands:
    """What people claimed, acted on lately, or have open.

    Args:
        me: The simulated desk; its own doings do not count.
        picture: What its console shows.
        abandoned_after_s: So long after the last act of a person an unclaimed incident is anybody's again.
        timing: Time.
    """

    def __init__(self, me: Desk, picture: Picture, abandoned_after_s: float, timing: Timing) -> None:
        self._me = me
        self._picture = picture
        self._abandoned_after_s = abandoned_after_s
        self._timing = timing
        self._touched: dict[str, float] = {}
        picture.listen(self.notice)

    def notice(self, type_: str, data: Mapping[str, Any]) -> None:
        """Remember which incidents people have acted on."""
        now = self._timing.now()
        if type_ == "snapshot":
            for key, incident in self._picture.incidents.items():
                if incident["acknowledged_by"] not in (None, self._me.name, "系统"):
                    self._touched.setdefault(key, now)
            return
        if data.get("actor", {}).get("id") in (None, "system", self._me.user_id):
            return
        changes = data.get("changes", {})
        if type_.startswith("incident.") and type_ not in NOT_A_TOUCH:
            self._touched.update(dict.fromkeys(changes.get("incidents", {}), now))
        elif type_ in TAKEN_AWAY:
            jobs = [job for job in changes.get("assignments", {}).values() if job is not None]
            self._touched.update({job["incident_id"]: now for job in jobs})

    def off(self, incident: Entity) -> bool:
        """Whether no person has a hand on this incident."""
        if incident["claimed_by"] not in (None, self._me.user_id):
            return False
        touched = self._touched.get(incident["id"])
        if touched is not None and self._timing.now() - touched < self._abandoned_after_s:
            return False
        return not any(
            (row.get("viewing") or {}).get("id") == incident["id"]
            for row in self._picture.presence
            if row["user_id"] != self._me.user_id
        )
