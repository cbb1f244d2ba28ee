"""The partners' console in a real browser: every page, in both languages, on a small and on a large screen."""

import base64
import re
import time
import uuid

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

PAGES = (
    "", "?mode=live", "verifications", "verifications?state=verified", "webhooks", "settings", "settings/origins",
    "settings/webhook", "settings/webhook/secret", "settings/keys/new", "changes",
)  # fmt: skip


class Jiwoo:
    """Somebody of a new bookshop that has verifications and webhooks to look at."""

    def __init__(self, town):
        self.shop = town.shop()
        email = f"{uuid.uuid4().hex}@bookshop.example"
        self.made = town.manage("partners", "add-user", self.shop.entry["id"], "--email", email, "--name", "지우")
        self.console = f"{town.base_url}/partners/console/"
        self.ended = self.shop.create().json()["id"]
        self.shop.cancel(self.ended)
        self.shop.create()

    def code(self, ahead=0):
        """What the app shows, or will in so many seconds: the next one is taken already, as clocks of phones differ."""
        totp = TOTP(base64.b32decode(self.made["totp_secret"]))
        totp.time = time.time() + ahead
        return f"{totp.token():06}"

    def sign_in(self, page):
        page.goto(f"{self.console}?lang=ko")
        page.get_by_label("이메일").fill(self.made["email"])
        page.get_by_label("비밀번호").fill(self.made["password"])
        self.used = self.code()
        page.get_by_label("일회용 코드").fill(self.used)
        page.get_by_role("button", name="들어가기").click()
        expect(page.get_by_role("navigation", name="메뉴")).to_be_visible()


@pytest.fixture(scope="module")
def jiwoo(town):
    return Jiwoo(town)


@pytest.fixture(scope="module")
def storage(jiwoo, browser):
    """The cookies of somebody who is signed in."""
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    jiwoo.sign_in(page)
    yield context.storage_state()
    context.close()


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_accessible_fits_the_screen_and_breaks_no_rule_of_ours(
    browser, jiwoo, storage, accessible, language, width
):
    context = browser.new_context(storage_state=storage, viewport={"width": width, "height": 800})
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    (key,) = re.findall(r"keys/([0-9a-f-]{36})/revoke", page.request.get(f"{jiwoo.console}settings").text())
    pages = (*PAGES, f"verifications/{jiwoo.ended}", f"settings/keys/{key}/revoke", f"settings/keys/{key}/addresses")
    for address in pages:
        page.goto(f"{jiwoo.console}{address}{'&' if '?' in address else '?'}lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_have_count(1)
        words = page.locator("main").inner_text().replace(jiwoo.shop.entry["name"], "").replace("지우", "")
        assert language == "ko" or not re.search("[가-힣]", words)
        accessible(page)
    context.clear_cookies()
    page.goto(f"{jiwoo.console}sign-in?lang={language}")
    accessible(page)
    assert complaints == []
    context.close()


def test_somebody_signs_in_and_makes_a_key_without_javascript(browser, town, accessible):
    jiwoo = Jiwoo(town)
    context = browser.new_context(java_script_enabled=False, locale="ko-KR")
    page = context.new_page()
    jiwoo.sign_in(page)
    page.get_by_role("link", name="설정").click()
    page.get_by_role("link", name="새 API 열쇠 만들기").click()
    page.get_by_label("일회용 코드").fill(jiwoo.used)
    page.get_by_role("button", name="새 열쇠 만들기").click()
    expect(page.get_by_role("alert")).to_contain_text("코드가 맞지 않아요")
    expect(page).to_have_title(re.compile("^오류:"))

    page.get_by_label("일회용 코드").fill(jiwoo.code(ahead=30))
    page.get_by_role("button", name="새 열쇠 만들기").click()

    expect(page.locator(".once")).to_contain_text("sk_test_")
    page.get_by_role("link", name="바꾼 기록").click()
    expect(page.locator("table")).to_contain_text("API 열쇠를 만듦")
    page.get_by_role("button", name="나가기").click()
    expect(page.get_by_role("heading", name="이용 사이트 관리에 들어가기")).to_be_visible()
    context.close()
