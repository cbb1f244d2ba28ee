"""Nonsense at the hosted window: words or a 4xx, never a breakdown, and nothing counts that is no honest try."""

import uuid

import pytest

from tests.client.raw import exchange

W1, W3 = "본인 정보를 입력해 주세요", "문자로 받은 6자리 숫자를 입력해 주세요"
ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def opened(town, bookshop):
    """A window at its first page, and the verification's id."""
    asked = bookshop.create().json()
    browser = town.browser()
    assert browser.open(asked["window_url"]).h1 == W1
    return browser, asked["id"]


@pytest.fixture(scope="module")
def awaiting(town, bookshop):
    """A window that waits for the number of an SMS, and the verification's id."""
    asked, browser = bookshop.create().json(), town.browser()
    browser.open(asked["window_url"])
    assert browser.identify(town.world.person()).h1 == W3
    return browser, asked["id"]


def post(browser, data=None, **more):
    """What a form of another kind would send to this window."""
    token = browser.http.cookies.get("csrftoken")
    return browser.http.post(browser.page.url, data={"csrfmiddlewaretoken": token} | (data or {}), **more)


def test_nothing_typed_shows_what_is_missing_and_is_no_try(bookshop, opened):
    browser, pk = opened
    for data in ({}, {"do": "identity"}, {"do": ""}, {"birthdate": "900101"}, {"name": "홍길동", "carrier": "SKT"}):
        page = post(browser, data)
        assert (page.status_code, "오류:" in page.text) == (200, True)
    assert bookshop.end(pk) == ("created", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "0" * 5_000}, {"phone": "\x00"}, {"birthdate": "\x00"}, {"birthdate": "9" * 5_000},
        {"birthdate": "²²²²²²"},
        {"birthdate": "900101-1"}, {"gender_digit": "12"}, {"name": "이" * 5_000}, {"name": "\x00"},
        {"carrier": "VERIZON"}, {"carrier": "\x00"}, {"phone": "<script>"}, {"phone": "+1 202 555 0100"},
        {"phone": "💣" * 20},
        {"phone": "010-1234-5678; DROP TABLE"}, {"birthdate": "٩٠٠١٠١"}, {"phone": "\ufffd"},
    ],
    ids=lambda wrong: repr(wrong)[:40],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_words_and_is_no_try(town, bookshop, opened, wrong):
    browser, pk = opened
    page = browser.identify(town.world.person(), **wrong)
    assert (page.status, page.h1, page.title[:3]) == (200, W1, "오류:")
    assert "<script>" not in page.text
    assert town.rows("SELECT identity_tries_left FROM verification_verification WHERE id = %s", pk) == [(3,)]


@pytest.mark.parametrize(
    "code",
    ["", " ", "12345", "1234567", "12345a", "\x00" * 6, "٣٣٣٣٣٣", "1" * 5_000, "<b>", "💣", "123 45", "-12345"],
    ids=repr,
)
def test_what_is_no_number_is_no_try(bookshop, awaiting, code):
    browser, pk = awaiting
    page = browser.press("code", code=code) if browser.page.h1 == W3 else browser.reload()
    assert (page.status, page.h1, page.title[:3]) == (200, W3, "오류:")
    assert bookshop.now(pk)["tries_left"] == 5


def test_without_the_forms_token_nothing_happens(town, bookshop, opened):
    browser, pk = opened
    for data in (
        {},
        {"csrfmiddlewaretoken": ""},
        {"csrfmiddlewaretoken": "x" * 64},
        {"csrfmiddlewaretoken": "\x00"},
        {"do": "cancel"},
    ):
        assert browser.http.post(browser.page.url, data={"do": "cancel"} | data).status_code == 403
    foreign = {"Origin": "https://thief.example"}
    assert post(browser, {"do": "cancel"}, headers=foreign).status_code == 403
    assert bookshop.end(pk) == ("created", None)
    late = town.browser()
    assert late.open(bookshop.create().json()["window_url"]).status == 200


@pytest.mark.parametrize("wanted", ["unheard-of", "code", "resend", "\x00", "a" * 5_000, "__class__"])
def test_a_button_that_is_not_on_this_page_does_nothing(bookshop, opened, wanted):
    browser, pk = opened
    assert post(browser, {"do": wanted, "code": "123456"}).status_code == 200
    assert bookshop.end(pk) == ("created", None)


FORM = "application/x-www-form-urlencoded"
BROKEN = {
    "too long": (FORM, b"name=" + b"a" * 70_000),
    "too many fields": (FORM, b"&".join(b"f%d=x" % n for n in range(1_100))),
    "another charset": (f"{FORM}; charset=utf-7", b"do=cancel"),
    "no charset there is": (f"{FORM}; charset=nonsense", b"do=unheard-of"),
    "no text": (FORM, b"name=%FF%00&phone=%ED%A0%80&=&&do=%F0"),
    "no boundary": ("multipart/form-data", b"x"),
    "cut": ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
    "a long boundary": ("multipart/form-data; boundary=" + "b" * 200, b"x"),
    "a strange boundary": ("multipart/form-data; boundary=\xff", b"x"),
    "JSON": ("application/json", b'{"do": "cancel"}'),
    "plain": ("text/plain", b"do=cancel"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_form_that_is_too_long_or_broken_is_refused_and_does_nothing(town, bookshop, opened, kind):
    """Also with the right token in a header; and anywhere else, with a cookie that makes the server look inside."""
    browser, pk = opened
    media_type, raw = BROKEN[kind]
    cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    headers = {"Content-Type": media_type, "Cookie": cookies}

    def answers(path, **more):
        return exchange(town.base_url, "POST", path, body=raw, headers=headers | more).status

    assert answers(f"/window/at/{pk}", **{"X-CSRFToken": browser.http.cookies["csrftoken"]}) in (200, 303, 400, 403)
    assert answers(f"/window/at/{pk}") in (400, 403)
    assert [answers(path) for path in ("/nowhere", "/partner/v1/nowhere", "/app/v1/nowhere")] == [404] * 3
    assert bookshop.end(pk) == ("created", None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_wrong_method_does_nothing(town, opened, method):
    """403 is the check of the form's token: it comes first for methods that could change something."""
    _, pk = opened
    for path in ("/window/x", f"/window/at/{pk}", f"/window/at/{pk}/state"):
        assert exchange(town.base_url, method, path).status in (403, 405), path
    allowed = exchange(town.base_url, "OPTIONS", f"/window/at/{pk}").headers["allow"]
    assert allowed == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path",
    [
        "/window/", "/window/x", "/window/%00", "/window/%FF", "/window/" + "s" * 5_000, "/window/..%2f",
        "/window/%ED%A0%80", "/window/at", "/window/at/",
        "/window/at/x", f"/window/at/{ID}x", "/window/at/%00", f"/window/at/{ID}/states", f"/window/at/{ID}/",
        "/window/%0d%0aX-A:b", "/window/한".encode().decode("latin-1"),
    ],
)  # fmt: skip
def test_an_address_that_opens_nothing(town, path):
    quoted = path if path.isascii() else "/window/%ED%95%9C"
    assert exchange(town.base_url, "GET", quoted).status == 404


def test_an_id_alone_opens_nothing_and_tells_nothing(town, bookshop, opened):
    _, pk = opened
    real, made_up = (exchange(town.base_url, "GET", f"/window/at/{one}") for one in (pk, ID))
    assert real.status == made_up.status == 403
    assert bookshop.entry["name"] not in real.body.decode()
    states = [exchange(town.base_url, "GET", f"/window/at/{one}/state") for one in (pk, ID)]
    assert [(state.status, state.body) for state in states] == [(403, states[0].body)] * 2


@pytest.mark.parametrize("value", ["", "x", "x:y:z", '"', "a" * 3_000, "\xff", "%00", ":::"], ids=repr)
def test_a_cookie_that_we_did_not_make_is_no_cookie(town, opened, value):
    _, pk = opened
    name = f"window-{uuid.UUID(pk).hex}"
    for cookies in (
        f"{name}={value}",
        f"{name}={value}; window-flash={value}; django_language={value}; csrftoken={value}; sessionid={value}",
    ):
        assert exchange(town.base_url, "GET", f"/window/at/{pk}", headers={"Cookie": cookies}).status == 403


def test_broken_cookies_beside_the_right_one_do_no_harm(town, opened):
    browser, pk = opened
    right = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    for wrong in (
        "window-flash=x",
        "django_language=xx",
        "django_language=../../etc",
        "=",
        ";;;",
        "a=\xff",
        "window-flash=" + "y" * 3_000,
    ):
        assert exchange(town.base_url, "GET", f"/window/at/{pk}", headers={"Cookie": f"{right}; {wrong}"}).status == 200


@pytest.mark.parametrize(
    "query",
    ["lang=xx", "lang=", "lang=%00", "lang=" + "e" * 3_000, "pressed", "pressed=%FF", "=&=&&", "lang=en&lang=ko"],
)
def test_any_query_is_survived(opened, query):
    browser, _ = opened
    page = browser.open(f"{browser.page.url}?{query}")
    assert page.status == 200


@pytest.mark.parametrize(
    "wished",
    ["xx", "*", "", "ko;q=2", "a" * 5_000, "\xff", "en-", ",,,;;;", "../../etc/passwd"],
    ids=lambda wished: wished[:10],
)
def test_any_language_may_be_wished_for(opened, wished):
    browser, _ = opened
    assert browser.http.get(browser.page.url, headers={"Accept-Language": wished.encode("latin-1")}).status_code == 200


def test_the_window_is_told_how_to_behave(opened):
    browser, _ = opened
    headers = browser.page.answer.headers
    assert "no-store" in headers["Cache-Control"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
