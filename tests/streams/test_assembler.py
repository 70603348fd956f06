from __future__ import annotations

import random

import pytest

from streams.assembler import Assembler
from streams.media import VideoCodec
from streams.nal import kind_of
from tests.streams.coded import STEP, Coded, Gathered, coded

CODECS: tuple[VideoCodec, ...] = ("h264", "h265")


def feed(media: Coded, assembler: Assembler, start: int = 0, stop: int | None = None) -> None:
    for unit, time in list(zip(media.units, media.times, strict=True))[start:stop]:
        assembler.unit(unit, time)


def sets_of(media: Coded) -> list[bytes]:
    kinds = (7, 8) if media.codec == "h264" else (32, 33, 34)
    return [nal for nal in media.units[0] if kind_of(media.codec, nal) in kinds]


def without_sets(media: Coded) -> list[list[bytes]]:
    kinds = (7, 8) if media.codec == "h264" else (32, 33, 34)
    return [[nal for nal in unit if kind_of(media.codec, nal) not in kinds] for unit in media.units]


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_come_with_their_track(codec: VideoCodec) -> None:
    media = coded(codec, count=30, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    feed(media, assembler)
    assert len(sink.tracks) == 1
    track = sink.tracks[0]
    assert (track.codec, track.width, track.height, track.reorder) == (codec, 160, 96, 0)
    assert track.parameter_sets == tuple(sets_of(media))
    assert [time for _, time, _ in sink.pictures] == list(media.times)
    assert [key for _, _, key in sink.pictures] == [number % 10 == 0 for number in range(30)]
    assert assembler.seen == assembler.shown == 30
    slices = range(1, 6) if codec == "h264" else range(0, 32)
    assert all(kind_of(codec, nal) in slices for nals, _, _ in sink.pictures for nal in nals)


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_before_the_first_key_frame_nor_between_a_loss_and_the_next(codec: VideoCodec) -> None:
    media = coded(codec, count=40, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    feed(media, assembler, 3, 14)
    assert [time // STEP for _, time, _ in sink.pictures] == [10, 11, 12, 13]
    assembler.broken()
    assert assembler.waiting
    feed(media, assembler, 15, 23)
    assert [time // STEP for _, time, _ in sink.pictures] == [10, 11, 12, 13, 20, 21, 22]
    assert (assembler.seen, assembler.shown) == (19, 7)


@pytest.mark.parametrize("codec", CODECS)
def test_announced_sets_serve_until_others_come(codec: VideoCodec) -> None:
    media = coded(codec, count=20, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    assembler.parameters(sets_of(media))
    for unit, time in zip(without_sets(media), media.times, strict=True):
        assembler.unit(unit, time)
    assert len(sink.pictures) == 20
    other = coded(codec, count=3, width=320, height=192)
    feed(other, assembler)
    assert [(track.width, track.height) for track in sink.tracks] == [(160, 96), (320, 192)]
    assert sink.tracks[1].parameter_sets == tuple(sets_of(other))


@pytest.mark.parametrize("codec", CODECS)
def test_wrong_announcements_do_no_harm(codec: VideoCodec) -> None:
    media = coded(codec, count=12, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    lie = coded(codec, count=3, width=640, height=480)
    assembler.parameters([b"", b"\x67", b"\x67\xff", b"\x68", b"junk", *sets_of(lie)])
    feed(media, assembler)
    assert [(track.width, track.parameter_sets) for track in sink.tracks] == [(160, tuple(sets_of(media)))]


@pytest.mark.parametrize("codec", CODECS)
def test_without_parameter_sets_nothing_is_shown(codec: VideoCodec) -> None:
    media = coded(codec, count=12, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    for unit, time in zip(without_sets(media), media.times, strict=True):
        assembler.unit(unit, time)
    assert not sink.tracks
    assert not sink.pictures
    assert assembler.seen == 12


@pytest.mark.parametrize("codec", CODECS)
def test_a_broken_set_in_band_changes_nothing(codec: VideoCodec) -> None:
    media = coded(codec, count=22, gop=10)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    feed(media, assembler, 0, 11)
    broken = [nal[:6] if kind_of(codec, nal) in (7, 33) else nal for nal in media.units[10]]
    assembler.unit(broken, 11 * STEP)
    feed(media, assembler, 11)
    assert len(sink.tracks) == 1
    assert len(sink.pictures) == 23


def test_sets_that_come_by_themselves_are_remembered() -> None:
    media = coded(count=12, gop=10)
    sink = Gathered()
    assembler = Assembler("h264", sink)
    for nal in sets_of(media):
        assembler.unit([nal], 0)
    assert assembler.seen == 0
    for unit, time in zip(without_sets(media), media.times, strict=True):
        assembler.unit(unit, time)
    assert len(sink.pictures) == 12


@pytest.mark.parametrize("codec", CODECS)
def test_units_stuck_together_with_start_codes_are_taken_apart(codec: VideoCodec) -> None:
    media = coded(codec, count=12, gop=10)
    for glue, lead in ((b"\0\0\0\1", b""), (b"\0\0\1", b"\0\0\1"), (b"\0\0\0\1", b"\0\0\0\1")):
        sink = Gathered()
        assembler = Assembler(codec, sink)
        for unit, time in zip(media.units, media.times, strict=True):
            assembler.unit([lead + glue.join(unit)] if len(unit) > 1 or lead else unit, time)
        plain = Gathered()
        feed(media, Assembler(codec, plain))
        assert sink.tracks == plain.tracks
        assert sink.pictures == plain.pictures


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_without_its_beginning_is_left_out_until_the_next_key(codec: VideoCodec) -> None:
    more = "slices=3" if codec == "h264" else "slices=2"
    media = coded(codec, count=30, gop=10, more=more, width=320, height=192)
    sink = Gathered()
    assembler = Assembler(codec, sink)
    feed(media, assembler, 0, 5)
    assert all(len(nals) > 1 for nals, _, _ in sink.pictures)
    assembler.unit(media.units[5][1:], 5 * STEP)
    feed(media, assembler, 6)
    assert [time // STEP for _, time, _ in sink.pictures] == [*range(5), *range(10, 30)]


def test_leading_pictures_of_an_open_group_need_its_beginning() -> None:
    media = coded("h265", count=48, gop=12, bframes=2, more="open-gop=1")
    kinds = [[(nal[0] >> 1) for nal in unit] for unit in media.units]
    cra = next(number for number, kind in enumerate(kinds) if 21 in kind)
    assert {8, 9} & set(kinds[cra + 1])
    sink = Gathered()
    feed(media, Assembler("h265", sink), cra)
    leading = [n for nals, _, _ in sink.pictures for n in nals if (n[0] >> 1) in (8, 9)]
    assert sink.pictures[0][2]
    skipped = sum(1 for kind in kinds[cra : cra + 5] if {8, 9} & set(kind))
    assert len(sink.pictures) == len(media.units) - cra - skipped
    # Those of the next group have theirs.
    assert leading
    whole = Gathered()
    feed(media, Assembler("h265", whole))
    assert len(whole.pictures) == len(media.units)


def test_enhancement_layers_and_stubs_are_left_out() -> None:
    media = coded("h265", count=3)
    sink = Gathered()
    assembler = Assembler("h265", sink)
    slice_ = media.units[0][-1]
    layer = bytes((slice_[0], slice_[1] | 8)) + slice_[2:]
    assembler.unit([*media.units[0], layer, b"", b"\x02"], 0)
    assert [len(nals) for nals, _, _ in sink.pictures] == [1]


@pytest.mark.parametrize("codec", CODECS)
def test_flipped_bytes_raise_nothing_and_keep_little(codec: VideoCodec) -> None:
    media = coded(codec, count=20, gop=5)
    for seed in range(200):
        chance = random.Random(seed)
        sink = Gathered()
        assembler = Assembler(codec, sink)
        for unit, time in zip(media.units, media.times, strict=True):
            changed = []
            for nal in unit:
                data = bytearray(nal)
                if chance.random() < 0.3:
                    data[chance.randrange(min(len(data), 24))] = chance.randrange(256)
                if chance.random() < 0.05:
                    data = data[: chance.randrange(len(data))]
                changed.append(bytes(data))
            assembler.unit(changed, time)
        for track in sink.tracks:
            assert len(track.parameter_sets) < 60
