"""The link between two of our processes, over a real socket pair."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import structlog
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.errors import Busy, StreamError, Unreachable, Unsupported
from streams.link import Link, LinkLost
from tests.streams.waiting import until


class Sum(msgspec.Struct):
    left: int
    right: int


@asynccontextmanager
async def joined(one: Link, other: Link) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    ends = socket.socketpair()
    for link, end in zip((one, other), ends, strict=True):
        end.setblocking(False)
        await loop.create_unix_connection(lambda link=link: link, sock=end)
    try:
        yield
    finally:
        one.close()
        other.close()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def raw(link: Link) -> AsyncIterator[socket.socket]:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    await loop.create_unix_connection(lambda: link, sock=ours)
    try:
        yield theirs
    finally:
        link.close()
        theirs.close()
        await asyncio.sleep(0.01)


async def test_calls_both_ways_and_their_errors() -> None:
    one, other = Link(), Link()
    other.serve("sum", Sum, lambda pair: pair.left + pair.right)

    async def slowly(text: str) -> str:
        await asyncio.sleep(0.01)
        return text.upper()

    async def full(_: None) -> None:
        raise Busy("no room")

    def broken(_: None) -> None:
        raise ValueError("secret")

    one.serve("slowly", str, slowly)
    one.serve("full", type(None), full)
    one.serve("broken", type(None), broken)
    async with joined(one, other):
        assert await one.call("sum", Sum(1, 2), int) == 3
        answers = await asyncio.gather(*(other.call("slowly", letter, str) for letter in "abc"))
        assert answers == ["A", "B", "C"]
        with pytest.raises(Busy, match="no room"):
            await other.call("full", None, str)
        with structlog.testing.capture_logs(), pytest.raises(StreamError) as failure:
            await other.call("broken", None, str)
        assert str(failure.value) == "ValueError"
        with pytest.raises(Unsupported, match="nobody serves"):
            await other.call("other", None, str)
        with pytest.raises(StreamError, match="another kind"):
            await one.call("sum", Sum(1, 2), str)


async def test_what_is_passed_on_unread_stays_as_it_is() -> None:
    one, other = Link(), Link()
    other.serve("echo", msgspec.Raw, lambda raw: raw)
    async with joined(one, other):
        answer = await one.call("echo", Sum(3, 4), Sum)
        assert answer == Sum(3, 4)
        passed = await one.call("echo", msgspec.Raw(msgspec.msgpack.encode(Sum(5, 6))), msgspec.Raw)
        assert msgspec.msgpack.decode(passed, type=Sum) == Sum(5, 6)


async def test_no_answer_in_time_and_none_from_a_lost_process() -> None:
    lost = asyncio.Event()
    one, other = Link(on_lost=lost.set), Link()

    async def never(_: None) -> None:
        await asyncio.Event().wait()

    other.serve("never", type(None), never)
    with pytest.raises(LinkLost):
        await one.call("never", None, int)
    async with joined(one, other):
        with pytest.raises(Unreachable, match="no answer within"):
            await one.call("never", None, int, timeout_s=0.01)
        waiting = asyncio.ensure_future(one.call("never", None, int))
        await asyncio.sleep(0.01)
        other.close()
        with pytest.raises(LinkLost):
            await waiting
        await asyncio.wait_for(lost.wait(), 5)
        assert not one.open
        one.note("anything", 1)
        one.media(1, 0, b"x")
    assert one.buffered() == 0


async def test_lost_processes_keep_their_kind_when_passed_on() -> None:
    one, other = Link(), Link()

    def gone(_: None) -> None:
        raise LinkLost("it is being started")

    other.serve("gone", type(None), gone)
    async with joined(one, other):
        with pytest.raises(LinkLost):
            await one.call("gone", None, int)


async def test_notes_and_media_stay_in_order() -> None:
    seen: list[object] = []
    one, other = Link(), Link(on_media=lambda *piece: seen.append(piece))
    other.serve("say", str, seen.append)
    async with joined(one, other):
        one.media(7, 4, b"a" * 100_000)
        one.note("say", "between")
        one.media(8, 12, b"")
        await until(lambda: len(seen) == 3)
    assert seen == [(7, 4, b"a" * 100_000), "between", (8, 12, b"")]


async def test_a_message_that_cannot_be_understood_is_left_out() -> None:
    seen: list[str] = []

    def on_media(channel: int, flags: int, payload: bytes) -> None:
        if channel == 0:
            raise RuntimeError("a bug")
        seen.append("media")

    one, other = Link(), Link(on_media=on_media)
    other.serve("say", str, seen.append)
    with structlog.testing.capture_logs() as logs:
        async with joined(one, other):
            one.note("say", 5)
            one.note("nobody", 5)
            one.media(0, 0, b"x")
            one.media(1, 0, b"x")
            one.note("say", "last")
            await until(lambda: len(seen) == 2)
    assert seen == ["media", "last"]
    assert [entry["event"] for entry in logs] == ["message left out", "note to nobody", "message left out"]


async def test_a_length_that_cannot_be_right_ends_the_link() -> None:
    lost = asyncio.Event()
    link = Link(on_lost=lost.set)
    with structlog.testing.capture_logs() as logs:
        async with raw(link) as end:
            end.send(struct.pack("<IB", 1 << 31, 4))
            await asyncio.wait_for(lost.wait(), 5)
    assert logs[0]["event"] == "link broken"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=300)), max_size=8
    ),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_media_arrives_whole_however_it_is_cut(pieces: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    seen: list[tuple[int, int, bytes]] = []
    link = Link(on_media=lambda *piece: seen.append(piece))
    stream = b"".join(
        struct.pack("<IBIB", len(data) + 6, 4, channel, flags) + data for channel, flags, data in pieces
    )
    at = step = 0
    while at < len(stream):
        size = cuts[step % len(cuts)]
        link.data_received(stream[at : at + size])
        at, step = at + size, step + 1
    assert seen == pieces


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_raises_nothing(data: bytes) -> None:
    async def feed() -> None:
        link = Link()
        async with raw(link):
            link.data_received(data)
            await asyncio.sleep(0)

    with structlog.testing.capture_logs():
        asyncio.run(feed())


def test_it_works_under_uvloop_too() -> None:
    async def call() -> int:
        one, other = Link(), Link()
        other.serve("sum", Sum, lambda pair: pair.left + pair.right)
        async with joined(one, other):
            return await one.call("sum", Sum(1, 2), int)

    assert uvloop.run(call()) == 3
