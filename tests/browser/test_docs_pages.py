"""The documentation in a real browser, and the one example that needs a click."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "popup.mjs"
PAGES = ("", "/errors/reference_taken", "/webhook-tester")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_are_accessible_fit_the_screen_and_break_no_rule_of_ours(page, town, accessible, language, width):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": width, "height": 800})
    for address in PAGES:
        page.goto(f"{town.base_url}/partner/v1/docs{address}?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        accessible(page)
    assert complaints == []


def test_contents_lead_to_their_sections(page, town):
    page.goto(f"{town.base_url}/partner/v1/docs?lang=en")
    targets = page.eval_on_selector_all(".docs__nav a", "links => links.map(link => link.hash)")
    assert len(targets) > 20
    assert [target for target in targets if page.locator(f"[id='{target[1:]}']").count() != 1] == []


def test_code_can_be_copied_with_a_click(page, context, town):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{town.base_url}/partner/v1/docs?lang=en")
    block = page.locator(".code-block").nth(1)
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").text_content()


def test_the_popup_of_the_guide_opens_the_window_and_comes_back(page, town, bookshop):
    shop = bookshop.entry["return_origin"]
    started = bookshop.create().json()
    page.route(f"{shop}/your/start", lambda route: route.fulfill(json={"window_url": started["window_url"]}))
    page.route(f"{shop}/your/result", lambda route: route.fulfill(content_type="text/html", body="<h1>result</h1>"))
    page.goto(f"{shop}/livez")  # any page of the shop's origin
    page.set_content('<button id="verify">휴대폰 본인확인</button>')
    page.add_script_tag(url=f"{town.base_url}/static/js/ansim.js")
    page.add_script_tag(path=EXAMPLE, type="module")

    with page.expect_popup() as opened:
        page.click("#verify")
    window = opened.value
    expect(window.locator("[name=birthdate]")).to_be_visible()
    window.get_by_role("button", name=re.compile("그만두기")).click()

    expect(page.locator("h1")).to_have_text("result", timeout=15_000)
    assert bookshop.end(started["id"]) == ("cancelled", "cancelled_by_customer")
