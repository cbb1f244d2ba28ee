"""What the timetable calls (`ansim.celery`). Safe to call at any time, twice, or late."""

from celery import shared_task
from django.utils import timezone

from subscriptions import enrolment
from subscriptions.models import Subscription

BATCH = 500


@shared_task(name="subscriptions.clock.take_effect", max_retries=0)
def take_effect() -> None:
    """End what staff took down a day ago and nobody stopped."""
    due = Subscription.objects.filter(state=Subscription.State.ACTIVE, leaves_at__lte=timezone.now())
    for pk in list(due.order_by("leaves_at").values_list("pk", flat=True)[:BATCH]):
        enrolment.take_effect(pk)
