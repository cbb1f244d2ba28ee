"""Calls out of here: webhooks. A task is a bell; the rows say what to deliver (design.md section 4.1)."""

import functools
import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from celery import Task, shared_task

from ansim import drain
from verification import metrics, webhook_outbox, webhook_post, webhooks
from verification.models import WebhookDelivery
from verification.webhook_post import Heard

log = logging.getLogger(__name__)

IN_THE_AIR = 128  # deliveries of one process at once; they wait for strangers, so there are many
GATHER = 0.1  # seconds from one drain to the next at least: no partner waits for a webhook as a person for a number
TOGETHER = 0.02  # seconds that the first answer waits for others: a partner's eight places are soon free again
PATIENCE = 5_000  # milliseconds an endpoint may take before it counts as slow


@shared_task(bind=True, name="verification.tasks.deliver_webhooks", max_retries=0)
def deliver_webhooks(self: "Task[..., None]") -> None:
    """Delivers what is due. Safe to ring twice; nothing is repeated by Celery: the clock rings for what stays owed."""
    _drain.work(listen=not self.request.called_directly)


class Drain(drain.Drain[WebhookDelivery, Heard]):
    """The delivering of webhooks in one process."""

    def __init__(self) -> None:
        super().__init__("webhook", bell=webhooks.BELL, places=IN_THE_AIR, apart=GATHER, together=TOGETHER)
        self._slow: set[uuid.UUID] = set()  # partners whose endpoint kept us waiting the last time
        self._flying_to: Counter[uuid.UUID] = Counter()

    def claim(self, most: int) -> Sequence[WebhookDelivery]:
        return webhook_outbox.claim(most=most, slow=self._slow)

    def held_back(self, claimed: Sequence[WebhookDelivery]) -> bool:
        """By the places of a partner, of which other processes may hold some. What this misses the clock finds."""
        self._flying_to.update(delivery.partner_id for delivery in claimed)
        return any(
            count * 2 >= webhook_outbox.EACH or partner in self._slow for partner, count in self._flying_to.items()
        )

    def set_off(self, owed: WebhookDelivery) -> None:
        webhook_post.send(owed, functools.partial(self.came, owed))

    def broke(self, owed: WebhookDelivery, error: Exception) -> Heard:
        return Heard(datetime.now(UTC), 0, error=type(error).__name__)

    def record(self, heard: Sequence[tuple[WebhookDelivery, Heard]]) -> None:
        self._flying_to -= Counter(delivery.partner_id for delivery, _ in heard)  # keeps only what is above 0
        for delivery, said in heard:
            (self._slow.add if said.ms > PATIENCE else self._slow.discard)(delivery.partner_id)
        outcomes = [webhook_outbox.became(delivery, said) for delivery, said in heard]
        drain.persist(lambda: webhook_outbox.record(outcomes), patience=webhook_outbox.LEASE)
        for delivery, said in heard:
            metrics.heard(delivery, said)
        for (partner, code), deliveries in Counter((one.partner_id, said.code) for one, said in heard).items():
            about = {"partner": str(partner), "deliveries": deliveries}
            if code:
                log.warning("webhook_not_heard", extra={**about, "error": code})
            else:
                log.info("webhook_heard", extra=about)


_drain = Drain()
