from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadMedia
from streams.media import VideoCodec
from streams.nal import (
    Bits,
    is_key,
    is_slice,
    kind_of,
    parse_pps,
    parse_sps,
    parse_vps,
    split_annex_b,
    starts_picture,
    unescaped,
)
from tests.streams.coded import coded


def sps_of(codec: VideoCodec, **how: object) -> bytes:
    kind = 7 if codec == "h264" else 33
    media = coded(codec, count=3, **how)  # type: ignore[arg-type]
    return next(nal for nal in media.units[0] if kind_of(codec, nal) == kind)


def read_numbers(bits: Bits) -> None:
    while True:
        bits.golomb()


def escaped(data: bytes) -> bytes:
    out = bytearray()
    zeros = 0
    for byte in data:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


class Written:
    """The other side of `Bits`."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> Written:
        self.bits += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> Written:
        for value in values:
            text = f"{value + 1:b}"
            self.bits += "0" * (len(text) - 1) + text
        return self

    def se(self, value: int) -> Written:
        return self.ue(2 * value - 1 if value > 0 else -2 * value)

    def bytes(self) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")


class TestBits:
    @given(st.lists(st.integers(0, 2**32 - 2), max_size=20))
    def test_reads_golomb_numbers_as_written(self, numbers: list[int]) -> None:
        bits = Bits(Written().ue(*numbers).bytes())
        assert [bits.golomb() for _ in numbers] == numbers

    @given(st.lists(st.integers(-(2**30), 2**30), max_size=20))
    def test_reads_signed_numbers_as_written(self, numbers: list[int]) -> None:
        written = Written()
        for number in numbers:
            written.se(number)
        bits = Bits(written.bytes())
        assert [bits.signed_golomb() for _ in numbers] == numbers

    @given(st.binary(max_size=40))
    def test_junk_ends_as_bad_media(self, data: bytes) -> None:
        with pytest.raises(BadMedia):
            read_numbers(Bits(data))

    def test_refuses_what_is_larger_than_any_parameter_set(self) -> None:
        with pytest.raises(BadMedia, match="5000 bytes"):
            Bits(bytes(5000))

    def test_refuses_a_number_past_its_limit(self) -> None:
        with pytest.raises(BadMedia, match="out of range"):
            Bits(Written().ue(32).bytes()).golomb(31)


@given(st.lists(st.sampled_from(b"\0\0\0\1\2\3\4\xff"), max_size=60).map(bytes))
def test_emulation_prevention_is_undone(data: bytes) -> None:
    assert unescaped(escaped(data)) == data


@given(st.lists(st.lists(st.sampled_from(b"\0\1\3\x41\xff"), min_size=1, max_size=20), max_size=6), st.data())
def test_start_codes_split_units(raw: list[list[int]], data: st.DataObject) -> None:
    nals = [escaped(bytes(nal)) + b"\x80" for nal in raw]
    codes = [data.draw(st.sampled_from((b"\0\0\1", b"\0\0\0\1", b"\0\0\0\0\1"))) for _ in nals]
    assert split_annex_b(b"".join(code + nal for code, nal in zip(codes, nals, strict=True))) == nals


class TestH264:
    @pytest.mark.parametrize(("width", "height"), [(160, 96), (1920, 1080), (322, 242)])
    def test_size_with_cropping(self, width: int, height: int) -> None:
        sps = parse_sps("h264", sps_of("h264", width=width, height=height))
        assert (sps.width, sps.height) == (width, height)

    def test_baseline_has_no_reordering(self) -> None:
        sps = parse_sps("h264", sps_of("h264", profile="baseline"))
        assert sps.reorder == 0
        assert sps.codec_string == f"avc1.42c0{sps.profile[2]:02x}"

    def test_reordering_is_read_from_the_vui(self) -> None:
        assert parse_sps("h264", sps_of("h264", bframes=3, more="b-pyramid=2")).reorder == 2
        assert parse_sps("h264", sps_of("h264", bframes=1)).reorder == 1

    def test_high_profile(self) -> None:
        sps = parse_sps("h264", sps_of("h264", profile="high", more="8x8dct=1"))
        assert (sps.chroma_format, sps.luma_bits, sps.chroma_bits) == (1, 8, 8)
        assert sps.codec_string.startswith("avc1.6400")

    def test_scaling_lists_interlace_and_hrd(self) -> None:
        written = Written().u(8, 100).u(8, 0).u(8, 40).ue(0, 1, 0, 0).u(1, 0).u(1, 1)
        written.u(1, 1)  # one list: the first step ends it
        written.se(-8)
        for _ in range(7):
            written.u(1, 0)
        written.ue(0).ue(1).u(1, 0).se(1).se(-1).ue(2).se(3).se(-3)
        written.ue(4).u(1, 0).ue(119, 33).u(1, 0).u(1, 0).u(1, 1).u(1, 1).ue(0, 0, 0, 2)
        written.u(1, 1)  # VUI
        written.u(1, 1).u(8, 255).u(16, 4).u(16, 3)
        written.u(1, 1).u(1, 1)
        written.u(1, 1).u(3, 5).u(1, 0).u(1, 1).u(24, 0x010101)
        written.u(1, 1).ue(0, 0)
        written.u(1, 1).u(32, 1).u(32, 50).u(1, 1)
        written.u(1, 1).ue(0).u(8, 0).ue(9, 9).u(1, 0).u(20, 0)
        written.u(1, 0).u(1, 0).u(1, 1)
        written.u(1, 1).u(1, 1).ue(0, 0, 0, 0).ue(3, 4)
        sps = parse_sps("h264", b"\x67" + escaped(written.bytes()))
        assert (sps.width, sps.height, sps.reorder) == (1920, 1080, 3)

    def test_a_cut_vui_is_no_reason_to_refuse(self) -> None:
        whole = parse_sps("h264", nal := sps_of("h264", bframes=2))
        cut = parse_sps("h264", nal[:-3])
        assert (cut.width, cut.height, cut.reorder) == (whole.width, whole.height, 0)

    @pytest.mark.parametrize("size", [0, 3000])
    def test_a_size_that_cannot_be(self, size: int) -> None:
        written = Written().u(8, 66).u(8, 0).u(8, 30).ue(0, 0, 2, 1).u(1, 0)
        written.ue(size, size).u(1, 1).u(1, 0).u(1, 1).ue(0, 8 if size == 0 else 0, 0, 0)
        with pytest.raises(BadMedia):
            parse_sps("h264", b"\x67" + escaped(written.bytes()))

    def test_kinds(self) -> None:
        media = coded(count=3)
        kinds = [kind_of("h264", nal) for nal in media.units[0]]
        assert 7 in kinds
        assert 8 in kinds
        idr, p = media.units[0][-1], media.units[1][-1]
        assert (is_key("h264", idr), is_slice("h264", idr), starts_picture("h264", idr)) == (True, True, True)
        assert (is_key("h264", p), is_slice("h264", p)) == (False, True)
        assert not starts_picture("h264", b"\x65")
        pps = next(nal for nal in media.units[0] if kind_of("h264", nal) == 8)
        assert parse_pps("h264", pps) == (0, 0)


class TestH265:
    @pytest.mark.parametrize(("width", "height"), [(160, 96), (322, 242)])
    def test_size_with_conformance_window(self, width: int, height: int) -> None:
        sps = parse_sps("h265", sps_of("h265", width=width, height=height))
        assert (sps.width, sps.height) == (width, height)

    def test_string_and_reordering(self) -> None:
        still = parse_sps("h265", sps_of("h265"))
        assert still.codec_string == "hvc1.1.6.L30.90"
        assert still.reorder == 0
        assert parse_sps("h265", sps_of("h265", bframes=3)).reorder == 2

    def test_kinds(self) -> None:
        media = coded("h265", count=3)
        sets = {kind_of("h265", nal): nal for nal in media.units[0]}
        assert parse_vps(sets[32]) == 0
        assert parse_pps("h265", sets[34]) == (0, 0)
        key, p = media.units[0][-1], media.units[1][-1]
        assert (is_key("h265", key), is_slice("h265", key), starts_picture("h265", key)) == (True, True, True)
        assert (is_key("h265", p), is_slice("h265", p)) == (False, True)

    def test_sub_layers_are_passed_over(self) -> None:
        nal = sps_of("h265")
        data = unescaped(nal)
        bits = f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}"
        # three temporal layers, the first two of which describe nothing of their own; the rest as it was
        rest = bits[8 * 15 :]
        before = bits[: 16 + 4] + "010" + bits[16 + 7 : 8 * 15] + "0" * 16
        text = (before + rest)[: len(bits) + 16]
        made = int(text, 2).to_bytes(len(text) // 8, "big")
        sps = parse_sps("h265", escaped(made))
        assert (sps.sub_layers, sps.width, sps.height) == (3, 160, 96)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_flipped_bytes_give_bad_media_or_a_possible_size(codec: VideoCodec) -> None:
    import random

    nal = sps_of(codec, bframes=2)
    for seed in range(200):
        chance = random.Random(seed)
        broken = bytearray(nal)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(1, len(broken))] = chance.randrange(256)
        data = bytes(broken[: chance.randint(1, len(broken))] if seed % 3 == 0 else broken)
        try:
            sps = parse_sps(codec, data)
        except BadMedia:
            continue
        assert 1 <= sps.width <= 16_384
        assert 1 <= sps.height <= 16_384
        assert 0 <= sps.reorder <= 16


@given(st.sampled_from(("h264", "h265")), st.binary(max_size=80))
def test_junk_is_bad_media(codec: VideoCodec, data: bytes) -> None:
    for parse in (parse_sps, parse_pps):
        try:
            parse(codec, data)
        except BadMedia:
            continue
