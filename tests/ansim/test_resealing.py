"""Rotating SEAL_KEYS: `manage.py reseal`, beside the traffic, interrupted, over tables that refuse changes."""

import base64
import json
import os
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ansim import resealing
from ansim.lib import fingerprint, sealed
from verification.models import Line

pytestmark = pytest.mark.django_db
NEW = f"k2:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture
def ring(settings):
    """ring(keys): from now on these are SEAL_KEYS, the first seals."""

    def use(*keys):
        settings.SEAL_KEYS = list(keys)
        sealed._ring.cache_clear()

    yield use
    sealed._ring.cache_clear()


def a_line():
    contract, phone = uuid.uuid4().hex, "+821012345678"
    return Line.objects.create(
        contract=contract, contract_fingerprint=fingerprint.of("contract", contract),
        phone=phone, phone_fingerprint=fingerprint.of("phone", phone),
    )  # fmt: skip


def reseal(capsys):
    call_command("reseal", "--json")
    return json.loads(capsys.readouterr().out)


def raw(line, column="phone"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM verification_line WHERE id = %s", [line.pk])
        return bytes(cursor.fetchone()[0])


def test_after_it_the_old_key_is_needed_no_more(ring, settings, capsys):
    old, line = settings.SEAL_KEYS[0], a_line()
    phone = line.phone
    ring(NEW, old)

    told = reseal(capsys)

    assert {"name": "verification_line.phone", "resealed": 1, "left": 0} in told["columns"]
    assert (told["key"], told["former_keys_needed"]) == ("k2", False)
    ring(NEW)
    assert Line.objects.get(pk=line.pk).phone == phone


def test_the_second_run_finds_nothing(ring, settings, capsys):
    a_line()
    ring(NEW, settings.SEAL_KEYS[0])
    reseal(capsys)
    assert reseal(capsys)["columns"] == []


def test_what_was_written_meanwhile_stays(ring, settings, monkeypatch):
    """Between the reading of a batch and the writing of a row somebody else wrote it."""
    line = a_line()
    ring(NEW, settings.SEAL_KEYS[0])
    field = Line._meta.get_field("phone")
    rows = resealing._old(field, None)
    line.phone = "+821099998888"
    line.save(update_fields=["phone"])

    assert [resealing._write(field, pk, value) for pk, value in rows if pk == line.pk] == [0]
    assert Line.objects.get(pk=line.pk).phone == "+821099998888"


def test_it_goes_on_where_it_was_interrupted(ring, settings, capsys, monkeypatch):
    lines = [a_line() for _ in range(5)]
    ring(NEW, settings.SEAL_KEYS[0])
    monkeypatch.setattr(resealing, "ROWS", 2)

    def interrupted(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.reseal(Line._meta.get_field("phone"), progress=interrupted)
    done = sum(raw(line).startswith(b"k2\0") for line in lines)

    assert done == 2
    assert resealing.reseal(Line._meta.get_field("phone")).resealed == 3


def test_a_value_that_no_key_opens_is_named_and_nothing_is_lost(ring):
    line = a_line()
    before = raw(line, "contract")
    ring(NEW)
    with pytest.raises(CommandError, match="no key of SEAL_KEYS opens it"):
        call_command("reseal")
    assert raw(line, "contract") == before


def test_every_sealed_column_is_found():
    names = {f"{field.model._meta.db_table}.{field.column}" for field in resealing.columns()}
    assert names >= {"verification_line.phone", "verification_verification.holder", "pushes_device.push_token",
                     "subscriptions_subscription.holder", "verification_partner.webhook_secret"}  # fmt: skip
