"""The whole service: what survives a restart, and what is erased in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from command.district import District
from command.server import purge_contacts
from command.store import schema
from tests.fixtures import START, Centre, Keys, open_centre


async def test_a_restart_shows_the_same_picture(
    data_folder: Path, prepared: tuple[Path, Keys], district: District
) -> None:
    async with open_centre(data_folder, prepared[1], district) as first:
        incident, jobs = await first.dispatched("w1", reporter_contact="13812340472")
        body = {"title": "x", "category": "other", "lon": 116.805, "lat": 33.905}
        created = await first.post("operator", "/incidents", body, **{"idempotency-key": "k"})
        before = first.core.board.dump()
        epoch = first.core.board.epoch
    async with open_centre(data_folder, prepared[1], district) as second:
        assert second.core.board.epoch == epoch
        assert second.core.board.dump() == before
        again = await second.post("operator", "/incidents", body, **{"idempotency-key": "k"})
        assert again.json() == created.json()
        await second.step("w1", jobs[0], "sign")
        new = await second.report()
        assert new["code"] == "QS-1122-0003"
        contact = await second.post("operator", f"/incidents/{incident['id']}/contact", {"purpose": "核实"})
        assert contact.json() == {"contact": "13812340472"}


async def test_sessions_and_units_outlive_a_restart(
    data_folder: Path, prepared: tuple[Path, Keys], district: District
) -> None:
    async with open_centre(data_folder, prepared[1], district) as first:
        client = await first.as_("dispatcher")
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    async with open_centre(data_folder, prepared[1], district) as second:
        async with second.anonymous(cookie=cookie) as client:
            assert (await client.get("/api/v1/session")).json()["user"]["username"] == "dispatcher"


async def test_contacts_are_erased_when_their_time_is_over(centre: Centre) -> None:
    await centre.report(reporter_contact="13812340472")
    database = centre.core.database

    def kept() -> int:
        count = sa.select(sa.func.count()).select_from(schema.contacts)
        return int(database.read_now(lambda c: c.execute(count).scalar_one()))

    from command.clock import rfc3339

    assert await purge_contacts(database, rfc3339(START + timedelta(days=29))) == 0
    assert kept() == 1
    assert await purge_contacts(database, rfc3339(START + timedelta(days=31))) == 1
    assert kept() == 0
