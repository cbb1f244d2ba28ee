"""Personal data at rest: AES-256-GCM under keys that live outside the database (mission.md, invariant 10).

A value is bound to its table, column and row, so that whoever can write to the database cannot swap two rows' values.
"""

import base64
import json
import os
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

NONCE = 12


class Unreadable(Exception):
    """The value was made with a key we no longer have, was changed, or stands in the wrong row."""


@cache
def _ring() -> dict[str, AESGCM]:
    """The keys by id, in the order of the setting: the first seals, all of them open."""
    pairs = (entry.split(":", 1) for entry in settings.SEAL_KEYS)
    return {key_id: AESGCM(base64.b64decode(key)) for key_id, key in pairs}


def newest() -> str:
    """The id of the key that seals."""
    return next(iter(_ring()))


def seal(value: Any, *, place: str) -> bytes:
    """JSON in, `id 0x00 nonce ciphertext` out. `place` ("table.column.row") is needed again to open it."""
    key_id, key = next(iter(_ring().items()))
    nonce = os.urandom(NONCE)
    return key_id.encode() + b"\0" + nonce + key.encrypt(nonce, json.dumps(value).encode(), place.encode())


def unseal(sealed: bytes, *, place: str) -> Any:
    """What was sealed at this place; refuses everything else with `Unreadable`."""
    key_id, _, rest = bytes(sealed).partition(b"\0")
    try:
        return json.loads(_ring()[key_id.decode()].decrypt(rest[:NONCE], rest[NONCE:], place.encode()))
    except (KeyError, InvalidTag, ValueError) as error:
        raise Unreadable(place) from error


class _Opening:
    """Opens the value when it is first read, because only then the row's id is surely known."""

    def __init__(self, field: "SealedField") -> None:
        self.field = field

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        value = row.__dict__.get(self.field.attname)
        if isinstance(value, _Ciphertext):
            value = row.__dict__[self.field.attname] = unseal(value, place=self.field.place(row))
        return value

    def __set__(self, row: models.Model, value: Any) -> None:
        row.__dict__[self.field.attname] = value


class _Ciphertext(bytes):
    """Bytes as they came from the database, not opened yet."""


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """A JSON value that the database holds only sealed. Rows must know their id before they are saved (UUIDs do)."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opening(self))

    def place(self, row: models.Model) -> str:
        return f"{self.model._meta.db_table}.{self.column}.{row.pk}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> _Ciphertext | None:
        return None if value is None else _Ciphertext(value)

    def pre_save(self, row: models.Model, add: bool) -> bytes | None:
        value = row.__dict__.get(self.attname)
        if value is None or isinstance(value, _Ciphertext):
            return value
        return seal(value, place=self.place(row))
