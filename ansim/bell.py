"""Bells: they wake a worker for a channel of what is owed. A bell carries no row and no personal data.

By the task's name, so that who rings need not load what the worker needs (vendors' libraries).
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

LOUD_FOR = 60  # seconds; a bell that nobody heard for so long is dropped, the clock has rung since


def pull(task: str, *arguments: str, queue: str) -> None:
    """A bell that fails is no loss: the rows stay owed and the clock rings again."""
    try:
        current_app.send_task(task, arguments, queue=queue, expires=LOUD_FOR)
    except OperationalError:
        log.warning("bell_silent", extra={"task": task, "arguments": list(arguments)})
