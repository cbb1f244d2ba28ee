"""The owner decides, on the virtual phone: release, stop-all, blocks, "not me", what waits at the desk. Each screen
passes axe."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_roads import PASSWORD, ask_in_this_tab, errors, identify, open_page, person, registered

__all__ = ["errors", "open_page", "person"]
SHOP = "책방"
SHOW = """name => {
  for (const one of document.querySelectorAll('[data-screen]')) one.hidden = one.dataset.screen !== name;
}"""


@pytest.fixture
def phone(open_page, world_url, person):
    page = registered(open_page, world_url, person)
    page.click("[data-screen=lock] [data-go=app]")
    return page


def settings(phone, name):
    phone.click("[data-screen=waiting] [data-go=settings]")
    phone.click(f"[data-screen=settings] [data-go={name}]")


def screen(phone, name):
    return phone.locator(f"[data-screen={name}]")


def find(phone, what, words=SHOP):
    phone.click(f"[data-find={what}]")
    phone.fill("#find", words)
    phone.keyboard.press("Enter")
    expect(screen(phone, "find").locator('[data-slot="found"]')).to_contain_text(words)
    return screen(phone, "find").locator("li", has_text="bookshop.example").first


def ask(open_page, world_url, person):
    window = open_page(f"{world_url}/shop/")
    ask_in_this_tab(window)
    identify(window, person)
    return window


def test_a_release_lets_the_shop_verify_by_sms_once_and_then_the_app_again(
    phone, open_page, world_url, person, accessible
):
    settings(phone, "releases")
    expect(phone.locator('[data-empty="releases"]')).to_be_visible()
    accessible(phone)
    row = find(phone, "release")
    accessible(phone)
    row.locator("button").click()
    expect(screen(phone, "release")).to_contain_text("요금은 그대로예요")
    accessible(phone)
    phone.fill("#release_password", "999888")
    phone.click("[data-screen=release] form .button")
    expect(phone.locator("[data-notice]")).to_contain_text("4번 더 입력할 수 있어요")
    phone.fill("#release_password", PASSWORD)
    phone.click("[data-screen=release] form .button")
    expect(screen(phone, "releases").locator("li")).to_contain_text("분 남음")
    accessible(phone)

    window = ask(open_page, world_url, person)
    expect(window.locator("h1")).to_have_text("문자로 받은 6자리 숫자를 입력해 주세요")
    expect(window.locator("main")).to_contain_text("일시 해제한 사이트라서 이번 한 번만 문자로")
    accessible(window)
    phone.bring_to_front()
    phone.click("[data-screen=releases] [data-go=settings]")
    phone.click("[data-screen=settings] [data-go=app]")
    phone.click("[data-screen=waiting] [data-go=lock]")
    text = phone.locator(".push--sms").first
    expect(text).to_contain_text("본인확인 번호")
    expect(phone.locator(".push--push").first).to_contain_text("일시 해제를 써서")
    accessible(phone)
    number = re.search(r"번호 (\d{6})", text.inner_text())[1]
    window.bring_to_front()
    window.fill("[name=code]", number)
    window.click("[value=code]")
    expect(window).to_have_url(re.compile("/shop/back"))
    expect(window.locator("table")).to_contain_text("sms")

    again = ask(open_page, world_url, person)
    expect(again.locator("h1")).to_have_text("휴대폰에서 안심 앱을 열어 주세요")
    phone.bring_to_front()
    phone.click("[data-screen=lock] [data-go=app]")
    phone.click("[data-screen=request] [data-go=doubt]")
    phone.click("[data-deny=cancel]")
    phone.click("[data-screen=stopped] [data-go=app]")
    phone.click("[data-screen=waiting] [data-go=settings]")
    phone.click("[data-screen=settings] [data-go=history]")
    expect(screen(phone, "history")).to_contain_text("일시 해제로 문자로 받음")
    accessible(phone)
    phone.click("[data-screen=history] [data-go=settings]")
    phone.click("[data-screen=settings] [data-go=releases]")
    expect(screen(phone, "releases").locator("li")).to_contain_text("문자로 썼어요")


def test_a_release_ends_with_one_press(phone):
    settings(phone, "releases")
    find(phone, "release").locator("button").click()
    phone.fill("#release_password", PASSWORD)
    phone.click("[data-screen=release] form .button")
    phone.click("[data-withdraw]")
    expect(phone.locator("[data-notice]")).to_contain_text("일시 해제를 끝냈어요")
    expect(phone.locator('[data-empty="releases"]')).to_be_visible()


def test_stop_all_is_one_press_on_and_the_password_off(phone, open_page, world_url, person, accessible):
    settings(phone, "stopall")
    accessible(phone)
    phone.click("[data-screen=stopall] [data-stop]")
    expect(screen(phone, "stopall").locator('[data-slot="stop_all"]')).to_have_text("켜짐")
    accessible(phone)
    window = ask(open_page, world_url, person)
    expect(window.locator("h1")).to_have_text("이 정보로는 지금 본인확인을 할 수 없어요")
    phone.bring_to_front()
    phone.fill("#stop_password", PASSWORD)
    phone.keyboard.press("Enter")
    expect(screen(phone, "stopall").locator('[data-slot="stop_all"]')).to_have_text("꺼짐")


def test_a_site_is_blocked_with_one_press_and_unblocked_with_the_password(phone, accessible):
    settings(phone, "blocked")
    accessible(phone)
    find(phone, "block", "bookshop.example").locator("button").click()
    expect(screen(phone, "blocked").locator("li")).to_contain_text(SHOP)
    accessible(phone)
    screen(phone, "blocked").locator("li button").click()
    accessible(phone)
    phone.fill("#unblock_password", PASSWORD)
    phone.click("[data-screen=unblock] form .button")
    expect(phone.locator("[data-notice]")).to_have_text("차단을 풀었어요.")
    expect(phone.locator('[data-empty="blocked"]')).to_be_visible()


def test_after_not_me_the_site_can_be_blocked_at_once(phone, open_page, world_url, person, accessible):
    ask(open_page, world_url, person)
    phone.bring_to_front()
    phone.click("[data-screen=waiting] [data-go=app]")
    phone.click("[data-screen=request] [data-deny=not_me]")
    expect(screen(phone, "refused")).to_contain_text("까지 받지 않아요")
    expect(phone.locator("[data-offer]")).to_be_hidden()
    accessible(phone)
    phone.click("[data-block-this]")
    expect(screen(phone, "blocked").locator("li")).to_contain_text(SHOP)


def test_what_was_taken_down_at_the_desk_is_seen_and_stopped(phone, person, town, accessible):
    town.manage("demo", "leave", person["contract"], "--desk")
    phone.click("[data-screen=waiting] [data-go=settings]")
    expect(phone.locator("[data-pending]")).to_be_visible()
    accessible(phone)
    phone.click("[data-screen=settings] [data-go=pending]")
    expect(screen(phone, "pending").locator("li")).to_contain_text("서비스 해지")
    accessible(phone)
    phone.click("[data-pending-stop]")
    expect(phone.locator("[data-notice]")).to_contain_text("신청을 멈췄어요")
    expect(phone.locator("[data-pending]")).to_be_hidden()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_screen_fits_in_both_languages(page, world_url, accessible, language, width):
    """Shown without a server behind: only how they look."""
    page.set_viewport_size({"width": width, "height": 720})
    page.goto(f"{world_url}/phone/01030010001?lang={language}")
    page.wait_for_selector("[data-screen=lock]:not([hidden])")
    for name in ("settings", "stopall", "blocked", "unblock", "releases", "find", "release", "pending", "refused"):
        page.evaluate(SHOW, name)
        page.evaluate("document.querySelector('[data-slot=finding]').textContent ||= '-'")
        page.evaluate("document.querySelector('[data-slot=found]').textContent ||= '-'")
        accessible(page)
