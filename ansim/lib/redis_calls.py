"""One command to Redis at a time, on a connection that the thread keeps.

redis-py's client goes through its pool, its retries and its statistics for each command, two thirds of what asking
costs. The connection is its own: it tells what went wrong as the client does, and is closed then (docs/adr/0035).
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from typing import Any

import redis


class _Own(threading.local):
    def __init__(self) -> None:
        self.connections: dict[redis.Redis, redis.connection.AbstractConnection] = {}


_own = _Own()
os.register_at_fork(after_in_child=lambda: _own.connections.clear())  # they are the parent's


def ask(client: redis.Redis, *command: Any) -> Any:
    """What the Redis of this client answers. Raises redis.RedisError; nothing is sent twice."""
    connection = _own.connections.get(client)
    if connection is None:
        pool = client.connection_pool
        connection = _own.connections[client] = pool.connection_class(**pool.connection_kwargs)
    elif _broken(connection):
        connection.disconnect()  # type: ignore[no-untyped-call]
    connection.send_command(*command)  # it connects where it is not
    return connection.read_response()


def _broken(connection: redis.connection.AbstractConnection) -> bool:
    """Redis went away since (it was started anew), or something lies there that was not asked for."""
    try:
        return connection.is_connected and connection.can_read()
    except (redis.RedisError, OSError):
        return True


class Script:
    """Lua that Redis keeps by its name."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, client: redis.Redis, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        told = (len(keys), *keys, *arguments)
        try:
            return ask(client, "EVALSHA", self._name, *told)
        except redis.exceptions.NoScriptError:  # a Redis that was started anew; from now on it keeps it
            return ask(client, "EVAL", self._text, *told)
