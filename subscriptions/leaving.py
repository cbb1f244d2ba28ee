"""Leaving the service because the customer, or the desk for them, says so (mission.md S10)."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from subscriptions import lifecycle
from subscriptions.models import Subscription
from verification import protection
from verification.models import Line


def cancel(contract: str, *, reason: str, at: datetime | None = None) -> Subscription:
    """End the service at once: protection off, the phone's registration gone, open verifications ended.

    Refused: `not_found`. Raises Subscription.DoesNotExist for a line that has no active one.
    """
    with transaction.atomic():
        line = protection.hold(contract)
        return end(active(line), line, reason=reason, at=at or timezone.now())


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
