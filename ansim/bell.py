"""Bells: they wake a worker for a channel of what is owed. A bell carries no row and no personal data, but the
correlator of the request that rings, for the log: the worker then sends what is owed by others too.

By the task's name, so that who rings need not load what the worker needs (vendors' libraries).

A bell that waits unheard is not rung again: who hears it looks after taking its mark away, and so sees all that was
committed while the mark stood. Under load a hundred commits cost one task (docs/adr/0026).
"""

import logging

import redis
from celery import current_app
from kombu.exceptions import OperationalError

from ansim import once
from ansim.lib import correlator

log = logging.getLogger(__name__)

LOUD_FOR = 60  # seconds; a bell that nobody heard for so long is dropped, the clock has rung since
UNHEARD = 1_000  # milliseconds that a mark stands at most: the bell may have died with the worker that took it


def pull(task: str, *arguments: str, queue: str) -> None:
    """A bell that fails is no loss: the rows stay owed and the clock rings again."""
    try:
        if not once.store().set(_mark(task, *arguments), 1, nx=True, px=UNHEARD):
            return
        rung_by = {correlator.HEADER: correlator.current()} if correlator.current() else {}
        current_app.send_task(task, arguments, queue=queue, expires=LOUD_FOR, headers=rung_by)
    except (OperationalError, redis.RedisError):
        log.warning("bell_silent", extra={"task": task, "arguments": list(arguments)})


def heard(task: str, *arguments: str) -> None:
    """The task says so before it looks at what is owed: from now on the bell rings anew."""
    try:
        once.store().delete(_mark(task, *arguments))
    except redis.RedisError:
        log.warning("redis_away", extra={"task": task})  # the mark goes by itself


def _mark(task: str, *arguments: str) -> str:
    return ":".join(("bell", task, *arguments))
