"""Several rows of several tables in one statement (design.md section 4.6)."""

import uuid
from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ansim.lib import rows
from ansim.models import Spent
from pushes import delivery
from pushes.models import Device, Message
from tests.pushes import phones

pytestmark = pytest.mark.django_db


def unsaved_wake(device):
    return delivery.wake(device, verification=uuid.uuid4(), until=phones.in_seconds(60))


def test_inserts_and_updates_are_one_statement():
    device = phones.android()
    message, spent = unsaved_wake(device), Spent(name="proof", until=phones.in_seconds(60))
    device.app_version = "2.0"

    with CaptureQueriesContext(
        connection,
    ) as statements:
        rows.write(insert=[message, spent], update=[(device, ["app_version"])])

    assert len(statements) == 1
    assert Message.objects.get().about == message.about
    assert Spent.objects.get().name == "proof"
    assert Device.objects.get().app_version == "2.0"


def test_an_inserted_row_is_a_saved_row():
    message = unsaved_wake(phones.android())
    rows.write(insert=[message])

    message.attempts = 3
    message.save()

    assert Message.objects.get().attempts == 3
    assert message.created_at


def test_sealed_fields_are_sealed_and_only_the_named_fields_are_written():
    device = phones.android(push_token="old", app_version="1.0")
    device.push_token, device.app_version = "new", "9.9"

    rows.write(update=[(device, ["push_token"])])

    stored = Device.objects.get()
    assert (stored.push_token, stored.app_version) == ("new", "1.0")


def test_all_or_nothing():
    device = phones.android()
    first = unsaved_wake(device)
    rows.write(insert=[first])
    device.app_version = "2.0"

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.write(insert=[first], update=[(device, ["app_version"])])

    assert Device.objects.get().app_version == "1.0"


def test_nothing_to_write_asks_the_database_nothing():
    with CaptureQueriesContext(connection) as statements:
        rows.write()

    assert len(statements) == 0


def test_each_kind_of_value_is_written_as_django_writes_it():
    device = phones.android(app_version="1.0")
    message = unsaved_wake(device)
    message.attempts, message.body = 7, {"이름": ["가", None, 1.5]}
    message.kind = type("Word", (str,), {})("wake")
    device.seen_at = message.due_at

    rows.write(insert=[message], update=[(device, ["seen_at", "push_token"])])

    stored = Message.objects.get()
    for field in Message._meta.concrete_fields:
        assert getattr(stored, field.attname) == getattr(message, field.attname), field.name
    assert Device.objects.get().seen_at == message.due_at


def test_a_choice_is_written_as_its_text():
    message = unsaved_wake(phones.android())
    message.state = Message.State.VOID

    rows.write(insert=[message])

    assert Message.objects.values_list("state", flat=True).get() == "void"


def test_what_a_statement_names_twice_is_given_once():
    given = {"one": 1, "two": "%(one)s", "more": "unused"}

    ((one, two, again),) = rows.every("SELECT %(one)s::int, %(two)s::text, %(one)s::int + 1", given)

    assert (one, two, again) == (1, "%(one)s", 2)


def test_what_was_read_is_told_to_who_listens():
    with CaptureQueriesContext(connection) as statements:
        assert next(rows.first("SELECT 1", {})) == 1

    assert [statement["sql"] for statement in statements] == ["SELECT 1"]


def test_a_time_without_a_zone_is_refused_as_django_refuses_it():
    message = unsaved_wake(phones.android())
    message.due_at = datetime.now()  # noqa: DTZ005 - the mistake

    with pytest.warns(RuntimeWarning, match="naive datetime"):
        rows.write(insert=[message])


def test_a_column_that_was_not_read_is_not_emptied():
    pk = phones.android(app_version="1.0").pk
    device = Device.objects.defer("app_version").get(pk=pk)

    rows.write(update=[(device, ["app_version"])])

    assert Device.objects.get().app_version == "1.0"
