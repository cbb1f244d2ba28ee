"""The hosted window without JavaScript: what a person sees, types and presses, on both roads and to every end."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client.world import until

W1, W3_SMS = "본인 정보를 입력해 주세요", "문자로 받은 6자리 숫자를 입력해 주세요"
W2, W3_APP = "휴대폰에서 안심 앱을 열어 주세요", "앱에 보이는 6자리 숫자를 입력해 주세요"
REFUSED, ELSEWHERE = "이 정보로는 지금 본인확인을 할 수 없어요", "다른 브라우저에서 이미 열었어요"
DONE, OVER, STOPPED = "본인확인을 마쳤어요", "시간이 지나 인증을 끝냈어요", "인증을 그만뒀어요"


@pytest.fixture(scope="module")
def mina(town):
    """A member with the app."""
    return town.member()


@pytest.fixture
def opened(town, bookshop):
    """opened(shop=…, identity=…): the window of a new verification in a browser of its own, and the verification."""

    def open_one(shop=bookshop, **body):
        answer = shop.create(**body)
        assert answer.status_code == 201, answer.text
        browser = town.browser()
        browser.open(answer.json()["window_url"])
        return browser, answer.json()

    return open_one


def other(number):
    return f"{(int(number) + 1) % 10**6:06}"


def test_the_sms_road_from_the_first_field_to_the_shop(town, world, bookshop, opened):
    mina = world.person()
    home = f"{bookshop.entry['return_origin']}/back?order=7"
    browser, asked = opened(return_url=home)
    assert (browser.page.status, browser.page.h1) == (200, W1)
    assert bookshop.entry["name"] in browser.page.text
    assert bookshop.entry["domain"] in browser.page.text

    assert browser.identify(mina).h1 == W3_SMS
    assert f"010-****-{mina['phone'][-4:]}" in browser.page.text
    browser.press("code", code=world.number(mina))

    assert browser.page.h1 == DONE
    assert browser.page.refresh in browser.page.links.values()
    back = urlsplit(browser.page.refresh)
    assert browser.page.refresh.startswith(home)
    assert parse_qs(back.query) == {"order": ["7"], "verification_id": [asked["id"]], "state": ["verified"]}
    assert bookshop.now(asked["id"])["result"]["phone"] == mina["phone"]


def test_the_app_road_shows_the_match_number_and_asks_for_the_number_after_the_password(world, bookshop, opened, mina):
    browser, asked = opened()
    page = browser.identify(mina.person)
    assert page.h1 == W2
    (waiting,) = mina.waiting()
    assert waiting["match_number"] in re.findall(r"\b\d\d\b", page.text)
    assert page.refresh == page.url, "without JavaScript it looks again by itself"

    early = browser.open(f"{page.url}?pressed=1")
    assert "아직 비밀번호를 입력하지 않았어요" in early.text
    number = mina.number(asked["id"])
    assert browser.open(f"{page.url}?pressed=1").h1 == W3_APP
    assert browser.press("code", code=f"{number[:3]} {number[3:]}").h1 == DONE
    assert bookshop.end(asked["id"]) == ("verified", None)
    assert world.texts(mina.person) == []


def test_where_the_shop_knows_the_person_the_window_starts_with_the_number(world, bookshop, opened):
    mina = world.person()
    browser, _asked = opened(identity={name: mina[name] for name in ("birthdate", "gender_digit", "phone")})
    assert browser.page.h1 == W3_SMS
    full_width = world.number(mina).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    assert browser.press("code", code=full_width).h1 == DONE


def test_a_wrong_identity_looks_the_same_twice_and_ends_it_the_third_time(world, bookshop, opened):
    mina = world.person()
    browser, asked = opened()

    pages = [browser.identify(mina, birthdate="900102") for _ in range(2)]

    assert [page.h1 for page in pages] == [W1, W1]
    assert all("입력한 정보가 통신사에 등록된 것과 다르거나" in page.text for page in pages)
    assert bookshop.end(asked["id"]) == ("created", None)
    assert browser.identify(mina, birthdate="900102").h1 == REFUSED
    assert bookshop.end(asked["id"]) == ("failed", "identity_mismatch")
    assert browser.reload().h1 == REFUSED, "reloading an end shows the end"


def test_who_gets_it_right_at_the_third_try_is_through(world, bookshop, opened):
    mina = world.person()
    browser, _ = opened()
    for _ in range(2):
        browser.identify(mina, gender_digit="2")
    assert browser.identify(mina).h1 == W3_SMS


def test_what_is_not_in_the_right_format_is_no_try_and_is_said_in_words(world, bookshop, opened):
    mina = world.person()
    browser, _asked = opened()
    wrong = [
        ({"birthdate": "9001"}, "생년월일 6자리를 입력해 주세요"),
        ({"birthdate": "900231"}, "없는 날짜예요"),
        ({"birthdate": "990101", "gender_digit": "3"}, "앞으로 올 날짜예요"),
        ({"gender_digit": "x"}, "뒤 첫째 자리는 숫자 1개예요"),
        ({"phone": "02-123-4567"}, "010으로 시작하는 11자리를 입력해 주세요"),
        ({"consent_share": ""}, "필수 동의가 남아 있어요"),
    ]
    for typed, words in wrong:
        page = browser.identify(mina, **typed)
        assert (page.status, page.h1, page.title[:3]) == (200, W1, "오류:"), typed
        assert words in page.text
        kept = page.form("identity").fields
        assert kept["phone"] == typed.get("phone", mina["phone"])
    assert browser.identify(
        mina, birthdate="９００１０１", phone=" 0" + mina["phone"][3:5] + " " + mina["phone"][5:]
    ).h1 == (W3_SMS)


def test_wrong_numbers_in_the_window(world, bookshop, opened):
    mina = world.person()
    browser, asked = opened()
    browser.identify(mina)
    number = world.number(mina)

    assert "숫자 6자리를 입력해 주세요" in browser.press("code", code="12").text
    assert bookshop.now(asked["id"])["tries_left"] == 5
    first = browser.press("code", code=other(number))
    assert "4번 더 입력할 수 있어요" in first.text
    assert first.form("code").fields["code"] == other(number), "what was typed stays"
    for _ in range(2):
        browser.press("code", code=other(number))
    assert "한 번 더 틀리면" in browser.press("code", code=other(number)).text
    assert browser.press("code", code=other(number)).h1 == "인증번호를 여러 번 틀려 이번 인증을 끝냈어요"
    assert bookshop.end(asked["id"]) == ("failed", "too_many_wrong_codes")


def test_a_reload_after_a_wrong_number_counts_nothing(world, bookshop, opened):
    mina = world.person()
    browser, asked = opened()
    browser.identify(mina)
    browser.press("code", code=other(world.number(mina)))
    for _ in range(3):
        browser.reload()
    assert bookshop.now(asked["id"])["tries_left"] == 4


def test_sending_again_from_the_window(town, world, opened):
    shop = town.shop(resend_after=2)
    mina = world.person()
    browser, _asked = opened(shop)
    browser.identify(mina)
    number = world.number(mina)
    assert re.search(r"[12]초 뒤에 다시 보낼 수 있어요", browser.press("resend").text)
    for count in (1, 2, 3):
        time.sleep(2.05)
        assert f"다시 보냈어요. ({count}번째)" in browser.press("resend").text
    assert world.number(mina, after=3) == number
    assert "resend" not in [button for form in browser.page.forms for button in form.buttons]


def test_the_wake_up_can_be_sent_again_until_it_is_used_up(town, world, opened, mina):
    shop = town.shop(resends=1)
    browser, asked = opened(shop)
    browser.identify(mina.person)
    time.sleep(1.05)
    assert "다시 보냈어요. (1번째)" in browser.press("resend").text
    assert "더 보낼 수 없어요" in browser.press("resend").text
    until(lambda: [p["verification"] for p in world.pushes(mina.push_token, "wake")].count(asked["id"]) == 2)
    browser.press("cancel")


@pytest.mark.parametrize("at", ["identity", "app", "code"])
def test_the_customer_may_stop_at_every_step(world, bookshop, opened, mina, at):
    browser, asked = opened()
    if at != "identity":
        browser.identify(mina.person if at == "app" else world.person())
    assert browser.press("cancel").h1 == STOPPED
    assert bookshop.end(asked["id"]) == ("cancelled", "cancelled_by_customer")


def test_each_time_limit_shows_on_the_next_look(town, world, opened, mina):
    hasty = town.shop(identity_ttl=3, app_ttl=3, code_ttl=3)
    empty, _ = opened(hasty)
    app, _ = opened(hasty)
    app.identify(mina.person)
    typed, _ = opened(hasty)
    typed.identify(world.person())
    time.sleep(3.1)
    assert [(browser.reload().status, browser.page.h1) for browser in (empty, app, typed)] == [(200, OVER)] * 3


def test_a_number_typed_too_late_finds_the_end(town, world, opened):
    hasty, mina = town.shop(code_ttl=3), world.person()
    browser, asked = opened(hasty)
    browser.identify(mina)
    number = world.number(mina)
    time.sleep(3.1)
    assert browser.press("code", code=number).h1 == OVER
    assert hasty.end(asked["id"]) == ("expired", "code_not_entered")


def test_what_happens_elsewhere_shows_in_the_window(town, world, bookshop, opened):
    mina = town.member()
    superseded, _ = opened()
    superseded.identify(mina.person)
    denied, asked = opened()
    denied.identify(mina.person)
    mina.deny(asked["id"])
    cancelled, third = opened()
    bookshop.cancel(third["id"])

    assert superseded.reload().h1 == "더 새로운 인증이 시작됐어요"
    assert denied.reload().h1 == "휴대폰에서 거부했어요"
    assert cancelled.reload().h1 == "이용 사이트에서 인증을 멈췄어요"


def test_a_member_without_the_app_is_told_to_register_it(town, world, opened):
    member = town.manage("demo", "member")
    browser, _ = opened()
    assert browser.identify(member).h1 == "안심 앱을 먼저 등록해 주세요"
    assert world.texts(member) == []


def test_the_waiting_page_asks_for_the_state_and_gets_an_etag(town, world, opened, mina):
    browser, asked = opened()
    browser.identify(mina.person)
    address = f"{browser.page.url.partition('?')[0]}/state"
    first = browser.http.get(address)
    assert first.json()["state"] == "awaiting_app"
    assert len(first.content) <= 300
    assert browser.http.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    mina.number(asked["id"])
    changed = browser.http.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.json()["state"] == "awaiting_code"
    browser.reload()
    browser.press("cancel")


def test_the_carrier_away_is_said_and_the_window_stays_as_it_was(town, world, bookshop, opened):
    mina = world.person()
    browser, asked = opened()
    world.fail("carrier", "error", 1)
    page = browser.identify(mina)
    assert (page.status, page.h1) == (503, W1)
    assert "지금은 통신사에 확인할 수 없어요" in page.text
    assert page.form("identity").fields["phone"] == mina["phone"]
    assert bookshop.end(asked["id"]) == ("created", None)
    assert browser.identify(mina).h1 == W3_SMS


def test_the_window_speaks_english_too(town, world, opened):
    browser, _asked = opened()
    page = browser.open(f"{browser.page.url}?lang=en")
    assert page.h1
    assert not re.search("[가-힣]", page.h1), page.h1
    page = browser.identify(world.person())
    assert not re.search("[가-힣]", page.h1), page.h1
    assert browser.open(f"{page.url.partition('?')[0]}?lang=ko").h1 == W3_SMS


def test_words_from_a_partner_are_text_never_markup(town, world, bookshop, opened):
    browser, _ = opened(return_url=f"{bookshop.entry['return_origin']}/back?q=%22%3E%3Cscript%3E")
    browser.press("cancel")
    assert "<script>" not in browser.page.answer.text.partition("<main")[2].partition("</main>")[0].replace(
        '<script id="message" type="application/json">', ""
    )
