"""What a partner reads and repeats: results, lists, published keys, and the same request twice."""

import time

import httpx
import pytest

from tests.client.partner import identity
from tests.client.world import until


def test_the_result_is_there_for_a_while_then_only_a_receipt_without_the_person(town, world):
    forgetful = town.shop(result_ttl=2)
    mina = world.person()
    asked = forgetful.ask(mina)
    before = forgetful.confirm(asked["id"], world.number(mina)).json()
    assert "di" in forgetful.receipt(before["receipt"], partner=forgetful.entry["id"])
    time.sleep(2.1)

    now = forgetful.now(asked["id"])

    assert now["result"] == {"erased": True}
    assert (now["state"], now["match_number"]) == ("verified", None)
    claims = forgetful.receipt(now["receipt"], partner=forgetful.entry["id"])
    assert (claims["sub"], "di" in claims) == (asked["id"], False)
    until(
        lambda: (
            town.rows("SELECT holder IS NULL FROM verification_verification WHERE id = %s", asked["id"]) == [(True,)]
        )
    )


def test_an_unchanged_verification_is_not_sent_twice(world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina)
    first = bookshop.get(asked["id"])
    assert first.headers["Cache-Control"] == "private, no-cache"

    same = bookshop.get(asked["id"], **{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    bookshop.cancel(asked["id"])
    changed = bookshop.get(asked["id"], **{"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()["state"]) == (200, "cancelled")


def test_the_list_is_newest_first_in_pages_and_without_personal_data(town, world):
    shop = town.shop()
    mina = world.person()
    done = shop.ask(mina)["id"]
    shop.confirm(done, world.number(mina))
    asked = [shop.ask(mina)["id"] for _ in range(5)]
    assert len(set(asked)) == 5

    pages, query = [], {"limit": 2}
    while query:
        page = shop.listed(**query).json()
        pages.append([item["id"] for item in page["items"]])
        assert all((item["result"], item["receipt"]) == (None, None) for item in page["items"])
        query = {"limit": 2, "cursor": page["next_cursor"]} if page["next_cursor"] else None

    assert pages == [asked[:2:-1], asked[2:0:-1], [asked[0], done]]
    reference = shop.now(asked[1])["reference"]
    assert [item["id"] for item in shop.listed(reference=reference).json()["items"]] == [asked[1]]


@pytest.mark.parametrize("same", [True, False], ids=["the same request", "another request"])
def test_an_idempotency_key_makes_one_verification_and_one_message(world, bookshop, same):
    mina = world.person()
    body = {"reference": f"order-{mina['contract']}", "identity": identity(mina)}
    first = bookshop.create(idempotency_key=mina["contract"], **body)

    again = bookshop.create(idempotency_key=mina["contract"], **(body if same else body | {"purpose": "payment"}))

    if same:
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
    else:
        assert (again.status_code, again.json()["code"]) == (422, "idempotency_mismatch")
    world.number(mina)
    assert len(world.texts(mina)) == 1


def test_a_reference_is_used_once(world, bookshop):
    reference = f"once-{world.person()['contract']}"
    assert bookshop.create(reference=reference).status_code == 201
    taken = bookshop.create(reference=reference)
    assert (taken.status_code, taken.json()["code"]) == (409, "reference_taken")


def test_keys_for_numbers_and_for_receipts_are_published_and_differ(town):
    answer = httpx.get(f"{town.base_url}/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert "max-age=300" in answer.headers["Cache-Control"]
    assert len({key["kid"] for key in keys}) == len(keys) >= 2
    assert all(key["kty"] == "EC" and "d" not in key for key in keys)
