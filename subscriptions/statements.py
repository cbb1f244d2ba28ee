"""What a month of one line costs as of now: charged, put right, and still to be put right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from subscriptions import billing, closing, lifecycle
from subscriptions.billing import Account, Price
from subscriptions.models import Charge, ClosedMonth
from subscriptions.timeline import Course, Event
from verification.models import Line


@dataclass(frozen=True)
class Statement:
    """`amount` in won: the month's own charge, or before the close what it will be. `total` has the adjustments too.

    The last adjustment may be one that no close made yet: it has no posting, and goes with the next close. So `total`
    is always what `present`, the month from scratch, costs.
    """

    month: date
    closed: bool
    present: Account
    own: Charge | None
    adjustments: Sequence[Charge]
    prices: Sequence[Price]
    courses: Sequence[Course]
    events: Sequence[Event]

    @property
    def total(self) -> int:
        return self.present.amount

    @property
    def amount(self) -> int:
        return self.own.amount if self.own else self.present.amount


@dataclass(frozen=True)
class _Book:
    """What is known of a line, read once for any number of months."""

    shared: Sequence[Course]
    """Of everybody who had the line."""
    courses: Sequence[Course]
    """Of whom the statement is for."""
    events: Sequence[Event]
    charges: Sequence[Charge]
    prices: Sequence[Price]
    closed: frozenset[date]

    def statement(self, month: date) -> Statement:
        present = closing.account(self.courses, month, self.prices)
        own, adjustments = self._charged(month, present)
        closed = bool(own) or (not present.used and month in self.closed)
        return Statement(month, closed, present, own, adjustments, self.prices, self.courses, self.events)

    def _charged(self, month: date, present: Account) -> tuple[Charge | None, list[Charge]]:
        rows = [row for row in self.charges if (row.adjusts or row.month) == month]
        own = next((row for row in rows if row.adjusts is None), None)
        if own is None or closing.account(self.shared, month, self.prices) != present:
            return None, []  # not closed, or the charge is also for days of a former owner, which stay theirs
        made = [row for row in rows if row.adjusts]
        missing = closing.adjustment(rows, present)
        return own, [*made, missing] if missing else made


def of(line: Line, month: date, holder_fingerprint: str | None = None) -> Statement:
    """For any month: one without service costs nothing. With a fingerprint only for that person's subscriptions."""
    return _book(line, holder_fingerprint).statement(month)


def every_month(line: Line, *, until: date, holder_fingerprint: str | None = None) -> list[Statement]:
    """For each month from the first joining to the end of service, or to the month of `until`; newest first."""
    book = _book(line, holder_fingerprint)
    months: set[date] = set()
    for course in book.courses:
        month = billing.month_of(course.spans[0].began_at)
        last = min(billing.month_of(course.ended_at), until) if course.ended_at else until
        while month <= last:
            months.add(month)
            month = billing.next_month(month)
    return [book.statement(month) for month in sorted(months, reverse=True)]


def courses(line: Line) -> list[Course]:
    """Of everybody who had the line."""
    return list(_book(line, None).courses)


def _book(line: Line, holder_fingerprint: str | None) -> _Book:
    events = lifecycle.events_of(line)
    shared: list[Course] = []
    own: list[Course] = []
    for subscription in line.subscriptions.defer("holder").order_by("joined_at"):
        course = lifecycle.course_of(subscription, events)
        shared.append(course)
        if holder_fingerprint in (None, subscription.holder_fingerprint):
            own.append(course)
    charges = list(line.charges.order_by("made_at"))
    closed = frozenset(ClosedMonth.objects.values_list("month", flat=True))
    return _Book(shared, own, events, charges, closing.price_list(), closed)
