"""The way in: wrong words, right words, where one lands, and out again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.guard import Guard
from tests.browser.pages import LIVE
from tests.browser.town import PASSWORD, Town


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.fill("#username", username)
    page.fill("#password", password)
    expect(page.locator("#submit")).to_be_enabled()
    page.press("#password", "Enter")


def test_wrong_password_is_told_in_words_and_leads_nowhere(
    new_context: Callable[..., BrowserContext], guard: Guard, town: Town
) -> None:
    guard.allow("status of 401")
    page = new_context().new_page()
    page.goto("/")
    expect(page).to_have_url("/login?next=%2F")
    sign_in(page, "dispatcher", "not the password")
    expect(page.locator("#message")).to_contain_text("账号或密码不对")
    expect(page.locator("#password")).to_have_attribute("aria-invalid", "true")
    expect(page).to_have_url("/login?next=%2F")
    sign_in(page, "dispatcher")
    page.wait_for_function(LIVE)
    expect(page).to_have_url("/")


@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"]
)
def test_next_leads_only_to_pages_of_the_service(
    new_context: Callable[..., BrowserContext], guard: Guard, town: Town, elsewhere: str
) -> None:
    guard.allow("status of 401")
    page = new_context().new_page()
    page.goto(f"/login?next={elsewhere}")
    sign_in(page, "leader")
    page.wait_for_function(LIVE)
    expect(page).to_have_url("/")


def test_a_worker_lands_on_the_field_page_and_a_wish_is_kept(
    new_context: Callable[..., BrowserContext], guard: Guard, town: Town
) -> None:
    guard.allow("status of 401")
    phone = new_context(viewport={"width": 390, "height": 844}).new_page()
    phone.goto("/login")
    sign_in(phone, "worker")
    expect(phone).to_have_url("/field")
    page = new_context().new_page()
    page.goto("/wall")
    expect(page).to_have_url("/login?next=%2Fwall")
    sign_in(page, "leader")
    expect(page).to_have_url("/wall")


def test_signing_out_ends_the_session_of_every_tab(
    new_context: Callable[..., BrowserContext], guard: Guard, town: Town
) -> None:
    guard.allow("status of 401")
    context = new_context()
    page = context.new_page()
    page.goto("/login?next=/")
    sign_in(page, "operator")
    page.wait_for_function(LIVE)
    other = context.new_page()
    other.goto("/")
    other.wait_for_function(LIVE)
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("sign-out").click()
    # A request that the page had on its way is refused, and leads there too, with the way back.
    expect(page).to_have_url(re.compile(r"/login(\?next=%2F)?$"))
    expect(other).to_have_url("/login?next=%2F")
