"""Invariant 5: who does not know the person learns nothing. All refusals are the same, but for what names the call."""

import json
import re

import pytest

from tests.client.partner import identity

NAMES_THE_CALL = ("id", "reference", "created_at", "expires_at", "window_url")


@pytest.fixture(scope="module")
def strangers(town, mina):
    """What a stranger could type, by what is wrong with it."""
    world = town.world

    def person(**line):
        return identity(world.person(**line))

    member = identity(mina.person)
    suspended_member = town.member().person
    world.line(suspended_member, status="suspended")
    return {
        "an unknown number": {"birthdate": "900101", "gender_digit": "1", "phone": "010-9999-0001"},
        "a wrong birth date": person() | {"birthdate": "900102"},
        "a wrong gender digit": person() | {"gender_digit": "2"},
        "a wrong century": person() | {"gender_digit": "9"},
        "a foreigner's digit": person() | {"gender_digit": "5"},
        "a wrong name": person() | {"name": "김민아"},
        "a wrong carrier": person() | {"carrier": "KT"},
        "a suspended line": person(status="suspended"),
        "a terminated line": person(status="terminated"),
        "a company's line": person(owner_type="corporate"),
        "another one's line": person(user_is_owner=False),
        "a member's wrong birth date": member
        | {"birthdate": member["birthdate"][:4] + ("02" if member["birthdate"][4:] == "01" else "01")},
        "a suspended member": identity(suspended_member),
    }


def test_every_refusal_of_the_partner_api_is_the_same(bookshop, strangers):
    seen = {}
    for name, typed in strangers.items():
        answer = bookshop.create(identity=typed)
        told = answer.json()
        assert (told["state"], told["reason"]) == ("failed", "identity_mismatch"), name
        for varying in NAMES_THE_CALL:
            told[varying] = "…"
        headers = sorted(set(answer.headers) - {"date", "x-correlator"})
        seen[name] = (answer.status_code, json.dumps(told), headers, len(answer.content))
    assert len(set(map(str, seen.values()))) == 1, seen


def test_it_reads_the_same_afterwards_too(bookshop, strangers):
    seen = set()
    for typed in strangers.values():
        told = bookshop.now(bookshop.create(identity=typed).json()["id"])
        seen.add(json.dumps({**told, **dict.fromkeys(NAMES_THE_CALL)}))
    assert len(seen) == 1


def test_every_refusal_of_the_window_is_the_same_page(town, bookshop, strangers):
    """Byte for byte, but for the token, the id and the time that is left."""
    pages = {}
    for name, typed in strangers.items():
        browser, asked = town.browser(), bookshop.create().json()
        browser.open(asked["window_url"])
        shown = []
        for _ in range(3):
            page = browser.identify(typed, **typed)
            text = page.answer.text.replace(asked["id"], "ID")
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN", text)
            text = re.sub(r'<p class="left".*?</p>', "LEFT", text)
            for value in typed.values():
                text = text.replace(f'value="{value}"', "TYPED")
            shown.append((page.status, text))
        pages[name] = shown
    assert len({str(shown) for shown in pages.values()}) == 1, {
        name: [p[1][:200] for p in s] for name, s in pages.items()
    }


def test_who_may_not_join_may_still_be_verified(town, bookshop):
    """Carrier, plan, age and phone decide about joining only."""
    lines = {
        "KT": {"carrier": "KT"},
        "prepaid": {"plan_type": "prepaid"},
        "an old phone": {
            "handset": {"model": "Lumia 950", "os": "windows_mobile", "os_version": "10", "form": "phone"}
        },
    }
    for line in lines.values():
        assert bookshop.ask(town.world.person(**line))["state"] == "awaiting_code"
