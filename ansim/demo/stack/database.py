"""The database `ansim` and who may do what in it: an owner for the system, a reader for programs that look on."""

from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

SCHEMAS = ("public", "world")
OWNER = "ansim"


def create(admin_url: str, *, owner_password: str) -> str:
    """Makes the owner (no superuser, may create test databases) and its database on our own server; its URL."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _role(connection, OWNER, owner_password, "CREATEDB")
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [OWNER]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(OWNER)))
    return _with_user(admin_url, OWNER, owner_password, database=OWNER)


def open_for_reading(database_url: str, *, admin_url: str, reader_password: str) -> str:
    """Lets a second role read every present and future table of our schemas, and nothing else; its URL.

    On a server where we may not create roles: the owner's own URL in read-only transactions.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        reader = f"{connection.info.dbname}_reader"
        try:
            with psycopg.connect(admin_url, autocommit=True) as admin:
                _role(admin, reader, reader_password, "")
        except psycopg.errors.InsufficientPrivilege:
            mark = "&" if urlsplit(database_url).query else "?"
            return f"{database_url}{mark}options={quote('-c default_transaction_read_only=on')}"
        _grant(connection, reader)
    return _with_user(database_url, reader, reader_password)


def _grant(connection: psycopg.Connection, reader: str) -> None:
    names = {"reader": sql.Identifier(reader), "database": sql.Identifier(connection.info.dbname)}
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {reader}").format(**names))
    for schema in SCHEMAS:
        for statement in (
            "CREATE SCHEMA IF NOT EXISTS {schema}",
            "GRANT USAGE ON SCHEMA {schema} TO {reader}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader}",
        ):
            connection.execute(sql.SQL(statement).format(schema=sql.Identifier(schema), **names))


def _role(connection: psycopg.Connection, name: str, password: str, rights: str) -> None:
    """Makes the role, or gives it this password again."""
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = "ALTER" if found else "CREATE"
    statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {} " + rights)
    connection.execute(statement.format(sql.Identifier(name), sql.Literal(password)))


def _with_user(url: str, user: str, password: str, *, database: str | None = None) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = f"/{database}" if database else parts.path
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}", path=path))
