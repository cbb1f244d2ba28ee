"""Joining (mission.md S4, S5, S7, S11): the business above the protection. Leaving is `leaving`."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ansim.lib import birth, fingerprint
from ansim.lib.problem import Refused, Unavailable
from subscriptions import consents, customer_search, eligibility, lifecycle
from subscriptions.consents import Agreement
from subscriptions.models import Subscription
from subscriptions.proving import Person
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


class ProofUsed(Exception):
    """That proof joined before and the service has ended since, or the line is somebody else's by now."""


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
    phone: str,
    *,
    agreed: Agreement | None = None,
    at: datetime | None = None,
    activation_life: timedelta = registration.ACTIVATION_LIFE,
) -> Joined:
    """Subscribe the line and switch its protection on, in one transaction. `at` is when the customer joined (now).

    Without `agreed` it agrees to what is required now, as the demo's people do. Raises NotEligible (also when it joined
    a moment ago), Unknown, problem.Unavailable, consents.Outdated. The phone itself comes later: with the activation
    code, which stands only in this answer.
    """
    facts, reasons = verdict(phone)
    if reasons:
        raise NotEligible(reasons)
    with transaction.atomic():
        line = protection.turn_on(facts, birthdate=facts.holder.birthdate)
        return _subscribe(line, facts, agreed=agreed or consents.required_now(), at=at, life=activation_life)


def join_proved(person: Person, *, agreed: Agreement) -> Joined:
    """The same on the web, for the person and the contract that were proved. The same proof again: joined once.

    Raises what `join` does, and ProofUsed.
    """
    facts, reasons = verdict(person.phone)
    if (facts.contract, facts.holder.ci) != (person.line.contract, person.ci):
        raise ProofUsed
    if reasons not in ([], ["already_joined"]):  # by whom, and with which proof, is seen under the lock
        raise NotEligible(reasons)
    with transaction.atomic():
        line = protection.hold(facts.contract)
        before = Subscription.objects.filter(verification=person.verification).first()
        if before:
            if before.state != State.ACTIVE:
                raise ProofUsed
            return _activation(line, before)
        line = protection.turn_on(facts, birthdate=facts.holder.birthdate)
        return _subscribe(line, facts, agreed=agreed, verification=person.verification)


def _subscribe(
    line: Line,
    facts: LineFacts,
    *,
    agreed: Agreement,
    at: datetime | None = None,
    verification: uuid.UUID | None = None,
    life: timedelta = registration.ACTIVATION_LIFE,
) -> Joined:
    # Whoever joined while we asked the carrier is seen here, because now we hold the line.
    if line.subscriptions.filter(state=State.ACTIVE).exists():
        raise NotEligible(["already_joined"])
    if at is None and not carrier.agrees_on_the_time():
        raise Unavailable("time")  # bills, and what is reported later, are reckoned from the time of the joining
    holder = facts.holder
    subscription = Subscription.objects.create(
        line=line,
        holder={"name": holder.name, "birthdate": holder.birthdate.isoformat(), "ci": holder.ci},
        holder_fingerprint=fingerprint.of("ci", holder.ci),
        verification=verification,
        joined_at=at or facts.asked_at or timezone.now(),  # what is reported while we asked comes after it
    )
    consents.record(subscription, agreed)
    customer_search.note(subscription)
    joined = _activation(line, subscription, life=life)
    lifecycle.conclude(line)  # what the carrier reported of the time since `at`
    return joined


def _activation(line: Line, subscription: Subscription, *, life: timedelta = registration.ACTIVATION_LIFE) -> Joined:
    return Joined(subscription, line, registration.issue_activation(line, life=life))


def renew_activation(contract: str, *, activation_life: timedelta = registration.ACTIVATION_LIFE) -> Joined:
    """A fresh activation code for a member. Refused: `not_found`, also for a line that left."""
    with transaction.atomic():
        line = protection.hold(contract)
        subscription = line.subscriptions.filter(state=State.ACTIVE).first()
        if subscription is None:
            raise Refused("not_found")
        return _activation(line, subscription, life=activation_life)


def renew_unregistered(subscription_id: uuid.UUID, *, device: uuid.UUID | None) -> Joined:
    """A fresh code for the browser that was given one, while `device` is still the line's phone (None: none is).

    Refused: `not_found` when the service ended, `wrong_state` when a phone was registered since.
    """
    contract = Subscription.objects.select_related("line").get(pk=subscription_id).line.contract
    with transaction.atomic():
        line = protection.hold(contract)
        subscription = line.subscriptions.filter(pk=subscription_id, state=State.ACTIVE).first()
        if subscription is None:
            raise Refused("not_found")
        if line.device_id != device:
            raise Refused("wrong_state")
        return _activation(line, subscription)
