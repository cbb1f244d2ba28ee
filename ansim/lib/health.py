"""Shapes of what stands at this moment, and of what `manage.py doctor` and the desk's status page find."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Owed:
    """How much is owed; in seconds how long the `oldest` has been, and how `late` we are with what is due."""

    count: int = 0
    oldest: float = 0.0
    late: float = 0.0


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # goes on working; somebody should look
    BAD = "bad"  # does not work


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, in words, and what to do about it (`advice`; empty when all is well)."""

    level: Level
    said: "StrOrPromise"
    advice: "StrOrPromise" = ""


Check = Callable[[], Finding]


def ok(said: "StrOrPromise") -> Finding:
    return Finding(Level.OK, said)


def warn(said: "StrOrPromise", advice: "StrOrPromise") -> Finding:
    return Finding(Level.WARN, said, advice)


def bad(said: "StrOrPromise", advice: "StrOrPromise") -> Finding:
    return Finding(Level.BAD, said, advice)


def span(seconds: float) -> str:
    """h:mm:ss, the same in every language."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def by_age(seconds: float, *, warn: float, bad: float) -> Level:
    """Of something that should be young."""
    return Level.BAD if seconds >= bad else Level.WARN if seconds >= warn else Level.OK
