"""`deploy/postgres/`: who may do what in the database, by the files as they are shipped."""

import psycopg
import pytest

from ansim.demo.stack import database


@pytest.fixture
def roles(restored):
    return restored


def connect(roles, role):
    return psycopg.connect(roles.url(role), autocommit=True)


def test_the_files_may_be_run_again_and_change_nothing(roles):
    before = roles.rights()
    roles.make_roles()
    roles.grant()
    assert roles.rights() == before


def test_the_application_writes_rows_and_makes_no_table(roles):
    for role in ("application", "site"):
        with connect(roles, role) as connection:
            connection.execute("INSERT INTO ansim_spent (name, until) VALUES (%s, now())", [role])
            connection.execute("DELETE FROM ansim_spent")
            for refused in (
                "CREATE TABLE mine (id int)",
                "DROP TABLE ansim_spent",
                "ALTER TABLE ansim_spent ADD x int",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(refused)


def test_the_application_only_adds_to_the_record_of_access(roles):
    with connect(roles, "application") as connection:
        connection.execute("SELECT count(*) FROM ansim_accessrecord")
        for table in filter(roles.has, database.APPEND_ONLY):
            for right, held in (("SELECT", True), ("INSERT", True), ("UPDATE", False), ("DELETE", False),
                                ("TRUNCATE", False)):  # fmt: skip
                (may,) = connection.execute("SELECT has_table_privilege(%s, %s)", [table, right]).fetchone()
                assert may is held, (table, right)


def test_a_table_of_a_later_migration_is_the_applications_too(roles):
    with connect(roles, "owner") as owner:
        owner.execute("CREATE TABLE later (id int)")
    with connect(roles, "application") as connection:
        connection.execute("INSERT INTO later VALUES (1)")


def test_the_auditor_reads_the_record_and_no_customer(roles):
    with connect(roles, "auditor") as connection:
        connection.execute("SELECT count(*) FROM ansim_accessrecord")
        connection.execute("SELECT username FROM ansim_agent")
        for refused in ("SELECT password FROM ansim_agent", "SELECT count(*) FROM verification_line",
                        "SELECT count(*) FROM subscriptions_subscription"):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TEMP TABLE mine (id int)")


def test_the_site_s_web_processes_cannot_use_up_the_server(roles):
    with connect(roles, "owner") as owner:
        (limit,) = owner.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'ansim_site'").fetchone()
    assert 0 < limit < 100


def test_a_new_password_counts_for_new_connections_and_ends_none(roles):
    """Web, workers and clock go on with the connections they have while they are restarted one after the other."""
    former = roles.url("application")
    with connect(roles, "application") as connection:
        roles.passwords["application"] = "another-one"
        roles.make_roles()
        assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(former)
        with connect(roles, "application") as later:
            assert later.execute("SELECT current_user").fetchone() == ("ansim_application",)


def test_every_role_is_in_the_file_and_none_is_a_superuser(roles):
    with connect(roles, "owner") as owner:
        found = owner.execute(
            "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles "
            "WHERE rolname IN ('ansim_owner', 'ansim_application', 'ansim_site', 'ansim_auditor', 'ansim_backup')"
        ).fetchall()
    assert len(found) == 5
    assert not any(mighty for _, mighty in found)
