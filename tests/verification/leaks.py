"""Looking for a number in a heap of text: as it is, in hex, and inside base64, also nested (a JWS, a task)."""

import base64
import binascii
import re

from django.apps import apps
from django.db import connection

_RUN = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


def holds(heap, numbers):
    """True when all of these numbers are in there. Several, because six digits may be in a heap by chance; not all."""
    return all(number in heap or number.encode().hex() in heap or _inside(heap, number) for number in numbers)


def _inside(heap, number, depth=3):
    if depth == 0:
        return False
    inner = [_decoded(run) for run in _RUN.findall(heap)]
    return any(number in text or _inside(text, number, depth - 1) for text in inner if text)


def _decoded(run):
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("latin-1")
    except binascii.Error:
        return ""


def whole_database():
    """Every row of every table of ours, as PostgreSQL writes it: bytes in hex."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        heap = []
        for table in sorted(tables & set(connection.introspection.table_names(cursor))):
            cursor.execute(f'SELECT row::text FROM "{table}" AS row')
            heap += [row[0] for row in cursor.fetchall()]
    return "\n".join(heap)


def whole_queue(redis):
    """Every Celery message and every other value in that Redis database."""
    heap = []
    for key in redis.scan_iter():
        read = {b"list": lambda k: redis.lrange(k, 0, -1), b"string": lambda k: [redis.get(k)],
                b"set": redis.smembers, b"zset": lambda k: redis.zrange(k, 0, -1), b"hash": redis.hvals}  # fmt: skip
        heap += [key, *read[redis.type(key)](key)]
    return "\n".join(entry.decode("latin-1") for entry in heap)
