"""A result is up for the partner as long as its limits say, then its personal data go, whoever else has results up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests import make
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


def test_results_that_stay_up_hold_up_nobody_elses(monkeypatch):
    monkeypatch.setattr(clock, "BATCH", 1)
    patient, usual = make.partner(limits={"result_ttl": 3600}), make.partner()
    stays, goes = verified(patient, seconds_ago=3000), verified(usual, seconds_ago=700)

    clock.erase_results()

    assert up(stays, goes) == {stays.pk}
