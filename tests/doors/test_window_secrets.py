"""A window's secrets and cookies, forged, cut, swapped and replayed: each opens its own window or nothing."""

import secrets
import uuid

import pytest

from tests.client.partner import identity
from tests.client.raw import exchange


def secret_of(asked):
    return asked["window_url"].rsplit("/", 1)[1]


@pytest.fixture
def two(bookshop, town):
    """Two windows, each opened in a browser of its own."""
    made = []
    for _ in range(2):
        asked, browser = bookshop.create().json(), town.browser()
        browser.open(asked["window_url"])
        made.append((asked, browser))
    return made


def test_a_forged_secret_opens_nothing(town, bookshop):
    asked = bookshop.create().json()
    secret = secret_of(asked)
    swapped = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    forged = [
        secret[:-1], secret[1:], secret + "A", secret.swapcase(), swapped, secret[::-1], f"{secret}%20", f"{secret}%00",
        f"%20{secret}", f"{secret}=", f"{secret}.", f"{secret};x", secrets.token_urlsafe(24), asked["id"],
        uuid.UUID(asked["id"]).hex,
    ]  # fmt: skip
    answers = [exchange(town.base_url, "GET", f"/window/{one}") for one in forged]
    assert {answer.status for answer in answers} == {404}
    assert not [
        answer for answer in answers if "set-cookie" in answer.headers and "window-" in answer.headers["set-cookie"]
    ]
    assert not [answer for answer in answers if bookshop.entry["name"].encode() in answer.body]
    assert exchange(town.base_url, "GET", f"/window/{secret}").status == 303


def test_a_cookie_opens_only_the_window_it_was_made_for(town, bookshop, two):
    (mine, browser), (other, _) = two
    name = f"window-{uuid.UUID(mine['id']).hex}"
    value = browser.http.cookies[name]
    target = f"window-{uuid.UUID(other['id']).hex}"
    signature = value.rsplit(":", 1)
    wrong = [
        value, value[:-1], value + "A", value.replace(":", ":A", 1),
        f"{secrets.token_urlsafe(24)}:{value.split(':', 1)[1]}",
        f"{signature[0]}:{signature[1][::-1]}", signature[0], f'"{value}"',
    ]  # fmt: skip
    for one in wrong:
        cookie = {"Cookie": f"{target}={one}; {name}={value}"}
        for address in (f"/window/at/{other['id']}", f"/window/at/{other['id']}/state"):
            answer = exchange(town.base_url, "GET", address, headers=cookie)
            assert (answer.status, bookshop.entry["name"].encode() in answer.body) == (403, False), one
    assert bookshop.end(other["id"]) == ("created", None)


def test_a_form_of_one_window_does_nothing_at_another(town, bookshop, two):
    (_, browser), (other, _) = two
    form = browser.page.form("identity")
    answer = browser.http.post(f"{town.base_url}/window/at/{other['id']}", data={**form.fields, "do": "cancel"})
    assert answer.status_code == 403
    assert bookshop.end(other["id"]) == ("created", None)


def test_a_secret_replayed_after_the_end_shows_no_more_than_the_end(town, bookshop, world):
    mina = world.person()
    asked, browser = bookshop.create(identity=identity(mina)).json(), town.browser()
    browser.open(asked["window_url"])
    browser.press("code", code=world.number(mina))
    assert bookshop.end(asked["id"]) == ("verified", None)
    thief = town.browser()
    page = thief.open(asked["window_url"])
    assert page.status == 403
    for known in (mina["phone"], mina["phone"][-4:], mina["name"], "verified", bookshop.entry["return_origin"]):
        assert known not in page.answer.text
    token = thief.http.cookies.get("csrftoken") or "x" * 32
    replayed = thief.http.post(page.url, data={"csrfmiddlewaretoken": token, "do": "cancel"})
    assert replayed.status_code == 403


def test_what_was_typed_travels_sealed_and_only_to_its_own_window(town, bookshop, two, world):
    (mine, browser), (other, stranger) = two
    mina = world.person()
    form = browser.page.form("identity")
    typed = identity(mina) | {"birthdate": "900102", "consent_collect": "on", "consent_share": "on", "do": "identity"}
    answer = browser.http.post(form.action, data={**form.fields, **typed}, follow_redirects=False)
    flash = answer.cookies["window-flash"]
    assert mina["phone"][-8:] not in flash
    stranger.http.cookies.set("window-flash", flash, path=f"/window/at/{other['id']}")
    assert mina["phone"] not in stranger.reload().answer.text
    assert mina["phone"] in browser.open(f"{town.base_url}/window/at/{mine['id']}").answer.text


@pytest.mark.parametrize(
    "shape", ["/window/{}", "/window/{}/", "/window/{}?a=b", "/window/{}/state", "/window/{}%0a", "/window/%20{}"]
)
def test_no_secret_stands_in_the_log(town, bookshop, logged, shape):
    asked = bookshop.create().json()
    secret = secret_of(asked)
    exchange(town.base_url, "GET", shape.format(secret))
    exchange(town.base_url, "POST", shape.format(secret))
    said = logged()
    assert secret not in said
    assert bookshop.entry["key"] not in said
