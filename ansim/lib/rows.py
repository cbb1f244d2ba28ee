"""Rows in SQL that we write ourselves: several of several tables in one statement, and the columns of a model by name.

The hot path has room for few statements (design.md section 4.6), and what is owed must be written with the row that
owes it. PostgreSQL runs data-modifying `WITH` parts as one statement. Their text is put together once for each shape;
what goes into a column is Django's to say. See docs/adr/0004 and 0034.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.utils import debug_transaction

Row = TypeVar("Row", bound=models.Model)
Field = Any  # Django's, whose own types do not know what a column is given
Columns = tuple[Field, ...]

# Values of these very types are what the driver wants for such a column; everything else Django makes ready.
READY: tuple[tuple[type[Field], type], ...] = (
    (models.CharField, str), (models.TextField, str), (models.UUIDField, UUID), (models.DateTimeField, datetime),
    (models.BooleanField, bool), (models.IntegerField, int),
)  # fmt: skip


def write(
    *,
    insert: Iterable[models.Model] = (),
    update: Iterable[tuple[models.Model, Sequence[str]]] = (),
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Insert these rows and update those (each with its changed fields' names). All parts see one snapshot."""
    inserted = list(insert)
    parts = [(row, _inserted(type(row), with_key=row.pk is not None), True) for row in inserted]
    parts += [(row, _updated(type(row), tuple(names)), False) for row, names in update]
    if not parts:
        return
    values = [_given(row, field, add=add) for row, columns, add in parts for field in columns]
    _execute(_written(tuple((type(row), columns, add) for row, columns, add in parts)), values, using)
    for row in inserted:
        row._state.adding, row._state.db = False, using


def _execute(statement: str, values: list[Any], using: str) -> None:
    """Its places are numbered as PostgreSQL numbers them: psycopg has nothing to look for in so long a text."""
    connection: Any = connections[using]
    connection.ensure_connection()
    cursor = connection.make_cursor(psycopg.RawCursor(connection.connection))
    with debug_transaction(connection, statement), cursor:
        cursor.execute(statement, values)


@cache
def _inserted(model: type[models.Model], *, with_key: bool) -> Columns:
    return tuple(field for field in model._meta.local_concrete_fields if with_key or not field.primary_key)


@cache
def _updated(model: type[models.Model], names: tuple[str, ...]) -> Columns:
    """The columns that change, and the key last."""
    return (*(model._meta.get_field(name) for name in names), model._meta.pk)


@cache
def _written(parts: tuple[tuple[type[models.Model], Columns, bool], ...]) -> str:
    statements, used = [], 0
    for model, columns, add in parts:
        places = [_place(field, number) for number, field in enumerate(columns, used + 1)]
        names = [f'"{field.column}"' for field in columns]
        if add:
            written = f"({', '.join(names)}) VALUES ({', '.join(places)})"
            statements.append(f'INSERT INTO "{model._meta.db_table}" {written}')
        else:
            changed = ", ".join(f"{name} = {place}" for name, place in zip(names[:-1], places[:-1], strict=True))
            written = f"SET {changed} WHERE {names[-1]} = {places[-1]}"
            statements.append(f'UPDATE "{model._meta.db_table}" {written}')
        used += len(columns)
    return f"WITH {', '.join(f'part_{n} AS ({one})' for n, one in enumerate(statements))} SELECT 1"


def _place(field: Field, number: int) -> str:
    """Arrays are written with their type."""
    placeholder = getattr(field, "get_placeholder", None)
    written = placeholder(None, None, connections[DEFAULT_DB_ALIAS]) if placeholder else "%s"
    return str(written).replace("%s", f"${number}")


def _given(row: models.Model, field: Field, *, add: bool) -> Any:
    ready = _ready(field)
    if ready is not None:
        value = row.__dict__.get(field.attname)
        if value is None or (type(value) is ready and getattr(value, "tzinfo", True)):
            return value
    return field.get_db_prep_save(field.pre_save(row, add), connections[DEFAULT_DB_ALIAS])


@cache
def _ready(field: Field) -> type | None:
    """The type of values that may go into this column as they are; None where the field has a say in each."""
    kind = field
    while kind.remote_field:
        kind = kind.target_field
    if type(field).pre_save not in (models.Field.pre_save, models.DateTimeField.pre_save) or _sets_the_time(field):
        return None
    return next((plain for of, plain in READY if isinstance(kind, of)), None)


def _sets_the_time(field: Field) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def columns(model: type[models.Model], table: str) -> str:
    """The model's columns for a SELECT or RETURNING, of `table` as the statement calls it.

    Never `*`: a statement is planned once a connection, and PostgreSQL refuses a plan whose result has changed. So a
    process that still runs the old code goes on when a migration adds a column (docs/adr/0033).
    """
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def first(statement: str, given: Mapping[str, Any]) -> Iterator[Any] | None:
    """The values of the first row that the statement finds, for `read`."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(statement, given)
        found = cursor.fetchone()
    return None if found is None else iter(found)


def read(model: type[Row], values: Iterator[Any]) -> Row:
    """A row of that model, from the next of the values that a statement with its `columns` gave."""
    names, readers = _read_as(model)
    taken = list(islice(values, len(names)))
    for place, reader in readers:
        taken[place] = reader(taken[place], None, connections[DEFAULT_DB_ALIAS])
    return model.from_db(DEFAULT_DB_ALIAS, names, taken)


@cache
def _read_as(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Callable[..., Any]]]]:
    """Names, and the places whose values Django reads in its own way."""
    fields: Any = model._meta.concrete_fields
    readers = [(n, field.from_db_value) for n, field in enumerate(fields) if hasattr(field, "from_db_value")]
    return [field.attname for field in fields], readers


def value(model: type[models.Model], name: str, given: Any) -> Any:
    """One column of that model, as the model has it."""
    field: Any = model._meta.get_field(name)
    return field.from_db_value(given, None, connections[DEFAULT_DB_ALIAS])
