"""The rows behind every sending: which messages are due, who has them now, and what became of them.

A message is taken by moving its `due_at` ahead (a lease). So two drains never hold the same one, and what a killed
process held comes back by itself. Everything else is written only where the row still says `owed`: what was
voided meanwhile stays void.
"""

import functools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from ansim.lib import rows
from ansim.lib.times import APART
from pushes.gateways import Failure, Later, Misconfigured, Sent
from pushes.models import Device, Message

LEASE = timedelta(seconds=20)  # longer than one sending can last: connect, access token and answer
BACKOFF = (1, 2, 4, 8, 16, 30)  # seconds before the next try; the last one for all that follow
JITTER = 0.2  # of the waiting time, either way: what failed together does not come back together
UNTIL_MENDED = 30  # seconds before we try our own misconfiguration again
LONGEST_WAIT = timedelta(hours=1)  # however long the provider asks us to

CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, device_id FROM pushes_message WHERE channel = %(channel)s AND state = 'owed' AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE pushes_message AS message
SET due_at = %(lease)s,
    state = CASE WHEN expires_at <= %(now)s THEN 'expired' ELSE state END,
    attempts = CASE WHEN expires_at <= %(now)s THEN attempts ELSE attempts + 1 END
FROM due LEFT JOIN pushes_device AS device ON device.id = due.device_id
WHERE message.id = due.id
RETURNING {message}, {device}
"""
# Who sent it says so even when its lease was over; who failed has no say any more when another one tries already.
RECORD = """
UPDATE pushes_message AS message
SET state = came.state, due_at = came.due_at, provider_id = came.provider_id,
    sent_at = CASE WHEN came.state = 'sent' THEN %(now)s END,
    last_error = CASE WHEN came.error = '' THEN message.last_error ELSE came.error END
FROM unnest(%(ids)s::uuid[], %(attempts)s::int[], %(states)s::text[], %(dues)s::timestamptz[],
            %(provider_ids)s::text[], %(errors)s::text[])
    AS came(id, attempts, state, due_at, provider_id, error)
WHERE message.id = came.id AND message.state = 'owed' AND (came.state = 'sent' OR message.attempts = came.attempts)
"""


@dataclass(frozen=True)
class Outcome:
    """What is to be written about one try. OWED: once more, at `due_at`."""

    message: Message
    state: Message.State
    due_at: datetime
    provider_id: str = ""
    error: str = ""


def claim(channel: str, *, most: int) -> list[Message]:
    """Takes what is due, oldest first, for `LEASE`; what came too late is expired on the way and comes back so."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_claim(), {"channel": channel, "now": now, "lease": now + LEASE, "most": most})
        return [_with_device(iter(values)) for values in cursor.fetchall()]


@functools.cache
def _claim() -> str:
    return CLAIM.format(message=rows.columns(Message, "message"), device=rows.columns(Device, "device"))


def _with_device(values: Iterator[Any]) -> Message:
    message = rows.read(Message, values)
    message.device = rows.read(Device, values) if message.device_id else None
    return message


def became(message: Message, said: Sent | Failure) -> Outcome:
    """The rule of retries: how a gateway's answer changes what we owe."""
    now = timezone.now()
    match said:
        case Sent():
            return Outcome(message, Message.State.SENT, now, provider_id=said.provider_id)
        case Later():
            return _again(message, _wait(message.attempts, said.retry_after), said.code, now)
        case Misconfigured(final=False):
            return _again(message, UNTIL_MENDED, said.code, now)
        case _:
            return Outcome(message, Message.State.FAILED, now, error=said.code)


def _wait(attempts: int, asked_for: float | None) -> float:
    own = BACKOFF[min(attempts, len(BACKOFF)) - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return min(max(own, asked_for or 0.0), LONGEST_WAIT.total_seconds())


def _again(message: Message, seconds: float, code: str, now: datetime) -> Outcome:
    """Never past the expiry. An SMS that ran out of tries has failed: the partner hears `undeliverable` (api.md)."""
    due = now + timedelta(seconds=seconds)
    if due < message.expires_at:
        return Outcome(message, Message.State.OWED, due, error=code)
    end = Message.State.FAILED if message.kind == Message.Kind.SMS else Message.State.EXPIRED
    return Outcome(message, end, now, error=code)


def record(outcomes: Sequence[Outcome]) -> None:
    """Writes what became of them, in one statement."""
    if not outcomes:
        return
    ordered = sorted(outcomes, key=lambda outcome: outcome.message.pk)  # one order for all: no deadlock
    values: dict[str, Any] = {
        "now": timezone.now(),
        "ids": [outcome.message.pk for outcome in ordered],
        "attempts": [outcome.message.attempts for outcome in ordered],
        "states": [str(outcome.state) for outcome in ordered],
        "dues": [outcome.due_at for outcome in ordered],
        "provider_ids": [outcome.provider_id[:200] for outcome in ordered],
        "errors": [outcome.error[:64] for outcome in ordered],
    }
    with connection.cursor() as cursor:
        cursor.execute(RECORD, values)


def redate(*, now: datetime) -> None:
    """No first try waits, no other one longer than LONGEST_WAIT, and nothing lives longer than a notice: what does was
    dated by a clock that was wrong (docs/adr/0034). It is due at once; words that have been sent are forgotten.
    """
    too_far, too_long = now + LONGEST_WAIT + APART, now + Message.LONGEST_LIFE + APART
    owed = Message.objects.filter(state=Message.State.OWED)
    owed.filter(Q(attempts=0, due_at__gt=now + APART) | Q(due_at__gt=too_far)).update(due_at=now)
    owed.filter(expires_at__gt=too_long).update(expires_at=now + Message.LONGEST_LIFE)
    Message.objects.filter(expires_at__gt=too_long, body__isnull=False).update(body=None)


def forget_address(device: Device) -> None:
    """The provider knows this token no more. A newer one, brought by the app meanwhile, stays."""
    with transaction.atomic():
        now = Device.objects.select_for_update().get(pk=device.pk)
        if now.push_token == device.push_token:
            now.push_token = None
            now.save(update_fields=["push_token"])
