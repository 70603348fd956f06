"""kill -9 in the middle of writing: nothing that was acknowledged is lost, and it is soon back."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.faults.serving import Served, ending_all, long_form, start
from tests.fixtures import district_of

pytestmark = pytest.mark.slow

KILLS = 50 if long_form() else 5
READY_CPU_S = 5.0


def write_until_killed(served: Served, name: str, acknowledged: list[tuple[str, str]]) -> None:
    """Report incidents and write notes until the service is gone; remember what was acknowledged."""
    try:
        with served.signed_in("operator") as client:
            number = 0
            while True:
                number += 1
                title = f"{name}-{number}"
                body = {"title": title, "category": "other", "lon": 116.805, "lat": 33.905}
                answer = client.post("/api/v1/incidents", json=body, headers={"idempotency-key": title})
                if answer.status_code == 201:
                    acknowledged.append((answer.json()["id"], title))
    except (httpx2.TransportError, OSError):
        return


def test_nothing_acknowledged_is_lost(data_folder: Path) -> None:
    acknowledged: list[tuple[str, str]] = []
    shutil.rmtree(district_of(data_folder))  # reading it takes seconds, and it is never written to
    served = start(data_folder)
    with ending_all():
        for kill in range(KILLS):
            served = kill_and_restart(data_folder, served, kill, acknowledged)
            assert served.ready_cpu_s < READY_CPU_S
        check_everything_is_there(served, acknowledged)


def kill_and_restart(data: Path, served: Served, kill: int, acknowledged: list[tuple[str, str]]) -> Served:
    """Kill the service while it writes, look at the database, and start it again."""
    seen = len(acknowledged)
    writers = [
        threading.Thread(target=write_until_killed, args=(served, f"{kill}-{n}", acknowledged))
        for n in range(3)
    ]
    for writer in writers:
        writer.start()
    deadline = time.monotonic() + 20
    while len(acknowledged) < seen + 10 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.01 * (kill % 7))
    served.kill()
    for writer in writers:
        writer.join(20)
    assert len(acknowledged) >= seen + 10, "it wrote before it was killed"
    with closing(sqlite3.connect(data / "yiping.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return start(data)


def check_everything_is_there(served: Served, acknowledged: list[tuple[str, str]]) -> None:
    """Check that each acknowledged report exists, once, and that a retry finds it."""
    with served.signed_in("operator") as client:
        for key, title in acknowledged:
            answer = client.get(f"/api/v1/incidents/{key}")
            assert answer.status_code == 200, f"{title} was acknowledged and is lost"
            assert answer.json()["title"] == title
        # A client that heard nothing asks again with its key: each report exists once.
        key, title = acknowledged[-1]
        body = {"title": title, "category": "other", "lon": 116.805, "lat": 33.905}
        again = client.post("/api/v1/incidents", json=body, headers={"idempotency-key": title})
        assert again.json()["id"] == key
        # The numbers go on without a double.
        codes = set()
        cursor: str | None = None
        count = 0
        while True:
            query = {"limit": "500", **({"cursor": cursor} if cursor else {})}
            page = client.get("/api/v1/incidents", params=query).json()
            codes |= {row["code"] for row in page["items"]}
            count += len(page["items"])
            cursor = page["next"]
            if cursor is None:
                break
        assert len(codes) == count >= len(acknowledged)
