"""Everybody who is not at the browser under test: callers, other desks and the people outside, by plain HTTP."""

from __future__ import annotations

import contextlib
import math
import threading
import uuid
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.browser.service import Service

COOKIE = "yiping_session"
PASSWORD = "yiping-demo"
REPORT_EVERY_S = 4.0
Json = dict[str, Any]

OPEN = "reported,accepted,dispatched,handling,suspended,handled"


class Account:
    """Somebody signed in, with the session's cookie to lend to a browser."""

    def __init__(self, url: str, username: str) -> None:
        self.username = username
        self._client = httpx2.Client(base_url=url, timeout=30, trust_env=False)
        answer = self._client.post("/api/v1/session", json={"username": username, "password": PASSWORD})
        answer.raise_for_status()
        self.user: Json = answer.json()["user"]
        self.district: Json = answer.json()["district"]
        self.token: str = self._client.cookies[COOKIE]

    def get(self, path: str, **query: str | float) -> Json:
        """Read something below ``/api/v1``."""
        answer = self._client.get(f"/api/v1{path}", params=query)
        answer.raise_for_status()
        read: Json = answer.json()
        return read

    def post(self, path: str, **body: object) -> Json:
        """Ask for something below ``/api/v1``; a refusal is an error."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        answer = self._client.post(f"/api/v1{path}", json=body, headers=headers)
        if answer.is_error:
            raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
        read: Json = answer.json()
        return read

    def close(self) -> None:
        """Close the connections; the session stays."""
        self._client.close()


@dataclass(frozen=True)
class Unit:
    """A responder outside, standing at home."""

    id: str
    unit: int
    name: str
    kind: str
    username: str
    lon: float
    lat: float


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Ground distance between two near points, lon and lat in degrees."""
    east = (a[0] - b[0]) * math.cos(math.radians(a[1]))
    return math.hypot(east, a[1] - b[1]) * 111_195


class Town:
    """The district outside the browser."""

    def __init__(self, service: Service, crew: int) -> None:
        self.service = service
        told = service.people()
        self._integration = told["integration_token"]
        self._accounts: dict[str, Account] = {}
        self.supervisor = self.account("supervisor")
        self.operator = self.account("operator")
        centre = self.supervisor.district["center"]
        units = [
            Unit(r["responder_id"], r["unit"], r["name"], r["kind"], r["username"], *r["home"])
            for r in told["responders"]
            if r["home"]
        ]
        self.units = {u.id: u for u in units}
        self.by_username = {u.username: u for u in units}
        near = sorted(
            (
                u
                for u in units
                if u.kind in ("police", "grid_worker") and u.username not in ("police", "worker")
            ),
            key=lambda u: (metres((u.lon, u.lat), (centre[0], centre[1])), u.id),
        )
        self.crew = near[:crew]
        """On duty, free and reporting from their homes before each test."""
        self._places: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._reporter = threading.Thread(target=self._keep_reporting, daemon=True)

    # -- accounts ---------------------------------------------------------------------------------------

    def account(self, username: str) -> Account:
        """One session per account for the whole run."""
        if username not in self._accounts:
            self._accounts[username] = Account(self.service.url, username)
        return self._accounts[username]

    # -- positions --------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin the shift."""
        self._reporter.start()

    def close(self) -> None:
        """Stop reporting and hang up."""
        self._done.set()
        self._reporter.join()
        for account in self._accounts.values():
            account.close()

    def place(self, unit: Unit, lon: float, lat: float) -> None:
        """Keep reporting a unit from here."""
        with self._lock:
            self._places[unit.id] = (lon, lat)
        self.report_positions()

    def report_positions(self) -> None:
        """Post everybody's fix once."""
        with self._lock:
            batch = [
                {"responder_id": d, "lon": x, "lat": y, "accuracy_m": 5} for d, (x, y) in self._places.items()
            ]
        httpx2.post(
            f"{self.service.url}/api/v1/positions",
            json=batch,
            headers={"Authorization": f"Bearer {self._integration}"},
            timeout=5,
            trust_env=False,
        ).raise_for_status()

    def _keep_reporting(self) -> None:
        while not self._done.wait(REPORT_EVERY_S):
            # The service is frozen and killed by tests; trackers repeat what was not taken.
            with contextlib.suppress(httpx2.HTTPError):
                self.report_positions()

    # -- order before each test -------------------------------------------------------------------------

    def settle(self) -> None:
        """Open every road, cancel what is open and put exactly the crew on duty, at home, with a fresh fix."""
        for item in self.supervisor.get("/incidents", state=OPEN, limit=500)["items"]:
            self.supervisor.post(f"/incidents/{item['id']}/cancel", reason="试验结束")
        for item in self.supervisor.get("/closures")["items"]:
            self.supervisor.post(f"/closures/{item['id']}/end")
        wanted = {unit.id for unit in self.crew}
        for row in self.supervisor.get("/responders", limit=5000)["items"]:
            if row["on_duty"] != (row["id"] in wanted):
                self.supervisor.post(f"/responders/{row['id']}/shift", on_duty=row["id"] in wanted)
        with self._lock:
            self._places = {u.id: (u.lon, u.lat) for u in self.crew}
        self.report_positions()

    # -- what callers and phones do ---------------------------------------------------------------------

    def report(self, title: str, level: str = "III", near: Unit | None = None, **more: object) -> Json:
        """Call an incident in, some fifty metres from where a unit stands."""
        unit = near or self.crew[0]
        body = {"category": "city_event", "source": "hotline", "lon": unit.lon + 4e-4, "lat": unit.lat + 3e-4}
        return self.operator.post("/incidents", title=title, level=level, **{**body, **more})

    def incident(self, incident_id: str) -> Json:
        """As the service has it now."""
        return self.supervisor.get(f"/incidents/{incident_id}")

    def find(self, title: str) -> list[Json]:
        """Incidents of exactly this title, cancelled ones left out."""
        items = self.supervisor.get("/incidents", q=title)["items"]
        return [item for item in items if item["title"] == title and item["state"] != "cancelled"]

    def phone(self, unit: Unit) -> Account:
        """The account of somebody outside."""
        return self.account(unit.username)

    def nearest(self, incident: Json) -> list[Json]:
        """Who would be proposed, best first."""
        items: list[Json] = self.supervisor.get("/nearest", incident_id=incident["id"])["items"]
        return items
