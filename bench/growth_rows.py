"""Years of business as rows, made by the database itself: lines, members, verifications and all that hangs on them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from bench.growth_tables import DAYS, NEWEST, PARTNERS, PER_LINE, TABLES, Table, partner

AT_ONCE = 200_000


def fill(address: str, lines: int, progress: Callable[[str, int, int], None]) -> int:
    """That many lines' rows; how many in all. Indexes and constraints are made again afterwards, and must hold."""
    made = 0
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
        _beginnings(connection)
        with _bare(connection, [table.name for table in TABLES]):
            for table in TABLES:
                made += _rows(connection, table, lines, progress)
        progress("vacuum", 0, 1)
        connection.execute("VACUUM ANALYZE")
    os.sync()  # what was filled is not written while others are measured
    return made


def _rows(connection: psycopg.Connection, table: Table, lines: int, progress: Callable[[str, int, int], None]) -> int:
    rows = round(lines * table.per_line)
    whole = lines * PER_LINE
    first = whole - rows + 1 if table.name in NEWEST else 1
    # `t.at`: when verification n was; they are evenly spread, the last one just now.
    statement = (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) SELECT {', '.join(table.columns.values())} "
        "FROM generate_series(%(first)s, %(last)s) n, "
        "LATERAL (SELECT (n - 1) %% %(lines)s + 1 AS l) l, "
        f"LATERAL (SELECT now() - interval '1 minute' - interval '{DAYS} days' * (1 - n::float / %(whole)s) AS at) t"
    )
    last = first + rows - 1
    for begin in range(first, last + 1, AT_ONCE):
        given = {"first": begin, "last": min(begin + AT_ONCE - 1, last), "lines": lines, "whole": whole}
        psycopg.ClientCursor(connection).execute(statement, given)
        progress(table.name, given["last"] - first + 1, rows)
    return rows


def _beginnings(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO subscriptions_posting (id, month, due_at, tries, last_error, accepted_at) "
        "VALUES (gen_random_uuid(), '2020-01-01', now(), 1, '', now())"
    )
    connection.execute(
        "INSERT INTO verification_partner (id, name, domain, is_agency, sites, grants, return_origins, webhook_url, "
        f"limits, window_asks, created_at) SELECT {partner('n')}, 'shop ' || n, 'shop.example', false, '[]', "
        f"'{{}}', '{{}}', '', '{{}}', '{{}}', now() FROM generate_series(0, {PARTNERS - 1}) n"
    )


@contextmanager
def _bare(connection: psycopg.Connection, tables: list[str]) -> Iterator[None]:
    """Without indexes, keys and triggers while rows are poured in; check constraints look at every row all the same."""
    keys = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype IN ('f', 'p', 'u') AND (conrelid = ANY(%(tables)s::regclass[]) "
        "OR confrelid = ANY(%(tables)s::regclass[])) ORDER BY contype = 'f' DESC",
        {"tables": tables},
    ).fetchall()
    indexes = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "WHERE i.indrelid = ANY(%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))",
        [tables],
    ).fetchall()
    for table in tables:
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    for table, name, _definition in keys:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _definition in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        connection.execute(definition)
    for table, name, definition in reversed(keys):
        connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for table in tables:
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
