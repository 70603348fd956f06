"""Where media comes from: what makes sense, what is allowed, and when a password must be given anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from command.cameras.sources import PutSource, admit, bare, checked, secret_after, target_of
from command.errors import Malformed
from streams.source import Admission, Source

GB = {"protocol": "gb28181", "device_id": "3" * 20, "channel_id": "4" * 20}


def source(**more: Any) -> Source:
    return Source(**{"protocol": "rtsp", "host": "10.0.0.5", "path": "/cam/1?sub=1", **more})


def test_a_source_is_kept_in_one_form() -> None:
    found = checked(source(host=" [2001:db8::5] ", username=" admin ", password="p w"))
    assert (found.host, found.path, found.username) == ("2001:db8::5", "cam/1?sub=1", "admin")
    assert found.password == "p w"
    assert checked(source(username="", password="")).username is None
    gb = checked(Source(**GB, host="", transport="udp"))
    assert (gb.host, gb.device_id, gb.transport) == ("", "3" * 20, "udp")
    assert checked(Source(protocol="file", path="a/b.mp4")).path == "a/b.mp4"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "10.0.0.5:554"}, "host"),
        ({"host": "user@10.0.0.5"}, "host"),
        ({"host": "10.0.0.5/x"}, "host"),
        ({"host": "-h"}, "host"),
        ({"host": "fe80::1%eth0"}, "host"),
        ({"host": "摄像头"}, "host"),
        ({"host": "a" * 256}, "host"),
        ({"port": 70_000}, "port"),
        ({"port": -1}, "port"),
        ({"control_port": 70_000}, "control_port"),
        ({"path": "a b"}, "path"),
        ({"path": "a\r\nSession: 1"}, "path"),
        ({"path": "user=admin&password=secret&channel=1"}, "path"),
        ({"path": "x?pwd=1"}, "path"),
        ({"path": "x" * 501}, "path"),
        ({"username": "a\nb"}, "username"),
        ({"username": "x" * 65}, "username"),
        ({"password": "a\nb"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"device_id": "3" * 20}, "device_id"),
        ({**GB, "host": "10.0.0.5", "device_id": "3" * 19}, "device_id"),
        ({**GB, "channel_id": "٣" * 20}, "channel_id"),
        ({**GB, "channel_id": None}, "channel_id"),
        ({**GB, "password": "x"}, "password"),
        ({"protocol": "file", "host": "h", "path": "x"}, "host"),
        ({"protocol": "file", "host": "", "path": ""}, "path"),
        ({"protocol": "exec"}, "protocol"),
    ],
)
def test_what_makes_no_sense_names_its_field(more: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        checked(source(**more))
    assert caught.value.field == f"source.{field}"
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    ("more", "field", "said"),
    [
        ({"protocol": "rtsps"}, "protocol", "allowed_protocols"),
        ({"host": "192.168.1.1"}, "host", "192.168.1.1"),
        ({"host": "::ffff:192.168.1.1"}, "host", "192.168.1.1"),
        ({"host": "localhost"}, "host", "localhost"),
        ({"host": "no-such-host.invalid"}, "host", "no-such-host.invalid"),
        ({"protocol": "file", "host": "", "path": "../x"}, "path", "x"),
    ],
)
async def test_what_is_not_allowed_names_the_host(
    tmp_path: Path, more: dict[str, Any], field: str, said: str
) -> None:
    admission = Admission(["10.0.0.0/8"], ("rtsp", "file"), tmp_path)
    with pytest.raises(Malformed) as caught:
        await admit(source(**more), admission)
    assert caught.value.field == f"source.{field}"
    assert said in caught.value.detail


async def test_what_is_allowed_passes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    admission = Admission(["10.0.0.0/8", "127.0.0.0/8", "::1/128"], ("rtsp", "file", "gb28181"), tmp_path)
    await admit(source(), admission)
    await admit(source(host="localhost"), admission)
    await admit(Source(protocol="file", path="a.mp4"), admission)
    await admit(Source(**GB), admission)


def put(new: Source, secret: bytes | None = None, *, keep: bool = True) -> PutSource:
    return PutSource("c1", bare(new), secret, keep, "now")


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, True),
        ({"path": "other"}, True),
        ({"transport": "udp"}, True),
        ({"host": "CAM.LAN"}, True),
        ({"port": 554}, True),  # the protocol's own, said or not
        ({"host": "10.0.0.6"}, False),
        ({"port": 555}, False),
        ({"username": "other"}, False),
        ({"username": None}, False),
        ({"protocol": "http-flv", "port": 554}, False),
        ({"control_port": 80}, False),
    ],
)
def test_a_password_stays_with_its_target(more: dict[str, Any], *, kept: bool) -> None:
    old = source(host="cam.lan", username="admin")
    new = msgspec.structs.replace(old, **more)
    assert secret_after(put(new), old, b"sealed") == (b"sealed" if kept else None)
    assert (target_of(old) == target_of(new)) is kept
    assert secret_after(put(new, b"new", keep=False), old, b"sealed") == b"new"
    assert secret_after(put(new, None, keep=False), old, b"sealed") is None


def test_a_first_source_without_a_password_has_none() -> None:
    assert secret_after(put(source()), None, None) is None


def test_a_password_shows_in_no_repr() -> None:
    secret = source(password="canary")
    assert "canary" not in repr(secret)
    assert "canary" not in repr(put(secret, b"canary", keep=False))
