"""Test mode: magic numbers lead to every end without a phone, and test keys never reach the real world."""

from datetime import timedelta

import pytest
from django.core import checks
from django.utils import timezone

from ansim.demo import people
from pushes.models import Message
from tests import make
from verification import clock, flow, sandbox
from verification.models import ApiKey, Rehearsal, Verification, WebhookDelivery
from verification.partner_auth import make_key

pytestmark = pytest.mark.django_db


def anybody(number):
    return people.Person("아무개", "1980-02-03", "F", f"+8210000000{number:02}")


def asked(number, **differing):
    return make.verification(anybody(number), **differing)


def played_on(verification):
    Rehearsal.objects.update(at=timezone.now())
    clock.rehearse()
    Verification.objects.filter(pk=verification.pk, ended_at=None).update()
    verification.refresh_from_db()
    return verification


def a_while_later(verification):
    Verification.objects.filter(pk=verification.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    clock.expire_overdue()
    verification.refresh_from_db()
    return verification


def test_by_sms_without_a_phone_the_number_is_always_the_same():
    begun = asked(1)
    assert (begun.state, begun.channel) == ("awaiting_code", "sms")
    assert flow.confirm(code="999999", pk=begun.pk).refusal.extra == {"tries_left": 4}
    assert flow.confirm(code=sandbox.CODE, pk=begun.pk).or_refuse().verification.state == "verified"
    assert not Message.objects.exists()


def test_by_app_without_a_phone_somebody_unlocks_it_soon():
    begun = asked(2)
    assert (begun.state, begun.channel, len(begun.match_number)) == ("awaiting_app", "app", 2)
    assert played_on(begun).state == "awaiting_code"
    assert flow.confirm(code=sandbox.CODE, pk=begun.pk).or_refuse().verification.state == "verified"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (3, ("denied", "not_me")),
        (4, ("cancelled", "cancelled_by_customer")),
        (5, ("failed", "app_locked")),
        (8, ("failed", "undeliverable")),
        (9, ("failed", "line_changed")),
    ],
)
def test_somebody_or_something_ends_it_soon(number, end):
    begun = asked(number)
    assert begun.is_open
    done = played_on(begun)
    assert (done.state, done.reason) == end
    assert WebhookDelivery.objects.filter(verification=begun, type=f"verification.{end[0]}").count() == 1


@pytest.mark.parametrize(
    ("number", "reason"),
    [(10, "identity_mismatch"), (11, "line_blocked"), (12, "app_not_registered"), (13, "app_locked")],
)
def test_it_fails_at_once(number, reason):
    assert (asked(number).state, asked(number).reason) == ("failed", reason)


@pytest.mark.parametrize(("number", "reason"), [(6, "app_not_opened"), (7, "code_not_entered")])
def test_its_time_runs_out(number, reason):
    begun = asked(number)
    assert begun.expires_at - begun.created_at == timedelta(seconds=3)
    assert a_while_later(begun).reason == reason


def test_a_recent_sim_change_is_a_risk_fact():
    assert asked(14).holder["risk"]["sim_changed_at"] > "2026"


def test_every_state_and_reason_a_partner_can_meet_has_a_number():
    reached = {scene.fails or scene.deed for scene in sandbox.SCENES.values()}
    assert reached >= {
        "identity_mismatch", "line_blocked", "app_not_registered", "app_locked", "undeliverable", "line_changed",
        "not_me", "cancelled_by_customer", "unlock",
    }  # fmt: skip


def test_a_magic_number_can_be_sent_again_although_nothing_was_sent():
    begun = asked(1, at=make.partner(limits={"resend_after": 1}))
    Verification.objects.filter(pk=begun.pk).update(sent_at=timezone.now() - timedelta(seconds=2))
    assert flow.resend(pk=begun.pk).or_refuse().verification.resends_left == 2


def test_a_live_verification_does_not_know_the_magic_numbers():
    assert asked(1, livemode=True).reason == "identity_mismatch"


def test_where_no_world_runs_a_test_key_knows_only_the_magic_numbers(settings):
    settings.DEMO, settings.CARRIER_URL = False, "http://127.0.0.1:1"  # a look-up would be refused, not mismatched
    assert make.verification(anybody(1)).state == "awaiting_code"
    assert make.verification(people.Person("홍길동", "1990-05-05", "M", "+821030010001")).reason == "identity_mismatch"


def test_beside_the_world_no_live_key_is_made_and_none_lets_the_system_start():
    bookshop = make.partner()
    with pytest.raises(ValueError, match="no live keys"):
        make_key(bookshop, live=True)
    assert "verification.E001" not in [found.id for found in checks.run_checks(databases=["default"])]

    ApiKey.objects.create(partner=bookshop, fingerprint="f", hint="h", live=True)

    assert "verification.E001" in [found.id for found in checks.run_checks(databases=["default"])]
