"""How often somebody may come (mission.md section 5): a sliding window over all processes, in one round trip to Redis.

Redis away: the database counts, in fixed windows, so that nothing is ever open because Redis is not there. Written by
hand because the libraries need a round trip for each limit, and the hot path has room for one (docs/adr/0009).
"""

import logging
import math
from dataclasses import dataclass

import redis
from django.db import connection
from django.utils import timezone

from ansim import once
from ansim.lib.redis_calls import Script

log = logging.getLogger(__name__)

# Two neighbouring windows, the older one weighted by how much of it is still within the last `window` milliseconds.
# KEYS: the counter, and maybe a claim (`ansim.once`). ARGV: limit, window in ms, seconds the claim stands.
_script = Script("""
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local index, into = math.floor(now / window), now % window
local kept = redis.call('HMGET', KEYS[1], 'index', 'count', 'before')
local at, count, before = tonumber(kept[1]) or -9, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if at == index - 1 then before, count = count, 0 elseif at ~= index then before, count = 0, 0 end
local used = before * (window - into) / window + count
if used + 1 > limit then
    local wait
    if count + 1 <= limit then wait = window * (1 - (limit - count - 1) / before) - into
    else wait = window - into + math.max(0, window * (1 - (limit - 1) / count)) end
    return {0, 0, math.ceil(wait), 0}
end
redis.call('HSET', KEYS[1], 'index', index, 'count', count + 1, 'before', before)
redis.call('PEXPIRE', KEYS[1], window * 2)
local claimed = 0
if KEYS[2] and redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[3]) then claimed = 1 end
return {1, math.floor(limit - used - 1), window - into, claimed}
""")
_IN_DATABASE = """
    INSERT INTO ansim_rate AS rate (name, starts_at, count) VALUES (%(name)s, %(starts_at)s, 1)
    ON CONFLICT (name) DO UPDATE SET count = CASE WHEN rate.starts_at = %(starts_at)s THEN rate.count + 1 ELSE 1 END,
                                     starts_at = %(starts_at)s
    RETURNING count
"""


@dataclass(frozen=True)
class Rule:
    """At most `limit` within the last `seconds`, for what `name` names ("partner:<id>")."""

    name: str
    limit: int
    seconds: int = 60


@dataclass(frozen=True)
class Passage:
    """May this one pass? `left` more may, `wait` is in seconds: until the next may, or until the window is over."""

    rule: Rule
    allowed: bool
    left: int
    wait: int
    claimed: bool = False

    def headers(self) -> dict[str, str]:
        """The RateLimit fields of draft-ietf-httpapi-ratelimit-headers."""
        kind = self.rule.name.partition(":")[0]
        return {
            "RateLimit-Policy": f'"{kind}";q={self.rule.limit};w={self.rule.seconds}',
            "RateLimit": f'"{kind}";r={self.left};t={self.wait}',
        }


def take(rule: Rule, *, claim: str | None = None, claim_seconds: int = 10) -> Passage:
    """Count one, if there is room. `claim` is claimed on the way (as `once.spend` does) when the passage is allowed."""
    keys = [f"rate:{rule.name}", *([once.key(claim)] if claim else [])]
    try:
        allowed, left, wait, claimed = _script(once.store(), keys, [rule.limit, rule.seconds * 1000, claim_seconds])
    except redis.RedisError:
        log.warning("redis_away", extra={"falls_back_to": "database"})
        return _from_database(rule, claim, claim_seconds)
    return Passage(rule, bool(allowed), left, max(1, math.ceil(wait / 1000)), bool(claimed))


def _from_database(rule: Rule, claim: str | None, claim_seconds: int) -> Passage:
    now = timezone.now().timestamp()
    starts_at = int(now // rule.seconds) * rule.seconds
    with connection.cursor() as cursor:
        cursor.execute(_IN_DATABASE, {"name": rule.name, "starts_at": starts_at})
        (count,) = cursor.fetchone()
    wait = max(1, math.ceil(starts_at + rule.seconds - now))
    allowed = count <= rule.limit
    claimed = allowed and claim is not None and once.spend(claim, seconds=claim_seconds)
    return Passage(rule, allowed, max(0, rule.limit - count), wait, claimed)
