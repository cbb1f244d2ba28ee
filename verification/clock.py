"""What the timetable calls (`ansim.celery`). Each is safe to call at any time, twice, or late."""

import time
from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from ansim.lib.times import APART
from pushes import delivery
from verification import breaker, ending, flow, letters, releases, results, sandbox, webhooks
from verification.limits import Limits
from verification.models import Mismatch, Rehearsal, Release, Verification, WebhookDelivery, WrongActivation

BATCH = 500
EVERY = 5.0  # seconds after which `erase_results` comes again
LONGEST_OPEN = timedelta(seconds=Limits().longest) + APART  # a partner may have its own
REPEATABLE = timedelta(days=1)  # idempotency keys live that long


@shared_task(name="verification.clock.ring_again", max_retries=0)
def ring_again() -> None:
    """A doorbell may be lost with a broker or a worker; the rows are not."""
    if WebhookDelivery.objects.filter(state=WebhookDelivery.State.OWED, due_at__lte=timezone.now()).exists():
        webhooks.pull()


@shared_task(name="verification.clock.expire_overdue", max_retries=0)
def expire_overdue() -> None:
    """End what its time has run out for or a wrong clock dated, and what the SMS gateway refused for good."""
    now, still_open = timezone.now(), Verification.objects.filter(ended_at=None)
    overdue = list(still_open.filter(expires_at__lte=now).order_by("expires_at").values_list("pk", flat=True)[:BATCH])
    far = still_open.filter(expires_at__gt=now + LONGEST_OPEN).select_related("partner").order_by("-expires_at")
    dated_wrong = [one.pk for one in far.only("expires_at", "partner__limits")[:BATCH] if ending.is_over(one, now=now)]
    for pk in (*overdue, *dated_wrong):
        with suppress(Verification.DoesNotExist):
            flow.expire(pk)
    for pk in delivery.undeliverable():
        with suppress(Verification.DoesNotExist):
            flow.undeliverable(pk)


@shared_task(name="verification.clock.end_releases", max_retries=0)
def end_releases() -> None:
    """Tell the owners whose release is over. That it is over needs nobody: the protection was back at its minute."""
    over = Release.objects.over(now=timezone.now())
    for line in list(over.order_by("expires_at").values_list("line", flat=True)[:BATCH]):
        releases.end_overdue(line)


@shared_task(name="verification.clock.erase_results", max_retries=0)
def erase_results() -> None:
    """A result was up for the partner long enough: its personal data go, the receipt stays without its DI."""
    ends = time.monotonic() + EVERY
    while results.erase_due(now=timezone.now(), most=BATCH) == BATCH and time.monotonic() < ends:
        pass


@shared_task(name="verification.clock.rehearse", max_retries=0)
def rehearse() -> None:
    """Play on what was begun with magic numbers."""
    for rehearsal in Rehearsal.objects.filter(at__lte=timezone.now()).order_by("at")[:BATCH]:
        with suppress(Verification.DoesNotExist):
            sandbox.rehearse(rehearsal)


@shared_task(name="verification.clock.watch_conversion", max_retries=0)
def watch_conversion() -> None:
    """Slow partners whose SMS nobody completes."""
    breaker.trip()


@shared_task(name="verification.clock.forget", max_retries=0)
def forget() -> None:
    """What has served its purpose: idempotency keys after a day, what was wrong after an hour."""
    now = timezone.now()
    old = Verification.objects.filter(idempotency_key__isnull=False, created_at__lt=now - REPEATABLE)
    old.update(idempotency_key=None, request_hash=None, first_answer=None)
    within_the_hour = (now - timedelta(hours=1), now + timedelta(hours=1))  # what a wrong clock dated goes as well
    Mismatch.objects.exclude(at__range=within_the_hour).delete()
    WrongActivation.objects.exclude(at__range=within_the_hour).delete()
    webhooks.redate(now=now)
    letters.forget(now=now)
    webhooks.forget(now=now)
