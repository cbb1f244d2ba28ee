"""How long rows are kept, and the nightly removal of those that were kept long enough (mission.md section 7).

The rules are rows, changed by a supervisor at the desk and never below what the law asks for. What there is to remove
is known above: each layer names its `Sort`s, `subscriptions.purging` puts them together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ansim import audit
from ansim.audit import Actor
from ansim.lib.problem import Refused
from ansim.lib.times import APART
from ansim.models import Purge, RetentionRule
from ansim.record_models import Action
from ansim.retention_models import FLOORS, LONGEST, Kind

BATCH = 2_000
BEGINNING = "-infinity"
LEASE = timedelta(minutes=5)


@dataclass(frozen=True)
class Sort:
    """Rows that go together. `kind` None: what has an end of its own (an expired session) goes every night.

    `sweep` removes what is older than the time given, batch by batch, each in a transaction of its own, and tells how
    many rows went; `count` says how many would go.
    """

    name: str
    kind: Kind | None
    sweep: Callable[[datetime], Iterator[int]]
    count: Callable[[datetime], int]


def days() -> dict[Kind, int]:
    """The rules as they stand."""
    return {Kind(kind): kept for kind, kept in RetentionRule.objects.values_list("kind", "days")}


def change(kind: Kind, kept: int, *, by: Actor, reason: str) -> None:
    """Keep that kind for so many days from tonight on. Refused: `too_short` for the law, `too_long`. On record."""
    if kept < FLOORS[kind]:
        raise Refused("too_short")
    if kept > LONGEST:
        raise Refused("too_long")
    with transaction.atomic():
        rule = RetentionRule.objects.select_for_update().get(kind=kind)
        former, rule.days, rule.changed_at, rule.changed_by = rule.days, kept, timezone.now(), by.name
        rule.save()
        audit.record(by, Action.CHANGE, what=f"retention.{kind}:{former}>{kept}", reason=reason)


def cutoff(sort: Sort, rules: Mapping[Kind, int]) -> datetime:
    """What is older than this goes."""
    return timezone.now() - timedelta(days=rules[sort.kind] if sort.kind else 0)


# --- A night's purge ----------------------------------------------------------------------------------


def last() -> Purge | None:
    """The newest, but none of a time to come: a wrong clock dated that one."""
    return Purge.objects.filter(began_at__lte=timezone.now() + APART).order_by("-began_at").first()


def due(*, since: datetime) -> bool:
    """Whether one is at work, or none began since then."""
    found = last()
    return found is None or found.ended_at is None or found.began_at < since


def run(
    sorts: Sequence[Sort],
    *,
    until: Callable[[], bool] = lambda: False,
    progress: Callable[[str, int], None] = lambda name, rows: None,
) -> Purge | None:
    """Go on where the last one stopped, or begin; stop after a batch once `until` says so. None: another is at it.

    Killed at any time, it loses nothing: what went is gone, the rest goes next time.
    """
    purge = _take()
    if purge is None:
        return None
    rules = days()
    for sort in sorts:
        if sort.name in purge.done or (sort.kind and sort.kind not in rules):  # no rule: kept
            continue
        for rows in sort.sweep(cutoff(sort, rules)):
            purge.removed[sort.name] = int(purge.removed.get(sort.name, 0)) + rows
            purge.taken_until = timezone.now() + LEASE
            purge.save(update_fields=["removed", "taken_until"])
            progress(sort.name, rows)
            if until():
                return _give_back(purge)
        purge.done.append(sort.name)
        purge.save(update_fields=["done"])
    purge.ended_at = timezone.now()
    return _give_back(purge)


def _take() -> Purge | None:
    now = timezone.now()
    try:
        with transaction.atomic():
            open_one = Purge.objects.select_for_update().filter(ended_at=None).first()
            purge = open_one or Purge.objects.create(began_at=now)
            if purge.taken_until and now < purge.taken_until <= now + LEASE + APART:
                return None
            purge.taken_until = now + LEASE
            purge.save(update_fields=["taken_until"])
            return purge
    except IntegrityError:  # another began in this instant
        return None


def _give_back(purge: Purge) -> Purge:
    purge.taken_until = None
    purge.save()
    return purge


# --- What sweeps are made of --------------------------------------------------------------------------


def swept(statement: str, given: Mapping[str, Any]) -> Iterator[int]:
    """`statement` removes the first `most` rows from the time `after` on, and answers how many and the last one's time.

    It goes on from there: what was removed before is not read again, however much there is.
    """
    removed, after = BATCH, BEGINNING
    while removed:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, {**given, "after": after, "most": BATCH})
            removed, after = cursor.fetchone()
        if removed:
            yield removed


def counted(statement: str, given: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.fetchone()[0])


def by_time(name: str, kind: Kind, table: str, column: str, only: str = "true") -> Sort:
    """Rows on which nothing hangs, found by one column with an index. The names are constants of ours."""
    old = f"FROM {table} WHERE {column} < %(cutoff)s AND {only}"
    statement = f"""
        WITH old AS (SELECT id, {column} AS at {old} AND {column} >= %(after)s ORDER BY {column} LIMIT %(most)s),
             gone AS (DELETE FROM {table} WHERE id = ANY(ARRAY(SELECT id FROM old)))
        SELECT count(*), max(at) FROM old"""  # noqa: S608
    return Sort(
        name,
        kind,
        lambda cutoff: swept(statement, {"cutoff": cutoff}),
        lambda cutoff: counted(f"SELECT count(*) {old}", {"cutoff": cutoff}),
    )


def at_once(name: str, kind: Kind | None, table: str, condition: str) -> Sort:
    """Rows that are few: in one statement. The names are constants of ours."""

    def sweep(cutoff: datetime) -> Iterator[int]:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} AS row WHERE {condition}", {"cutoff": cutoff})  # noqa: S608
            removed = cursor.rowcount
        yield removed

    count = f"SELECT count(*) FROM {table} AS row WHERE {condition}"  # noqa: S608
    return Sort(name, kind, sweep, lambda cutoff: counted(count, {"cutoff": cutoff}))
