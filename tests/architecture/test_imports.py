"""Imports point down only: between the layers, and between the rings inside an app (design.md section 1)."""

import ast

import pytest

from tests.architecture import rings

MODULES = rings.modules()
DEMO = {name for name in MODULES if rings.layer(name) == "ansim.demo"}
PRODUCT = sorted(set(MODULES) - DEMO - set(rings.WIRING))
IMPORTS = {
    (here, there)
    for here, path in MODULES.items()
    for there in rings.imports(path, MODULES)
    if here != there and there in MODULES
}
OURS = sorted((here, there) for here, there in IMPORTS if here in PRODUCT)


def test_the_table_knows_every_module():
    unknown = []
    for name in PRODUCT:
        try:
            rings.ring(name)
        except KeyError:
            unknown.append(name)
    assert not unknown, f"tests/architecture/rings.py must say what these are: {unknown}"


def test_every_pattern_of_the_table_fits_a_module():
    patterns = [pattern for _, row in rings.TABLE for pattern in row.split()]
    idle = [pattern for pattern in patterns if not any(rings.fnmatchcase(name, pattern) for name in PRODUCT)]
    assert not idle


def test_layers_are_imported_from_above_only():
    order = rings.LAYERS.index
    up = [pair for pair in OURS if order(rings.layer(pair[1])) > order(rings.layer(pair[0]))]
    assert not up


def test_nobody_imports_the_wiring():
    assert not [(here, there) for here, there in OURS if there in rings.WIRING]


def test_rings_are_imported_from_outside_only():
    order = rings.RINGS.index
    wrong = [
        (here, there)
        for here, there in OURS
        if (outer := rings.ring(here)) is not None and order(rings.ring(there)) > order(outer)
    ]
    assert not wrong


def test_nobody_imports_a_door():
    assert not [pair for pair in OURS if rings.ring(pair[1]) == rings.DOOR]


def test_nobody_imports_tasks_which_are_called_by_name():
    """So the web processes need not load what only the worker needs: the vendors' libraries."""
    assert not [(here, there) for here, there in OURS if there.endswith(".tasks")]


@pytest.mark.parametrize("forbidden", ["django.dispatch", "django.db.models.signals", "django.core.signals"])
def test_there_are_no_signals(forbidden):
    users = [name for name in PRODUCT if forbidden in _outside(MODULES[name])]
    assert not users


def test_no_test_and_no_module_uses_mocks():
    paths = [*MODULES.values(), *(rings.ROOT / "tests").rglob("*.py")]
    users = [path for path in paths if {"unittest.mock", "mock", "pytest_mock"} & _outside(path)]
    assert not users


def _outside(path):
    """Every module that a file imports, under each of its names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
