"""Signed in to "my page": by one proof by the app, in one browser, no longer than everything holds."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pushes.models import Device
from subscriptions import enrolment, leaving, proving, sessions
from subscriptions.models import CustomerSession, Subscription
from tests import make
from tests.subscriptions.test_activation import register
from tests.subscriptions.visitors import by_sms, identified, proof
from tests.verification import hours
from tests.verification.crowd import at_once
from verification import registration
from verification.models import Verification

pytestmark = pytest.mark.django_db
CHROME, SAFARI = sessions.Browser("Chrome · Windows"), sessions.Browser("Safari · iPhone")


def begun(member, browser=CHROME):
    return sessions.begin(proof(member), browser=browser)


def good(token, browser=CHROME):
    return sessions.current(token, browser=browser) is not None


# --- Beginning --------------------------------------------------------------------------------------------------------


def test_a_proof_by_the_app_opens_a_session_and_nothing_but_the_tokens_fingerprint_is_kept():
    mina = make.Member()

    session, token = begun(mina)

    assert sessions.current(token, browser=CHROME) == session
    assert (session.subscription.line, session.device) == (mina.line, mina.device)
    assert token not in str(CustomerSession.objects.values().get())


def test_a_proof_opens_one_session_and_proves_nothing_afterwards():
    mina = make.Member()
    person = proof(mina)
    sessions.begin(person, browser=CHROME)

    with pytest.raises(sessions.NotProved):
        sessions.begin(person, browser=CHROME)
    assert proving.proved(person.verification) is None
    assert CustomerSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_come_with_the_same_proof_at_once_one_is_let_in():
    person = proof(make.Member())

    def come():
        try:
            return sessions.begin(person, browser=CHROME)
        except sessions.NotProved:
            return None

    assert sum(one is not None for one in at_once(*[come] * 6)) == 1
    assert CustomerSession.objects.count() == 1


def test_a_number_by_sms_opens_nothing():
    jiho = make.person()
    asked = proving.ask("login", back="/my/back")
    by_sms(jiho, asked.verification)
    person = proving.proved(asked.verification)
    assert not person.by_app

    with pytest.raises(sessions.NotJoined):
        sessions.begin(person, browser=CHROME)
    enrolment.join(jiho.phone)  # and joining afterwards does not make that SMS worth more
    with pytest.raises(sessions.NotProved):
        sessions.begin(person, browser=CHROME)


def test_a_proof_during_a_temporary_release_opens_nothing():
    mina = make.Member()
    person = proof(mina)
    Verification.objects.filter(pk=person.verification).update(channel="sms", match_number=None)

    with pytest.raises(sessions.NotProved):
        sessions.begin(person, browser=CHROME)


@pytest.mark.parametrize("purpose", ["other", "join"])
def test_a_proof_for_something_else_opens_nothing(purpose):
    with pytest.raises(sessions.NotProved):
        sessions.begin(proof(make.Member(), purpose), browser=CHROME)


def test_a_proof_is_good_for_five_minutes():
    person = proof(make.Member())
    hours.pass_by(minutes=5, seconds=1)
    with pytest.raises(sessions.NotProved):
        sessions.begin(person, browser=CHROME)


def test_the_proof_of_a_phone_that_was_replaced_since_opens_nothing():
    mina = make.Member()
    person = proof(mina)
    register(enrolment.renew_activation(mina.person.contract).activation_code)
    with pytest.raises(sessions.NotProved):
        sessions.begin(person, browser=CHROME)


def test_who_left_since_the_proof_has_not_joined():
    mina = make.Member()
    person = proof(mina)
    leaving.cancel(mina.person.contract, reason="customer")
    with pytest.raises(sessions.NotJoined):
        sessions.begin(person, browser=CHROME)


def test_the_same_line_of_another_person_is_not_theirs():
    mina = make.Member()
    person = proof(mina)
    Subscription.objects.update(holder_fingerprint="0" * 64)
    with pytest.raises(sessions.NotJoined):
        sessions.begin(person, browser=CHROME)


def test_what_is_not_finished_proves_nobody():
    mina = make.Member()
    asked = proving.ask("login", back="/my/back")
    identified(mina.person, asked.verification)
    assert proving.proved(asked.verification) is None


# --- Lasting ----------------------------------------------------------------------------------------------------------


def test_a_session_is_good_in_its_own_browser_only():
    _session, token = begun(make.Member())
    assert good(token)
    assert not good(token, SAFARI)
    assert not good(f"{token}x")


def test_it_ends_after_fifteen_idle_minutes_and_use_keeps_it_awake():
    _session, token = begun(make.Member())
    hours.pass_by(minutes=14, seconds=50)
    assert good(token)
    hours.pass_by(minutes=14, seconds=50)
    assert good(token)
    hours.pass_by(minutes=15, seconds=1)
    assert not good(token)


def test_it_ends_an_hour_after_it_began_however_busy_it_is():
    session, token = begun(make.Member())
    for _ in range(5):
        hours.pass_by(minutes=11)
        assert good(token)
    assert sessions.over_at(sessions.current(token, browser=CHROME)) < timezone.now() + timedelta(minutes=6)
    hours.pass_by(minutes=5, seconds=1)
    assert not good(token)
    assert not sessions.alive(session.subscription)


def test_it_ends_with_the_subscription():
    mina = make.Member()
    _session, token = begun(mina)
    leaving.cancel(mina.person.contract, reason="customer")
    assert not good(token)


def test_it_ends_when_the_app_is_removed():
    mina = make.Member()
    _session, token = begun(mina)
    registration.remove(mina.device, password=make.PASSWORD)
    assert not good(token)


def test_it_ends_when_another_phone_is_registered():
    mina = make.Member()
    _session, token = begun(mina)
    register(enrolment.renew_activation(mina.person.contract).activation_code)
    assert not good(token)


def test_who_left_and_joined_again_is_not_still_signed_in():
    mina = make.Member()
    _session, token = begun(mina)
    leaving.cancel(mina.person.contract, reason="customer")
    register(enrolment.join(mina.person.phone).activation_code)
    assert not good(token)


def test_sessions_are_listed_and_ended_one_by_one_or_all_and_never_somebody_elses():
    mina, jiho = make.Member(), make.Member()
    (first, one), (second, two) = begun(mina), begun(mina, SAFARI)
    other, three = begun(jiho)
    assert sessions.alive(first.subscription) == [second, first]

    assert sessions.end(first.subscription, only=other.pk) == 0
    assert sessions.end(first.subscription, only=second.pk) == 1
    assert (good(one), good(two, SAFARI), good(three)) == (True, False, True)

    assert sessions.end(first.subscription) == 1
    assert (good(one), good(three)) == (False, True)
    assert sessions.alive(first.subscription) == []


def test_what_was_over_a_day_ago_is_forgotten():
    _session, token = begun(make.Member())
    hours.pass_by(hours=24)
    sessions.forget()
    assert CustomerSession.objects.exists()
    hours.pass_by(hours=1, seconds=1)
    sessions.forget()
    assert not CustomerSession.objects.exists()
    assert Device.objects.exists()
    assert not good(token)
