"""Who may look at a window: link previews bind nothing, the first press binds a browser, any other is refused."""

import httpx

W1, W3_SMS = "본인 정보를 입력해 주세요", "문자로 받은 6자리 숫자를 입력해 주세요"
ELSEWHERE = "다른 브라우저에서 이미 열었어요"


def test_looking_binds_nobody_and_the_first_press_binds_that_browser(town, world, bookshop):
    asked = bookshop.create().json()
    preview, first, second = (town.browser() for _ in range(3))
    assert preview.http.head(asked["window_url"]).status_code < 400
    assert preview.open(asked["window_url"]).h1 == W1
    assert first.open(asked["window_url"]).h1 == W1
    assert second.open(asked["window_url"]).h1 == W1

    first.identify(world.person())

    assert (second.reload().status, second.page.h1) == (403, ELSEWHERE)
    assert (second.open(asked["window_url"]).status, second.page.h1) == (403, ELSEWHERE)
    late = town.browser().open(asked["window_url"])
    assert (late.status, late.h1) == (403, ELSEWHERE)
    assert first.reload().h1 == W3_SMS
    assert first.open(asked["window_url"]).h1 == W3_SMS


def test_the_second_browser_cannot_press_either(town, world, bookshop):
    asked = bookshop.create().json()
    first, second = town.browser(), town.browser()
    first.open(asked["window_url"])
    second.open(asked["window_url"])
    first.identify(world.person())
    assert second.identify(world.person()).status == 403
    assert second.http.post(second.page.url, data={}).status_code == 403


def test_the_address_after_the_first_look_holds_no_secret_and_opens_nothing_elsewhere(town, bookshop):
    asked = bookshop.create().json()
    secret = asked["window_url"].rsplit("/", 1)[1]
    answer = httpx.get(asked["window_url"])
    assert answer.status_code == 303
    assert secret not in answer.headers["Location"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "httponly" in answer.headers["Set-Cookie"].lower()
    stranger = town.browser().open(f"{town.base_url}{answer.headers['Location']}")
    assert (stranger.status, stranger.h1) == (403, ELSEWHERE)
    state = httpx.get(f"{town.base_url}{answer.headers['Location']}/state")
    assert (state.status_code, state.json()) == (403, {"state": None})
