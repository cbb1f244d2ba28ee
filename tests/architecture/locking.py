"""What a migration may not do while the old code runs beside it (docs/adr/0025): hold a lock for as long as a table is
large, or take away what the old code still uses.

`complaints` names each; a migration that must all the same says why in its attribute `brief_because`.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.state import ProjectState
from django.db.models import CharField, CheckConstraint
from django.db.models.fields import NOT_PROVIDED

CONTRACTING = (
    operations.RemoveField,
    operations.DeleteModel,
    operations.RenameField,
    operations.RenameModel,
    operations.AlterModelTable,
)
SQL = (
    (r"CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)", "CREATE INDEX CONCURRENTLY"),
    (r"DROP\s+INDEX\s+(?!CONCURRENTLY)", "DROP INDEX CONCURRENTLY"),
    (r"ALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE", "a new column instead of another type"),
    (r"SET\s+NOT\s+NULL", "a CHECK that is NOT VALID, validated later, then SET NOT NULL"),
    (
        r"ADD\s+CONSTRAINT(?![^;]*(NOT\s+VALID|USING\s+INDEX))",
        "ADD CONSTRAINT … NOT VALID, validated by a later migration",
    ),
    (r"DROP\s+COLUMN|RENAME\s+(COLUMN|TO)|DROP\s+TABLE", "to take it out of the code one release before"),
    (r"LOCK\s+TABLE|VACUUM\s+FULL|CLUSTER\s", "no such lock"),
    (r"(^|;)\s*(UPDATE|DELETE\s+FROM)\s", "batches, by a command or RunPython with atomic = False"),
)


def complaints(migration: Migration, before: ProjectState) -> Iterator[str]:
    """`before`: the models as they are when it begins."""
    if getattr(migration, "brief_because", ""):
        return
    state, made, unproved = before.clone(), set(), set()
    for operation, in_database in _flat(migration.operations):
        if isinstance(operation, operations.CreateModel):
            made.add(operation.name_lower)
        elif in_database and _table(operation) not in made:
            yield from _of(operation, state, migration, unproved)
        operation.state_forwards(migration.app_label, state)


def _flat(listed: list[Any]) -> Iterator[tuple[Any, bool]]:
    """Every operation, and whether it touches the database."""
    for operation in listed:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from (
                (inner, True) for inner in operation.database_operations if isinstance(inner, operations.RunSQL)
            )
            yield from ((inner, False) for inner in operation.state_operations)
        else:
            yield operation, True


def _table(operation: Any) -> str:
    return getattr(operation, "model_name_lower", "")


def _of(operation: Any, state: ProjectState, migration: Migration, unproved: set[str]) -> Iterator[str]:
    kind = type(operation).__name__
    match operation:
        case operations.AddIndex() | operations.RemoveIndex() if "Concurrently" not in kind:
            yield f"{kind}: {kind}Concurrently, with atomic = False"
        case operations.AddConstraint():
            yield from _constrained(operation, unproved)
        case operations.AddField():
            yield from _added(operation)
        case operations.AlterField():
            yield from _altered(operation, state, migration.app_label)
        case operations.RunPython():
            if migration.atomic or operation.reverse_code is None:
                yield "RunPython: in batches, with atomic = False, and reversible"
        case operations.RunSQL():
            yield from _sql(operation)
        case _ if isinstance(operation, CONTRACTING):
            yield f"{operation.describe()}: the old code still uses it; take it out of the state one release before"
        case _ if kind == "ValidateConstraint" and operation.name in unproved:
            yield f"{operation.name}: validated in the migration that adds it; that belongs into a later one"


def _constrained(operation: operations.AddConstraint, unproved: set[str]) -> Iterator[str]:
    name = operation.constraint.name
    if "NotValid" in type(operation).__name__:
        unproved.add(name)
    elif isinstance(operation.constraint, CheckConstraint):
        yield f"{name}: AddConstraintNotValid, validated by a later migration"
    else:
        yield f"{name}: a unique index made CONCURRENTLY, then ADD CONSTRAINT … USING INDEX"


def _added(operation: operations.AddField) -> Iterator[str]:
    field, name = operation.field, f"{operation.model_name}.{operation.name}"
    if field.many_to_many:
        return
    if not field.null and getattr(field, "db_default", NOT_PROVIDED) is NOT_PROVIDED:
        yield f"{name}: null=True or a db_default; the old code writes rows without it"
    if field.unique or field.db_index or field.remote_field:
        yield f"{name}: first the column, then its index (concurrently) and its constraint (not valid)"


def _altered(operation: operations.AlterField, state: ProjectState, app: str) -> Iterator[str]:
    new, name = operation.field, f"{operation.model_name}.{operation.name}"
    old = state.apps.get_model(app, operation.model_name)._meta.get_field(operation.name)
    longer = (
        isinstance(old, CharField) and isinstance(new, CharField) and (new.max_length or 0) >= (old.max_length or 0)
    )
    if not longer and not new.remote_field and old.db_type(connection) != new.db_type(connection):
        yield f"{name}: a new column instead of another type"
    if old.null and not new.null:
        yield f"{name}: a CHECK that is not valid, validated later, then NOT NULL"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield f"{name}: its index concurrently"


def _sql(operation: operations.RunSQL) -> Iterator[str]:
    parts = operation.sql if isinstance(operation.sql, list | tuple) else [operation.sql]
    text = ";".join(part[0] if isinstance(part, tuple) else part for part in parts)
    text = re.sub(r"--[^\n]*|\$\$.*?\$\$", "", text, flags=re.DOTALL)  # comments, and what functions do when called
    for pattern, instead in SQL:
        if re.search(pattern, text, re.IGNORECASE):
            yield f"RunSQL: {instead}"
