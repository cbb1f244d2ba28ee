"""Everything that may happen to one line, in any order: the real code against the ledger of what ought to be.

Hypothesis throws the dice, always the same way, and prints the story that made a difference. It is not shortened,
because that takes minutes: add `Phase.shrink` while looking for the reason.
"""

import uuid
from dataclasses import replace

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ansim.lib.problem import Refused
from pushes.models import Message
from pushes.tasks import drain
from subscriptions import enrolment, leaving
from tests import make
from tests.client.phone import PhoneClient
from tests.verification import callers, hours
from tests.verification.ledger import Ledger
from verification import clock, controls, flow, registration, releases, unlocking
from verification.ending import Outcome
from verification.models import Line, Release, Verification

# What may happen, and how often.
AT_THE_PARTNER = {
    "right": 2, "wrong": 24, "identify": 2, "identify as a stranger": 3, "resend": 3, "resend a little later": 7,
    "cancel": 1,
}  # fmt: skip
IN_THE_APP = {"unlock": 7, "wrong password": 12, "not me": 1, "not now": 1}
OF_THE_OWNER = {"release": 6, "release with a wrong password": 1, "withdraw": 1, "control": 1, "let everybody": 2}
OF_THE_LINE = {"join": 3, "register": 1, "leave": 1}
OF_ANYBODY = {"ask": 8, "everybody asks": 2, "ask as a stranger": 1, "window": 1, "time": 6}
ANYTHING = AT_THE_PARTNER | IN_THE_APP | OF_THE_OWNER | OF_THE_LINE | OF_ANYBODY

# Tens of seconds: a sum that is a limit has passed it, because the test itself takes a little time; no other is near.
SECONDS = (10, 10, 20, 20, 20, 30, 40, 100, 200, 700, 4000)
PLATFORMS = ("android", "android", "ios", None)  # None: joined, but no app yet


def told(outcome):
    return (outcome.refusal.code, outcome.refusal.extra) if outcome.refusal else None


def outcome_of(story):
    try:
        return story()
    except Refused as refusal:
        return Outcome(Verification(), refusal)


class Lifetime(RuleBasedStateMachine):
    """Mina's line, four partners, her phone. `self.real[n]` is the verification that `self.ledger.all[n]` describes."""

    def __init__(self):
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()
        self.mina = make.person()
        generous = {"line_per_10min": 100, "line_per_day": 100}
        self.partners = [make.partner(), *(make.partner(limits=generous) for _ in range(3))]
        self.ledger, self.real, self.numbers = Ledger(dict.fromkeys((1, 2, 3), (100, 100))), [], {}
        self.phone = self.device = None

    def teardown(self):
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)

    # --- What may happen ---

    @rule(dice=st.randoms(use_true_random=True))
    def something_happens(self, dice):
        """One rule and dice of our own: left to itself Hypothesis tells the same few stories with small changes."""
        impossible = ({} if self.real else AT_THE_PARTNER) | ({} if self.real and self.device else IN_THE_APP)
        impossible |= {} if self.device else OF_THE_OWNER
        possible = {deed: often for deed, often in ANYTHING.items() if deed not in impossible}
        deed = dice.choices(list(possible), list(possible.values()))[0]
        which = max(len(self.real) - 1 - int(dice.expovariate(0.7)), 0)  # mostly the newest
        note(f"{deed} ({which})")
        if deed == "resend a little later":
            self.time_passes(dice.choice((10, 20, 20, 30, 40)), ticks=False, drains=False)
            deed = "resend"
        if deed in AT_THE_PARTNER:
            self.it_goes_on_at_the_partner(which, deed)
        elif deed in IN_THE_APP:
            self.it_goes_on_in_the_app(which, deed)
        elif deed in OF_THE_OWNER:
            self.the_owner_decides(deed, dice.randrange(4), dice)
        elif deed in OF_THE_LINE:
            self.the_owner_joins_or_leaves(deed, dice.choice(PLATFORMS))
        elif deed == "time":
            self.time_passes(dice.choice(SECONDS), ticks=dice.random() < 0.3, drains=dice.random() < 0.3)
        elif deed == "everybody asks":
            for partner in dice.sample(range(4), 4):
                self.somebody_asks(partner, "ask")
        else:
            self.somebody_asks(dice.randrange(4), deed)

    def somebody_asks(self, partner, how):
        shop = self.partners[partner]
        if how == "window":
            self.real.append(make.verification(at=shop).pk)
            return self.ledger.open_window(partner)
        right = how == "ask"
        self.real.append(make.verification(None, at=shop, identity=self.identity(right)).pk)
        return self.ledger.ask(partner, right=right)

    def it_goes_on_at_the_partner(self, which, deed):
        pk, ought, ledger = self.real[which], self.ledger.all[which], self.ledger
        mina, stranger = self.identity(True), self.identity(False)
        came, should = {
            "right": lambda: (self.confirm(pk, right=True), ledger.confirm(ought, right=True)),
            "wrong": lambda: (self.confirm(pk, right=False), ledger.confirm(ought, right=False)),
            "identify": lambda: (callers.identify(pk, mina), ledger.identify(ought, right=True)),
            "identify as a stranger": lambda: (callers.identify(pk, stranger), ledger.identify(ought, right=False)),
            "resend": lambda: (flow.resend(pk=pk), ledger.resend(ought)),
            "cancel": lambda: (flow.cancel(reason="cancelled_by_partner", pk=pk), ledger.cancel(ought)),
        }[deed]()
        assert told(came) == should

    def identity(self, right):
        return replace(make.identity(self.mina), carrier="SKT" if right else "KT")

    def confirm(self, pk, *, right):
        texts = Message.objects.filter(about=pk, kind="sms")
        number = texts[0].body["text"].split("번호 ")[1][:6] if texts else self.numbers.get(pk, "000000")
        return flow.confirm(code=number if right else f"{(int(number) + 1) % 10**6:06}", pk=pk)

    def it_goes_on_in_the_app(self, which, deed):
        pk, ought = self.real[which], self.ledger.all[which]
        if deed in ("unlock", "wrong password"):
            return self.unlock(pk, ought, right=deed == "unlock")
        reason = "not_me" if deed == "not me" else "cancel"
        came = outcome_of(lambda: unlocking.deny(pk, device=self.device, reason=reason))
        assert told(came) == self.ledger.deny(ought, not_me=deed == "not me")
        return None

    def unlock(self, pk, ought, *, right):
        before, password = ought.state, make.PASSWORD if right else "999888"
        came = outcome_of(lambda: unlocking.unlock(pk, device=self.device, password=password))
        assert told(came) == self.ledger.unlock(ought, right=right)
        assert (came.envelope is None) == (came.refusal is not None)
        if came.envelope and before == "awaiting_app":
            self.numbers[pk] = self.phone.open(str(pk), came.envelope)["code"]

    def the_owner_decides(self, deed, partner, dice):
        shop, ledger = self.partners[partner], self.ledger
        if deed.startswith("release"):
            minutes, right = dice.choice((1, 5, 10)), deed == "release"
            password = make.PASSWORD if right else "999888"
            made = controls.release(self.device, partner=shop.pk, minutes=minutes, password=password)
            came = (made.code, made.extra) if isinstance(made, Refused) else None
            assert came == ledger.release(partner, right=right, minutes=minutes)
        elif deed == "withdraw":
            alive = Release.objects.live(now=timezone.now()).filter(partner=shop).first()
            came = outcome_of(lambda: self.withdraw(alive.pk if alive else uuid.uuid4()))
            assert told(came) == ledger.withdraw(partner)
        else:
            quiet = deed == "let everybody"
            stop_all, blocked = (False, set()) if quiet else (dice.random() < 0.3, {partner})
            wanted = controls.Controls(stop_all, frozenset(self.partners[one].pk for one in blocked))
            refusal = controls.change(self.device, wanted=wanted, password=make.PASSWORD)
            came = (refusal.code, refusal.extra) if refusal else None
            assert came == ledger.control(stop_all=stop_all, blocked=blocked)

    def withdraw(self, release):
        releases.withdraw(release, line=Line.objects.get(device=self.device))
        return Outcome(Verification())

    def the_owner_joins_or_leaves(self, deed, platform):
        if deed == "join" and self.ledger.protected:
            with pytest.raises(enrolment.NotEligible, match="already_joined"):
                enrolment.join(self.mina.phone)
        elif deed == "join":
            enrolment.join(self.mina.phone)
            self.ledger.join()
        elif self.ledger.protected and deed == "leave":
            leaving.cancel(self.mina.contract, reason="customer")
            self.phone = self.device = None
            self.ledger.leave()
        if self.ledger.protected and platform and deed != "leave":
            self.register(platform)

    def register(self, platform):
        code = enrolment.renew_activation(self.mina.contract).activation_code
        self.phone = PhoneClient("", platform)
        given = self.phone.registration(code, make.PASSWORD)
        phone = registration.Phone(**{name: given[name] for name in registration.Phone.__dataclass_fields__})
        self.device, _ = registration.register(code, phone=phone, password=make.PASSWORD, address="here")
        self.phone.device_id, self.phone.jwks = str(self.device.pk), make.signing.key_set()
        self.ledger.register()

    def time_passes(self, seconds, *, ticks, drains):
        hours.pass_by(seconds=seconds)
        self.ledger.now += seconds
        if ticks:
            clock.expire_overdue()
            clock.end_releases()
            self.ledger.tick()
        if drains:
            drain("sms")
            self.ledger.drain()

    # --- What must be true at every moment ---

    @invariant()
    def every_verification_is_as_it_ought_to_be(self):
        names = ("state", "reason", "channel", "released", "tries_left", "resends_left", "identity_tries_left")
        found = {row[0]: row[1:] for row in Verification.objects.values_list("pk", *names)}
        ought = [tuple(getattr(one, name) for name in names) for one in self.ledger.all]
        assert [found[pk] for pk in self.real] == ought

    @invariant()
    def the_line_is_as_it_ought_to_be(self):
        line, ledger = Line.objects.first(), self.ledger
        if line:
            assert line.protection == ("on" if ledger.protected else "off")
            assert line.device_id == (self.device.pk if self.device else None)
            assert line.wrong_passwords == ledger.wrong_passwords

    @invariant()
    def no_sms_while_protected_but_by_a_release(self):
        if self.ledger.protected:
            by_release = Q(about__in=Verification.objects.filter(release__isnull=False).values("pk"))
            done = Q(about__in=Verification.objects.filter(state="verified").values("pk"))
            assert not Verification.objects.filter(channel="sms", ended_at=None, release=None).exists()
            assert not Message.objects.filter(channel="sms", state="owed").exclude(done | by_release).exists()

    @invariant()
    def a_release_is_used_once_for_its_partner_and_in_its_time(self):
        for release in Release.objects.select_related("used_by").exclude(used_by=None):
            asked = release.used_by
            assert (asked.partner_id, asked.line_id, asked.released) == (release.partner_id, release.line_id, True)
            assert release.created_at <= asked.matched_at < release.expires_at
        released = Verification.objects.filter(released=True)
        assert released.count() == Release.objects.exclude(used_by=None).count()

    @invariant()
    def what_lives_is_what_ought_to_live(self):
        alive = set(Release.objects.live(now=timezone.now()).values_list("partner", flat=True))
        ought = {self.partners[one].pk for one, until in self.ledger.releases.items() if until > self.ledger.now}
        assert alive == ought

    @invariant()
    def one_open_for_each_partner_and_three_in_all(self):
        matched = Verification.objects.filter(line__isnull=False, ended_at=None)
        open_for = list(matched.values_list("partner", flat=True))
        assert len(open_for) == len(set(open_for)) <= 3

    @invariant()
    def each_end_is_told_once(self):
        kinds = list(Verification.objects.values_list("pk", "webhooks__type"))
        heard = [sorted(kind for of, kind in kinds if of == pk and kind) for pk in self.real]
        assert heard == [sorted(f"verification.{state}" for state in one.told) for one in self.ledger.all]


@pytest.mark.django_db
def test_a_line_lives_as_the_rules_say_whatever_happens_in_whatever_order():
    bounded = settings(
        max_examples=25,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Lifetime, settings=bounded)
