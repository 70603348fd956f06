"""The phone: duty, a job from ring to result, a report with a photo, and dead spots."""

from __future__ import annotations

import json
import random
import re
import struct
import uuid
import zlib

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.guard import OFFLINE, Guard
from tests.browser.pages import Console, until
from tests.browser.town import Town, Unit


def png(side: int = 24) -> bytes:
    """A picture of one colour."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + b"\x30\x80\xd0" * side for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


MESSAGES = "() => Object.values(window.yiping.feed.board.messages)"
KEPT = """async () => {
  if (!navigator.serviceWorker.controller) return false;
  const urls = performance.getEntriesByType('resource').map((entry) => entry.name);
  for (const url of urls) {
    if (/\\.(m?js|css)$/.test(url) && !(await caches.match(url))) return false;
  }
  return true;
}"""
"""All code that the page runs on is kept by the phone."""


def attach(phone: Page, label: str) -> None:
    with phone.expect_file_chooser() as chooser:
        phone.locator("label.button", has_text=label).last.click()
    chooser.value.set_files({"name": "现场.png", "mimeType": "image/png", "buffer": png()})


def send_out(town: Town, unit: Unit, title: str) -> str:
    incident = town.report(title, level="II", near=unit)
    town.account("dispatcher").post(f"/incidents/{incident['id']}/dispatch", responder_ids=[unit.id])
    return str(incident["id"])


def steps(town: Town, incident_id: str) -> list[str]:
    """What happened to the incident's jobs, in order."""
    items = town.supervisor.get(f"/incidents/{incident_id}/timeline")["items"]
    return [item["type"] for item in items if item["type"].startswith("assignment.")]


def test_a_shift_begins_and_ends_and_positions_flow_only_between(open_as: OpenPage, town: Town) -> None:
    unit = town.by_username["worker"]
    phone = phone_of(open_as, town, unit.id)
    sent: list[str] = []
    phone.on("request", lambda r: sent.append(r.url) if r.url.endswith("/positions") else None)
    expect(phone.get_by_role("heading", name="离岗")).to_be_visible()
    phone.get_by_role("button", name="上岗", exact=True).click()
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()

    def seen_after_next_fix() -> bool:
        # A fix from before the shift is not taken; receivers make a new one every second.
        wobble = random.uniform(0, 2e-6)
        phone.context.set_geolocation({"longitude": unit.lon + wobble, "latitude": unit.lat, "accuracy": 6})
        phone.wait_for_timeout(400)
        return "lon" in town.supervisor.get(f"/responders/{unit.id}")

    until(phone, seen_after_next_fix)
    expect(phone.locator("header.duty")).to_contain_text("位置共享中")
    assert sent
    fix = town.supervisor.get(f"/responders/{unit.id}")
    assert fix["on_duty"]
    assert abs(fix["lon"] - unit.lon) < 1e-5
    phone.locator("header.duty .who").click()
    phone.get_by_role("button", name="下岗", exact=True).click()
    expect(phone.get_by_role("heading", name="离岗")).to_be_visible()
    # Off duty it moves, and writes to the centre; nobody is told where from.
    count = len(sent)
    phone.context.set_geolocation({"longitude": unit.lon + 0.001, "latitude": unit.lat, "accuracy": 5})
    phone.get_by_role("button", name="消息").first.click()
    phone.get_by_placeholder("写给中心").fill("我下班了")
    with phone.expect_response(lambda r: r.url.endswith("/messages/reply") and r.ok):
        phone.get_by_role("button", name="发送").click()
    phone.get_by_role("button", name="返回").click()
    expect(phone.locator("header.duty")).to_contain_text("不共享位置")
    assert len(sent) == count
    person = town.supervisor.get(f"/responders/{unit.id}")
    assert "lon" not in person


def test_a_job_from_ring_to_result(open_as: OpenPage, town: Town) -> None:
    unit = town.crew[0]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    incident_id = send_out(town, unit, "水管爆裂")
    expect(phone.get_by_role("heading", name="水管爆裂")).to_be_visible()
    countdown = phone.locator(".al em")
    expect(countdown).to_have_text(re.compile(r"0?0:[0-3]\d"))
    first = countdown.inner_text()
    expect(countdown).not_to_have_text(first)
    phone.get_by_role("button", name="接受并出发").click()
    phone.get_by_role("button", name=re.compile("我已到场")).click()
    phone.get_by_role("button", name=re.compile("^办结")).click()
    phone.get_by_role("button", name="已移交主管部门").click()
    phone.get_by_placeholder("补充说明").fill("自来水公司已到")
    attach(phone, "拍照")
    expect(phone.get_by_text("已附照片 1 张")).to_be_visible()
    phone.get_by_role("button", name="提交办结").click()
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    expect(phone.locator(".ob li")).to_have_count(0)
    done = town.incident(incident_id)
    assert done["state"] == "handled"
    assert len(done["attachments"]) == 1
    taken = [step for step in steps(town, incident_id) if step != "assignment.arrival_proposed"]
    assert taken == [
        f"assignment.{step}" for step in ("delivered", "signed", "en_route", "on_scene", "finished")
    ]
    texts = str(town.supervisor.get(f"/incidents/{incident_id}/timeline"))
    assert "自来水公司已到" in texts


def test_declining_says_why_and_frees_the_phone(open_as: OpenPage, town: Town) -> None:
    unit = town.crew[0]
    phone = phone_of(open_as, town, unit.id)
    incident_id = send_out(town, unit, "去不了的地方")
    phone.get_by_role("button", name="不能去…").click()
    phone.get_by_role("button", name="车辆故障").click()
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    expect(phone.locator(".ob li")).to_have_count(0)
    assert "assignment.declined" in steps(town, incident_id)


def test_a_report_with_a_photo_reaches_the_centre_with_its_place(open_as: OpenPage, town: Town) -> None:
    unit = town.crew[1]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.locator("header.duty")).to_contain_text("位置共享中")
    title = f"巡逻发现护栏松动 {uuid.uuid4().hex[:6]}"
    phone.get_by_role("button", name="上报事件").click()
    phone.get_by_placeholder("一句话").fill(title)
    phone.locator(".sheet .chips button").nth(2).click()
    attach(phone, "拍照")
    expect(phone.get_by_text("已附照片 1 张")).to_be_visible()
    phone.get_by_role("button", name="提交上报").click()
    expect(phone.locator(".ob li")).to_have_count(0)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    until(phone, lambda: [item for item in town.find(title) if item["attachments"]])
    (made,) = town.find(title)
    assert abs(made["lon"] - unit.lon) < 1e-4
    (photo,) = made["attachments"]
    picture = phone.request.get(f"/api/v1/incidents/{made['id']}/photos/{photo['id']}")
    assert picture.body().startswith(b"\xff\xd8\xff")


def test_what_is_done_in_a_dead_spot_is_sent_once(open_as: OpenPage, town: Town, guard: Guard) -> None:
    guard.allow(*OFFLINE)
    unit = town.crew[2]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    incident_id = send_out(town, unit, "隧道里的事故")
    expect(phone.get_by_role("button", name="接受并出发")).to_be_visible()
    until(phone, lambda: steps(town, incident_id) == ["assignment.delivered"])
    words = f"隧道里没有信号 {uuid.uuid4().hex[:6]}"
    phone.context.set_offline(True)
    phone.get_by_role("button", name="接受并出发").click()
    phone.get_by_role("button", name=re.compile("我已到场")).click()
    phone.get_by_role("button", name="消息").first.click()
    phone.get_by_placeholder("写给中心").fill(words)
    phone.get_by_role("button", name="发送").click()
    phone.get_by_role("button", name="返回").click()
    expect(phone.locator(".net")).to_contain_text("4 条待发")
    assert steps(town, incident_id) == ["assignment.delivered"]
    phone.context.set_offline(False)
    expect(phone.locator(".net")).to_have_count(0)
    done = [step for step in steps(town, incident_id) if step != "assignment.arrival_proposed"]
    assert done == [f"assignment.{step}" for step in ("delivered", "signed", "en_route", "on_scene")]
    page = open_as("dispatcher")
    console = Console(page)
    until(page, lambda: words in json.dumps(page.evaluate(MESSAGES), ensure_ascii=False))
    bodies = [message["body"] for message in page.evaluate(MESSAGES)]
    assert bodies.count(words) == 1
    assert console.find("stale-banner").count() == 0


def test_an_answer_lost_on_the_way_back_is_not_done_twice(
    open_as: OpenPage, town: Town, guard: Guard
) -> None:
    guard.allow(*OFFLINE)
    unit = town.crew[3]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.locator("header.duty")).to_contain_text("位置共享中")
    lost: list[str] = []
    title = f"只报一次的事 {uuid.uuid4().hex[:6]}"

    def lose_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        route.fetch()
        lost.append(route.request.headers["idempotency-key"])
        route.abort("connectionreset")

    phone.route("**/api/v1/incidents", lose_answer)
    phone.get_by_role("button", name="上报事件").click()
    phone.get_by_placeholder("一句话").fill(title)
    with phone.expect_response(
        lambda r: r.url.endswith("/api/v1/incidents") and r.ok, timeout=60_000
    ) as answer:
        phone.get_by_role("button", name="提交上报").click()
    assert answer.value.request.headers["idempotency-key"] == lost[0]
    expect(phone.locator(".ob li")).to_have_count(0)
    assert len(town.find(title)) == 1


def test_it_starts_in_a_dead_spot_after_one_visit(open_as: OpenPage, town: Town, guard: Guard) -> None:
    guard.allow(*OFFLINE, "Failed to load resource")
    unit = town.crew[4]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    incident_id = send_out(town, unit, "记得住的任务")
    expect(phone.get_by_role("heading", name="记得住的任务")).to_be_visible()
    until(phone, lambda: phone.evaluate(KEPT))
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.get_by_role("heading", name="记得住的任务")).to_be_visible()
    phone.get_by_role("button", name="接受并出发").click()
    expect(phone.locator(".net")).to_contain_text("待发")
    phone.context.set_offline(False)
    expect(phone.locator(".net")).to_have_count(0)
    assert steps(town, incident_id).count("assignment.signed") == 1


def test_nothing_is_wider_than_the_phone_and_thumbs_hit_the_buttons(open_as: OpenPage, town: Town) -> None:
    unit = town.crew[0]
    phone = phone_of(open_as, town, unit.id)
    expect(phone.get_by_role("heading", name="没有任务")).to_be_visible()
    send_out(town, unit, "一个相当长的标题用来看看手机屏幕放不放得下它的全部文字")
    for button in ("接受并出发", "我已到场"):
        target = phone.get_by_role("button", name=re.compile(button))
        expect(target).to_be_visible()
        assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
        for shown in phone.locator("footer.bt button:visible").all():
            box = shown.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["y"] + box["height"] <= 844
        target.click()
