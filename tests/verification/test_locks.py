"""The order of locks (docs/adr/0003): first the line, then its verifications. So stories wait, and never deadlock."""

import random
import threading
import time
from contextlib import suppress
from itertools import count

import pytest
from django.db import connection, transaction

from ansim.lib.problem import Refused
from pushes.models import Device, Message
from subscriptions import enrolment, leaving
from subscriptions.models import Subscription
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import callers
from tests.verification.crowd import at_once
from verification import clock, flow, registration, unlocking
from verification.ending import hold
from verification.models import Line, Verification

pytestmark = pytest.mark.django_db(transaction=True)
HAMMERS, SECONDS = 8, 5
TOO_LATE = (Refused, enrolment.NotEligible, Subscription.DoesNotExist, Verification.DoesNotExist)


def someone_waits_for_a_lock(patience=5.0):
    """True as soon as another session of this database waits for a row."""
    until = time.monotonic() + patience
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return True
            time.sleep(0.01)
    return False


def test_who_holds_a_verification_locks_its_line_first_and_waits_there_with_empty_hands():
    asked = make.verification(make.person())
    held, go_on, stages = threading.Event(), threading.Event(), []

    def somebody_holds_the_line():
        with transaction.atomic():
            Line.objects.select_for_update().get(pk=asked.line_id)
            held.set()
            go_on.wait(10)
            stages.append("line let go")

    def story():
        held.wait(10)
        with transaction.atomic():
            hold(asked.pk)
            stages.append("story holds both")

    def third():
        held.wait(10)
        try:
            assert someone_waits_for_a_lock()
            with transaction.atomic():  # NOWAIT: an error if the waiting story had it already
                Verification.objects.select_for_update(nowait=True).get(pk=asked.pk)
                stages.append("verification is free")
        finally:
            go_on.set()

    at_once(somebody_holds_the_line, story, third)
    assert stages == ["verification is free", "line let go", "story holds both"]


def test_who_waits_for_a_verification_that_gets_its_line_meanwhile_holds_both():
    """The window's customer types the identity while the partner cancels: the partner's call must find it."""
    mina, window = make.person(), make.verification()
    identified, go_on = threading.Event(), threading.Event()

    def customer():
        with transaction.atomic():
            callers.identify(window.pk, make.identity(mina))
            identified.set()
            go_on.wait(10)

    def partner():
        identified.wait(10)
        return flow.cancel(reason="cancelled_by_partner", pk=window.pk)

    def watch():
        identified.wait(10)
        waits = someone_waits_for_a_lock()
        go_on.set()
        return waits

    _, outcome, waited = at_once(customer, partner, watch)
    assert waited
    assert (outcome.refusal, outcome.verification.reason) == (None, "cancelled_by_partner")
    assert outcome.verification.line is not None


def test_a_request_that_waited_for_the_registration_rings_the_phone_that_was_registered():
    """What a request reads while it waits for the line is older than the line it gets."""
    mina = make.person()
    code = enrolment.join(mina.phone).activation_code
    make.verification(mina)  # else a request reads everything once more
    given = PhoneClient("").registration(code, make.PASSWORD)
    phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
    registered, go_on = threading.Event(), threading.Event()

    def owner():
        with transaction.atomic():
            device, _ = registration.register(code, phone=phone, password=make.PASSWORD, address="here")
            registered.set()
            go_on.wait(10)
            return device

    def partner():
        registered.wait(10)
        return make.verification(mina)

    def watch():
        registered.wait(10)
        waits = someone_waits_for_a_lock()
        go_on.set()
        return waits

    device, asked, waited = at_once(owner, partner, watch)
    assert waited
    assert asked.state == "awaiting_app"
    wake = Message.objects.get(about=asked.pk)
    assert (wake.device_id, wake.channel) == (device.pk, "fcm")


def test_eight_who_do_everything_on_one_line_for_five_seconds_never_deadlock():
    mina = make.person()
    partners = [make.partner(limits={"line_per_10min": 10_000, "line_per_day": 10_000}) for _ in range(3)]
    until, seeds, done = time.monotonic() + SECONDS, count(), []

    def hammer():
        dice = random.Random(next(seeds))
        while time.monotonic() < until:
            deed = dice.choice(DEEDS)
            with suppress(*TOO_LATE):
                deed(mina, dice.choice(partners), dice)
            done.append(deed.__name__)

    at_once(*[hammer] * HAMMERS)

    assert set(done) == {deed.__name__ for deed in DEEDS}
    line = Line.objects.get()
    if line.protection != "off":
        assert not Verification.objects.filter(channel="sms", ended_at=None).exists()


def create(mina, partner, dice):
    make.verification(mina, at=partner)


def by_window(mina, partner, dice):
    callers.identify(make.verification(at=partner).pk, make.identity(mina))


def _any(dice):
    asked = Verification.objects.order_by("-created_at").values_list("pk", flat=True)[:4]
    if not asked:
        raise Verification.DoesNotExist
    return dice.choice(asked)


def confirm(mina, partner, dice):
    flow.confirm(code="000000", pk=_any(dice))


def cancel(mina, partner, dice):
    flow.cancel(reason="cancelled_by_partner", pk=_any(dice))


def resend(mina, partner, dice):
    flow.resend(pk=_any(dice))


def join(mina, partner, dice):
    code = enrolment.join(mina.phone).activation_code
    given = PhoneClient("").registration(code, make.PASSWORD)
    phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
    registration.register(code, phone=phone, password=make.PASSWORD, address="here")


def leave(mina, partner, dice):
    leaving.cancel(mina.contract, reason="customer")


def _device():
    device = Device.objects.filter(line__isnull=False).first()
    if device is None:
        raise Verification.DoesNotExist
    return device


def unlock(mina, partner, dice):
    unlocking.unlock(_any(dice), device=_device(), password=make.PASSWORD)


def deny(mina, partner, dice):
    unlocking.deny(_any(dice), device=_device(), reason="not_me")


def tick(mina, partner, dice):
    clock.expire_overdue()


DEEDS = (create, create, by_window, confirm, cancel, resend, join, leave, unlock, deny, tick)
