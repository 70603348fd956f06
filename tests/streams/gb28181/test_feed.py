import random
import struct

import pytest

from streams.errors import BadMedia
from streams.gb28181.feed import Feed
from streams.gb28181.ps_mux import PsMuxer
from tests.streams.gb28181.coded import Seen, coded

DEVICE = "10.0.0.5"
SSRC = 34020007


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def feed(seen, clock):
    return Feed(seen, SSRC, [DEVICE], clock=clock)


def packets(pictures=20, ssrc=SSRC, first=65_500):
    muxer, found = PsMuxer("h264"), []
    for number, (nals, key) in enumerate(coded("h264")[:pictures]):
        data = muxer.picture(nals, number * 3600, key=key)
        for at in range(0, len(data), 1400):
            mark = 0x80 if at + 1400 >= len(data) else 0
            sequence = (first + len(found)) & 0xFFFF
            found.append(
                struct.pack(">BBHII", 0x80, 96 | mark, sequence, number * 3600, ssrc) + data[at : at + 1400]
            )
    return found


def test_in_order_over_the_wrap(feed, seen):
    for packet in packets():
        feed.take(packet, DEVICE)
    assert len(seen.pictures) == 20
    assert feed.lost == feed.refused == feed.damaged == 0


def test_out_of_order_and_repeated(feed, seen):
    draw = random.Random(3)
    sent = packets()
    for at in range(1, len(sent) - 1, 2):
        if draw.random() < 0.5:
            sent[at], sent[at + 1] = sent[at + 1], sent[at]
    for packet in sent:
        for _ in range(draw.choice((1, 1, 2))):
            feed.take(packet, DEVICE)
    assert len(seen.pictures) == 20
    assert feed.lost == 0


def test_nothing_is_shown_between_a_loss_and_the_next_key_frame(feed, seen):
    sent = packets()
    starts = [at for at, packet in enumerate(sent) if packet[12:16] == b"\0\0\1\xba"]
    for at, packet in enumerate(sent):
        if at != starts[3]:
            feed.take(packet, DEVICE)
    feed.end()
    assert feed.lost == 1
    assert [at // 3600 for _, at, _ in seen.pictures] == [0, 1, 2, *range(10, 20)]


def test_a_missing_packet_is_not_waited_for_long(feed, seen, clock):
    sent = packets()
    feed.take(sent[0], DEVICE)
    for packet in sent[2:6]:
        feed.take(packet, DEVICE)
    assert feed.packets == 1
    feed.tick()
    assert feed.packets == 1
    clock.now += 0.2
    feed.tick()
    assert (feed.packets, feed.lost) == (5, 1)


def test_strangers_are_not_heard(feed, seen):
    for packet in packets():
        feed.take(packet, "10.0.0.66")
    assert not seen.pictures
    assert feed.refused == len(packets())


def test_another_session_of_ours_is_not_shown(feed, seen, clock):
    for packet in packets(ssrc=SSRC + 1):
        feed.take(packet, DEVICE)
        clock.now += 0.1
    assert not seen.pictures
    for packet in packets():
        feed.take(packet, DEVICE)
    assert len(seen.pictures) == 20


def test_a_device_that_numbers_as_it_likes_is_understood_without_losing_its_first_picture(feed, seen, clock):
    for packet in packets(ssrc=12345):
        feed.take(packet, DEVICE)
        clock.now += 0.01
    assert len(seen.pictures) == 20
    feed.take(packets(ssrc=SSRC)[0], DEVICE)
    assert feed.refused == 1


def test_no_other_number_is_taken_once_the_agreed_one_came(feed, seen, clock):
    sent = packets()
    feed.take(sent[0], DEVICE)
    for packet in packets(ssrc=12345):
        feed.take(packet, DEVICE)
        clock.now += 0.1
    assert feed.refused == len(sent)


def test_what_is_no_rtp(feed):
    for _ in range(200):
        feed.take(b"GET / HTTP/1.1\r\n\r\n", DEVICE)
    with pytest.raises(BadMedia):
        feed.take(b"GET / HTTP/1.1\r\n\r\n", DEVICE)


@pytest.mark.parametrize("seed", range(200))
def test_flipped_bytes_do_no_harm(seed, clock):
    draw = random.Random(seed)
    seen = Seen()
    feed = Feed(seen, SSRC, [DEVICE], clock=clock)
    for packet in packets():
        spoilt = bytearray(packet)
        if draw.random() < 0.2:
            for _ in range(draw.randrange(1, 5)):
                spoilt[draw.randrange(len(spoilt) if draw.random() < 0.5 else 40) % len(spoilt)] = (
                    draw.randrange(256)
                )
        feed.take(bytes(spoilt[: draw.randrange(len(spoilt))] if draw.random() < 0.02 else spoilt), DEVICE)
        clock.now += 0.01
        feed.tick()
    feed.end()
