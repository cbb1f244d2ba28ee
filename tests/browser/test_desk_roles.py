"""Every other page of the desk, as who works there sees it: accessible, no wider than the screen, one language."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_desk import Han

PAGES = {
    "supervisor": (
        "retention/", "retention/message/", "subscriptions/carrierevent/", "subscriptions/announcement/",
        "subscriptions/announcement/add/", "subscriptions/question/", "verification/webhookdelivery/",
        "verification/case/", "tasks/pending/",
    ),
    "partner_manager": (
        "", "verification/partner/", "verification/partner/add/", "verification/partner/{partner}/change/",
        "verification/partner/{partner}/history/", "partners/{partner}/access/", "subscriptions/price/",
        "subscriptions/price/add/", "subscriptions/consentdocument/", "subscriptions/consentdocument/add/",
    ),
    "auditor": ("", "record/", "record/export/", "review/", "retention/", "ansim/agent/"),
}  # fmt: skip
OURS = "h1, h2, thead th, label, .breadcrumbs, button, .desk-visit, caption, main > p"
NAMES = r"책방[^\n]*|한국어"  # of partners and people: in no language of ours


def speak(context, town, language):
    context.add_cookies([{"name": "django_language", "value": language, "url": town.base_url}])


@pytest.mark.parametrize("role", PAGES)
def test_every_page_of_a_role_is_accessible_and_fits_and_is_there_in_english(town, bookshop, browser, accessible, role):
    context = browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    Han(town, role).sign_in(page)
    partner = town.handles()["partners"][0]["id"]
    for path in PAGES[role]:
        address = f"{town.base_url}/admin/{path.format(partner=partner)}"
        speak(context, town, "ko")
        page.goto(address)
        expect(page.locator("h1")).to_have_count(1)
        accessible(page)
        speak(context, town, "en")
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "en")
        told = "\n".join(page.locator(OURS).all_inner_texts())
        assert not re.search("[가-힣]", re.sub(NAMES, "", told)), (path, told)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
