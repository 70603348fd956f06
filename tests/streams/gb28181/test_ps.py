import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import StreamError, Unsupported
from streams.gb28181.ps import Demuxer, Timeline
from streams.gb28181.ps_mux import PsMuxer, adts, pack_header, pes
from tests.streams.gb28181.coded import coded

nal = st.binary(min_size=2, max_size=400).map(
    lambda data: b"\x41" + data.replace(b"\0\0", b"\0\3").rstrip(b"\0") + b"\x80"
)
units = st.lists(st.lists(nal, min_size=1, max_size=3), min_size=1, max_size=8)
SPS = b"\x67\x64\0\x1f\x80"


class Took:
    def __init__(self):
        self.units = []
        self.tracks = []
        self.sounds = []

    def unit(self, codec, nals, timestamp):
        self.units.append((codec, tuple(nals), timestamp))

    def audio(self, track):
        self.tracks.append(track)

    def sound(self, data, timestamp):
        self.sounds.append((data, timestamp))


def cut(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def send(demuxer, data, timestamp, *, size=1400, marker=True):
    pieces = cut(data, size)
    for number, piece in enumerate(pieces):
        demuxer.feed(piece, timestamp, marker=marker and number == len(pieces) - 1)


@given(
    units,
    st.integers(0, 2**33 - 1),
    st.integers(1, 2000),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_round_trip(pictures, first, size, endless, with_pts, marker):
    muxer = PsMuxer("h264", endless=endless, with_pts=with_pts)
    took = Took()
    demuxer = Demuxer(took)
    expected = []
    for number, nals in enumerate(pictures):
        pts = first + number * 3600
        send(
            demuxer,
            muxer.picture([SPS, *nals], pts, key=number == 0),
            pts & 0xFFFFFFFF,
            size=size,
            marker=marker,
        )
        base = first if with_pts else first & 0xFFFFFFFF
        expected.append(("h264", (SPS, *nals), base + number * 3600))
    demuxer.end()
    assert took.units == expected
    assert demuxer.damaged == 0


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("options", [{}, {"endless": True}, {"with_pts": False}])
@pytest.mark.parametrize("marker", [True, False])
def test_real_pictures(codec, options, marker):
    muxer, took = PsMuxer(codec, **options), Took()
    demuxer = Demuxer(took)
    for number, (nals, key) in enumerate(coded(codec)):
        send(demuxer, muxer.picture(nals, number * 3600, key=key), number * 3600, marker=marker)
    demuxer.end()
    assert [(codec, nals, number * 3600) for number, (nals, _) in enumerate(coded(codec))][:-1] == took.units[
        :-1
    ]
    assert len(took.units) == len(coded(codec))


def test_a_large_picture_in_many_pes_packets():
    large = b"\x65" + bytes(random.Random(1).choices(range(1, 256), k=300_000))
    took = Took()
    send(Demuxer(took), PsMuxer("h264").picture([SPS, large], 0, key=True), 0)
    assert took.units == [("h264", (SPS, large), 0)]


def test_a_length_counted_modulo_65536():
    large = b"\x65" + bytes(random.Random(1).choices(range(1, 256), k=150_000))
    data = b"\0\0\0\1" + SPS + b"\0\0\0\1" + large
    whole = pes(0xE0, data[:5], 7)
    length = (len(whole) - 6 - 5 + len(data)) % 65_536
    wrong = whole[:4] + length.to_bytes(2, "big") + whole[6:-5] + data
    took = Took()
    demuxer = Demuxer(took)
    send(demuxer, pack_header(7) + wrong, 7)
    send(demuxer, PsMuxer("h264").picture([SPS, b"\x41\x80"], 3607, key=False), 3607)
    demuxer.end()
    assert took.units[0] == ("h264", (SPS, large), 7)
    assert took.units[1] == ("h264", (SPS, b"\x41\x80"), 3607)


def test_a_marker_on_every_packet_is_not_believed_for_long():
    took = Took()
    demuxer = Demuxer(took)
    muxer = PsMuxer("h264")
    slices = [SPS, b"\x65" + b"\x77" * 5000]
    for number in range(5):
        for piece in cut(muxer.picture(slices, number * 3600, key=True), 1000):
            demuxer.feed(piece, number * 3600, marker=True)
    demuxer.end()
    assert took.units[-1] == ("h264", tuple(slices), 4 * 3600)
    assert [unit[2] for unit in took.units[-4:]] == [3600, 7200, 10800, 14400]


def test_times_that_stand_still_give_way_to_those_of_rtp():
    took = Took()
    demuxer = Demuxer(took)
    for number in range(6):
        send(demuxer, PsMuxer("h264").picture([SPS], 0, key=False), number * 3600, marker=False)
    demuxer.end()
    assert [unit[2] for unit in took.units][-4:] == [7200, 10800, 14400, 18000]


def test_the_coding_is_what_it_is_whatever_the_map_says():
    took = Took()
    demuxer = Demuxer(took)
    for number, (nals, key) in enumerate(coded("h265")[:12]):
        send(demuxer, PsMuxer("h264").picture(nals, number * 3600, key=key), number * 3600)
    assert {unit[0] for unit in took.units} == {"h265"}


def test_a_coding_that_is_not_ours():
    demuxer = Demuxer(Took())
    svac = PsMuxer("h264").picture([b"\x01\x02"], 0, key=True).replace(b"\x1b\xe0", b"\x80\xe0")
    for number in range(50):
        send(demuxer, svac, number * 3600)
    with pytest.raises(Unsupported, match="0x80"):
        send(demuxer, svac, 50 * 3600)


def test_sound():
    took = Took()
    demuxer = Demuxer(took)
    muxer = PsMuxer("h264", "pcma")
    for number in range(3):
        send(demuxer, muxer.picture([SPS], number * 3600, key=True), number * 3600)
        send(demuxer, muxer.sound(b"\xd5" * 320, number * 3600), number * 3600)
    (track,) = took.tracks
    assert (track.codec, track.rate, track.channels) == ("pcma", 8000, 1)
    assert took.sounds == [(b"\xd5" * 320, number * 320) for number in range(3)]


def test_aac():
    took = Took()
    demuxer = Demuxer(took)
    muxer = PsMuxer("h264", "aac")
    send(demuxer, muxer.picture([SPS], 0, key=True), 0)
    frames = [bytes([number]) * 50 for number in range(5)]
    stream = b"".join(adts(frame, 11, 1) for frame in frames)
    send(demuxer, muxer.sound(stream[:130], 0), 0)
    send(demuxer, muxer.sound(stream[130:], 22_500), 22_500)
    (track,) = took.tracks
    assert (track.codec, track.rate, track.channels, track.config) == ("aac", 8000, 1, b"\x15\x88")
    assert [data for data, _ in took.sounds] == frames
    assert [at for _, at in took.sounds][:2] == [0, 1024]


def test_a_loss_costs_what_it_touched():
    took = Took()
    demuxer = Demuxer(took)
    muxer = PsMuxer("h264")
    for number in range(6):
        pieces = cut(muxer.picture([SPS, b"\x65" + b"\x55" * 5000], number * 3600, key=True), 1000)
        for at, piece in enumerate(pieces):
            if number == 2 and at == 3:
                demuxer.lost()
            else:
                demuxer.feed(piece, number * 3600, marker=at == len(pieces) - 1)
    assert [unit[2] for unit in took.units] == [0, 3600, 10800, 14400, 18000]


@pytest.mark.parametrize("seed", range(200))
def test_flipped_bytes_do_no_harm(seed):
    draw = random.Random(seed)
    took = Took()
    demuxer = Demuxer(took)
    muxer = PsMuxer("h264", endless=seed % 3 == 0)
    for number, (nals, key) in enumerate(coded("h264")):
        data = bytearray(muxer.picture(nals, number * 3600, key=key))
        for _ in range(draw.randrange(4)):
            data[draw.randrange(min(len(data), 60 if draw.random() < 0.5 else len(data)))] = draw.randrange(
                256
            )
        for at, piece in enumerate(pieces := cut(bytes(data), 1400)):
            demuxer.feed(piece, number * 3600, marker=at == len(pieces) - 1)
        assert len(demuxer._buffer) < 200_000
    send(demuxer, muxer.picture([SPS, b"\x65\x88"], 500_000, key=True), 500_000)
    send(demuxer, muxer.picture([SPS, b"\x41\x88"], 503_600, key=False), 503_600)
    demuxer.end()
    assert took.units[-1][1] == (SPS, b"\x41\x88")


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.booleans()), max_size=20),
    st.data(),
)
def test_any_bytes_do_no_harm(packets, data):
    took = Took()
    demuxer = Demuxer(took)
    starts = [b"", b"\0\0\1\xba", b"\0\0\1\xbc", b"\0\0\1\xe0", b"\0\0\1\xc0", pack_header(0)]
    try:
        for payload, timestamp, marker in packets:
            start = data.draw(st.sampled_from(starts))
            demuxer.feed(start + payload, timestamp, marker=marker)
        demuxer.end()
    except StreamError:
        pass


def test_a_picture_without_end_is_dropped():
    demuxer = Demuxer(Took())
    demuxer.feed(pack_header(0) + pes(0xE0, b"\0\0\1\x65", 0, endless=True), 0, marker=False)
    chunk = b"\x55" * 60_000
    for _ in range(200):
        demuxer.feed(chunk, 0, marker=False)
        assert demuxer._size < 9 << 20
    assert demuxer.damaged


@given(st.integers(0, 2**33 - 1), st.lists(st.integers(-40_000, 90_000), max_size=60))
def test_a_timeline_runs_on_over_the_wrap(first, steps):
    line = Timeline(33)
    at = first
    assert line.at(first) == first
    for step in steps:
        at += step
        assert line.at(at % 2**33) == at


def test_a_clock_set_anew_does_not_jump():
    line = Timeline(33)
    times = [line.at(raw) for raw in (1_000_000_000, 1_000_003_600, 50, 3_650, 7_250)]
    assert [time - times[0] for time in times] == [0, 3600, 7200, 10_800, 14_400]
