"""A result is up for the partner as long as its limits say, then its personal data go, whoever else has results up."""

import threading
from datetime import timedelta

import jwt
import pytest
from django.db import transaction
from django.utils import timezone

from tests import make
from tests.verification.crowd import at_once
from verification import clock
from verification.models import Verification

pytestmark = pytest.mark.django_db


def verified(partner, *, seconds_ago):
    """As if somebody had been verified there so long ago."""
    asked = make.verification(make.person(), at=partner)
    ended_at = timezone.now() - timedelta(seconds=seconds_ago)
    holder = {"ci": "C" * 88, "name": "홍길동", "birthdate": "1990-01-01", "gender": "M", "foreigner": False,
              "phone": "+821012345678", "carrier": "SKT", "risk": {}}  # fmt: skip
    asked.state, asked.ended_at, asked.holder, asked.receipt = "verified", ended_at, holder, "a receipt"
    asked.save()
    return asked


def up(*verifications):
    found = Verification.objects.filter(pk__in=[one.pk for one in verifications], holder__isnull=False)
    return set(found.values_list("pk", flat=True))


def test_it_goes_after_ten_minutes_or_the_partners_own_time():
    usual, forgetful, patient = make.partner(), make.partner(limits={"result_ttl": 5}), make.partner()
    patient.limits = {"result_ttl": 3600}
    patient.save()
    over = [verified(usual, seconds_ago=601), verified(forgetful, seconds_ago=6), verified(patient, seconds_ago=3601)]
    kept = [verified(usual, seconds_ago=599), verified(forgetful, seconds_ago=4), verified(patient, seconds_ago=3599)]

    clock.erase_results()

    assert up(*over, *kept) == {one.pk for one in kept}


def test_a_backlog_goes_at_once_and_each_receipt_is_its_own(monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 2)
    usual = make.partner(grants=["di"])
    over = [verified(usual, seconds_ago=700 + n) for n in range(7)]

    clock.erase_results()

    assert up(*over) == set()
    for one in over:
        one.refresh_from_db()
        claims = jwt.decode(one.receipt, options={"verify_signature": False})
        assert (claims["sub"], "di" in claims) == (str(one.pk), False)


@pytest.mark.django_db(transaction=True)
def test_who_is_at_a_result_just_now_holds_up_nobody_elses():
    usual = make.partner()
    held, free = (verified(usual, seconds_ago=700 + n) for n in (1, 0))
    holds, go_on = threading.Event(), threading.Event()

    def holds_it():
        with transaction.atomic():
            Verification.objects.select_for_update().get(pk=held.pk)
            holds.set()
            go_on.wait(10)

    def erases():
        holds.wait(5)
        clock.erase_results()
        left = up(held, free)
        go_on.set()
        return left

    _, left = at_once(holds_it, erases)
    assert left == {held.pk}


def test_results_that_stay_up_hold_up_nobody_elses(monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 1)
    patient, usual = make.partner(limits={"result_ttl": 3600}), make.partner()
    stays, goes = verified(patient, seconds_ago=3000), verified(usual, seconds_ago=700)

    clock.erase_results()

    assert up(stays, goes) == {stays.pk}
