"""The feed converges: whatever is lost, doubled or restarted, each client ends at what it may see."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from command.events import Event
from command.feed import KINDS, QUEUE_EVENTS, TOPIC_OF_KIND, TOPICS, Cursor, Feed, Subscription
from command.framing import split_frame
from tests.command.feed_client import FeedClient

NOW = "2026-11-22T03:07:42.123Z"
EVENT_TOPICS = frozenset(TOPIC_OF_KIND.values())


class Picture:
    """What a feed starts from."""

    def __init__(self, seq: int = 0, kinds: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.seq = seq
        self._kinds = kinds or {}

    def wire(self) -> Mapping[str, Mapping[str, Any]]:
        return {kind: dict(self._kinds.get(kind, {})) for kind in KINDS}


class Everything:
    """Sees all; consoles share their frames."""

    unrestricted = True
    share: str | None = "everything"

    def __init__(self, topics: frozenset[str] = TOPICS) -> None:
        self.topics = topics

    def sees(self, kind: str, id: str, entity: Mapping[str, Any]) -> bool:
        return True


class Township:
    """Sees the entities of one township: a function of the entity's value."""

    unrestricted = False

    def __init__(self, township: str, topics: frozenset[str] = TOPICS) -> None:
        self.share: str | None = f"township:{township}"
        self.township = township
        self.topics = topics

    def sees(self, kind: str, id: str, entity: Mapping[str, Any]) -> bool:
        return bool(entity["township"] == self.township)


class Assigned:
    """Sees incidents that an assignment ties to this person: depends on other entities."""

    unrestricted = False
    share: str | None = None

    def __init__(
        self, me: str, find: Callable[[str], Mapping[str, Any]], topics: frozenset[str] = TOPICS
    ) -> None:
        self.me = me
        self.find = find
        self.topics = topics

    def sees(self, kind: str, id: str, entity: Mapping[str, Any]) -> bool:
        if kind == "assignments":
            return bool(entity["township"] == self.me)
        if kind in ("geography", "closures"):
            return True
        return any(
            job["township"] == self.me and job["value"] == id for job in self.find("assignments").values()
        )


def entity(id: str, township: str, value: object) -> dict[str, Any]:
    return {"id": id, "township": township, "value": value}


def event(seq: int, changes: Mapping[str, Mapping[str, Any]], **facts: object) -> Event:
    return Event(
        seq, NOW, "incident.updated", {"changes": changes, "actor": {"id": "u1", "name": "王芳"}, **facts}
    )


def messages(subscription: Subscription) -> list[dict[str, Any]]:
    out = []
    while (frame := subscription.pop()) is not None:
        out.append(msgspec.json.decode(split_frame(frame)[1]))
    return out


def incident(seq: int, id: str, value: object, township: str = "t1") -> Event:
    return event(seq, {"incidents": {id: entity(id, township, value)}})


# One by one


def test_a_new_client_gets_the_picture_and_then_the_events() -> None:
    feed = Feed("e1", Picture(4, {"incidents": {"i1": entity("i1", "t1", 1)}}))
    subscription = feed.subscribe(Everything(), None, NOW)
    [snapshot] = messages(subscription)
    assert snapshot["frame"] == snapshot["type"] == "snapshot"
    assert (snapshot["epoch"], snapshot["seq"], snapshot["server_time"]) == ("e1", 4, NOW)
    assert snapshot["board"]["incidents"] == {"i1": entity("i1", "t1", 1)}
    feed.publish(incident(5, "i2", 7))
    assert messages(subscription) == [
        {
            "frame": "event",
            "epoch": "e1",
            "seq": 5,
            "prev": 4,
            "at": NOW,
            "type": "incident.updated",
            "data": {
                "changes": {"incidents": {"i2": entity("i2", "t1", 7)}},
                "actor": {"id": "u1", "name": "王芳"},
            },
        }
    ]
    subscription.heartbeat(NOW)
    assert messages(subscription) == [
        {"frame": "heartbeat", "type": "heartbeat", "epoch": "e1", "seq": 5, "server_time": NOW}
    ]


def test_events_must_follow_one_another() -> None:
    feed = Feed("e1", Picture(4))
    for seq in (4, 6):
        with pytest.raises(ValueError, match="does not follow 4"):
            feed.publish(incident(seq, "i1", 1))


def test_a_returning_client_gets_only_what_it_missed() -> None:
    feed = Feed("e1", Picture())
    for seq in range(1, 6):
        feed.publish(incident(seq, "i1", seq))
    resumed = messages(feed.subscribe(Everything(), Cursor("e1", 3), NOW))
    assert [(m["frame"], m["seq"]) for m in resumed] == [("resume", 3), ("event", 4), ("event", 5)]
    assert resumed[1]["prev"] == 3


@pytest.mark.parametrize(
    "cursor", [Cursor("other", 5), Cursor("e1", 9), Cursor("e1", -1), Cursor("e1", 1)], ids=str
)
def test_a_cursor_that_cannot_be_served_leads_to_a_snapshot(cursor: Cursor) -> None:
    feed = Feed("e1", Picture(), keep=3)
    for seq in range(1, 6):
        feed.publish(incident(seq, "i1", seq))
    assert [m["frame"] for m in messages(feed.subscribe(Everything(), cursor, NOW))] == ["snapshot"]


def test_a_backlog_too_long_for_the_queue_leads_to_a_snapshot() -> None:
    feed = Feed("e1", Picture())
    for seq in range(1, QUEUE_EVENTS + 1):
        feed.publish(incident(seq, "i1", seq))
    assert messages(feed.subscribe(Everything(), Cursor("e1", 0), NOW))[0]["frame"] == "snapshot"


def test_events_outside_the_topics_are_not_sent_and_prev_skips_them() -> None:
    feed = Feed("e1", Picture())
    subscription = feed.subscribe(Everything(frozenset({"cameras"})), None, NOW)
    feed.publish(incident(1, "i1", 1))
    feed.publish(event(2, {"cameras": {"c1": entity("c1", "t1", 1)}}))
    first, second = messages(subscription)
    assert first["board"]["incidents"] == {}
    assert (second["seq"], second["prev"]) == (2, 0)


def test_what_leaves_the_view_becomes_null_and_takes_the_facts_with_it() -> None:
    feed = Feed("e1", Picture())
    subscription = feed.subscribe(Township("t1"), None, NOW)
    feed.publish(event(1, {"incidents": {"i1": entity("i1", "t1", 1)}}, note="in sight"))
    feed.publish(event(2, {"incidents": {"i1": entity("i1", "t2", 2)}}, note="secret of t2"))
    feed.publish(event(3, {"incidents": {"i1": entity("i1", "t2", 3)}}, note="secret of t2"))
    _, put, removed = messages(subscription)
    assert put["data"]["note"] == "in sight"
    assert removed["data"] == {"changes": {"incidents": {"i1": None}}}


def test_facts_are_left_out_when_a_part_of_the_event_is() -> None:
    feed = Feed("e1", Picture())
    subscription = feed.subscribe(Township("t1"), None, NOW)
    feed.publish(
        event(1, {"incidents": {"a": entity("a", "t1", 1), "b": entity("b", "t2", 1)}}, note="about b")
    )
    assert messages(subscription)[1]["data"] == {"changes": {"incidents": {"a": entity("a", "t1", 1)}}}


def test_a_full_queue_gives_the_client_up() -> None:
    feed = Feed("e1", Picture())
    woken = []
    subscription = feed.subscribe(Everything(), None, NOW, lambda: woken.append(True))
    for seq in range(1, QUEUE_EVENTS + 1):
        feed.publish(incident(seq, "i1", seq))
    assert subscription.lagging
    assert subscription.pop() is None
    assert len(feed) == 0
    assert len(woken) == QUEUE_EVENTS


def test_huge_events_fill_the_queue_by_bytes() -> None:
    feed = Feed("e1", Picture())
    subscription = feed.subscribe(Everything(), None, NOW)
    for seq in range(1, 8):
        feed.publish(incident(seq, "i1", "x" * 300_000))
    assert subscription.lagging


def test_a_big_picture_does_not_count_against_the_queue() -> None:
    feed = Feed("e1", Picture(0, {"incidents": {"i1": entity("i1", "t1", "x" * 3_000_000)}}))
    subscription = feed.subscribe(Everything(), None, NOW)
    for seq in range(1, 100):
        feed.publish(incident(seq, "i2", "y" * 1000))
    assert not subscription.lagging
    assert len(messages(subscription)) == 100


def test_five_hundred_reconnects_cost_one_encoding() -> None:
    feed = Feed("e1", Picture(0, {"incidents": {str(i): entity(str(i), "t1", i) for i in range(500)}}))
    feed.subscribe(Everything(), None, NOW)
    spent = feed.frames.encodes
    frames = {id(feed.subscribe(Everything(), None, NOW).pop()) for _ in range(500)}
    assert feed.frames.encodes == spent
    assert len(frames) == 1
    feed.publish(incident(1, "i1", 1))
    assert feed.frames.encodes == spent + 1


def test_a_cached_picture_is_followed_by_what_happened_since() -> None:
    feed = Feed("e1", Picture())
    feed.subscribe(Everything(), None, NOW)
    feed.publish(incident(1, "i1", 1))
    assert [(m["frame"], m["seq"]) for m in messages(feed.subscribe(Everything(), None, NOW))] == [
        ("snapshot", 0),
        ("event", 1),
    ]


def test_what_happened_before_a_page_was_opened_is_no_news_to_it() -> None:
    feed = Feed("e1", Picture())
    feed.subscribe(Everything(), None, NOW)
    feed.publish(incident(1, "i1", 1))
    later = feed.subscribe(Everything(), None, "2026-11-22T03:00:01.000Z")
    assert [(m["frame"], m["seq"]) for m in messages(later)] == [("snapshot", 1)]


def test_notes_wait_for_nobody() -> None:
    feed = Feed("e1", Picture())
    subscription = feed.subscribe(Everything(), None, NOW)
    pushed = [subscription.push(feed.note_frame("eta", items=[])) for _ in range(300)]
    assert pushed.count(True) == QUEUE_EVENTS // 2 - 1
    assert not subscription.lagging


# The property

IDS = st.sampled_from("abcd")
TOWNSHIPS = st.sampled_from(["t1", "t2"])


class Convergence(RuleBasedStateMachine):
    """One server, three clients with different eyes, an unreliable line between."""

    @initialize(keep=st.integers(1, 12))
    def start(self, keep: int) -> None:
        self.keep = keep
        self.epoch = 1
        self.truth: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.seq = 0
        self.feed = Feed("e1", Picture(), keep)
        self.views = [
            Everything(),
            Township("t1", EVENT_TOPICS - {"cameras"}),
            Assigned("t2", lambda kind: self.truth[kind], frozenset({"incidents"})),
        ]
        self.clients = [FeedClient() for _ in self.views]
        self.lines: list[deque[bytes]] = [deque() for _ in self.views]
        self.subscriptions: list[Subscription] = []
        for i in range(len(self.views)):
            self.subscriptions.append(self.feed.subscribe(self.views[i], None, NOW))
            self.clients[i].connected()

    def connect(self, i: int) -> None:
        client = self.clients[i]
        hello = client.hello()
        cursor = Cursor(hello["epoch"], hello["last_seq"]) if "epoch" in hello else None
        self.feed.unsubscribe(self.subscriptions[i])
        self.subscriptions[i] = self.feed.subscribe(self.views[i], cursor, NOW)
        self.lines[i].clear()
        client.connected()

    def expected(self, i: int) -> dict[str, dict[str, Any]]:
        view = self.views[i]
        return {
            kind: {id: e for id, e in entities.items() if view.sees(kind, id, e)}
            for kind, entities in self.truth.items()
            if TOPIC_OF_KIND[kind] in view.topics
        }

    @rule(
        kind=st.sampled_from(KINDS),
        id=IDS,
        township=TOWNSHIPS,
        about=IDS,
        remove=st.booleans(),
        also=st.booleans(),
    )
    def publish(self, kind: str, id: str, township: str, about: str, remove: bool, also: bool) -> None:
        changes: dict[str, dict[str, Any]] = {kind: {id: None if remove else entity(id, township, about)}}
        if kind == "assignments":
            # The rule of the wire: an event names all it touched, here the incidents gained and lost.
            for touched in {about, *[a["value"] for a in self.truth["assignments"].values()]}:
                if touched in self.truth["incidents"]:
                    changes.setdefault("incidents", {})[touched] = self.truth["incidents"][touched]
        elif also:
            changes["responders"] = {**changes.get("responders", {}), id: entity(id, township, "also")}
        self.seq += 1
        for changed_kind, entities in changes.items():
            for changed_id, value in entities.items():
                if value is None:
                    self.truth[changed_kind].pop(changed_id, None)
                else:
                    self.truth[changed_kind][changed_id] = value
        self.feed.publish(event(self.seq, changes))

    @rule(i=st.integers(0, 2), n=st.integers(1, 5))
    def send(self, i: int, n: int) -> None:
        for _ in range(n):
            if (frame := self.subscriptions[i].pop()) is not None:
                self.lines[i].append(frame)

    @rule(i=st.integers(0, 2), n=st.integers(1, 5))
    def arrive(self, i: int, n: int) -> None:
        for _ in range(min(n, len(self.lines[i]))):
            self.clients[i].receive_frame(self.lines[i].popleft())

    @rule(i=st.integers(0, 2))
    def lose(self, i: int) -> None:
        if self.lines[i]:
            self.lines[i].popleft()

    @rule(i=st.integers(0, 2))
    def double(self, i: int) -> None:
        if self.lines[i]:
            self.lines[i].appendleft(self.lines[i][0])

    @rule(i=st.integers(0, 2))
    def lag(self, i: int) -> None:
        self.subscriptions[i].give_up()

    @rule(i=st.integers(0, 2))
    def reconnect(self, i: int) -> None:
        self.connect(i)

    @rule(i=st.integers(0, 2))
    def beat(self, i: int) -> None:
        self.subscriptions[i].heartbeat(NOW)

    @precondition(lambda self: self.epoch < 4)
    @rule(same_history=st.booleans(), forget=st.integers(0, 3))
    def restart(self, same_history: bool, forget: int) -> None:
        """The process starts again: the same log, or a backup that had not seen the last events."""
        if not same_history:
            self.epoch += 1
            self.seq = max(0, self.seq - forget)  # numbers are used again: only the epoch tells them apart
            if forget:
                self.truth["incidents"].pop("a", None)
        kinds = {kind: dict(entities) for kind, entities in self.truth.items()}
        self.feed = Feed(f"e{self.epoch}", Picture(self.seq, kinds), self.keep)
        for i in range(len(self.views)):
            self.subscriptions[i] = self.feed.subscribe(self.views[i], None, NOW)
            self.connect(i)

    @invariant()
    def nobody_ever_holds_what_they_may_not_see_for_long(self) -> None:
        """A client that is in step and has everything holds exactly its part of the truth."""
        for i, client in enumerate(getattr(self, "clients", [])):
            idle = not self.lines[i] and not len(self.subscriptions[i])
            lagging = self.subscriptions[i].lagging
            in_step = client.started and not client.resync and not lagging
            if idle and in_step and client.seq == self.subscriptions[i].sent_seq:
                held = {k: v for k, v in client.board.items() if TOPIC_OF_KIND[k] in self.views[i].topics}
                assert held == self.expected(i)

    def teardown(self) -> None:
        if not hasattr(self, "clients"):
            return
        for i, client in enumerate(self.clients):
            for _ in range(5):
                while (frame := self.subscriptions[i].pop()) is not None:
                    self.lines[i].append(frame)
                while self.lines[i]:
                    client.receive_frame(self.lines[i].popleft())
                self.subscriptions[i].heartbeat(NOW)
                while (frame := self.subscriptions[i].pop()) is not None:
                    client.receive_frame(frame)
                if client.started and not client.resync and not self.subscriptions[i].lagging:
                    break
                self.connect(i)
            assert client.started
            assert not client.resync
            held = {k: v for k, v in client.board.items() if TOPIC_OF_KIND[k] in self.views[i].topics}
            assert held == self.expected(i)


Convergence.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_everybody_converges = Convergence.TestCase
