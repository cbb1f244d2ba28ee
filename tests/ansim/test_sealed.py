"""Personal data at rest: what stands in the database is of no use to whoever holds only the database."""

import base64
import os

import pytest
from django.db import connection

from ansim.lib import sealed
from pushes.models import Device
from tests.pushes import phones


@pytest.fixture
def keys(settings):
    """keys("k2", "k1"): the ring holds these, the first one seals. The same name is the same key."""
    made = {}

    def choose(*names):
        for name in names:
            made.setdefault(name, base64.b64encode(os.urandom(32)).decode())
        settings.SEAL_KEYS = [f"{name}:{made[name]}" for name in names]
        sealed._ring.cache_clear()

    yield choose
    sealed._ring.cache_clear()


def as_stored(device):
    with connection.cursor() as cursor:
        cursor.execute("SELECT push_token FROM pushes_device WHERE id = %s", [device.pk])
        (value,) = cursor.fetchone()
    return None if value is None else bytes(value)


@pytest.mark.parametrize("value", ["홍길동", {"to": "+821012345678"}, None, 7, ["a", {}]])
def test_what_is_sealed_comes_back(value):
    assert sealed.unseal(sealed.seal(value, place="table.column.1"), place="table.column.1") == value


def test_the_same_value_never_looks_the_same():
    assert sealed.seal("홍길동", place="t.c.1") != sealed.seal("홍길동", place="t.c.1")


def test_a_value_opens_only_in_its_own_place():
    with pytest.raises(sealed.Unreadable):
        sealed.unseal(sealed.seal("홍길동", place="t.c.1"), place="t.c.2")


@pytest.mark.parametrize("broken", [b"", b"k1", b"k1\0", b"nobody's\0" + b"x" * 40, b"\xff\0" + b"x" * 40])
def test_what_we_did_not_seal_is_unreadable(broken):
    with pytest.raises(sealed.Unreadable):
        sealed.unseal(broken, place="t.c.1")


def test_a_changed_bit_is_noticed():
    value = bytearray(sealed.seal("홍길동", place="t.c.1"))
    value[-1] ^= 1

    with pytest.raises(sealed.Unreadable):
        sealed.unseal(bytes(value), place="t.c.1")


def test_an_older_key_still_opens_and_the_newest_one_seals(keys):
    keys("old")
    before = sealed.seal("홍길동", place="t.c.1")

    keys("new", "old")

    assert sealed.unseal(before, place="t.c.1") == "홍길동"
    assert sealed.seal("홍길동", place="t.c.1").startswith(b"new\0")


def test_a_key_that_was_thrown_away_opens_nothing(keys):
    keys("old")
    before = sealed.seal("홍길동", place="t.c.1")

    keys("new")

    with pytest.raises(sealed.Unreadable):
        sealed.unseal(before, place="t.c.1")


@pytest.mark.django_db
def test_the_database_holds_a_field_only_sealed():
    device = phones.android(push_token="address-of-minas-phone")

    assert b"minas" not in as_stored(device)
    assert Device.objects.get(pk=device.pk).push_token == "address-of-minas-phone"


@pytest.mark.django_db
def test_an_empty_field_is_null():
    assert as_stored(phones.android(push_token=None)) is None


@pytest.mark.django_db
def test_saving_a_row_unread_leaves_the_field_as_it_was():
    device = phones.android()
    before = as_stored(device)

    Device.objects.get(pk=device.pk).save()

    assert as_stored(device) == before


@pytest.mark.django_db
def test_values_of_two_rows_cannot_be_swapped():
    mina, thief = phones.android(), phones.android()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pushes_device SET push_token = %s WHERE id = %s", [as_stored(thief), mina.pk])

    with pytest.raises(sealed.Unreadable):
        _ = Device.objects.get(pk=mina.pk).push_token
