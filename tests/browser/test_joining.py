"""The whole road in a real browser: join, register the phone, leave, join again; both languages, both sizes, by
keyboard, without JavaScript. Every page is watched and has no accessibility violation."""

import re
import time

import pytest
import redis
from playwright.sync_api import expect

from tests.browser.test_road import identify, tab_to
from tests.client.world import until

KINDS = ("terms", "collect", "share")
SIZES = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 800}}
PASSWORD = "259173"


class Road:
    """One person at one browser. `look` is called with every page that is seen for the first time."""

    def __init__(self, page, town, prefix="", look=lambda page: None):
        self.page, self.town, self.base, self.look = page, town, f"{town.base_url}{prefix}", look
        self.mina, self.phone, self.texts = town.world.person(), None, 0

    def seen(self, address):
        self.page.wait_for_url(f"**{address}")
        self.look(self.page)
        return self

    def joins(self):
        self.page.goto(f"{self.base}/join")
        self.seen("/join").page.click("main .buttons a.button")
        self.seen("/join/consents")
        for kind in KINDS:
            self.page.check(f"[name={kind}]")
        self.page.click("form.agree button")
        identify(self.page, self.mina)
        self.types(self.town.world.number(self.mina, after=self.texts))
        self.texts += 1
        self.seen("/join/confirm").page.click("main form button")
        return self.seen("/join/app")

    def types(self, number):
        self.page.fill("[name=code]", number)
        self.page.click("[value=code]")

    @property
    def code(self):
        return "".join(self.page.locator(".activation__digits span").all_inner_texts())

    def registers(self):
        self.phone = self.town.phone(self.mina)
        answer = self.phone.register(self.code, PASSWORD)
        assert answer.status_code == 201, answer.text
        return self

    def number_in_the_app(self):
        (waiting,) = until(self.phone.waiting)
        envelope = self.phone.unlock(waiting["id"], PASSWORD).json()["envelope"]
        return self.phone.open(waiting["id"], envelope)["code"]

    def leaves(self):
        self.page.goto(f"{self.base}/cancel")
        self.seen("/cancel").page.click("main form button")
        identify(self.page, self.mina)
        number = self.number_in_the_app()
        self.page.wait_for_selector("[name=code]")
        self.types(number)
        self.seen("/cancel/confirm").page.click("main form button")
        return self.seen("/cancel/done")


@pytest.mark.parametrize(("prefix", "size"), [("", "phone"), ("/en", "desk")])
def test_join_register_leave_and_join_again(town, watched, accessible, prefix, size):
    page = watched.new_page()
    page.set_viewport_size(SIZES[size])
    road = Road(page, town, prefix, accessible).joins()
    assert ("가입했어요" if not prefix else "You have joined") in page.inner_text("h1")

    road.registers()
    expect(page.locator(".done h1")).to_be_visible(timeout=10_000)  # the page noticed by itself
    accessible(page)
    road.leaves()
    expect(page.locator(".done")).to_be_focused()
    road.joins().registers()
    expect(page.locator(".done h1")).to_be_visible(timeout=10_000)


@pytest.fixture
def full(town):
    """Everybody is inside: the waiting room lets nobody in until `empty()`."""
    store = redis.Redis.from_url(town.handles()["env"]["REDIS_URL"])
    others = {f"somebody-{number}": time.time() * 1000 for number in range(1_000)}
    store.zadd("join-room:inside", others)

    def empty():
        store.zrem("join-room:inside", *others)

    yield empty
    empty()
    store.close()


@pytest.mark.parametrize(("prefix", "size"), [("", "phone"), ("/en", "desk")])
def test_the_waiting_room_says_how_long_and_goes_on_by_itself(town, watched, accessible, full, prefix, size):
    page = watched.new_page()
    page.set_viewport_size(SIZES[size])
    page.goto(f"{town.base_url}{prefix}/join/consents")
    where = "차례|앞에" if not prefix else "next|turn"  # whom earlier tests left in the queue stand before
    assert re.search(where, page.inner_text("[data-waiting]"))
    assert page.locator("[name=terms]").count() == 0
    accessible(page)
    full()
    expect(page.locator("[name=terms]")).to_be_visible(timeout=20_000)


def test_what_is_wrong_is_said_first_and_has_the_focus(town, watched, accessible):
    page = watched.new_page()
    page.goto(f"{town.base_url}/join/consents")
    page.click("form.agree button")
    expect(page.locator("[data-errors]")).to_be_focused()
    assert page.title().startswith("오류: ")
    accessible(page)
    page.click("[data-errors] a >> nth=1")
    expect(page.locator("[name=collect]")).to_be_focused()
    page.goto(f"{town.base_url}/app-again")
    page.click("main form button")
    expect(page.locator("[data-errors]")).to_be_focused()
    accessible(page)


def test_joining_by_keyboard_alone(town, watched):
    page = watched.new_page()
    mina = town.world.person()
    page.goto(f"{town.base_url}/join")
    tab_to(page, "main .buttons a.button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/join/consents")
    for kind in KINDS:
        tab_to(page, f"[name={kind}]")
        page.keyboard.press("Space")
    tab_to(page, "form.agree button")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=birthdate]")
    for name in ("birthdate", "gender_digit", "phone"):
        tab_to(page, f"[name={name}]")
        page.keyboard.type(mina[name])
    for name in ("consent_collect", "consent_share"):
        tab_to(page, f"[name={name}]")
        page.keyboard.press("Space")
    tab_to(page, "[value=identity]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=code]")
    tab_to(page, "[name=code]")
    page.keyboard.type(town.world.number(mina))
    page.keyboard.press("Enter")
    page.wait_for_url("**/join/confirm")
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    expect(page.locator(".activation__digits")).to_be_visible()


def test_joining_the_app_again_and_leaving_without_javascript(town, browser):
    context = browser.new_context(java_script_enabled=False, locale="ko-KR", viewport=SIZES["phone"])
    road = Road(context.new_page(), town)
    page = road.page
    # Without scripts a finished window is left by its own link or its refresh.
    road.joins().registers()
    page.click("main .buttons a.button")
    expect(page.locator(".done h1")).to_be_visible()

    page.goto(f"{road.base}/app-again")
    for name in ("birthdate", "gender_digit", "phone"):
        page.fill(f"[name={name}]", road.mina[name])
    page.click("main form button")
    sent = until(lambda: [text for text in town.world.texts(road.mina) if "확인 글자" in text["text"]])
    page.fill("[name=letters]", re.search(r"[A-Z]{4}-[A-Z]{4}", sent[0]["text"])[0])
    page.click("main form button")
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    road.registers()
    page.click("main .buttons a.button")
    expect(page.locator(".done h1")).to_be_visible()
    context.close()


def test_the_app_again_looks_right_on_the_way(town, watched, accessible):
    page = watched.new_page()
    page.set_viewport_size(SIZES["phone"])
    member = town.member()
    page.goto(f"{town.base_url}/en/app-again")
    accessible(page)
    for name in ("birthdate", "gender_digit", "phone"):
        page.fill(f"[name={name}]", member.person[name])
    page.click("main form button")
    page.wait_for_url("**/letters")
    accessible(page)
    sent = until(lambda: [text for text in town.world.texts(member.person) if "확인 글자" in text["text"]])
    page.fill("[name=letters]", re.search(r"[A-Z]{4}-[A-Z]{4}", sent[0]["text"])[0])
    page.click("main form button")
    page.wait_for_url("**/password")
    accessible(page)
    page.fill("[name=password]", "918273")
    page.click("main form button")
    expect(page.locator("[data-errors]")).to_be_focused()
    accessible(page)
    page.fill("[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url("**/code")
    accessible(page)


def test_the_verdict_has_every_reason_and_no_button_to_join(town, watched, accessible):
    page = watched.new_page()
    page.set_viewport_size(SIZES["phone"])
    road = Road(page, town)
    road.mina = town.world.person(
        carrier="KT_MVNO", plan_type="prepaid",
        handset={"model": "iPad16,3", "os": "ios", "os_version": "5.1", "form": "tablet"},
    )  # fmt: skip
    page.goto(f"{road.base}/join/consents")
    for kind in KINDS:
        page.check(f"[name={kind}]")
    page.click("form.agree button")
    identify(page, road.mina)
    road.types(town.world.number(road.mina))
    page.wait_for_url("**/join/confirm")
    assert page.locator(".reasons > li").count() == 4
    assert page.locator("main form").count() == 0
    accessible(page)
