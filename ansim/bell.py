"""Rings for a worker after the commit. A bell carries no row and no personal data, and a bell that fails is no loss:
the rows stay owed and the clock rings again (docs/adr/0002).

By the task's name, so that the web process need not load the vendors' libraries to ring.
"""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

LOUD_FOR = 60  # seconds; a bell that nobody heard for so long is dropped, the clock has rung since


def pull(task: str, *arguments: str, queue: str) -> None:
    """Now. Rings nobody while the broker is away, and says so in the log."""
    try:
        current_app.send_task(task, arguments, queue=queue, expires=LOUD_FOR)
    except OperationalError:
        log.warning("bell_silent", extra={"queue": queue})
