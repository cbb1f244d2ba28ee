"""What partners are told (api.md, Webhooks): Standard Webhooks, no personal data, one event for every end."""

import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
from django.conf import settings
from django.db import transaction
from standardwebhooks.webhooks import Webhook

from ansim import bell
from verification.models import Partner, Verification, WebhookDelivery

# Standard Webhooks' ladder (mission.md section 5): how long after the first try each next one comes.
LADDER = tuple(
    timedelta(seconds=after)
    for after in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
TIMEOUT = 15.0  # seconds


def owed(verification: Verification, partner: Partner, *, now: datetime) -> list[WebhookDelivery]:
    """The row that tells of the state just reached; the caller writes it with the move. None where nobody listens."""
    if not partner.webhook_url or partner.webhook_disabled_at:
        return []
    kind = f"verification.{verification.state}"
    data = {
        "id": str(verification.pk),
        **{name: getattr(verification, name) for name in ("reference", "state", "reason")},
    }
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False)
    return [
        WebhookDelivery(partner=partner, verification=verification, type=kind, body=body, due_at=now, created_at=now)
    ]


def ring() -> None:
    """After the commit, wake somebody to deliver. A bell that fails is no loss: the clock rings again."""
    transaction.on_commit(partial(bell.pull, "verification.tasks.deliver_webhooks", queue="webhook"), robust=True)


def next_try(delivery: WebhookDelivery, *, now: datetime) -> datetime | None:
    """When the ladder's next rung is, with a tenth of jitter; None when it is used up."""
    if delivery.attempts > len(LADDER):
        return None
    rung = LADDER[delivery.attempts - 1]
    jitter = random.uniform(0, rung.total_seconds() / 10)  # noqa: S311 - spreads load, keeps no secret
    return max(delivery.created_at + rung, now + timedelta(seconds=1)) + timedelta(seconds=jitter)


def post(delivery: WebhookDelivery, partner: Partner, client: httpx.Client) -> httpx.Response:
    """Deliver once. Raises httpx.HTTPError; any answer is returned. A redirect is not followed: 3xx is failure."""
    # In UTC: the library reads any time as if it were, and signs another second than the header's.
    now, message_id = datetime.now(UTC), f"msg_{delivery.pk.hex}"
    signature = Webhook(partner.webhook_secret).sign(message_id, now, delivery.body)
    return client.post(
        partner.webhook_url,
        content=delivery.body.encode(),
        headers={
            "content-type": "application/json",
            "user-agent": f"Ansim-Webhooks ({settings.BASE_URL})",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        },
    )
