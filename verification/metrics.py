"""What became of verifications, of look-ups at the carrier and of webhooks, counted where it happens.

Counted after the commit. A process that is killed right between the two misses one: the rows are the truth.
"""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from ansim.lib import metrics

if TYPE_CHECKING:
    from verification.models import Verification, WebhookDelivery
    from verification.webhook_post import Heard

VERIFICATIONS = metrics.counter(
    "verifications", "States that verifications reached; mode: live or test.", "state", "reason", "channel", "mode"
)
LOOK_UP_SECONDS = metrics.histogram(
    "carrier_look_up_seconds", "Look-ups at the carrier: answered, or why not.",
    "outcome", buckets=metrics.OUTSIDE,
)  # fmt: skip
WEBHOOKS = metrics.counter("webhook_attempts", "Attempts to deliver a webhook, by what came of them.", "outcome")
WEBHOOK_SECONDS = metrics.histogram("webhook_attempt_seconds", "One attempt to deliver.", buckets=metrics.OUTSIDE)
WEBHOOK_DELAY_SECONDS = metrics.histogram(
    "webhook_delay_seconds", "From the commit of an event until its partner had heard it.", buckets=metrics.DELAYS
)


def moved(verification: "Verification") -> None:
    """Count the state that this verification has come to, after the commit."""
    mode = "live" if verification.livemode else "test"
    counted = VERIFICATIONS.labels(verification.state, verification.reason or "", verification.channel or "", mode)
    transaction.on_commit(counted.inc)


def heard(delivery: "WebhookDelivery", said: "Heard") -> None:
    """Count one attempt to deliver; how long the partner waited only where nobody replayed it."""
    WEBHOOKS.labels(metrics.word(said.code or "heard")).inc()
    WEBHOOK_SECONDS.observe(said.ms / 1000)
    if said.taken and not delivery.ladder_from:
        WEBHOOK_DELAY_SECONDS.observe((timezone.now() - delivery.created_at).total_seconds())
