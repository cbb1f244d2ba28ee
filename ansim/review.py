"""The monthly review of the record of access (PIPC 2026-9): what is unusual in a month, its sign-off, and its export.

Nothing here says who a customer is: the record knows them by keyed fingerprints, of which a review shows the beginning.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from ansim import audit
from ansim.audit import Actor
from ansim.lib import birth
from ansim.lib.problem import Refused
from ansim.models import AccessRecord, MonthReview
from ansim.record_models import Action

MOST = 50
AGAIN = 3  # hours of a month in which one customer was looked at by the same agent
HANDLING = (Action.LOOK, Action.SEARCH, Action.REVEAL, Action.CHANGE, Action.CANCEL, Action.RESET, Action.APPROVE)
MARK = 8  # letters of a fingerprint, to tell customers apart
HEADER = ("number", "at", "actor", "role", "address", "action", "what", "subject", "reason")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the beginning of a formula (OWASP, CSV injection)."""

_FIGURES = """
    WITH seen AS (
        SELECT actor, action, subject, at AT TIME ZONE 'Asia/Seoul' AS local FROM ansim_accessrecord
         WHERE at >= %(since)s AND at < %(until)s AND role <> 'operator'),
    hours AS (
        SELECT actor, max(looks) AS busiest FROM (
            SELECT actor, count(*) AS looks FROM seen WHERE action IN ('look', 'search', 'reveal')
             GROUP BY actor, date_trunc('hour', local)) AS by_hour
         GROUP BY actor)
    SELECT actor, count(DISTINCT subject) FILTER (WHERE action IN ('look', 'reveal') AND subject <> ''),
           count(*) FILTER (WHERE action = 'search'), count(*) FILTER (WHERE action = 'look'),
           count(*) FILTER (WHERE action = 'reveal'), count(*) FILTER (WHERE action = 'export'),
           count(*) FILTER (WHERE action = 'refused'), coalesce(hours.busiest, 0),
           count(*) FILTER (WHERE action IN ('look', 'search', 'reveal')
                              AND (extract(hour FROM local) >= 22 OR extract(hour FROM local) < 6))
      FROM seen LEFT JOIN hours USING (actor)
     GROUP BY actor, hours.busiest ORDER BY coalesce(hours.busiest, 0) DESC, actor LIMIT 200"""
_AGAIN = """
    SELECT actor, subject, count(DISTINCT date_trunc('hour', at)) AS hours, max(at) FROM ansim_accessrecord
     WHERE at >= %(since)s AND at < %(until)s AND action IN ('look', 'search') AND subject <> '' AND role <> 'operator'
     GROUP BY actor, subject HAVING count(DISTINCT date_trunc('hour', at)) >= %(again)s
     ORDER BY hours DESC, actor, subject LIMIT %(most)s"""
_IDLE = """
    SELECT seen.number, seen.at, seen.actor, seen.subject, seen.what FROM ansim_accessrecord AS seen
     WHERE seen.at >= %(since)s AND seen.at < %(until)s AND seen.action = 'reveal'
       AND NOT EXISTS (
           SELECT FROM ansim_accessrecord AS deed
            WHERE deed.actor = seen.actor AND deed.subject = seen.subject AND deed.number > seen.number
              AND deed.action IN ('cancel', 'reset', 'approve', 'change') AND deed.at <= seen.at + interval '1 hour')
     ORDER BY seen.number DESC LIMIT %(most)s"""


@dataclass(frozen=True)
class Figures:
    """What one of the staff did in the month. `busiest`: looks in their busiest hour; `nights`: looks 22:00 to 6:00."""

    actor: str
    customers: int
    searches: int
    looks: int
    reveals: int
    exports: int
    refused: int
    busiest: int
    nights: int


@dataclass(frozen=True)
class Again:
    """The same customer, in so many different hours, by the same agent."""

    actor: str
    mark: str
    hours: int
    last: datetime


@dataclass(frozen=True)
class IdleReveal:
    """A field that was revealed, and nothing was done for that customer within an hour."""

    number: int
    at: datetime
    actor: str
    mark: str
    what: str


@dataclass(frozen=True)
class Review:
    """`own`: who asks is in the month themselves, so that their signature alone does not end it."""

    month: date
    figures: list[Figures]
    again: list[Again]
    idle: list[IdleReveal]
    signed: MonthReview | None
    own: bool

    @property
    def is_over(self) -> bool:
        return self.month < birth.today().replace(day=1)


def last_month() -> date:
    return before(birth.today().replace(day=1))


def before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def of(month: date, *, by: Actor) -> Review:
    """`month`: its first day (Asia/Seoul). `by`: who looks at it."""
    since, until = _bounds(month)
    given: dict[str, Any] = {"since": since, "until": until, "again": AGAIN, "most": MOST}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, given)
        figures = [Figures(*row) for row in cursor.fetchall()]
        cursor.execute(_AGAIN, given)
        again = [Again(actor, subject[:MARK], hours, last) for actor, subject, hours, last in cursor.fetchall()]
        cursor.execute(_IDLE, given)
        idle = [IdleReveal(number, at, actor, who[:MARK], what) for number, at, actor, who, what in cursor.fetchall()]
    signed = MonthReview.objects.filter(month=month).first()
    return Review(month, figures, again, idle, signed, own=handled_customers(month, by))


def handled_customers(month: date, by: Actor) -> bool:
    """Whether they themselves looked at a customer in that month, or did something for one."""
    since, until = _bounds(month)
    mine = AccessRecord.objects.filter(at__gte=since, at__lt=until, actor=by.name)
    return mine.filter(~Q(subject=""), action__in=HANDLING).exists()


def sign(month: date, *, by: Actor, note: str) -> MonthReview:
    """Done with a month that is over. Who handled customers in it does not end it alone: somebody else signs too.

    Refused: `wrong_state` for a month that is not over or done, `own` for the second signature of the same person.
    """
    if month >= birth.today().replace(day=1):
        raise Refused("wrong_state")
    with transaction.atomic():
        first = {"signed_by": by.name, "signed_at": timezone.now(), "note": note}
        needs_second = handled_customers(month, by)
        review, is_new = MonthReview.objects.select_for_update().get_or_create(
            month=month, defaults={**first, "needs_second": needs_second}
        )
        if not is_new:
            _sign_too(review, by=by, note=note)
        audit.record(by, Action.REVIEW, what=f"{month:%Y-%m}", reason=note)
        return review


def _sign_too(review: MonthReview, *, by: Actor, note: str) -> None:
    if review.is_done:
        raise Refused("wrong_state")
    if review.signed_by == by.name:
        raise Refused("own")
    review.second_by, review.second_at, review.second_note = by.name, timezone.now(), note
    review.save(update_fields=["second_by", "second_at", "second_note"])


def export(month: date, *, by: Actor, reason: str) -> Iterator[str]:
    """The month's record as CSV, line by line, with the mark by which spreadsheets know UTF-8. On record before."""
    with transaction.atomic():
        audit.record(by, Action.EXPORT, what=f"accessrecord.{month:%Y-%m}", reason=reason)
    return _lines(month)


def _lines(month: date) -> Iterator[str]:
    since, until = _bounds(month)
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield "\ufeff" + writer.writerow(HEADER)
    rows = AccessRecord.objects.filter(at__gte=since, at__lt=until).order_by("number")
    for row in rows.iterator(chunk_size=1000):
        at = timezone.localtime(row.at).isoformat(timespec="seconds")
        cells = (row.number, at, row.actor, row.role, row.address, row.action, row.what, row.subject[:MARK], row.reason)
        yield writer.writerow([_safe(cell) if isinstance(cell, str) else cell for cell in cells])


class _Line:
    """What csv writes to: it hands each line back."""

    def write(self, text: str) -> Any:
        return text


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(RISKY) else cell


def _bounds(month: date) -> tuple[datetime, datetime]:
    first, next_first = (timezone.make_aware(datetime.combine(day, time())) for day in (month, after(month)))
    return first, next_first
