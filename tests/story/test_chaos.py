"""Hard to kill (mission.md, invariants 1 to 4 and 9): a storm over the whole running copy.

Everything that has a process is killed with -9 at random while people verify themselves: web, worker, clock, Redis,
PostgreSQL, the simulated world; Redis is emptied too, and a month close is killed again and again. `tests.chaos` says
what must hold afterwards. `make chaos` is the same storm for as long as you like.
"""

import pytest
from django.db import connections

from tests.chaos.storm import any_seed, storm


@pytest.fixture
def restarted_servers():
    """The connections of this process did not survive either."""
    yield
    connections.close_all()


def test_a_storm_of_kills_loses_nothing_and_does_nothing_twice(town, world, restarted_servers):
    report = storm(town, seconds=12, seed=any_seed())

    assert report.wrong == [], report.told()
    assert set(report.ends) >= {"verified", "cancelled"}
    assert report.verifications > 10
    assert min(report.blows.values()) >= 1
