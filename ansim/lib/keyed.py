"""Secret keys of ours of which the newest makes and every one checks: `id:base64` by commas, the newest first.

A key without an id is the one that its installation began with; "" is its id (docs/key-rotation.md).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.db import models

ID = re.compile(r"[a-z0-9-]{0,16}")


class Missing(Exception):
    """What is stored was made with a key that the setting does not name any more. Put it back."""


@lru_cache(maxsize=32)
def ring(setting: str) -> Mapping[str, bytes]:
    """The keys by id, the newest first. ValueError: an id that is none or stands twice, no base64."""
    pairs = [entry.strip().rpartition(":")[::2] for entry in setting.split(",")]
    keys = {key_id: base64.b64decode(key, validate=True) for key_id, key in pairs}
    if len(keys) < len(pairs) or not all(ID.fullmatch(key_id) for key_id in keys):
        raise ValueError("each key has an id of its own, of small letters, digits and hyphens")
    return MappingProxyType(keys)


def newest(setting: str) -> tuple[str, bytes]:
    """The id of the key that makes, and the key."""
    return next(iter(ring(setting).items()))


def by_id(setting: str, key_id: str) -> bytes:
    """Raises Missing."""
    try:
        return ring(setting)[key_id]
    except KeyError as error:
        raise Missing(key_id) from error


class PepperedField(models.CharField):  # type: ignore[type-arg]
    """A password's slow hash, with the id of its pepper before the first `$` (`verification.codes`)."""

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
