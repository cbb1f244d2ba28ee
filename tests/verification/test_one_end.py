"""Invariant 4 of mission.md: a verification ends once, in one state, with a reason; the end is told, but
never before it is committed."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from ansim import bell, once
from tests import make
from tests.verification import callers
from tests.verification.crowd import at_once
from tests.verification.test_flow import sms_number
from verification import clock, flow, protection, unlocking, webhooks
from verification.ending import end_open, hold
from verification.models import Verification, WebhookDelivery

ENDS = ("verified", "failed", "expired", "denied", "cancelled")


def told(asked):
    """The ends that the partner hears of, as (state, reason)."""
    rows = WebhookDelivery.objects.filter(verification=asked, type__in=[f"verification.{end}" for end in ENDS])
    return [(row.type.removeprefix("verification."), _reason(row)) for row in rows]


def _reason(row):
    return json.loads(row.body)["data"]["reason"]


def overdue_soon(asked):
    """Its time runs out in the midst of what comes next."""
    Verification.objects.filter(pk=asked.pk).update(expires_at=timezone.now() + timedelta(milliseconds=15))


def ended_once(asked, *, among):
    asked.refresh_from_db()
    assert (asked.state, asked.reason) in among
    assert asked.ended_at is not None
    assert told(asked) == [(asked.state, asked.reason)]


@pytest.mark.django_db(transaction=True)
def test_by_sms_whoever_ends_it_first_ends_it_alone():
    bookshop = make.partner()
    for turn in range(12):
        mina = make.person()
        asked = make.verification(mina, at=bookshop)
        number = sms_number(asked)
        if turn % 3 == 0:
            overdue_soon(asked)
        deeds = [
            lambda pk=asked.pk, code=number: flow.confirm(code=code, pk=pk),
            lambda pk=asked.pk: flow.cancel(reason="cancelled_by_partner", pk=pk),
            lambda pk=asked.pk: flow.cancel(reason="cancelled_by_customer", pk=pk),
            lambda pk=asked.pk: flow.expire(pk),
            clock.expire_overdue,
            lambda who=mina: make.verification(who, at=bookshop),
        ]
        at_once(*deeds[turn % 6 :], *deeds[: turn % 6])
        ended_once(
            asked,
            among={
                ("verified", None), ("cancelled", "cancelled_by_partner"), ("cancelled", "cancelled_by_customer"),
                ("cancelled", "superseded"), ("failed", "undeliverable"),
            },
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_with_the_app_whoever_ends_it_first_ends_it_alone():
    mina = make.Member()
    for turn in range(9):  # a shop each: "not me" slows the one that asked
        shop = make.partner(limits={"line_per_10min": 1000, "line_per_day": 1000})
        asked = make.verification(mina.person, at=shop)
        number = mina.number(asked) if turn % 2 else "000000"
        if turn % 3 == 0:
            overdue_soon(asked)
        deeds = [
            lambda pk=asked.pk: unlocking.deny(pk, device=mina.device, reason="not_me"),
            lambda pk=asked.pk: unlocking.deny(pk, device=mina.device, reason="cancel"),
            lambda pk=asked.pk, code=number: flow.confirm(code=code, pk=pk),
            lambda one=asked: mina.unlock(one),
            lambda pk=asked.pk: flow.cancel(reason="cancelled_by_partner", pk=pk),
            lambda pk=asked.pk: flow.expire(pk),
        ]
        at_once(*deeds[turn % 6 :], *deeds[: turn % 6])
        ended_once(
            asked,
            among={
                ("verified", None), ("denied", "not_me"), ("cancelled", "cancelled_by_partner"),
                ("cancelled", "cancelled_by_customer"), ("expired", "app_not_opened"), ("expired", "code_not_entered"),
            },
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["created", "awaiting_app", "awaiting_code"])
def test_what_has_ended_stays_as_it_ended_whatever_is_tried(state):
    mina = make.Member()
    asked = make.verification() if state == "created" else make.verification(mina.person)
    number = mina.number(asked) if state == "awaiting_code" else "000000"
    flow.cancel(reason="cancelled_by_partner", pk=asked.pk)
    before = Verification.objects.values().get(pk=asked.pk)

    refusals = [
        flow.confirm(code=number, pk=asked.pk).refusal,
        flow.resend(pk=asked.pk).refusal,
        flow.cancel(reason="cancelled_by_customer", pk=asked.pk).refusal,
        callers.identify(asked.pk, make.identity(mina.person)).refusal,
        *([mina.unlock(asked).refusal] if state != "created" else []),
        *([unlocking.deny(asked.pk, device=mina.device, reason="not_me").refusal] if state != "created" else []),
    ]
    flow.expire(asked.pk)
    flow.undeliverable(asked.pk)
    end_open(mina.line, Verification.State.FAILED, "line_changed", now=timezone.now())

    assert {(one.code, one.extra["reason"]) for one in refusals} == {("closed", "cancelled_by_partner")}
    assert Verification.objects.values().get(pk=asked.pk) == before
    assert told(asked) == [("cancelled", "cancelled_by_partner")]


# --- Never before it is committed -------------------------------------------------------------------------------------

DEEDS = {
    "verified": lambda asked: flow.confirm(code=sms_number(asked), pk=asked.pk),
    "cancelled": lambda asked: flow.cancel(reason="cancelled_by_partner", pk=asked.pk),
    "failed": lambda asked: protection.turn_off(hold(pk=asked.pk).line, at=timezone.now()),
}


def rung():
    return once.store().llen("webhook")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", DEEDS)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "rolled back"])
def test_the_end_and_its_webhook_are_seen_together_after_the_commit_or_never(end, committed):
    asked = make.verification(make.person())
    bell.heard(webhooks.BELL)
    once.store().delete("webhook")  # no bell of an earlier test waits: a full queue grows no further
    bells, done, go_on = rung(), threading.Event(), threading.Event()

    def ends_it():
        with transaction.atomic():
            DEEDS[end](asked)
            assert told(asked)
            done.set()
            go_on.wait(5)
            transaction.set_rollback(not committed)

    def looks_on():
        done.wait(5)
        seen = Verification.objects.get(pk=asked.pk).state, told(asked), rung()
        go_on.set()
        return seen

    _, seen = at_once(ends_it, looks_on)

    assert seen == ("awaiting_code", [], bells)
    asked.refresh_from_db()
    assert (asked.state == end, bool(told(asked)), rung() > bells) == (committed,) * 3


@pytest.mark.django_db
def test_a_partner_is_told_of_every_end_also_of_one_that_came_at_once():
    mina = make.person()
    stranger = make.identity(make.person())
    mismatch = make.verification(None, identity=type(stranger)("700101", "1", mina.phone))
    assert told(mismatch) == [("failed", "identity_mismatch")]
    assert told(make.verification(make.member_without_app())) == [("failed", "app_not_registered")]
