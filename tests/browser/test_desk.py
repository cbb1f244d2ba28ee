"""The desk in a real browser: an agent's road, and each page in both languages, accessible at 1280 px."""

import base64
import re
import time
import uuid

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from tests.client.world import until

PASSWORD = "correct horse battery"


class Han:
    """Somebody new of the staff, who enrols in the browser, with the codes that their app shows."""

    def __init__(self, town, role):
        self.base_url, self.name, self.used, self.secret = town.base_url, f"han-{uuid.uuid4().hex[:8]}", set(), ""
        self.invited = town.manage("agents", "add", self.name, role)["enrolment_code"]

    def code(self):
        """The next one that was not used: an app shows a new one every 30 seconds."""
        return until(self._fresh, seconds=65)

    def _fresh(self):
        totp = TOTP(base64.b32decode(self.secret))
        for ahead in (0, 30):  # clocks of phones differ: the next one is taken too
            totp.time = time.time() + ahead
            shown = f"{totp.token():06}"
            if shown not in self.used:
                self.used.add(shown)
                return shown
        return None

    def enrol(self, page):
        page.goto(f"{self.base_url}/admin/enrol/")
        page.fill("[name=username]", self.name)
        page.fill("[name=code]", self.invited)
        page.click(".submit-row button")
        expect(page.locator(".desk-qr")).to_be_visible()
        self.secret = page.locator(".desk-key").inner_text()
        page.fill("[name=otp_token]", self.code())
        page.fill("[name=password]", PASSWORD)
        page.fill("[name=again]", PASSWORD)
        page.click(".submit-row button")
        expect(page.locator(".desk-codes li")).to_have_count(10)

    def sign_in(self, page):
        self.enrol(page)
        page.goto(f"{self.base_url}/admin/login/")
        page.fill("[name=username]", self.name)
        page.fill("[name=password]", PASSWORD)
        page.fill("[name=otp_token]", self.code())
        page.click(".submit-row button")
        expect(page.locator("#user-tools")).to_be_visible()


@pytest.fixture(scope="module")
def mina(town):
    return town.member()


def find(page, town, person):
    page.goto(f"{town.base_url}/admin/")
    page.fill("[name=phone]", person["phone"])
    page.fill("[name=ticket]", "C-1042")
    page.keyboard.press("Enter")
    expect(page.locator(".desk-customer")).to_be_visible()


def test_an_agent_finds_reveals_and_cancels_with_delay_and_the_customer_stops_it(town, watched, mina):
    han, page = Han(town, "agent"), watched.new_page()
    han.sign_in(page)
    expect(page.locator(":focus")).to_have_attribute("name", "phone")

    find(page, town, mina.person)
    assert mina.person["phone"][-8:] not in page.content()
    assert mina.person["phone"][-8:] not in page.url

    page.click("text=보기 이름")
    page.click(".submit-row button")
    expect(page.locator(".desk-value")).to_have_text(mina.person["name"])
    page.click("text=고객 화면으로")
    assert mina.person["name"] not in page.content()

    page.click("text=해지 접수하기")
    expect(page.locator("h1")).to_have_text("해지 접수하기")
    for box in page.locator("[type=checkbox]").all():
        box.check()
    page.fill("[name=detail]", "휴대폰을 바꿔서")
    page.fill("[name=otp_token]", han.code())
    page.click(".submit-row button")
    expect(page.locator(".messagelist")).to_contain_text("접수했습니다")
    expect(page.locator(".desk-status")).to_have_text("해지 접수됨")

    until(lambda: "cancellation_requested" in [push["notice"] for push in town.world.pushes(mina.push_token, "notice")])
    assert mina.stop_pending().is_success
    page.reload()
    expect(page.locator(".desk-status")).to_have_text("보호 중")
    expect(page.locator(".desk-timeline")).to_contain_text("해지 접수가 멈춤")


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_is_accessible_fits_and_speaks_one_language(town, browser, accessible, mina, language):
    han = Han(town, "supervisor")
    locale = {"ko": "ko-KR", "en": "en-GB"}[language]
    context = browser.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{town.base_url}/admin/login/")
    accessible(page)
    page.goto(f"{town.base_url}/admin/enrol/")
    accessible(page)
    complaints.clear()
    han.sign_in(page)
    accessible(page)
    complaints.clear()
    find(page, town, mina.person)
    customer = page.url
    deeds = ("cancel", "reset", "lost", "stop-all", "link")
    below = ("", "?kind=desk", "reveal/phone/", *(f"do/{deed}/" for deed in deeds), "bills/")
    others = (
        "", "tasks/pending/", "tasks/approvals/", "tasks/cases/", "tasks/events/", "tasks/messages/", "review/",
        "status/", "all/",
        "recovery-codes/", "password_change/", "ansim/agent/", "ansim/agent/add/", "verification/partner/",
    )  # fmt: skip
    for address in [*(f"{customer}{path}" for path in below), *(f"{town.base_url}/admin/{path}" for path in others)]:
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_have_count(1)
        assert complaints == [], address
        accessible(page)
        complaints.clear()  # axe tries out styles of its own, which our policy refuses
        if language == "en" and address.startswith(customer):
            told = page.locator("main").inner_text().replace(mina.person["name"], "")
            # A masked name, and titles of documents, are in the customer's language.
            assert not re.search("[가-힣]", re.sub(r"[가-힣]\*+[가-힣]?|Consent · .*", "", told)), address
    context.close()
