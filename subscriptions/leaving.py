"""Leaving the service because the customer, or the desk for them, says so (mission.md S10)."""

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ansim.lib import birth
from subscriptions import lifecycle
from subscriptions.models import LeavingReason, Subscription
from verification import proofs, protection
from verification.models import Line, Verification


def cancel(contract: str, *, reason: str, at: datetime | None = None) -> Subscription:
    """End the service at once: protection off, the phone's registration gone, open verifications ended.

    Refused: `not_found`. Raises Subscription.DoesNotExist for a line that has no active one.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        return end(active(line), line, reason=reason, at=at or timezone.now())


class ProofNeeded(Exception):
    """The customer was not proved by the app a moment ago, or that proof was used (invariant 6)."""


def cancel_proved(proof_id: uuid.UUID, *, answer: str = "") -> Subscription:
    """The customer leaves on the web: it takes a fresh proof by the app, once. The same form again: the same leaving.

    `answer` is why, if they told (LeavingReason.Answer); it is kept without who. Raises ProofNeeded.
    """
    by_app = Verification.objects.filter(channel=Verification.Channel.APP, released=False, ended_at__isnull=False)
    proof = by_app.select_related("line").filter(pk=proof_id, partner_id=proofs.OUR_SITE, purpose="other").first()
    if proof is None or proof.line is None:
        raise ProofNeeded
    with transaction.atomic():
        line = protection.hold(proof.line.contract)
        before = line.subscriptions.filter(cancelled_at__gte=proof.ended_at, joined_at__lte=proof.ended_at).first()
        if before and proof.state == Verification.State.VERIFIED:
            return before
        if not proofs.spend(proof_id, line=line, purpose="other"):
            raise ProofNeeded
        left = end(active(line), line, reason="customer", at=timezone.now())
        if answer:
            LeavingReason.objects.create(month=birth.today().replace(day=1), answer=answer)
        return left


def active(line: Line) -> Subscription:
    """The present subscription of a line that the caller holds. Raises Subscription.DoesNotExist."""
    return line.subscriptions.select_for_update().get(state=Subscription.State.ACTIVE)


def end(subscription: Subscription, line: Line, *, reason: str, at: datetime) -> Subscription:
    """For a line that the caller holds. A time before the joining counts as the joining."""
    subscription.cancelled_at, subscription.cancel_reason = max(at, subscription.joined_at), reason
    subscription.save(update_fields=["cancelled_at", "cancel_reason"])
    lifecycle.conclude(line)
    subscription.refresh_from_db()
    return subscription
