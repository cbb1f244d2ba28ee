"""Ears: a drain at work hears its bell itself, as long as bells keep coming (docs/adr/0036).

A task of Celery's for each bell costs a worker more than the sending does. So a drain that was rung for twice within
LINGER stays, and says so in Redis; who rings then leaves the bell in its list instead of in Celery's queue. Where
nobody listens, or who listens has too much to do, Celery wakes somebody as ever.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import cache

import redis
from celery.signals import worker_shutting_down
from django.conf import settings

from ansim import bell
from ansim.bell import Bell

log = logging.getLogger(__name__)

LINGER = 1.0  # seconds without a bell after which a drain goes
WAIT = 0.3  # seconds that one look takes when no bell comes; an ear is known to be there for bell.LISTENS
_ending = threading.Event()  # this worker was told to end: nobody listens any more


class Ear:
    """Listens in a thread of its own, from now until `close`. `told` hears the correlator of who rang.

    After a bell it hears the next one only when `listen` says that there is time for it, and `apart` seconds after the
    last one at the earliest. When no more bells come `quiet` is True, and `told` is told once more.
    """

    def __init__(self, of: Bell, told: Callable[[str], None], *, apart: float) -> None:
        self.quiet = False
        self._bell, self._told, self._apart = of, told, apart
        self._over, self._time_for_more = False, threading.Event()
        threading.Thread(target=self._run, daemon=True, name="ear").start()

    def listen(self) -> None:
        self._time_for_more.set()

    def close(self) -> None:
        self._over = True
        self._time_for_more.set()

    def _run(self) -> None:
        try:
            self._hear()
        except redis.RedisError:
            log.warning("redis_away", extra={"task": self._bell.task})
        finally:
            self.quiet = True
            self._told("")

    def _hear(self) -> None:
        heard_at = said_at = float("-inf")
        last, left = time.monotonic(), False
        while not (self._over or _ending.is_set()) and time.monotonic() < last + LINGER:
            if not self._time_for_more.wait(WAIT):
                last = time.monotonic()  # who has no time now is not idle
                continue
            time.sleep(max(0.0, heard_at + self._apart - time.monotonic()))
            if time.monotonic() > said_at + WAIT:
                said_at = time.monotonic()
                _broker().set(self._bell.ear, 1, px=bell.LISTENS)
            rung: list[bytes] | None = _broker().blpop([self._bell.rung], timeout=WAIT)  # type: ignore[assignment]
            left = self._over and bool(rung)
            if rung and not left:
                heard_at = last = time.monotonic()
                self._time_for_more.clear()
                self._told(rung[1].decode())
        _broker().delete(self._bell.ear)
        if left or _broker().lpop(self._bell.rung) is not None:
            bell.pull(self._bell)  # for somebody else


@cache
def _broker() -> "redis.Redis":
    """As `bell.broker`, with patience for what waits."""
    patience = WAIT + settings.REDIS_TIMEOUT
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=patience, socket_connect_timeout=patience)


@worker_shutting_down.connect  # type: ignore[misc,unused-ignore]
def _end(**_given: object) -> None:
    _ending.set()
