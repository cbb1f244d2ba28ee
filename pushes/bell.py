"""The bell of a channel: wakes a worker to send what is owed there. It carries no row and no personal data.

By the task's name, so that the web process need not load the vendors' libraries to ring.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

from pushes.models import Message

log = logging.getLogger(__name__)

DRAIN = "pushes.tasks.drain"
QUEUES = {Message.Channel.FCM: "push", Message.Channel.APNS: "push", Message.Channel.SMS: "sms"}
LOUD_FOR = 60  # seconds; a bell that nobody heard for so long is dropped, the clock has rung since


def pull(channel: str) -> None:
    """A bell that fails is no loss: the rows stay owed and the clock rings again."""
    try:
        current_app.send_task(DRAIN, (str(channel),), queue=QUEUES[Message.Channel(channel)], expires=LOUD_FOR)
    except OperationalError:
        log.warning("bell_silent", extra={"channel": str(channel)})
