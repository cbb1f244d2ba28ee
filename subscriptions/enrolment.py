"""Joining and leaving (mission.md S4, S5, S7, S10, S11): the business above the protection."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
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


def cancel(contract: str, *, reason: str, at: datetime | None = None) -> Subscription:
    """End the service at once: protection off, the phone's registration gone, open verifications ended.

    Refused: `not_found`. Raises Subscription.DoesNotExist for a line that has no active one.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        return _end(_active(line), line, reason=reason, at=at or timezone.now())


def request_cancellation(contract: str, *, at: datetime | None = None) -> Subscription:
    """Staff took a cancellation down: it waits a day, the phone is told, and one tap there stops it (invariant 6).

    The delay counts from `at` (now). Taken down already: the first one stands. Refused and raised as by `cancel`.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        subscription = _active(line)
        if subscription.leaves_at is None:
            subscription.leaves_at = (at or timezone.now()) + timedelta(seconds=settings.CANCELLATION_DELAY)
            subscription.save(update_fields=["leaves_at"])
            if line.device:
                registration.tell(line.device, "cancellation_requested")
        return subscription


def stop_cancellation(line: Line) -> bool:
    """The owner's tap. False when nothing was pending."""
    pending = Subscription.objects.filter(line=line, state=State.ACTIVE, leaves_at__isnull=False)
    return pending.update(leaves_at=None) == 1


def take_effect(subscription_id: uuid.UUID) -> None:
    """The day is over (the clock calls). Stopped a moment ago, or ended otherwise: nothing happens."""
    contract = Subscription.objects.select_related("line").get(pk=subscription_id).line.contract
    with transaction.atomic():
        line, now = protection.hold(contract), timezone.now()
        due = (
            line.subscriptions.select_for_update()
            .filter(pk=subscription_id, state=State.ACTIVE, leaves_at__lte=now)
            .first()
        )
        if due is not None and due.leaves_at is not None:
            _end(due, line, reason="desk", at=due.leaves_at)


def _active(line: Line) -> Subscription:
    return line.subscriptions.select_for_update().get(state=State.ACTIVE)


def _end(subscription: Subscription, line: Line, *, reason: str, at: datetime) -> Subscription:
    subscription.state, subscription.end_reason = State.ENDED, reason
    subscription.ended_at = max(at, subscription.joined_at)
    subscription.save(update_fields=["state", "ended_at", "end_reason"])
    protection.turn_off(line, at=subscription.ended_at)
    return subscription
