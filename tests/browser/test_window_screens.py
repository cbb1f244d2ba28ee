"""Every screen of the window: each end in its own words, and how it looks zoomed, narrow, spaced out, without colours,
without motion, in both languages."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.world import until

DONE, STOPPED = "본인확인을 마쳤어요", "인증을 그만뒀어요"
REFUSED = "이 정보로는 지금 본인확인을 할 수 없어요"
SHOP = re.compile("가게 [0-9a-f]+")  # the partner's own name, whatever the language
SPACED = "* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important}"


def h1(page):
    return page.locator("h1")


def magic(number):
    """A test number (docs, test mode): anybody may have it."""
    return {"birthdate": "900101", "gender_digit": "1", "phone": f"010-0000-{number:04}"}


# --- Every state, at the edges ----------------------------------------------------------------------------------------


@pytest.fixture
def states(town, new_page, bookshop):
    """states(): a page in each state that a window can have, one after the other, with its name."""

    def walk(language):
        page = new_page(f"{town.base_url}/partner/v1/docs?lang={language}")
        for name, asked in {
            "created": bookshop.create(return_url=f"{bookshop.entry['return_origin']}/back").json(),
            "awaiting_app": bookshop.ask(magic(2)),
            "awaiting_code": bookshop.ask(magic(1)),
            "failed": bookshop.ask(magic(12)),
        }.items():
            answer = page.goto(asked["window_url"])
            page.goto(f"{page.url}?lang={language}")
            yield name, page, answer
            if name == "created":
                page.click("[value=identity]")
                yield "created, with errors", page, answer

    return walk


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_state_fits_every_size_in_its_own_language(states, language):
    for name, page, answer in states(language):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, name
        expect(page.locator("html")).to_have_attribute("lang", language)
        text = page.locator("main").inner_text()
        assert bool(re.search("[가-힣]", SHOP.sub("", text))) == (language == "ko"), (name, text)
        for spaced in (False, True):
            if spaced:
                page.evaluate(
                    "(css) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); "
                    "document.adoptedStyleSheets = [sheet]; }",
                    SPACED,
                )
            for width, height in ((640, 512), (320, 640)):
                page.set_viewport_size({"width": width, "height": height})
                wide = page.evaluate(
                    "() => [...document.querySelectorAll('body *:not(.sr, .sr *)')]"
                    ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML)"
                )
                assert wide == [], (name, width, spaced)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width, spaced)


def test_every_state_is_whole_without_colours_and_without_motion(states):
    for name, page, _ in states("ko"):
        page.emulate_media(forced_colors="active", reduced_motion="reduce")
        assert page.evaluate("document.getAnimations().length") == 0
        moving = page.evaluate(
            "() => [...document.querySelectorAll('*')].map((one) => getComputedStyle(one))"
            ".filter((style) => parseFloat(style.transitionDuration) > 0.01 || style.animationName !== 'none').length"
        )
        assert moving == 0, name
        edges = page.locator("button:visible, a.button:visible, input:not([type=checkbox]):visible").evaluate_all(
            "all => all.map((one) => getComputedStyle(one)).map((style) => parseFloat(style.borderTopWidth))"
        )
        assert all(edges), (name, edges)
        page.emulate_media(forced_colors="none", reduced_motion="no-preference")


# --- Every end --------------------------------------------------------------------------------------------------------

ENDS = {
    "verified": (DONE, magic(1)),
    "not_me": ("휴대폰에서 거부했어요", magic(3)),
    "cancelled_by_customer": (STOPPED, magic(4)),
    "app_locked": ("앱 비밀번호가 잠겼어요", magic(5)),
    "app_not_opened": ("시간이 지나 인증을 끝냈어요", magic(6)),
    "code_not_entered": ("시간이 지나 인증을 끝냈어요", magic(7)),
    "undeliverable": ("지금은 인증을 이어갈 수 없어요", magic(8)),
    "line_changed": ("지금은 인증을 이어갈 수 없어요", magic(9)),
    "identity_mismatch": (REFUSED, magic(10)),
    "line_blocked": (REFUSED, magic(11)),
    "app_not_registered": ("안심 앱을 먼저 등록해 주세요", magic(12)),
    "superseded": ("더 새로운 인증이 시작됐어요", magic(14)),
    "too_many_wrong_codes": ("인증번호를 여러 번 틀려 이번 인증을 끝냈어요", magic(14)),
    "cancelled_by_partner": ("이용 사이트에서 인증을 멈췄어요", magic(2)),
    "identity_not_entered": ("시간이 지나 인증을 끝냈어요", None),
}


@pytest.fixture
def ended(town):
    """Windows by the reason for which they ended ("verified" for none)."""
    shop = town.shop(identity_ttl=1)
    asked = {name: shop.ask(who) if who else shop.create().json() for name, (_, who) in ENDS.items()}
    shop.confirm(asked["verified"]["id"], "123456")
    for _ in range(5):
        shop.confirm(asked["too_many_wrong_codes"]["id"], "000000")
    shop.cancel(asked["cancelled_by_partner"]["id"])
    ends = {name: until(lambda one=one: shop.end(one["id"]) if shop.now(one["id"])["state"] in OVER else None)
            for name, one in asked.items()}  # fmt: skip
    assert {name: reason or state for name, (state, reason) in ends.items()} == {name: name for name in ENDS}
    return asked


OVER = ("verified", "failed", "denied", "expired", "cancelled")


def test_every_end_has_its_own_words_in_both_languages_and_equal_refusals_one_screen(new_page, ended):
    said = {"ko": {}, "en": {}}
    page = new_page(ended["verified"]["window_url"])
    for name, asked in ended.items():
        page.goto(asked["window_url"])
        address = page.url
        for language, words in said.items():
            page.goto(f"{address}?lang={language}")
            expect(page.locator("html")).to_have_attribute("lang", language)
            words[name] = (h1(page).inner_text(), page.locator("main").inner_text())
    assert {name: heading for name, (heading, _) in said["ko"].items()} == {name: ENDS[name][0] for name in ENDS}
    for language, words in said.items():
        assert words["identity_mismatch"] == words["line_blocked"], "a stranger learns nothing"
        assert len({whole for _, whole in words.values()}) == len(ENDS) - 1, "every other end has words of its own"
        assert len({heading for heading, _ in words.values()}) == len({heading for heading, _ in ENDS.values()})
        hangul = [name for name, (_, whole) in words.items() if re.search("[가-힣]", SHOP.sub("", whole))]
        assert hangul == (list(ENDS) if language == "ko" else []), words
