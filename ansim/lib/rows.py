"""Rows in SQL that we write ourselves: several of several tables in one statement, and the columns of a model by name.

The hot path has room for few statements (design.md section 4.6), and what is owed must be written with the row that
owes it. PostgreSQL runs data-modifying `WITH` parts as one statement. Their text is put together once for each shape;
what goes into a column is Django's to say. See docs/adr/0004 and 0035.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
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

# Values of these very types are what the driver wants for such a column; everything else Django makes ready.
READY: tuple[tuple[type[Field], type], ...] = (
    (models.CharField, str), (models.TextField, str), (models.UUIDField, UUID), (models.DateTimeField, datetime),
    (models.BooleanField, bool), (models.IntegerField, int),
)  # fmt: skip
_NOT_READ: Any = object()
_PLACE = re.compile(r"%\((\w+)\)s")


def write(
    *,
    insert: Iterable[models.Model] = (),
    update: Iterable[tuple[models.Model, Sequence[str]]] = (),
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Insert these rows and update those (each with its changed fields' names). All parts see one snapshot."""
    inserted = list(insert)
    parts = [(row, _inserted(type(row), with_key=row.pk is not None)) for row in inserted]
    parts += [(row, _updated(type(row), tuple(names))) for row, names in update]
    if not parts:
        return
    connection: Any = connections[using]
    values = [value for row, part in parts for value in part.given(row, connection)]
    _executed(connection, _written(tuple(part for _, part in parts)), values)
    for row in inserted:
        row._state.adding, row._state.db = False, using


class _Part:
    """One row's INSERT or UPDATE; of the latter the key comes last."""

    def __init__(self, model: type[models.Model], fields: Iterable[Field], *, add: bool) -> None:
        self.table, self.add = f'"{model._meta.db_table}"', add
        self.columns = [(field.attname, _ready(field), field) for field in fields]

    def given(self, row: models.Model, connection: Any) -> list[Any]:
        """What goes into the columns, by the shortest way: half of what writing costs. One that was not read is no
        empty one; a time without a zone is Django's to complain of.
        """
        made = row.__dict__
        return [
            value
            if ((value := made.get(name, _NOT_READ)) is None and ready)
            or (type(value) is ready and (ready is not datetime or value.tzinfo))  # type: ignore[attr-defined]
            else self._prepared(row, field, value, ready, connection)
            for name, ready, field in self.columns
        ]

    def _prepared(self, row: models.Model, field: Field, value: Any, ready: type | None, connection: Any) -> Any:
        if ready is str and isinstance(value, models.TextChoices):
            return value.value
        return field.get_db_prep_save(field.pre_save(row, self.add), connection)

    def written(self, before: int) -> str:
        """After so many other places; numbered as PostgreSQL numbers them, so that psycopg need not look for any."""
        names = [f'"{field.column}"' for _name, _ready, field in self.columns]
        places = [f"${number}" for number, _ in enumerate(self.columns, before + 1)]
        if self.add:
            written = f"({', '.join(names)}) VALUES ({', '.join(places)})"
            return f"INSERT INTO {self.table} {written}"
        *changed, key = (f"{name} = {place}" for name, place in zip(names, places, strict=True))
        return f"UPDATE {self.table} SET {', '.join(changed)} WHERE {key}"  # noqa: S608 - names of our own columns


@cache
def _inserted(model: type[models.Model], *, with_key: bool) -> _Part:
    fields = (field for field in model._meta.local_concrete_fields if with_key or not field.primary_key)
    return _Part(model, fields, add=True)


@cache
def _updated(model: type[models.Model], names: tuple[str, ...]) -> _Part:
    return _Part(model, [*(model._meta.get_field(name) for name in names), model._meta.pk], add=False)


@cache
def _written(parts: tuple[_Part, ...]) -> str:
    statements, before = list[str](), 0
    for part in parts:
        statements.append(f"part_{len(statements)} AS ({part.written(before)})")
        before += len(part.columns)
    return f"WITH {', '.join(statements)} SELECT 1"


def _ready(field: Field) -> type | None:
    """The type of values that may go into this column as they are; None where the field has a say in each."""
    kind = field
    while kind.remote_field:
        kind = kind.target_field
    sets_the_time = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    if sets_the_time or type(field).pre_save not in (models.Field.pre_save, models.DateTimeField.pre_save):
        return None
    return next((plain for of, plain in READY if isinstance(kind, of)), None)


def columns(model: type[models.Model], table: str) -> str:
    """The model's columns for a SELECT or RETURNING, of `table` as the statement calls it.

    Never `*`: a statement is planned once a connection, and PostgreSQL refuses a plan whose result has changed. So a
    process that still runs the old code goes on when a migration adds a column (docs/adr/0033).
    """
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def first(statement: str, given: Mapping[str, Any]) -> Iterator[Any] | None:
    """The values of the first row that the statement finds, for `read`."""
    return next(every(statement, given), None)


def every(statement: str, given: Mapping[str, Any]) -> Iterator[Iterator[Any]]:
    """The values of each row that it finds."""
    text, names = _numbered(statement)
    return map(iter, _executed(connections[DEFAULT_DB_ALIAS], text, [given[name] for name in names]))


@cache
def _numbered(statement: str) -> tuple[str, list[str]]:
    """With PostgreSQL's own places for our named ones, and what goes into each."""
    names = list(dict.fromkeys(_PLACE.findall(statement)))
    return _PLACE.sub(lambda place: f"${names.index(place[1]) + 1}", statement), names


def _executed(connection: Any, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """In Django's connection and with its errors, but not by its cursor, which looks for places: ours are numbered."""
    connection.ensure_connection()
    cursor = connection.make_cursor(psycopg.RawCursor(connection.connection))
    watched = debug_transaction(connection, statement) if connection.queries_logged else nullcontext()
    with watched, cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def read(model: type[Row], values: Iterator[Any]) -> Row:
    """A row of that model, from the next of the values that a statement with its `columns` gave."""
    names, readers = _read_as(model)
    taken, connection = list(islice(values, len(names))), connections[DEFAULT_DB_ALIAS]
    for place, reader in readers:
        taken[place] = reader(taken[place], None, connection)
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
