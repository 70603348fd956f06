"""The composition root: what survives a restart, and what a second process is told."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from command.board import Board
from command.clock import ManualClock
from command.district import District
from command.server import Units, open_core, purge_contacts
from command.store import schema
from command.store.database import DataFolderInUse
from tests.command.world import World
from tests.fixtures import START, Centre, Keys, district_of, open_centre, settings_for


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


def test_a_second_process_is_told_that_the_folder_is_in_use(data_folder: Path, district: District) -> None:
    core = open_core(settings_for(data_folder), ManualClock(START), district)
    with pytest.raises(DataFolderInUse):
        open_core(settings_for(data_folder), ManualClock(START), district)
    core.close()
    open_core(settings_for(data_folder), ManualClock(START), district).close()


def test_a_folder_that_is_not_there_yet_begins_empty(tmp_path: Path) -> None:
    core = open_core(settings_for(tmp_path / "new" / "data"), ManualClock(START))
    assert core.board.seq == 0
    assert core.district.about.prefix == "YP"
    core.close()


def test_a_damaged_district_stops_the_start_and_lets_go_of_the_folder(data_folder: Path) -> None:
    (district_of(data_folder) / "areas.gpkg").write_bytes(b"broken")
    for _ in range(2):
        with pytest.raises(Exception, match=r"areas\.gpkg"):
            open_core(settings_for(data_folder), ManualClock(START))
    shutil.rmtree(district_of(data_folder))
    open_core(settings_for(data_folder), ManualClock(START)).close()


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


def test_devices_follow_the_roster() -> None:
    from command.events import SYSTEM
    from command.responders import decide_register
    from tests.fixtures import PEOPLE

    world = World(units=())
    units = Units(world.board)
    world.take(lambda p, c: decide_register(p, list(PEOPLE), c), SYSTEM)
    assert units.unit_of_device("phone-1") is None
    for event in world.events:
        units.apply(event)
    assert units.unit_of_device("phone-1") == 1
    assert units.unit_of("p1") == 11
    assert units.unit_of("nobody") is None
    assert Units(world.board).unit_of_device("phone-21") == 21
    assert Board("e").responders == {}
