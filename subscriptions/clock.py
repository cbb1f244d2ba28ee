"""What the timetable calls (`ansim.celery`). Safe to call at any time, twice, or late."""

from celery import shared_task
from django.utils import timezone

from subscriptions import pending
from subscriptions.models import PendingChange

BATCH = 500


@shared_task(name="subscriptions.clock.take_effect", max_retries=0)
def take_effect() -> None:
    """End what staff took down a day ago and nobody stopped."""
    due = PendingChange.objects.filter(
        due_at__lte=timezone.now(), kind=PendingChange.Kind.CANCELLATION, **pending.OPEN
    ).order_by("due_at")
    for pk in list(due.values_list("pk", flat=True)[:BATCH]):
        pending.take_effect(pk)
