"""Calls out of here: webhooks. Drained in batches; safe to ring twice."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
from celery import shared_task
from django.db import connection
from django.utils import timezone

from verification import webhooks
from verification.models import Partner, WebhookDelivery

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)  # a process that dies at work holds a delivery up for that long
BATCH = 32
State = WebhookDelivery.State

_CLAIM = """
    UPDATE verification_webhookdelivery SET due_at = %s, attempts = attempts + 1
     WHERE id IN (SELECT id FROM verification_webhookdelivery WHERE state = 'owed' AND due_at <= %s
                   ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT %s)
    RETURNING id
"""


@shared_task(name="verification.tasks.deliver_webhooks", acks_late=True)
def deliver_webhooks() -> int:
    """Deliver what is due until nothing is. Returns how many were tried."""
    tried = 0
    with httpx.Client(timeout=webhooks.TIMEOUT, follow_redirects=False) as client, ThreadPoolExecutor(BATCH) as pool:
        while batch := _claim(timezone.now()):
            answers = pool.map(lambda owed: _try(owed, owed.partner, client), batch)
            for delivery, error in zip(batch, list(answers), strict=True):
                _note(delivery, error)
            tried += len(batch)
    return tried


def _claim(now: datetime) -> list[WebhookDelivery]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now + LEASE, now, BATCH])
        ids = [row[0] for row in cursor.fetchall()]
    return list(WebhookDelivery.objects.filter(pk__in=ids).select_related("partner")) if ids else []


def _try(delivery: WebhookDelivery, partner: Partner, client: httpx.Client) -> str:
    """Empty when it was heard, else what went wrong in one word. No database here: it runs in a thread."""
    try:
        answer = webhooks.post(delivery, partner, client)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.is_success else f"status_{answer.status_code}"


def _note(delivery: WebhookDelivery, error: str) -> None:
    now = timezone.now()
    owed = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.OWED)
    if not error:
        owed.update(state=State.DELIVERED, delivered_at=now, last_error="")
        return
    due = None if error == "status_410" else webhooks.next_try(delivery, now=now)
    if error == "status_410":
        Partner.objects.filter(pk=delivery.partner_id).update(webhook_disabled_at=now)
    if due is None:
        owed.update(state=State.GIVEN_UP, last_error=error)
    else:
        owed.update(due_at=due, last_error=error)
    log.warning(
        "webhook_not_heard", extra={"delivery": str(delivery.pk), "error": error, "attempts": delivery.attempts}
    )
