"""Posting charges to the carrier (api.md section 3): from rows that the close wrote, as often as it takes.

A posting is held for the time of one request. A process that dies between the carrier's answer and our note of it
leads to one more post with the same `Idempotency-Key` and the same ids, which changes nothing there.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ansim.lib.metrics import outcome
from ansim.lib.times import APART
from subscriptions import metrics
from subscriptions.models import Charge, Posting

log = logging.getLogger(__name__)
TIMEOUT = 10.0  # seconds for one request
LEASE = timedelta(seconds=30)  # longer than one request can last
BACKOFF = (5, 15, 60, 300)  # seconds before the next try; the last one for all that follow


def post_owed(*, seconds: float, at_once: bool = False, progress: Callable[[int], None] = lambda posted: None) -> bool:
    """Post what is due, oldest first, for at most so long. False when the carrier did not accept one.

    Then the others wait too: a carrier that is away is not asked a thousand times. `at_once`: what failed does not
    wait for its next try. `progress` hears how many charges were accepted.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and (posting := _claim(at_once=at_once)):
        charges = [_told(charge) for charge in posting.charges.select_related("line").order_by("pk")]
        began = time.monotonic()
        error = _post(posting, charges)
        _record(posting, error, took=round((time.monotonic() - began) * 1000, 1))
        if error:
            return False
        progress(len(charges))
    return True


@cache
def _connections() -> httpx.Client:
    """Of this process. Making one takes 30 ms, and most of the time nothing is owed."""
    return httpx.Client(timeout=TIMEOUT)


def owed() -> int:
    """How many charges the carrier has not accepted yet, over all months."""
    return Charge.objects.filter(posting__isnull=False, posting__accepted_at=None).count()


def _claim(*, at_once: bool) -> Posting | None:
    now = timezone.now()
    # What is held or waits longer than anything is was dated by a wrong clock.
    nobodys = Q(held_until=None) | ~Q(held_until__range=(now, now + LEASE + APART))
    free = Posting.objects.filter(nobodys, accepted_at=None)
    due = free if at_once else free.exclude(due_at__range=(now, now + timedelta(seconds=BACKOFF[-1]) + APART))
    with transaction.atomic():
        posting = due.select_for_update(skip_locked=True).order_by("due_at").first()
        if posting:
            posting.held_until, posting.tries = now + LEASE, posting.tries + 1
            posting.save(update_fields=["held_until", "tries"])
        return posting


def _told(charge: Charge) -> dict[str, Any]:
    return {
        "id": str(charge.pk),
        "contract": charge.line.contract,
        "amount": charge.amount,
        "days": charge.days,
        "adjusts": f"{charge.adjusts:%Y-%m}" if charge.adjusts else None,
    }


def _post(posting: Posting, charges: list[dict[str, Any]]) -> str:
    """Empty when it was accepted, else why not."""
    try:
        answer = _connections().post(
            f"{settings.CARRIER_URL}/charges",
            json={"month": f"{posting.month:%Y-%m}", "charges": charges},
            headers={"Authorization": f"Bearer {settings.CARRIER_TOKEN}", "Idempotency-Key": str(posting.pk)},
        )
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.is_success else f"status {answer.status_code}"


def _record(posting: Posting, error: str, *, took: float) -> None:
    """`took`: milliseconds; each call leaves one line in the log, without a contract."""
    metrics.POSTING_SECONDS.labels(outcome(error)).observe(took / 1000)
    now, said = timezone.now(), {"posting": str(posting.pk), "tries": posting.tries, "ms": took}
    if error:
        # A refusal is tried again too: it is ours to mend, and the money stays owed until then.
        log.error("charges_not_accepted", extra={**said, "why": error})
        wait = BACKOFF[min(posting.tries, len(BACKOFF)) - 1]
        posting.due_at, posting.last_error = now + timedelta(seconds=wait), error[:64]
    else:
        log.info("charges_accepted", extra=said)
        posting.accepted_at, posting.last_error = now, ""
    posting.held_until = None
    posting.save(update_fields=["due_at", "last_error", "accepted_at", "held_until"])
