"""Movement and reports."""

from __future__ import annotations

from pathlib import Path

from command.demo.simulator.people import Crew, Person
from command.demo.simulator.roads import Trip, metres, shifted
from tests.command.demo.played import HOME, RATES, START, FakeTime, Outbox, crew_of, person


def rounds(crew: Crew, time: FakeTime, seconds: float) -> None:
    end = time.seconds + seconds
    while time.seconds < end:
        time.seconds += 0.5
        crew.round(time.seconds)


def one(tmp_path: Path, *, on_duty: bool = True) -> tuple[Person, Crew, FakeTime, Outbox]:
    time, outbox, somebody = FakeTime(), Outbox(), person()
    somebody.on_duty = on_duty
    return somebody, crew_of([somebody], time, outbox, tmp_path), time, outbox


def test_one_report_every_four_to_six_seconds(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path)
    somebody.job = "a_1"  # no dead spots on a job
    rounds(crew, time, 600.0)
    gaps = [b.at - a.at for (_, a), (_, b) in zip(outbox.fixes, outbox.fixes[1:], strict=False)]
    assert 95 <= len(outbox.fixes) <= 155
    assert all(3.4 <= gap <= 6.6 for gap in gaps)


def test_off_duty_and_played_by_a_person_report_nothing(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path, on_duty=False)
    rounds(crew, time, 60.0)
    somebody.on_duty = somebody.human = True
    rounds(crew, time, 60.0)
    assert outbox.fixes == []


def test_positions_are_near_the_truth_and_the_battery_falls(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path)
    somebody.job = "a_1"
    away = shifted(HOME, 400.0, 0.0)
    somebody.travel(Trip([HOME, away], [(0.0, 0.0), (300.0, 400.0)], by_road=True), START)
    rounds(crew, time, 280.0)
    for _, fix in outbox.fixes:
        truth = somebody.moment(fix.at).place
        assert metres((fix.lon, fix.lat), truth) < 6 * RATES.movement.noise_m[1]
        assert 4.0 <= fix.accuracy_m <= 12.0
    speeds = [fix.speed_kmh for _, fix in outbox.fixes]
    assert 3.0 < sum(speeds) / len(speeds) < 7.0
    batteries = [fix.battery for _, fix in outbox.fixes]
    assert batteries == sorted(batteries, reverse=True)
    assert 0.0 < batteries[-1] < batteries[0] <= 1.0


def test_a_dead_spot_is_silent_and_its_fixes_come_late_and_in_order(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path)
    somebody.job = "a_1"
    somebody.dead_until = START + 90.0
    rounds(crew, time, 89.0)
    assert outbox.fixes == []
    rounds(crew, time, 10.0)
    moments = [fix.at for _, fix in outbox.fixes]
    assert moments == sorted(moments)
    assert moments[0] < START + 20.0
    assert 5 <= sum(at < START + 90.0 for at in moments) <= 7


def test_going_off_duty_in_a_dead_spot_forgets_what_was_kept(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path)
    somebody.dead_until = START + 60.0
    rounds(crew, time, 30.0)
    assert somebody.kept
    somebody.on_duty = False
    rounds(crew, time, 60.0)
    assert somebody.kept == []
    assert outbox.fixes == []


def test_without_roads_people_stay_where_they_are(tmp_path: Path) -> None:
    somebody, crew, time, _ = one(tmp_path)
    rounds(crew, time, 400.0)
    assert somebody.moment(time.seconds).place == HOME


def test_a_machine_that_slept_sends_no_burst(tmp_path: Path) -> None:
    somebody, crew, time, outbox = one(tmp_path)
    somebody.job = "a_1"
    rounds(crew, time, 20.0)
    before = len(outbox.fixes)
    time.seconds += 600.0
    crew.round(time.seconds)
    assert len(outbox.fixes) - before <= 1


def test_standing_keeps_the_place_on_the_way() -> None:
    somebody = person()
    somebody.travel(Trip([HOME, shifted(HOME, 100.0, 0.0)], [(0, 0), (100.0, 100.0)], by_road=True), START)
    somebody.stand(START + 50.0)
    assert 45.0 < metres(somebody.moment(START + 500.0).place, HOME) < 55.0
    assert not somebody.travelling(START + 60.0)


def test_the_roster_of_the_service_decides_who_is_on_duty(tmp_path: Path) -> None:
    somebody, crew, _, _ = one(tmp_path, on_duty=False)
    crew.follow_roster({"r_1": {"on_duty": True}})
    assert crew.on_duty() == [somebody]
    crew.follow_roster({})
    assert crew.on_duty() == []
