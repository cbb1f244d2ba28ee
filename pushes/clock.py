"""What the timetable calls: ring for what is still owed, forget what has served its purpose."""

from celery import shared_task
from django.utils import timezone

from pushes import bell, outbox
from pushes.models import MailAddress, Message


@shared_task(name="pushes.clock.ring_again", max_retries=0)
def ring_again() -> None:
    """Every channel with something due: what a lost bell, a killed worker or a failing provider left behind."""
    due = Message.objects.filter(state=Message.State.OWED, due_at__lte=timezone.now())
    for channel in due.values_list("channel", flat=True).distinct():
        bell.pull(channel)


@shared_task(name="pushes.clock.forget", max_retries=0)
def forget() -> None:
    """Texts, envelopes and addresses that nobody confirmed go when they have expired. (Messages: the nightly purge.)"""
    now = timezone.now()
    outbox.redate(now=now)
    Message.objects.filter(expires_at__lte=now, body__isnull=False).update(body=None)
    MailAddress.objects.filter(address=None, letters_expire_at__lte=now).delete()
