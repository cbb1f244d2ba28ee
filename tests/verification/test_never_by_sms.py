"""Invariant 1 of mission.md: a protected line's number never reaches the SMS gateway. Attacked through the stories,
through failures, at the same instant, and below them all with SQL.
"""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from pushes import tasks
from pushes.models import Message
from subscriptions import enrolment, leaving
from tests import make
from tests.verification import callers
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import flow
from verification.models import Line, Release, Verification

OPEN_BY_SMS = {"state": "awaiting_code", "channel": "sms", "match_number": None, "code_fingerprint": "f" * 64}


def fresh(**differing):
    """A row for an attacker who writes to the database as the owner of its tables."""
    now = timezone.now()
    soon = now + timedelta(seconds=180)
    return Verification(
        **{
            "partner": make.partner(), "reference": uuid.uuid4().hex, "purpose": "login", "site": {}, "tries_left": 5,
            "resends_left": 3, "created_at": now, "expires_at": soon, "code_expires_at": soon,
            "window_fingerprint": uuid.uuid4().hex, **OPEN_BY_SMS, **differing,
        }
    )  # fmt: skip


def refuses(constraint):
    return pytest.raises(IntegrityError, match=constraint)


# --- Below the stories: SQL -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("protection", ["on", "paused"])
def test_sql_cannot_insert_an_open_sms_verification_on_a_protected_line(protection):
    line = make.Member().line
    Line.objects.filter(pk=line.pk).update(protection=protection)
    with refuses("a protected line is never verified by SMS"), transaction.atomic():
        fresh(line=line).save(force_insert=True)


@pytest.mark.django_db
def test_sql_cannot_turn_an_app_verification_into_an_sms_one():
    asked = make.verification(make.Member().person)
    rows = Verification.objects.filter(pk=asked.pk)
    with refuses("a protected line is never verified by SMS"), transaction.atomic():
        rows.update(**OPEN_BY_SMS, code_expires_at=timezone.now())


@pytest.mark.django_db
def test_sql_cannot_move_an_open_sms_verification_onto_a_protected_line():
    asked, protected = make.verification(make.person()), make.Member().line
    with refuses("a protected line is never verified by SMS"), transaction.atomic():
        Verification.objects.filter(pk=asked.pk).update(line=protected)


@pytest.mark.django_db
@pytest.mark.parametrize("protection", ["on", "paused"])
def test_sql_cannot_raise_protection_over_an_open_sms_verification(protection):
    asked = make.verification(make.person())
    with refuses("end the open SMS verification first"), transaction.atomic():
        Line.objects.filter(pk=asked.line_id).update(protection=protection)


@pytest.mark.django_db
def test_the_owners_own_release_is_the_one_exception():
    mina, bookshop = make.Member(), make.partner()
    released = fresh(line=mina.line, partner=bookshop, released=True)
    Release.objects.filter(pk=mina.release(bookshop).pk).update(used_by=released.pk, used_at=timezone.now())
    released.save(force_insert=True)
    assert Verification.objects.filter(pk=released.pk, channel="sms", ended_at=None).exists()


@pytest.mark.django_db
def test_sql_cannot_call_a_verification_released_without_a_release_used_by_it():
    mina, bookshop = make.Member(), make.partner()
    row = fresh(line=mina.line, partner=bookshop, released=True)
    with refuses("no release of the owner was used"), transaction.atomic():
        row.save(force_insert=True)
    mina.release(bookshop)  # it lives, but nobody used it
    with refuses("no release of the owner was used"), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.django_db
@pytest.mark.parametrize("whose", ["another partner's", "another line's", "another verification's"])
def test_sql_cannot_use_a_release_for_anything_but_its_own(whose):
    mina, bookshop = make.Member(), make.partner()
    row = fresh(line=mina.line, partner=bookshop, released=True)
    release = (make.Member() if whose == "another line's" else mina).release(
        make.partner() if whose == "another partner's" else bookshop
    )
    other = make.verification(mina.person) if whose == "another verification's" else row
    with refuses("no release of the owner was used"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(used_by=other.pk, used_at=timezone.now())
        row.save(force_insert=True)


@pytest.mark.django_db
def test_sql_cannot_use_a_release_twice_nor_take_released_away():
    mina, bookshop = make.Member(), make.partner()
    mina.release(bookshop)
    asked = make.verification(mina.person, at=bookshop)
    assert (asked.channel, asked.released) == ("sms", True)
    again = fresh(line=mina.line, partner=bookshop, released=True)
    with refuses("a release is used once"), transaction.atomic():
        Release.objects.update(used_by=again.pk)
    with refuses("a protected line is never verified by SMS"), transaction.atomic():
        Verification.objects.filter(pk=asked.pk).update(released=False)
    with refuses("no release of the owner was used"), transaction.atomic():
        Verification.objects.filter(pk=asked.pk).update(partner=make.partner())


@pytest.mark.django_db
def test_sql_cannot_call_a_verification_by_app_released():
    asked = make.verification(make.Member().person)
    with pytest.raises(IntegrityError), transaction.atomic():
        Verification.objects.filter(pk=asked.pk).update(released=True)


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["too long", "used too late", "used after its end"])
def test_sql_cannot_make_a_release_that_lasts(wrong):
    mina = make.Member()
    release = mina.release(bookshop := make.partner())
    other = make.verification(mina.person, at=make.partner())
    late = release.expires_at + timedelta(seconds=1)
    changed = {
        "too long": {"expires_at": late},
        "used too late": {"used_at": late, "used_by": other.pk},
        "used after its end": {
            "used_at": timezone.now(), "used_by": other.pk, "ended_at": timezone.now(), "ended_by": "owner",
        },
    }[wrong]  # fmt: skip
    with refuses("release_"), transaction.atomic():
        Release.objects.filter(partner=bookshop).update(**changed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["protection", "sms"])
def test_sql_without_any_story_cannot_slip_between_the_two_triggers(first):
    """One session is in its transaction when the other one writes: whoever comes second must wait, and is refused."""
    line = make.verification(make.person()).line
    Verification.objects.update(state="failed", reason="line_changed", ended_at=timezone.now())
    row = fresh(line=line)
    deeds = {
        "protection": lambda: Line.objects.filter(pk=line.pk).update(protection="on"),
        "sms": lambda: row.save(force_insert=True),
    }
    wrote, second_waits = threading.Event(), threading.Event()

    def lead():
        with transaction.atomic():
            deeds[first]()
            wrote.set()
            second_waits.wait(1)  # it never tells: it hangs in its statement until this commit

    def follow():
        wrote.wait(5)
        try:
            deeds["sms" if first == "protection" else "protection"]()
        except IntegrityError:
            return "refused"
        finally:
            second_waits.set()
        return "passed"

    assert at_once(lead, follow)[1] == "refused"


# --- Joining while an SMS is asked for --------------------------------------------------------------------------------


def open_by_sms(line):
    return Verification.objects.filter(line=line, channel="sms", ended_at=None)


def owed_by_sms():
    return Message.objects.filter(channel="sms", state="owed")


@pytest.mark.django_db(transaction=True)
def test_joining_at_the_instant_of_sms_requests_leaves_none_open_and_none_owed():
    partners = [make.partner(), make.partner()]
    for _ in range(12):
        mina = make.person()
        *asked, joined = at_once(
            *(lambda who=mina, shop=shop: make.verification(who, at=shop) for shop in partners),
            lambda who=mina: enrolment.join(who.phone),
        )
        assert not open_by_sms(joined.line).exists()
        assert not owed_by_sms().exists()
        for one in asked:
            one.refresh_from_db()
            assert (one.state, one.reason) in {("failed", "line_changed"), ("failed", "app_not_registered")}
        assert make.verification(mina).reason == "app_not_registered"
        assert not owed_by_sms().exists()


@pytest.mark.django_db(transaction=True)
def test_joining_at_the_instant_the_window_is_filled_in_leaves_no_sms():
    for _ in range(6):
        mina = make.person()
        window = make.verification()
        _, joined = at_once(
            lambda pk=window.pk, who=mina: callers.identify(pk, make.identity(who)),
            lambda who=mina: enrolment.join(who.phone),
        )
        window.refresh_from_db()
        assert window.reason in {"line_changed", "app_not_registered"}
        assert not open_by_sms(joined.line).exists()
        assert not owed_by_sms().exists()


@pytest.mark.django_db(transaction=True)
def test_joining_at_the_instant_of_a_resend_leaves_no_sms_owed():
    bookshop = make.partner(limits={"resend_after": 0})
    for _ in range(6):
        mina = make.person()
        asked = make.verification(mina, at=bookshop)
        at_once(
            *[lambda pk=asked.pk: flow.resend(pk=pk)] * 3,
            lambda who=mina: enrolment.join(who.phone),
        )
        asked.refresh_from_db()
        assert (asked.state, asked.reason) == ("failed", "line_changed")
        assert not owed_by_sms().exists()


@pytest.mark.django_db
def test_a_number_sent_before_the_joining_is_worth_nothing_after_it():
    mina = make.person()
    asked = make.verification(mina)
    number = sms_number(asked)

    enrolment.join(mina.phone)

    refusal = flow.confirm(code=number, pk=asked.pk).refusal
    assert (refusal.code, refusal.extra) == ("closed", {"state": "failed", "reason": "line_changed"})
    assert flow.resend(pk=asked.pk).refusal.code == "closed"


# --- No failure makes it fall back ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["error", "drop", "reject_token"])
@pytest.mark.parametrize(("platform", "channel"), [("android", "fcm"), ("ios", "apns")])
def test_a_phone_that_cannot_be_reached_is_not_reached_by_sms(platform, channel, mode, fail, texts):
    mina, hasty = make.Member(platform=platform), make.partner(limits={"resend_after": 0})
    asked = make.verification(mina.person, at=hasty)
    fail(channel, mode)

    tasks.drain(channel)
    assert flow.resend(pk=asked.pk).refusal is None
    newer = make.verification(mina.person)
    tasks.drain("sms")

    asked.refresh_from_db()
    assert [(one.state, one.channel) for one in (asked, newer)] == [("awaiting_app", "app")] * 2
    assert not Message.objects.filter(channel="sms").exists()
    assert texts(mina.person.phone) == []
    assert len(mina.number(asked)) == 6  # the app can still be opened


@pytest.mark.django_db
def test_no_state_of_a_protected_line_ends_in_an_sms():
    mina = make.Member()
    line = Line.objects.filter(device=mina.device)
    for change in ({"protection": "paused"}, {"wrong_passwords": 5}, {"device": None}):
        with transaction.atomic():
            line.update(**change)
            assert make.verification(mina.person).state == "failed"
            transaction.set_rollback(True)
    assert not Message.objects.filter(channel="sms").exists()


@pytest.mark.django_db
def test_leaving_brings_the_sms_back():
    mina = make.Member()
    assert make.verification(mina.person).channel == "app"
    leaving.cancel(mina.person.contract, reason="customer")
    assert make.verification(mina.person).channel == "sms"
