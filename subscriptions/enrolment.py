"""Joining (mission.md S4, S5, S7, S11): the business above the protection. Leaving is `leaving`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ansim.lib import birth, fingerprint
from ansim.lib.problem import Refused
from subscriptions import eligibility
from subscriptions.models import Subscription
from verification import carrier, protection, registration
from verification.carrier import LineFacts
from verification.models import Line

State = Subscription.State


@dataclass(frozen=True)
class NotEligible(Exception):
    """The line may not join; all reasons at once (S4, S7). `why_not` is empty of words: codes of api.md section 6."""

    why_not: list[str]


class Unknown(Exception):
    """The carrier knows no such line."""


@dataclass(frozen=True)
class Joined:
    subscription: Subscription
    line: Line
    activation_code: str


def verdict(phone: str) -> tuple[LineFacts, list[str]]:
    """What the carrier says of that E.164 number and why it may not join. Raises Unknown, problem.Unavailable."""
    facts = carrier.look_up(phone)
    if facts is None:
        raise Unknown(phone)
    joined = Subscription.objects.filter(
        line__contract_fingerprint=fingerprint.of("contract", facts.contract), state=State.ACTIVE
    ).exists()
    return facts, eligibility.why_not(facts, today=birth.today(), joined=joined)


def join(
    phone: str, *, at: datetime | None = None, activation_life: timedelta = registration.ACTIVATION_LIFE
) -> Joined:
    """Subscribe the line and switch its protection on, in one transaction. `at` is when the customer joined (now).

    Raises NotEligible (also when it joined a moment ago), Unknown, problem.Unavailable. The phone itself comes later:
    with the activation code, which stands only in this answer.
    """
    facts, reasons = verdict(phone)
    if reasons:
        raise NotEligible(reasons)
    with transaction.atomic():
        line = protection.turn_on(facts, birthdate=facts.holder.birthdate)
        if line.subscriptions.filter(
            state=State.ACTIVE
        ).exists():  # joined while we asked the carrier; we hold the line now
            raise NotEligible(["already_joined"])
        holder = facts.holder
        subscription = Subscription.objects.create(
            line=line,
            holder={"name": holder.name, "birthdate": holder.birthdate.isoformat(), "ci": holder.ci},
            holder_fingerprint=fingerprint.of("ci", holder.ci),
            joined_at=at or timezone.now(),
        )
        return Joined(subscription, line, registration.issue_activation(line, life=activation_life))


def renew_activation(contract: str, *, activation_life: timedelta = registration.ACTIVATION_LIFE) -> Joined:
    """A fresh activation code for a member. Refused: `not_found`, also for a line that left."""
    with transaction.atomic():
        line = protection.hold(contract)
        subscription = line.subscriptions.filter(state=State.ACTIVE).first()
        if subscription is None:
            raise Refused("not_found")
        return Joined(subscription, line, registration.issue_activation(line, life=activation_life))
