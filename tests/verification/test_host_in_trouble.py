"""The host is in trouble: its disk is full, its clock jumps. Bounded, told as 503, never in favour of a stranger."""

import contextlib
import re

import psycopg
import pytest
from django.db import InternalError, connection, transaction

from ansim.lib.problem import database_away
from pushes.models import Message
from tests import make
from tests.verification.callers import Partner
from tests.verification.hours import pass_by
from verification import clock
from verification.models import Verification, WebhookDelivery

pytestmark = pytest.mark.django_db
TABLES = ("verification_verification", "pushes_message", "verification_webhookdelivery")
# As PostgreSQL says it when a file cannot grow: class 53, which Django takes for a database that is away.
FULL = """
CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('ansim.full', true) = TG_TABLE_NAME THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NEW;
END $$;
"""


@pytest.fixture
def full():
    """with full(table): nothing can be written there."""
    with connection.cursor() as cursor:
        cursor.execute(FULL)
        for table in TABLES:
            on = f"BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION no_space()"
            cursor.execute(f"CREATE TRIGGER full_disk {on}")

    @contextlib.contextmanager
    def fill(table):
        _set("ansim.full", table)
        yield
        _set("ansim.full", "")

    return fill


def _set(name, value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def begun(shop):
    """A verification that waits for its number, and the number as it stands in the text that is owed."""
    asked = Verification.objects.get(pk=shop.create(make.person()).json()["id"])
    return asked, re.search(r"번호 (\d{6}) ", Message.objects.get(about=asked.pk).body["text"])[1]


@pytest.mark.parametrize("table", TABLES)
def test_a_full_disk_begins_nothing_and_says_come_back(full, table):
    shop, mina = Partner(webhook_url="https://bookshop.example/hook"), make.person()
    with full(table):
        told = shop.create(mina)

    assert (told.status_code, told.json()["code"], told.headers["Retry-After"]) == (503, "unavailable", "5")
    assert not Verification.objects.exists()
    assert not WebhookDelivery.objects.exists()


def test_a_full_disk_verifies_nobody_and_the_number_still_counts_when_there_is_room(full):
    shop = Partner(webhook_url="https://bookshop.example/hook")
    asked, number = begun(shop)
    with full("verification_webhookdelivery"):
        told = shop.confirm(asked.pk, number)
        asked.refresh_from_db()
        assert (told.status_code, asked.state) == (503, "awaiting_code")

    assert shop.confirm(asked.pk, number).json()["state"] == "verified"


def test_a_connection_that_breaks_while_an_answer_is_read_is_a_database_away_and_its_own_errors_are_not():
    broke = InternalError("got no result from the query")
    broke.__cause__ = psycopg.InternalError("got no result from the query")
    assert database_away(broke)

    with pytest.raises(InternalError) as its_own, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'torn' USING ERRCODE = 'XX001'; END $$")
    assert not database_away(its_own.value)


def test_a_clock_that_jumps_ahead_ends_what_is_open_and_verifies_nobody():
    shop = Partner()
    asked, number = begun(shop)

    pass_by(hours=1)

    assert shop.confirm(asked.pk, number).status_code == 409
    clock.expire_overdue()
    asked.refresh_from_db()
    assert asked.state in ("expired", "failed")  # failed: the text was never sent, there is no worker here


def test_a_clock_that_jumps_back_ends_nothing_twice_and_brings_nothing_back():
    shop = Partner()
    asked, number = begun(shop)
    pass_by(hours=1)
    clock.expire_overdue()
    pass_by(hours=-1)

    assert shop.confirm(asked.pk, number).status_code == 409
    clock.expire_overdue()
    asked.refresh_from_db()
    assert asked.state in ("expired", "failed")
