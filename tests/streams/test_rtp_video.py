from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadMedia, StreamError
from streams.media import VideoCodec
from streams.nal import starts_picture
from streams.rtp_video import Depacketiser, H264Depacketiser, H265Depacketiser
from tests.streams.coded import STEP, coded
from tests.streams.rtp_packer import aggregate, fragments, packets, packets_of, rtp

CODECS: tuple[VideoCodec, ...] = ("h264", "h265")


class Taken:
    """What a depacketiser says."""

    def __init__(self, codec: VideoCodec, clock_hz: int = 90_000) -> None:
        self.units: list[tuple[tuple[bytes, ...], int]] = []
        self.losses: list[int] = []
        kind = H264Depacketiser if codec == "h264" else H265Depacketiser
        self.depacketiser: Depacketiser = kind(self.unit, self.loss, clock_hz)

    def unit(self, nals: list[bytes], timestamp: int) -> None:
        self.units.append((tuple(nals), timestamp))

    def loss(self) -> None:
        self.losses.append(len(self.units))

    def feed(self, sent: list[bytes]) -> Taken:
        for packet in sent:
            # In the middle of a buffer, as it lies in what a socket gave.
            self.depacketiser.packet(b"\xff\xff\xff" + packet + b"\xff\xff", 3, 3 + len(packet))
        return self


def whole(codec: VideoCodec, count: int = 30) -> tuple[list[tuple[tuple[bytes, ...], int]], list[bytes]]:
    media = coded(codec, count=count, gop=10, noise=40)
    wanted = list(zip(media.units, media.times, strict=True))
    return wanted, packets_of(media)


def by_time(units: list[tuple[tuple[bytes, ...], int]]) -> list[tuple[tuple[bytes, ...], int]]:
    joined: dict[int, tuple[bytes, ...]] = {}
    for nals, time in units:
        joined[time] = joined.get(time, ()) + nals
    return [(nals, time) for time, nals in joined.items()]


def first_slice(kind: int, size: int, fill: int = 0xAA, *, ref: int = 3) -> bytes:
    """An H.264 slice that begins a picture."""
    return bytes(((ref << 5) | kind, 0x88)) + bytes((fill,)) * size


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("markers", ["last", "all", "none"])
def test_units_come_out_as_they_went_in(codec: VideoCodec, markers: str) -> None:
    media = coded(codec, count=30, gop=10, noise=40)
    taken = Taken(codec).feed(packets_of(media, start=2**32 - 5 * STEP, markers=markers))
    wanted = [(unit, time + 2**32 - 5 * STEP) for unit, time in zip(media.units, media.times, strict=True)]
    if markers == "last":
        assert taken.units == wanted
    else:  # the last unit is still open, and parameter sets may come by themselves
        assert by_time(taken.units)[: len(wanted) - 1] == wanted[:-1]
    assert not taken.losses


NAL = st.binary(min_size=2, max_size=900).map(lambda data: bytes((0x41, 0x80 | data[0])) + data[1:])


@given(st.lists(st.lists(NAL, min_size=1, max_size=5), min_size=1, max_size=8), st.integers(3, 200))
def test_any_h264_units_survive_the_way(units: list[list[bytes]], most: int) -> None:
    timed = [(unit, 3000 * number) for number, unit in enumerate(units)]
    ending = ([b"\x41\x80"], 3000 * len(units))
    taken = Taken("h264").feed(packets("h264", [*timed, ending], most=most))
    assert taken.units[: len(timed)] == [(tuple(unit), time) for unit, time in timed]
    assert not taken.losses


NAL_265 = st.binary(min_size=3, max_size=900).map(lambda data: bytes((2, 1, 0x80 | data[0])) + data[1:])


@given(st.lists(st.lists(NAL_265, min_size=1, max_size=5), min_size=1, max_size=8), st.integers(4, 200))
def test_any_h265_units_survive_the_way(units: list[list[bytes]], most: int) -> None:
    timed = [(unit, 3000 * number) for number, unit in enumerate(units)]
    ending = ([b"\x02\x01\x80"], 3000 * len(units))
    taken = Taken("h265").feed(packets("h265", [*timed, ending], most=most))
    assert taken.units[: len(timed)] == [(tuple(unit), time) for unit, time in timed]
    assert not taken.losses


@pytest.mark.parametrize("codec", CODECS)
@given(st.data())
def test_a_damaged_unit_never_comes_out(codec: VideoCodec, data: st.DataObject) -> None:
    wanted, sent = whole(codec)
    missing = data.draw(st.sets(st.integers(1, len(sent) - 2), min_size=1, max_size=6))
    taken = Taken(codec).feed([packet for number, packet in enumerate(sent) if number not in missing])
    assert taken.losses
    for unit, time in taken.units:
        original = wanted[time // STEP][0]
        if unit != original:
            # Only a beginning can be missing without it being known here: of a key frame its parameter sets,
            # and otherwise the first slice, which whoever assembles pictures looks for.
            assert original[-len(unit) :] == unit
    # Whatever follows a loss is announced as such before it comes out.
    broken = min(missing)
    before = sum(1 for unit, time in taken.units if (unit, time) in wanted[: taken.losses[0]])
    assert before == taken.losses[0]
    assert broken > 0


def test_a_loss_inside_a_picture_nobody_refers_to_harms_nothing_else() -> None:
    units = [
        ([first_slice(1, 900)], 0),
        ([first_slice(1, 900, ref=0)], STEP),
        ([first_slice(1, 900)], 2 * STEP),
    ]
    sent = packets("h264", [*units, *[([first_slice(1, 9)], STEP * n) for n in range(3, 6)]])
    del sent[4]  # in the middle of the second
    taken = Taken("h264").feed(sent)
    assert [time for _, time in taken.units] == [n * STEP for n in (0, 2, 3, 4, 5)]
    assert not taken.losses
    del sent[1]
    assert Taken("h264").feed(sent).losses == [0]


def test_markers_are_believed_only_after_they_were_right_twice() -> None:
    sent = packets("h264", [([first_slice(1, 9)], STEP * number) for number in range(6)])
    taken = Taken("h264")
    counts = [len(taken.feed([packet]).units) for packet in sent]
    assert counts == [0, 1, 2, 4, 5, 6] or counts == [0, 1, 3, 4, 5, 6]


def test_a_marker_that_begins_to_lie_costs_one_picture() -> None:
    good = packets("h264", [([first_slice(1, 9)], STEP * number) for number in range(4)], sequence=0)
    second = b"\x61\x40" + bytes(9)  # a slice that is not the first of its picture
    lying = [
        rtp(nal, 4 + 2 * number + half, STEP * (4 + number), marker=True)
        for number in range(4)
        for half, nal in enumerate((first_slice(1, 9), second))
    ]
    taken = Taken("h264").feed(good + lying)
    assert len(taken.losses) == 1
    complete = [unit for unit, _ in taken.units if len(unit) == 2]
    assert len(complete) == 2
    assert all(starts_picture("h264", unit[0]) for unit, _ in taken.units)


def test_rtcp_and_repetitions_on_the_channel_are_left_out() -> None:
    wanted, sent = whole("h264", 10)
    report = b"\x80\xc8" + bytes(26)
    mixed = [piece for packet in sent for piece in (packet, packet, report)]
    taken = Taken("h264").feed(mixed)
    assert taken.units == wanted
    assert not taken.losses


def test_a_sender_that_begins_anew_is_a_loss_and_no_end() -> None:
    wanted, sent = whole("h264")
    other = packets_of(coded("h264", count=10, gop=10), start=5 * STEP)
    again = [rtp(packet[12:], number, 7 + 90 * number) for number, packet in enumerate(other)]
    taken = Taken("h264").feed(sent + again)
    assert taken.losses
    assert taken.units[: len(wanted)] == wanted
    assert len(taken.units) > len(wanted)


def test_another_clock_is_converted() -> None:
    sent = packets("h264", [([first_slice(1, 9)], 1000 * number) for number in range(6)])
    assert [time for _, time in Taken("h264", 1000).feed(sent).units] == [n * 90_000 for n in range(6)]


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("h264", b"\x7c"),
        ("h264", b"\x7c\x85"),
        ("h264", b"\x7c\x05\x00"),
        ("h264", b"\x78\x00\x09\x41"),
        ("h264", b"\x78\x00\x00\x41"),
        ("h264", b"\x59\x00\x00\x00\x05"),
        ("h264", b"\xc1\x80\x00"),
        ("h265", b"\x62\x01"),
        ("h265", b"\x62\x01\x93"),
        ("h265", b"\x62\x01\x13\x00"),
        ("h265", b"\x60\x01\x00\x09\x02"),
        ("h265", b"\x64\x01\x00\x09\x02"),
    ],
)
def test_a_payload_that_makes_no_sense_spoils_its_unit_only(codec: VideoCodec, payload: bytes) -> None:
    wanted, sent = whole(codec, 10)
    sent = [bytes(packet[:2]) + number.to_bytes(2, "big") + packet[4:] for number, packet in enumerate(sent)]
    head = sent[-1][:12]
    sent[-1] = head + payload
    after = first_slice(5, 9) if codec == "h264" else bytes((0x26, 1, 0x80)) + bytes(9)
    taken = Taken(codec).feed(
        [*sent, rtp(after, len(sent), 99 * STEP), rtp(after, len(sent) + 1, 100 * STEP)]
    )
    assert taken.units == [*wanted[:-1], ((after,), 99 * STEP)]
    assert len(taken.losses) == 1


def test_fragments_interrupted_by_another_unit() -> None:
    pieces = fragments("h264", first_slice(1, 900), 300)
    sent = [pieces[0], first_slice(1, 5), pieces[1]]
    packets_ = [rtp(payload, number, 0) for number, payload in enumerate(sent)]
    taken = Taken("h264").feed(
        [*packets_, rtp(first_slice(5, 9), 3, STEP, marker=True), rtp(b"\x41\x80", 4, 9)]
    )
    assert [time for _, time in taken.units] == [STEP]
    assert taken.losses == [0]


def test_a_unit_without_end_is_bad_media() -> None:
    taken = Taken("h264")
    piece = fragments("h264", first_slice(1, 60_000), 59_999)[0]
    middle = piece[:1] + b"\x01" + piece[2:]
    with pytest.raises(BadMedia, match="8 MiB"):
        taken.feed([rtp(piece if not n else middle, n, 0) for n in range(200)])


def test_a_unit_of_countless_pieces_is_bad_media() -> None:
    small = aggregate("h264", [b"\x06\x01"] * 300)
    with pytest.raises(BadMedia):
        Taken("h264").feed([rtp(small, n, 0) for n in range(60)])


@pytest.mark.parametrize("codec", CODECS)
def test_flipped_bytes_raise_nothing_else(codec: VideoCodec) -> None:
    _, sent = whole(codec)
    for seed in range(200):
        chance = random.Random(seed)
        taken = Taken(codec)
        for packet in sent:
            data = bytearray(packet)
            if chance.random() < 0.1:
                data[chance.randrange(min(len(data), 20))] = chance.randrange(256)
            if chance.random() < 0.02:
                data = data[: chance.randrange(len(data))]
            try:
                taken.feed([bytes(data)])
            except StreamError:
                break
