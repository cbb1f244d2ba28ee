"""Joining and leaving (mission.md S5, S7, S10, S11): once, at once, and with nothing left behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ansim.lib import fingerprint
from ansim.lib.problem import Refused, Unavailable
from pushes.models import Device, Message
from subscriptions import enrolment, leaving, pending
from subscriptions.models import PendingChange, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.verification import callers, hours
from tests.verification.crowd import at_once
from verification import unlocking
from verification.models import Line, Verification


def move(somebody, **line):
    """The carrier knows something new of that line."""
    make.httpx.post(
        f"{make.settings.WORLD_URL}/world/lines", json={"contract": somebody.contract, **line}, timeout=10
    ).raise_for_status()


# --- Joining ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_to_join_is_to_subscribe_and_to_be_protected_at_once():
    mina = make.person()

    joined = enrolment.join(mina.phone)

    line = Line.objects.get()
    assert (line.protection, line.phone, line.birthdate, line.device) == ("on", mina.phone, mina.birthdate, None)
    assert (joined.subscription.state, joined.subscription.line_id) == ("active", line.pk)
    assert joined.subscription.holder["name"] == mina.name
    assert joined.activation_code not in str(Line.objects.values().get())  # only its fingerprint is kept


@pytest.mark.django_db(transaction=True)
def test_of_many_who_join_the_same_line_at_once_one_joins():
    mina = make.person()

    def join():
        try:
            return enrolment.join(mina.phone)
        except enrolment.NotEligible as refusal:
            return refusal.why_not

    came = at_once(*[join] * 8)

    assert sum(isinstance(one, enrolment.Joined) for one in came) == 1
    assert [one for one in came if one == ["already_joined"]] == [["already_joined"]] * 7
    assert Subscription.objects.count() == 1
    (joined,) = (one for one in came if isinstance(one, enrolment.Joined))
    register(joined.activation_code)  # nobody who was refused took the winner's code away


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "reasons"),
    [
        ({"carrier": "KT"}, ["not_skt"]),
        ({"plan_type": "prepaid", "status": "suspended"}, ["prepaid", "line_not_active"]),
    ],
)
def test_a_line_that_is_refused_leaves_nothing_behind(line, reasons):
    with pytest.raises(enrolment.NotEligible) as refused:
        enrolment.join(make.person(**line).phone)

    assert refused.value.why_not == reasons
    assert not any(model.objects.exists() for model in (Line, Subscription, Message, Device))


@pytest.mark.django_db
def test_a_number_that_nobody_has_and_a_carrier_that_does_not_answer_are_no_reasons(fail):
    with pytest.raises(enrolment.Unknown):
        enrolment.join("+821099990000")
    mina = make.person()
    fail("carrier", "error", 1)
    with pytest.raises(Unavailable):
        enrolment.join(mina.phone)
    assert not Line.objects.exists()


@pytest.mark.django_db
def test_joining_ends_what_is_open_by_sms():
    mina = make.person()
    asked = make.verification(mina)

    enrolment.join(mina.phone)

    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "line_changed")


@pytest.mark.django_db
def test_a_line_that_had_another_number_when_it_was_asked_about_joins_with_the_one_it_has_now():
    mina, newer = make.person(), make.people.somebody_new().phone
    make.verification(mina)
    move(mina, phone=newer)

    enrolment.join(newer)

    assert [line.phone for line in Line.objects.all()] == [newer]
    assert Line.objects.get().phone_fingerprint == fingerprint.of("phone", newer)


# --- Leaving ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_leaving_takes_the_phone_the_password_the_codes_and_what_is_open():
    mina = make.Member()
    asked = [make.verification(mina.person, at=make.partner()) for _ in range(2)]
    mina.number(asked[0])
    code = enrolment.renew_activation(mina.person.contract).activation_code

    left = leaving.cancel(mina.person.contract, reason="customer")

    line = Line.objects.get()
    assert (left.state, left.end_reason, left.ended_at) == ("ended", "customer", line.protection_ended_at)
    assert (line.protection, line.device, line.password, line.birthdate) == ("off", None, "", None)
    for one in asked:
        one.refresh_from_db()
        assert (one.state, one.reason, one.holder) == ("failed", "line_changed", None)
    with pytest.raises(Refused, match="not_found"):
        register(code)
    with pytest.raises(Refused, match="not_found"):
        unlocking.unlock(asked[0].pk, device=mina.device, password=make.PASSWORD)
    assert callers.unlock(mina, asked[0].pk).status_code == 401
    assert Message.objects.get(kind="notice").body == {"notice": "cancelled"}
    assert not Message.objects.filter(state="owed").exclude(kind="notice").exists()


@pytest.mark.django_db
def test_who_leaves_may_join_again_at_once_and_needs_the_app_again():
    mina = make.Member()
    leaving.cancel(mina.person.contract, reason="customer")
    assert make.verification(mina.person).channel == "sms"

    again = enrolment.join(mina.person.phone)

    assert make.verification(mina.person).reason == "app_not_registered"
    register(again.activation_code)
    assert make.verification(mina.person).state == "awaiting_app"
    assert sorted(Subscription.objects.values_list("state", flat=True)) == ["active", "ended"]
    assert Line.objects.count() == 1


@pytest.mark.django_db
def test_a_lock_ends_with_the_membership():
    mina = make.Member()
    asked = make.verification(mina.person)
    for _ in range(5):
        mina.unlock(asked, "999888")
    leaving.cancel(mina.person.contract, reason="customer")
    register(enrolment.join(mina.person.phone).activation_code)
    assert make.verification(mina.person).state == "awaiting_app"


@pytest.mark.django_db
def test_nobody_leaves_twice_or_without_having_joined():
    mina = make.person()
    with pytest.raises(Refused, match="not_found"):
        leaving.cancel(mina.contract, reason="customer")
    enrolment.join(mina.phone)
    leaving.cancel(mina.contract, reason="customer")
    with pytest.raises(Subscription.DoesNotExist):
        leaving.cancel(mina.contract, reason="customer")


@pytest.mark.django_db
def test_nobody_leaves_before_having_joined():
    mina = make.person()
    joined = enrolment.join(mina.phone).subscription
    left = leaving.cancel(mina.contract, reason="customer", at=joined.joined_at - timedelta(days=1))
    assert left.ended_at == joined.joined_at


@pytest.mark.django_db(transaction=True)
def test_of_many_who_leave_at_once_one_leaves_and_the_risk_is_known_afterwards():
    mina = make.Member()

    def leave():
        try:
            return leaving.cancel(mina.person.contract, reason="customer")
        except Subscription.DoesNotExist:
            return None

    assert sum(one is not None for one in at_once(*[leave] * 6)) == 1
    assert Message.objects.filter(kind="notice").count() == 1
    asked = make.verification(mina.person)
    assert asked.holder["risk"]["protection_ended_at"] is not None
    assert Verification.objects.filter(channel="sms", released=True).count() == 0


@pytest.mark.django_db
def test_the_delay_of_a_cancellation_by_staff_is_stopped_by_one_tap():
    mina = make.Member()
    change = pending.ask(mina.person.contract, pending.Kind.CANCELLATION, by=None)
    assert change.due_at > timezone.now() + timedelta(hours=23)
    assert Line.objects.get().protection == "on"

    assert pending.stop(mina.line)
    assert not pending.stop(mina.line)
    hours.pass_by(days=2)
    pending.take_effect(change.pk)

    assert Subscription.objects.get().state == "active"


@pytest.mark.django_db
def test_a_cancellation_that_nobody_stops_takes_effect_once_its_day_is_over():
    mina = make.Member()
    change = pending.ask(mina.person.contract, pending.Kind.CANCELLATION, by=None)
    pending.take_effect(change.pk)
    assert Subscription.objects.get().state == "active"

    hours.pass_by(days=1, seconds=1)
    for _ in range(2):
        pending.take_effect(change.pk)

    left = Subscription.objects.get()
    assert (left.state, left.end_reason, left.ended_at) == ("ended", "desk", PendingChange.objects.get().due_at)
    assert Line.objects.get().protection == "off"
