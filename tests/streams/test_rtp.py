from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadMedia
from streams.rtp import ReorderBuffer, Sequence, Unwrapper, body, parse
from tests.streams.rtp_packer import rtp


class TestParse:
    def test_plain(self) -> None:
        packet = parse(rtp(b"abc", 65_535, 2**32 - 1, marker=True, kind=8))
        assert packet == (8, True, 65_535, 2**32 - 1, 0x1234ABCD, b"abc")

    def test_sources_extension_and_padding_are_passed_over(self) -> None:
        head = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 2, 96, 1, 2, 3)
        data = head + bytes(8) + struct.pack(">HH", 0xBEDE, 2) + bytes(8) + b"payload" + b"\0\0\3"
        assert parse(data).payload == b"payload"

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"\x80" * 11, "whole header"),
            (b"\x40" + bytes(20), "version 1"),
            (b"\x90" + bytes(13), "extension that is cut"),
            (b"\x90" + bytes(11) + b"\0\0\0\x09" + bytes(4), "shorter"),
            (b"\xa0" + bytes(12), "padding of no length"),
            (b"\xa0" + bytes(11) + b"\xff", "shorter"),
            (b"\x8f" + bytes(20), "shorter"),
        ],
    )
    def test_what_is_no_rtp(self, data: bytes, why: str) -> None:
        with pytest.raises(BadMedia, match=why):
            parse(data)

    @given(st.binary(max_size=80))
    def test_junk(self, data: bytes) -> None:
        try:
            start, end = body(data, 0, len(data))
        except BadMedia:
            return
        assert 12 <= start <= end <= len(data)


class TestSequence:
    def follow(self, numbers: list[int]) -> list[int]:
        order = Sequence()
        out = []
        for number in numbers:
            if number == order.expected:
                order.expected = (number + 1) & 0xFFFF
                out.append(0)
            else:
                out.append(order.check(number))
        return out

    def test_in_order_over_the_end(self) -> None:
        assert self.follow([65_534, 65_535, 0, 1]) == [0, 0, 0, 0]

    def test_missing_ones_are_counted(self) -> None:
        assert self.follow([65_534, 3, 4]) == [0, 4, 0]

    def test_late_and_repeated_ones_are_ignored(self) -> None:
        assert self.follow([10, 11, 11, 12, 9, 13]) == [0, 0, -1, 0, -1, 0]

    def test_a_sender_that_begins_anew_is_followed(self) -> None:
        found = self.follow([40_000, 40_001, 20_000, 20_001, 20_002])
        assert found[2] == -1
        assert found[3] > 0
        assert found[4] == 0


class TestUnwrapper:
    @given(
        st.integers(0, 2**32 - 1),
        st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=40),
    )
    def test_differences_are_kept(self, start: int, steps: list[int]) -> None:
        unwrapper = Unwrapper()
        true = start
        assert unwrapper.unwrap(true) == start
        for step in steps:
            true += step
            assert unwrapper.unwrap(true % 2**32) == true


class TestReorderBuffer:
    @given(st.integers(0, 65_535), st.integers(1, 300), st.randoms(use_true_random=False), st.integers(1, 12))
    def test_order_is_restored_within_its_depth(self, start: int, count: int, chance, reach: int) -> None:  # type: ignore[no-untyped-def]
        sent = [(start + number) % 65_536 for number in range(count)]
        # No packet comes more than `reach` places late, and the first one comes first.
        keyed = sorted(range(1, count), key=lambda number: number + chance.uniform(0, reach))
        got: list[int] = []
        buffer = ReorderBuffer(lambda sequence, data: got.append(sequence), depth=32)
        for number in [0, *keyed]:
            buffer.push(sent[number], b"")
        buffer.flush()
        assert got == sent

    @given(
        st.lists(st.tuples(st.integers(0, 65_535), st.binary(max_size=4)), max_size=200),
        st.integers(1, 16),
    )
    def test_anything_at_all_stays_bounded_and_comes_once(
        self, arrivals: list[tuple[int, bytes]], depth: int
    ) -> None:
        got: list[tuple[int, bytes]] = []
        buffer = ReorderBuffer(lambda sequence, data: got.append((sequence, data)), depth=depth)
        for sequence, data in arrivals:
            buffer.push(sequence, data)
            assert len(buffer._held) <= depth
        buffer.flush()
        assert len(got) <= len(arrivals)
        assert set(got) <= set(arrivals)

    def test_what_never_comes_is_left_out(self) -> None:
        got: list[int] = []
        buffer = ReorderBuffer(lambda sequence, data: got.append(sequence), depth=3)
        for sequence in (1, 2, 4, 5, 6, 7, 8):
            buffer.push(sequence, b"")
        assert got == [1, 2, 4, 5, 6, 7, 8]

    def test_a_sender_that_begins_anew_is_followed(self) -> None:
        got: list[int] = []
        buffer = ReorderBuffer(lambda sequence, data: got.append(sequence), depth=4)
        for sequence in [50_000, 50_001, *range(30_000, 30_010)]:
            buffer.push(sequence, b"")
        assert got[-3:] == [30_007, 30_008, 30_009]
