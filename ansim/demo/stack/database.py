"""The database `ansim` and who may do what in it.

Its owner migrates; the application reads and writes rows, but what is append-only it can only add to; a reader is for
programs that look on.
"""

from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

SCHEMAS = ("public", "world")
OWNER = "ansim"
APPEND_ONLY = ("ansim_accessrecord", "ansim_recordcut")


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
        reader = _beside_the_owner(connection, "reader", admin_url=admin_url, password=reader_password)
        if reader is None:
            mark = "&" if urlsplit(database_url).query else "?"
            return f"{database_url}{mark}options={quote('-c default_transaction_read_only=on')}"
        _grant(connection, reader)
    return _with_user(database_url, reader, reader_password)


def open_for_application(database_url: str, *, admin_url: str, password: str) -> str:
    """Lets another role read and write the rows of the public schema, owning nothing; its URL.

    On a server where we may not create roles: the owner's own URL, and triggers alone stand before what is append-only.
    """
    with psycopg.connect(database_url) as connection:
        application = _beside_the_owner(connection, "app", admin_url=admin_url, password=password)
        if application is None:
            return database_url
        role = sql.Identifier(application)
        for statement in (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ):
            connection.execute(sql.SQL(statement).format(role=role))
        _close(connection, role)
    return _with_user(database_url, application, password)


def keep_append_only(owner_url: str, application_url: str) -> None:
    """After a migration: the application may add to what is append-only, and neither change nor remove it."""
    application = urlsplit(application_url).username
    if application and application != urlsplit(owner_url).username:
        with psycopg.connect(owner_url) as connection:
            _close(connection, sql.Identifier(application))


def _close(connection: psycopg.Connection, role: sql.Identifier) -> None:
    for table in APPEND_ONLY:
        (found,) = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone() or (None,)
        if found:
            name = sql.Identifier("public", table)
            connection.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(name, role))


def _beside_the_owner(connection: psycopg.Connection, suffix: str, *, admin_url: str, password: str) -> str | None:
    """The role `<database>_<suffix>`, made where there is none; None where we may not make roles."""
    name = f"{connection.info.dbname}_{suffix}"
    try:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            _role(admin, name, password, "")
    except psycopg.errors.InsufficientPrivilege:
        return None
    return name


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
