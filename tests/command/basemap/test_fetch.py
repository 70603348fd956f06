"""Tile servers are asked only where it is allowed, and never believed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from command.basemap.fetch import Allowed, Fetcher, Pattern, TileRefused
from command.errors import Malformed
from streams.errors import NotAllowed, Unreachable
from tests.command.basemap.tile_server import KEY, TileServer, picture, tile_server

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture
async def server() -> AsyncIterator[TileServer]:
    async with tile_server() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetching = Fetcher(Allowed(LOOPBACK, ()), timeout_s=0.5)
    yield fetching
    await fetching.close()


async def test_a_picture_comes_as_it_is(server: TileServer, fetcher: Fetcher) -> None:
    assert await fetcher.tile(Pattern(server.url), 14, 3, 5) == picture(14, 3, 5)
    south = server.url.replace("{y}", "{-y}")
    assert await fetcher.tile(Pattern(south), 3, 1, 2) == picture(3, 1, 5)
    server.mood = "none"
    assert await fetcher.tile(Pattern(server.url), 14, 3, 5) is None


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("redirect", "302"),
        ("html", "no PNG"),
        ("huge", "2 MiB"),
        ("error", "500"),
        ("slow", "within 0.5 s"),
    ],
)
async def test_anything_else_is_refused_and_the_key_stays_hidden(
    server: TileServer, fetcher: Fetcher, mood: str, says: str
) -> None:
    server.mood = mood
    with pytest.raises(TileRefused, match=says) as refused:
        await fetcher.tile(Pattern(server.url), 14, 3, 5)
    assert KEY not in repr(refused.value) + str(refused.value.__cause__) + repr(Pattern(server.url))
    assert len(server.asked) == 1, "a redirect was followed"


async def test_nobody_there_is_said(fetcher: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(TileRefused, match=f"127.0.0.1:{port}"):
            await fetcher.tile(Pattern(f"http://127.0.0.1:{port}/{{z}}/{{x}}/{{y}}"), 1, 0, 0)


async def test_nothing_is_asked_unless_it_is_allowed(server: TileServer) -> None:
    for networks, hosts in (((), ()), (("10.0.0.0/8",), ()), ((), ("127.0.0.1", "localhost"))):
        fetching = Fetcher(Allowed(networks, hosts), timeout_s=1.0)
        for url in (server.url, server.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(TileRefused, match="allowed"):
                await fetching.check(Pattern(url))
            with pytest.raises(TileRefused, match="allowed"):
                await fetching.tile(Pattern(url), 1, 0, 0)
        await fetching.close()
    assert server.asked == []


async def test_a_name_is_checked_where_it_is_connected_to(
    server: TileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that turns to an inner address after it was accepted gains nothing."""
    answers = [["203.0.113.9"], ["127.0.0.1"], ["203.0.113.9", "127.0.0.1"], []]

    async def look_up(*_args: object, **_named: object) -> list[tuple[object, ...]]:
        found = answers.pop(0)
        if not found:
            raise OSError("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    allowed = Allowed(("203.0.113.0/24",), ())
    assert await allowed.addresses("tiles.test") == ["203.0.113.9"]
    fetching = Fetcher(allowed, timeout_s=1.0)
    with pytest.raises(TileRefused, match=r"127\.0\.0\.1 is outside"):
        await fetching.tile(Pattern(server.url.replace("127.0.0.1", "tiles.test")), 1, 0, 0)
    with pytest.raises(NotAllowed):
        await allowed.addresses("tiles.test")
    with pytest.raises(Unreachable):
        await allowed.addresses("tiles.test")
    await fetching.close()
    assert server.asked == []


async def test_an_allowed_name_may_lie_anywhere_but_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = Allowed((), ("Tiles.test",))
    for address, fine in (
        ("8.8.8.8", True),
        ("10.1.1.1", False),
        ("169.254.169.254", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("224.0.0.1", False),
    ):

        async def look_up(*_args: object, at: str = address, **_named: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, 0))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        if fine:
            assert await allowed.addresses("tiles.TEST") == [address]
        else:
            with pytest.raises(NotAllowed):
                await allowed.addresses("tiles.test")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://tiles.test/{z}/{x}/{y}",
        "file:///etc/{z}/{x}/{y}",
        "http:///{z}/{x}/{y}",
        "http://tiles.test/{z}/{x}.png",
        "http://{x}.tiles.test/{z}/{y}",
        "http://tiles.test/{z}/{x}/{y}#part",
        "http://tiles.test:port/{z}/{x}/{y}",
        "http://tiles.test/{z}/{x}/{y}\r\nhost: other",
        "http://tiles.test/{z}/{x}/{y}?" + "k" * 2_000,
    ],
)
def test_what_is_no_pattern_is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        Pattern(url)
