"""Bells: they wake a worker for a channel of what is owed. A bell carries no row and no personal data, but the
correlator of the request that rings, for the log: the worker then sends what is owed by others too.

By the task's name, so that who rings need not load what the worker needs (vendors' libraries).

Where a drain listens itself the bell is left for it, past Celery (`ansim.ear`).

A bell that waits unheard is not rung again: who hears it looks after taking its mark away, and so sees all that was
committed while the mark stood. Under load a hundred commits cost one task (docs/adr/0026). Marks and tasks are laid
down together, all bells of a request in one call to Redis, where Celery would need two for each (docs/adr/0033).
"""

import base64
import json
import logging
import uuid
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction

from ansim.lib import correlator
from ansim.lib.redis_calls import Script

log = logging.getLogger(__name__)

WAITING = 32  # bells in a queue at most: of more that nobody heard the oldest go, each of the others does their work
UNHEARD = 1_000  # milliseconds that a mark stands at most: the bell may have died with the worker that took it
LISTENS = 1_000  # milliseconds after its last sign for which an ear is known to be there (`ansim.ear`)
LATE = 300  # milliseconds after which a bell that lies before an ear has waited too long: somebody else is woken

# KEYS: mark, queue, ear and its list of each bell in turn. ARGV: UNHEARD, WAITING, LISTENS, LATE, the correlator of who
# rings, then each bell's message.
_script = Script("""
local unheard, listens, late = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function stands(key, most)  -- milliseconds; -2 for none, nor for one made before Redis' clock was set back
    local left = redis.call('PTTL', key)
    if left > most then redis.call('DEL', key) return -2 end
    return left
end
for n = 1, #KEYS, 4 do
    local mark, queue, ear, rung = KEYS[n], KEYS[n + 1], KEYS[n + 2], KEYS[n + 3]
    local waits = stands(ear, listens) > 0 and stands(rung, unheard)
    if waits == -2 then
        redis.call('LPUSH', rung, ARGV[5])
        redis.call('PEXPIRE', rung, unheard)
    elseif (not waits or waits < unheard - late) and stands(mark, unheard) == -2 then
        redis.call('SET', mark, 1, 'PX', unheard)
        redis.call('LPUSH', queue, ARGV[(n + 3) / 4 + 5])
        redis.call('LTRIM', queue, 0, ARGV[2] - 1)
    end
end
""")


@dataclass(frozen=True)
class Bell:
    """The task that hears it, and the queue where it waits for a worker. `arguments` name a channel, never a row."""

    task: str
    queue: str
    arguments: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        return self._key("bell")

    @property
    def ear(self) -> str:
        """Stands while a drain listens itself."""
        return self._key("ear")

    @property
    def rung(self) -> str:
        """Where a bell lies for it."""
        return self._key("rung")

    def _key(self, what: str) -> str:
        return ":".join((what, self.task, *self.arguments))


def ring(*bells: Bell) -> None:
    """After the commit, wake somebody. A bell that fails is no loss: the rows stay owed and the clock rings again."""
    if bells:
        transaction.on_commit(partial(pull, *bells), robust=True)


def pull(*bells: Bell) -> None:
    """Now."""
    keys = [key for bell in bells for key in (bell.mark, bell.queue, bell.ear, bell.rung)]
    about = [UNHEARD, WAITING, LISTENS, LATE, correlator.current()]
    try:
        _script(broker(), keys, [*about, *(_message(bell) for bell in bells)])
    except redis.RedisError:
        log.warning("bell_silent", extra={"tasks": [bell.task for bell in bells]})


def heard(bell: Bell) -> None:
    """The task says so before it looks at what is owed: from now on the bell rings anew."""
    try:
        broker().delete(bell.mark)
    except redis.RedisError:
        log.warning("redis_away", extra={"task": bell.task})  # the mark goes by itself


@cache
def broker() -> "redis.Redis":
    """Where the workers listen; the connection pool of this process."""
    patience = settings.REDIS_TIMEOUT
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=patience, socket_connect_timeout=patience)


def _message(bell: Bell) -> str:
    """The task as Celery has it, in the envelope in which its transport for Redis awaits it (a test compares them)."""
    sheet, task_id = _sheet(bell), str(uuid.uuid4())
    rung_by = {correlator.HEADER: correlator.current()} if correlator.current() else {}
    return json.dumps(
        {
            **sheet,
            "headers": {**sheet["headers"], "id": task_id, "root_id": task_id, **rung_by},
            "properties": {**sheet["properties"], "correlation_id": task_id, "delivery_tag": str(uuid.uuid4())},
        }
    )


@cache
def _sheet(bell: Bell) -> dict[str, Any]:
    """What is the same each time, as Celery puts it together."""
    task = current_app.amqp.create_task_message("", bell.task, bell.arguments, ignore_result=True)
    return {
        "body": base64.b64encode(json.dumps(task.body).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": task.headers,
        "properties": {
            **task.properties,
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": bell.queue},
            "delivery_mode": 2,
            "priority": 0,
        },
    }
