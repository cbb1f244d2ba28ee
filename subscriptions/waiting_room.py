"""Who may join now, and who waits for how long: joining is never slower for many than for few (issue of April 2025).

At most JOIN_PLACES people are between the consents and the end, at most JOIN_PER_MINUTE come in a minute; who comes
later stands in a queue, in the order of coming. A place in it is kept for whoever is back within five minutes, and
meanwhile those behind go first. Redis holds it, in one round trip a visit, and knows nobody: a ticket is a random
word. Redis away: everybody comes in, and `waiting_door` alone says how many at the same instant.
"""

import logging
import math
import secrets
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings

from ansim import once

log = logging.getLogger(__name__)

STAY = 600  # seconds without a step after which a place inside is free again
KEPT = 300  # seconds that a place in the queue is kept for who went away
PRESENT = 30  # seconds; the page asks every ten
NAMES = ("inside", "queue", "seen", "came", "last")

# KEYS as NAMES: who is inside and who was seen when (ms), the queue by number, who came in when, the last number given.
# ARGV: ticket, places, newcomers a minute, STAY, KEPT, PRESENT (ms).
# Returns whether it may come in, how many stand before it, and how many came in within the last minute.
_VISIT = """
local ticket, places, newcomers = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local inside, queue, seen, came, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 3600000) end
for _, key in ipairs({inside, seen, came}) do
    -- a clock that was wrong wrote it, and nobody holds a place until that day comes again (docs/adr/0034): as if now
    for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', key, now + 60000, '+inf', 'LIMIT', 0, 1000)) do
        redis.call('ZADD', key, now, ahead)
    end
end
redis.call('ZREMRANGEBYSCORE', inside, '-inf', now - ARGV[4])
redis.call('ZREMRANGEBYSCORE', came, '-inf', now - 60000)
if redis.call('ZSCORE', inside, ticket) then
    redis.call('ZADD', inside, now, ticket)
    return {1, 0, 0}
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - ARGV[5], 'LIMIT', 0, 500)) do
    redis.call('ZREM', queue, gone)
    redis.call('ZREM', seen, gone)
end
if not redis.call('ZSCORE', queue, ticket) then redis.call('ZADD', queue, redis.call('INCR', last), ticket) end
redis.call('ZADD', seen, now, ticket)
local free = math.min(places - redis.call('ZCARD', inside), newcomers - redis.call('ZCARD', came))
local before = redis.call('ZRANK', queue, ticket)
local present = before
if free > 0 and before >= free then
    present = 0
    for _, other in ipairs(redis.call('ZRANGE', queue, 0, math.min(before, free + 1000) - 1)) do
        if tonumber(redis.call('ZSCORE', seen, other)) > now - ARGV[6] then present = present + 1 end
    end
    if before > free + 1000 then present = math.max(present, free) end
end
if present < free then
    redis.call('ZREM', queue, ticket)
    redis.call('ZREM', seen, ticket)
    redis.call('ZADD', inside, now, ticket)
    redis.call('ZADD', came, now, ticket)
    return {1, 0, 0}
end
return {0, before, redis.call('ZCARD', came)}
"""


@dataclass(frozen=True)
class Turn:
    """Whether it is this one's turn; else how many stand before, and the `minutes` that this will take, as it goes."""

    inside: bool
    before: int = 0
    minutes: int = 0


def ticket() -> str:
    """For who comes without one. It says nothing of its bearer."""
    return secrets.token_hex(12)


def visit(ticket: str) -> Turn:
    """Somebody with that ticket is here: come in, or wait on. Who is inside stays so with every visit."""
    limits = [settings.JOIN_PLACES, settings.JOIN_PER_MINUTE, STAY * 1000, KEPT * 1000, PRESENT * 1000]
    try:
        inside, before, pace = _script()(keys=_keys(), args=[ticket, *limits], client=once.store())
    except redis.RedisError:
        log.warning("redis_away", extra={"falls_back_to": "everybody"})
        return Turn(inside=True)
    if inside:
        return Turn(inside=True)
    return Turn(inside=False, before=before, minutes=math.ceil((before + 1) / (pace or _slowest_pace())))


def _slowest_pace() -> float:
    """People a minute where nobody came in within the last one: as if everybody inside took all the time there is."""
    return float(max(1, min(settings.JOIN_PER_MINUTE, settings.JOIN_PLACES * 60 / STAY)))


def leave(ticket: str) -> None:
    """Joined, or thought better of it: the place is free."""
    inside, queue, seen, *_ = _keys()
    try:
        with once.store().pipeline(transaction=False) as pipeline:
            for name in (inside, queue, seen):
                pipeline.zrem(name, ticket)
            pipeline.execute()
    except redis.RedisError:
        log.warning("redis_away", extra={"falls_back_to": "time"})


def count(pipeline: "redis.client.Pipeline") -> None:
    """Asks how many are inside and how many wait, along with what else the caller asks."""
    inside, queue, *_ = _keys()
    pipeline.zcount(inside, (time.time() - STAY) * 1000, "+inf")
    pipeline.zcard(queue)


def _keys() -> list[str]:
    return [f"join-room:{name}" for name in NAMES]


@cache
def _script() -> Any:
    return once.store().register_script(_VISIT)
