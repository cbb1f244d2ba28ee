"""Things that count once: used proofs and requests in flight. Redis, and the database while Redis is away."""

import logging
from datetime import timedelta
from functools import cache

import redis
from django.conf import settings
from django.utils import timezone

from ansim.lib.redis_calls import ask
from ansim.models import Spent

log = logging.getLogger(__name__)


@cache
def store() -> "redis.Redis":
    """The shared connection pool of this process."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=settings.REDIS_TIMEOUT, socket_connect_timeout=settings.REDIS_TIMEOUT
    )


def key(name: str) -> str:
    """Where it stands in Redis, for who spends it together with something else."""
    return f"once:{name}"


def spend(name: str, *, seconds: int) -> bool:
    """True the first time within that many seconds, False for every repeat, over all processes."""
    try:
        return ask(store(), "SET", key(name), 1, "NX", "EX", seconds) is not None
    except redis.RedisError:
        log.warning("redis_away", extra={"falls_back_to": "database"})
        now = timezone.now()
        Spent.objects.filter(name=name, until__lt=now).delete()
        _, first = Spent.objects.get_or_create(name=name, defaults={"until": now + timedelta(seconds=seconds)})
        return first


def release(name: str) -> None:
    """Let it be spent again: the request that took it came to nothing."""
    try:
        store().delete(key(name))
    except redis.RedisError:
        Spent.objects.filter(name=name).delete()
