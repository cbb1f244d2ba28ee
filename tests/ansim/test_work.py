"""Tasks of one worker thread share its database connection, and never one that is dead (docs/adr/0029)."""

import os

import psycopg
import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from ansim import work
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
    work._look_after_the_connection()

    assert backend() == before


def test_one_that_the_server_ended_is_noticed_before_the_next_task():
    before = backend()
    end(before)

    work._look_after_the_connection()

    assert backend() != before


def test_one_that_is_too_old_is_replaced():
    before = backend()
    connection.close_at = 0.0

    work._look_after_the_connection()

    assert backend() != before
