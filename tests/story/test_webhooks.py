"""Invariant 4: a verification ends once, and the partner hears each end, signed, once, in words that name nobody."""

import json
import time

import pytest

from tests.client.partner import heard
from tests.client.world import until


def failed(town, shop):
    return shop.ask(town.world.person() | {"birthdate": "900102"})["id"]


def verified(town, shop):
    mina = town.world.person()
    asked = shop.ask(mina)
    assert shop.confirm(asked["id"], town.world.number(mina)).status_code == 200
    return asked["id"]


def cancelled(town, shop):
    asked = shop.create().json()
    shop.cancel(asked["id"])
    return asked["id"]


def expired(town, shop):
    asked = shop.create().json()
    time.sleep(1.1)
    return asked["id"]


def denied(town, shop):
    mina = town.member()
    asked = shop.ask(mina.person)
    mina.deny(asked["id"])
    return asked["id"]


REASONS = {
    failed: "identity_mismatch",
    verified: None,
    cancelled: "cancelled_by_partner",
    expired: "identity_not_entered",
    denied: "not_me",
}


@pytest.fixture(scope="module")
def hasty(town):
    return town.shop(identity_ttl=1)


@pytest.mark.parametrize("end", REASONS, ids=lambda end: end.__name__)
def test_each_end_is_told_once_and_signed(town, world, hasty, end):
    pk = end(town, hasty)
    kind = f"verification.{end.__name__}"

    def about():
        return [hook for hook in world.webhooks(hasty.entry) if pk in hook["body"] and kind in hook["body"]]

    (hook,) = until(about)

    told = heard(hook, secret=hasty.entry["webhook_secret"])
    assert told["type"] == kind
    reference = hasty.now(pk)["reference"]
    assert told["data"] == {"id": pk, "reference": reference, "state": end.__name__, "reason": REASONS[end]}
    assert json.loads(hook["body"]) == told
    time.sleep(0.5)
    assert len(about()) == 1


def test_no_end_is_told_of_what_is_still_open(town, world, bookshop):
    asked = bookshop.create().json()
    time.sleep(1.5)
    assert [hook for hook in world.webhooks(bookshop.entry) if asked["id"] in hook["body"]] == []
