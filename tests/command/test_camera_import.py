"""Rows of cameras: good ones become cameras with their sources, bad ones are named by row and field."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from command import camera_import
from command.camera_import import CameraFile, changed_sources, check_hosts, read_cameras
from command.cameras import Status
from command.cameras.sources import bare
from command.district import District
from command.row_faults import WORDS, RowFault
from gis.intake import ISSUES, Refused
from streams.source import Admission, Source
from tests.fixtures import G1, G5

GB = "34060400001320000001"
AT = "116.825,33.905"
HERE = "116.805,33.905"


def read(district: District, header: str, *lines: str, **more: Any) -> CameraFile:
    return read_cameras("\n".join((header, *lines)).encode(), district, **more)


def faults(found: CameraFile) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.field, fault.code) for fault in found.faults]


def test_cameras_are_known_by_their_number_or_by_name_and_place(district: District) -> None:
    lines = (
        f"渡口街北,{GB},{AT},bureau,90,60",
        f"无号,,{HERE},,,",
        f"同号,{GB},{HERE},,,",
        f"短号,123,{HERE},,,",
        f"歪,,{HERE},,400,",
        f"歪二,,{HERE},,north,",
        f"网,,{HERE},private,,",
        f",,{HERE},,,",
        "无处,,,,,,",
    )
    found = read(district, "name,gb_id,lon,lat,network,azimuth,fov", *lines)
    assert [camera.name for camera in found.cameras] == ["渡口街北", "无号"]
    first, second = found.cameras
    assert (first.grid, first.azimuth, first.network, first.area) == (G5, 90.0, "bureau", G5[:12])
    assert (first.status, first.enabled, first.source) == (Status.UNKNOWN, True, None)
    assert (second.grid, second.network) == (G1, "xueliang")
    assert faults(found) == [
        (3, "gb_id", "duplicate"),
        (4, "gb_id", "gb_id"),
        (5, "azimuth", "out_of_range"),
        (6, "azimuth", "not_a_number"),
        (7, "network", "unknown_word"),
        (8, "name", "missing"),
        (9, "lon", "missing"),
    ]
    again = read(district, "name,gb_id,lon,lat,network,azimuth,fov", *lines)
    assert [camera.id for camera in again.cameras] == [camera.id for camera in found.cameras]
    assert first.id == f"c_{GB}"
    (slashed,) = read(district, "name,lon,lat", f"一中/二中 路口?#,{HERE}").cameras
    assert not set("/?# ") & set(slashed.id)


def test_cells_say_things_as_offices_do(district: District) -> None:
    header = "name,gb_id,lon,lat,azimuth,height_m,network,ptz,tour_groups,host,port"
    found = read(district, header, f"渡口街北,{GB},{AT},360,6.5米,雪亮工程,是,重点、学校,10.0.0.5,554")
    (camera,) = found.cameras
    assert (camera.azimuth, camera.height_m, camera.network, camera.ptz) == (0.0, 6.5, "xueliang", True)
    assert camera.tour_groups == ("重点", "学校")
    assert found.sources[camera.id] == Source(protocol="rtsp", host="10.0.0.5", port=554)


def test_rows_go_by_the_numbers_they_had(district: District) -> None:
    """What refused rows left open stays open, and faults name others by the same numbers."""
    found = read(district, "row,name,lon,lat", f"3,a,{AT}", f"7,b,{HERE}", f"9,a,{AT}", "12,c,,")
    assert list(found.rows.values()) == [3, 7]
    assert faults(found) == [(9, "name", "duplicate"), (12, "lon", "missing")]
    assert found.faults[0].zh == "与第 3 行重复"
    content = "name,lon,lat\r\n" + f'"两\n行",{AT}' + "\r\n"
    assert faults(read_cameras(("\ufeff" + content).encode(), district)) == [(1, "name", "control_character")]
    assert read_cameras(b"", district).cameras == []


def test_more_cameras_than_a_registry_takes_at_once(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_import, "MOST_CAMERAS", 1)
    assert len(read(district, "name,lon,lat", f"a,{AT}").cameras) == 1
    with pytest.raises(Refused, match="more than 1 cameras"):
        read(district, "name,lon,lat", f"a,{AT}", f"b,{HERE}")


def test_every_fault_has_words_in_both_languages() -> None:
    for code, words in WORDS.items():
        facts = dict.fromkeys(
            ("text", "known", "first", "lon", "lat", "most", "low", "high", "value", "detail"), "<x>"
        )
        fault = RowFault(1, "name", code, {**facts, "host": "<h>", "protocol": "<p>"})
        assert fault.issue in ISSUES
        assert words.zh
        assert not fault.zh.isascii()
        assert fault.en.isascii()


@pytest.mark.parametrize(
    ("header", "line", "field", "code"),
    [
        ("name,lon,lat", f"a\x07b,{HERE}", "name", "control_character"),
        ("name,lon,lat", f"a\u202eb,{HERE}", "name", "control_character"),
        ("name,lon,lat", f"{'长' * 81},{HERE}", "name", "too_long"),
        ("name,lon,lat,station", f"a,{HERE},b\x1b[31m", "station", "control_character"),
        ("name,lon,lat", "a,x,33.9", "lon", "place"),
        ("name,lon,lat", "a,116.8,", "lon", "place"),
        ("name,lon,lat", "a,nan,33.9", "lon", "place"),
        ("name,lon,lat", "a,0,0", "lon", "place"),
        ("name,lon,lat", "a,inf,1", "lon", "place"),
        ("name,lon,lat", "a,33.9,116.8", "lon", "place"),
        ("name,lon,lat,fov", f"a,{HERE},361", "fov", "out_of_range"),
        ("name,lon,lat,tilt", f"a,{HERE},-91", "tilt", "out_of_range"),
        ("name,lon,lat,ptz", f"a,{HERE},vielleicht", "ptz", "yes_or_no"),
        ("name,lon,lat,grid", f"a,{HERE},999", "grid", "unknown_area"),
        ("name,lon,lat,host", f"a,{HERE},10.0.0.5:554", "host", "source.host"),
        ("name,lon,lat,host,port", f"a,{HERE},10.0.0.5,65536", "port", "source.port"),
        ("name,lon,lat,host,port", f"a,{HERE},10.0.0.5,٥", "port", "source.port"),
        ("name,lon,lat,host,protocol", f"a,{HERE},10.0.0.5,exec", "protocol", "unknown_word"),
        ("name,lon,lat,host,path", f"a,{HERE},10.0.0.5,x?password=abc", "path", "source.path"),
        ("name,lon,lat,protocol", f"a,{HERE},rtsp", "host", "source.host"),
        ("name,lon,lat,protocol", f"a,{HERE},gb28181", "device_id", "source.device_id"),
        ("name,lon,lat,path", f"a,{HERE},rtsp://[bad", "path", "address"),
        ("name,lon,lat,path", f"a,{HERE},gopher://10.0.0.5/x", "protocol", "unknown_word"),
        (
            "name,lon,lat,protocol,device_id,channel_id",
            f"a,{HERE},国标,{GB},7",
            "channel_id",
            "source.channel_id",
        ),
        ("name,lon,lat,host,username", f"a,{HERE},10.0.0.5,{'u' * 65}", "username", "source.username"),
        ("name,lon,lat,host,password", f"a,{HERE},10.0.0.5,{'p' * 129}", "password", "source.password"),
        (
            "name,lon,lat,tour_groups",
            f"a,{HERE},{'、'.join(map(str, range(21)))}",
            "tour_groups",
            "too_many_groups",
        ),
    ],
)
def test_a_bad_cell_is_named_and_stops_nobody_else(
    district: District, header: str, line: str, field: str, code: str
) -> None:
    good = f"好的,{AT}"
    found = read(district, header, good, line, f"{good}5")
    assert len(found.cameras) == 2
    assert faults(found) == [(2, field, code)]
    assert (found.faults[0].zh + found.faults[0].en).isprintable(), "nothing in it acts on a terminal"


def test_an_address_in_one_cell_is_taken_apart(district: District) -> None:
    header = "name,lon,lat,path,username"
    found = read(
        district,
        header,
        f"a,{AT},rtsp://admin:p%40ss@10.0.0.5:8554/cam/1?sub=1,",
        f"b,{AT},http://10.0.0.6/live/b.flv,",
        f"c,{AT},https://10.0.0.7/live/c.m3u8,",
        f"d,{AT},rtsp://admin@10.0.0.8/x,viewer",
    )
    a, b, c, d = (found.sources[camera.id] for camera in found.cameras)
    assert (a.protocol, a.host, a.port, a.path) == ("rtsp", "10.0.0.5", 8554, "cam/1?sub=1")
    assert (a.username, a.password) == ("admin", "p@ss")
    assert (b.protocol, c.protocol, d.username) == ("http-flv", "hls", "viewer")
    assert "p@ss" not in repr(found)


def test_a_recorder_channel_takes_its_own_number(district: District) -> None:
    found = read(district, "name,lon,lat,gb_id,protocol,device_id", f"a,{AT},{GB},gb28181,{GB[:-1]}9")
    (source,) = found.sources.values()
    assert (source.device_id, source.channel_id) == (GB[:-1] + "9", GB)


def test_what_the_list_says_nothing_about_stays(district: District) -> None:
    (camera,) = read(district, "name,lon,lat,gb_id,azimuth,tour_groups", f"旧名,{AT},{GB},90,重点").cameras
    known = msgspec.structs.replace(
        camera, id="c_old", status=Status.LIVE, source="rtsp", ptz=True, version=7
    )
    found = read(district, "name,lon,lat,gb_id", f"新名,{AT},{GB}", known={"c_old": known})
    assert found.cameras == [msgspec.structs.replace(known, name="新名")]
    emptied = read(district, "name,lon,lat,gb_id,azimuth", f"新名,{AT},{GB},", known={"c_old": known})
    assert emptied.cameras[0].azimuth is None
    moved = read(district, "name,lon,lat,gb_id", f"新名,{HERE},{GB}", known={"c_old": known})
    assert (moved.cameras[0].grid, moved.cameras[0].id) == (G1, "c_old")


def lines(hosts: Iterable[str]) -> list[str]:
    return [f"c{n},{116.8 + n / 1000:.3f},33.905,{host}" for n, host in enumerate(hosts)]


async def test_hosts_outside_the_allowed_networks_are_left_out(district: District) -> None:
    hosts = ("10.0.0.5", "192.168.1.1", "localhost", "no-such-host.invalid", "10.0.0.5", "")
    found = read(district, "name,lon,lat,host", *lines(hosts))
    assert len(found.cameras) == 6
    passed = await check_hosts(found, Admission(["10.0.0.0/8"], ["rtsp"]))
    assert [camera.name for camera in passed.cameras] == ["c0", "c4", "c5"]
    assert faults(passed) == [(n, "host", "not_allowed.host") for n in (2, 3, 4)]
    for host, fault in zip(hosts[1:4], passed.faults, strict=True):
        assert (host in fault.zh, host in fault.en) == (True, True)
    nothing = await check_hosts(found, Admission([], ["gb28181"]))
    assert [camera.name for camera in nothing.cameras] == ["c5"]
    assert {fault.field for fault in nothing.faults} == {"protocol"}
    assert await check_hosts(passed, Admission(["10.0.0.0/8"], ["rtsp"])) is passed


async def test_files_must_be_below_their_folder(district: District, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    found = read(
        district,
        "name,lon,lat,protocol,path",
        f"a,{AT},file,a.mp4",
        f"b,{AT},file,../a.mp4",
        f"c,{AT},file,b.mp4",
    )
    passed = await check_hosts(found, Admission([], ["file"], tmp_path))
    assert [camera.name for camera in passed.cameras] == ["a"]
    assert faults(passed) == [(2, "path", "not_allowed.path"), (3, "path", "not_allowed.path")]


def test_only_sources_that_say_something_new_are_kept_anew(district: District) -> None:
    found = read(district, "name,lon,lat,host,password", f"a,{AT},10.0.0.5,", f"b,{HERE},10.0.0.6,x")
    first, second = found.sources
    kept = {key: bare(source) for key, source in found.sources.items()}
    assert set(changed_sources(found, {})) == {first, second}
    assert set(changed_sources(found, kept)) == {second}
    elsewhere = {**kept, first: msgspec.structs.replace(kept[first], host="10.0.0.9")}
    assert set(changed_sources(found, elsewhere)) == {first, second}
