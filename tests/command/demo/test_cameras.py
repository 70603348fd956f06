"""How the demo's cameras are equipped, and that their farm comes and goes with the demo."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from command.cameras import Camera
from command.core import open_core
from command.demo import cameras as equipment
from command.demo import farm
from command.settings import load_settings

if TYPE_CHECKING:
    from command.core import Core
    from command.district import District

SITES = (
    "junction",
    "school",
    "bridge",
    "hill",
    "market",
    "village",
    "residential",
    "reservoir",
    "park",
    "police",
)
CODE = "640299000000"


def camera(number: int) -> Camera:
    site = SITES[number % len(SITES)]
    bureau = site in ("bridge", "hill", "reservoir", "police")
    return Camera(
        id=f"c_{number:05d}",
        name=f"{site}{number}",
        lon=106.9 + number / 1e4,
        lat=37.2,
        gb_id=f"64029900001320{number:06d}",
        network="bureau" if bureau else "xueliang",
        site_type=site,
    )


def planned(count: int = 200, seed: int = 1) -> equipment.Plan:
    found = [camera(number) for number in range(1, count + 1)]
    paths = {each.id: f"cam/{number:05d}" for number, each in enumerate(found, start=1)}
    return equipment.plan(
        found, paths, seed=seed, code=CODE, zone="Asia/Shanghai", port=9000, onvif_port=9001
    )


def test_every_camera_is_reached_in_some_way() -> None:
    made = planned()
    assert set(made.sources) == {each.id for each in made.cameras}
    protocols = Counter(source.protocol for source in made.sources.values())
    assert protocols["gb28181"] == 10
    assert protocols["rtsp"] == 190
    drawn = {each.path: each for each in made.farm.cameras}
    assert len(drawn) == 200
    for source in made.sources.values():
        if source.protocol == "rtsp":
            assert (source.host, source.port, source.username) == ("127.0.0.1", 9000, "viewer")
            assert source.password == made.farm.password
            assert (source.transport == "udp") == drawn[source.path].udp_only
    codecs = Counter(each.profile for each in drawn.values())
    assert 8 <= codecs["h265"] <= 32
    assert sum(each.udp_only for each in drawn.values()) == 2


def test_gb_channels_are_the_cameras_of_their_devices() -> None:
    made = planned()
    channels = {c.channel_id: (r.device_id, c.path) for r in made.farm.recorders for c in r.channels}
    assert set(made.device_names) == {recorder.device_id for recorder in made.farm.recorders}
    for each in made.cameras:
        source = made.sources[each.id]
        if source.protocol == "gb28181":
            assert source.channel_id == each.gb_id
            assert source.channel_id is not None
            assert channels[source.channel_id][0] == source.device_id
    for recorder in made.farm.recorders:
        assert len(recorder.device_id) == 20
        assert recorder.password not in repr(made.farm) + repr(made)


def test_what_can_be_turned_is_turned_by_its_own_protocol() -> None:
    made = planned()
    drawn = {each.path: each for each in made.farm.cameras}
    turned = [each for each in made.cameras if each.ptz]
    assert len(turned) >= 15
    for each in made.cameras:
        source = made.sources[each.id]
        if source.protocol == "rtsp":
            assert (source.control_port == 9001) == each.ptz
            assert drawn[source.path].ptz == each.ptz


def test_groups_have_tours_and_sectors_reach_far_enough() -> None:
    made = planned()
    groups = {group for each in made.cameras for group in each.tour_groups}
    assert {"城区路口", "河道水位", "林区瞭望", "校园周边"} <= groups
    assert {tour.group for tour in made.tours} == groups
    assert all(len(layout.cells) == layout.split for layout in made.layouts)
    assert max(each.range_m or 0 for each in made.cameras if each.site_type == "hill") == 4000


def test_the_same_seed_equips_the_same_way() -> None:
    first, second, other = planned(), planned(), planned(seed=2)
    assert first.farm.cameras == second.farm.cameras
    assert first.cameras == second.cameras
    assert first.farm.cameras != other.farm.cameras
    assert first.farm.password != second.farm.password


def test_a_few_cameras_are_enough() -> None:
    for count in (0, 1, 3):
        assert len(planned(count).sources) == count


@pytest.fixture
def core(tmp_path: Path, district: District) -> Core:
    return open_core(load_settings(None, data_dir=tmp_path / "data"), district=district)


async def working(core: Core, work: object) -> None:
    assert asyncio.iscoroutine(work)
    desk = asyncio.create_task(core.desk.run())
    try:
        await work
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


async def test_the_registry_takes_the_equipment_and_follows_the_farm(core: Core) -> None:
    made = planned(40)
    try:
        await working(core, equipment.equip(core, made))
        specs = {spec.id: spec.source for spec in await core.sources.load_sources()}
        assert specs == made.sources
        devices = await core.sources.load_devices()
        assert {(d.device_id, d.password) for d in devices} == {
            (recorder.device_id, recorder.password) for recorder in made.farm.recorders
        }
        assert len(core.board.tours) == len(made.tours)
        await working(core, equipment.repoint(core, made.farm, 9100, 9101))
        for key, source in {spec.id: spec.source for spec in await core.sources.load_sources()}.items():
            if source.protocol == "rtsp":
                assert source.port == 9100
                assert source.password == made.farm.password
                assert source.control_port == (9101 if core.board.cameras[key].ptz else 0)
    finally:
        core.close()


def test_the_configuration_is_for_its_owner_only(tmp_path: Path) -> None:
    assert farm.load(tmp_path) is None
    made = planned(10).farm
    farm.save(tmp_path, made)
    assert stat.S_IMODE(os.stat(tmp_path / farm.FARM_FILE).st_mode) == 0o600
    assert farm.load(tmp_path) == made


def test_the_settings_let_the_cameras_in(tmp_path: Path) -> None:
    settings = load_settings(None, data_dir=tmp_path, **farm.settings_for(planned(10).farm, 5061))
    assert settings.cameras.allowed_networks == ("127.0.0.0/8",)
    assert settings.video.gb.enabled
    assert settings.video.gb.port == 5061
    assert settings.video.gb.server_id.startswith("640299")


@pytest.mark.slow
def test_the_farm_runs_as_long_as_it_is_wanted(tmp_path: Path) -> None:
    config = msgspec.structs.replace(planned(10).farm, port=farm.free_port(), onvif_port=farm.free_port())
    with (tmp_path / "journal").open("w") as journal:
        with farm.FarmProcess(journal) as process:
            ready = process.begin(config, farm.free_port())
            assert (ready.port, ready.onvif_port) == (config.port, config.onvif_port)
            with socket.create_connection(("127.0.0.1", ready.port), timeout=5):
                pass
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", ready.port), timeout=5)
    assert "Traceback" not in (tmp_path / "journal").read_text("utf-8")


@pytest.mark.slow
def test_a_farm_that_was_told_nothing_ends_too(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as journal, farm.FarmProcess(journal):
        pass
