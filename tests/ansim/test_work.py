"""Tasks of one worker thread share its database connection, and never one that is dead (docs/adr/0029); the timetable
goes on when somebody sets the host's clock (docs/adr/0034)."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psycopg
import pytest
from celery import Celery
from celery.fixups.django import DjangoWorkerFixup
from celery.schedules import schedule
from django.db import connection

from ansim import drain, work
from ansim.celery import app
from tests.client.world import until

pytestmark = pytest.mark.django_db(transaction=True)


def backend():
    """The server's process behind this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def end(pid):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        until(lambda: not other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall())


def test_neither_celery_nor_we_give_up_a_good_connection_between_tasks():
    before = backend()

    DjangoWorkerFixup(app).close_database()
    drain.fresh_connection()

    assert backend() == before


def test_one_that_the_server_ended_is_noticed_before_the_next_task():
    before = backend()
    end(before)

    drain.fresh_connection()

    assert backend() != before


def test_one_that_is_too_old_is_replaced():
    before = backend()
    connection.close_at = 0.0

    drain.fresh_connection()

    assert backend() != before


DAY = {}  # as the host's clock has it; kept here because entries are pickled


def time_of_day():
    return DAY["now"]


class Keeper(work.Clock):
    """Notes what it would ring for."""

    def apply_entry(self, entry, producer=None):
        self.rung[entry.name] += 1

    def live(self, seconds):
        """So long, in steps of a tenth; what it rang for."""
        self.rung = Counter()
        for _ in range(seconds * 10):
            DAY["now"] += timedelta(seconds=0.1)
            DAY["mono"] += 0.1
            while self.tick() == 0:
                pass
        return self.rung


@pytest.fixture
def keeper(tmp_path, monkeypatch):
    DAY.update(now=datetime(2026, 11, 23, 12, tzinfo=UTC), mono=100.0)
    clocks = {"time": lambda: DAY["now"].timestamp(), "monotonic": lambda: DAY["mono"]}
    monkeypatch.setattr(work, "time", SimpleNamespace(**clocks))
    timetable = {
        name: {"task": name, "schedule": schedule(every, nowfun=time_of_day)}
        for name, every in {"end": 1, "ring": 1, "forget": 60}.items()
    }
    made = []

    def make():
        scratch = Celery("scratch", broker="memory://", set_as_current=False)
        scratch.conf.update(beat_schedule=timetable, result_expires=None)
        made.append(Keeper(app=scratch, schedule_filename=str(tmp_path / "timetable")))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("jump", [{"hours": 1}, {"hours": -1}, {"days": 40}, {"days": -40}], ids=str)
def test_the_timetable_goes_on_when_somebody_sets_the_clock(keeper, jump):
    clock = keeper()
    clock.live(5)
    DAY["now"] += timedelta(**jump)

    rung = clock.live(5)

    assert 4 <= rung["end"] <= 6
    assert 4 <= rung["ring"] <= 6
    assert rung["forget"] == 0, "it is not due sooner either"
    assert clock.live(60)["forget"] == 1


def test_a_timetable_that_was_kept_by_a_wrong_clock_is_taken_up_at_once(keeper):
    DAY["now"] += timedelta(days=40)
    former = keeper()
    former.live(2)
    former.close()
    DAY["now"] -= timedelta(days=40)

    assert keeper().live(5)["end"] >= 4
