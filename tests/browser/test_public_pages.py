"""The public pages as a visitor meets them: read aloud, on a phone, in the dark, by keyboard, without scripts."""

import pytest
from playwright.sync_api import expect

PAGES = ("/", "/service", "/how-to", "/faq?q=1566", "/faq/fee", "/notices", "/terms", "/consents/share/2026-01-01",
         "/partners", "/nothing")  # fmt: skip
# Each language and each width once in light and once in dark, in four visits instead of eight.
VISITS = [("", 320, "light"), ("/en", 320, "dark"), ("", 1280, "dark"), ("/en", 1280, "light")]


@pytest.mark.parametrize(("prefix", "width", "scheme"), VISITS)
def test_the_pages_are_accessible_fit_the_screen_and_break_no_rule_of_ours(
    page, town, accessible, prefix, width, scheme
):
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if "Failed to load" not in said.text else None)
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(f"{town.base_url}{prefix}{path}")
        accessible(page)
    assert complaints == []


LOADED = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map((loaded) => [loaded.name, loaded.decodedBodySize])"""


def test_a_first_visit_costs_little(browser, town):
    for path in PAGES:
        page = browser.new_page()
        page.goto(f"{town.base_url}{path}", wait_until="networkidle")
        sizes = dict(page.evaluate(LOADED))
        page.close()
        assert [url for url in sizes if not url.startswith(town.base_url)] == []
        assert sum(size for url, size in sizes.items() if "/fonts/" not in url) < 150_000, path
        fonts = [url for url in sizes if "/fonts/" in url]
        assert len(fonts) == 1, f"{path}: a syllable is missing in core.woff2: run static/fonts/make_fonts.py"


def test_a_question_is_found_and_opened_without_a_script_or_a_mouse(browser, town):
    context = browser.new_context(java_script_enabled=False, locale="ko-KR", base_url=town.base_url)
    page = context.new_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_role("navigation", name="안내", exact=True).get_by_role("link", name="자주 묻는 질문").press("Enter")
    expect(page.locator("h1")).to_have_text("자주 묻는 질문")
    page.locator("summary").first.press("Enter")
    expect(page.locator("details").first.locator(".prose")).to_be_visible()
    page.get_by_label("질문 찾기").fill("진저브레드")
    page.get_by_label("질문 찾기").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1개")
    page.get_by_role("link", name="이 답의 주소").press("Enter")
    expect(page).to_have_url(f"{town.base_url}/faq/supported-phones")
    context.close()


def test_the_language_is_changed_on_every_page_and_the_window_follows(page, town):
    page.goto(f"{town.base_url}/how-to#app")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(f"{town.base_url}/en/how-to")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(f"{town.base_url}/window/nothing")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("size", ["200%", "spacing"])
def test_nothing_is_cut_off_when_the_text_grows(page, town, size):
    """WCAG 1.4.4 and 1.4.12."""
    spacing = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    page.set_viewport_size({"width": 640, "height": 512})
    for path in ("/", "/en/how-to", "/faq", "/en/partners"):
        page.goto(f"{town.base_url}{path}")
        page.evaluate(
            "css => { const it = new CSSStyleSheet(); it.replaceSync(css); document.adoptedStyleSheets = [it] }",
            "html { font-size: 200% }" if size == "200%" else spacing,
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
