"""One person, one road, a real browser: by keyboard alone, by SMS, and through every state of the window.

Every page here is watched: nothing in the console, no CSP violation, no host but our own two.
"""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE_SIZED


def identify(page, person):
    for name in ("birthdate", "gender_digit", "phone"):
        page.fill(f"[name={name}]", person[name])
    page.check("[name=consent_collect]")
    page.check("[name=consent_share]")
    page.click("[value=identity]")


def tab_to(page, selector):
    """Presses Tab until that element has the focus; it must be seen to have it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate("(element, selector) => element.matches(selector)", selector):
            outline = focused.evaluate(
                "element => getComputedStyle(element).outlineStyle + getComputedStyle(element).boxShadow"
            )
            assert outline != "nonenone", f"{selector}: the focus cannot be seen"
            return
    raise AssertionError(f"{selector} is never reached")


def test_the_sms_road_by_keyboard_alone_with_the_phones_inbox(town, new_page):
    mina = town.world.person()
    inbox = new_page(f"{town.world.http.base_url}/phone/0{mina['phone'][3:]}")
    shop = new_page(f"{town.world.http.base_url}/shop/")
    tab_to(shop, "button.main")
    shop.keyboard.press("Enter")
    shop.wait_for_selector("[name=birthdate]")
    for name in ("birthdate", "gender_digit", "phone"):
        tab_to(shop, f"[name={name}]")
        shop.keyboard.type(mina[name])
    for name in ("consent_collect", "consent_share"):
        tab_to(shop, f"[name={name}]")
        shop.keyboard.press("Space")
    tab_to(shop, "[value=identity]")
    shop.keyboard.press("Enter")
    expect(shop.locator("h1")).to_have_text("문자로 받은 6자리 숫자를 입력해 주세요")
    expect(shop.locator("[name=code]")).to_have_attribute("autocomplete", "one-time-code")

    inbox.bring_to_front()
    text = inbox.locator(".push--sms").first
    expect(text).to_contain_text("본인확인 번호")
    number = re.search(r"번호 (\d{6})", text.inner_text())[1]
    shop.bring_to_front()
    tab_to(shop, "[name=code]")
    shop.keyboard.type(number)
    shop.keyboard.press("Enter")

    expect(shop).to_have_url(re.compile("/shop/back"))
    expect(shop.locator("table")).to_contain_text(mina["phone"])
    expect(shop.locator("h1")).to_have_text("어서 오세요, 본인확인을 마쳤어요")


def test_the_app_road_moves_on_by_itself_when_the_phone_has_the_number(town, window, bookshop, accessible):
    mina, home = town.member(), f"{bookshop.entry['return_origin']}/shop/back"
    page = window(return_url=home)
    page.route(f"{home}?*", lambda route: route.fulfill(status=204))  # so that the last page stays to be looked at
    identify(page, mina.person)
    expect(page.locator("h1")).to_be_focused()
    (waiting,) = mina.waiting()
    expect(page.locator(".match__digits")).to_have_text(waiting["match_number"])
    accessible(page)
    page.click("text=앱에서 비밀번호를 입력했어요")
    expect(page.locator(".notice")).to_contain_text(["아직 비밀번호를 입력하지 않았어요"])
    accessible(page)
    page.click("[value=resend]")
    expect(page.locator(".notice").first).to_contain_text("다시 보")
    accessible(page)

    number = mina.number(page.asked["id"])

    expect(page.locator("h1")).to_have_text("앱에 보이는 6자리 숫자를 입력해 주세요", timeout=8_000)
    expect(page.locator("[name=code]")).to_have_attribute("autocomplete", "off")
    accessible(page)
    page.fill("[name=code]", number)
    with page.expect_request(f"{home}?*") as left:
        page.click("[value=code]")
    assert f"verification_id={page.asked['id']}&state=verified" in left.value.url
    expect(page.locator("h1")).to_have_text("본인확인을 마쳤어요")
    accessible(page)
    assert town.world.texts(mina.person) == []


def test_typing_mistakes_are_said_where_they_were_made(town, window, accessible):
    mina = town.world.person()
    page = window()
    accessible(page)
    page.click("[value=identity]")
    expect(page.locator(".errors")).to_be_focused()
    expect(page).to_have_title(re.compile("^오류: "))
    accessible(page)
    page.click(".errors a >> nth=0")
    expect(page.locator("[name=birthdate]")).to_be_focused()
    identify(page, mina | {"birthdate": "900102"})
    expect(page.locator(".notice--bad")).to_contain_text("통신사에 등록된 것과 다르거나")
    accessible(page)
    identify(page, mina)
    number = town.world.number(mina)
    page.fill("[name=code]", f"{(int(number) + 1) % 10**6:06}")
    page.click("[value=code]")
    expect(page.locator(".errors")).to_contain_text("4번 더 입력할 수 있어요")
    expect(page.locator("[name=code]")).to_have_attribute("aria-invalid", "true")
    accessible(page)
    page.click("[value=resend]")
    accessible(page)


def test_every_end_is_told_and_stays_after_a_reload_and_the_back_button(town, window, bookshop, accessible):
    mina, hasty = town.member(), town.shop(identity_ttl=1)

    def stopped(page):
        page.click("[value=cancel]")

    def refused(page):
        for _ in range(3):
            identify(page, town.world.person() | {"birthdate": "900102"})

    def unregistered(page):
        identify(page, town.manage("demo", "member"))

    def superseded(page):
        identify(page, mina.person)
        bookshop.cancel(bookshop.ask(mina.person)["id"])
        page.reload()

    def late(page):
        time.sleep(1.1)
        page.reload()

    ends = {
        "인증을 그만뒀어요": (stopped, bookshop),
        "이 정보로는 지금 본인확인을 할 수 없어요": (refused, bookshop),
        "안심 앱을 먼저 등록해 주세요": (unregistered, bookshop),
        "더 새로운 인증이 시작됐어요": (superseded, bookshop),
        "시간이 지나 인증을 끝냈어요": (late, hasty),
    }
    for heading, (bring_about, shop) in ends.items():
        page = window(shop)
        bring_about(page)
        expect(page.locator("h1")).to_have_text(heading)
        accessible(page)
        page.reload()
        expect(page.locator("h1")).to_have_text(heading)
        page.close()


def test_a_window_opened_elsewhere_and_the_carrier_away(town, window, new_page, browser, accessible):
    page = window()
    town.world.fail("carrier", "error", 1)
    identify(page, town.world.person())
    expect(page.locator(".notice--warn:visible")).to_contain_text("지금은 통신사에 확인할 수 없어요")
    expect(page.locator("[name=phone]")).not_to_have_value("")
    accessible(page)
    with browser.new_context(locale="ko-KR", viewport=PHONE_SIZED) as stranger:
        elsewhere = stranger.new_page()
        elsewhere.goto(page.asked["window_url"])
        expect(elsewhere.locator("h1")).to_have_text("다른 브라우저에서 이미 열었어요")
        accessible(elsewhere)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_window_fits_the_narrowest_screen_in_both_languages(town, window, accessible, language):
    page = window()
    page.set_viewport_size({"width": 215, "height": 640})
    page.emulate_media(color_scheme="dark")
    page.goto(f"{page.url}?lang={language}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    accessible(page)
    identify(page, town.world.person())
    expect(page.locator("[name=code]")).to_be_visible()
    accessible(page)


def test_a_customer_who_shuts_the_popup_is_told_so_at_the_shop(town, watched, bookshop):
    shop = watched.new_page()
    shop.set_viewport_size({"width": 1280, "height": 800})
    shop.goto(f"{town.world.http.base_url}/shop/")
    with shop.expect_popup() as popup:
        shop.click("button.main")
    popup.value.wait_for_selector("[name=birthdate]")
    popup.value.close()
    expect(shop.locator("[data-status]")).to_contain_text("창을 닫아서")
