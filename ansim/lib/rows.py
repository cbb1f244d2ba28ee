"""Rows in SQL that we write ourselves: several of several tables in one statement, and the columns of a model by name.

The hot path has room for few statements (design.md section 4.6), and what is owed must be written with the row that
owes it. PostgreSQL runs data-modifying `WITH` parts as one statement; Django compiles each part. See docs/adr/0004.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.sql import InsertQuery, UpdateQuery

Row = TypeVar("Row", bound=models.Model)


def write(
    *,
    insert: Iterable[models.Model] = (),
    update: Iterable[tuple[models.Model, Sequence[str]]] = (),
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Insert these rows and update those (each with its changed fields' names). All parts see one snapshot."""
    parts = [*(_insert(row, using) for row in insert), *(_update(row, names, using) for row, names in update)]
    if not parts:
        return
    values: list[Any] = [value for _, given in parts for value in given]
    statement = ", ".join(f"part_{n} AS ({sql})" for n, (sql, _) in enumerate(parts))
    with connections[using].cursor() as cursor:
        cursor.execute(f"WITH {statement} SELECT 1", values)
    for row in insert:
        row._state.adding, row._state.db = False, using


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
    fields = model._meta.concrete_fields
    taken = [_from_database(field, next(values)) for field in fields]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields], taken)


def value(model: type[models.Model], name: str, given: Any) -> Any:
    """One column of that model, as the model has it."""
    return _from_database(model._meta.get_field(name), given)


def _from_database(field: Any, given: Any) -> Any:
    return field.from_db_value(given, None, connections[DEFAULT_DB_ALIAS]) if hasattr(field, "from_db_value") else given


def _insert(row: models.Model, using: str) -> tuple[str, Sequence[Any]]:
    query = InsertQuery(type(row))
    given = [field for field in row._meta.local_concrete_fields if not (field.primary_key and row.pk is None)]
    query.insert_values(given, [row])
    ((sql, values),) = query.get_compiler(using).as_sql()
    return sql, values


def _update(row: models.Model, names: Sequence[str], using: str) -> tuple[str, Sequence[Any]]:
    fields: list[models.Field[Any, Any]] = [row._meta.get_field(name) for name in names]  # type: ignore[misc] # columns
    query: Any = type(row)._base_manager.filter(pk=row.pk).query.chain(UpdateQuery)
    query.add_update_fields([(field, None, field.pre_save(row, add=False)) for field in fields])
    sql, values = query.get_compiler(using).as_sql()
    return sql, values
