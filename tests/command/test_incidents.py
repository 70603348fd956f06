"""The life of an incident, held to the table in the domain description rather than to the code's own."""

from typing import Any

import pytest

from command.clock import rfc3339
from command.errors import AlreadyAssigned, Conflict, IllegalTransition, Malformed, NotFound, StaleVersion
from command.events import EVENT_TYPES
from command.incidents import (
    LIFECYCLE,
    OPEN,
    TERMINAL,
    Attachment,
    Incident,
    Place,
    decide_attach,
    distance_m,
    incident_of,
    mask_contact,
)
from tests.command.world import COLLEAGUE, DISPATCHER, OPERATOR, START, SUPERVISOR, World

STATES = (
    "reported accepted rejected merged dispatched handling suspended handled closed evaluated revisited"
    " archived cancelled"
).split()
UNFINISHED = "reported accepted dispatched handling suspended handled"
ALIVE = f"{UNFINISHED} closed evaluated revisited"

# command → the states it is for → the state it leads to ("": it stays). From the state machine of the domain.
TABLE: dict[str, tuple[str, str]] = {
    "accept": ("reported", "accepted"),
    "reject": ("reported", "rejected"),
    "self_close": ("reported", "handled"),
    "merge": ("reported accepted", "merged"),
    "suspend": ("handling", "suspended"),
    "resume": ("suspended", "handling"),
    "check_pass": ("handled", "closed"),
    "check_fail": ("handled", "handling"),
    "evaluate": ("closed", "evaluated"),
    "revisit": ("evaluated", "revisited"),
    "reopen": ("closed evaluated revisited", "handling"),
    "archive": ("evaluated revisited", "archived"),
    "cancel": (UNFINISHED, "cancelled"),
    # What the desk needs beside the domain's table.
    "close": ("accepted dispatched handling handled", "closed"),
    "claim": (UNFINISHED, ""),
    "unclaim": (UNFINISHED, ""),
    "classify": (UNFINISHED, ""),
    "dismiss_suspect": (UNFINISHED, ""),
    "escalate": (UNFINISHED, ""),
    "supervise": (UNFINISHED, ""),
    "acknowledge": (ALIVE, ""),
    "note": (ALIVE, ""),
}
WORDS: dict[str, dict[str, Any]] = {
    "reject": {"reason": "不属实"},
    "self_close": {"note": "已当场清理"},
    "merge": {"into": "other"},
    "suspend": {"reason": "等配件", "until": "2026-12-01T00:00:00Z"},
    "check_fail": {"reason": "坑没填"},
    "close": {"disposition": "已处置"},
    "evaluate": {"score": "5"},
    "revisit": {"comment": "满意"},
    "reopen": {"reason": "又塌了"},
    "cancel": {"reason": "误报"},
    "note": {"text": "已联系燃气公司"},
    "escalate": {"reason": "需要区里协调"},
    "supervise": {"text": "请加快", "grade": "yellow"},
    "dismiss_suspect": {"incident_id": "other"},
}


def world_with(state: str) -> World:
    """Return a world whose incident "it" came to the state by commands; "other" is open beside it."""
    world = World()
    world.report("other", category="medical", lon=116.9)
    world.report("it", level="IV")

    def lead(*steps: str) -> None:
        (job,) = world.dispatch("it", "r1")
        for step in steps:
            world.step(job.id, step)

    match state:
        case "reported":
            pass
        case "accepted":
            world.move("it", "accept")
        case "rejected" | "merged" | "cancelled":
            command = {"rejected": "reject", "merged": "merge", "cancelled": "cancel"}[state]
            world.move("it", command, **WORDS[command])
        case "dispatched":
            lead()
        case "handling":
            lead("sign")
        case "suspended":
            lead("sign")
            world.move("it", "suspend", **WORDS["suspend"])
        case _:
            lead("sign", "finish")
            for command in ("check_pass", "evaluate", "revisit", "archive")[
                : ["handled", "closed", "evaluated", "revisited", "archived"].index(state)
            ]:
                world.move("it", command, **WORDS.get(command, {}))
    assert world.board.incidents["it"].state == state
    return world


def photograph(world: World, incident_id: str, name: str = "p1") -> None:
    photo = Attachment(id=name, name="现场.jpg", content_type="image/jpeg", size=10)
    world.take(lambda picture, context: decide_attach(incident_of(picture, incident_id), photo, context))


def test_the_code_has_every_command_of_the_table_and_no_other() -> None:
    assert set(LIFECYCLE) == {*TABLE, "dispatch", "attach"}
    assert all(move.event in EVENT_TYPES for move in LIFECYCLE.values())
    assert set(STATES) == OPEN | TERMINAL | {"closed", "evaluated", "revisited"}


@pytest.mark.parametrize("state", STATES)
def test_each_command_moves_from_its_states_and_from_no_other(state: str) -> None:
    for command, (sources, target) in TABLE.items():
        world = world_with(state)
        if command == "self_close" and state == "reported":
            photograph(world, "it")
        before = world.board.incidents["it"]
        words = WORDS.get(command, {})
        if state not in sources.split():
            with pytest.raises(IllegalTransition) as refused:
                world.move("it", command, **words)
            assert refused.value.extras == {"state": state, "command": command}
            assert world.board.incidents["it"] == before
            continue
        after = world.move("it", command, **words)
        assert after.state == (target or state), command
        repeated = command == "acknowledge" and before.acknowledged_at is not None
        assert after.version == before.version + (not repeated), command
        assert world.events[-1].type == LIFECYCLE[command].event or repeated


@pytest.mark.parametrize(
    ("command", "state", "missing"),
    [
        ("reject", "reported", "reason"),
        ("self_close", "reported", "note"),
        ("merge", "reported", "into"),
        ("suspend", "handling", "reason"),
        ("suspend", "handling", "until"),
        ("check_fail", "handled", "reason"),
        ("close", "handling", "disposition"),
        ("revisit", "evaluated", "comment"),
        ("reopen", "closed", "reason"),
        ("cancel", "handling", "reason"),
        ("note", "handling", "text"),
        ("escalate", "handling", "reason"),
        ("supervise", "handling", "text"),
    ],
)
@pytest.mark.parametrize("blank", [None, "", " \n\t "])
def test_the_words_a_command_needs_are_asked_for_by_name(
    command: str, state: str, missing: str, blank: str | None
) -> None:
    world = world_with(state)
    words: dict[str, Any] = {name: text for name, text in WORDS[command].items() if name != missing}
    if blank is not None:
        words[missing] = blank
    with pytest.raises(Malformed) as refused:
        world.move("it", command, **words)
    assert refused.value.field == missing


@pytest.mark.parametrize(
    ("command", "state", "field", "bad"),
    [
        ("suspend", "handling", "until", "2026-12-01T00:00:00"),
        ("suspend", "handling", "until", "tomorrow"),
        ("evaluate", "closed", "score", "0"),
        ("evaluate", "closed", "score", "6"),
        ("evaluate", "closed", "score", ""),
        ("evaluate", "closed", "score", "４"),
        ("supervise", "handling", "grade", "blue"),
        ("note", "handling", "text", "长" * 2_001),
        ("cancel", "handling", "reason", "长" * 2_001),
        ("classify", "handling", "category", "opinion"),
        ("classify", "handling", "level", "V"),
        ("classify", "handling", "title", "  "),
        ("classify", "handling", "title", "长" * 81),
        ("classify", "handling", "address", "长" * 201),
        ("classify", "handling", "lead_department", "长" * 61),
    ],
)
def test_words_that_make_no_sense_are_refused_by_name(command: str, state: str, field: str, bad: str) -> None:
    world = world_with(state)
    before = world.board.incidents["it"]
    with pytest.raises(Malformed) as refused:
        world.move("it", command, **{**WORDS.get(command, {}), field: bad})
    assert refused.value.field == field
    assert world.board.incidents["it"] == before


class TestReport:
    def test_it_is_whole_and_its_limits_run_from_the_report(self) -> None:
        incident = World().report(level="I", contact_masked="138****0472", description=" 约三米 ")
        assert incident.state == "reported"
        assert incident.limits_s.handle == 7200
        assert incident.due.accept == "2026-11-22T03:01:00.000Z"
        assert incident.due.handle == "2026-11-22T05:00:00.000Z"
        assert incident.due.sign is None  # runs from the dispatch
        assert (incident.description, incident.reporter_contact) == ("约三米", "138****0472")
        assert (incident.reported_by, incident.reported_at) == (OPERATOR.id, rfc3339(START))
        assert len(incident.trace_code) == 8

    def test_two_reports_have_different_trace_codes(self) -> None:
        world = World()
        assert world.report().trace_code != world.report().trace_code

    @pytest.mark.parametrize(
        ("field", "bad"),
        [
            ("title", "  "),
            ("title", "长" * 81),
            ("description", "长" * 2_001),
            ("category", "petition"),
            ("level", "0"),
            ("source", "rumour"),
            ("occurred_at", "yesterday"),
            ("occurred_at", "2026-11-22T03:00:00"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, field: str, bad: Any) -> None:
        world = World()
        with pytest.raises(Malformed) as refused:
            world.report(**{field: bad})
        assert refused.value.field == field
        assert world.board.incidents == {}

    def test_the_moment_it_happened_is_kept_in_the_wires_form(self) -> None:
        assert (
            World().report(occurred_at="2026-11-22T10:58:00+08:00").occurred_at == "2026-11-22T02:58:00.000Z"
        )

    def test_suspects_are_open_near_recent_and_of_the_same_kind(self) -> None:
        world = World()
        far = world.report("far", lon=116.81)
        world.report("other", lon=116.8001, category="medical")
        near = world.report("near", lon=116.8005)
        gone = world.report("gone")
        world.move(gone.id, "reject", reason="重复")
        world.clock.advance(1_000)
        found = world.report("new")
        assert found.suspects == (near.id,)
        assert far.id not in found.suspects
        world.clock.advance(1_000)
        assert world.report("late").suspects == ("new",)

    def test_at_most_three_suspects_are_named(self) -> None:
        world = World()
        for _ in range(5):
            world.report()
        assert len(world.report().suspects) == 3


class TestClaim:
    def test_a_claim_also_silences_the_alarm(self) -> None:
        world = World()
        world.report("it")
        claimed = world.move("it", "claim", DISPATCHER)
        assert (claimed.claimed_by, claimed.acknowledged_by) == (DISPATCHER.id, DISPATCHER.name)

    def test_a_second_desk_is_told_who_has_it(self) -> None:
        world = World()
        world.report("it")
        world.move("it", "claim", DISPATCHER)
        with pytest.raises(AlreadyAssigned) as refused:
            world.move("it", "claim", COLLEAGUE)
        assert refused.value.winner["by_name"] == DISPATCHER.name
        again = world.move("it", "claim", DISPATCHER)
        assert again.version == 2  # claiming one's own again changes nothing
        freed = world.move("it", "unclaim", DISPATCHER)
        assert freed.claimed_by is freed.claimed_name is freed.claimed_at is None
        assert world.move("it", "claim", COLLEAGUE).claimed_by == COLLEAGUE.id


class TestClassify:
    def test_accepting_settles_the_facts(self) -> None:
        world = World()
        world.report("it", level="IV")
        world.clock.advance(60)
        it = world.move(
            "it",
            "accept",
            OPERATOR,
            level="II",
            category="medical",
            title=" 有人受伤 ",
            lead_department="县卫健局",
        )
        assert (it.level, it.category, it.title, it.lead_department) == (
            "II",
            "medical",
            "有人受伤",
            "县卫健局",
        )
        assert it.accepted_at == "2026-11-22T03:01:00.000Z"
        assert it.due.handle == "2026-11-22T05:00:00.000Z"  # from the report, not from now
        assert it.limits_s.arrive == 600
        assert world.events[-1].data["fields"] == sorted(world.events[-1].data["fields"])

    def test_an_incident_outside_every_grid_needs_an_address(self) -> None:
        world = World()
        world.report("it", place=Place())
        with pytest.raises(Malformed) as refused:
            world.move("it", "accept", OPERATOR)
        assert refused.value.field == "address"
        assert world.move("it", "accept", OPERATOR, address="高速 K12").address == "高速 K12"

    def test_an_empty_address_takes_it_away(self) -> None:
        world = world_with("handling")
        world.move("it", "classify", address="和平路 1 号", lead_department="住建局")
        it = world.move("it", "classify", address=" ", lead_department=" ")
        assert it.address is it.lead_department is None


def test_only_small_things_are_dealt_with_on_the_spot() -> None:
    world = World()
    world.report("it", level="III")
    with pytest.raises(Malformed) as refused:
        world.move("it", "self_close", note="已处理")
    assert refused.value.field == "level"
    world.report("small", level="none")
    with pytest.raises(Malformed) as unseen:
        world.move("small", "self_close", note="已处理")
    assert unseen.value.field == "file"
    photograph(world, "small")
    small = world.move("small", "self_close", note=" 已处理 ")
    assert (small.self_handled, small.disposition, small.handled_at) == (True, "已处理", rfc3339(START))


def test_suspending_keeps_the_date_in_the_wires_form() -> None:
    world = world_with("handling")
    it = world.move("it", "suspend", reason="等配件", until="2026-12-01T08:00:00+08:00")
    assert it.suspended_until == "2026-12-01T00:00:00.000Z"
    assert world.move("it", "resume").suspended_until is None


def test_a_failed_check_counts_and_a_reopened_case_is_no_longer_closed() -> None:
    world = world_with("handled")
    it = world.move("it", "check_fail", reason="坑没填")
    assert (it.rework, it.handled_at) == (1, None)
    world = world_with("closed")
    assert world.board.incidents["it"].closed_at is not None
    it = world.move("it", "reopen", reason="又塌了")
    assert it.closed_at is it.handled_at is None


def test_supervision_only_gets_stricter_once_it_is_red() -> None:
    world = world_with("handling")
    assert world.move("it", "supervise", text="催").supervision == "normal"
    assert world.move("it", "supervise", text="催", grade="red").supervision == "red"
    with pytest.raises(Malformed):
        world.move("it", "supervise", text="催", grade="yellow")
    assert world.move("it", "supervise", text="再催", grade="red").supervision == "red"


def test_escalation_climbs_a_tier_and_stops_at_the_county() -> None:
    world = world_with("handling")
    tiers = [world.move("it", "escalate", reason="升级").escalation_tier for _ in range(4)]
    assert tiers == [3, 2, 1, 1]


def test_the_words_go_into_the_timeline() -> None:
    world = world_with("handling")
    world.move("it", "note", OPERATOR, text="  已联系燃气公司 ")
    event = world.events[-1]
    assert event.data["text"] == "已联系燃气公司"
    assert event.data["actor"] == {"id": OPERATOR.id, "name": OPERATOR.name}


def test_an_incident_takes_twenty_photos_and_none_when_it_is_over() -> None:
    world = world_with("handling")

    for n in range(20):
        photograph(world, "it", f"p{n}")
    assert len(world.board.incidents["it"].attachments) == 20
    with pytest.raises(Malformed):
        photograph(world, "it", "p20")
    world = world_with("rejected")
    with pytest.raises(IllegalTransition):
        photograph(world, "it")


def test_merging_needs_another_open_incident() -> None:
    world = world_with("reported")
    with pytest.raises(Conflict):
        world.move("it", "merge", into="it")
    with pytest.raises(NotFound):
        world.move("it", "merge", into="nothing")
    world.move("other", "cancel", reason="误报")
    with pytest.raises(Conflict):
        world.move("it", "merge", into="other")


def test_merging_links_both_and_takes_the_suspicion_away() -> None:
    world = World()
    world.report("second")
    first = world.report("first")
    assert first.suspects == ("second",)
    merged = world.move("second", "merge", into="first")
    assert (merged.state, merged.parent_id) == ("merged", "first")
    assert world.board.incidents["first"].suspects == ()
    assert world.board.incidents["first"].state == "reported"


def test_a_stale_version_is_told_the_one_it_has_now() -> None:
    world = world_with("handling")
    it: Incident = world.board.incidents["it"]
    assert incident_of(world.board, "it", it.version) is it
    with pytest.raises(StaleVersion) as refused:
        incident_of(world.board, "it", it.version - 1)
    assert refused.value.extras == {"version": it.version}
    with pytest.raises(NotFound):
        incident_of(world.board, "nothing")


@pytest.mark.parametrize(
    ("contact", "masked"),
    [
        ("13812340472", "138****0472"),
        ("+8613812340472", "+86****0472"),
        (" 0561-3021234 ", "0****4"),
        ("a@b.example", "a****e"),
        ("甲", "甲****甲"),
    ],
)
def test_a_masked_contact_hides_the_middle(contact: str, masked: str) -> None:
    assert mask_contact(contact) == masked


def test_the_short_distance_agrees_with_the_geodesic() -> None:
    from gis.crs import distance_m as geodesic_m

    for lon, lat in ((116.801, 33.9), (116.8, 33.95), (116.83, 33.92)):
        exact: Any = geodesic_m(116.8, 33.9, lon, lat)
        assert distance_m(116.8, 33.9, lon, lat) == pytest.approx(float(exact), rel=0.005)


def test_changing_says_who_and_when() -> None:
    world = world_with("handling")
    it = world.move("it", "note", SUPERVISOR, text="x")
    assert (it.updated_by, it.updated_at) == (SUPERVISOR.name, rfc3339(world.clock.now()))
