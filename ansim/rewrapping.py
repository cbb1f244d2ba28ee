"""Rotating FINGERPRINT_KEY: the chain's newest key is put on every fingerprint that is stored (docs/adr/0030).

While nothing else runs: a row that is found by its fingerprint must not be looked for under another one, least of all
made a second time. The database itself holds everybody to that: the tables in which that could happen (`guards`) take
only fingerprints of the chain's present length, and during the work nobody's but ours. What nobody looks for (`later`)
is done afterwards, beside the traffic. It may be interrupted at any time: what is done says so by its beginning.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from psycopg.sql import SQL

from ansim.lib import fingerprint
from ansim.lib.fingerprint import FingerprintField

ROWS = 2_000  # in one transaction
Model = type[models.Model]
Progress = Callable[[str, int], None]


def columns() -> dict[Model, list[FingerprintField]]:
    """Every column of fingerprints, by its table."""
    found = {model: [f for f in model._meta.local_fields if isinstance(f, FingerprintField)] for model in _models()}
    return {model: fields for model, fields in found.items() if fields}


def _models() -> list[Model]:
    return [model for model in apps.get_models() if not model._meta.proxy]


def guarded() -> Iterator[tuple[Model, FingerprintField]]:
    yield from ((model, field) for model, fields in columns().items() for field in fields if field.guards)


def is_through() -> bool:
    """Whether what cannot be done beside the traffic is done: the database takes this length of the chain alone."""
    return all(_rule(model) == _check(field) for model, field in guarded())


def others() -> list[str]:
    """Who else is connected and may write: their roles."""
    table = next(guarded())[0]._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT usename FROM pg_stat_activity JOIN pg_roles ON rolname = usename
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT rolsuper
                  AND has_table_privilege(usename, %s, 'UPDATE')""",
            [table],
        )
        return sorted(str(name) for (name,) in cursor.fetchall())


def run(progress: Progress) -> int:
    """All rows that need the others away. How many were done now; ends with the tables open for the new length."""
    for model, _field in guarded():
        _replace_rule(model, "coalesce(current_setting('ansim.rewrapping', true), '') = 'on'")
    with connection.cursor() as cursor:
        cursor.execute("SET ansim.rewrapping = 'on'")
    done = sum(_wrap(model, fields, later=False, progress=progress) for model, fields in columns().items())
    for model, field in guarded():
        _replace_rule(model, _check(field))
    with connection.cursor() as cursor:
        cursor.execute("RESET ansim.rewrapping")
    return done


def run_later(progress: Progress) -> int:
    """The rows that may be done beside the traffic."""
    aside = {model: fields for model, fields in columns().items() if fields[0].later}
    return sum(_wrap(model, fields, later=True, progress=progress) for model, fields in aside.items())


def left() -> dict[str, int]:
    """By table, how many rows are not of the chain's present length. Reads them all."""
    found = {}
    for model, fields in columns().items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {_quoted(model._meta.db_table)} WHERE {_any_old(fields)}",  # noqa: S608
                [_beginning()] * len(fields),
            )
            found[model._meta.db_table] = int(cursor.fetchone()[0])
    return {table: count for table, count in found.items() if count}


def _wrap(model: Model, fields: list[FingerprintField], *, later: bool, progress: Progress) -> int:
    """A batch at a time, in the order of the primary key."""
    done, after = 0, None
    while rows := _old(model, fields, later, after):
        with transaction.atomic():
            done += _write(model, fields, rows)
        after = rows[-1][0]
        progress(model._meta.db_table, len(rows))
    return done


def _old(model: Model, fields: list[FingerprintField], later: bool, after: Any) -> list[tuple[Any, ...]]:
    key, aside = _quoted(str(model._meta.pk.column)), fields[0].later
    where = [f"({_any_old(fields)})"]
    where += [f"({aside})" if later else f"NOT ({aside})"] if aside else []
    where += [f"{key} > %s"] if after is not None else []
    query = (
        f"SELECT {key}, {_list(fields)} FROM {_quoted(model._meta.db_table)} WHERE {' AND '.join(where)} "  # noqa: S608
        f"ORDER BY {key} LIMIT {ROWS}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [*[_beginning()] * len(fields), *([after] if after is not None else [])])
        return list(cursor.fetchall())


def _write(model: Model, fields: list[FingerprintField], rows: Sequence[tuple[Any, ...]]) -> int:
    """Where the row still is as it was read."""
    table, key = model._meta.db_table, model._meta.pk
    names = [_quoted(str(field.column)) for field in fields]
    former = [f"old_{number}" for number in range(len(fields))]
    fresh = [f"new_{number}" for number in range(len(fields))]
    set_to = ", ".join(f"{name} = {new}" for name, new in zip(names, fresh, strict=True))
    as_read = " AND ".join(f"t.{name} IS NOT DISTINCT FROM {old}" for name, old in zip(names, former, strict=True))
    query = f"""
        UPDATE {_quoted(table)} t SET {set_to}
          FROM unnest(%s::{key.db_type(connection)}[], {", ".join(["%s::text[]"] * 2 * len(fields))})
               AS was(pk, {", ".join([*former, *fresh])})
         WHERE t.{_quoted(str(key.column))} = was.pk AND {as_read}"""  # noqa: S608 - names from our own models
    keys, *stored = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(query, [keys, *stored, *([_fresh(one) for one in column] for column in stored)])
        return int(cursor.rowcount)


def _fresh(stored: str | None) -> str | None:
    return fingerprint.wrapped(stored) if stored else stored


def _any_old(fields: list[FingerprintField]) -> str:
    return " OR ".join(f"({name} <> '' AND NOT starts_with({name}, %s))" for name in map(_name, fields))


def _beginning() -> str:
    """What fingerprints begin with that the present chain made. While it has one key they have no mark: every one."""
    length = len(fingerprint.chain())
    return f"{length}~" if length > 1 else ""


def _check(field: FingerprintField) -> str:
    beginning = _beginning()
    return f"{_name(field)} LIKE '{beginning}%'" if beginning else f"{_name(field)} NOT LIKE '%~%'"


def _rule(model: Model) -> str:
    """What the database holds the table to now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = %s", [_rule_name(model)]
        )
        found = cursor.fetchone()
    return str(found[0]) if found and found[0] else ""


def _replace_rule(model: Model, check: str) -> None:
    """The check and, beside it, its words: what PostgreSQL gives back is spelt its own way."""
    table, name = _quoted(model._meta.db_table), _rule_name(model)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check}) NOT VALID")
        cursor.execute(SQL(f"COMMENT ON CONSTRAINT {name} ON {table} IS {{}}").format(check))  # takes no parameters


def _rule_name(model: Model) -> str:
    return f"{model._meta.model_name}_fingerprint_length"


def _list(fields: list[FingerprintField]) -> str:
    return ", ".join(map(_name, fields))


def _name(field: FingerprintField) -> str:
    return _quoted(str(field.column))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
