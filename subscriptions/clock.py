"""What the timetable calls (`ansim.celery`). Safe to call at any time, twice, or late."""

import logging
import time
from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from ansim import checkup, retention
from ansim.lib import birth
from ansim.lib.problem import Unavailable
from ansim.lib.times import APART
from subscriptions import billing, carrier_events, charges, closing, pending, purging, reconciliation, sessions
from subscriptions.models import ClosedMonth, PendingChange
from verification import carrier

log = logging.getLogger(__name__)
BATCH = 500
NIGHT = range(2, 6)  # hours of Seoul in which all lines are compared with the carrier
SHIFT = 5.0  # seconds that a tick may take, so that the others are not late
LATE_EVENTS = timedelta(hours=6)  # into the 1st: what the carrier reports of the last night is not late yet


def _time_is_right() -> bool:
    """Asked before what the time alone decides and nobody takes back: the database and the carrier agree with us.

    A clock that is wrong, ours and with it PostgreSQL's, would end today what a customer has until tomorrow to stop,
    close a month that is not over, and remove what the law wants kept (docs/adr/0034). In doubt, all of that waits.
    """
    why = carrier.probe()
    told = {"database": checkup.skew(), "carrier": None if why else carrier.clock_ahead()}
    right = all(ahead is not None and abs(ahead) < APART.total_seconds() for ahead in told.values())
    if not right:
        log.error("time_in_doubt", extra={f"{whose}_ahead": ahead for whose, ahead in told.items()})
    return right


@shared_task(name="subscriptions.clock.take_effect", max_retries=0)
def take_effect() -> None:
    """End what staff took down a day ago and nobody stopped."""
    pending.lapse()
    cancellations = PendingChange.objects.filter(kind=PendingChange.Kind.CANCELLATION, **pending.OPEN)
    due = cancellations.filter(~pending.UNAPPROVED, due_at__lte=timezone.now()).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    if ids and _time_is_right():
        for pk in ids:
            pending.take_effect(pk)


@shared_task(name="subscriptions.clock.forget_sessions", max_retries=0)
def forget_sessions() -> None:
    """Where customers were signed in a day ago."""
    sessions.forget()


@shared_task(name="subscriptions.clock.close_last_month", max_retries=0)
def close_last_month() -> None:
    """Close the month before this one, a part with each tick, until every line was charged."""
    month = billing.month_of(timezone.now() - LATE_EVENTS)
    before = billing.month_before(month)
    if month != birth.today().replace(day=1) or ClosedMonth.objects.filter(month=before).exists():
        return
    if _time_is_right():
        closing.close(before, seconds=SHIFT)


@shared_task(name="subscriptions.clock.post_charges", max_retries=0)
def post_charges() -> None:
    """Post what is still owed to the carrier."""
    charges.post_owed(seconds=SHIFT)


@shared_task(name="subscriptions.clock.take_up_events", max_retries=0)
def take_up_events() -> None:
    """What the carrier reported of a line in the instant in which it joined."""
    carrier_events.take_up()


@shared_task(name="subscriptions.clock.reconcile", max_retries=0)
def reconcile() -> None:
    """Once a night, a shift at a time. The carrier away, or another worker at it: later."""
    now = timezone.localtime()
    if now.hour not in NIGHT or not reconciliation.due(since=now - timedelta(hours=12)) or not _time_is_right():
        return
    ends = time.monotonic() + SHIFT
    with suppress(Unavailable, reconciliation.AtWork):
        reconciliation.run(until=lambda: time.monotonic() > ends)


@shared_task(name="subscriptions.clock.purge", max_retries=0)
def purge() -> None:
    """Once a night, a shift at a time: remove what is kept long enough (PURGE_AT_NIGHT, on by default)."""
    now = timezone.localtime()
    if not settings.PURGE_AT_NIGHT or now.hour not in NIGHT or not retention.due(since=now - timedelta(hours=12)):
        return
    if not _time_is_right():
        return
    ends = time.monotonic() + SHIFT
    retention.run(purging.SORTS, until=lambda: time.monotonic() > ends)
