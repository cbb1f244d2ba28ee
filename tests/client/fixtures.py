"""The town as fixtures, for the conftests of every folder whose tests go over HTTP."""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.client.town import Shop, Town
from tests.client.world import World


@pytest.fixture(scope="session")
def town() -> Generator[Town]:
    """The running copy and everybody in it."""

    def handles() -> dict[str, Any]:
        content: dict[str, Any] = json.loads((Path(os.environ["RUN_DIR"]) / "demo.json").read_text())
        return content

    made = Town(handles)
    yield made
    made.close()


@pytest.fixture
def world(town: Town) -> Generator[World]:
    """The world without faults; left so too."""
    town.world.heal()
    yield town.world
    town.world.heal()


@pytest.fixture(scope="session")
def bookshop(town: Town) -> Shop:
    """A partner that may know everything and is not slowed down."""
    return town.shop()
