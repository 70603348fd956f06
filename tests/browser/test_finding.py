"""Queue, search and command line: everything by keys."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from pypinyin import Style, lazy_pinyin

from tests.browser.conftest import OpenPage
from tests.browser.pages import Console
from tests.browser.town import Town


def readings(name: str) -> list[str]:
    """A name as people type it: hanzi, pinyin, initials."""
    return [
        name,
        "".join(lazy_pinyin(list(name))),
        "".join(lazy_pinyin(list(name), style=Style.FIRST_LETTER)),
    ]


def test_search_finds_a_community_by_hanzi_pinyin_and_initials(open_as: OpenPage, town: Town) -> None:
    villages = town.supervisor.get("/areas", tier=3)["items"]
    village = min(villages, key=lambda item: (len(item["name"]), item["code"]))
    page = open_as("dispatcher")
    console = Console(page)
    for typed in readings(village["name"]):
        page.keyboard.press("Control+k")
        console.find("search").fill(typed)
        hit = console.find("search-hit").filter(has_text=village["name"]).first
        expect(hit).to_be_visible()
        console.press("Escape")
        expect(console.find("search")).not_to_be_focused()
    page.keyboard.press("Control+k")
    console.find("search").fill(village["name"])
    expect(console.find("search-hit").first).to_contain_text(village["name"])
    console.press("Enter")
    expect(console.title).to_have_text(village["name"])


def test_search_finds_a_person_and_says_when_nothing_is_found(open_as: OpenPage, town: Town) -> None:
    unit = town.crew[0]
    page = open_as("dispatcher")
    console = Console(page)
    page.keyboard.press("Control+k")
    console.find("search").fill(unit.name)
    console.find("search-hit").filter(has_text=unit.name).first.click()
    expect(console.title).to_have_text(unit.name)
    expect(console.find("fix-age")).to_be_visible()
    page.keyboard.press("Control+k")
    console.find("search").fill("没有这样的地方")
    expect(page.locator("#search-hits")).to_contain_text("没有找到")


def test_search_finds_roads_points_and_what_is_near(open_as: OpenPage, town: Town) -> None:
    villages = town.supervisor.get("/areas", tier=3)["items"]
    village = min(villages, key=lambda item: (len(item["name"]), item["code"]))
    lon, lat = village["label_point"]
    roads = town.supervisor.get("/search", q="路", type="road")["items"]
    page = open_as("dispatcher")
    console = Console(page)
    hits = console.find("search-hit")
    page.keyboard.press("Control+k")
    console.find("search").fill(roads[0]["name"])
    expect(hits.filter(has_text="道路").first).to_contain_text(re.compile(r"\d (m|km)$"))
    console.find("search").fill(f"{lat:.5f}, {lon:.5f}")
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("坐标")
    console.press("Enter")
    expect(console.find("search")).not_to_be_focused()
    page.keyboard.press("Control+k")
    console.find("search").fill(f"{village['name']}附近的摄像头")
    expect(hits.first).to_contain_text("摄像头")
    expect(hits.first).to_contain_text(re.compile(r"\d (m|km)$"))
    # One that is not written like that: the list says that it guessed, and the keys pass the note by.
    wrong = next(v["name"][:-1] + "鑫" for v in villages if len(v["name"]) > 3)
    assert town.supervisor.get("/search", q=wrong)["items"][0]["fit"] == "slipped"
    console.find("search").fill(wrong)
    expect(console.find("search-fit")).to_be_visible()
    expect(hits.first).to_have_attribute("aria-selected", "true")


def test_the_command_line_looks_reports_and_opens_by_number(open_as: OpenPage, town: Town) -> None:
    old = town.report("旧事一件", level="IV")
    unit = town.crew[1]
    page = open_as("dispatcher")
    console = Console(page)
    console.press("/")
    expect(console.find("command-input")).to_be_focused()
    page.keyboard.insert_text(f"看 {unit.name}")
    expect(console.find("completion").first).to_contain_text(unit.name)
    console.press("Enter")
    expect(console.title).to_have_text(unit.name)

    console.press("/")
    page.keyboard.insert_text(old["code"].rsplit("-", 1)[1])
    console.press("Enter")
    expect(console.title).to_have_text("旧事一件")

    console.press("/")
    page.keyboard.insert_text("报 路面塌陷")
    expect(console.find("completion").first).to_contain_text("路面塌陷")
    console.press("Enter")
    expect(console.find("form-title")).to_have_value("路面塌陷")
    console.press("Control+Enter")
    expect(console.title).to_have_text("路面塌陷")
    (made,) = town.find("路面塌陷")
    assert made["source"] == "console"
    expect(console.card(made)).to_be_visible()

    # One line sends somebody: 派 with the number of the list.
    console.rows()
    console.press("/")
    page.keyboard.insert_text("派 1")
    expect(console.find("completion").first).to_contain_text("1")
    console.press("Enter")
    expect(console.card(made)).to_have_attribute("data-state", re.compile("dispatched|handling"))


def test_j_and_k_walk_the_queue(open_as: OpenPage, town: Town) -> None:
    items = [town.report(f"第{n}件", level=level) for n, level in enumerate(("II", "III", "IV"), 1)]
    console = Console(open_as("dispatcher"))
    expect(console.find("queue-card")).to_have_count(3)
    expect(console.title).to_have_text("第1件")
    console.press("j")
    expect(console.title).to_have_text("第2件")
    console.press("j")
    expect(console.card(items[2])).to_have_class(re.compile(r"\bcursor\b"))
    console.press("j")
    expect(console.title).to_have_text("第3件")
    console.press("k")
    expect(console.title).to_have_text("第2件")
    console.press("Enter")
    expect(console.card(items[1]).get_by_test_id("claim-chip")).to_be_visible()
    # Looking is not taking: the others were walked over and are nobody's.
    assert town.incident(items[0]["id"])["claimed_by"] is None
    assert town.incident(items[2]["id"])["claimed_by"] is None


def test_the_queue_is_not_sorted_again_under_the_pointer(open_as: OpenPage, town: Town) -> None:
    first = town.report("先来的", level="III")
    second = town.report("后来的", level="IV")
    page = open_as("dispatcher")
    console = Console(page)
    expect(console.find("queue-card")).to_have_count(2)
    console.card(second).hover()
    grave = town.report("更急的", level="I")
    expect(console.card(grave)).to_be_visible()

    def order() -> list[str | None]:
        return [card.get_attribute("data-id") for card in console.find("queue-card").all()]

    assert order() == [first["id"], second["id"], grave["id"]]
    page.mouse.move(640, 300)
    expect(console.find("queue-card").first).to_have_attribute("data-id", grave["id"])
    assert order() == [grave["id"], first["id"], second["id"]]


def test_filters_hide_what_they_say(open_as: OpenPage, town: Town) -> None:
    town.report("无人认领")
    console = Console(open_as("dispatcher"))
    expect(console.find("queue-card")).to_have_count(1)
    for button in ("filter-mine", "filter-late"):
        console.find(button).click()
        expect(console.find("queue-card")).to_have_count(0)
        console.find("filter-all").click()
        expect(console.find("queue-card")).to_have_count(1)
