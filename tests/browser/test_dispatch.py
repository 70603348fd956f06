"""The two-action dispatch, its other outcomes, and two desks that want the same unit."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Route, expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.guard import Guard
from tests.browser.pages import Console, inputs
from tests.browser.service import Service
from tests.browser.town import Town


def test_two_inputs_send_the_nearest_unit_and_its_phone_rings(open_as: OpenPage, town: Town) -> None:
    page = open_as("dispatcher")
    console = Console(page)
    incident = town.report("河东路燃气泄漏", level="I")
    # Nobody has touched anything: the alarm stands in the queue and in the drawer, with who can come.
    expect(console.card(incident)).to_have_class(re.compile(r"\bunack\b"))
    expect(console.title).to_have_text("河东路燃气泄漏")
    expect(console.find("alarm")).to_be_visible()
    top = console.rows().first.get_attribute("data-id")
    assert top is not None
    phone = phone_of(open_as, town, top)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    assert inputs(page) == []

    console.press("Enter")
    expect(console.card(incident).get_by_test_id("claim-chip")).to_be_visible()
    expect(console.find("dispatch-button")).to_contain_text(town.units[top].name)
    console.press("Enter")
    expect(console.card(incident)).not_to_have_attribute("data-state", "reported")
    assert inputs(page) == ["Enter", "Enter"]

    expect(phone.get_by_role("heading", name="河东路燃气泄漏")).to_be_visible()
    expect(phone.get_by_role("button", name="接受并出发")).to_be_visible()
    # The phone says by itself that it has the job; no further hand at the desk.
    expect(page.locator('[data-testid="job"][data-state="delivered"]')).to_be_visible()
    phone.get_by_role("button", name="接受并出发").click()
    expect(page.locator('[data-testid="job"][data-state="en_route"]')).to_be_visible()
    assert inputs(page) == ["Enter", "Enter"]

    # Two actions end it and free the unit.
    console.press("x", "1")
    expect(console.card(incident)).to_have_count(0)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    assert town.incident(incident["id"])["state"] == "closed"
    assert len(inputs(page)) == 4


def test_a_number_chooses_another_and_asks_for_one_reason(open_as: OpenPage, town: Town) -> None:
    page = open_as("dispatcher")
    console = Console(page)
    incident = town.report("井盖缺失")
    expect(console.title).to_have_text("井盖缺失")
    second = console.rows().nth(1).get_attribute("data-id")
    console.press("Enter")
    expect(console.find("dispatch-button")).to_be_visible()
    console.press("2")
    expect(console.find("override")).to_be_visible()
    console.press("Enter")
    expect(console.find("fault")).to_be_visible()
    assert town.incident(incident["id"])["assignments"] == []
    console.press("w", "Enter")
    expect(console.card(incident)).to_have_attribute("data-state", "dispatched")
    expect(console.find("job")).to_have_count(1)
    (job,) = page.evaluate(
        "() => Object.values(window.yiping.feed.board.assignments).filter((a) => !a.ended_at)"
    )
    assert job["responder_id"] == second
    assert job["reason"] == "装备更合适"


def test_a_key_pressed_before_the_last_answer_came_is_not_lost(open_as: OpenPage, town: Town) -> None:
    page = open_as("dispatcher")
    console = Console(page)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/claim", lambda route: held.append((route, route.fetch())))
    incident = town.report("窨井冒水")
    expect(console.title).to_have_text("窨井冒水")
    console.press("Enter")
    # The feed was faster than the answer to the command.
    expect(console.find("dispatch-button")).to_be_disabled()
    console.press("Enter", "Enter")
    ((route, answer),) = held
    route.fulfill(response=answer)
    expect(console.card(incident)).to_have_attribute("data-state", "dispatched")
    assert len(town.incident(incident["id"])["assignments"]) == 1


def test_two_desks_want_one_unit_and_the_slower_is_told_who_won(
    open_as: OpenPage, town: Town, guard: Guard
) -> None:
    guard.allow("status of 409")
    first_job = town.report("路灯倒伏", level="II")
    one = Console(open_as("dispatcher"))
    expect(one.title).to_have_text("路灯倒伏")
    one.press("Enter")
    expect(one.find("dispatch-button")).to_be_visible()
    two = Console(open_as("dispatcher2"))
    second_job = town.report("占道堆物", level="I")
    expect(two.card(second_job)).to_be_visible()
    two.card(second_job).click()
    expect(two.find("dispatch-button")).to_be_visible()
    wanted = one.rows().first.get_attribute("data-id")
    assert two.rows().first.get_attribute("data-id") == wanted
    # Under a resting pointer the order is frozen, as it is for somebody about to click.
    two.rows().first.hover()
    one.press("Enter")
    expect(one.card(first_job)).to_have_attribute("data-state", "dispatched")
    two.press("Enter")
    expect(two.find("fault")).to_contain_text("沈知行")
    expect(two.rows().first).to_have_class(re.compile(r"\btaken\b"))
    expect(two.find("dispatch-button")).not_to_contain_text(town.units[str(wanted)].name)
    assert (
        town.incident(second_job["id"])["state"] == "accepted"
        or town.incident(second_job["id"])["assignments"] == []
    )
    # The next one is chosen already: one more key.
    two.press("Enter")
    expect(two.card(second_job)).to_have_attribute("data-state", "dispatched")


def test_another_desks_claim_shows_on_the_card_and_watching_in_the_drawer(
    open_as: OpenPage, town: Town
) -> None:
    incident = town.report("噪声扰民")
    one = Console(open_as("dispatcher"))
    two = Console(open_as("dispatcher2"))
    expect(two.title).to_have_text("噪声扰民")
    expect(one.find("claim")).to_contain_text("席")
    two.card(incident).click()
    expect(two.card(incident).get_by_test_id("claim-chip")).to_have_text("本席已认领")
    expect(one.card(incident).get_by_test_id("claim-chip")).to_contain_text("席")
    expect(one.find("claim")).to_contain_text("罗启明")


def test_silence_of_thirty_seconds_offers_the_next_nearest(
    open_as: OpenPage, town: Town, service: Service, guard: Guard
) -> None:
    with service.set_to({"YIPING_DISPATCH__ANSWER_S": "5"}):
        town.report_positions()
        console = Console(open_as("dispatcher"))
        incident = town.report("树枝压线", level="II")
        first, second = (item["responder_id"] for item in town.nearest(incident)[:2])
        expect(console.rows().first).to_have_attribute("data-id", first)
        console.press("Enter")
        expect(console.find("dispatch-button")).to_be_visible()
        console.press("Enter")
        expect(console.card(incident)).to_have_attribute("data-state", "dispatched")
        expect(console.card(incident)).to_have_class(re.compile(r"\battention\b"))
        expect(console.card(incident)).to_contain_text("无人应答")
        console.page.wait_for_function(
            """([id, next]) => Object.values(window.yiping.feed.board.assignments)
                 .some((a) => a.incident_id === id && a.responder_id === next)""",
            arg=[incident["id"], second],
        )
        console.page.close()
    guard.allow("ERR_CONNECTION_REFUSED")
