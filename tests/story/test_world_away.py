"""A vendor is away: what is owed stays owed and goes out later, if still of use; and nothing falls open."""

import time

import httpx
import pytest

from tests.client.partner import told
from tests.client.world import until

PROVIDERS = {"android": "fcm", "ios": "apns"}


def taken(pushes, asked):
    """Those about that verification which the provider took."""
    return [push for push in pushes if push["answered"] == 200 and push["verification"] == asked["id"]]


@pytest.fixture(scope="module")
def members(town):
    """A member on each platform."""
    return {platform: town.member(platform) for platform in PROVIDERS}


@pytest.mark.parametrize("mode", ["error", "drop"])
def test_the_sms_gateway_fails_once_and_the_same_number_still_arrives(world, bookshop, mode):
    mina = world.person()
    world.fail("sms", mode, 1)

    asked = bookshop.ask(mina)

    assert asked["state"] == "awaiting_code"
    until(lambda: [text for text in world.texts(mina) if text["answered"] == 202])
    assert len({text["text"] for text in world.texts(mina)}) == 1
    assert bookshop.confirm(asked["id"], world.number(mina)).status_code == 200


def test_a_slow_sms_gateway_slows_down_nobody_who_asks(world, bookshop):
    slow, mina = world.person(), world.person()
    world.fail("sms", "slow", 1)
    first = bookshop.ask(slow)
    until(lambda: world.texts(slow))  # it hangs now
    began = time.monotonic()

    second = bookshop.ask(mina)
    assert bookshop.confirm(second["id"], world.number(mina)).status_code == 200

    assert time.monotonic() - began < 3.0
    assert bookshop.confirm(first["id"], world.number(slow)).status_code == 200


def test_a_text_that_could_not_leave_in_time_ends_it_as_undeliverable(town, world):
    hasty, mina = town.shop(code_ttl=2), world.person()
    world.fail("sms", "error")
    asked = hasty.ask(mina)
    until(lambda: "verification.failed" in told(world.webhooks(hasty.entry), asked["id"]))
    assert hasty.end(asked["id"]) == ("failed", "undeliverable")
    tries = len(world.texts(mina))
    world.heal()
    time.sleep(1.5)
    assert len(world.texts(mina)) == tries, "nothing goes out for what is over"


@pytest.mark.parametrize("mode", ["error", "drop"])
@pytest.mark.parametrize("platform", PROVIDERS)
def test_a_wake_up_stays_owed_until_the_provider_is_back(world, bookshop, members, platform, mode):
    mina = members[platform]
    world.fail(PROVIDERS[platform], mode)
    asked = bookshop.ask(mina.person)
    until(lambda: [p for p in world.pushes(mina.push_token, "wake") if p["verification"] == asked["id"]])
    assert taken(world.pushes(mina.push_token, "wake"), asked) == []

    world.heal()

    until(lambda: taken(world.pushes(mina.push_token, "wake"), asked))
    assert bookshop.confirm(asked["id"], mina.number(asked["id"])).status_code == 200


@pytest.mark.parametrize("platform", PROVIDERS)
def test_the_app_needs_no_push_the_owner_opens_it_and_the_number_comes_with_the_answer(
    world, bookshop, members, platform
):
    mina = members[platform]
    world.fail(PROVIDERS[platform], "drop")
    asked = bookshop.ask(mina.person)
    assert [item["id"] for item in mina.waiting()] == [asked["id"]]
    assert bookshop.confirm(asked["id"], mina.number(asked["id"])).status_code == 200
    assert world.texts(mina.person) == [], "no failure makes it fall back to SMS"


def test_a_wake_up_for_what_has_ended_is_not_sent_any_more(town, world, bookshop, members):
    mina = members["android"]
    world.fail("fcm", "error")
    asked = bookshop.ask(mina.person)
    until(lambda: [p for p in world.pushes(mina.push_token, "wake") if p["verification"] == asked["id"]])
    bookshop.cancel(asked["id"])
    world.heal()

    later = bookshop.ask(mina.person)
    until(lambda: taken(world.pushes(mina.push_token, "wake"), later))
    time.sleep(1.5)

    assert taken(world.pushes(mina.push_token, "wake"), asked) == []
    owed = town.rows("SELECT count(*) FROM pushes_message WHERE about = %s AND state = 'owed'", asked["id"])
    assert owed == [(0,)]
    bookshop.cancel(later["id"])


@pytest.mark.parametrize("platform", PROVIDERS)
def test_a_refused_push_token_is_no_end_and_a_new_one_is_used_at_once(town, world, bookshop, platform):
    mina = town.member(platform)
    world.fail(PROVIDERS[platform], "reject_token", 1)
    asked = bookshop.ask(mina.person)
    until(lambda: world.pushes(mina.push_token, "wake"))
    assert bookshop.confirm(asked["id"], mina.number(asked["id"])).status_code == 200

    mina.push_token = f"{mina.push_token}-new"
    news = {"push_token": mina.push_token, "os_version": "18", "app_version": "1.0.1"}
    assert mina.call("PUT", "/app/v1/device", news).status_code == 200
    again = bookshop.ask(mina.person)
    until(lambda: taken(world.pushes(mina.push_token, "wake"), again))
    bookshop.cancel(again["id"])


@pytest.mark.parametrize("mode", ["slow", "error", "drop"])
def test_without_a_clear_answer_of_the_carrier_nothing_is_created(town, world, bookshop, mode):
    mina, reference = world.person(), f"carrier-{mode}-{time.time_ns()}"
    body = {
        "reference": reference,
        "idempotency_key": reference,
        "identity": {name: mina[name] for name in ("birthdate", "gender_digit", "phone")},
    }
    world.fail("carrier", mode)
    began = time.monotonic()

    answer = bookshop.create(**body)

    assert time.monotonic() - began < 3.5
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert bookshop.listed(reference=reference).json()["items"] == []
    world.heal()
    assert bookshop.create(**body).json()["state"] == "awaiting_code", "the same key may be tried again"


def test_a_webhook_is_delivered_again_under_the_same_id_until_it_is_heard(town, world):
    shop, mina = town.shop(), world.person()
    world.fail("webhook", "error", 1)

    asked = shop.ask(mina)

    hooks = until(lambda: [hook for hook in world.webhooks(shop.entry) if asked["id"] in hook["body"]][1:] and (
        world.webhooks(shop.entry)
    ))  # fmt: skip
    assert [hook["answered"] for hook in hooks] == [204, 500]
    assert len({hook["headers"]["webhook-id"] for hook in hooks}) == 1


def test_pages_and_keys_answer_while_everything_outside_is_away(town, world):
    for target in world.TARGETS:
        world.fail(target, "drop")
    assert httpx.get(f"{town.base_url}/readyz").status_code == 200
    assert httpx.get(f"{town.base_url}/.well-known/jwks.json").status_code == 200
