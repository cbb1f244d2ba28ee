"""Keyed fingerprints: how we look up personal data and secrets without storing them (mission.md, invariant 10).

FINGERPRINT_KEY is a chain: the first key takes the value, each later one what the key before it made. So a new key is
put on what is stored, without the value, which of API keys nobody has (docs/adr/0030; `ansim.rewrapping`). The chain
only grows. What the n-th key made, n > 1, begins with `n~`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models

from ansim.lib import keyed

LENGTH = 64


def of(kind: str, value: str) -> str:
    """64 characters of HMAC-SHA256. `kind` keeps a phone's apart from a contract's of the same digits."""
    return _of(kind, value)[-1]


def ever(kind: str, value: str) -> list[str]:
    """Under each length that the chain had: for rows that nobody may change (the record of access)."""
    return _of(kind, value)


def first(kind: str, value: str) -> str:
    """By the chain's first key alone: for what others keep and must stay the same for ever (a partner's DI)."""
    return _of(kind, value)[0]


def _of(kind: str, value: str) -> list[str]:
    keys = chain()
    made = [hmac.digest(keys[0], f"{kind}\0{value}".encode(), hashlib.sha256).hex()]
    for key in keys[1:]:
        made.append(_wrapped(made[-1], len(made) + 1, key))
    return made


def chain() -> list[bytes]:
    """The keys, oldest first. In the setting the newest stands first."""
    return list(keyed.ring(settings.FINGERPRINT_KEY).values())[::-1]


def step(stored: str) -> int:
    """How many keys of the chain made this."""
    number, mark, _rest = stored.partition("~")
    return int(number) if mark else 1


def wrapped(stored: str) -> str:
    """What is stored, under all keys of the chain; unchanged where it is so already."""
    for number, key in enumerate(chain()[step(stored) :], step(stored) + 1):
        stored = _wrapped(stored, number, key)
    return stored


def _wrapped(stored: str, number: int, key: bytes) -> str:
    beginning = f"{number}~"
    return beginning + hmac.digest(key, stored.encode(), hashlib.sha256).hex()[: LENGTH - len(beginning)]


class FingerprintField(models.CharField):  # type: ignore[type-arg]
    """A column of fingerprints. `guards`: they are unique and are made of what anybody may say again (a contract): a
    second row under another length of the chain must not come to be. `later`: SQL of rows that nobody looks for while
    their fingerprints are of the former length.
    """

    def __init__(self, *args: Any, guards: bool = False, later: str = "", **kwargs: Any) -> None:
        self.guards, self.later = guards, later
        super().__init__(*args, **{"max_length": LENGTH, **kwargs})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """To migrations a plain text: nothing but the rotation asks for more."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
