"""Migrations are named, say the same as the models, form one line, and hold up nobody (docs/adr/0025)."""

import re

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from tests.architecture import locking
from tests.architecture.rings import ROOT

OURS = ("ansim", "pushes", "verification", "subscriptions")
FILES = sorted(path for app in OURS for path in (ROOT / app / "migrations").glob("[0-9]*.py"))


@pytest.mark.django_db
def test_the_models_have_no_change_without_a_migration():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_migration_has_a_name_that_says_what_it_does(path):
    assert re.fullmatch(r"[0-9]{4}_[a-z][a-z0-9_]{3,}", path.stem)
    assert not re.search(r"_(auto|initial|alter|add|remove|squashed)_|_initial$|_auto", path.stem)


@pytest.mark.parametrize("app", OURS)
def test_an_apps_migrations_end_in_one(app):
    leaves = MigrationLoader(None).graph.leaf_nodes(app)
    assert len(leaves) == 1


@pytest.mark.parametrize("app", OURS)
def test_constraints_are_named_after_their_model_and_their_rule(app):
    for model in apps.get_app_config(app).get_models():
        for constraint in model._meta.constraints:
            assert constraint.name.startswith(f"{model._meta.model_name}_")


# Those before the first release with more than one process; from here on old code runs beside a migration.
FIRST = {"ansim": 5, "pushes": 2, "subscriptions": 10, "verification": 13}


def _new():
    loader = MigrationLoader(None)
    for key in sorted(loader.graph.nodes):
        if key[0] in FIRST and int(key[1][:4]) > FIRST[key[0]]:
            yield pytest.param(key, id="/".join(key))


@pytest.mark.parametrize("key", list(_new()))
def test_a_new_migration_holds_up_nobody_and_leaves_the_old_code_working(key):
    loader = MigrationLoader(None)
    migration = loader.graph.nodes[key]
    assert list(locking.complaints(migration, loader.project_state(key, at_end=False))) == []


def _judged(*operations, atomic=True, **attributes):
    """What the check says of a migration of the line's table with these operations."""
    migration = type("Migration", (migrations.Migration,), {"operations": operations, "atomic": atomic, **attributes})
    before = MigrationLoader(None).project_state(("verification", "0013_cases_closed"))
    return list(locking.complaints(migration("0099_tried", "verification"), before))


LOCKING = {
    "an index": migrations.AddIndex("line", models.Index(fields=["serial"], name="line_serial")),
    "a check": migrations.AddConstraint(
        "line", models.CheckConstraint(condition=models.Q(serial__gt=0), name="line_x")
    ),
    "a unique rule": migrations.AddConstraint("line", models.UniqueConstraint(fields=["serial"], name="line_y")),
    "a column that must be": migrations.AddField("line", "more", models.IntegerField(default=0)),
    "a column with an index": migrations.AddField("line", "more", models.IntegerField(null=True, db_index=True)),
    "another type": migrations.AlterField("line", "serial", models.IntegerField(default=1)),
    "not null": migrations.AlterField("line", "sim_changed_at", models.DateTimeField()),
    "a column goes": migrations.RemoveField("line", "serial"),
    "a column's name": migrations.RenameField("line", "serial", "count"),
    "a table goes": migrations.DeleteModel("Rehearsal"),
    "rows by a function": migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
    "rows by SQL": migrations.RunSQL("UPDATE verification_line SET serial = 1"),
    "an index by SQL": migrations.RunSQL("CREATE UNIQUE INDEX line_z ON verification_line (serial)"),
    "a check by SQL": migrations.RunSQL("ALTER TABLE verification_line ADD CONSTRAINT c CHECK (serial > 0)"),
}
HARMLESS = {
    "a column that may be": migrations.AddField("line", "more", models.IntegerField(null=True)),
    "a column the database fills": migrations.AddField("line", "more", models.IntegerField(db_default=0)),
    "a longer text": migrations.AlterField("line", "password", models.CharField(max_length=300, default="")),
    "an index beside the traffic": AddIndexConcurrently("line", models.Index(fields=["serial"], name="line_serial")),
    "a check for new rows": AddConstraintNotValid(
        "line", models.CheckConstraint(condition=models.Q(serial__gt=0), name="line_x")
    ),
    "a trigger": migrations.RunSQL("CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN UPDATE t SET x = 1; END $$"),
    "out of the code, not yet of the table": migrations.SeparateDatabaseAndState(
        state_operations=[migrations.RemoveField("line", "sim_changed_at")]
    ),
}


@pytest.mark.parametrize("what", LOCKING)
def test_the_check_refuses(what):
    assert len(_judged(LOCKING[what])) == 1


@pytest.mark.parametrize("what", HARMLESS)
def test_the_check_lets_pass(what):
    assert _judged(HARMLESS[what], atomic="index" not in what) == []


def test_what_a_migration_makes_itself_it_may_do_anything_with():
    table = migrations.CreateModel(
        "Fresh", [("id", models.BigAutoField(primary_key=True)), ("x", models.IntegerField())]
    )
    assert _judged(table, migrations.AddIndex("fresh", models.Index(fields=["x"], name="fresh_x"))) == []


def test_a_check_that_is_added_and_proved_at_once_holds_the_lock_all_the_same():
    adds = AddConstraintNotValid("line", models.CheckConstraint(condition=models.Q(serial__gt=0), name="line_x"))
    assert len(_judged(adds, ValidateConstraint("line", "line_x"))) == 1


def test_who_must_lock_says_why():
    assert _judged(LOCKING["an index"], brief_because="the table has ten rows") == []
