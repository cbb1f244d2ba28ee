"""The rows behind the delivery of webhooks: which are due and may go, who has them, what came of each attempt.

Fair between partners: each has a few places in the air over all processes, and one only while its endpoint keeps us
waiting. So nobody's slow endpoint, and nobody's backlog, takes the places of others (docs/adr/0010).
"""

import contextlib
import functools
import random
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from ansim.lib import rows
from verification import webhooks
from verification.models import Partner, WebhookDelivery
from verification.webhook_post import GONE, Heard

LEASE = timedelta(seconds=30)  # longer than an attempt can last; what a killed process held comes back after it
EACH = 8  # deliveries to one partner in the air, over all processes
JITTER = 0.1  # of the waiting time, on top: what failed together does not come back together
ONE_CLAIM_AT_A_TIME = 0x77656268  # an advisory lock: two claims at once would both see the same free places

State = WebhookDelivery.State

# `waiting` skips through `webhookdelivery_owed_to` from partner to partner, which PostgreSQL does not do of its own; it
# is ordered by `due_at` as well so that no other index will do.
CLAIM = """
WITH RECURSIVE waiting(partner_id) AS (
    (SELECT partner_id FROM verification_webhookdelivery WHERE state = 'owed' ORDER BY partner_id, due_at LIMIT 1)
    UNION ALL
    SELECT (SELECT further.partner_id FROM verification_webhookdelivery AS further
            WHERE further.state = 'owed' AND further.partner_id > waiting.partner_id
            ORDER BY further.partner_id, further.due_at LIMIT 1)
    FROM waiting WHERE waiting.partner_id IS NOT NULL
), next AS MATERIALIZED (
    SELECT waiting.partner_id, free.id, free.due_at, free.in_the_air
    FROM waiting CROSS JOIN LATERAL (
        SELECT id, due_at, in_the_air FROM verification_webhookdelivery
        WHERE partner_id = waiting.partner_id AND state = 'owed' AND due_at <= %(now)s
        ORDER BY due_at
        LIMIT greatest(0, CASE WHEN waiting.partner_id = ANY(%(slow)s) THEN 1 ELSE %(each)s END - (
            SELECT count(*) FROM verification_webhookdelivery AS flying
            WHERE flying.partner_id = waiting.partner_id AND flying.in_the_air AND flying.due_at > %(now)s
        ))
        FOR UPDATE SKIP LOCKED
    ) AS free
), due AS MATERIALIZED (
    SELECT id, due_at, in_the_air FROM next
    ORDER BY row_number() OVER (PARTITION BY partner_id ORDER BY due_at), due_at LIMIT %(most)s
), interrupted AS (
    INSERT INTO verification_webhookattempt (delivery_id, at, error)
    SELECT id, due_at - %(lease)s, 'interrupted' FROM due WHERE in_the_air
)
UPDATE verification_webhookdelivery AS delivery
SET due_at = %(now)s + %(lease)s, in_the_air = true, attempts = attempts + 1
FROM due, verification_partner AS partner WHERE delivery.id = due.id AND partner.id = delivery.partner_id
RETURNING {delivery}, {partner}
"""
# Who delivered says so even when its lease was over; who failed has no say any more when another one tries already.
RECORD = """
WITH came AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(attempts)s::int[], %(states)s::text[], %(dues)s::timestamptz[], %(ats)s::timestamptz[],
        %(statuses)s::int[], %(errors)s::text[], %(codes)s::text[], %(ms)s::int[]
    ) AS came(id, attempt, state, due_at, at, status, error, code, ms)
), logged AS (
    INSERT INTO verification_webhookattempt (delivery_id, at, status, error, ms)
    SELECT id, came.at, came.status, came.error, came.ms FROM came JOIN verification_webhookdelivery USING (id)
)
UPDATE verification_webhookdelivery AS delivery
SET state = came.state, due_at = came.due_at, in_the_air = false, last_error = came.code,
    delivered_at = CASE WHEN came.state = 'delivered' THEN %(now)s END
FROM came
WHERE delivery.id = came.id AND delivery.state = 'owed'
  AND (came.state = 'delivered' OR delivery.attempts = came.attempt)
"""


@dataclass(frozen=True)
class Outcome:
    """What is to be written about one attempt. OWED: once more, at `due_at`."""

    delivery: WebhookDelivery
    heard: Heard
    state: WebhookDelivery.State
    due_at: datetime


def claim(*, most: int, slow: Collection[uuid.UUID] = ()) -> list[WebhookDelivery]:
    """Takes what is due and may go, partner by partner in turn, for LEASE; `slow` partners have one place.

    What is owed to a partner that hears no more is given up on the way.
    """
    while taken := _taken(most, slow):
        for deaf in {delivery.partner_id for delivery in taken if not delivery.partner.hears}:
            webhooks.give_up(deaf, "no_endpoint")
        wanted = [delivery for delivery in taken if delivery.partner.hears]
        if wanted:
            return wanted
    return []


def _taken(most: int, slow: Collection[uuid.UUID]) -> list[WebhookDelivery]:
    values: dict[str, Any] = {"now": timezone.now(), "lease": LEASE, "each": EACH, "slow": list(slow), "most": most}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_CLAIM_AT_A_TIME])
        cursor.execute(_claim(), values)
        return [_with_partner(iter(row)) for row in cursor.fetchall()]


@functools.cache
def _claim() -> str:
    return CLAIM.format(delivery=rows.columns(WebhookDelivery, "delivery"), partner=rows.columns(Partner, "partner"))


def _with_partner(values: Iterator[Any]) -> WebhookDelivery:
    delivery = rows.read(WebhookDelivery, values)
    delivery.partner = rows.read(Partner, values)
    return delivery


def became(delivery: WebhookDelivery, heard: Heard) -> Outcome:
    """The rule of retries: how an answer changes what we owe."""
    now = timezone.now()
    if heard.taken:
        return Outcome(delivery, heard, State.DELIVERED, now)
    wait = until_next(delivery.attempts - delivery.ladder_from)
    if wait is None or heard.status == GONE:
        return Outcome(delivery, heard, State.GIVEN_UP, now)
    return Outcome(delivery, heard, State.OWED, now + timedelta(seconds=max(wait, heard.retry_after)))


def until_next(attempts: int) -> float | None:
    """Seconds to the ladder's next rung after so many attempts; None when it is used up."""
    if attempts > len(webhooks.LADDER):
        return None
    return webhooks.LADDER[attempts - 1].total_seconds() * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret


def record(outcomes: Sequence[Outcome]) -> None:
    """Writes what came of them, logs each attempt, and disables what answered 410."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.delivery.pk)  # one order for all: no deadlock
    heard = [outcome.heard for outcome in ordered]
    values: dict[str, Any] = {
        "now": timezone.now(),
        "ids": [outcome.delivery.pk for outcome in ordered],
        "attempts": [outcome.delivery.attempts for outcome in ordered],
        "states": [str(outcome.state) for outcome in ordered],
        "dues": [outcome.due_at for outcome in ordered],
        "ats": [one.at for one in heard],
        "statuses": [one.status for one in heard],
        "errors": [one.error[:64] for one in heard],
        "codes": [one.code[:64] for one in heard],
        "ms": [one.ms for one in heard],
    }
    gone = [outcome.delivery.partner for outcome in ordered if outcome.heard.status == GONE]
    with transaction.atomic() if gone else contextlib.nullcontext(), connection.cursor() as cursor:
        cursor.execute(RECORD, values)
        for partner in gone:
            webhooks.disable(partner.pk, url=partner.webhook_url)
