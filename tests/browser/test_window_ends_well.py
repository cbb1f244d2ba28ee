"""What people do to a window besides the straight road: reload, back, two tabs, double clicks, lost lines, popups."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_road import identify
from tests.browser.test_window_screens import DONE, REFUSED, STOPPED, h1, magic
from tests.client.partner import identity
from tests.client.world import until

W1, W2 = "본인 정보를 입력해 주세요", "휴대폰에서 안심 앱을 열어 주세요"
W3 = "문자로 받은 6자리 숫자를 입력해 주세요"
TRIES = "SELECT identity_tries_left FROM verification_verification WHERE id = %s"


def other(number):
    return f"{(int(number) + 1) % 10**6:06}"


# --- Reload and back --------------------------------------------------------------------------------------------------


def test_a_reload_repeats_nothing(town, window, bookshop):
    mina = town.world.person()
    page = window()
    page.reload()
    expect(h1(page)).to_have_text(W1)
    identify(page, mina | {"birthdate": "900102"})
    expect(page.locator(".notice--bad")).to_be_visible()
    expect(page.locator("[name=phone]")).to_have_value(mina["phone"])
    page.reload()
    page.reload()
    assert town.rows(TRIES, page.asked["id"]) == [(2,)]

    identify(page, mina)
    expect(h1(page)).to_have_text(W3)
    page.reload()
    number = town.world.number(mina)
    page.fill("[name=code]", other(number))
    page.click("[value=code]")
    expect(page.locator(".errors")).to_contain_text("4번 더")
    page.reload()
    expect(page.locator(".errors")).to_have_count(0)
    page.wait_for_timeout(1000)  # resend_after
    page.click("[value=resend]")
    expect(page.locator(".notice--ok")).to_contain_text("1번째")
    page.reload()
    expect(page.locator(".notice--ok")).to_have_count(0)

    assert bookshop.now(page.asked["id"])["tries_left"] == 4
    assert town.world.number(mina, after=1) == number
    assert len(town.world.texts(mina)) == 2


def test_back_after_an_end_shows_the_end_and_never_the_form(town, window):
    page = window()
    identify(page, magic(10))
    expect(h1(page)).to_have_text(REFUSED)
    page.goto(f"{town.world.http.base_url}/shop/")
    page.go_back()
    expect(h1(page)).to_have_text(REFUSED)


def test_back_after_success_shows_it_and_does_not_throw_the_person_out_again(town, window, bookshop):
    page = window(return_url=f"{bookshop.entry['return_origin']}/shop/back", identity=identity(magic(1)))
    expect(h1(page)).to_have_text(W3)
    page.fill("[name=code]", "123456")
    page.click("[value=code]")
    expect(page).to_have_url(re.compile("/shop/back"))
    page.go_back()
    expect(h1(page)).to_have_text(DONE)
    page.wait_for_timeout(300)
    expect(h1(page)).to_have_text(DONE)
    page.click("[data-back]")
    expect(page).to_have_url(re.compile("/shop/back"))


# --- Two tabs, double clicks ------------------------------------------------------------------------------------------


def test_two_tabs_of_one_window_agree_and_one_number_counts(town, window, new_page, bookshop):
    mina = town.world.person()
    one = window()
    two = new_page(one.asked["window_url"])
    expect(h1(two)).to_have_text(W1)
    identify(one, mina)
    expect(h1(one)).to_have_text(W3)
    identify(two, mina)
    expect(h1(two)).to_have_text(W3)
    number = town.world.number(mina)
    assert len(town.world.texts(mina)) == 1, "the second tab asked for nothing"

    one.fill("[name=code]", other(number))
    one.click("[value=code]")
    expect(one.locator(".errors")).to_contain_text("4번 더")
    two.fill("[name=code]", other(number))
    two.click("[value=code]")
    expect(two.locator(".errors")).to_contain_text("3번 더")

    one.fill("[name=code]", number)
    one.click("[value=code]")
    expect(h1(one)).to_have_text(DONE)
    two.fill("[name=code]", number)
    two.click("[value=code]")
    expect(h1(two)).to_have_text(DONE)
    assert bookshop.end(one.asked["id"]) == ("verified", None)


def twice(page, button):
    """Two clicks so far apart that the first is on its way (a faster pair the browser itself makes one)."""
    page.locator(button).evaluate("(one) => { one.click(); setTimeout(() => one.click(), 10); }")


@pytest.mark.parametrize("press", [twice, lambda page, button: page.dblclick(button)], ids=["slow", "fast"])
def test_a_double_click_on_any_button_does_one_thing(town, window, bookshop, press):
    mina = town.world.person()
    page, posts = window(), []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    for name, value in (identity(mina) | {"birthdate": "900102"}).items():
        page.fill(f"[name={name}]", value)
    page.check("[name=consent_collect]")
    page.check("[name=consent_share]")
    press(page, "[value=identity]")
    expect(page.locator(".notice--bad").first).to_be_visible()
    assert town.rows(TRIES, page.asked["id"]) == [(2,)]
    page.fill("[name=birthdate]", mina["birthdate"])
    press(page, "[value=identity]")
    expect(h1(page)).to_have_text(W3)

    number = town.world.number(mina)
    page.fill("[name=code]", other(number))
    press(page, "[value=code]")
    expect(page.locator(".errors")).to_contain_text("4번 더")
    page.wait_for_timeout(1000)  # resend_after
    press(page, "[value=resend]")
    expect(page.locator(".notice--ok")).to_contain_text("1번째")
    until(lambda: len(town.world.texts(mina)) == 2)
    press(page, "[value=cancel]")
    expect(h1(page)).to_have_text(STOPPED)
    assert bookshop.now(page.asked["id"])["tries_left"] == 4
    assert bookshop.end(page.asked["id"]) == ("cancelled", "cancelled_by_customer")
    assert len(town.world.texts(mina)) == 2
    if press is twice:
        assert len(posts) == 5, "one for each press"


def test_a_double_click_while_the_app_is_awaited_rings_once(town, window):
    mina = town.member()
    page = window(identity=identity(mina.person))
    page.dblclick("text=앱에서 비밀번호를 입력했어요")
    expect(page.locator(".notice--warn").first).to_contain_text("아직")
    page.wait_for_timeout(1000)  # resend_after
    page.dblclick("[value=resend]")
    expect(page.locator(".notice--ok")).to_contain_text("1번째")
    until(lambda: len(town.world.pushes(mina.push_token, "wake")) == 2)
    page.dblclick("[value=cancel]")
    expect(h1(page)).to_have_text(STOPPED)


# --- The connection ---------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_said_and_nothing_typed_is_lost(town, window, context):
    page = window(identity=identity(magic(1)))
    expect(h1(page)).to_have_text(W3)
    page.fill("[name=code]", "123456")
    context.set_offline(True)
    expect(page.locator("[data-offline]")).to_be_visible()
    page.click("[value=code]")
    expect(h1(page)).to_have_text(W3)
    expect(page.locator("[name=code]")).to_have_value("123456")
    context.set_offline(False)
    expect(page.locator("[data-offline]")).to_be_hidden()
    page.click("[value=code]")
    expect(h1(page)).to_have_text(DONE)


def test_the_waiting_page_goes_on_when_the_connection_is_back(town, window, context, bookshop):
    page = window(identity=identity(magic(6)))  # its time is over after 3 s
    expect(h1(page)).to_have_text(W2)
    context.set_offline(True)
    expect(page.locator("[data-offline]")).to_be_visible()
    until(lambda: bookshop.end(page.asked["id"]) == ("expired", "app_not_opened"))
    expect(h1(page)).to_have_text(W2)
    context.set_offline(False)
    expect(h1(page)).to_have_text("시간이 지나 인증을 끝냈어요")


# --- The popup --------------------------------------------------------------------------------------------------------

LISTEN = "() => { window.heard = []; addEventListener('message', (event) => heard.push([event.origin, event.data])); }"


def opened_by(page, url):
    with page.expect_popup() as popup:
        page.evaluate("(url) => { window.child = window.open(url, '_blank', 'popup,width=430,height=680'); }", url)
    return popup.value


def test_the_result_reaches_the_registered_origin(town, watched, bookshop):
    asked = bookshop.create(identity=identity(magic(1))).json()
    shop = watched.new_page()
    shop.goto(f"{town.world.http.base_url}/shop/")
    shop.evaluate(LISTEN)
    popup = opened_by(shop, asked["window_url"])
    popup.fill("[name=code]", "123456")
    with popup.expect_event("close"):
        popup.click("[value=code]")
    message = {"type": "ansim.verification", "verification_id": asked["id"], "state": "verified"}
    assert shop.evaluate("heard") == [[town.base_url, message]]


def test_the_result_reaches_no_other_origin(town, context, bookshop):
    context.route("http://thief.example/", lambda route: route.fulfill(body="<h1>Thief</h1>", content_type="text/html"))
    thief = context.new_page()
    thief.goto("http://thief.example/")
    thief.evaluate(LISTEN)
    popup = opened_by(thief, bookshop.create(identity=identity(magic(1))).json()["window_url"])
    said = []
    popup.on("console", lambda message: said.append(message.text))
    popup.fill("[name=code]", "123456")
    with popup.expect_event("close"):
        assert popup.evaluate("Boolean(opener)")
        popup.click("[value=code]")
    assert thief.evaluate("heard") == []
    assert [text for text in said if "postMessage" not in text] == []


def test_a_blocked_popup_goes_on_in_the_same_tab(town, watched):
    shop = watched.new_page()
    shop.add_init_script("window.open = () => null")
    shop.goto(f"{town.world.http.base_url}/shop/")
    shop.click("button.main")
    expect(shop.locator("[name=birthdate]")).to_be_visible()
    identify(shop, magic(1))
    shop.fill("[name=code]", "123456")
    shop.click("[value=code]")
    expect(shop).to_have_url(re.compile("/shop/back"))


# --- Typing and time --------------------------------------------------------------------------------------------------

PASTE = """(input, text) => { input.focus(); document.execCommand("insertText", false, text); }"""


def test_a_number_may_be_pasted_as_it_was_written(window):
    page = window(identity=identity(magic(1)))
    for left, pasted in ((4, "111 111"), (3, "111-111"), (2, "１１１１１１"), (0, " 123456 ")):
        page.fill("[name=code]", "")
        page.locator("[name=code]").evaluate(PASTE, pasted)
        expect(page.locator("[name=code]")).to_have_value(pasted)
        page.click("[value=code]")
        if left:
            expect(page.locator(".errors")).to_contain_text(f"{left}번 더")
    expect(h1(page)).to_have_text(DONE)


def test_birth_date_and_digit_may_be_pasted_at_once(window):
    page = window()
    for pasted in ("9001011", "900101-1", "９００１０１-１"):
        page.fill("[name=birthdate]", "")
        page.fill("[name=gender_digit]", "")
        page.locator("[name=birthdate]").evaluate(PASTE_EVENT, pasted)
        expect(page.locator("[name=birthdate]")).to_have_value("900101")
        expect(page.locator("[name=gender_digit]")).to_have_value("1")


PASTE_EVENT = """(input, text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  input.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, cancelable: true, bubbles: true}));
}"""
WATCH_WORDS = """() => {
  window.said = [document.querySelector("[data-say]").textContent];
  new MutationObserver(() => said.push(document.querySelector("[data-say]").textContent))
    .observe(document.querySelector("[data-say]"), {childList: true, characterData: true, subtree: true});
}"""


def test_time_is_announced_at_the_start_at_60_at_20_and_at_the_end_and_else_never(town, new_page, watched):
    shop = town.shop(code_ttl=100)
    page = watched.new_page()
    page.clock.install()
    page.goto(shop.ask(magic(1))["window_url"])
    page.evaluate(WATCH_WORDS)
    page.fill("[name=code]", "12")
    page.clock.run_for(30_000)
    (start,) = page.evaluate("said")
    assert re.fullmatch(r"남은 시간 1분 \d+초", start)
    page.clock.run_for(20_000)
    assert page.evaluate("said")[1:] == ["1분 남았어요."]
    expect(page.locator("[data-over]")).to_be_hidden()
    page.clock.run_for(60_000)
    assert page.evaluate("said")[1:] == ["1분 남았어요.", "20초 남았어요.", "시간이 다 됐어요."]
    expect(page.locator("[data-over]")).to_be_visible()
    expect(page.locator("[data-clock]")).to_have_text("0:00")
    expect(page.locator("[name=code]")).to_have_value("12")
    assert page.locator(":focus").get_attribute("name") == "code"
