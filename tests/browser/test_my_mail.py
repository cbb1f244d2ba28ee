"""Notices by e-mail, from my page to the mailbox: no script needed, the mail really arrives, the phone has its push."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_my_page import sign_in
from tests.client.world import until


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_address_is_given_confirmed_and_hears_what_changes(watched, town, accessible, language):
    member, page = town.member(), watched.new_page()
    to = f"minseo-{member.device_id[:8]}@example.com"

    def mails():
        return town.world.http.get("/world/mails", params={"to": to}).json()

    sign_in(page, member, f"{town.base_url}{'/en' if language == 'en' else ''}/my")
    page.set_viewport_size({"width": 320, "height": 800})
    page.locator("a[href$='/my/mail']").click()
    accessible(page)
    page.fill("[name=address]", "minseo")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-invalid]")).to_be_visible()
    accessible(page)
    page.fill("[name=address]", to)
    page.keyboard.press("Enter")
    (asked,) = until(mails)
    page.fill("[name=letters]", re.search(r"\b[B-Z]{8}\b", asked["text"])[0].lower())
    accessible(page)
    page.locator("form:has([value=confirm]) button").click()
    expect(page.locator("main")).to_contain_text("mi***@example.com")
    accessible(page)

    page.goto(page.url.removesuffix("/mail"))
    page.locator("form:has([value=stop_all]) button").first.click()
    told = until(lambda: len(mails()) > 1 and mails())[0]
    assert re.search("[가-힣]", told["text"]) is None if language == "en" else "모두 막기를 켰어요" in told["text"]
    assert "1566-4380" in told["text"] or "/my" in told["text"]
    until(lambda: [push for push in town.world.pushes(member.push_token, "notice") if push["notice"] == "stop_all"])
    assert member.person["phone"][-8:] not in told["text"]
