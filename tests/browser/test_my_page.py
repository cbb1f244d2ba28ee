"""My page in a real browser: signed in with the app, both languages, narrow and wide, with and without script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_road import identify

HANGUL = re.compile("[가-힣]")
NAMES = re.compile("가게 [0-9a-f]+|안심")  # sites go by their own names
PAGES = ("", "/history", "/bill", "/looks", "/sessions")


@pytest.fixture(scope="module")
def shop(town):
    return town.shop()


@pytest.fixture(scope="module")
def mina(town, shop):
    """A member with something in the history."""
    member = town.member()
    asked = shop.ask(member.person)
    shop.confirm(asked["id"], member.number(asked["id"]))
    shop.cancel(shop.ask(member.person)["id"])
    return member


def with_the_app(page, member):
    """From the window's first page to where it leads: the app is opened on the phone."""
    identify(page, member.person)
    page.wait_for_selector(".match")
    number = member.number(page.url.rpartition("/")[2].partition("?")[0])
    page.goto(page.url)
    page.fill("[name=code]", number)
    page.click("[value=code]")
    page.wait_for_url(re.compile(r"/my$"))


def sign_in(page, member, base):
    page.goto(base)
    page.locator("main form button").click()
    with_the_app(page, member)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_is_accessible_fits_and_speaks_one_language(watched, town, mina, accessible, language):
    page = watched.new_page()
    base = f"{town.base_url}{'/en' if language == 'en' else ''}/my"
    page.goto(base)
    accessible(page)
    sign_in(page, mina, base)
    page.goto(f"{base}/history")
    one = page.locator(".rows a").last.get_attribute("href")
    month = page.goto(f"{base}/bill") and page.locator(".choices a").first.get_attribute("href")
    for address in (*(f"{base}{path}" for path in PAGES), *(f"{town.base_url}{one}{path}" for path in ("", "/not-me")),
                    f"{town.base_url}{month}"):  # fmt: skip
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_have_count(1)
        said = NAMES.sub("", page.locator("main").inner_text())
        assert language == "ko" or not HANGUL.search(said), (address, HANGUL.findall(said))
        page.set_viewport_size({"width": 1280, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 320, "height": 800})
        accessible(page)
    page.locator("form[action$='/my/sign-out'] button").click()
    expect(page.locator("form[action$='/my/sign-in']")).to_be_visible()


def test_stop_all_goes_on_with_a_press_and_off_with_the_app_without_any_script(browser, town, shop):
    jiho = town.member()
    page = browser.new_context(locale="ko-KR", java_script_enabled=False).new_page()
    sign_in(page, jiho, f"{town.base_url}/my")
    page.get_by_role("button", name="모두 막기 켜기").click()
    expect(page.locator("main")).to_contain_text("모두 막기 켜짐")
    assert shop.ask(jiho.person)["reason"] == "line_blocked"

    page.get_by_role("button", name="앱으로 확인하고 끄기").first.click()
    with_the_app(page, jiho)

    expect(page.locator("main")).to_contain_text("모두 막기를 껐어요")
    assert shop.ask(jiho.person)["state"] == "awaiting_app"
    page.context.close()


def test_two_minutes_before_the_end_it_is_told_and_one_press_goes_on(watched, town, mina):
    page = watched.new_page()
    page.clock.install()
    sign_in(page, mina, f"{town.base_url}/my")
    expect(page.get_by_role("heading", name="곧 로그아웃돼요")).to_be_hidden()
    page.clock.fast_forward("13:30")
    expect(page.get_by_role("heading", name="곧 로그아웃돼요")).to_be_visible()
    page.get_by_role("button", name="계속 쓰기").click()
    expect(page.get_by_role("heading", name="곧 로그아웃돼요")).to_be_hidden()
