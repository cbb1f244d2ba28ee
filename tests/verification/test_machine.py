"""Everything that may happen to one line, in any order: the real code against the ledger of what ought to be.

Hypothesis chooses the deeds, always the same ones, and prints the story that made a difference. It is not shortened,
because that takes minutes: add `Phase.shrink` while looking for the reason.
"""

from dataclasses import replace

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from ansim.lib.problem import Refused
from pushes.models import Message
from pushes.tasks import drain
from subscriptions import enrolment
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import callers, hours
from tests.verification.ledger import Ledger
from verification import clock, flow, registration, unlocking
from verification.ending import Outcome
from verification.models import Line, Verification

WHICH = st.sampled_from((0, 0, 0, 1, 1, 2, 3, 5))  # the newest ones mostly
MOSTLY = st.sampled_from((True, True, True, False))
PLATFORMS = st.sampled_from(("android", "android", "ios", None))  # None: joined, but no app yet


def told(outcome: Outcome):
    refusal = outcome.refusal
    return (refusal.code, refusal.extra) if refusal else None


class Lifetime(RuleBasedStateMachine):
    """Mina's line, four partners, her phone. `self.real[n]` is the verification that `self.ledger.all[n]` describes."""

    def __init__(self):
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()
        self.mina = make.person()
        generous = {"line_per_10min": 100, "line_per_day": 100}
        self.partners = [make.partner(), *(make.partner(limits=generous) for _ in range(3))]
        self.ledger, self.real, self.numbers = Ledger({1: (100, 100), 2: (100, 100), 3: (100, 100)}), [], {}
        self.phone = self.device = None

    def teardown(self):
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)

    def one(self, which):
        at = len(self.real) - 1 - which % len(self.real)
        return self.real[at], self.ledger.all[at]

    def identity(self, right):
        return replace(make.identity(self.mina), carrier="SKT" if right else "KT")

    # --- What may happen: few rules with many choices, because Hypothesis leaves whole rules out of a story ---

    @initialize(member=MOSTLY, platform=PLATFORMS)
    def begin(self, member, platform):
        if member:
            self.join(platform)

    @rule(partner=st.integers(0, 3), how=st.sampled_from(("app", "app", "app", "right", "right", "wrong", "window")))
    def somebody_asks(self, partner, how):
        shop = self.partners[partner]
        if how == "window":
            self.real.append(make.verification(at=shop).pk)
            self.ledger.open_window(partner)
            return
        right = how != "wrong"
        self.real.append(make.verification(None, at=shop, identity=self.identity(right)).pk)
        self.ledger.ask(partner, right=right)
        if how == "app" and self.device:
            self.unlock(0, right=True)

    @precondition(lambda self: self.real)
    @rule(which=WHICH, deed=st.sampled_from(("right", "wrong", "wrong", "wrong", "wrong", "known", "stranger", "resend", "resend", "cancel")))
    def it_goes_on_at_the_partner(self, which, deed):
        pk, ought = self.one(which)
        came, should = {
            "right": lambda: (self.confirm(pk, right=True), self.ledger.confirm(ought, right=True)),
            "wrong": lambda: (self.confirm(pk, right=False), self.ledger.confirm(ought, right=False)),
            "known": lambda: (callers.identify(pk, self.identity(True)), self.ledger.identify(ought, right=True)),
            "stranger": lambda: (callers.identify(pk, self.identity(False)), self.ledger.identify(ought, right=False)),
            "resend": lambda: (flow.resend(pk=pk), self.ledger.resend(ought)),
            "cancel": lambda: (flow.cancel(reason="cancelled_by_partner", pk=pk), self.ledger.cancel(ought)),
        }[deed]()
        assert told(came) == should

    @precondition(lambda self: self.real and self.device)
    @rule(which=WHICH, deed=st.sampled_from(("unlock", "unlock", "wrong", "wrong", "wrong", "not_me", "cancel")))
    def it_goes_on_in_the_app(self, which, deed):
        if deed in ("unlock", "wrong"):
            self.unlock(which, right=deed == "unlock")
        else:
            self.deny(which, deed)

    # Tens of seconds: no sum of these comes near a limit while the test itself takes its time.
    @rule(
        what=st.sampled_from((10, 40, 40, 40, 100, 200, 700, 4000, "tick", "drain", "drain", "join", "register", "leave")),
        platform=PLATFORMS,
    )
    def meanwhile(self, what, platform):
        if isinstance(what, int):
            hours.pass_by(seconds=what)
            self.ledger.now += what
        elif what == "tick":
            clock.expire_overdue()
            self.ledger.tick()
        elif what == "drain":
            drain("sms")
            self.ledger.drain()
        else:
            self.the_owner_joins_or_leaves(what, platform)

    def the_owner_joins_or_leaves(self, deed, platform):
        if deed == "join" and self.ledger.protected:
            with pytest.raises(enrolment.NotEligible, match="already_joined"):
                enrolment.join(self.mina.phone)
        elif deed == "join":
            self.join(platform)
        elif self.ledger.protected and deed == "register":
            self.register(platform)
        elif self.ledger.protected:
            enrolment.cancel(self.mina.contract, reason="customer")
            self.phone = self.device = None
            self.ledger.leave()

    # --- How it is done ---

    def confirm(self, pk, *, right):
        texts = Message.objects.filter(about=pk, kind="sms")
        number = texts[0].body["text"].split("번호 ")[1][:6] if texts else self.numbers.get(pk, "000000")
        return flow.confirm(code=number if right else f"{(int(number) + 1) % 10**6:06}", pk=pk)

    def unlock(self, which, *, right):
        pk, ought = self.one(which)
        before, password = ought.state, make.PASSWORD if right else "999888"
        try:
            came = unlocking.unlock(pk, device=self.device, password=password)
        except Refused as refusal:
            came = Outcome(Verification(), refusal)
        assert told(came) == self.ledger.unlock(ought, right=right)
        assert (came.envelope is None) == (came.refusal is not None)
        if came.envelope and before == "awaiting_app":
            self.numbers[pk] = self.phone.open(str(pk), came.envelope)["code"]

    def deny(self, which, reason):
        pk, ought = self.one(which)
        try:
            came = unlocking.deny(pk, device=self.device, reason=reason)
        except Refused as refusal:
            came = Outcome(Verification(), refusal)
        assert told(came) == self.ledger.deny(ought, not_me=reason == "not_me")

    def join(self, platform):
        enrolment.join(self.mina.phone)
        self.ledger.join()
        if platform:
            self.register(platform)

    def register(self, platform):
        code = enrolment.renew_activation(self.mina.contract).activation_code
        self.phone = PhoneClient("", platform or "ios")
        given = self.phone.registration(code, make.PASSWORD)
        phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
        self.device, _ = registration.register(code, phone=phone, password=make.PASSWORD, address="here")
        self.phone.device_id, self.phone.jwks = str(self.device.pk), make.signing.key_set()
        self.ledger.register()

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
    bounded = settings(
        max_examples=40,
        stateful_step_count=35,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Lifetime, settings=bounded)
