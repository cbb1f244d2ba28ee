"""S2: a protected line. The phone is told to open the app; password; the number, sealed for this phone alone."""

import json
import time

import pytest

from tests.client.partner import heard, told
from tests.client.world import until

PROVIDERS = {"android": "fcm", "ios": "apns"}


@pytest.fixture(scope="module")
def mina(town):
    """A member with an Android phone."""
    return town.member()


@pytest.mark.parametrize("platform", PROVIDERS)
def test_the_phone_is_woken_the_password_makes_the_number_and_no_sms_ever_carries_it(town, world, bookshop, platform):
    mina = town.member(platform)
    asked = bookshop.ask(mina.person, purpose="payment", client_ip="203.0.113.7")
    assert (asked["state"], asked["channel"], asked["code_expires_at"]) == ("awaiting_app", "app", None)
    assert bookshop.confirm(asked["id"], "000000").json()["code"] == "wrong_state"

    (wake,) = until(lambda: world.pushes(mina.push_token, "wake"))
    assert (wake["provider"], wake["verification"]) == (PROVIDERS[platform], asked["id"])
    (waiting,) = mina.waiting()
    assert (
        waiting
        | {
            "id": asked["id"],
            "match_number": asked["match_number"],
            "purpose": "payment",
            "state": "awaiting_app",
            "partner": {name: bookshop.entry[name] for name in ("id", "name", "domain")},
        }
        == waiting
    )
    assert waiting["region"]
    envelope = mina.unlock(asked["id"]).json()["envelope"]
    claims = mina.open(asked["id"], envelope)
    assert (claims["match_number"], claims["partner"]) == (asked["match_number"], bookshop.entry["name"])
    (push,) = until(lambda: world.pushes(mina.push_token, "number"))
    assert (push["envelope"], push["verification"]) == (envelope, asked["id"])

    now = bookshop.confirm(asked["id"], claims["code"]).json()

    assert (now["state"], now["channel"], now["result"]["channel"]) == ("verified", "app", "app")
    assert bookshop.receipt(now["receipt"], partner=bookshop.entry["id"])["channel"] == "app"
    assert world.texts(mina.person) == []
    seen = json.dumps([push["parsed"] for push in world.pushes(mina.push_token)], ensure_ascii=False)
    for secret in (claims["code"], mina.person["phone"], mina.person["name"], bookshop.entry["name"]):
        assert secret not in seen
    until(lambda: "verification.verified" in told(world.webhooks(bookshop.entry), asked["id"]))
    hooks = [hook for hook in world.webhooks(bookshop.entry) if asked["id"] in hook["body"]]
    events = [heard(hook, secret=bookshop.entry["webhook_secret"])["type"] for hook in hooks]
    assert sorted(events) == ["verification.awaiting_code", "verification.verified"]


def test_a_push_is_what_the_contract_says_for_fcm(town, world, bookshop, mina):
    asked = bookshop.ask(mina.person)
    mina.unlock(asked["id"])
    (wake,) = until(lambda: [p for p in world.pushes(mina.push_token, "wake") if p["verification"] == asked["id"]])
    (number,) = until(lambda: [p for p in world.pushes(mina.push_token, "number") if p["verification"] == asked["id"]])

    message = wake["parsed"]["message"]
    assert set(message["notification"]) == {"title", "body"}
    assert message["android"]["priority"].lower() == "high"
    assert message["android"]["collapse_key"] == asked["id"]
    assert 0 < float(message["android"]["ttl"].removesuffix("s")) <= 180
    assert "notification" not in number["parsed"]["message"]
    assert number["parsed"]["message"]["android"]["priority"].lower() == "high"
    bookshop.cancel(asked["id"])


def test_unlocking_again_gives_the_same_number_while_it_lives(bookshop, mina):
    asked = bookshop.ask(mina.person)
    first, second = (mina.open(asked["id"], mina.unlock(asked["id"]).json()["envelope"]) for _ in range(2))
    assert first["code"] == second["code"]
    assert bookshop.confirm(asked["id"], first["code"]).status_code == 200
    assert mina.unlock(asked["id"]).json()["code"] == "closed"


def test_a_newer_request_supersedes_and_the_older_number_is_dead(bookshop, mina):
    older = bookshop.ask(mina.person)
    number = mina.number(older["id"])
    newer = bookshop.ask(mina.person)

    assert bookshop.end(older["id"]) == ("cancelled", "superseded")
    assert bookshop.confirm(older["id"], number).json()["code"] == "closed"
    assert [item["id"] for item in mina.waiting()] == [newer["id"]]
    assert bookshop.confirm(newer["id"], mina.number(newer["id"])).status_code == 200


def test_not_me_ends_it_and_tells_the_partner(town, world, bookshop):
    mina = town.member()
    asked = bookshop.ask(mina.person)

    assert mina.deny(asked["id"]).status_code == 200

    assert bookshop.end(asked["id"]) == ("denied", "not_me")
    assert mina.unlock(asked["id"]).json()["code"] == "closed"
    until(lambda: told(world.webhooks(bookshop.entry), asked["id"]) == ["verification.denied"])


def test_the_owner_may_also_just_stop(bookshop, mina):
    asked = bookshop.ask(mina.person)
    mina.deny(asked["id"], "cancel")
    assert bookshop.end(asked["id"]) == ("cancelled", "cancelled_by_customer")


def test_five_wrong_passwords_lock_the_app_and_a_new_registration_unlocks_it(town, world, bookshop):
    mina = town.member()
    asked = bookshop.ask(mina.person)

    answers = [mina.unlock(asked["id"], "774411") for _ in range(5)]

    assert [(answer.status_code, answer.json()["tries_left"]) for answer in answers] == [
        (422, left) for left in (4, 3, 2, 1, 0)
    ]
    assert bookshop.end(asked["id"]) == ("failed", "app_locked")
    assert (mina.unlock(asked["id"]).status_code, mina.unlock(asked["id"]).json()["code"]) == (423, "locked")
    assert bookshop.ask(mina.person)["reason"] == "app_locked"
    fresh = town.manage("demo", "member", "--phone", mina.person["phone"])
    assert mina.register(fresh["activation_code"]).status_code == 201
    again = bookshop.ask(mina.person)
    assert bookshop.confirm(again["id"], mina.number(again["id"])).status_code == 200


def test_the_right_password_forgives_the_wrong_ones(bookshop, mina):
    asked = bookshop.ask(mina.person)
    assert mina.unlock(asked["id"], "774411").json()["tries_left"] == 4
    assert mina.unlock(asked["id"]).status_code == 200
    assert mina.unlock(asked["id"], "774411").json()["tries_left"] == 4
    assert mina.unlock(asked["id"]).status_code == 200
    bookshop.cancel(asked["id"])


def test_a_member_without_the_app_is_told_so_and_never_gets_an_sms(town, world, bookshop):
    member = town.manage("demo", "member")
    asked = bookshop.ask(member)
    assert (asked["state"], asked["reason"]) == ("failed", "app_not_registered")
    assert world.texts(member) == []


def test_registering_a_new_phone_replaces_the_old_one_which_is_told_and_can_do_nothing_more(town, world, bookshop):
    old = town.member()
    asked = bookshop.ask(old.person)
    code = town.manage("demo", "member", "--phone", old.person["phone"])["activation_code"]
    new = town.phone(old.person, "ios")

    answer = new.register(code)

    assert (answer.status_code, answer.json()["phone"]) == (201, f"010-****-{old.person['phone'][-4:]}")
    (notice,) = until(lambda: world.pushes(old.push_token, "notice"))
    assert notice["notice"] == "replaced"
    refused = old.call("GET", "/app/v1/verifications")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert old.unlock(asked["id"]).status_code == 401
    again = bookshop.ask(old.person)
    assert bookshop.confirm(again["id"], new.number(again["id"])).status_code == 200
    assert new.register(code).json()["code"] == "not_found", "a code is good for one phone"


def test_another_password_and_taking_the_app_off(town, world, bookshop):
    mina = town.member()
    assert mina.call("POST", "/app/v1/password", {"current": "259173", "new": "804162"}).status_code == 204
    asked = bookshop.ask(mina.person)
    assert mina.unlock(asked["id"]).json()["code"] == "wrong_password"
    assert mina.unlock(asked["id"], "804162").status_code == 200
    assert mina.call("POST", "/app/v1/device/remove", {"password": "259173"}).json()["code"] == "wrong_password"

    assert mina.call("POST", "/app/v1/device/remove", {"password": "804162"}).status_code == 204

    assert bookshop.end(asked["id"]) == ("failed", "app_not_registered")
    assert mina.call("GET", "/app/v1/verifications").status_code == 401
    assert bookshop.ask(mina.person)["reason"] == "app_not_registered"
    assert world.texts(mina.person) == []


def test_a_new_push_token_is_where_the_next_wake_up_goes(town, world, bookshop):
    mina = town.member()
    mina.push_token += "-new"
    news = {"push_token": mina.push_token, "os_version": "16", "app_version": "1.0.1"}
    assert mina.call("PUT", "/app/v1/device", news).status_code == 200
    asked = bookshop.ask(mina.person)
    (wake,) = until(lambda: world.pushes(mina.push_token, "wake"))
    assert wake["verification"] == asked["id"]


def test_the_history_ends_with_the_newest_request_that_was_opened(town, bookshop):
    mina, bank = town.member(), town.shop()
    done, denied, unopened = (bookshop.ask(mina.person)["id"], bank.ask(mina.person)["id"], None)
    bookshop.confirm(done, mina.number(done))
    mina.deny(denied, "cancel")
    unopened = bookshop.ask(mina.person)["id"]

    history = mina.call("GET", "/app/v1/history").json()

    assert [item["id"] for item in history["items"]] == [denied, done]
    assert [item["id"] for item in history["not_opened"]] == [unopened]
    assert [item["opened"] for item in history["items"]] == [True, True]
    receipt = bookshop.receipt(history["items"][1]["receipt"], partner=bookshop.entry["id"])
    assert receipt["sub"] == done


def test_nobody_elses_phone_sees_or_unlocks_it(town, bookshop, mina):
    thief = town.member()
    asked = bookshop.ask(mina.person)
    assert thief.waiting() == []
    answers = [thief.unlock(asked["id"]), thief.deny(asked["id"])]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2
    bookshop.cancel(asked["id"])


def test_an_app_that_is_not_opened_in_time_and_a_number_that_is_not_typed_in_time(town, world, mina):
    hasty = town.shop(app_ttl=1)
    asked = hasty.ask(mina.person)
    time.sleep(1.1)
    assert mina.unlock(asked["id"]).json()["code"] == "closed"
    assert hasty.end(asked["id"]) == ("expired", "app_not_opened")
    short = town.shop(code_ttl=3)  # the app reads it within two: its token ends at a full second
    slow = short.ask(mina.person)
    number = mina.number(slow["id"])
    time.sleep(3.1)
    assert short.confirm(slow["id"], number).json()["reason"] == "code_not_entered"


def test_the_wake_up_is_sent_again_and_after_the_password_there_is_nothing_to_resend(world, bookshop, mina):
    asked = bookshop.ask(mina.person)
    time.sleep(1.05)
    assert bookshop.resend(asked["id"]).json()["resends_left"] == 2
    until(lambda: [p["verification"] for p in world.pushes(mina.push_token, "wake")].count(asked["id"]) == 2)
    mina.number(asked["id"])
    assert bookshop.resend(asked["id"]).json()["code"] == "wrong_state"
    bookshop.cancel(asked["id"])


def test_leaving_turns_the_protection_off_and_the_next_number_goes_by_sms(town, world, bookshop):
    mina = town.member()
    open_one = bookshop.ask(mina.person)

    town.manage("demo", "leave", mina.person["contract"])

    assert bookshop.end(open_one["id"]) == ("failed", "line_changed")
    assert mina.call("GET", "/app/v1/verifications").status_code == 401
    (notice,) = until(lambda: world.pushes(mina.push_token, "notice"))
    assert notice["notice"] == "cancelled"
    asked = bookshop.ask(mina.person)
    assert asked["channel"] == "sms"
    result = bookshop.confirm(asked["id"], world.number(mina.person)).json()["result"]
    assert result["risk"]["protection_ended_at"]


def test_joining_ends_what_was_open_by_sms(town, world, bookshop):
    mina = world.person()
    asked = bookshop.ask(mina)
    number = world.number(mina)

    town.manage("demo", "member", "--phone", mina["phone"])

    assert bookshop.end(asked["id"]) == ("failed", "line_changed")
    assert bookshop.confirm(asked["id"], number).json()["code"] == "closed"
