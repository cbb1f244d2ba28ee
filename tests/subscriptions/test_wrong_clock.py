"""The clock of the whole host is wrong, PostgreSQL's with it: what the time alone decides and nobody takes back waits
until the carrier agrees what time it is (docs/adr/0034)."""

import time
from datetime import timedelta
from email.utils import formatdate

import pytest
from django.conf import settings
from django.utils import timezone

from ansim.lib.problem import Unavailable
from ansim.models import Purge
from subscriptions import charges, clock, closing, enrolment, health, pending
from subscriptions.models import ClosedMonth, Posting, Reconciliation, Subscription
from tests import make
from tests.verification.hours import pass_by
from verification import carrier, checkup

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong_by(monkeypatch):
    """wrong_by(seconds): as if our clocks were so far ahead. The carrier is asked as always; its answer is dated so."""
    asked = carrier._caller().ask

    class Dated:
        ahead = 0.0
        dated = True

        def ask(self, *args, **given):
            answer = asked(*args, **given)
            date = {"date": formatdate(time.time() - self.ahead, usegmt=True)} if self.dated else {}
            return type(answer)(answer.status, {**answer.headers, "date": "", **date}, answer.body)

    told = Dated()
    monkeypatch.setattr(carrier, "_told_time", None)
    monkeypatch.setattr(carrier, "_caller", lambda: told)

    def order(seconds, *, dated=True):
        told.ahead, told.dated = seconds, dated

    return order


def leaving():
    """Somebody whose cancellation at the desk is a day old."""
    mina = make.Member()
    pending.ask(mina.line.contract, pending.Kind.CANCELLATION, by=None)
    pass_by(seconds=settings.CANCELLATION_DELAY + 1)
    return mina


def state():
    return Subscription.objects.get().state


@pytest.mark.parametrize("ahead", [3_600, -3_600, 40 * 86_400])
def test_nobodys_protection_falls_away_because_a_clock_is_wrong(wrong_by, ahead):
    leaving()
    wrong_by(ahead)
    clock.take_effect()
    assert state() == "active"

    wrong_by(0)
    clock.take_effect()
    assert state() == "ended", "and when it is right again, nobody has to lend a hand"


def test_a_carrier_that_tells_no_time_or_does_not_answer_leaves_it_in_doubt(wrong_by, settings):
    leaving()
    wrong_by(0, dated=False)
    clock.take_effect()
    assert state() == "active"
    wrong_by(0)
    url, settings.CARRIER_URL = settings.CARRIER_URL, "http://127.0.0.1:1"
    clock.take_effect()
    assert state() == "active"
    settings.CARRIER_URL = url
    clock.take_effect()
    assert state() == "ended"


def test_nobody_joins_at_a_time_that_is_wrong(wrong_by):
    mina = make.person()
    wrong_by(40 * 86_400)
    with pytest.raises(Unavailable):
        enrolment.join(mina.phone)
    assert not Subscription.objects.exists()
    wrong_by(0)
    assert enrolment.join(mina.phone).activation_code


def test_no_month_is_closed_before_it_is_over(wrong_by, monkeypatch):
    make.member_without_app()
    closed = []
    monkeypatch.setattr(closing, "close", lambda month, seconds: closed.append(month))
    monkeypatch.setattr(clock, "LATE_EVENTS", timedelta(0))
    wrong_by(40 * 86_400)
    clock.close_last_month()
    assert not closed
    assert not ClosedMonth.objects.exists()
    wrong_by(0)
    clock.close_last_month()
    assert len(closed) == 1


def test_nothing_is_purged_and_nobody_compared_with_the_carrier(wrong_by, monkeypatch, settings):
    monkeypatch.setattr(clock, "NIGHT", range(24))
    settings.PURGE_AT_NIGHT = True
    wrong_by(40 * 86_400)
    clock.purge()
    clock.reconcile()
    assert not Purge.objects.exists()
    assert not Reconciliation.objects.exists()
    wrong_by(0)
    clock.purge()
    clock.reconcile()
    assert Purge.objects.count() == Reconciliation.objects.count() == 1


def test_it_is_seen(wrong_by):
    wrong_by(3_600)
    said = checkup.look_ups()
    [told] = [gauge for gauge in health.gauges(health.standing()) if gauge.name == "clock_carrier_skew_seconds"]

    assert -3_602 < told.samples[0][-1] < -3_598
    assert (said.level, "초 다릅니다" in str(said.said)) == ("bad", True)
    wrong_by(0, dated=False)
    assert checkup.look_ups().level == "warn"
    wrong_by(0)
    assert checkup.look_ups().level == "ok"


def test_a_post_of_charges_that_a_wrong_clock_held_or_put_off_goes_now():
    ahead = timezone.now() + timedelta(days=40)
    month = timezone.localdate().replace(day=1)
    posting = Posting.objects.create(month=month, held_until=ahead)
    Posting.objects.filter(pk=posting.pk).update(due_at=ahead)

    assert charges._claim(at_once=False) == posting
    assert charges._claim(at_once=False) is None, "ours for as long as a request may last"
