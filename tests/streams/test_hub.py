"""Fan-out: everybody gets the same pictures, and a slow viewer costs only itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import channel as channel_module
from streams.channel import Channel
from streams.hub import Hub
from streams.wire import CONFIG, FRAGMENT, INIT, KEY, Span, StreamState
from tests.streams.scripted import Clock

LIVE = StreamState(state="live")
LOST = StreamState(state="lost", reason="unreachable", retry_s=1.0)


@dataclass
class Tile:
    """A viewer whose browser takes as much as the test says."""

    takes: bool = True
    got: list[tuple[str, bytes]] = field(default_factory=list)
    waiting: int = 0
    ended: str | None = None

    def text(self, message: bytes) -> None:
        self.got.append(("text", message))
        self._wait(message)

    def media(self, payload: bytes) -> None:
        self.got.append(("media", payload))
        self._wait(payload)

    def buffered(self) -> int:
        return self.waiting

    def closed(self, reason: str) -> None:
        self.ended = reason

    def _wait(self, data: bytes) -> None:
        if not self.takes:
            self.waiting += len(data)

    @property
    def states(self) -> list[str]:
        found = [msgspec.json.decode(data) for kind, data in self.got if kind == "text"]
        return [message["state"] for message in found if "state" in message]

    @property
    def pieces(self) -> list[bytes]:
        return [data for kind, data in self.got if kind == "media"]


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.opened: list[Channel] = []
        self.shut: list[Channel] = []
        self.hub = Hub(
            self.opened.append, self.shut.append, most_waiting=1000, most_stuck_s=10.0, clock=self.clock
        )

    def begin(self, channel: Channel, name: bytes = b"") -> None:
        self.hub.take(channel.number, CONFIG, b'{"codec":"x"}')
        self.hub.take(channel.number, INIT, b"init" + name)

    def send(self, channel: Channel, *pieces: bytes) -> None:
        """Send fragments; one whose name begins with a capital is a key frame."""
        for piece in pieces:
            self.hub.take(channel.number, FRAGMENT | (KEY if piece[:1].isupper() else 0), piece)


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_viewer_opens_and_the_last_one_shuts(world: World) -> None:
    one, two = Tile(), Tile()
    channel, seat = world.hub.join("a", one, "source")
    same, other = world.hub.join("a", two, "source")
    assert world.opened == [channel]
    assert same is channel
    world.hub.leave(channel, seat)
    world.hub.leave(channel, seat)
    assert world.shut == []
    world.hub.leave(channel, other)
    assert world.shut == [channel]
    assert len(world.hub) == 0
    world.send(channel, b"Key")  # still on its way when everybody had left
    assert one.pieces == []


def test_config_init_and_a_key_frame_come_first(world: World) -> None:
    tile = Tile()
    channel, _ = world.hub.join("a", tile, "source")
    world.send(channel, b"Lost", b"lost")
    world.begin(channel)
    world.send(channel, b"early", b"Key", b"more")
    world.hub.camera_changed("a", LIVE)
    kinds = [kind for kind, _ in tile.got]
    assert kinds == ["text", "media", "media", "media", "text"]
    assert tile.pieces == [b"init", b"Key", b"more"]
    assert tile.states == ["live"]


def test_a_later_viewer_starts_from_what_is_cached(world: World) -> None:
    first, second = Tile(), Tile()
    channel, _ = world.hub.join("a", first, "source")
    world.begin(channel)
    world.hub.camera_changed("a", LIVE)
    world.send(channel, b"Old", b"old", b"Key", b"one", b"two")
    world.hub.join("a", second, "source")
    assert second.got[0] == ("text", b'{"codec":"x"}')
    assert second.pieces == [b"init", b"Keyonetwo"]
    assert second.states == ["live"]
    world.send(channel, b"three")
    assert second.pieces[-1] == b"three"


def test_one_frame_is_made_for_all_viewers() -> None:
    made: list[bytes] = []

    def encode(payload: bytes) -> bytes:
        made.append(b"<" + payload + b">")
        return made[-1]

    hub = Hub(lambda _: None, lambda _: None, encode=encode)
    tiles = [Tile() for _ in range(16)]
    for tile in tiles:
        channel, _ = hub.join("a", tile, "source")
    hub.take(channel.number, CONFIG, b"{}")
    hub.take(channel.number, INIT, b"init")
    hub.take(channel.number, FRAGMENT | KEY, b"Key")
    assert made == [b"<init>", b"<Key>"]
    assert all(tile.pieces[-1] is made[-1] for tile in tiles)


def test_a_slow_viewer_is_skipped_to_the_next_key_frame_and_hurts_nobody(world: World) -> None:
    slow, fast = Tile(takes=False), Tile()
    channel, seat = world.hub.join("a", slow, "source")
    world.hub.join("a", fast, "source")
    world.begin(channel)
    world.send(channel, b"Key" + bytes(1500))
    world.send(channel, b"one", b"two", b"Full", b"three")  # nothing fits any more
    assert seat.waiting
    assert slow.pieces[1:] == [b"Key" + bytes(1500)]
    slow.waiting = 0
    world.send(channel, b"four", b"Now", b"five")
    assert slow.pieces[2:] == [b"Now", b"five"]
    assert [piece[:4] for piece in fast.pieces[1:]] == [
        b"Key\0",
        b"one",
        b"two",
        b"Full",
        b"thre",
        b"four",
        b"Now",
        b"five",
    ]
    assert seat.skips == world.hub.skips == 1


def test_a_viewer_that_takes_nothing_is_closed(world: World) -> None:
    dead, slow, idle = Tile(takes=False), Tile(takes=False), Tile()
    for tile in (dead, slow, idle):
        channel, _ = world.hub.join("a", tile, "source")
    world.begin(channel)
    for _ in range(12):
        world.send(channel, b"Key" + bytes(100))
        slow.waiting = max(0, slow.waiting - 20)  # it takes a little, which is enough
        world.clock.now_s += 1
        world.hub.sweep()
    assert dead.ended == "slow"
    assert slow.ended is idle.ended is None
    assert world.hub.closed_slow == 1
    assert world.hub.viewers == 2
    world.clock.now_s += 60  # nothing is sent: nobody can be blamed
    idle.waiting = slow.waiting = 0
    world.hub.sweep()
    assert world.hub.viewers == 2


def test_what_broke_off_is_not_shown_to_whoever_joins_now(world: World) -> None:
    first, later = Tile(), Tile()
    channel, _ = world.hub.join("a", first, "source")
    world.begin(channel)
    world.hub.camera_changed("a", LIVE)
    world.send(channel, b"Key")
    world.hub.camera_changed("a", LOST)
    world.hub.camera_changed("a", LOST)
    world.hub.join("a", later, "source")
    assert later.got == [("text", msgspec.json.encode(LOST))]
    world.hub.camera_changed("a", StreamState(state="connecting"))
    assert first.states == ["live", "lost", "connecting"]
    assert later.states == ["lost"]  # it has seen nothing yet: it knows that it is connecting
    world.begin(channel, b"2")
    world.send(channel, b"Key")
    assert later.pieces == [b"init2", b"Key"]


def test_nothing_of_the_old_description_after_the_new_one(world: World) -> None:
    tile, joined = Tile(), Tile()
    channel, _ = world.hub.join("a", tile, "source")
    world.begin(channel)
    world.send(channel, b"Key", b"one")
    world.begin(channel, b"2")
    world.hub.join("a", joined, "source")
    world.send(channel, b"stale", b"Key2")
    assert tile.pieces == [b"init", b"Key", b"one", b"init2", b"Key2"]
    assert joined.pieces == [b"init2", b"Key2"]


def test_a_group_too_long_to_keep_makes_later_viewers_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "MOST_CACHED", 5)
    first, later = Tile(), Tile()
    channel, _ = world.hub.join("a", first, "source")
    world.begin(channel)
    world.send(channel, b"Key", *[b"p%d" % number for number in range(8)])
    assert world.hub.cached_bytes == 0
    world.hub.join("a", later, "source")
    world.send(channel, b"p8", b"Next", b"p0")
    assert later.pieces == [b"init", b"Next", b"p0"]
    assert first.pieces[-3:] == [b"p8", b"Next", b"p0"]


def test_the_bytes_that_are_kept_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "MOST_CACHED_BYTES", 1000)
    channel, _ = world.hub.join("a", Tile(), "source")
    world.begin(channel)
    for _ in range(50):
        world.send(channel, b"Key" if channel.cached_bytes == 0 else bytes(90))
        assert world.hub.cached_bytes <= 1000


def test_variants_and_recordings_have_channels_of_their_own(world: World) -> None:
    own, h264, past, other_past = Tile(), Tile(), Tile(), Tile()
    span = Span(start_s=1, end_s=2)
    world.hub.join("a", own, "source")
    encoded, _ = world.hub.join("a", h264, "h264")
    world.hub.join("a", past, "source", span)
    world.hub.join("a", other_past, "source", span)
    assert len(world.opened) == 4
    world.hub.camera_changed("a", LIVE)
    world.hub.channel_changed(encoded.number, StreamState(state="no_capacity", reason="busy"))
    assert (own.states, h264.states, past.states) == (["live"], ["no_capacity"], [])
    world.hub.drop("a", "gone")
    assert {own.ended, h264.ended, past.ended, other_past.ended} == {"gone"}
    assert len(world.shut) == 4
    assert world.hub.state("a").state == "idle"


def test_who_joins_a_camera_that_is_refused_hears_it_at_once(world: World) -> None:
    world.hub.camera_changed("a", StreamState(state="refused", reason="unauthorized"))
    tile = Tile()
    world.hub.join("a", tile, "source")
    assert tile.states == ["refused"]


def test_viewers_may_leave_while_a_fragment_goes_round(world: World) -> None:
    class Leaver(Tile):
        def media(self, payload: bytes) -> None:
            super().media(payload)
            if payload == b"Key":
                world.hub.leave(channel, seat)

    leaver, tile = Leaver(), Tile()
    channel, seat = world.hub.join("a", leaver, "source")
    world.hub.join("a", tile, "source")
    world.begin(channel)
    world.send(channel, b"Key", b"more")
    assert leaver.pieces[-1] == b"Key"
    assert tile.pieces[-2:] == [b"Key", b"more"]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.booleans(), st.integers(1, 400)),
            st.tuples(st.just("take"), st.integers(0, 1), st.integers(0, 2000)),
            st.tuples(st.just("init"), st.just(0), st.just(0)),
        ),
        max_size=120,
    )
)
def test_every_viewer_could_decode_what_it_got(steps: list[tuple[str, int, int]]) -> None:
    world = World()
    tiles = [Tile(takes=False), Tile(takes=False)]
    for tile in tiles:
        channel, _ = world.hub.join("a", tile, "source")
    world.begin(channel)
    number = group = 0
    for what, which, size in steps:
        if what == "take":
            tiles[which].waiting = max(0, tiles[which].waiting - size)
        elif what == "init":
            world.begin(channel)
        else:
            group = group + 1 if which else group
            number = 0 if which else number + 1
            world.send(channel, (b"K" if which else b"p") + b"%d.%d." % (group, number) + bytes(size))
        inits = sum(step[0] == "init" for step in steps)
        for tile in tiles:
            assert tile.waiting <= 1000 + 420 + 20 * (inits + 2)  # one piece past the bound
    for tile in tiles:
        last: tuple[int, int] | None = None
        for piece in tile.pieces:
            if piece == b"init":
                last = None
                continue
            at = tuple(int(part) for part in piece[1:].split(b".")[:2])
            if piece[:1] != b"K":
                assert last is not None
                assert at == (last[0], last[1] + 1)
            last = at[0], at[1]


@pytest.mark.slow
def test_a_fragment_costs_a_viewer_microseconds(world: World) -> None:
    class Cheap(Tile):
        def media(self, payload: bytes) -> None:
            pass

    tiles = [Cheap() for _ in range(100)]
    for tile in tiles:
        channel, _ = world.hub.join("a", tile, "source")
    world.begin(channel)
    payload = bytes(10_000)
    best = 1.0
    for _ in range(20):
        start = time.process_time()
        for _ in range(20):
            world.hub.take(channel.number, FRAGMENT | KEY, payload)
        best = min(best, (time.process_time() - start) / 20 / len(tiles))
    assert best < 10e-6
