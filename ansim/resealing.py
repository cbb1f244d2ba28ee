"""Rotating SEAL_KEYS: values sealed by a former key are sealed again by the first one (docs/key-rotation.md).

It goes through every sealed column, some hundred rows in a transaction, beside the traffic: a value is written only
where it still is what was read, so nothing newer is lost; who was interrupted begins again and finds only what is left.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from ansim.lib import sealed
from ansim.lib.sealed import SealedField

ROWS = 500  # in one transaction


@dataclass
class Column:
    """What was done about one sealed column. `left`: still under a former key, because its table refuses changes."""

    name: str
    resealed: int = 0
    left: int = 0


def columns() -> Iterator[SealedField]:
    """Every sealed column of every table of ours."""
    for model in apps.get_models():
        yield from (field for field in model._meta.local_fields if isinstance(field, SealedField))


def reseal(field: SealedField, *, progress: Callable[[int], None] = lambda rows: None) -> Column:
    """All values of that column under the first key. Raises `sealed.Unreadable` for one that no key opens."""
    told, after = Column(f"{field.model._meta.db_table}.{field.column}"), None
    while rows := _old(field, after):
        try:
            with transaction.atomic():
                told.resealed += sum(_write(field, pk, value) for pk, value in rows)
        except DatabaseError:
            told.left = _count_old(field)  # append-only: a trigger or the role's rights stand before it
            return told
        after = rows[-1][0]
        progress(len(rows))
    return told


def _old(field: SealedField, after: uuid.UUID | int | None) -> list[tuple[uuid.UUID | int, bytes]]:
    """The next rows, by their key, whose value another key than the first sealed."""
    table, key, column = _names(field.model, field)
    beyond = f"AND {key} > %s" if after is not None else ""
    query = f"SELECT {key}, {column} FROM {table} WHERE {_is_old(column)} {beyond} ORDER BY {key} LIMIT {ROWS}"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(query, [*_first(), *([after] if after is not None else [])])
        return [(pk, bytes(value)) for pk, value in cursor.fetchall()]


def _count_old(field: SealedField) -> int:
    table, _, column = _names(field.model, field)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {_is_old(column)}", _first())  # noqa: S608 - our own names
        return int(cursor.fetchone()[0])


def _write(field: SealedField, pk: uuid.UUID | int, value: bytes) -> int:
    """1 when the row still had that value."""
    table, key, column = _names(field.model, field)
    place = f"{field.model._meta.db_table}.{field.column}.{pk}"
    fresh = sealed.seal(sealed.unseal(value, place=place), place=place)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",  # noqa: S608 - our own names
            [fresh, pk, value],
        )
        return int(cursor.rowcount)


def _is_old(column: str) -> str:
    return f"{column} IS NOT NULL AND substring({column} FROM 1 FOR %s) <> %s"


def _first() -> list[int | bytes]:
    beginning = sealed.newest().encode() + b"\0"
    return [len(beginning), beginning]


def _names(model: type[models.Model], field: SealedField) -> tuple[str, str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), quote(str(model._meta.pk.column)), quote(str(field.column))
