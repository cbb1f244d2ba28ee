"""The two roads, in this process, against the real carrier's look-up of the simulated world."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ansim.lib.problem import Unavailable
from pushes.models import Message
from subscriptions import enrolment
from tests import make
from tests.client.phone import PhoneClient
from tests.verification.hours import pass_by
from verification import codes, flow, registration, unlocking
from verification.models import Verification, WebhookDelivery

pytestmark = pytest.mark.django_db


def sms_number(asked):
    return Message.objects.get(about=asked.pk).body["text"].split("번호 ")[1][:6]


def test_an_unprotected_line_gets_its_number_by_sms_and_is_verified_with_it():
    mina = make.person()
    asked = make.verification(mina)
    assert (asked.state, asked.channel) == ("awaiting_code", "sms")

    done = flow.confirm(code=sms_number(asked), pk=asked.pk).or_refuse().verification

    assert done.state == "verified"
    assert done.holder["name"] == mina.name
    assert list(WebhookDelivery.objects.order_by("created_at").values_list("type", flat=True)) == [
        "verification.awaiting_code",
        "verification.verified",
    ]


def test_a_protected_line_gets_a_wake_up_then_the_number_only_after_the_password():
    mina = make.Member()
    asked = make.verification(mina.person)
    assert (asked.state, asked.channel, asked.code_fingerprint) == ("awaiting_app", "app", None)
    assert [message.kind for message in Message.objects.filter(about=asked.pk)] == ["wake"]

    number = mina.number(asked)

    assert flow.confirm(code=number, pk=asked.pk).or_refuse().verification.state == "verified"
    assert not Message.objects.filter(channel="sms").exists()


def test_a_stranger_who_does_not_know_the_birth_date_is_told_nothing():
    mina = make.Member()
    wrong = make.identity(mina.person)
    wrong = type(wrong)("190101", "1", wrong.phone)

    asked = make.verification(None, identity=wrong)

    assert (asked.state, asked.reason, asked.channel, asked.line) == ("failed", "identity_mismatch", None, None)


def test_the_carrier_away_creates_nothing(fail):
    mina = make.person()
    fail("carrier", "error", 1)

    with pytest.raises(Unavailable):
        make.verification(mina)

    assert not Verification.objects.exists()


def test_wrong_numbers_are_counted_and_the_fifth_ends_it():
    asked = make.verification(make.person())
    wrong = f"{(int(sms_number(asked)) + 1) % 10**6:06}"

    left = [flow.confirm(code=wrong, pk=asked.pk).refusal.extra["tries_left"] for _ in range(5)]

    asked.refresh_from_db()
    assert left == [4, 3, 2, 1, 0]
    assert (asked.state, asked.reason) == ("failed", "too_many_wrong_codes")
    assert flow.confirm(code=sms_number(asked), pk=asked.pk).refusal.code == "closed"


def test_a_newer_request_of_the_same_partner_supersedes_the_older():
    mina, bookshop = make.person(), make.partner()
    first = make.verification(mina, at=bookshop)

    second = make.verification(mina, at=bookshop)

    first.refresh_from_db()
    assert (first.state, first.reason, second.state) == ("cancelled", "superseded", "awaiting_code")


def test_three_partners_may_ask_at_once_and_the_fourth_is_blocked():
    mina = make.person()
    asked = [make.verification(mina, at=make.partner()) for _ in range(4)]
    assert [(one.state, one.reason) for one in asked] == [("awaiting_code", None)] * 3 + [("failed", "line_blocked")]


def test_the_sixth_request_in_ten_minutes_is_blocked():
    mina, bookshop = make.person(), make.partner()
    asked = [make.verification(mina, at=bookshop) for _ in range(6)]
    assert [one.reason for one in asked][-1] == "line_blocked"
    assert asked[-2].state == "awaiting_code"


def test_five_wrong_passwords_lock_and_end_what_is_open():
    mina = make.Member()
    asked = make.verification(mina.person)

    refusals = [mina.unlock(asked, "999888").refusal for _ in range(6)]

    assert [(refusal.code, refusal.extra.get("tries_left")) for refusal in refusals] == [
        *(("wrong_password", left) for left in (4, 3, 2, 1, 0)),
        ("locked", None),
    ]
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "app_locked")
    assert make.verification(mina.person).reason == "app_locked"


def test_unlocking_again_shows_the_same_number():
    mina = make.Member()
    asked = make.verification(mina.person)
    assert mina.number(asked) == mina.number(asked)


def test_a_number_is_worth_nothing_for_another_verification():
    asked = make.verification(make.person())
    other = codes.number_fingerprint(sms_number(asked), verification=make.verification().pk, partner=asked.partner_id)
    assert other != asked.code_fingerprint


def test_not_me_ends_it_and_tells_the_partner():
    mina = make.Member()
    asked = make.verification(mina.person)

    unlocking.deny(asked.pk, device=mina.device, reason="not_me")

    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("denied", "not_me")
    assert WebhookDelivery.objects.get(verification=asked).type == "verification.denied"


def test_a_member_without_the_app_is_told_to_register_it_and_never_gets_an_sms():
    han = make.member_without_app()

    asked = make.verification(han)

    assert (asked.state, asked.reason) == ("failed", "app_not_registered")
    assert not Message.objects.exists()


def test_a_refused_request_takes_nobodys_place():
    mina, bookshop = make.person(), make.partner(limits={"line_per_10min": 1})
    first = make.verification(mina, at=bookshop)

    refused = make.verification(mina, at=bookshop)

    first.refresh_from_db()
    assert (refused.reason, first.state) == ("line_blocked", "awaiting_code")


def test_windows_that_stood_open_for_long_count_from_the_moment_the_person_was_recognised():
    mina, bookshop = make.person(), make.partner(limits={"line_per_10min": 1})
    first, second = make.verification(at=bookshop), make.verification(at=bookshop)
    Verification.objects.update(created_at=timezone.now() - timedelta(minutes=9, seconds=59))

    for asked in (first, second):
        flow.identify(asked, identity=make.identity(mina), address="", region="")

    Verification.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert make.verification(mina, at=bookshop).reason == "line_blocked"


def test_registering_another_phone_ends_what_only_the_former_one_could_open():
    mina = make.Member()
    asked = make.verification(mina.person)
    mina.number(asked)
    waiting = make.verification(mina.person, at=make.partner())

    joined = enrolment.renew_activation(mina.person.contract)
    newer = PhoneClient("http://here")
    given = newer.registration(joined.activation_code, make.PASSWORD)
    code, password = given.pop("activation_code"), given.pop("password")
    registration.register(code, phone=registration.Phone(**given), password=password, address="here")

    asked.refresh_from_db()
    waiting.refresh_from_db()
    assert (asked.state, asked.reason, waiting.state) == ("failed", "line_changed", "awaiting_app")


def test_what_waits_for_a_phone_is_its_own_newest_first_and_not_what_is_over():
    mina, other = make.Member(), make.Member()
    older, newer = (make.verification(mina.person) for _ in range(2))  # of two sites
    make.verification(other.person)
    assert [one.pk for one in unlocking.waiting(mina.line)] == [newer.pk, older.pk]

    pass_by(minutes=4)  # and no clock has ticked

    assert unlocking.waiting(mina.line) == []
