"""Everything that may happen to one line, in any order: the real code against the ledger of what ought to be.

Hypothesis chooses the deeds, always the same ones; when it finds a difference it prints the shortest story.
"""

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pushes.models import Message
from pushes.tasks import drain
from subscriptions import enrolment
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import hours
from tests.verification.ledger import Ledger
from tests.verification.test_flow import sms_number
from verification import clock, flow, registration, unlocking
from verification.ending import Outcome
from verification.models import Line, Verification

PARTNERS = st.integers(0, 2)
WHICH = st.integers(0, 5)
MOSTLY = st.sampled_from((True, True, False))


def told(outcome: Outcome):
    refusal = outcome.refusal
    return (refusal.code, refusal.extra) if refusal else None


class Lifetime(RuleBasedStateMachine):
    """Mina's line, three partners, her phone. `self.real[n]` is the verification that `self.ledger.all[n]` describes."""

    def __init__(self):
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()
        self.mina = make.person()
        self.partners = [make.partner() for _ in range(3)]
        self.ledger, self.real, self.numbers = Ledger(), [], {}
        self.phone = self.device = None

    def teardown(self):
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)

    def one(self, which):
        at = len(self.real) - 1 - which % len(self.real)
        return self.real[at], self.ledger.all[at]

    def identity(self, right):
        return replace(make.identity(self.mina), carrier="SKT" if right else "KT")

    # --- Deeds ---

    @rule(partner=PARTNERS, right=MOSTLY)
    def ask(self, partner, right):
        asked = make.verification(None, at=self.partners[partner], identity=self.identity(right))
        self.real.append(asked.pk)
        self.ledger.ask(partner, right=right)

    @rule(partner=PARTNERS)
    def open_window(self, partner):
        self.real.append(make.verification(at=self.partners[partner]).pk)
        self.ledger.open_window(partner)

    @precondition(lambda self: self.real)
    @rule(which=WHICH, right=MOSTLY)
    def identify(self, which, right):
        pk, ought = self.one(which)
        came = flow.identify(pk, identity=self.identity(right), address="", region="")
        assert told(came) == self.ledger.identify(ought, right=right)

    @precondition(lambda self: self.real)
    @rule(which=WHICH, right=st.booleans())
    def confirm(self, which, right):
        pk, ought = self.one(which)
        asked = Verification.objects.get(pk=pk)
        number = sms_number(asked) if asked.channel == "sms" else self.numbers.get(pk, "000000")
        code = number if right else f"{(int(number) + 1) % 10**6:06}"
        assert told(flow.confirm(code=code, pk=pk)) == self.ledger.confirm(ought, right=right)

    @precondition(lambda self: self.real)
    @rule(which=WHICH)
    def resend(self, which):
        pk, ought = self.one(which)
        assert told(flow.resend(pk=pk)) == self.ledger.resend(ought)

    @precondition(lambda self: self.real)
    @rule(which=WHICH)
    def cancel(self, which):
        pk, ought = self.one(which)
        assert told(flow.cancel(reason="cancelled_by_partner", pk=pk)) == self.ledger.cancel(ought)

    @precondition(lambda self: self.real and self.device)
    @rule(which=WHICH, right=MOSTLY)
    def unlock(self, which, right):
        pk, ought = self.one(which)
        before, password = ought.state, make.PASSWORD if right else "999888"
        try:
            came = unlocking.unlock(pk, device=self.device, password=password)
        except unlocking.Refused as refusal:
            came = Outcome(Verification(), refusal)
        assert told(came) == self.ledger.unlock(ought, right=right)
        assert (came.envelope is None) == (came.refusal is not None)
        if came.envelope and before == "awaiting_app":
            self.numbers[pk] = self.phone.open(str(pk), came.envelope)["code"]

    @precondition(lambda self: self.real and self.device)
    @rule(which=WHICH, not_me=st.booleans())
    def deny(self, which, not_me):
        pk, ought = self.one(which)
        try:
            came = unlocking.deny(pk, device=self.device, reason="not_me" if not_me else "cancel")
        except unlocking.Refused as refusal:
            came = Outcome(Verification(), refusal)
        assert told(came) == self.ledger.deny(ought, not_me=not_me)

    @rule()
    def join(self):
        if self.ledger.protected:
            with pytest.raises(enrolment.NotEligible, match="already_joined"):
                enrolment.join(self.mina.phone)
        else:
            enrolment.join(self.mina.phone)
            self.ledger.join()

    @precondition(lambda self: self.ledger.protected)
    @rule(platform=st.sampled_from(("android", "ios")))
    def register(self, platform):
        code = enrolment.renew_activation(self.mina.contract).activation_code
        self.phone = PhoneClient("", platform)
        given = self.phone.registration(code, make.PASSWORD)
        phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
        self.device, _ = registration.register(code, phone=phone, password=make.PASSWORD, address="here")
        self.phone.device_id, self.phone.jwks = str(self.device.pk), make.signing.key_set()
        self.ledger.register()

    @precondition(lambda self: self.ledger.protected)
    @rule()
    def leave(self):
        enrolment.cancel(self.mina.contract, reason="customer")
        self.phone = self.device = None
        self.ledger.leave()

    # Tens of seconds: no sum of these comes near a limit while the test itself takes its time.
    @rule(seconds=st.sampled_from((10, 40, 100, 200, 700, 4000)))
    def time_passes(self, seconds):
        hours.pass_by(seconds=seconds)
        self.ledger.now += seconds

    @rule()
    def the_clock_ticks(self):
        clock.expire_overdue()
        self.ledger.tick()

    @rule()
    def texts_are_sent(self):
        drain("sms")
        self.ledger.drain()

    # --- What must be true at every moment ---

    @invariant()
    def every_verification_is_as_it_ought_to_be(self):
        names = ("state", "reason", "channel", "tries_left", "resends_left", "identity_tries_left")
        found = {row[0]: row[1:] for row in Verification.objects.values_list("pk", *names)}
        ought = [tuple(getattr(one, name) for name in names) for one in self.ledger.all]
        assert [found[pk] for pk in self.real] == ought

    @invariant()
    def the_line_is_as_it_ought_to_be(self):
        line, ledger = Line.objects.first(), self.ledger
        if line:
            assert (line.protection, line.device_id is not None) == (
                "on" if ledger.protected else "off",
                ledger.registered,
            )
            assert (line.device_id, line.wrong_passwords) == (
                self.device.pk if self.device else None,
                ledger.wrong_passwords,
            )
            assert len(line.wrong_numbers_at) >= len(ledger.recent_wrong_numbers())

    @invariant()
    def no_sms_while_protected(self):
        if self.ledger.protected:
            assert not Verification.objects.filter(channel="sms", ended_at=None).exists()
            assert not Message.objects.filter(channel="sms", state="owed").exclude(
                about__in=Verification.objects.filter(state="verified").values("pk")
            ).exists()

    @invariant()
    def one_open_for_each_partner_and_three_in_all(self):
        matched = Verification.objects.filter(line__isnull=False, ended_at=None)
        open_for = list(matched.values_list("partner", flat=True))
        assert len(open_for) == len(set(open_for)) <= 3

    @invariant()
    def each_end_is_told_once(self):
        kinds = Verification.objects.values_list("pk", "webhooks__type")
        heard = {pk: sorted(kind for of, kind in kinds if of == pk and kind) for pk in self.real}
        ought = [sorted(f"verification.{state}" for state in one.told) for one in self.ledger.all]
        assert [heard[pk] for pk in self.real] == ought


@pytest.mark.django_db
def test_a_line_lives_as_the_rules_say_whatever_happens_in_whatever_order():
    slow = settings(
        max_examples=30,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Lifetime, settings=slow)
