"""Which reader reads which camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.errors import NotAllowed, UdpOnly, Unsupported
from streams.libav.reader import LibavReader
from streams.libav.slots import Slots
from streams.readers import CameraReaders
from streams.rtsp import RtspReader
from streams.source import Admission, CameraSpec, Source
from streams.wire import VideoSettings

ALL = ("rtsp", "rtsps", "rtmp", "http-flv", "hls", "file", "gb28181")


def spec(protocol: Any = "rtsp", **fields: Any) -> CameraSpec:
    return CameraSpec(id="a", source=Source(protocol=protocol, host="10.0.0.1", path="x", **fields))


def readers(*protocols: str, gb: Any = None) -> CameraReaders:
    admission = Admission(["10.0.0.0/8"], protocols or ALL, Path("/tmp"))
    return CameraReaders(VideoSettings(), admission, Slots(1), gb)


@pytest.mark.parametrize("protocol", ["rtsps", "rtmp", "http-flv", "hls", "file"])
def test_what_is_not_rtsp_goes_to_ffmpeg(protocol: str) -> None:
    assert isinstance(readers().reader(spec(protocol)), LibavReader)


def test_rtsp_goes_the_fast_way_unless_it_is_set_to_udp() -> None:
    assert isinstance(readers().reader(spec()), RtspReader)
    assert isinstance(readers().reader(spec(transport="udp")), LibavReader)


def test_the_second_way_is_remembered_until_the_source_changes() -> None:
    both = readers()
    assert both.refused(spec(), Unsupported("codec JPEG"))
    assert not both.refused(spec(), Unsupported("codec JPEG"))
    assert isinstance(both.reader(spec()), LibavReader)
    other = spec(username="u")
    assert isinstance(both.reader(other), RtspReader)
    assert both.refused(other, UdpOnly("by UDP"))
    reader = both.reader(other)
    assert isinstance(reader, LibavReader)
    assert reader._source == msgspec.structs.replace(other.source, transport="udp")


def test_channels_are_invited() -> None:
    asked: list[CameraSpec] = []

    def invite(camera: CameraSpec) -> LibavReader:
        asked.append(camera)
        return object.__new__(LibavReader)

    channel = spec("gb28181", device_id="1" * 20, channel_id="2" * 20)
    both = readers(gb=invite)
    both.reader(channel)
    assert asked == [channel]
    assert both.host(channel.source) == "1" * 20
    with pytest.raises(Unsupported, match="switched off"):
        readers().reader(channel)


def test_what_is_not_allowed_or_unknown_is_refused() -> None:
    with pytest.raises(NotAllowed, match="protocol rtmp"):
        readers("rtsp").reader(spec("rtmp"))
    with pytest.raises(NotAllowed, match="protocol gopher"):
        readers().reader(spec("gopher"))


def test_sessions_are_counted_by_host_and_files_not_at_all() -> None:
    assert readers().host(spec().source) == "10.0.0.1"
    assert readers().host(spec("file").source) is None
