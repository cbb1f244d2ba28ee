"""A statement is planned once a connection (docs/adr/0033): a migration that adds a column disturbs nobody who runs."""

import re

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from pushes import outbox
from pushes.models import Message
from tests import make
from tests.verification import callers
from tests.verification.test_flow import sms_number
from verification import webhook_outbox
from verification.models import Verification

TABLES = (
    "pushes_device", "pushes_message", "verification_apikey", "verification_line", "verification_partner",
    "verification_verification", "verification_webhookdelivery",
)  # fmt: skip


@pytest.fixture
def another_session():
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as session:
        yield session
        for table in TABLES:
            session.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS of_tomorrow")


def walk(shop):
    mina, member = make.person(), make.Member()
    asked = shop.create(mina).json()["id"]
    assert shop.confirm(asked, sms_number(Verification.objects.get(pk=asked))).status_code == 200
    assert callers.unlock(member, shop.create(member.person).json()["id"]).status_code == 200
    for channel in Message.Channel:
        outbox.claim(channel, most=10)
    webhook_outbox.claim(most=10)


@pytest.mark.django_db(transaction=True)
def test_a_column_added_under_a_running_process_breaks_no_statement_it_has_planned(another_session):
    shop = callers.Partner()
    for _ in range(connection.connection.prepare_threshold + 2):
        walk(shop)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%verification_line%'")
        assert cursor.fetchone()[0] >= 3, "nothing was planned ahead, so this test would show nothing"

    for table in TABLES:
        another_session.execute(f"ALTER TABLE {table} ADD COLUMN of_tomorrow integer")

    walk(shop)


APPS = ("ansim", "pushes", "verification", "subscriptions")
ALL_COLUMNS = re.compile(r"\b(?:SELECT|RETURNING)\s+(?:\w+\.)?\*(?!\s+FROM unnest)", re.IGNORECASE)


def test_no_statement_of_ours_asks_for_all_columns_there_may_be():
    sources = [path for app in APPS for path in (settings.ROOT / app).rglob("*.py") if "demo" not in path.parts]
    assert [path.name for path in sources if ALL_COLUMNS.search(path.read_text())] == []
