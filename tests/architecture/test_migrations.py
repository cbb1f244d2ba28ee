"""Migrations are named, say the same as the models, and form one line."""

import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

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
