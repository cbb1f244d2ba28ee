"""Signs of life of what has no address to ask: the worker and the clock (docs/operations.md).

A worker that ends a task, and the clock with each round, touch a file of theirs in METRICS_DIR: so a supervisor on that
host sees who hangs. That the clock's ticks reach some worker at all is noted in Redis, for everybody.
"""

import contextlib
import time

import redis
from django.conf import settings

from ansim import once

TICK = "heartbeat:tick"
QUEUES = ("push", "sms", "webhook", "clock")


def beat(node: str) -> None:
    """Touch the file of this process, by its Celery name; a file that cannot be written is no reason to stop work."""
    with contextlib.suppress(OSError):
        path = settings.METRICS_DIR / f"heartbeat-{node}"
        path.touch(mode=0o600)


def tick() -> None:
    """A worker has done what the clock asked for."""
    with contextlib.suppress(redis.RedisError):
        once.store().set(TICK, repr(time.time()), ex=86_400)
